//! The search: who proposes children, and how a proposer learns from their rewards.

pub mod baseline;
pub mod checkpoint;
mod engine;
mod episode;
pub mod error;
mod inbox;
mod ledger;
pub mod random;
mod reference;
pub mod sample;
pub mod session;
pub mod strategy;

pub use baseline::Baseline;
pub use error::SearchError;
pub use random::Random;
pub use sample::Sample;
pub use session::{Parts, Searching, Session};
pub use strategy::{Learned, StateTensor, Strategy, StrategyError, StrategyState};

#[cfg(test)]
mod tests;
