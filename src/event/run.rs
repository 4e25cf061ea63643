//! How a search begins: its settings, its data, and the run it is compared with.

use serde::{Deserialize, Serialize};

use super::CostOutlook;
use crate::config::{Decode, MacsPenalty, StrategyFacts};
use crate::foundation::numbers;
use crate::space::{Head, Space, SpaceError};

/// The beginning of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// Name of the run directory.
    pub run: String,
    /// Name of the preset that the settings are based on.
    pub preset: String,
    /// Name of the strategy, as in `search.strategy`.
    pub strategy: String,
    /// Seed of every random stream of the run.
    pub seed: u64,
    /// Version of nas-tui.
    pub version: String,
    /// Name of the machine.
    pub host: String,
    /// Process id.
    pub pid: u32,
    /// Version of libtorch that trains the children. This, `threads` and `device` are absent if
    /// nothing is trained (a table).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub libtorch: Option<String>,
    /// Number of episodes planned.
    pub episodes: usize,
    /// Number of children in each episode.
    pub children_per_episode: usize,
    /// Number of controls in each episode (`search.controls`), in addition to its children.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub controls: usize,
    /// Maximum number of trainings of one architecture, over which its reward is averaged
    /// (`search.reuse_limit`); absent unless `search.reuse` is `mean`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reuse_limit: Option<usize>,
    /// Whether children of the next episode are proposed while others of earlier episodes are in
    /// training (`search.updates = "asynchronous"`).
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub asynchronous: bool,
    /// Number of epochs of each child's training.
    pub child_epochs: usize,
    /// Images per step of a child's training; absent in journals of older versions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub child_batch_size: Option<usize>,
    /// Exponent of the accuracy in the reward (`reward.power`).
    pub reward_power: f64,
    /// The accuracy is the best of this many last epochs (`reward.last_epochs`).
    pub reward_last_epochs: usize,
    /// The factor of the reward that depends on multiply-accumulates; `None` if there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reward_penalty: Option<MacsPenalty>,
    /// Number of children evaluated at a time.
    pub workers: usize,
    /// CPU threads of each worker.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub threads: Option<usize>,
    /// `cpu`, or the GPU's name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub device: Option<String>,
    /// The data set.
    pub data: DataDescription,
    /// The heads of a layer, in order.
    #[serde(rename = "decisions")]
    pub heads: Vec<Head>,
    /// How DNA becomes a network.
    #[serde(default)]
    pub decode: Decode,
    /// What its children will cost, found before any was trained; absent if nothing is trained, and in
    /// journals of older versions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub outlook: Option<Box<CostOutlook>>,
    /// An earlier run to compare this one with, usually of the strategy `random`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reference: Option<Box<Reference>>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl RunStarted {
    /// Total number of children the search is to sample.
    pub fn children(&self) -> usize {
        self.episodes.saturating_mul(self.children_per_episode)
    }

    /// Whether its strategy learns from rewards, as far as this program knows.
    pub fn learns(&self) -> bool {
        StrategyFacts::named(&self.strategy).is_none_or(|strategy| strategy.learns)
    }

    /// How the reward follows from the accuracy: `accuracy to the power 3`, and with a penalty `, times (MACs /
    /// 600,000) to the power -0.07`.
    pub fn reward_in_words(&self) -> String {
        let accuracy = match self.reward_power {
            1.0 => "accuracy".to_owned(),
            power => format!("accuracy to the power {power}"),
        };
        match self.reward_penalty {
            None => accuracy,
            Some(MacsPenalty { target, exponent }) => {
                let target = numbers::count(target);
                format!("{accuracy}, times (MACs / {target}) to the power {exponent}")
            }
        }
    }

    /// The run that this one can be compared with.
    pub fn comparable(&self) -> Option<&Reference> {
        self.reference
            .as_deref()
            .filter(|reference| reference.not_comparable.is_none())
    }

    /// The search space of the run, as far as its DNA requires it.
    ///
    /// # Errors
    /// If the heads do not belong to any known space.
    pub fn space(&self) -> Result<Space, SpaceError> {
        let (input, classes) = self.data.shape();
        Space::restore(self.heads.clone(), self.decode, input, classes)
    }
}

/// The episodes of another run, as recorded when this run began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// Name of its run directory.
    pub run: String,
    /// Name of the strategy, as in `search.strategy`.
    pub strategy: String,
    /// Its episodes, in order.
    pub episodes: Vec<ReferenceEpisode>,
    /// Why the two runs cannot be compared: different data, space, schedule, depths or rewards.
    /// Absent if they can.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub not_comparable: Option<String>,
}

/// An episode of the reference run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReferenceEpisode {
    /// Number of the episode, from 1.
    pub episode: usize,
    /// Mean reward of its children.
    pub mean_reward: f64,
    /// Mean accuracy of the children that have one.
    pub mean_accuracy: Option<f64>,
    /// Rewards of its children, in ascending order; absent in journals of older versions.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub rewards: Vec<f64>,
}

/// What a run's rewards are measured on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataDescription {
    /// SPEC with its folder, or the table's file.
    pub spec: String,
    /// The images; `None` if the rewards come from a table.
    #[serde(flatten, with = "written")]
    pub images: Option<ImageSet>,
    /// CRC-32 (hex) of the training images, labels and split, or of the table.
    pub fingerprint: String,
}

/// Images with labels, in two parts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImageSet {
    /// `[C, H, W]`.
    pub input: [usize; 3],
    /// Names of the classes, in the order of their numbers.
    pub classes: Vec<String>,
    /// Number of training images.
    #[serde(rename = "train_images")]
    pub train: usize,
    /// Number of validation images.
    #[serde(rename = "validation_images")]
    pub validation: usize,
}

impl DataDescription {
    /// `[C, H, W]` of an image, and the number of classes; zeros if there are no images.
    pub fn shape(&self) -> ([usize; 3], usize) {
        let images = self.images.as_ref();
        images.map_or(([0; 3], 0), |images| (images.input, images.classes.len()))
    }

    /// Number of training images; 0 if there are none.
    pub fn train_images(&self) -> usize {
        self.images.as_ref().map_or(0, |images| images.train)
    }

    /// Number of validation images; 0 if there are none.
    pub fn validation_images(&self) -> usize {
        self.images.as_ref().map_or(0, |images| images.validation)
    }
}

/// The written form of images: zeros and no classes if there are none.
mod written {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::ImageSet;

    pub fn serialize<S: Serializer>(
        images: &Option<ImageSet>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        images.clone().unwrap_or_default().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<ImageSet>, D::Error> {
        let images = ImageSet::deserialize(deserializer)?;
        Ok((images.train + images.validation > 0).then_some(images))
    }
}

/// The hardware and software of the trainings, as far as they affect the last digits of the
/// numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compute {
    /// CPU threads of each training process.
    pub threads: usize,
    /// `cpu`, or the GPU's name.
    pub device: String,
    /// Version of libtorch.
    pub libtorch: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Record};

    #[test]
    fn the_reward_in_words_names_the_power_and_the_penalty() {
        let journal = include_str!("../../tests/fixtures/journal-demo.jsonl");
        let first: Record = serde_json::from_str(journal.lines().next().unwrap()).unwrap();
        let Event::RunStarted(mut run) = first.event else {
            panic!("not the beginning of a search");
        };
        assert_eq!(run.reward_in_words(), "accuracy to the power 3");
        run.reward_penalty = Some(MacsPenalty {
            target: 600_000,
            exponent: -0.07,
        });
        assert_eq!(
            run.reward_in_words(),
            "accuracy to the power 3, times (MACs / 600,000) to the power -0.07"
        );
        (run.reward_power, run.reward_penalty) = (1.0, None);
        assert_eq!(run.reward_in_words(), "accuracy");
    }
}
