//! The rules of `[space]` that hold in every space.

use super::{Checked, violation};
use crate::config::SpaceConfig;
use crate::config::raw::RawSpace;

/// Maximum for the kernel size, filters, stride and padding of a layer, in settings and in
/// architectures.
pub const LARGEST_SETTING: usize = 4096;

/// The lists themselves. (Which lists are necessary depends on the space, which checks that too.)
pub fn space(raw: &RawSpace) -> Checked<SpaceConfig> {
    Ok(SpaceConfig {
        layer: raw.layer.clone(),
        kernels: values("space.kernels", &raw.kernels)?,
        filters: values("space.filters", &raw.filters)?,
        strides: values("space.strides", &raw.strides)?,
        paddings: values("space.paddings", &raw.paddings)?,
        decode: raw.decode,
    })
}

/// Check one list of options, named by its key: it must not be empty, and no value may be repeated,
/// too small or too large.
///
/// # Errors
/// The first rule that is broken.
pub fn check_choices(key: &'static str, choices: &[u32]) -> Checked<()> {
    if choices.is_empty() {
        return violation(key, "[]", "must list at least one value");
    }
    let choices: Vec<i64> = choices.iter().copied().map(i64::from).collect();
    values(key, &choices).map(drop)
}

fn values(key: &'static str, values: &[i64]) -> Checked<Vec<u32>> {
    let least = if key == "space.paddings" { 0 } else { 1 };
    for (position, value) in values.iter().enumerate() {
        if *value < least || *value > LARGEST_SETTING as i64 {
            return violation(
                key,
                value,
                format!("must list whole numbers from {least} to {LARGEST_SETTING}"),
            );
        }
        if values[..position].contains(value) {
            return violation(key, value, "must list each value once");
        }
    }
    Ok(values.iter().map(|value| *value as u32).collect())
}
