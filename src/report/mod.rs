//! What a run amounts to, from its events alone: summary, statistics, plain lines. No libtorch here.

pub mod headless;
pub mod statistics;
pub mod summary;
pub mod verdict;

pub use summary::Summary;
