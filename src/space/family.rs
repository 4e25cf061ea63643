//! What a kind of search space is. A new one is a file that implements [`Family`], and a line in
//! [`FAMILIES`].

use std::fmt::Debug;

use super::cost::Cost;
use super::decode::{CHAIN, RECTANGULAR};
use super::error::SpaceError;
use super::head::{Head, HeadKind, LISTS, listed};
use super::nasbench201::Nasbench201;
use super::paper::{PAPER, PAPER_POOLING, PAPER_STRIDES};
use super::{Architecture, Design, Dna};
use crate::config::{Config, Decode, SpaceConfig, Violation, check_choices};

/// Every family.
pub static FAMILIES: [&dyn Family; 6] = [
    &CHAIN,
    &RECTANGULAR,
    &PAPER,
    &PAPER_STRIDES,
    &PAPER_POOLING,
    &Nasbench201,
];

/// The family of that name in `space.layer`.
///
/// # Errors
/// If there is none; the text lists those that there are.
pub fn named(layer: &str) -> Result<&'static dyn Family, Violation> {
    let mut families = FAMILIES.into_iter();
    let family = families.find(|family| family.name() == layer);
    family.ok_or_else(|| {
        let names: Vec<&str> = FAMILIES.iter().map(|family| family.name()).collect();
        Violation::new(
            "space.layer",
            format!("{layer:?}"),
            format!("must be one of {}", names.join(", ")),
        )
    })
}

/// Check the rules about spaces that only the families know.
///
/// # Errors
/// The first rule that is broken.
pub fn check_settings(config: &Config) -> Result<(), Violation> {
    let family = named(&config.space.layer)?;
    family.check(&config.space)?;
    match &config.search.table {
        Some(table) if !family.is_tabular() => Err(Violation::new(
            "search.table",
            table.display().to_string(),
            "must be left out: only the children of the space nasbench201 are looked up in a table (--preset nasbench201)",
        )),
        _ => Ok(()),
    }
    .map_err(|violation| Violation {
        related: Some("space.layer"),
        ..violation
    })
}

/// The rules of every family: the lists that its heads pick from, and no others, have values, and
/// DNA is clipped only where that means something.
///
/// # Errors
/// The first rule that is broken.
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

/// A kind of search space: which heads decide a layer, which options can be built, and what a DNA
/// stands for.
pub trait Family: Debug + Sync {
    /// Its name in `space.layer`.
    fn name(&self) -> &'static str;

    /// What the heads decide; a run's list of heads has one entry for each, in this order.
    fn kinds(&self) -> &'static [HeadKind];

    /// The heads of layer `layer` (from 1), in the order of its gene: indices into
    /// [`Family::kinds`]. Each comes once, but for a head of connections, which comes once for each
    /// earlier layer.
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

    /// Whether DNA may be read as the monograph's program did.
    fn clips(&self) -> bool {
        false
    }

    /// Check the rules that settings of this space must obey.
    ///
    /// # Errors
    /// The first rule that is broken.
    fn check(&self, config: &SpaceConfig) -> Result<(), Violation> {
        check_lists(self.name(), self.kinds(), self.clips(), config)
    }

    /// Whether its children are rows of a table, and not networks over images, whose shape and
    /// classes it must know.
    fn is_tabular(&self) -> bool {
        false
    }

    /// The option that leaves the layers to come most room.
    fn roomiest(&self, head: &Head) -> u32;

    /// Whether the options that a gene begins with may stand together. Whatever it begins with, the
    /// roomiest options must complete it.
    fn allows(&self, _heads: &[Head], _decided: &[u32]) -> bool {
        true
    }

    /// Shape `[C, H, W]` of the next layer's output, if it has this complete gene and `shapes` are
    /// those of the image and of the layers before it. None if it cannot be built. Growing the
    /// height or width of any shape never shrinks an output.
    fn output(&self, decode: Decode, shapes: &[[usize; 3]], gene: &[u32]) -> Option<[usize; 3]>;

    /// Smallest image `[height, width]` of which a child of `depth` layers can be built if nothing
    /// but the roomiest options are taken, and these in words. None where every child can be built.
    fn smallest_image(
        &self,
        _decode: Decode,
        _heads: &[Head],
        _depth: usize,
    ) -> Option<([usize; 2], String)> {
        None
    }

    /// An error for a depth that the space does not know at all.
    ///
    /// # Errors
    /// [`SpaceError::FixedDepth`].
    fn check_depth(&self, _depth: usize) -> Result<(), SpaceError> {
        Ok(())
    }

    /// What `dna` stands for, named `name`, over images `input` `[C, H, W]` in `classes` classes.
    ///
    /// # Errors
    /// Where it stands for nothing that can be evaluated; the text names layer and reason.
    fn decode(
        &self,
        decode: Decode,
        dna: &Dna,
        name: &str,
        input: [usize; 3],
        classes: usize,
    ) -> Result<Design, SpaceError>;

    /// The DNA that, read literally, describes `architecture`; none where none does.
    fn describe(&self, _architecture: &Architecture) -> Option<Dna> {
        None
    }

    /// Parameters, and multiply-accumulates for one image, of what `dna` was decoded to.
    ///
    /// # Errors
    /// Where they are too many to count.
    fn size(&self, _dna: &Dna, design: &Design) -> Result<(u64, u64), SpaceError> {
        let Design::Network(architecture) = design else {
            return Ok((0, 0));
        };
        let cost = Cost::of(architecture)?;
        Ok((cost.params, cost.macs))
    }

    /// The keys of all children of a tabular space; none of a space of networks.
    fn keys(&self) -> Option<Vec<String>> {
        None
    }
}
