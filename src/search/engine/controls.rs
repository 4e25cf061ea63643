//! The control arm: children sampled uniformly at the depth of the episode, for comparison with
//! those of the strategy.
//!
//! Nothing else depends on them: they are numbered after all children that the search samples, have
//! their own seeds, and are never learned from; no control repeats a child, and no child repeats a
//! control. (A control that reused an earlier child's outcome would share its noise with the arm
//! that it is compared with, which visits some networks again and again.)

use super::{Crew, Halt, SearchEngine};
use crate::search::episode::{self, Child};
use crate::strategy::{Origin, Proposal, Random};

impl SearchEngine<'_> {
    /// Sample and record a control, and have it trained.
    pub(super) fn draw_control(&mut self, crew: &mut Crew, number: u64) -> Result<(), Halt> {
        let search = &self.run.config.search;
        let episode = episode::episode_of(number, search);
        let depth = search.depth(*episode::children_of(episode, search).start());
        let seed = episode::sampling_seed(number, search);
        let Proposal { dna, .. } = Random::uniform(&crew.space, depth, seed)?;
        let proposal = Proposal {
            dna,
            origin: Origin::Uniform,
        };
        let control = Child {
            is_control: true,
            ..Child::new(number, episode, proposal, &crew.space)?
        };
        self.add(crew, control)
    }
}
