//! Local search (White, Nolen & Savani 2020, "Exploring the Loss Landscape in Neural Architecture
//! Search"): evaluate the neighbours of a child in random order, move to the first one that is
//! better, and restart from a random child if none is.
//!
//! A neighbour differs in one decision. Children that were proposed before are left out, so a
//! proposal is a repeat only if a small space has no other child. When the search has grown deeper,
//! the current child is extended as in [`super::Evolution`], and the extended child is the next
//! start.

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;
use serde_json::json;

use super::path::Path;
use super::{
    CONSTRUCTORS, Constructor, EndedChild, Origin, Proposal, Strategy, StrategyError, StrategyState,
};
use crate::config::{STRATEGIES, StrategyFacts};
use crate::space::{Dna, Space};

/// Maximum number of uniform children sampled to find one that was not proposed before.
const DRAWS: usize = 100;

/// Local search.
#[linkme::distributed_slice(STRATEGIES)]
static FACTS: StrategyFacts = StrategyFacts {
    name: "local_search",
    learns: true,
    has_policy: false,
    section: None,
};

#[linkme::distributed_slice(CONSTRUCTORS)]
static NEW: Constructor = (&FACTS, |_, _| Box::new(LocalSearch::new()));

/// Local search: learns from each child as it ends.
#[derive(Debug, Clone, Default)]
pub struct LocalSearch {
    /// The child whose neighbours are evaluated; `None` before the first start has ended.
    current: Option<EndedChild>,
    /// Every child that was proposed.
    seen: BTreeSet<Dna>,
    /// Proposed children that have not ended.
    pending: BTreeSet<Dna>,
}

impl LocalSearch {
    /// Nothing has been evaluated yet.
    pub fn new() -> LocalSearch {
        LocalSearch::default()
    }

    /// A neighbour of the current child that was not proposed before; `None` if there is none. In
    /// that case there is no current child any more, unless a neighbour that has not ended may
    /// still be better.
    fn step(&mut self, space: &Space, depth: usize, random: &mut ChaCha12Rng) -> Option<Proposal> {
        let EndedChild { child, dna, .. } = self.current.as_ref()?;
        let parent = *child;
        let here = Path::along(space, depth, dna, random);
        let (dna, origin) = if here.dna != *dna {
            // Deeper than before: its reward at this depth must be determined first.
            let start = (here.dna, Origin::Uniform);
            self.current = None;
            start
        } else {
            let unseen = |dna: &Dna| !self.seen.contains(dna);
            match here.mutated(space, depth, random, unseen) {
                Some(neighbour) => (neighbour, Origin::Mutated { parent }),
                None => {
                    if self.pending.is_empty() {
                        self.current = None;
                    }
                    return None;
                }
            }
        };
        Some(Proposal { dna, origin })
    }

    fn start(&self, space: &Space, depth: usize, random: &mut ChaCha12Rng) -> Proposal {
        let mut draw = || Path::uniform(space, depth, random).dna;
        let mut dna = draw();
        for _ in 1..DRAWS {
            if !self.seen.contains(&dna) {
                break;
            }
            dna = draw();
        }
        Proposal {
            dna,
            origin: Origin::Uniform,
        }
    }
}

impl Strategy for LocalSearch {
    fn propose(
        &mut self,
        space: &Space,
        depth: usize,
        seed: u64,
    ) -> Result<Proposal, StrategyError> {
        space.check_depth(depth)?;
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let step = self.step(space, depth, &mut random);
        let proposal = step.unwrap_or_else(|| self.start(space, depth, &mut random));
        self.seen.insert(proposal.dna.clone());
        self.pending.insert(proposal.dna.clone());
        Ok(proposal)
    }

    fn learns_from_each(&self) -> bool {
        true
    }

    fn take(&mut self, child: EndedChild) {
        self.pending.remove(&child.dna);
        let is_better = |now: &EndedChild| child.reward > now.reward;
        if self.current.as_ref().is_none_or(is_better) {
            self.current = Some(child);
        }
    }

    fn leave_out(&mut self, proposal: &Proposal) {
        self.pending.remove(&proposal.dna);
    }

    fn state(&self) -> StrategyState {
        let scalars = [
            ("current", json!(self.current)),
            ("seen", json!(self.seen)),
            ("pending", json!(self.pending)),
        ];
        StrategyState::of(FACTS.name, scalars)
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        state.expect_strategy(FACTS.name)?;
        *self = LocalSearch {
            current: state.scalar("current")?,
            seen: state.scalar("seen")?,
            pending: state.scalar("pending")?,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::test_space::{changes, space};

    /// The reward depends only on the genes: the sum of the filters, which has one optimum.
    fn reward(dna: &Dna) -> f64 {
        dna.0.iter().map(|gene| f64::from(gene[1])).sum::<f64>() / 1e3
    }

    fn search(strategy: &mut LocalSearch, children: std::ops::Range<u64>) -> Vec<Proposal> {
        let propose = |child| {
            let proposal = strategy.propose(&space(), 3, child).unwrap();
            strategy
                .child_ended(child, &proposal, reward(&proposal.dna))
                .unwrap();
            proposal
        };
        children.map(propose).collect()
    }

    #[test]
    fn it_moves_to_the_first_better_neighbour_and_proposes_nothing_twice() {
        let children = search(&mut LocalSearch::new(), 0..80);
        let mut stands = (0, reward(&children[0].dna));
        for (number, child) in (0..).zip(&children).skip(1) {
            match child.origin {
                Origin::Mutated { parent } => {
                    assert_eq!(parent, stands.0, "child {number}");
                    let parent = &children[parent as usize];
                    assert_eq!(changes(&parent.dna, &child.dna), 1);
                }
                // The search restarts.
                _ => stands = (number, f64::NEG_INFINITY),
            }
            if reward(&child.dna) > stands.1 {
                stands = (number, reward(&child.dna));
            }
        }
        let distinct: BTreeSet<&Dna> = children.iter().map(|child| &child.dna).collect();
        assert_eq!(distinct.len(), children.len());
    }

    #[test]
    fn it_reaches_the_optimum_and_restarts_there() {
        let children = search(&mut LocalSearch::new(), 0..120);
        let best = children
            .iter()
            .position(|child| reward(&child.dna) == 0.072);
        let after = &children[best.expect("three layers of 24 filters") + 1..];
        let is_start = |child: &Proposal| child.origin == Origin::Uniform;
        assert!(after.iter().any(is_start));
    }

    #[test]
    fn a_deeper_search_starts_with_the_child_extended() {
        let mut strategy = LocalSearch::new();
        search(&mut strategy, 0..10);
        let stood_on = strategy.current.clone().unwrap().dna;
        let extended = strategy.propose(&space(), 5, 1).unwrap();
        assert_eq!(
            (extended.dna.depth(), &extended.origin),
            (5, &Origin::Uniform)
        );
        assert_eq!(changes(&stood_on, &Dna(extended.dna.0[..3].to_vec())), 0);
        strategy.child_ended(10, &extended, 0.01).unwrap();
        let next = strategy.propose(&space(), 5, 2).unwrap();
        assert_eq!(next.origin, Origin::Mutated { parent: 10 });
    }

    #[test]
    fn it_continues_from_a_saved_state() {
        let mut strategy = LocalSearch::new();
        search(&mut strategy, 0..30);
        let text = serde_json::to_string(&strategy.state()).unwrap();
        let mut other = LocalSearch::new();
        other
            .restore(&serde_json::from_str(&text).unwrap())
            .unwrap();
        assert_eq!(search(&mut other, 30..60), search(&mut strategy, 30..60));
    }

    #[test]
    fn a_space_that_is_exhausted_is_searched_again() {
        let mut strategy = LocalSearch::new();
        for child in 0..300 {
            let proposal = strategy.propose(&space(), 1, child).unwrap();
            strategy.child_ended(child, &proposal, 0.5).unwrap();
        }
        assert!(strategy.seen.len() < 30);
    }
}
