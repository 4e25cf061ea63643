//! Integration tests: the crate and its program from outside. One binary, a module per subject.

mod architectures;
mod data_corpus;
mod data_fetch;
mod inspect;
#[cfg(feature = "torch")]
mod numerics;
mod space;
#[cfg(feature = "torch")]
mod workers;
