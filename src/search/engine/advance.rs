//! The loop of every search: children are proposed as long as there is room for them, and an episode
//! is learned from when all of its children have ended.
//!
//! Strategies differ in when there is room. One that learns after an episode has all of its children
//! proposed at once, by the same policy. One that learns from each child, and any with
//! `search.updates = "asynchronous"`, is asked for a child whenever a worker is free; asynchronous
//! updates also let the next episode begin while children of earlier ones are in training.
//!
//! The strategy sees proposals, ends and updates in the order of the journal: a resumed search
//! replays those that follow its checkpoint, and arrives at the earlier session's state.

use super::{Crew, Halt, OpenEpisode, SearchEngine};
use crate::event::{Choice, Event};
use crate::search::SearchError;
use crate::search::episode::{self, Child};
use crate::search::ledger::{Ended, Step};

/// What the search does next.
enum Task {
    Begin(usize),
    Propose(u64),
    DrawControl(u64),
    /// Record a failure that was withheld.
    Settle(u64),
    /// Decide about an episode without a success.
    Judge,
    Learn,
    /// Wait for a command or a report.
    Listen,
    /// All episodes are done.
    End,
}

impl SearchEngine<'_> {
    /// The main loop.
    pub(super) fn search(&mut self, crew: &mut Crew) -> Result<(), Halt> {
        loop {
            self.look_after(crew)?;
            self.catch_up(crew)?;
            match self.next_task(crew) {
                Task::Begin(episode) => self.begin(crew, episode)?,
                Task::Propose(number) => self.propose(crew, number)?,
                Task::DrawControl(number) => self.draw_control(crew, number)?,
                Task::Settle(number) => self.settle(crew, number)?,
                Task::Judge => self.judge()?,
                Task::Learn => self.learn(crew)?,
                Task::Listen => self.listen(crew)?,
                Task::End => return self.finish_edited(crew),
            }
        }
    }

    /// Wait for the next message, or until the run directory must be looked at.
    pub(super) fn listen(&mut self, crew: &mut Crew) -> Result<(), Halt> {
        match self.inbox.wait_at_most(self.run.idle()) {
            Some(message) => self.hear(message, crew),
            None => Ok(()),
        }
    }

    fn next_task(&self, crew: &Crew) -> Task {
        if let Some(number) = self.releasable() {
            return Task::Settle(number);
        }
        // While paused, nothing is proposed or learned.
        if !self.run.is_running() {
            return Task::Listen;
        }
        if (self.open.front()).is_some_and(|episode| self.is_complete(episode)) {
            return Task::Learn;
        }
        if (self.open.front()).is_some_and(|episode| self.is_without_success(episode)) {
            return Task::Judge;
        }
        let has_room = self.has_room(crew);
        if let Some(task) = self.open.iter().find_map(|episode| self.missing(episode)) {
            return if has_room { task } else { Task::Listen };
        }
        let search = &self.run.config.search;
        let next = self.learned + self.open.len() + 1;
        let overlaps = search.is_asynchronous() && has_room && !self.stops_after_episode;
        if next > search.episodes && self.open.is_empty() {
            Task::End
        } else if next <= search.episodes && (self.open.is_empty() || overlaps) {
            Task::Begin(next)
        } else {
            Task::Listen
        }
    }

    /// The next child or control of an episode; `None` if all have been proposed.
    fn missing(&self, episode: &OpenEpisode) -> Option<Task> {
        let search = &self.run.config.search;
        let mut children = episode::children_of(episode.number, search);
        let mut controls = episode::controls_of(episode.number, search);
        let child = children.nth(episode.children.len()).map(Task::Propose);
        child.or_else(|| controls.nth(episode.controls.len()).map(Task::DrawControl))
    }

    /// Whether all children and controls of an episode have been proposed.
    pub(super) fn is_proposed(&self, episode: &OpenEpisode) -> bool {
        self.missing(episode).is_none()
    }

    fn is_complete(&self, episode: &OpenEpisode) -> bool {
        let ended = |child: &Child| self.run.ledger().ended(child.number).is_some();
        self.is_proposed(episode) && episode.all().all(ended)
    }

    /// Whether another child may be proposed now.
    fn has_room(&self, crew: &Crew) -> bool {
        if !(crew.strategy.learns_from_each() || self.run.config.search.is_asynchronous()) {
            return true;
        }
        let ledger = self.run.ledger();
        let children = self.open.iter().flat_map(OpenEpisode::all);
        let has_ended = |child: &Child| ledger.ended(child.number).is_some();
        let under_way = children.filter(|child| !has_ended(child) && !self.is_blocked(child));
        under_way.count() < crew.evaluator.workers().unwrap_or(crew.at_a_time)
    }

    /// Pass what has happened on to the strategy.
    fn catch_up(&mut self, crew: &mut Crew) -> Result<(), Halt> {
        while let Some(step) = self.run.ledger().step(self.heard) {
            self.heard += 1;
            match step {
                Step::Proposed(number) => {
                    let episode = episode::episode_of(number, &self.run.config.search);
                    if episode > self.learned && self.child(number).is_none() {
                        self.propose(crew, number)?;
                    }
                }
                Step::Ended(number) => self.tell_strategy(crew, number)?,
                Step::Learned(episode) if episode > self.learned => self.learn(crew)?,
                Step::Learned(_) => {}
            }
        }
        Ok(())
    }

    /// Let a strategy that learns from each child learn from the end of this one.
    fn tell_strategy(&self, crew: &mut Crew, number: u64) -> Result<(), Halt> {
        let child = self.child(number).filter(|child| !child.is_control);
        let (Some(child), true) = (child, crew.strategy.learns_from_each()) else {
            return Ok(());
        };
        match self.run.ledger().ended(number).and_then(Ended::reward) {
            Some(reward) => crew.strategy.child_ended(number, &child.proposal, reward)?,
            None => crew.strategy.leave_out(&child.proposal),
        }
        Ok(())
    }

    /// Begin an episode, unless something has arrived after which another task comes next.
    fn begin(&mut self, crew: &mut Crew, episode: usize) -> Result<(), Halt> {
        self.attend(crew)?;
        self.catch_up(crew)?;
        if matches!(self.next_task(crew), Task::Begin(next) if next == episode) {
            self.open_episode(crew, episode)?;
        }
        Ok(())
    }

    /// The episode with this number, which is recorded and begins now if it has not begun yet.
    fn open_episode(&mut self, crew: &Crew, number: usize) -> Result<&mut OpenEpisode, Halt> {
        if self.run.ledger().episode_started < number {
            let search = &self.run.config.search;
            self.run.tell(Event::EpisodeStarted {
                episode: number,
                depth: search.depth(*episode::children_of(number, search).start()),
                baseline: crew.strategy.baseline(),
            })?;
        }
        let index = self.open.partition_point(|open| open.number < number);
        if self
            .open
            .get(index)
            .is_none_or(|open| open.number != number)
        {
            self.open.insert(index, OpenEpisode::new(number));
        }
        Ok(&mut self.open[index])
    }

    /// Propose and record one child with the strategy's current state, and start it.
    fn propose(&mut self, crew: &mut Crew, number: u64) -> Result<(), Halt> {
        let search = &self.run.config.search;
        let episode = episode::episode_of(number, search);
        self.open_episode(crew, episode)?;
        let search = &self.run.config.search;
        let child = Child::propose::<Halt>(&mut *crew.strategy, &crew.space, search, number)?;
        self.add(crew, child)
    }

    /// Record a child, make it part of its episode, and start it.
    pub(super) fn add(&mut self, crew: &mut Crew, mut child: Child) -> Result<(), Halt> {
        let recorded = self.run.ledger().sampled(child.number);
        child.staleness = recorded.map_or_else(
            || child.episode.saturating_sub(self.learned + 1),
            |sampled| sampled.staleness,
        );
        self.record_sample(&child)?;
        let number = child.number;
        let episode = self.open_episode(crew, child.episode)?;
        if child.is_control {
            episode.controls.push(child);
        } else {
            episode.children.push(child);
        }
        self.proceed(crew, number)
    }

    /// Record a sampled child or, if an earlier session did, verify that it is the same child.
    fn record_sample(&mut self, child: &Child) -> Result<(), Halt> {
        match self.run.ledger().dna(child.number) {
            None => {
                let mut sampled = child.sampled();
                // A resumed search samples the child again, except if updates are asynchronous: then it
                // learns from the recorded choices.
                if !self.run.config.search.is_asynchronous() {
                    let choices = sampled.choices.iter();
                    sampled.choices = choices.map(Choice::rounded).collect();
                }
                self.run.tell(Event::ChildSampled(sampled))?;
            }
            Some(dna) if *dna == child.proposal.dna => {}
            Some(dna) => {
                let (journal, sampled) = (dna.clone(), child.proposal.dna.clone());
                return Err(SearchError::OtherChild {
                    child: child.number,
                    journal,
                    sampled,
                }
                .into());
            }
        }
        Ok(())
    }

    /// Children that were proposed before the checkpoint of `episode` was saved and have not been
    /// learned from: an older policy proposed them, so they are taken from the journal.
    pub(super) fn proposed_before(&self, episode: usize) -> impl Iterator<Item = u64> + '_ {
        let steps = (0..self.heard).filter_map(|index| self.run.ledger().step(index));
        let proposed = steps.filter_map(|step| match step {
            Step::Proposed(number) => Some(number),
            Step::Ended(_) | Step::Learned(_) => None,
        });
        proposed
            .filter(move |number| episode::episode_of(*number, &self.run.config.search) > episode)
    }

    /// Continue with the children of [`SearchEngine::proposed_before`].
    pub(super) fn take_over(&mut self, crew: &mut Crew) -> Result<(), Halt> {
        let numbers: Vec<u64> = self.proposed_before(self.learned).collect();
        for number in numbers {
            if let Some(sampled) = self.run.ledger().sampled(number) {
                let child = Child::recorded::<Halt>(sampled, &crew.space)?;
                self.add(crew, child)?;
            }
        }
        Ok(())
    }
}
