//! Integration tests: the crate and its program from outside. One binary, a module per subject.

mod architectures;
mod data_corpus;
mod data_fetch;
mod inspect;
mod journal_docs;
#[cfg(feature = "torch")]
mod numerics;
#[cfg(feature = "torch")]
mod search_runs;
mod space;
#[cfg(feature = "torch")]
mod workers;
