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
    /// Sample the controls of the episode of `children`, and start the trainings that are missing.
    pub(super) fn draw_controls(
        &mut self,
        crew: &mut Crew,
        children: &[Child],
    ) -> Result<(), Halt> {
        let Some(first) = children.first() else {
            return Ok(());
        };
        let (episode, number) = (first.episode, first.number);
        if (self.controls.first()).is_some_and(|control| control.episode == episode) {
            return Ok(());
        }
        let search = self.run.config.search.clone();
        let depth = search.depth(number);
        self.controls.clear();
        for number in episode::controls_of(episode, &search) {
            let seed = episode::sampling_seed(number, &search);
            let Proposal { dna, .. } = Random::uniform(&crew.space, depth, seed)?;
            let proposal = Proposal {
                dna,
                origin: Origin::Uniform,
            };
            let control = Child {
                is_control: true,
                ..Child::new(number, episode, proposal, &crew.space)?
            };
            self.record_sample(&control)?;
            if self.run.ledger().ended(number).is_none() {
                self.submit(number, &control.design, crew);
            }
            self.controls.push(control);
        }
        Ok(())
    }
}
