//! What a run amounts to, from its events alone. No libtorch here.

pub mod figures;
pub mod front;
pub mod headless;
pub mod page;
pub mod statistics;
pub mod summary;
pub mod training;
pub mod verdict;

pub use summary::Summary;
pub use training::TrainingSummary;
