//! When it is time to tell how far a training is.

use std::time::{Duration, Instant};

/// Shortest time between two ticks. A tick waits for the device, so it is also how far the device
/// may be behind.
const TICK: Duration = Duration::from_millis(250);

/// The ticks of one training.
#[derive(Debug, Default)]
pub struct Ticks {
    last: Option<Instant>,
}

impl Ticks {
    /// Whether the next tick is due: the first one at once.
    pub fn is_due(&self) -> bool {
        self.last.is_none_or(|last| last.elapsed() >= TICK)
    }

    /// A tick has been told.
    pub fn told(&mut self) {
        self.last = Some(Instant::now());
    }
}
