//! An episode of a strategy that learns from each child: children are proposed one by one, as
//! earlier ones end.
//!
//! The strategy sees proposals and ends in the order of the journal: a resumed search replays those
//! that an earlier session recorded, and arrives at that session's state.

use super::{Crew, Halt, SearchEngine};
use crate::search::episode::{self, Child};
use crate::search::ledger::{Ended, Step};

impl SearchEngine<'_> {
    /// Propose, evaluate and learn from the children of an episode, as many at a time as the
    /// evaluator works on.
    pub(super) fn train_and_learn(
        &mut self,
        crew: &mut Crew,
        episode: usize,
    ) -> Result<Vec<Child>, Halt> {
        let numbers = self.begin_episode(crew, episode)?;
        let mut children: Vec<Child> = Vec::new();
        let mut heard = 0;
        loop {
            heard = self.catch_up(crew, episode, &mut children, heard)?;
            self.take_up(crew, &children)?;
            let next = *numbers.start() + children.len() as u64;
            if next > *numbers.end() {
                self.draw_controls(crew, &children)?;
            }
            let under_way = self.under_way(&children);
            if self.run.ledger().step(heard).is_some() {
                // A repeat has ended at once.
            } else if self.run.is_running() && next <= *numbers.end() && under_way < crew.at_a_time
            {
                children.push(self.propose(crew, next)?);
            } else if self.run.is_running() && next > *numbers.end() && under_way == 0 {
                return Ok(children);
            } else {
                let message = self.inbox.wait();
                self.hear(message, crew, &mut children)?;
            }
        }
    }

    /// Pass what has happened since step `heard` on to the strategy, and return the number of steps
    /// that it knows now.
    fn catch_up(
        &mut self,
        crew: &mut Crew,
        episode: usize,
        children: &mut Vec<Child>,
        mut heard: usize,
    ) -> Result<usize, Halt> {
        while let Some(step) = self.run.ledger().step(heard) {
            heard += 1;
            let (Step::Proposed(number) | Step::Ended(number)) = step;
            if episode::episode_of(number, &self.run.config.search) != episode {
                continue;
            }
            let known = children.iter().find(|child| child.number == number);
            match (step, known) {
                (Step::Proposed(_), None) => children.push(self.propose(crew, number)?),
                (Step::Ended(_), Some(child)) => {
                    let reward = self.run.ledger().ended(number).and_then(Ended::reward);
                    if let Some(reward) = reward {
                        crew.strategy.child_ended(number, &child.proposal, reward)?;
                    }
                }
                (Step::Proposed(_), Some(_)) | (Step::Ended(_), None) => {}
            }
        }
        Ok(heard)
    }

    /// Submit the children that are not being worked on, and let repeats take over their outcomes.
    fn take_up(&mut self, crew: &mut Crew, children: &[Child]) -> Result<(), Halt> {
        for child in children {
            let is_new = self.run.ledger().ended(child.number).is_none()
                && !self.submitted.contains(&child.number);
            match child.repeats {
                _ if !is_new => {}
                Some(_) => self.settle_repeat(child)?,
                None => self.submit(child.number, &child.design, crew),
            }
        }
        Ok(())
    }

    /// Number of children and controls that have not ended.
    fn under_way(&self, children: &[Child]) -> usize {
        let ledger = &self.run.ledger();
        let open = |child: &&Child| ledger.ended(child.number).is_none();
        children.iter().chain(&self.controls).filter(open).count()
    }
}
