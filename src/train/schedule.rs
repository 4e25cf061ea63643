//! Learning rate of each batch.

use crate::config::{ChildConfig, ChildSchedule};

/// Learning rate of batch `step` (from 0) of `steps` in the child's whole training.
pub fn learning_rate(config: &ChildConfig, step: usize, steps: usize) -> f64 {
    match config.schedule {
        ChildSchedule::Constant => config.learning_rate,
        ChildSchedule::Cosine => {
            let progress = step as f64 / steps.max(1) as f64;
            config.learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(schedule: ChildSchedule) -> ChildConfig {
        ChildConfig {
            epochs: 1,
            batch_size: 128,
            learning_rate: 0.2,
            momentum: 0.9,
            nesterov: true,
            weight_decay: 1e-4,
            schedule,
        }
    }

    #[test]
    fn a_constant_schedule_keeps_the_learning_rate() {
        assert_eq!(
            learning_rate(&config(ChildSchedule::Constant), 99, 100),
            0.2
        );
    }

    #[test]
    fn a_cosine_starts_at_the_learning_rate_halves_midway_and_ends_near_zero() {
        let at = |step| learning_rate(&config(ChildSchedule::Cosine), step, 100);
        assert_eq!(at(0), 0.2);
        assert!((at(50) - 0.1).abs() < 1e-12);
        assert!(at(99) > 0.0 && at(99) < 1e-4);
    }
}
