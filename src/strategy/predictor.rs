//! A predictor of rewards in the manner of BANANAS (White, Neiswanger & Savani 2021): an ensemble
//! of small networks learns to predict the reward of an architecture from those evaluated so far,
//! and the candidate with the best draw from their predictions is evaluated next.
//!
//! - A child is encoded as one binary input per option of each decision, so every space is
//!   supported.
//! - The networks learn normal scores of the rewards' ranks: only the order of the rewards counts,
//!   and a few very bad children do not hide the differences between good ones.
//! - Candidates are mutations of the best children, and uniform children, none of which was
//!   proposed before.
//! - For each candidate a number is drawn from the normal distribution with the networks' mean and
//!   standard deviation (independent Thompson sampling), and the largest number wins.
//!
//! The first children are uniform. If the search has grown deeper since a parent was sampled, the
//! parent is extended as in [`super::Evolution`].

mod network;

use std::collections::BTreeSet;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use serde_json::json;
use statrs::distribution::{ContinuousCDF, Normal};

use self::network::{FitSettings, RegressionNetwork};
use super::path::{Path, below};
use super::{
    CONSTRUCTORS, Constructor, EndedChild, Origin, Proposal, Strategy, StrategyError, StrategyState,
};
use crate::config::{PredictorConfig, STRATEGIES, StrategyFacts};
use crate::foundation::seeds::derive;
use crate::space::{Dna, Space};

/// Passes over the children, and the maximum number of optimiser steps in total, which keeps a long
/// search from becoming slower and slower.
const EPOCHS: usize = 30;
const STEPS: usize = 600;
/// Number of children per step.
const BATCH: usize = 16;
/// Learning rate of a network's first step.
const RATE: f32 = 0.02;
/// The networks are fitted again whenever this many more children have ended, or one in twenty
/// more.
const REFIT_EVERY: usize = 5;
/// Number of parents: the best of the children that have ended.
const PARENTS: usize = 5;
/// Share of candidates that are uniform.
const UNIFORM: f64 = 0.5;
/// Attempts per candidate to find one that was not proposed before.
const ATTEMPTS: usize = 10;

/// The predictor.
#[linkme::distributed_slice(STRATEGIES)]
static FACTS: StrategyFacts = StrategyFacts {
    name: "predictor",
    learns: true,
    has_policy: false,
    section: Some("predictor"),
};

#[linkme::distributed_slice(CONSTRUCTORS)]
static NEW: Constructor = (&FACTS, |config, _| {
    let seed = derive(config.search.seed, "predictor", 0);
    Box::new(Predictor::new(&config.predictor, seed))
});

/// The predictor: learns from each child as it ends.
#[derive(Debug, Clone)]
pub struct Predictor {
    config: PredictorConfig,
    /// Seed of the networks' weights.
    seed: u64,
    /// Children that have ended, in that order.
    evaluated: Vec<EndedChild>,
    /// Children that were proposed and have not ended.
    pending: BTreeSet<Dna>,
    /// All children that were proposed.
    seen: BTreeSet<Dna>,
    fitted: Option<Fitted>,
}

/// Networks, and what they were fitted to, from which they follow, so checkpoints do not contain
/// them.
#[derive(Debug, Clone)]
struct Fitted {
    children: usize,
    depth: usize,
    networks: Vec<RegressionNetwork>,
}

impl Predictor {
    /// Nothing has been evaluated yet; `seed` determines the networks' weights.
    pub fn new(config: &PredictorConfig, seed: u64) -> Predictor {
        Predictor {
            config: *config,
            seed,
            evaluated: Vec::new(),
            pending: BTreeSet::new(),
            seen: BTreeSet::new(),
            fitted: None,
        }
    }

    /// The networks for children of `depth` layers, fitted to the children that had ended at the
    /// last refit.
    fn fitted(&mut self, space: &Space, depth: usize) -> &Fitted {
        let children = last_refit(self.config.initial, self.evaluated.len());
        let deepest = self.evaluated.iter().map(|child| child.dna.depth()).max();
        let depth = depth.max(deepest.unwrap_or(0));
        let current = self.fitted.take();
        let is_current = |fitted: &Fitted| fitted.children == children && fitted.depth == depth;
        let fitted = match current.filter(is_current) {
            Some(fitted) => fitted,
            None => self.fit(space, depth, children),
        };
        self.fitted.insert(fitted)
    }

    fn fit(&self, space: &Space, depth: usize, children: usize) -> Fitted {
        let evaluated = &self.evaluated[..children];
        let inputs = evaluated.iter().map(|child| encode(space, &child.dna));
        let inputs: Vec<Vec<u32>> = inputs.collect();
        let rewards: Vec<f64> = evaluated.iter().map(|child| child.reward).collect();
        let targets = normal_scores(&rewards);
        let [count, active] = size(space, depth);
        let fit = FitSettings {
            epochs: EPOCHS.min(STEPS.div_ceil(children.div_ceil(BATCH))),
            batch: BATCH,
            learning_rate: RATE,
        };
        let network = |number: usize| {
            let purpose = format!("predictor {number}");
            let seed = derive(self.seed, &purpose, children as u64);
            let mut random = ChaCha12Rng::seed_from_u64(seed);
            let mut network = RegressionNetwork::new(count, active, &mut random);
            network.fit(&inputs, &targets, fit, &mut random);
            network
        };
        Fitted {
            children,
            depth,
            networks: (0..self.config.networks).map(network).collect(),
        }
    }

    /// The best children that have ended, best first; the earlier of two equal ones first.
    fn parents(&self) -> Vec<&EndedChild> {
        let mut best: Vec<&EndedChild> = self.evaluated.iter().collect();
        best.sort_by(|one, other| other.reward.total_cmp(&one.reward));
        best.truncate(PARENTS);
        best
    }

    /// A child that was not proposed before: uniform, or a mutation of a good one.
    fn candidate(
        &self,
        space: &Space,
        depth: usize,
        parents: &[&EndedChild],
        random: &mut impl Rng,
    ) -> Option<Proposal> {
        let unseen = |dna: &Dna| !self.seen.contains(dna);
        for _ in 0..ATTEMPTS {
            if parents.is_empty() || random.random::<f64>() < UNIFORM {
                let dna = Path::uniform(space, depth, random).dna;
                if unseen(&dna) {
                    let origin = Origin::Uniform;
                    return Some(Proposal { dna, origin });
                }
                continue;
            }
            let parent = parents[below(random, parents.len())];
            let mut path = Path::along(space, depth, &parent.dna, random);
            // One change, and after each change another one with probability 1/2.
            loop {
                let changed = path.mutated(space, depth, random, |_| true)?;
                if random.random::<f64>() < 0.5 {
                    path = Path::along(space, depth, &changed, random);
                } else if unseen(&changed) {
                    let origin = Origin::Mutated {
                        parent: parent.child,
                    };
                    return Some(Proposal {
                        dna: changed,
                        origin,
                    });
                } else {
                    break;
                }
            }
        }
        None
    }

    /// The candidate with the largest draw from the networks' predictions; `None` if no child was
    /// found that had not been proposed before.
    fn best_candidate(
        &mut self,
        space: &Space,
        depth: usize,
        random: &mut impl Rng,
    ) -> Option<Proposal> {
        let parents = self.parents();
        let candidates: Vec<Proposal> = (0..self.config.candidates)
            .filter_map(|_| self.candidate(space, depth, &parents, random))
            .collect();
        let fitted = self.fitted(space, depth);
        let draws = candidates.into_iter().map(|candidate| {
            let inputs = encode(space, &candidate.dna);
            let predictions = fitted.networks.iter();
            let predictions: Vec<f32> = predictions.map(|net| net.predict(&inputs)).collect();
            (draw(&predictions, random), candidate)
        });
        let best = draws.reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map(|(_, candidate)| candidate)
    }
}

/// Number of children that had ended at the last refit; the first refit is at `initial`.
fn last_refit(initial: usize, ended: usize) -> usize {
    let next = |last: &usize| Some(last + REFIT_EVERY.max(last / 20));
    let refits = std::iter::successors(Some(initial), next);
    refits
        .take_while(|refit| *refit <= ended)
        .last()
        .unwrap_or(ended)
}

/// A random number from the normal distribution with the mean and the standard deviation of the
/// predictions.
fn draw(predictions: &[f32], random: &mut impl Rng) -> f64 {
    let count = predictions.len() as f64;
    let sum: f64 = predictions.iter().copied().map(f64::from).sum();
    let mean = sum / count;
    let squares = predictions
        .iter()
        .map(|&one| (f64::from(one) - mean).powi(2));
    let deviation = (squares.sum::<f64>() / (count - 1.0).max(1.0)).sqrt();
    mean + deviation * normal_score(1.0 - random.random::<f64>())
}

/// The quantile of the standard normal distribution at `probability`.
fn normal_score(probability: f64) -> f64 {
    let probability = probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
    Normal::standard().inverse_cdf(probability)
}

/// For each reward the normal score of its rank; equal rewards share their mean score.
fn normal_scores(rewards: &[f64]) -> Vec<f32> {
    let mut order: Vec<usize> = (0..rewards.len()).collect();
    order.sort_by(|&one, &other| rewards[one].total_cmp(&rewards[other]));
    let mut scores = vec![0.0; rewards.len()];
    let mut rank = 0;
    for equal in order.chunk_by(|&one, &other| rewards[one] == rewards[other]) {
        let middle = rank as f64 + equal.len() as f64 / 2.0;
        let score = normal_score(middle / rewards.len() as f64);
        equal.iter().for_each(|&index| scores[index] = score as f32);
        rank += equal.len();
    }
    scores
}

/// The inputs that are on for a child: one for each decision, for the option that was chosen. A
/// value that is not an option of its head turns none on.
fn encode(space: &Space, dna: &Dna) -> Vec<u32> {
    let mut first = 0;
    let mut on = Vec::new();
    for (layer, gene) in (1..).zip(&dna.0) {
        for (head, value) in space.layer_heads(layer).into_iter().zip(gene) {
            let options = &space.heads()[head].options;
            let index = options.iter().position(|option| option == value);
            on.extend(index.map(|index| (first + index) as u32));
            first += options.len();
        }
    }
    on
}

/// Number of inputs for children of up to `depth` layers, and how many of them are on at a time.
fn size(space: &Space, depth: usize) -> [usize; 2] {
    let heads = (1..=depth).flat_map(|layer| space.layer_heads(layer));
    heads.fold([0, 0], |[inputs, active], head| {
        [inputs + space.heads()[head].options.len(), active + 1]
    })
}

impl Strategy for Predictor {
    fn propose(
        &mut self,
        space: &Space,
        depth: usize,
        seed: u64,
    ) -> Result<Proposal, StrategyError> {
        space.check_depth(depth)?;
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let proposal = if self.evaluated.len() < self.config.initial {
            self.candidate(space, depth, &[], &mut random)
        } else {
            self.best_candidate(space, depth, &mut random)
        };
        let proposal = proposal.unwrap_or_else(|| Proposal {
            dna: Path::uniform(space, depth, &mut random).dna,
            origin: Origin::Uniform,
        });
        self.seen.insert(proposal.dna.clone());
        self.pending.insert(proposal.dna.clone());
        Ok(proposal)
    }

    fn learns_from_each(&self) -> bool {
        true
    }

    fn take(&mut self, child: EndedChild) {
        self.pending.remove(&child.dna);
        self.evaluated.push(child);
    }

    fn state(&self) -> StrategyState {
        let scalars = [
            ("evaluated", json!(self.evaluated)),
            ("pending", json!(self.pending)),
        ];
        StrategyState::of(FACTS.name, scalars)
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        state.expect_strategy(FACTS.name)?;
        let evaluated: Vec<EndedChild> = state.scalar("evaluated")?;
        let pending: BTreeSet<Dna> = state.scalar("pending")?;
        let ended = evaluated.iter().map(|child| child.dna.clone());
        self.seen = ended.chain(pending.iter().cloned()).collect();
        (self.evaluated, self.pending, self.fitted) = (evaluated, pending, None);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
