//! The children of one episode: their numbers, the meaning of their outcomes, and the episode's
//! results.

use std::ops::RangeInclusive;

use super::ledger::Ended;
use crate::analysis::statistics::mean;
use crate::config::{RewardConfig, SearchConfig};
use crate::event::{ChildEpoch, ChildProgress, ChildQueued, ChildSampled, EpisodeFinished};
use crate::foundation::seeds::derive;
use crate::reward::{self, Outcome};
use crate::space::{Design, Space, SpaceError};
use crate::strategy::{Learned, Origin, Proposal, Sample, Strategy, StrategyError};

/// A proposed child.
#[derive(Debug, Clone)]
pub(super) struct Child {
    pub number: u64,
    pub episode: usize,
    pub proposal: Proposal,
    pub design: Design,
    pub params: u64,
    pub macs: u64,
    /// The architecture, see [`Design::key`].
    pub key: String,
    /// Number of earlier episodes that had not been learned from when it was proposed.
    pub staleness: usize,
    /// Sampled uniformly, for comparison with the others in its episode.
    pub is_control: bool,
}

impl Child {
    /// Child `number` as the strategy proposes it in its current state.
    pub fn propose<E: From<StrategyError> + From<SpaceError>>(
        strategy: &mut dyn Strategy,
        space: &Space,
        search: &SearchConfig,
        number: u64,
    ) -> Result<Child, E> {
        let seed = sampling_seed(number, search);
        let proposal = strategy.propose(space, search.depth(number), seed)?;
        Ok(Child::new(
            number,
            episode_of(number, search),
            proposal,
            space,
        )?)
    }

    pub fn new(
        number: u64,
        episode: usize,
        proposal: Proposal,
        space: &Space,
    ) -> Result<Child, SpaceError> {
        let design = space.decode(&proposal.dna, &format!("child-{number}"))?;
        let (params, macs) = space.size(&proposal.dna, &design)?;
        Ok(Child {
            number,
            episode,
            proposal,
            params,
            macs,
            key: design.key(),
            design,
            staleness: 0,
            is_control: false,
        })
    }

    /// A child as it was recorded when an older policy proposed it.
    pub fn recorded<E: From<StrategyError> + From<SpaceError>>(
        sampled: &ChildSampled,
        space: &Space,
    ) -> Result<Child, E> {
        let proposal = Proposal::recorded(sampled, space)?;
        Ok(Child::new(sampled.child, sampled.episode, proposal, space)?)
    }

    pub fn sampled(&self) -> ChildSampled {
        let sample = self.proposal.sample();
        ChildSampled {
            child: self.number,
            episode: self.episode,
            dna: self.proposal.dna.clone(),
            design: self.design.clone(),
            params: self.params,
            macs: self.macs,
            log_prob: sample.map(|sample| sample.log_prob),
            entropy: sample.map(|sample| sample.entropy),
            max_entropy: sample.map(|sample| sample.max_entropy),
            choices: sample.map_or_else(Vec::new, |sample| sample.choices.clone()),
            parent: match self.proposal.origin {
                Origin::Mutated { parent } => Some(parent),
                Origin::Sampled(_) | Origin::Uniform => None,
            },
            staleness: self.staleness,
            control: self.is_control,
        }
    }
}

impl From<ChildQueued> for Child {
    fn from(queued: ChildQueued) -> Child {
        let origin = Origin::Mutated {
            parent: queued.parent,
        };
        Child {
            number: queued.child,
            episode: queued.episode,
            proposal: Proposal {
                dna: queued.dna,
                origin,
            },
            design: queued.design,
            params: queued.params,
            macs: queued.macs,
            key: String::new(),
            staleness: 0,
            is_control: false,
        }
    }
}

/// Numbers of an episode's children; both are counted from 1.
pub(super) fn children_of(episode: usize, search: &SearchConfig) -> RangeInclusive<u64> {
    let each = search.children_per_episode as u64;
    let last = episode as u64 * each;
    last - each + 1..=last
}

/// Numbers of an episode's controls: after all children that the search samples.
pub(super) fn controls_of(episode: usize, search: &SearchConfig) -> RangeInclusive<u64> {
    let last = search.children() + episode as u64 * search.controls();
    last - search.controls() + 1..=last
}

/// Number of a control among the controls, from 1; `None` for a child that the search samples or a
/// user edited.
fn place_of_control(child: u64, search: &SearchConfig) -> Option<u64> {
    child
        .checked_sub(search.children())
        .filter(|place| *place > 0 && child <= search.numbered())
}

/// Episode of a sampled child or a control.
pub(super) fn episode_of(child: u64, search: &SearchConfig) -> usize {
    let (number, each) = match place_of_control(child, search) {
        Some(place) => (place, search.controls()),
        None => (child, search.children_per_episode as u64),
    };
    (number.saturating_sub(1) / each) as usize + 1
}

/// Seed for sampling a child. Controls have separate seeds, so that the search samples the same
/// children with and without them.
pub(super) fn sampling_seed(child: u64, search: &SearchConfig) -> u64 {
    match place_of_control(child, search) {
        Some(place) => derive(search.seed, "control", place),
        None => derive(search.seed, "sample", child),
    }
}

/// Seed for the training of a child.
pub(super) fn training_seed(child: u64, search: &SearchConfig) -> u64 {
    match place_of_control(child, search) {
        Some(place) => derive(search.seed, "control-train", place),
        None => derive(search.seed, "train", child),
    }
}

/// The meaning of an outcome for the search: a failure if there is no finite accuracy.
/// `test_accuracy` is that of a trained child, if the evaluator knows it; `macs` are the child's
/// multiply-accumulates.
pub(super) fn judge(
    outcome: &Outcome,
    test_accuracy: Option<f64>,
    macs: u64,
    config: &RewardConfig,
) -> Ended {
    let failed = |reason: &str| {
        let outcome = Outcome::Failed {
            reason: reason.to_owned(),
        };
        Ended::Failed {
            reason: reason.to_owned(),
            reward: reward::reward(&outcome, macs, config).unwrap_or_default(),
        }
    };
    match outcome {
        Outcome::Excluded { reason } => Ended::Excluded {
            reason: reason.clone(),
        },
        Outcome::Failed { reason } => failed(reason),
        Outcome::Trained { valid_accuracies }
            if !valid_accuracies.iter().all(|accuracy| accuracy.is_finite()) =>
        {
            failed("its validation accuracy is not a finite number")
        }
        Outcome::Trained { valid_accuracies } => match (
            reward::accuracy(outcome, config),
            reward::reward(outcome, macs, config),
        ) {
            (Some(accuracy), Some(reward)) => Ended::Trained {
                accuracy,
                reward,
                valid_accuracies: valid_accuracies.clone(),
                test_accuracy: test_accuracy.filter(|accuracy| accuracy.is_finite()),
                repeat_of: None,
                mean: None,
            },
            _ => failed("it has no validation accuracy"),
        },
    }
}

/// The results of an episode in which `excluded` children were excluded. The others are `children`;
/// `ended` has one entry for each, in order.
pub(super) fn finished(
    episode: usize,
    children: &[&Child],
    ended: &[&Ended],
    excluded: usize,
    learned: Learned,
    seconds: f64,
) -> EpisodeFinished {
    let rewards: Vec<f64> = ended.iter().filter_map(|ended| ended.reward()).collect();
    let accuracies: Vec<f64> = ended.iter().filter_map(|ended| ended.accuracy()).collect();
    let samples: Vec<&Sample> = children
        .iter()
        .filter_map(|child| child.proposal.sample())
        .collect();
    let of_samples = |number: fn(&Sample) -> f64| {
        let numbers: Vec<f64> = samples.iter().map(|sample| number(sample)).collect();
        (!numbers.is_empty()).then(|| mean(&numbers))
    };
    let is_repeat = |ended: &&&Ended| {
        matches!(
            ended,
            Ended::Trained {
                repeat_of: Some(_),
                ..
            }
        )
    };
    let repeats = ended.iter().filter(is_repeat).count();
    EpisodeFinished {
        episode,
        mean_reward: mean(&rewards),
        mean_accuracy: (!accuracies.is_empty()).then(|| mean(&accuracies)),
        best_accuracy: accuracies.iter().copied().reduce(f64::max),
        baseline: learned.baseline,
        next_baseline: learned.next_baseline,
        advantages: learned.advantages,
        entropy: of_samples(|sample| sample.entropy),
        max_entropy: of_samples(|sample| sample.max_entropy),
        loss: learned.loss,
        gradient_norm: learned.gradient_norm,
        repeats,
        failures: ended.len() - accuracies.len(),
        excluded,
        staleness: None,
        seconds,
    }
}

/// Mean staleness of an episode's children.
pub(super) fn staleness(children: &[&Child]) -> f64 {
    let each = children.iter().map(|child| child.staleness as f64);
    mean(&each.collect::<Vec<f64>>())
}

/// Whether two records of one episode describe the same update of the strategy, bit for bit. (Their
/// times may differ.)
pub(super) fn same_learning(one: &EpisodeFinished, other: &EpisodeFinished) -> bool {
    EpisodeFinished {
        seconds: 0.0,
        ..one.clone()
    } == EpisodeFinished {
        seconds: 0.0,
        ..other.clone()
    }
}

pub(super) fn is_finite_progress(progress: &ChildProgress) -> bool {
    progress.loss.is_finite() && progress.images_per_second.is_finite()
}

pub(super) fn is_finite_epoch(epoch: &ChildEpoch) -> bool {
    let losses = [epoch.train_loss, epoch.valid_loss, epoch.learning_rate];
    let accuracies = [epoch.train_accuracy, epoch.valid_accuracy];
    let speed = [epoch.images_per_second, epoch.seconds];
    let mut all = losses.into_iter().chain(accuracies).chain(speed);
    all.all(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Options, resolve};

    const REWARD: RewardConfig = RewardConfig {
        last_epochs: 2,
        power: 3.0,
        penalty: None,
    };

    fn search() -> SearchConfig {
        resolve(&Options {
            set: vec!["search.children_per_episode=16".into()],
            ..Options::default()
        })
        .unwrap()
        .search
    }

    #[test]
    fn children_are_numbered_through_the_episodes() {
        let search = search();
        assert_eq!(
            (children_of(1, &search), children_of(3, &search)),
            (1..=16, 33..=48)
        );
        for episode in 1..=4 {
            assert!(
                children_of(episode, &search).all(|child| episode_of(child, &search) == episode)
            );
        }
    }

    #[test]
    fn an_outcome_without_a_finite_accuracy_is_a_failure_with_reward_zero_and_a_reason() {
        for accuracies in [vec![], vec![0.5, f64::NAN], vec![f64::INFINITY]] {
            let ended = judge(
                &Outcome::Trained {
                    valid_accuracies: accuracies,
                },
                None,
                1,
                &REWARD,
            );
            assert!(
                matches!(&ended, Ended::Failed { reason, reward: 0.0 } if !reason.is_empty()),
                "{ended:?}"
            );
        }
    }

    #[test]
    fn accuracy_and_reward_of_a_trained_child_are_kept_apart() {
        let ended = judge(
            &Outcome::Trained {
                valid_accuracies: vec![0.9, 0.5, 0.25],
            },
            None,
            1,
            &REWARD,
        );
        assert_eq!((ended.accuracy(), ended.reward()), (Some(0.5), Some(0.125)));
    }
}
