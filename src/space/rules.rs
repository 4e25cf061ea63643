//! Rules about the values of a gene and about "same" padding that several families share.

use super::decode::PADDING;
use super::error::SpaceError;
use super::head::{HeadKind, Values};
use crate::config::{LARGEST_SETTING, SpaceConfig, Violation};

/// Check the gene of layer `layer` (from 1) of a space with these heads: its length, its values,
/// and a bit for each earlier layer if the last head is one of connections.
///
/// # Errors
/// [`SpaceError::GeneLength`], [`SpaceError::NotABit`], or that of a value.
pub fn check_gene(kinds: &[HeadKind], layer: usize, gene: &[u32]) -> Result<(), SpaceError> {
    let (sizes, bits) = match kinds.split_last() {
        Some((last, sizes)) if last.is_connection() => (sizes, layer - 1),
        _ => (kinds, 0),
    };
    let needed = sizes.len() + bits;
    if gene.len() != needed {
        let names: Vec<&str> = sizes.iter().map(|kind| kind.name).collect();
        let mut expected = names.join(", ");
        if sizes.len() < kinds.len() {
            let each = format!(", and a skip bit for each of the {bits} earlier layers");
            expected.push_str(&each);
        }
        return Err(SpaceError::GeneLength {
            layer,
            found: gene.len(),
            needed,
            expected,
        });
    }
    let (values, bits) = gene.split_at(sizes.len());
    for (kind, &value) in sizes.iter().zip(values) {
        check_value(layer, *kind, value)?;
    }
    match (1..).zip(bits).find(|(_, bit)| **bit > 1) {
        Some((earlier, &found)) => Err(SpaceError::NotABit {
            layer,
            earlier,
            found,
        }),
        None => Ok(()),
    }
}

/// Check one value of a gene: a size must be within the limit of the settings and, except for a
/// padding, at least 1; any other value must be an index into the options of the head.
///
/// # Errors
/// [`SpaceError::ZeroValue`], [`SpaceError::ValueTooLarge`] or [`SpaceError::NoSuchOption`].
fn check_value(layer: usize, kind: HeadKind, found: u32) -> Result<(), SpaceError> {
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
