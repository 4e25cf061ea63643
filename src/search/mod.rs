//! The search: who proposes children, and how a proposer learns from their rewards.

pub mod baseline;
pub mod random;
pub mod sample;
pub mod strategy;

pub use baseline::Baseline;
pub use random::Random;
pub use sample::Sample;
pub use strategy::{Learned, StateTensor, Strategy, StrategyError, StrategyState};
