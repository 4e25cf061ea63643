//! What is derived from a run's records: its summary, its statistics, the verdict on its rewards,
//! the front of accuracy against cost. Shared by the search, the screen and reports.

pub mod benchmark;
pub mod early_stopping;
pub mod effects;
pub mod front;
pub mod lift;
pub mod rank_correlation;
pub mod ranks;
pub mod reliability;
pub mod series;
pub mod statistics;
pub mod summary;
pub mod training;
pub mod two_samples;
pub mod verdict;

pub use summary::Summary;
pub use training::TrainingSummary;
