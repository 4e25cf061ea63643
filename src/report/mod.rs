//! What a run amounts to, from its events alone, and how well a network classifies. No libtorch here.

pub mod classification;
pub mod figures;
pub mod front;
pub mod headless;
pub mod page;
pub mod proportion;
pub mod statistics;
pub mod summary;
pub mod training;
pub mod verdict;

pub use classification::ClassificationReport;
pub use summary::Summary;
pub use training::TrainingSummary;
