//! The rules of `[space]`, for settings and for every other source of a space. They are defined
//! only here.

use super::{Checked, violation};
use crate::config::raw::RawSpace;
use crate::config::{Decode, LayerKind, SpaceConfig};

/// Maximum for the kernel size, filters, stride and padding of a layer, in settings and in
/// architectures.
pub const LARGEST_SETTING: usize = 4096;

pub fn space(raw: &RawSpace) -> Checked<SpaceConfig> {
    if raw.layer.is_tabular() {
        return tabular(raw);
    }
    let kernels = choices("space.kernels", &raw.kernels)?;
    let paddings = match raw.layer {
        LayerKind::Chain => choices("space.paddings", &raw.paddings)?,
        LayerKind::Rectangular => no_paddings(&raw.paddings)?,
        LayerKind::Nasbench201 => Vec::new(),
    };
    match (raw.layer, raw.decode) {
        (LayerKind::Rectangular, Decode::Clipped) => {
            return violation(
                "space.decode",
                "clipped",
                "must be \"literal\" in a rectangular space",
            );
        }
        (LayerKind::Rectangular, _) => odd_kernels(&kernels)?,
        _ => {}
    }
    Ok(SpaceConfig {
        layer: raw.layer,
        kernels,
        filters: choices("space.filters", &raw.filters)?,
        strides: choices("space.strides", &raw.strides)?,
        paddings,
        decode: raw.decode,
    })
}

/// A space whose options are fixed.
fn tabular(raw: &RawSpace) -> Checked<SpaceConfig> {
    let lists = [
        ("space.kernels", &raw.kernels),
        ("space.filters", &raw.filters),
        ("space.strides", &raw.strides),
        ("space.paddings", &raw.paddings),
    ];
    if let Some((key, values)) = lists.into_iter().find(|(_, values)| !values.is_empty()) {
        return violation(
            key,
            format!("{values:?}"),
            "must be empty in the space nasbench201, whose operations are fixed (see --preset nasbench201)",
        );
    }
    if raw.decode == Decode::Clipped {
        return violation(
            "space.decode",
            "clipped",
            "must be \"literal\" in the space nasbench201",
        );
    }
    Ok(SpaceConfig {
        layer: raw.layer,
        kernels: Vec::new(),
        filters: Vec::new(),
        strides: Vec::new(),
        paddings: Vec::new(),
        decode: raw.decode,
    })
}

impl SpaceConfig {
    /// Check every rule, for a space that does not come from settings.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Checked<()> {
        let list = |values: &[u32]| values.iter().copied().map(i64::from).collect();
        let (kernels, filters) = (list(&self.kernels), list(&self.filters));
        let (strides, paddings) = (list(&self.strides), list(&self.paddings));
        space(&RawSpace {
            layer: self.layer,
            kernels,
            filters,
            strides,
            paddings,
            decode: self.decode,
        })
        .map(drop)
    }
}

/// Check one list of options, named by its key: it must not be empty, and no value may be repeated,
/// too small or too large.
///
/// # Errors
/// The first rule that is broken.
pub fn check_choices(key: &'static str, values: &[u32]) -> Checked<()> {
    choices(
        key,
        &values.iter().copied().map(i64::from).collect::<Vec<_>>(),
    )
    .map(drop)
}

fn choices(key: &'static str, values: &[i64]) -> Checked<Vec<u32>> {
    let least = if key == "space.paddings" { 0 } else { 1 };
    if values.is_empty() {
        return violation(key, "[]", "must list at least one value");
    }
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

fn no_paddings(values: &[i64]) -> Checked<Vec<u32>> {
    if values.is_empty() {
        return Ok(Vec::new());
    }
    violation(
        "space.paddings",
        format!("{values:?}"),
        "must be empty in a rectangular space, where padding keeps the size (\"same\")",
    )
}

fn odd_kernels(kernels: &[u32]) -> Checked<()> {
    match kernels.iter().find(|kernel| *kernel % 2 == 0) {
        Some(even) => violation(
            "space.kernels",
            even,
            "must list odd numbers in a rectangular space, where padding keeps the size (\"same\")",
        ),
        None => Ok(()),
    }
}
