//! Regularized evolution (Real, Aggarwal, Huang & Le 2019, "Regularized Evolution for Image
//! Classifier Architecture Search"): a queue of children in which each new child replaces the
//! oldest.
//!
//! The first children are uniform. Each later one is a mutation of the best of a few children drawn
//! from the population: one choice is changed to another feasible option.
//!
//! If the search has grown deeper since a parent was made, the parent is first extended to the
//! requested depth: its own choices are kept wherever they are still feasible at that depth, and
//! the rest (the new layers, and what no longer fits) is uniform over the feasible options. The
//! mutation then applies to any layer of the extended child.

use std::collections::VecDeque;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use serde_json::json;

use super::path::{Path, below};
use super::{
    CONSTRUCTORS, Constructor, EndedChild, Origin, Proposal, Strategy, StrategyError, StrategyState,
};
use crate::config::{EvolutionConfig, STRATEGIES, StrategyFacts};
use crate::space::Space;

/// Regularized evolution.
#[linkme::distributed_slice(STRATEGIES)]
static FACTS: StrategyFacts = StrategyFacts {
    name: "evolution",
    learns: true,
    has_policy: false,
    section: Some("evolution"),
};

#[linkme::distributed_slice(CONSTRUCTORS)]
static NEW: Constructor = (&FACTS, |config, _| {
    Box::new(Evolution::new(&config.evolution))
});

/// Regularized evolution: learns from each child as it ends.
#[derive(Debug, Clone)]
pub struct Evolution {
    /// Maximum size of the population.
    population: usize,
    /// Number of members drawn (with replacement) for each parent.
    sample: usize,
    /// The population, youngest last.
    members: VecDeque<EndedChild>,
}

impl Evolution {
    /// An empty population.
    pub fn new(config: &EvolutionConfig) -> Evolution {
        let EvolutionConfig { population, sample } = *config;
        Evolution {
            population,
            sample,
            members: VecDeque::with_capacity(population + 1),
        }
    }

    /// Size of the population: at most `evolution.population`.
    pub fn members(&self) -> usize {
        self.members.len()
    }

    /// The best of a few members drawn at random; the one drawn first wins ties. `None` while the
    /// population is incomplete.
    fn parent(&self, random: &mut impl Rng) -> Option<&EndedChild> {
        if self.members.len() < self.population {
            return None;
        }
        let drawn = (0..self.sample).map(|_| &self.members[below(random, self.members.len())]);
        drawn.reduce(|best, next| {
            if next.reward > best.reward {
                next
            } else {
                best
            }
        })
    }
}

impl Strategy for Evolution {
    fn propose(
        &mut self,
        space: &Space,
        depth: usize,
        seed: u64,
    ) -> Result<Proposal, StrategyError> {
        space.check_depth(depth)?;
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let Some(EndedChild { child, dna, .. }) = self.parent(&mut random) else {
            let path = Path::uniform(space, depth, &mut random);
            return Ok(Proposal {
                dna: path.dna,
                origin: Origin::Uniform,
            });
        };
        let parent = *child;
        let extended = Path::along(space, depth, dna, &mut random);
        // The same child if nothing can be changed.
        let mutation = extended.mutated(space, depth, &mut random, |_| true);
        Ok(Proposal {
            dna: mutation.unwrap_or(extended.dna),
            origin: Origin::Mutated { parent },
        })
    }

    fn learns_from_each(&self) -> bool {
        true
    }

    fn take(&mut self, child: EndedChild) {
        self.members.push_back(child);
        if self.members.len() > self.population {
            self.members.pop_front();
        }
    }

    fn state(&self) -> StrategyState {
        StrategyState::of(FACTS.name, [("population", json!(self.members))])
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        state.expect_strategy(FACTS.name)?;
        let members: VecDeque<EndedChild> = state.scalar("population")?;
        if members.len() > self.population {
            return Err(StrategyError::Scalar {
                name: "population".to_owned(),
                reason: format!(
                    "{} members, but evolution.population is {}",
                    members.len(),
                    self.population
                ),
            });
        }
        self.members = members;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::{Decode, SpaceConfig};
    use crate::strategy::Strategy;
    use crate::strategy::test_space::{changes, space};

    fn evolution(population: usize, sample: usize) -> Evolution {
        Evolution::new(&EvolutionConfig { population, sample })
    }

    /// Propose this many children of `depth` layers and report their ends; the reward is a function
    /// of the genes.
    fn evolve(
        strategy: &mut Evolution,
        children: std::ops::Range<u64>,
        depth: usize,
        salt: u64,
    ) -> Vec<Proposal> {
        let propose = |child| {
            let proposal = strategy.propose(&space(), depth, salt + child).unwrap();
            let filters: u32 = proposal.dna.0.iter().map(|gene| gene[1]).sum();
            strategy
                .child_ended(child, &proposal, f64::from(filters) / 1e3)
                .unwrap();
            assert!(strategy.members() <= strategy.population);
            proposal
        };
        children.map(propose).collect()
    }

    proptest! {
        #[test]
        fn a_mutation_is_feasible_and_changes_exactly_one_choice(salt in 0u64..1_000_000, depth in 1usize..6) {
            let mut strategy = evolution(5, 2);
            let children = evolve(&mut strategy, 1..30, depth, salt);
            for (child, proposal) in (1u64..).zip(&children) {
                space().decode(&proposal.dna, "child").unwrap();
                prop_assert_eq!(proposal.dna.depth(), depth);
                match proposal.origin {
                    Origin::Mutated { parent } => {
                        prop_assert!(parent < child && parent + 5 >= child, "only the last 5 can be parents");
                        let parent = &children[parent as usize - 1];
                        prop_assert_eq!(changes(&parent.dna, &proposal.dna), 1);
                    }
                    Origin::Uniform => prop_assert!(child <= 5),
                    Origin::Sampled(_) => prop_assert!(false, "nothing is drawn from a policy"),
                }
            }
        }

        #[test]
        fn a_shallower_parent_is_extended(salt in 0u64..1_000_000) {
            let mut strategy = evolution(3, 1);
            evolve(&mut strategy, 1..4, 2, salt);
            let deeper = evolve(&mut strategy, 4..5, 4, salt);
            space().decode(&deeper[0].dna, "child").unwrap();
            prop_assert_eq!(deeper[0].dna.depth(), 4);
        }
    }

    #[test]
    fn the_population_continues_from_a_saved_state_bit_for_bit() {
        let mut strategy = evolution(4, 3);
        evolve(&mut strategy, 1..10, 3, 7);
        let text = serde_json::to_string(&strategy.state()).unwrap();
        let mut other = evolution(4, 3);
        other
            .restore(&serde_json::from_str(&text).unwrap())
            .unwrap();
        assert_eq!(
            evolve(&mut other, 10..20, 3, 7),
            evolve(&mut strategy, 10..20, 3, 7)
        );
        assert!(evolution(3, 3).restore(&other.state()).is_err());
    }

    #[test]
    fn selection_raises_the_reward() {
        let mut strategy = evolution(10, 3);
        let children = evolve(&mut strategy, 1..200, 4, 3);
        let filters = |children: &[Proposal]| {
            let genes = children.iter().flat_map(|child| &child.dna.0);
            genes.map(|gene| f64::from(gene[1])).sum::<f64>() / children.len() as f64
        };
        assert!(filters(&children[189..]) > filters(&children[..10]) + 4.0);
    }

    #[test]
    fn in_a_space_of_one_child_every_mutation_is_that_child() {
        let config = SpaceConfig {
            layer: "chain".to_owned(),
            kernels: vec![3],
            filters: vec![8],
            strides: vec![1],
            paddings: vec![1],
            decode: Decode::Literal,
        };
        let space = Space::new(&config, [1, 8, 8], 2).unwrap();
        let mut strategy = evolution(1, 1);
        let first = strategy.propose(&space, 1, 1).unwrap();
        strategy.child_ended(1, &first, 0.5).unwrap();
        assert_eq!(strategy.propose(&space, 1, 2).unwrap().dna, first.dna);
    }
}
