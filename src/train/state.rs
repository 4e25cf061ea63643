//! The state of a network in training, as the tensors of a checkpoint; and that of a child's training.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fit::Fit;
use super::metrics::Metrics;
use crate::child::weights::{self, WeightsError};
use crate::event::TrainingEpoch;
use crate::foundation::sealed::{Block, Blocks};
use crate::space::Architecture;
use crate::space::weights::tensor_shapes;

/// Everything in a [`Fit`] that its steps change.
#[derive(Debug, Clone, Default)]
pub struct FitState {
    /// Current parameters and batch norm statistics.
    pub network: Blocks,
    /// The optimiser's velocity.
    velocity: Blocks,
    /// The mean of the weights; empty if none is kept.
    average: Blocks,
}

const NETWORK: &str = "network.";
const VELOCITY: &str = "velocity.";
const AVERAGE: &str = "average.";

impl FitState {
    /// The state of `fit`.
    ///
    /// # Errors
    /// Errors of libtorch while copying from the device.
    pub fn of(fit: &Fit) -> Result<FitState, WeightsError> {
        let network = fit.network();
        let average = fit
            .average()
            .map(|mean| weights::blocks_of(network, mean))
            .transpose()?;
        Ok(FitState {
            network: weights::blocks(network)?,
            velocity: weights::blocks_of(network, fit.optimizer().velocity())?,
            average: average.unwrap_or_default(),
        })
    }

    /// Restore the state into `fit`, which was made with the same settings.
    ///
    /// # Errors
    /// Errors of libtorch, for example if a tensor has another shape.
    pub fn restore(&self, fit: &Fit) -> Result<(), WeightsError> {
        weights::restore(fit.network(), &self.network)?;
        weights::restore_into(fit.network(), fit.optimizer().velocity(), &self.velocity)?;
        match fit.average() {
            Some(mean) => weights::restore_into(fit.network(), mean, &self.average),
            None => Ok(()),
        }
    }

    /// The tensors under the names that they have in a file.
    pub fn into_blocks(self) -> Blocks {
        let parts = [
            (NETWORK, self.network),
            (VELOCITY, self.velocity),
            (AVERAGE, self.average),
        ];
        let named = parts.into_iter().flat_map(|(prefix, blocks)| {
            let name = move |(name, block)| (format!("{prefix}{name}"), block);
            blocks.into_iter().map(name)
        });
        named.collect()
    }

    /// The state in the tensors of a file, and the tensors that are not part of it.
    pub fn from_blocks(blocks: Blocks) -> (FitState, Blocks) {
        let (mut state, mut others) = (FitState::default(), Blocks::new());
        for (name, block) in blocks {
            let parts = [
                (NETWORK, &mut state.network),
                (VELOCITY, &mut state.velocity),
                (AVERAGE, &mut state.average),
            ];
            let part = parts.into_iter().find_map(|(prefix, part)| {
                let name = name.strip_prefix(prefix)?.to_owned();
                Some((name, part))
            });
            match part {
                Some((name, part)) => drop(part.insert(name, block)),
                None => drop(others.insert(name, block)),
            }
        }
        (state, others)
    }

    /// Whether these are the tensors of a child with this network.
    fn is_of(&self, architecture: &Architecture) -> bool {
        let Ok(shapes) = tensor_shapes(architecture) else {
            return false;
        };
        let network: BTreeMap<String, Vec<usize>> = shapes.into_iter().collect();
        let mut parameters = network.clone();
        parameters.retain(|name, _| !name.contains(".running_"));
        let has = |blocks: &Blocks, shapes: &BTreeMap<String, Vec<usize>>| {
            let is_equal =
                |((name, block), (other, shape)): ((&String, &Block), (&String, &Vec<usize>))| {
                    name == other && block.shape == *shape
                };
            blocks.len() == shapes.len() && blocks.iter().zip(shapes).all(is_equal)
        };
        has(&self.network, &network) && has(&self.velocity, &parameters) && self.average.is_empty()
    }
}

/// How far the training of a child has come, between two batches: with its settings and seed, all that
/// determines how it goes on. (The order of the images and their augmentation follow from seed, epoch and
/// batch.)
#[derive(Debug, Clone)]
pub struct ChildState {
    /// Where it stands.
    pub place: ChildPlace,
    /// Its tensors.
    pub fit: FitState,
}

/// See [`ChildState`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildPlace {
    /// Number of the epoch in progress, from 1.
    pub epoch: usize,
    /// Its completed batches.
    pub batch: usize,
    /// The results of these.
    pub(super) metrics: Metrics,
    /// Seconds spent on that epoch, without pauses.
    pub(super) seconds: f64,
    /// Training images per second in these batches.
    pub(super) images_per_second: f64,
    /// The completed epochs, in order.
    pub(super) epochs: Vec<TrainingEpoch>,
}

impl ChildState {
    /// Whether a training of `architecture` over `epochs` epochs of `batches` batches can be in this
    /// state.
    pub fn is_possible(&self, architecture: &Architecture, epochs: usize, batches: usize) -> bool {
        let place = &self.place;
        let are_numbered = || {
            (1..)
                .zip(&place.epochs)
                .all(|(number, done)| done.epoch == number)
        };
        (1..=epochs).contains(&place.epoch)
            && place.batch <= batches
            && place.epochs.len() + 1 == place.epoch
            && are_numbered()
            && self.fit.is_of(architecture)
    }
}
