//! The learning rate of a recipe, batch by batch.

use crate::config::{Recipe, Schedule};

/// Learning rate of batch `batch` (from 0) of `batches` in epoch `epoch` (from 1), after the
/// plateau schedule has reduced it `reductions` times.
pub fn learning_rate(
    recipe: &Recipe,
    reductions: u32,
    epoch: usize,
    batch: usize,
    batches: usize,
) -> f64 {
    let highest = recipe.learning_rate;
    match &recipe.schedule {
        Schedule::Constant => highest,
        Schedule::Steps { at, factor } => {
            let done = (epoch - 1) as f64;
            let steps = at
                .iter()
                .filter(|part| done >= *part * recipe.epochs as f64)
                .count();
            highest * factor.powi(steps as i32)
        }
        Schedule::Plateau { factor, .. } => highest * factor.powi(reductions.min(1_000) as i32),
        Schedule::Cosine { warmup_epochs } => {
            let batches = batches.max(1);
            let (step, warmup) = ((epoch - 1) * batches + batch, warmup_epochs * batches);
            if step < warmup {
                return highest * (step + 1) as f64 / warmup as f64;
            }
            let progress =
                (step - warmup) as f64 / (recipe.epochs * batches - warmup).max(1) as f64;
            highest * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
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
            stages: Vec::new(),
            batch_size: 64,
            learning_rate: 0.1,
            momentum,
            nesterov: true,
            weight_decay,
            schedule,
            early_stopping: 0,
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
        let at = |epoch| learning_rate(&recipe, 0, epoch, 0, 10);
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
        let rates = [0, 1, 2].map(|reductions| learning_rate(&recipe, reductions, 1, 0, 1));
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
        let at = |epoch, batch| learning_rate(&recipe, 0, epoch, batch, 100);
        assert!(close(at(1, 0), 0.001) && close(at(1, 49), 0.05) && close(at(1, 99), 0.1));
        assert!(close(at(2, 0), 0.1) && close(at(7, 0), 0.05));
        assert!(at(11, 99) > 0.0 && at(11, 99) < 1e-5);
    }
}
