//! Integration tests: one binary, one module per subject.

mod architectures;
mod inspect;
mod space;
