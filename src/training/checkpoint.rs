//! The checkpoint of a training: everything that determines how it continues, in one sealed file.

use std::borrow::Cow;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::TrainingError;
use crate::child::weights::WeightsError;
use crate::foundation::sealed::{self, Blocks, CheckpointError};
use crate::runs::RunDirectory;
use crate::session::{self, SessionError};
use crate::train::{Fit, FitState, Metrics};

/// The contents of the file besides the tensors. (The order of the images and their augmentation
/// follow from seed, epoch and batch; the best epoch and the patience follow from the epochs in the
/// journal.)
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrainingHeader<'a> {
    pub(super) seed: u64,
    /// Number of the epoch in progress, from 1; then its completed steps and their results.
    pub epoch: usize,
    pub(super) batch: usize,
    pub(super) metrics: Metrics,
    /// Seconds spent on that epoch so far.
    pub seconds: f64,
    /// Training images per second in the steps that this epoch's last session has taken; 0 if it has
    /// taken none, and in checkpoints of older versions.
    #[serde(default)]
    pub(super) images_per_second: f64,
    pub(super) micro_batch: usize,
    /// Last record of the journal that is part of this state.
    pub journal_seq: u64,
    /// The settings (TOML) in force when it was reached.
    pub config: Cow<'a, str>,
}

/// The state of a training between two batches.
#[derive(Debug, Clone)]
pub struct TrainingCheckpoint {
    pub(super) header: TrainingHeader<'static>,
    /// The network, the optimiser and the mean of the weights.
    state: FitState,
    /// The weights of the best epoch.
    pub(super) best: Blocks,
}

const BEST: &str = "best.";

/// The contents of a checkpoint with the state of `fit`.
pub fn encode(header: &TrainingHeader, fit: &Fit, best: &Blocks) -> Result<Vec<u8>, SessionError> {
    let mut all = FitState::of(fit)
        .map_err(TrainingError::from)?
        .into_blocks();
    let best = best.iter();
    all.extend(best.map(|(name, block)| (format!("{BEST}{name}"), block.clone())));
    Ok(sealed::encode(header, &all)?)
}

impl TrainingCheckpoint {
    /// The checkpoint at `path`; `None` if there is no file.
    pub fn load(path: &Path) -> Result<Option<TrainingCheckpoint>, CheckpointError> {
        let Some((header, blocks)) = sealed::load::<TrainingHeader>(path)? else {
            return Ok(None);
        };
        let (state, others) = FitState::from_blocks(blocks);
        let mut best = Blocks::new();
        for (name, block) in others {
            let Some(name) = name.strip_prefix(BEST) else {
                return Err(sealed::nonsense(
                    path,
                    format!("tensor `{name}` is not part of a training's checkpoint"),
                ));
            };
            best.insert(name.to_owned(), block);
        }
        Ok(Some(TrainingCheckpoint {
            header,
            state,
            best,
        }))
    }

    /// Restore the state into `fit`, which was made with the same settings.
    pub fn restore(&self, fit: &mut Fit) -> Result<(), WeightsError> {
        self.state.restore(fit)?;
        fit.set_micro_batch(self.header.micro_batch);
        Ok(())
    }
}

impl session::Checkpoint for TrainingCheckpoint {
    fn find(directory: &RunDirectory) -> Result<Option<TrainingCheckpoint>, CheckpointError> {
        TrainingCheckpoint::load(&directory.training_path())
    }

    fn config(&self) -> &str {
        &self.header.config
    }

    fn journal_seq(&self) -> u64 {
        self.header.journal_seq
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_that_still_holds_the_best_epoch_and_the_patience_is_read() {
        let header = serde_json::json!({
            "seed": 7,
            "epoch": 3,
            "batch": 2,
            "metrics": Metrics::default(),
            "seconds": 0.5,
            "seen": { "best": 0.5, "waited": 1, "reductions": 0 },
            "best": { "epoch": 2, "valid_accuracy": 0.5 },
            "micro_batch": 8,
            "journal_seq": 9,
            "config": "",
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("training.safetensors");
        std::fs::write(&path, sealed::encode(&header, &Blocks::new()).unwrap()).unwrap();
        let read = TrainingCheckpoint::load(&path).unwrap().unwrap().header;
        assert_eq!((read.epoch, read.batch, read.micro_batch), (3, 2, 8));
    }
}
