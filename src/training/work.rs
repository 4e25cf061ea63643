//! A training as the work of a run.

use std::path::Path;

use tokio::runtime::Builder;

use super::checkpoint::TrainingCheckpoint;
use super::engine::TrainingEngine;
use super::initial;
use super::ledger::TrainingLedger;
use crate::analysis::{RunSummary, TrainingSummary};
use crate::config::{Config, Decode, StrategyFacts};
use crate::event::{InitialWeights, RunKind};
use crate::foundation::fault;
use crate::journal::JournalError;
use crate::link::Orders;
use crate::runs::RunDirectory;
use crate::session::{Halt, Run, SessionError, Work};
use crate::space::file::DnaContext;
use crate::space::{Architecture, read_architecture};
use crate::train::TrainError;
use crate::training::TrainingError;

/// One network to be trained to completion.
pub struct Training {
    pub(super) architecture: Architecture,
    /// ARCH as given by the user.
    pub(super) origin: String,
    /// What it begins with, unless the weights are random.
    pub(super) initial: Option<InitialWeights>,
}

impl Training {
    /// The training of the run in `directory`.
    ///
    /// # Errors
    /// If the network, or what it begins with, cannot be read.
    pub fn of(directory: &RunDirectory) -> Result<Training, SessionError> {
        let context = DnaContext {
            decode: Decode::Literal,
            input: [3, 32, 32],
            classes: 10,
        };
        let architecture = read_architecture(&directory.architecture_path(), context)
            .map_err(TrainingError::from)?;
        let origin = directory.origin();
        let origin = origin.unwrap_or_else(|| architecture.name.clone());
        Ok(Training {
            architecture,
            origin,
            initial: initial::of(directory).map_err(TrainingError::from)?,
        })
    }
}

impl Work for Training {
    type Ledger = TrainingLedger;
    type Checkpoint = TrainingCheckpoint;
    type Summary = TrainingSummary;

    const KIND: RunKind = RunKind::Training;
    const NAME: &'static str = "training";
    const THREAD: &'static str = "nas-train";
    const WITHOUT_CHECKPOINT: &'static str = "starts again from the first epoch";
    const CHECKPOINT_MISSING: &'static str =
        "the checkpoint is missing: the training starts again from its first epoch";
    const OTHER_MACHINE: &'static str =
        "its results will differ in the last digits from those of an uninterrupted run";

    /// Settings of the machine, the screen, searches and other recipes do not affect the result of a
    /// training.
    fn is_free_to_change(key: &str, now: &Config) -> bool {
        let sections = [
            "workers",
            "screen",
            "controller",
            "space",
            "child",
            "reward",
        ];
        let keys = [
            "preset",
            "data.dir",
            "train.checkpoint_minutes",
            "train.data_on_device",
        ];
        let of_search = key.starts_with("search.") && key != "search.seed";
        let section = key.split('.').next().unwrap_or(key);
        let own_recipe = format!("recipes.{}.", now.train.recipe_name);
        let of_another_recipe = section == "recipes" && !key.starts_with(&own_recipe);
        of_search
            || of_another_recipe
            || keys.contains(&key)
            || sections.contains(&section)
            || StrategyFacts::owns(section)
    }

    fn next_step(checkpoint: Option<&TrainingCheckpoint>) -> u64 {
        checkpoint.map_or(1, |checkpoint| checkpoint.header.epoch as u64)
    }

    fn micro_batch(checkpoint: Option<&TrainingCheckpoint>, config: &Config) -> Option<usize> {
        let saved = checkpoint.map(|checkpoint| checkpoint.header.micro_batch);
        Some(saved.unwrap_or(config.train.recipe.batch_size))
    }

    fn work(
        self,
        run: &mut Run<Training>,
        checkpoint: Option<TrainingCheckpoint>,
        orders: Orders,
    ) -> Result<(), Halt> {
        let engine = TrainingEngine {
            run,
            training: self,
            orders,
            runtime: Builder::new_current_thread().enable_time().build()?,
            checkpoint,
            holding: None,
        };
        fault::caught(|| engine.run())
            .unwrap_or_else(|text| Err(TrainError::of_libtorch(&text, TrainError::Torch).into()))
    }

    fn summary(_ledger: &TrainingLedger, journal: &Path) -> Result<TrainingSummary, JournalError> {
        TrainingSummary::of_journal(journal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Options, resolve};

    #[test]
    fn only_the_recipe_in_use_must_stay_as_it_was() {
        let now = resolve(&Options {
            set: vec!["train.recipe=cosine".to_owned()],
            ..Options::default()
        })
        .unwrap();
        let is_free = |key| Training::is_free_to_change(key, &now);
        assert!(is_free("recipes.night.optimizer") && is_free("recipes.cosine2.epochs"));
        assert!(!is_free("recipes.cosine.epochs") && !is_free("train.recipe"));
    }
}
