//! The kinds of search space. A new one is a file that implements [`Family`] and registers it in
//! [`FAMILIES`]; the only other line is its `mod` line.

use std::fmt::Debug;

use super::cost::Cost;
use super::error::SpaceError;
use super::head::{Head, HeadKind, LISTS, listed};
use super::{Architecture, Design, Dna};
use crate::config::{Config, Decode, SpaceConfig, Violation, check_choices};

/// Every family, in no particular order.
#[linkme::distributed_slice]
pub static FAMILIES: [&'static dyn Family];

/// Every family, the simplest first: of several that can express a network or read a DNA, the first
/// one does.
pub fn families() -> Vec<&'static dyn Family> {
    let mut all = FAMILIES.to_vec();
    all.sort_by_key(|family| {
        let kinds = family.kinds();
        let has_connections = kinds.iter().any(|kind| kind.is_connection());
        let is_tabular = family.is_tabular();
        (is_tabular, has_connections, kinds.len(), family.name())
    });
    all
}

/// The family with this name in `space.layer`.
///
/// # Errors
///
/// If there is none; the message lists the families that exist.
pub fn named(layer: &str) -> Result<&'static dyn Family, Violation> {
    let family = FAMILIES.iter().find(|family| family.name() == layer);
    family.copied().ok_or_else(|| {
        let rule = format!("must be one of {}", names(|_| true));
        Violation::new("space.layer", format!("{layer:?}"), rule)
    })
}

/// The names of some families, separated by commas.
fn names(of: fn(&dyn Family) -> bool) -> String {
    let some = families().into_iter().filter(|family| of(*family));
    some.map(|family| family.name())
        .collect::<Vec<_>>()
        .join(", ")
}

/// Check the rules about spaces that only the families know.
///
/// # Errors
///
/// The first broken rule.
pub fn check_settings(config: &Config) -> Result<(), Violation> {
    let family = named(&config.space.layer)?;
    family.check(&config.space)?;
    match &config.search.table {
        Some(table) if !family.is_tabular() => Err(Violation::new(
            "search.table",
            table.display().to_string(),
            format!(
                "must be left out: only children of a tabular space can be looked up in a table (--preset {})",
                names(|family| family.is_tabular())
            ),
        )),
        _ => Ok(()),
    }
    .map_err(|violation| Violation {
        related: Some("space.layer"),
        ..violation
    })
}

/// Check the rules of every family: the lists that its heads pick from are not empty, all other
/// lists are, and DNA is clipped only if that has a meaning.
///
/// # Errors
///
/// The first broken rule.
pub fn check_lists(
    name: &str,
    kinds: &[HeadKind],
    clips: bool,
    config: &SpaceConfig,
) -> Result<(), Violation> {
    for setting in LISTS {
        let values = listed(config, setting);
        if kinds.iter().any(|kind| kind.setting() == Some(setting)) {
            check_choices(setting, values)?;
        } else if !values.is_empty() {
            return Err(Violation::new(
                setting,
                format!("{values:?}"),
                format!("must be empty in the space {name}, which does not decide it"),
            ));
        }
    }
    if config.decode == Decode::Clipped && !clips {
        return Err(Violation::new(
            "space.decode",
            "clipped",
            format!("must be \"literal\" in the space {name}"),
        ));
    }
    Ok(())
}

/// A kind of search space: which heads decide a layer, which options are feasible, and what a DNA
/// stands for.
pub trait Family: Debug + Sync {
    /// Its name in `space.layer`.
    fn name(&self) -> &'static str;

    /// What the heads decide; a run's list of heads has one entry for each, in this order.
    fn kinds(&self) -> &'static [HeadKind];

    /// The heads of layer `layer` (from 1), in the order of its gene, as indices into
    /// [`Family::kinds`]. Each occurs once, except a head of connections, which occurs once for
    /// each earlier layer.
    fn heads(&self, layer: usize) -> Vec<usize> {
        let times = |kind: &HeadKind| match kind.is_connection() {
            true => layer - 1,
            false => 1,
        };
        let heads = self.kinds().iter().enumerate();
        heads
            .flat_map(|(head, kind)| std::iter::repeat_n(head, times(kind)))
            .collect()
    }

    /// Whether DNA can be read as the monograph's program did.
    fn clips(&self) -> bool {
        false
    }

    /// Check the rules for the settings of this space.
    ///
    /// # Errors
    ///
    /// The first broken rule.
    fn check(&self, config: &SpaceConfig) -> Result<(), Violation> {
        check_lists(self.name(), self.kinds(), self.clips(), config)
    }

    /// Whether its children are rows of a table instead of networks for images; a space of networks
    /// needs the shape of the images and the number of classes.
    fn is_tabular(&self) -> bool {
        false
    }

    /// The option that leaves the most room for the layers that follow.
    fn roomiest(&self, head: &Head) -> u32;

    /// Whether the options at the start of a gene can be combined. Every allowed start must be
    /// possible to complete with the roomiest options.
    fn allows(&self, _heads: &[Head], _decided: &[u32]) -> bool {
        true
    }

    /// Shape `[C, H, W]` of the next layer's output, if it has this complete gene and `shapes` are
    /// those of the image and of the layers before it. `None` if it cannot be built. Growing the
    /// height or width of any shape never shrinks an output.
    fn output(&self, decode: Decode, shapes: &[[usize; 3]], gene: &[u32]) -> Option<[usize; 3]>;

    /// Smallest image `[height, width]` for which a child of `depth` layers can be built if it
    /// takes only the options that shrink their input least, and these options as text. `None` if
    /// every child can be built.
    fn smallest_image(
        &self,
        _decode: Decode,
        _heads: &[Head],
        _depth: usize,
    ) -> Option<([usize; 2], String)> {
        None
    }

    /// Check whether the space has children of this depth at all.
    ///
    /// # Errors
    ///
    /// [`SpaceError::FixedDepth`].
    fn check_depth(&self, _depth: usize) -> Result<(), SpaceError> {
        Ok(())
    }

    /// What `dna` stands for, with the name `name`, for images `input` `[C, H, W]` in `classes`
    /// classes.
    ///
    /// # Errors
    ///
    /// If it stands for nothing that can be evaluated; the message names the layer and the reason.
    fn decode(
        &self,
        decode: Decode,
        dna: &Dna,
        name: &str,
        input: [usize; 3],
        classes: usize,
    ) -> Result<Design, SpaceError>;

    /// The DNA that, read literally, describes `architecture`; `None` if there is none.
    fn describe(&self, _architecture: &Architecture) -> Option<Dna> {
        None
    }

    /// Parameters, and multiply-accumulates for one image, of `design`, which was decoded from
    /// `dna`.
    ///
    /// # Errors
    ///
    /// If they are too many to count.
    fn size(&self, _dna: &Dna, design: &Design) -> Result<(u64, u64), SpaceError> {
        let Design::Network(architecture) = design else {
            return Ok((0, 0));
        };
        let cost = Cost::of(architecture)?;
        Ok((cost.params, cost.macs))
    }

    /// The keys of all children of a tabular space; `None` for a space of networks.
    fn keys(&self) -> Option<Vec<String>> {
        None
    }
}
