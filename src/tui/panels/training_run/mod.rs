//! The panels of a run that trains one network to the end.
//!
//! ```text
//! TrainingRun -> curves | progress | network | layers | test -> painter
//! Action -> app::training -> TrainingView (scales, crosshair, rows, scrolling)
//! ```

mod chart;
mod classes;
mod confusion;
pub mod curves;
pub mod layers;
pub mod network;
pub mod progress;
mod rates;
pub mod standing;
pub mod test_result;

use super::chart::ChartView;
use chart::Quantity;

/// What the user looks at in the panels of a training.
#[derive(Debug, Clone, Default)]
pub struct TrainingView {
    /// Scale, epochs in view and crosshair of the curves.
    pub curves: ChartView,
    /// The curves that are shown where there is no room for both.
    pub quantity: Quantity,
    /// The row of the network's graph that stands out.
    pub network_row: usize,
    /// First rows shown.
    pub progress_top: usize,
    pub layers_top: usize,
    pub test_top: usize,
    /// The confusion matrix in percent of each class instead of images.
    pub in_percent: bool,
}

impl TrainingView {
    pub fn toggle_quantity(&mut self) {
        self.quantity = match self.quantity {
            Quantity::Accuracy => Quantity::Loss,
            Quantity::Loss => Quantity::Accuracy,
        };
    }
}
