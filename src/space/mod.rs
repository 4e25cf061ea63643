//! The search space: what a controller can decide, which options are feasible, and what a network
//! costs.

pub mod architecture;
pub mod builtin;
pub mod cost;
mod costed;
pub mod decode;
pub mod design;
pub mod distance;
pub mod dna;
pub mod error;
pub mod family;
mod feasibility;
pub mod file;
mod head;
pub mod lanes;
mod limits;
pub mod load;
pub mod memory;
pub mod nasbench201;
pub mod paper;
mod prefix;
mod rules;
pub mod spectra;
pub mod weights;

pub use architecture::{Architecture, ArchitectureError, Layer, Operation};
pub use cost::{Cost, LayerCost};
pub use decode::{LayerFamily, describe};
pub use design::Design;
pub use dna::{Dna, Genes};
pub use error::SpaceError;
pub use family::check_settings;
pub use file::{read_architecture, read_architectures, write_architecture};
pub use head::{Head, HeadKind, Values, head_of};
pub use load::resolve_architecture;
pub use memory::training_memory;
pub use prefix::{Decision, Prefix};

use family::{FAMILIES, Family};

use limits::Limits;

use crate::config::{ConstraintsConfig, Decode, SpaceConfig, check_choices};

/// The set of networks that a controller can propose for images of one shape.
#[derive(Debug, Clone)]
pub struct Space {
    /// Heads in the order in which a layer's values are decided.
    heads: Vec<Head>,
    family: &'static dyn Family,
    decode: Decode,
    input: [usize; 3],
    classes: usize,
    limits: Option<Limits>,
}

impl Space {
    /// The space of `config` for images `[C, H, W]`.
    ///
    /// Deeper children may still be impossible: see [`Space::check_depth`].
    ///
    /// # Errors
    ///
    /// If a setting breaks a rule, or not even a child of one layer can be built.
    pub fn new(
        config: &SpaceConfig,
        input: [usize; 3],
        classes: usize,
    ) -> Result<Space, SpaceError> {
        let family = family::named(&config.layer)?;
        family.check(config)?;
        check_input(family, input, classes)?;
        let head = |kind: &HeadKind| Head {
            kind: *kind,
            options: kind.options(config),
        };
        let space = Space {
            heads: family.kinds().iter().map(head).collect(),
            family,
            decode: config.decode,
            input,
            classes,
            limits: None,
        };
        space.check_depth(1)?;
        Ok(space)
    }

    /// The same space, from which only children within `constraints` are sampled; they are trained
    /// in batches of `batch_size` images.
    pub fn within(self, constraints: &ConstraintsConfig, batch_size: usize) -> Space {
        Space {
            limits: Limits::new(constraints, batch_size),
            ..self
        }
    }

    /// The space of a run, from the heads in its journal.
    ///
    /// # Errors
    ///
    /// If the heads do not belong to any known space, or their options break a rule.
    pub fn restore(
        heads: Vec<Head>,
        decode: Decode,
        input: [usize; 3],
        classes: usize,
    ) -> Result<Space, SpaceError> {
        let kinds: Vec<HeadKind> = heads.iter().map(|head| head.kind).collect();
        let family = FAMILIES.iter().find(|family| family.kinds() == kinds);
        let family = *family.ok_or_else(|| SpaceError::UnknownHeads {
            kinds: format!("{kinds:?}"),
        })?;
        check_input(family, input, classes)?;
        for Head { kind, options } in &heads {
            if let Some(setting) = kind.setting() {
                check_choices(setting, options)?;
            }
        }
        Ok(Space {
            heads,
            family,
            decode,
            input,
            classes,
            limits: None,
        })
    }

    /// The heads of layer `layer` (from 1), in the order of its gene, as indices into
    /// [`Space::heads`].
    pub fn layer_heads(&self, layer: usize) -> Vec<usize> {
        self.family.heads(layer)
    }

    /// Keys of all children of a tabular space; `None` for a space of networks.
    pub fn keys(&self) -> Option<Vec<String>> {
        self.family.keys()
    }

    pub(super) fn family(&self) -> &'static dyn Family {
        self.family
    }

    pub(super) fn decoding(&self) -> Decode {
        self.decode
    }

    /// What is decided about the layers, one softmax each.
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// Shape of one image, `[C, H, W]`.
    pub fn input(&self) -> [usize; 3] {
        self.input
    }

    /// Check that a child of `depth` layers can be built. A search checks its greatest depth before
    /// it starts.
    ///
    /// # Errors
    ///
    /// [`SpaceError`] if no child of this depth can be built.
    pub fn check_depth(&self, depth: usize) -> Result<(), SpaceError> {
        self.family.check_depth(depth)?;
        let image = [self.input[1], self.input[2]];
        match self.family.smallest_image(self.decode, &self.heads, depth) {
            Some((needed, roomiest)) if image[0] < needed[0] || image[1] < needed[1] => {
                Err(SpaceError::NothingBuildable {
                    depth,
                    input: image,
                    needed,
                    roomiest,
                })
            }
            _ => self.check_limits(depth),
        }
    }

    fn check_limits(&self, depth: usize) -> Result<(), SpaceError> {
        let cheapest = Prefix::new(self, depth);
        let exceeded = |limits: &Limits| limits.exceeded_by_cheapest(cheapest);
        match self.limits.as_ref().and_then(exceeded) {
            Some((key, limit, found)) => Err(SpaceError::NothingWithinLimits {
                depth,
                key,
                limit,
                found,
            }),
            None => Ok(()),
        }
    }

    /// Start a child of `depth` layers.
    ///
    /// # Panics
    /// If no child of that depth can be built: ask [`Space::check_depth`] first.
    pub fn prefix(&self, depth: usize) -> Prefix<'_> {
        assert!(
            self.check_depth(depth).is_ok(),
            "no child of {depth} layers can be built in this space; see Space::check_depth"
        );
        Prefix::new(self, depth)
    }

    /// What `dna` stands for, with the name `name`. Its values need not be options of this space.
    ///
    /// # Errors
    ///
    /// If the network cannot be built; the message names the layer, the sizes and the reason.
    pub fn decode(&self, dna: &Dna, name: &str) -> Result<Design, SpaceError> {
        let (input, classes) = (self.input, self.classes);
        self.family.decode(self.decode, dna, name, input, classes)
    }

    /// [`Space::decode`] for a space of networks.
    ///
    /// # Errors
    ///
    /// Those of [`Space::decode`], and if the child is a row of a table.
    pub fn network(&self, dna: &Dna, name: &str) -> Result<Architecture, SpaceError> {
        match self.decode(dna, name)? {
            Design::Network(architecture) => Ok(architecture),
            Design::Key(key) => Err(SpaceError::NoNetwork { key }),
        }
    }

    /// Parameters, and multiply-accumulates for one image, of what `dna` was decoded to.
    ///
    /// # Errors
    ///
    /// If they are too many to count.
    pub fn size(&self, dna: &Dna, design: &Design) -> Result<(u64, u64), SpaceError> {
        self.family.size(dna, design)
    }
}

fn check_input(family: &dyn Family, input: [usize; 3], classes: usize) -> Result<(), SpaceError> {
    if !family.is_tabular() && (input.contains(&0) || classes == 0) {
        return Err(SpaceError::EmptyInput { input, classes });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
