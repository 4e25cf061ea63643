//! The panels of a run that trains one network to completion.
//!
//! ```text
//! TrainingRun -> curves | progress | network | layers | test -> painter
//! Action -> panel (scales, crosshair, rows, scrolling)
//! ```

mod chart;
mod classes;
mod confusion;
pub mod curves;
mod gauges;
pub mod layers;
pub mod network;
pub mod progress;
mod rates;
mod readout;
pub mod standing;
pub mod test_result;
