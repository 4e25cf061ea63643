//! One network trained to completion (`nas-tui train`), in the process that writes its run.
//!
//! ```text
//! session: what is in the run directory -> engine: epochs, commands, checkpoints -> test: once, at
//! the end
//! ```

mod checkpoint;
mod engine;
mod error;
mod form;
mod found;
mod initial;
mod ledger;
mod range_test;
mod rate;
mod stages;
mod test_images;
mod work;

pub use error::TrainingError;
pub use initial::{Initial, InitialError};
pub use range_test::{RangePoint, RangeTest, range_test};
pub use test_images::{Side, evaluation_plan, logits};
pub use work::Training;
