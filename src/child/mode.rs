//! How a forward pass treats batch norm.

/// The weight of a batch's statistics in the running ones during training (PyTorch's default).
const MOMENTUM: f64 = 0.1;

/// Which statistics batch norm uses: those of the batch, which update the running ones, or the
/// running ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Use the batch's statistics and update the running ones.
    Train,
    /// Use the batch's statistics, and make the running ones the mean over the images so far: a
    /// batch of `images` images, the last ones of `seen`.
    Estimate {
        /// Images in the batch.
        images: usize,
        /// Images so far, including those of the batch.
        seen: usize,
    },
    /// Use the running statistics.
    Evaluate,
}

impl Mode {
    /// The weight of the batch's statistics in the running ones; `None` if they are not updated.
    pub(super) fn momentum(self) -> Option<f64> {
        match self {
            Mode::Train => Some(MOMENTUM),
            Mode::Estimate { images, seen } => Some(images as f64 / seen.max(1) as f64),
            Mode::Evaluate => None,
        }
    }
}
