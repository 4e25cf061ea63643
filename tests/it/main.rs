//! Integration tests: one binary, a module per subject.

#[cfg(feature = "torch")]
mod numerics;
#[cfg(feature = "torch")]
mod workers;
