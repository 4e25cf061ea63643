//! The learning rate of a recipe, batch by batch.

use crate::config::{Recipe, Schedule, whole_epochs};

/// A batch of a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchPlace {
    /// Number of its epoch, from 1.
    pub epoch: usize,
    /// Its number within the epoch, from 0, and the number of batches there.
    pub batch: usize,
    pub batches: usize,
    /// Number of images in an epoch.
    pub images: usize,
}

impl BatchPlace {
    /// Number of the batch in the whole training, from 0.
    fn step(&self) -> usize {
        (self.epoch - 1) * self.batches.max(1) + self.batch
    }

    /// Part of all images of the training, in 0..1, that it has seen before this batch.
    fn seen(&self, recipe: &Recipe) -> f64 {
        let in_epoch = (self.batch * recipe.batch_size).min(self.images);
        let seen = (self.epoch - 1) * self.images + in_epoch;
        seen as f64 / (recipe.epochs * self.images).max(1) as f64
    }
}

/// Learning rate of a batch, after the plateau schedule has reduced it `reductions` times.
pub fn learning_rate(recipe: &Recipe, reductions: u32, place: BatchPlace) -> f64 {
    let highest = recipe.learning_rate;
    match &recipe.schedule {
        Schedule::Constant => highest,
        Schedule::Steps { at, factor } => {
            let done = place.epoch - 1;
            let is_past = |part: &&f64| done >= whole_epochs(**part, recipe.epochs);
            let steps = at.iter().filter(is_past).count();
            highest * factor.powi(steps as i32)
        }
        Schedule::Plateau { factor, .. } => highest * factor.powi(reductions.min(1_000) as i32),
        Schedule::Cosine { warmup_epochs } => {
            let batches = place.batches.max(1);
            let (step, warmup) = (place.step(), warmup_epochs * batches);
            if step < warmup {
                return highest * (step + 1) as f64 / warmup as f64;
            }
            let progress =
                (step - warmup) as f64 / (recipe.epochs * batches - warmup).max(1) as f64;
            highest * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
        }
        &Schedule::OneCycle {
            initial_rate,
            peak_at,
            final_rate,
        } => {
            let seen = place.seen(recipe);
            if seen < peak_at {
                initial_rate + (highest - initial_rate) * seen / peak_at
            } else {
                highest + (final_rate - highest) * (seen - peak_at) / (1.0 - peak_at)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(epochs: usize, schedule: Schedule) -> Recipe {
        let (momentum, weight_decay) = (0.9, 1e-4);
        Recipe {
            epochs,
            batch_size: 64,
            learning_rate: 0.1,
            momentum,
            nesterov: true,
            weight_decay,
            schedule,
            ..Recipe::default()
        }
    }

    fn place(epoch: usize, batch: usize, batches: usize) -> BatchPlace {
        BatchPlace {
            epoch,
            batch,
            batches,
            images: batches * 64,
        }
    }

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-12
    }

    #[test]
    fn densenets_rate_is_divided_by_ten_when_half_and_three_quarters_of_the_epochs_are_done() {
        let recipe = recipe(
            300,
            Schedule::Steps {
                at: vec![0.5, 0.75],
                factor: 0.1,
            },
        );
        let at = |epoch| learning_rate(&recipe, 0, place(epoch, 0, 10));
        for (epoch, expected) in [
            (1, 0.1),
            (150, 0.1),
            (151, 0.01),
            (225, 0.01),
            (226, 0.001),
            (300, 0.001),
        ] {
            assert!(close(at(epoch), expected), "epoch {epoch}: {}", at(epoch));
        }
    }

    #[test]
    fn a_plateaus_rate_is_multiplied_by_its_factor_at_every_reduction() {
        let recipe = recipe(
            300,
            Schedule::Plateau {
                patience: 2,
                factor: 0.1,
            },
        );
        let rates = [0, 1, 2].map(|reductions| learning_rate(&recipe, reductions, place(1, 0, 1)));
        assert!(
            rates
                .iter()
                .zip([0.1, 0.01, 0.001])
                .all(|(one, other)| close(*one, other)),
            "{rates:?}"
        );
    }

    #[test]
    fn a_cosine_rises_linearly_and_then_falls_to_zero() {
        let recipe = recipe(11, Schedule::Cosine { warmup_epochs: 1 });
        let at = |epoch, batch| learning_rate(&recipe, 0, place(epoch, batch, 100));
        assert!(close(at(1, 0), 0.001) && close(at(1, 49), 0.05) && close(at(1, 99), 0.1));
        assert!(close(at(2, 0), 0.1) && close(at(7, 0), 0.05));
        assert!(at(11, 99) > 0.0 && at(11, 99) < 1e-5);
    }

    fn one_cycle(epochs: usize) -> Recipe {
        let schedule = Schedule::OneCycle {
            initial_rate: 0.01,
            peak_at: 0.25,
            final_rate: 0.001,
        };
        recipe(epochs, schedule)
    }

    #[test]
    fn one_cycle_rises_to_the_peak_and_falls_to_the_final_rate_in_straight_lines() {
        let recipe = one_cycle(8);
        let at = |epoch, batch| learning_rate(&recipe, 0, place(epoch, batch, 10));
        // Two of eight epochs are the rise.
        for (epoch, batch, rate) in [
            (1, 0, 0.01),
            (2, 0, 0.055),
            (3, 0, 0.1),
            (6, 0, 0.0505),
            (9, 0, 0.001),
        ] {
            assert!(
                close(at(epoch, batch), rate),
                "{epoch} {}",
                at(epoch, batch)
            );
        }
        let falls: Vec<f64> = (0..10)
            .map(|batch| at(4, batch) - at(4, batch + 1))
            .collect();
        assert!(falls.iter().all(|fall| close(*fall, falls[0])), "{falls:?}");
    }

    #[test]
    fn one_cycle_counts_images_so_that_a_small_last_batch_counts_less() {
        let recipe = one_cycle(1);
        // Two batches of 64 images and one of 2.
        let at = |batch| {
            let place = BatchPlace {
                images: 130,
                ..place(1, batch, 3)
            };
            learning_rate(&recipe, 0, place)
        };
        let expected = |seen: f64| 0.1 - 0.099 * (seen / 130.0 - 0.25) / 0.75;
        assert!(close(at(1), expected(64.0)) && close(at(2), expected(128.0)));
    }

    #[test]
    fn one_cycle_without_a_rise_starts_at_the_peak() {
        let mut recipe = one_cycle(4);
        recipe.schedule = Schedule::OneCycle {
            initial_rate: 0.01,
            peak_at: 0.0,
            final_rate: 0.0,
        };
        assert_eq!(learning_rate(&recipe, 0, place(1, 0, 10)), 0.1);
    }
}
