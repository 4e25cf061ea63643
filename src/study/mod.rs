//! What a result is worth, answered by trainings of its own: children are trained as in a search,
//! journalled in a folder of their own, carried out to the end and resumed.

mod carry_out;
pub mod children;
pub mod error;
pub mod rank;
pub mod reliability;
pub mod results;
pub mod seeds;
pub mod series;
pub mod trials;
pub mod verify;

pub use carry_out::{News, carry_out};
pub use error::StudyError;
pub use trials::{Plan, Trial, Trials};
