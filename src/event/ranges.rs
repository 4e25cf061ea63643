//! The ranges of the numbers in a journal: every consumer can calculate with what is within them.

use serde::de::Error;

/// Largest number that has no narrower range: JSON numbers are exact up to here (RFC 8259, section 6).
const LARGEST: u64 = 1 << 53;
/// Largest magnitude of a number with decimals: far above 32-bit floats, and its square is finite.
const LARGEST_FLOAT: f64 = 1e100;
/// No field with decimals has a narrower range than this, except fractions.
const SMALL: f64 = 1e9;

/// Largest value of the whole numbers in a field; all are far above what settings allow.
fn largest(field: &str) -> u64 {
    match field {
        "seed" => u64::MAX,
        "episode"
        | "episodes"
        | "children_per_episode"
        | "controls"
        | "epoch"
        | "epochs"
        | "child_epochs"
        | "reward_last_epochs"
        | "patience"
        | "early_stopping"
        | "warmup_epochs"
        | "milestones"
        | "worker"
        | "workers"
        | "threads"
        | "attempt"
        | "depth"
        | "layer"
        | "head"
        | "index"
        | "choices"
        | "reuse_limit"
        | "staleness" => 1_000_000,
        "batch" | "batches" | "batch_size" | "child_batch_size" | "micro_batch"
        | "train_images" | "validation_images" | "images" | "correct" | "confusion" | "repeats"
        | "failures" | "excluded" => 1_000_000_000,
        "child" | "children" | "next_child" | "parent" | "repeat_of" => 100_000_000_000,
        _ => LARGEST,
    }
}

fn is_fraction(field: &str) -> bool {
    matches!(
        field,
        "accuracy"
            | "own_accuracy"
            | "mean_accuracy"
            | "best_accuracy"
            | "test_accuracy"
            | "train_accuracy"
            | "valid_accuracy"
            | "valid_accuracies"
            | "busy"
            | "utilization"
    )
}

/// Largest magnitude of a number with decimals in a field. A reward is at most 1 unless children with few
/// multiply-accumulates are rewarded for it: 1e30 is that of one with 1,000 times fewer than the target, for the largest exponent
/// that settings allow.
fn largest_decimal(field: &str) -> f64 {
    match field {
        "reward" | "own_reward" | "mean_reward" | "rewards" | "baseline" | "next_baseline"
        | "advantages" => 1e30,
        "entropy" | "max_entropy" => SMALL,
        _ => LARGEST_FLOAT,
    }
}

/// Check a whole number in `field`.
pub(super) fn whole<E: Error>(field: &str, value: u64) -> Result<(), E> {
    // Below the narrowest range, and most numbers are.
    if value <= 1_000_000 && !(value > 1 && is_fraction(field)) {
        return Ok(());
    }
    let most = largest(field);
    if value > most {
        return Err(E::custom(format!(
            "{field} is {value}, but must be at most {most}"
        )));
    }
    decimal(field, value as f64)
}

/// Check a number with decimals, or a negative one, in `field`.
pub(super) fn decimal<E: Error>(field: &str, value: f64) -> Result<(), E> {
    if !(0.0..=1.0).contains(&value) && is_fraction(field) {
        return Err(E::custom(format!(
            "{field} is {value:e}, but must be from 0 to 1"
        )));
    }
    if value.abs() <= SMALL {
        return Ok(());
    }
    let most = largest_decimal(field);
    if (-most..=most).contains(&value) {
        return Ok(());
    }
    Err(E::custom(format!(
        "{field} is {value:e}, but must be from {:e} to {most:e}",
        -most
    )))
}
