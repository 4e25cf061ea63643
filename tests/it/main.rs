//! Integration tests: the crate and its program from outside. One binary, a module per subject.

mod architectures;
mod data_corpus;
mod data_fetch;
mod inspect;
mod journal_docs;
#[cfg(feature = "torch")]
mod numerics;
mod run_state;
mod screen;
#[cfg(feature = "torch")]
mod screen_pty;
#[cfg(feature = "torch")]
mod search_runs;
mod space;
#[cfg(feature = "torch")]
mod workers;
