//! Integration tests: the crate and its program from outside.

mod data_corpus;
mod data_fetch;
