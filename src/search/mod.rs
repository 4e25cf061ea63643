//! The search: children are proposed, evaluated and learned from, episode by episode.

pub mod checkpoint;
mod engine;
mod episode;
pub mod error;
mod inbox;
mod ledger;
pub mod reference;
pub(crate) mod success;
pub mod tabular;
pub mod work;

pub use error::SearchError;
pub use work::Search;

#[cfg(test)]
mod tests;
