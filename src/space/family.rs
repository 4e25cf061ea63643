//! What a kind of search space is. A new one is a file that implements [`Family`], and a line in
//! [`of`] and [`FAMILIES`]; the list of names that settings may have is `config::LayerKind`.

use std::fmt::Debug;

use super::cost::Cost;
use super::decode::{CHAIN, RECTANGULAR};
use super::error::SpaceError;
use super::head::{Head, HeadKind};
use super::nasbench201::Nasbench201;
use super::{Design, Dna};
use crate::config::{Decode, LayerKind, SpaceConfig};

/// Every family.
pub const FAMILIES: [&dyn Family; 3] = [&CHAIN, &RECTANGULAR, &Nasbench201];

/// The family of that name in the settings.
pub fn of(layer: LayerKind) -> &'static dyn Family {
    match layer {
        LayerKind::Chain => &CHAIN,
        LayerKind::Rectangular => &RECTANGULAR,
        LayerKind::Nasbench201 => &Nasbench201,
    }
}

/// A kind of search space: which heads decide a layer, which options can be built, and what a DNA
/// stands for.
pub trait Family: Debug + Sync {
    /// What the heads decide; a run's list of heads has one entry for each, in this order.
    fn kinds(&self) -> &'static [HeadKind];

    /// The heads of layer `layer` (from 1), in the order of its gene: indices into
    /// [`Family::kinds`]. Their number may depend on the layer, and a head may come twice.
    fn heads(&self, _layer: usize) -> Vec<usize> {
        (0..self.kinds().len()).collect()
    }

    /// What a head picks from, by the settings.
    fn options(&self, kind: HeadKind, config: &SpaceConfig) -> Vec<u32>;

    /// Whether its children are networks over images, whose shape and classes it must know.
    fn has_images(&self) -> bool {
        true
    }

    /// The option that leaves the layers to come most room.
    fn roomiest(&self, head: &Head) -> u32;

    /// `[height, width]` of the next layer's output, where it has this complete gene and `shapes`
    /// are those of the image and of the layers before it. None where it cannot be built. Growing
    /// any shape never shrinks an output.
    fn output(&self, decode: Decode, shapes: &[[usize; 2]], gene: &[u32]) -> Option<[usize; 2]>;

    /// Why no child of `depth` layers exists although nothing but the roomiest options are taken;
    /// `image` is `[height, width]`.
    fn nothing_buildable(
        &self,
        decode: Decode,
        heads: &[Head],
        depth: usize,
        image: [usize; 2],
    ) -> SpaceError;

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
