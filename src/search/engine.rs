//! The search itself, as in Zoph & Le: sample children, train them, learn from their rewards,
//! repeat.
//!
//! It has one thread and one inbox. Its state is always the last checkpoint plus the journal: a
//! search that was killed samples the interrupted episode again (same seeds, same policy, hence the
//! same children), takes the outcomes that are in the journal, and trains the rest. What is already
//! in the journal is never written again.

mod controls;
mod opening;
mod reports;
mod steady;
mod steering;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use tokio::sync::mpsc::UnboundedSender;

use super::checkpoint::SearchCheckpoint;
use super::episode::{self, Child};
use super::error::SearchError;
use super::inbox::{Heard, Inbox};
use super::ledger::Ended;
use super::work::Search;
use crate::analysis::early_stopping::Rule;
use crate::evaluate::{EarlyStop, Evaluator, Job, Report};
use crate::event::{Event, Level};
use crate::session::{Halt, Run};
use crate::space::{Design, Space};
use crate::strategy::{Reward, Strategy};

/// A search in progress in this process.
pub(super) struct SearchEngine<'a> {
    run: &'a mut Run<Search>,
    inbox: Inbox,
    /// Whether the run is to stop once the current episode has been learned from.
    stops_after_episode: bool,
    /// Children submitted to the evaluator that have not ended.
    submitted: BTreeSet<u64>,
    /// Controls of the current episode.
    controls: Vec<Child>,
}

/// The components that do the work, created anew in every session.
struct Crew<'a> {
    evaluator: &'a mut dyn Evaluator,
    strategy: Box<dyn Strategy>,
    space: Space,
    /// Number of children that the evaluator works on at a time, at least 1.
    at_a_time: usize,
}

/// What a child's evaluation took, as measured by its evaluator.
#[derive(Debug, Clone, Copy, Default)]
struct Effort {
    seconds: f64,
    energy_wh: Option<f64>,
}

impl SearchEngine<'_> {
    pub(super) fn new(run: &mut Run<Search>, inbox: Inbox) -> SearchEngine<'_> {
        SearchEngine {
            run,
            inbox,
            stops_after_episode: false,
            submitted: BTreeSet::new(),
            controls: Vec::new(),
        }
    }

    /// Search until every episode is done, a client asks for a stop, or an error makes it
    /// impossible to continue.
    pub(super) fn run(
        mut self,
        search: Search,
        reports: UnboundedSender<Report>,
        checkpoint: Option<SearchCheckpoint>,
    ) -> Result<(), Halt> {
        let mut evaluator = None;
        let ending = self.work(search, reports, checkpoint, &mut evaluator);
        if let Some(mut evaluator) = evaluator {
            evaluator.shutdown();
        }
        ending
    }

    /// Everything except the final records. `evaluator` receives the workers as soon as they are
    /// started.
    fn work(
        &mut self,
        search: Search,
        reports: UnboundedSender<Report>,
        checkpoint: Option<SearchCheckpoint>,
        evaluator: &mut Option<Box<dyn Evaluator>>,
    ) -> Result<(), Halt> {
        self.make_good(checkpoint.as_ref())?;
        let evaluator = evaluator
            .insert((search.evaluator)(&self.run.config, reports)?)
            .as_mut();
        let (ready, held) = self.await_workers()?;
        let space = self.space(&ready)?;
        let mut strategy = (search.strategy)(&self.run.config, &space)?;
        self.open(&ready, &space)?;
        if let Some(checkpoint) = &checkpoint {
            strategy.restore(&checkpoint.state)?;
        }
        let first_episode = checkpoint.map_or(0, |checkpoint| checkpoint.episode) + 1;
        let mut crew = Crew {
            evaluator,
            strategy,
            space,
            at_a_time: ready.workers.max(1),
        };
        let ending = self
            .begin_with(held, &mut crew)
            .and_then(|()| self.search(&mut crew, first_episode));
        if matches!(ending, Err(Halt::Stopped)) && self.run.ledger().checkpointed.is_none() {
            // Later there always is one: the strategy has not changed since the last episode.
            self.save_checkpoint(&crew, 0)?;
        }
        ending
    }

    /// Handle what arrived while the workers were starting, and resubmit the edited children of an
    /// earlier session.
    fn begin_with(&mut self, held: Vec<Heard>, crew: &mut Crew) -> Result<(), Halt> {
        self.submit_queued(crew);
        held.into_iter()
            .try_for_each(|message| self.hear(message, crew, &mut []))
    }

    /// The main loop.
    fn search(&mut self, crew: &mut Crew, first_episode: usize) -> Result<(), Halt> {
        for episode in first_episode..=self.run.config.search.episodes {
            self.attend(crew)?;
            let children = if crew.strategy.learns_from_each() {
                self.train_and_learn(crew, episode)?
            } else {
                let mut children = self.sample(crew, episode)?;
                self.train(crew, &mut children)?;
                children
            };
            self.learn(crew, episode, &children)?;
            self.save_checkpoint(crew, episode)?;
            if self.stops_after_episode && episode < self.run.config.search.episodes {
                return Err(Halt::Stopped);
            }
        }
        self.finish_edited(crew)
    }

    /// Record the beginning of an episode, and return the numbers of its children.
    fn begin_episode(&mut self, crew: &Crew, episode: usize) -> Result<RangeInclusive<u64>, Halt> {
        let numbers = episode::children_of(episode, &self.run.config.search);
        if self.run.ledger().episode_started < episode {
            let depth = self.run.config.search.depth(*numbers.start());
            self.run.tell(Event::EpisodeStarted {
                episode,
                depth,
                baseline: crew.strategy.baseline(),
            })?;
        }
        Ok(numbers)
    }

    /// Sample the children of an episode, all from the same policy, and find out which of them
    /// repeat an earlier one.
    fn sample(&mut self, crew: &mut Crew, episode: usize) -> Result<Vec<Child>, Halt> {
        let numbers = self.begin_episode(crew, episode)?;
        let mut children = Vec::with_capacity(self.run.config.search.children_per_episode);
        for number in numbers {
            children.push(self.propose(crew, number)?);
        }
        Ok(children)
    }

    /// Propose and record one child with the strategy's current state.
    fn propose(&mut self, crew: &mut Crew, number: u64) -> Result<Child, Halt> {
        let search = &self.run.config.search;
        let mut child = Child::propose::<Halt>(&mut *crew.strategy, &crew.space, search, number)?;
        self.record_sample(&child)?;
        child.repeats = self.earlier(&child);
        Ok(child)
    }

    /// The earlier child whose outcome this one takes over, if any.
    fn earlier(&self, child: &Child) -> Option<u64> {
        let first = self.run.ledger().first_with(&child.design.key());
        first.filter(|first| self.run.config.search.reuse && *first < child.number)
    }

    /// Record a sampled child or, if an earlier session did, verify that it is the same child.
    fn record_sample(&mut self, child: &Child) -> Result<(), Halt> {
        match self.run.ledger().dna(child.number) {
            None => self.run.tell(Event::ChildSampled(child.sampled()))?,
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

    /// Train every child that is neither a repeat nor already trained, until all have ended.
    fn train(&mut self, crew: &mut Crew, children: &mut [Child]) -> Result<(), Halt> {
        for child in &*children {
            match child.repeats {
                _ if self.run.ledger().ended(child.number).is_some() => {}
                Some(_) => self.settle_repeat(child)?,
                None => self.submit(child.number, &child.design, crew),
            }
        }
        self.draw_controls(crew, children)?;
        loop {
            let all_ended = (children.iter().chain(&self.controls))
                .all(|child| self.run.ledger().ended(child.number).is_some());
            // While paused, the search waits before it learns.
            if all_ended && self.run.is_running() {
                return Ok(());
            }
            let message = self.inbox.wait();
            self.hear(message, crew, children)?;
        }
    }

    fn submit(&mut self, child: u64, design: &Design, crew: &mut Crew) {
        let seed = episode::training_seed(child, &self.run.config.search);
        self.submitted.insert(child);
        crew.evaluator.submit(Job {
            child,
            seed,
            design: design.clone(),
            stop: self.early_stop(child),
        });
    }

    /// When to stop a child early, by the settings and the children of earlier episodes, which do
    /// not depend on the order in which workers finish. Controls are stopped by the same accuracy as
    /// their episode's children, edited children never.
    fn early_stop(&self, child: u64) -> Option<EarlyStop> {
        let config = &self.run.config;
        let rule = Rule::of(config.early_stopping, config.child.epochs)?;
        let controls = config.search.episodes as u64 * config.search.controls();
        if child > config.search.children() + controls {
            return None;
        }
        let episode = episode::episode_of(child, &config.search);
        let first = *episode::children_of(episode, &config.search).start();
        let below = rule.threshold(self.run.ledger().trained_before(first))?;
        let after = rule.after;
        Some(EarlyStop { after, below })
    }

    /// Let the strategy learn from the rewards of an episode's children, leaving out those without
    /// a reward.
    fn learn(&mut self, crew: &mut Crew, episode: usize, children: &[Child]) -> Result<(), Halt> {
        let ledger = &self.run.ledger();
        let seconds = ledger.episode_seconds(jiff::Timestamp::now());
        let ended = children
            .iter()
            .filter_map(|child| Some((child, ledger.ended(child.number)?)));
        let (counting, ended): (Vec<&Child>, Vec<&Ended>) =
            ended.filter(|(_, ended)| ended.reward().is_some()).unzip();
        let excluded = children.len() - counting.len();
        if counting.is_empty() {
            if ledger.episode_excluded < episode {
                self.run.tell(Event::EpisodeExcluded {
                    episode,
                    children: excluded,
                    seconds,
                })?;
            }
            return Ok(());
        }
        let proposals: Vec<_> = counting
            .iter()
            .map(|child| child.proposal.clone())
            .collect();
        let rewards: Vec<Reward> = ended.iter().filter_map(|ended| ended.earned()).collect();
        let learned = crew.strategy.learn(&proposals, &rewards)?;
        let finished = episode::finished(episode, &counting, &ended, excluded, learned, seconds);
        match ledger.episode_finished.as_ref().filter(|earlier| earlier.episode >= episode) {
            None => self.run.tell(Event::EpisodeFinished(finished))?,
            Some(earlier) if earlier.episode > episode || episode::same_learning(earlier, &finished) => {}
            Some(_) => self.run.notice(
                Level::Warning,
                format!(
                    "what the controller learns from episode {episode} differs from the journal: the program, its libtorch or \
                     this is another machine, and the run will not equal an uninterrupted one"
                ),
            )?,
        }
        Ok(())
    }

    fn save_checkpoint(&mut self, crew: &Crew, episode: usize) -> Result<(), Halt> {
        let next_child = (episode * self.run.config.search.children_per_episode) as u64 + 1;
        let checkpoint = SearchCheckpoint {
            seed: self.run.config.search.seed,
            episode,
            next_child,
            journal_seq: self.run.recorder.synced_seq()?,
            config: self.run.config.to_toml(),
            state: crew.strategy.state(),
        };
        checkpoint.save(&self.run.directory.checkpoint_path())?;
        if self
            .run
            .ledger()
            .checkpointed
            .is_none_or(|last| last < episode)
        {
            self.run.tell(Event::CheckpointSaved {
                episode,
                next_child,
            })?;
        }
        Ok(())
    }
}
