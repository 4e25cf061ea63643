//! The search itself, as in Zoph & Le: sample children, train them, learn from their rewards,
//! repeat.
//!
//! It has one thread and one inbox. Its state is always the last checkpoint plus the journal: a
//! search that was killed samples the children of the interrupted episode again (same seeds, same
//! policy, hence the same children), takes the outcomes that are in the journal, and trains the rest.
//! What is already in the journal is never written again.

mod advance;
mod controls;
mod failures;
mod opening;
mod repeats;
mod reports;
mod steering;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tokio::sync::mpsc::UnboundedSender;

use super::checkpoint::SearchCheckpoint;
use super::episode::{self, Child};
use super::inbox::{Heard, Inbox};
use super::ledger::Ended;
use super::work::Search;
use crate::analysis::early_stopping::Rule;
use crate::evaluate::{EarlyStop, Evaluator, Job, Report};
use crate::event::{Event, Level};
use crate::runs::directory::SEARCH_CHECKPOINT;
use crate::session::{Halt, Run};
use crate::space::Space;
use crate::strategy::{Reward, Strategy};

/// A search in progress in this process.
pub(super) struct SearchEngine<'a> {
    run: &'a mut Run<Search>,
    inbox: Inbox,
    /// Whether the run is to stop once the current episode has been learned from.
    stops_after_episode: bool,
    /// Children submitted to the evaluator that have not ended.
    submitted: BTreeSet<u64>,
    /// Batches for a cluster whose record may not be in the journal yet.
    intended: Vec<u64>,
    /// Outcomes of trainings that wait for an earlier training of the same architecture, or, of
    /// failures, for a success in their episode.
    held: BTreeMap<u64, (Ended, Effort)>,
    /// Episodes that have begun and have not been learned from, in order.
    open: VecDeque<OpenEpisode>,
    /// Number of episodes that have been learned from.
    learned: usize,
    /// Number of the journal's steps that the strategy knows.
    heard: usize,
    /// The latest episode without a success that was learned from all the same; 0 if there is none.
    believed: usize,
}

/// An episode in progress.
struct OpenEpisode {
    number: usize,
    /// Children proposed so far, in order, and controls drawn so far.
    children: Vec<Child>,
    controls: Vec<Child>,
}

impl OpenEpisode {
    fn new(number: usize) -> OpenEpisode {
        OpenEpisode {
            number,
            children: Vec::new(),
            controls: Vec::new(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Child> {
        self.children.iter().chain(&self.controls)
    }
}

/// The components that do the work, created anew in every session.
struct Crew<'a> {
    evaluator: &'a mut dyn Evaluator,
    strategy: Box<dyn Strategy>,
    space: Space,
    /// Number of children that the evaluator worked on at a time when it was ready, at least 1.
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
            intended: Vec::new(),
            held: BTreeMap::new(),
            open: VecDeque::new(),
            learned: 0,
            heard: 0,
            believed: 0,
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
            .insert((search.evaluator)(
                &self.run.config,
                self.run.directory().path(),
                reports,
            )?)
            .as_mut();
        let (ready, held) = self.await_workers()?;
        let space = self.space(&ready)?;
        let strategy = (search.strategy)(&self.run.config, &space)?;
        self.open(&ready, &space)?;
        let mut crew = Crew {
            evaluator,
            strategy,
            space,
            at_a_time: ready.workers.max(1),
        };
        self.restore(&mut crew, checkpoint)?;
        let ending = self
            .begin_with(held, &mut crew)
            .and_then(|()| self.search(&mut crew));
        if matches!(ending, Err(Halt::Stopped)) && self.run.ledger().checkpointed.is_none() {
            // Later there always is one: the strategy has not changed since the last episode.
            self.save_checkpoint(&crew, 0)?;
        }
        ending
    }

    /// Continue from the checkpoint, if it is one that something was learned before. Otherwise
    /// everything is replayed from the journal.
    fn restore(
        &mut self,
        crew: &mut Crew,
        checkpoint: Option<SearchCheckpoint>,
    ) -> Result<(), Halt> {
        let Some(checkpoint) = checkpoint.filter(|checkpoint| checkpoint.episode > 0) else {
            return Ok(());
        };
        let Some(heard) = self.run.ledger().steps_until(checkpoint.episode) else {
            return Ok(());
        };
        self.heard = heard;
        let ledger = self.run.ledger();
        let is_recorded = |child| ledger.sampled(child).is_some();
        if !self.proposed_before(checkpoint.episode).all(is_recorded) {
            self.heard = 0;
            return Ok(());
        }
        crew.strategy.restore(&checkpoint.state)?;
        self.learned = checkpoint.episode;
        Ok(())
    }

    /// Handle what arrived while the workers were starting, and resubmit the children of an earlier
    /// session that are not proposed again.
    fn begin_with(&mut self, held: Vec<Heard>, crew: &mut Crew) -> Result<(), Halt> {
        self.submit_queued(crew);
        self.take_over(crew)?;
        held.into_iter()
            .try_for_each(|message| self.hear(message, crew))?;
        self.attend(crew)
    }

    /// A child or control of an episode in progress.
    fn child(&self, number: u64) -> Option<&Child> {
        let search = &self.run.config.search;
        let episode = episode::episode_of(number, search);
        let open = self.open.iter().find(|open| open.number == episode)?;
        let first = *episode::children_of(episode, search).start();
        let (first, children) = if number > search.children() {
            let first = *episode::controls_of(episode, search).start();
            (first, &open.controls)
        } else {
            (first, &open.children)
        };
        children.get(number.checked_sub(first)? as usize)
    }

    fn submit(&mut self, child: &Child, crew: &mut Crew) {
        self.submitted.insert(child.number);
        crew.evaluator.submit(Job {
            child: child.number,
            seed: episode::training_seed(child.number, &self.run.config.search),
            design: child.design.clone(),
            stop: self.early_stop(child),
        });
    }

    /// When to stop a child early, by the settings and the children of the episodes that had been
    /// learned from when it was proposed, which do not depend on the order in which workers finish.
    /// Controls are stopped like the other children, edited children never.
    fn early_stop(&self, child: &Child) -> Option<EarlyStop> {
        let config = &self.run.config;
        let rule = Rule::of(config.early_stopping, config.child.epochs)?;
        if child.number > config.search.numbered() {
            return None;
        }
        let episode = child.episode.saturating_sub(child.staleness).max(1);
        let first = *episode::children_of(episode, &config.search).start();
        let below = rule.threshold(self.run.ledger().trained_before(first))?;
        let after = rule.after;
        Some(EarlyStop { after, below })
    }

    /// Let the strategy learn from the first episode in progress, and save what it has learned.
    fn learn(&mut self, crew: &mut Crew) -> Result<(), Halt> {
        let Some(episode) = self.open.pop_front() else {
            return Ok(());
        };
        self.learned = episode.number;
        self.learn_from(crew, &episode)?;
        self.save_checkpoint(crew, episode.number)?;
        let is_last = self.learned == self.run.config.search.episodes;
        if self.stops_after_episode && self.open.is_empty() && !is_last {
            return Err(Halt::Stopped);
        }
        Ok(())
    }

    /// Let the strategy learn from the rewards of an episode's children, leaving out those without
    /// a reward.
    fn learn_from(&mut self, crew: &mut Crew, open: &OpenEpisode) -> Result<(), Halt> {
        let OpenEpisode {
            number: episode,
            children,
            ..
        } = open;
        let (episode, ledger) = (*episode, &self.run.ledger());
        let seconds = ledger.episode_seconds(episode, jiff::Timestamp::now());
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
        let mut finished =
            episode::finished(episode, &counting, &ended, excluded, learned, seconds);
        if self.run.config.search.is_asynchronous() {
            finished.staleness = Some(episode::staleness(&counting));
        }
        match ledger.episode_finished.as_ref().filter(|earlier| earlier.episode >= episode) {
            None => self.run.tell(Event::EpisodeFinished(finished))?,
            Some(earlier) if earlier.episode > episode || episode::same_learning(earlier, &finished) => {}
            Some(_) => self.run.notice(
                Level::Warning,
                format!(
                    "what the controller learns from episode {episode} differs from the journal: this is another program or \
                     another machine, and the run will not equal an uninterrupted one"
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
            journal_seq: self.run.recorder.last_seq(),
            config: self.run.config.to_toml(),
            state: crew.strategy.state(),
        };
        let contents = checkpoint.encode()?;
        self.run.recorder.replace(SEARCH_CHECKPOINT, contents)?;
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
