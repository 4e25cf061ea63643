//! Integration tests, one binary.

mod run_state;
mod screen;
#[cfg(feature = "torch")]
mod screen_pty;
