//! When to report the progress of a training.

use std::time::{Duration, Instant};

/// Minimum time between two ticks. A tick waits for the device, so this is also the longest time by
/// which the device can lag behind.
const TICK: Duration = Duration::from_millis(250);

/// The ticks of one training.
#[derive(Debug, Default)]
pub struct Ticks {
    last: Option<Instant>,
}

impl Ticks {
    /// Whether the next tick is due; the first one always is.
    pub fn is_due(&self) -> bool {
        self.last.is_none_or(|last| last.elapsed() >= TICK)
    }

    /// Note that a tick has been sent.
    pub fn told(&mut self) {
        self.last = Some(Instant::now());
    }
}
