//! What a result is worth, answered by dedicated trainings: children are trained as in a search,
//! recorded in a separate folder, carried out to completion and resumable.

mod carry_out;
pub mod children;
pub mod error;
pub mod rank;
pub mod reliability;
pub mod replication;
pub mod results;
pub mod seeds;
pub mod series;
pub mod trials;
pub mod verify;

pub use carry_out::{News, carry_out};
pub use error::StudyError;
pub use trials::{Trial, Trials, TrialsPlan};
