//! Rules about the values of a gene and about "same" padding that several families share.

use super::decode::PADDING;
use super::error::SpaceError;
use super::head::{HeadKind, Values};
use crate::config::{LARGEST_SETTING, SpaceConfig, Violation};

/// What the heads decide, as text, separated by commas.
pub fn names(kinds: &[HeadKind]) -> String {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
    names.join(", ")
}

/// Check one value of a gene: a size must be within the limit of the settings and, except for a
/// padding, at least 1; any other value must be an index into the options of the head.
///
/// # Errors
/// [`SpaceError::ZeroValue`], [`SpaceError::ValueTooLarge`] or [`SpaceError::NoSuchOption`].
pub fn check_value(layer: usize, kind: HeadKind, found: u32) -> Result<(), SpaceError> {
    let value = kind.name;
    if let Values::Named(names) = kind.values {
        let most = names.len() as u32 - 1;
        return match found <= most {
            true => Ok(()),
            false => Err(SpaceError::NoSuchOption {
                layer,
                value,
                found,
                most,
            }),
        };
    }
    if found == 0 && kind != PADDING {
        return Err(SpaceError::ZeroValue { layer, value });
    }
    if found as usize > LARGEST_SETTING {
        return Err(SpaceError::ValueTooLarge {
            layer,
            value,
            found,
        });
    }
    Ok(())
}

/// Check that "same" padding keeps the size of a map, which holds for odd kernels.
///
/// # Errors
///
/// For the first even kernel.
pub fn check_same_padding(space: &str, config: &SpaceConfig) -> Result<(), Violation> {
    match config.kernels.iter().find(|kernel| *kernel % 2 == 0) {
        Some(even) => Err(Violation::new(
            "space.kernels",
            even,
            format!(
                "must list odd numbers in the space {space}, where padding keeps the size (\"same\")"
            ),
        )),
        None => Ok(()),
    }
}
