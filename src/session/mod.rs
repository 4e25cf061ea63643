//! One process's turn at a run, whatever its work: journal, ledger and clients in step.

pub mod recorder;

pub use recorder::{Ledger, Recorder};
