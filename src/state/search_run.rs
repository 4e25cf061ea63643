//! A search according to its events.

mod workers;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Candidate, CandidateOrigin, ChildRow, ClusterPlace, Notes, Outcomes, TrainedChild, pairs,
};
use crate::event::{ChildFinished, EpisodeFinished, Event, RunStarted};
use crate::space::{Architecture, Genes, Head};

/// What is known about a search after the events so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SearchRun {
    /// `None` before the run has begun.
    pub started: Option<RunStarted>,
    /// Whether the run will stop after the current episode.
    pub stops_after_episode: bool,
    /// Total energy of the children.
    pub energy: Energy,
    /// Number of the current episode, from 1; 0 before the first.
    pub episode: usize,
    /// Number of layers of the current episode's latest children; 0 before the first.
    pub depth: usize,
    /// Baseline for the next advantages; `None` before the first one, or for a strategy without
    /// one.
    pub baseline: Option<f64>,
    /// Every child that has ended, in the order of their ends. Kept apart in a snapshot.
    #[serde(skip)]
    pub children: Vec<ChildRow>,
    /// Number of children of each kind, and the best one. Kept apart in a snapshot.
    #[serde(skip)]
    pub outcomes: Outcomes,
    /// Finished episodes, in order.
    pub episodes: Vec<EpisodeFinished>,
    /// Numbers of the records that end each of `episodes`.
    pub episode_seqs: Vec<u64>,
    /// Children sampled or queued but not ended, by number.
    #[serde(with = "pairs")]
    pub waiting: BTreeMap<u64, Candidate>,
    /// Children in training, by worker.
    #[serde(with = "pairs")]
    pub by_worker: BTreeMap<usize, TrainedChild>,
    /// The workers on this machine that are running.
    #[serde(default)]
    pub ready: BTreeSet<usize>,
    /// The child that a worker without one has trained last, if others waited when it ended. Those of a cluster
    /// are not among them: there it may take long until the next one begins.
    #[serde(with = "pairs", default)]
    pub ended_by_worker: BTreeMap<usize, TrainedChild>,
    /// What users have written on children.
    pub notes: Notes,
}

/// Energy used by children, as far as their GPUs reported it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Energy {
    /// Sum over the children whose energy is known.
    pub watt_hours: f64,
    /// Number of children whose energy is known.
    pub children: u64,
}

impl Energy {
    /// Mean watt-hours per child; `None` before any are known.
    pub fn mean(&self) -> Option<f64> {
        (self.children > 0).then(|| self.watt_hours / self.children as f64)
    }
}

impl SearchRun {
    /// Process the next event of the run, which is record `seq` of the journal.
    pub fn apply(&mut self, event: &Event, seq: u64) {
        self.outcomes.apply(event);
        self.notes.apply(event);
        match event {
            Event::RunStarted(run) => self.started = Some(run.clone()),
            Event::RunResumed { .. } => {
                self.stops_after_episode = false;
                // Sampling is not recorded again, but training restarts.
                self.clear_workers();
            }
            Event::EpisodeStarted {
                episode,
                depth,
                baseline,
            } => {
                self.episode = *episode;
                self.depth = *depth;
                self.baseline = *baseline;
                self.ended_by_worker.clear();
            }
            Event::EpisodeFinished(episode) => {
                self.baseline = episode.next_baseline;
                self.episodes.push(episode.clone());
                self.episode_seqs.push(seq);
            }
            Event::EpisodeStopRequested => self.stops_after_episode = true,
            Event::EpisodeStopWithdrawn => self.stops_after_episode = false,
            Event::RunFinished { .. } => self.clear_workers(),
            _ => {
                self.apply_training(event, seq);
                self.apply_end(event, seq);
            }
        }
    }

    /// The heads of its space; none before it has begun.
    pub fn heads(&self) -> &[Head] {
        self.started.as_ref().map_or(&[], |run| &run.heads)
    }

    /// Number of layers that a panel should have room for, so that it need not grow with each layer that the
    /// plan of the search adds: the next multiple of four, but not more than are planned. In a journal without
    /// the plan, a depth that has grown is expected to grow further.
    pub fn depth_ahead(&self) -> usize {
        let outlook = self.started.as_ref().and_then(|run| run.outlook.as_ref());
        let last = outlook.and_then(|outlook| outlook.depths.last());
        let first = self.children.first().map(|row| row.genes.depth());
        let grows = first.is_some_and(|first| self.depth > first);
        let unknown = if grows { usize::MAX } else { 0 };
        let planned = last.map_or(unknown, |last| last.depth);
        self.depth.next_multiple_of(4).min(planned).max(self.depth)
    }

    /// Number of epochs that each child is trained for; 0 before it has begun.
    pub fn child_epochs(&self) -> usize {
        self.started.as_ref().map_or(0, |run| run.child_epochs)
    }

    /// Process an event of a child before its end.
    fn apply_training(&mut self, event: &Event, seq: u64) {
        match event {
            Event::ChildSampled(sampled) => {
                // Depth may grow within an episode.
                self.depth = self.depth.max(sampled.dna.depth());
                self.waiting
                    .insert(sampled.child, Candidate::sampled(sampled, seq));
            }
            Event::ChildQueued(queued) => {
                self.waiting
                    .insert(queued.child, Candidate::queued(queued, seq));
            }
            Event::ChildStarted {
                child,
                worker,
                device,
                attempt,
                host,
                task,
                ..
            } => {
                let place = host.clone().map(|host| ClusterPlace {
                    host,
                    task: task.clone(),
                    attempt: *attempt,
                });
                self.start_child(*child, *worker, device, place);
            }
            Event::ChildProgress(progress) => {
                let training = self.training_of(progress.worker, progress.child);
                // A client that connects late can hear a tick of an epoch that has ended since.
                if let Some(training) = training.filter(|it| progress.epoch > it.epochs.len()) {
                    training.progress = Some(progress.clone());
                }
            }
            Event::ChildEpoch(epoch) => {
                if let Some(training) = self.training_of(epoch.worker, epoch.child) {
                    training.epochs.push(epoch.clone());
                }
            }
            Event::WorkerStarted {
                worker, host: None, ..
            } => {
                self.ready.insert(*worker);
            }
            Event::WorkerDied { worker, .. } => {
                self.ready.remove(worker);
                self.ended_by_worker.remove(worker);
            }
            Event::ChildRetried { child, .. } => self
                .by_worker
                .retain(|_, training| training.child != *child),
            _ => {}
        }
    }

    /// Process the end of a child, if the event is one.
    fn apply_end(&mut self, event: &Event, seq: u64) {
        match event {
            Event::ChildFinished(finished) => {
                self.finish_child(finished, seq);
            }
            Event::ChildFailed {
                child,
                episode,
                reward,
                seconds,
                ..
            } => {
                self.end_child(self.row(*child, *episode, Some(*reward), *seconds, seq));
            }
            Event::ChildExcluded {
                child,
                episode,
                seconds,
                ..
            } => self.end_child(self.row(*child, *episode, None, *seconds, seq)),
            _ => {}
        }
    }

    /// Number of the most accurate child.
    pub fn best_child(&self) -> Option<u64> {
        self.outcomes.best.as_ref().map(|best| best.child)
    }

    /// The network of the most accurate child.
    pub fn best_architecture(&self) -> Option<&Architecture> {
        self.outcomes.best_design.as_ref()?.network()
    }

    /// The row of a child that has ended. Children end nearly in the order of their numbers, so the
    /// search goes outwards from the expected position.
    pub fn ended(&self, child: u64) -> Option<&ChildRow> {
        let rows = &self.children;
        let guess = usize::try_from(child).unwrap_or(usize::MAX);
        let guess = guess.saturating_sub(1).min(rows.len());
        let is_it = |row: &&ChildRow| row.child == child;
        (0..=rows.len()).find_map(|distance| {
            let above = guess
                .checked_sub(distance)
                .and_then(|index| rows.get(index));
            let below = || rows.get(guess + distance).filter(is_it);
            above.filter(is_it).or_else(below)
        })
    }

    /// The children that the strategy proposed. Controls and edited children do not count in the
    /// figures of the search.
    pub fn sampled(&self) -> impl Iterator<Item = &ChildRow> + Clone {
        self.children.iter().filter(|row| row.is_proposed())
    }

    /// The children with an outcome: all sampled ones except excluded ones.
    pub fn evaluated(&self) -> impl Iterator<Item = &ChildRow> + Clone {
        self.sampled().filter(|row| !row.is_excluded())
    }

    /// The children that were trained; repeats took over the accuracy of an earlier one.
    pub fn trained(&self) -> impl Iterator<Item = &ChildRow> + Clone {
        self.children.iter().filter(|row| row.repeat_of.is_none())
    }

    /// The children that wait in the queue of a cluster; `None` without one.
    pub fn queue(&self) -> Option<impl Iterator<Item = u64>> {
        let device = self.started.as_ref()?.device.as_deref()?;
        let waiting = self.waiting.keys().copied();
        device
            .ends_with("(slurm)")
            .then(|| waiting.filter(|child| self.in_training(*child).is_none()))
    }

    fn training_of(&mut self, worker: usize, child: u64) -> Option<&mut TrainedChild> {
        self.by_worker
            .get_mut(&worker)
            .filter(|training| training.child == child)
    }

    fn start_child(
        &mut self,
        child: u64,
        worker: usize,
        device: &str,
        place: Option<ClusterPlace>,
    ) {
        let candidate = self.waiting.get(&child).cloned();
        self.ended_by_worker.remove(&worker);
        self.by_worker.insert(
            worker,
            TrainedChild {
                child,
                device: device.to_owned(),
                place,
                candidate,
                progress: None,
                epochs: Vec::new(),
            },
        );
    }

    fn finish_child(&mut self, finished: &ChildFinished, seq: u64) {
        if finished.is_retraining()
            && let Some(mean) = &finished.mean
        {
            let earlier = |row: &&mut ChildRow| mean.children.contains(&row.child);
            let rows = self.children.iter_mut().filter(earlier);
            rows.for_each(|row| row.superseded = true);
        }
        let (child, reward) = (finished.child, Some(finished.reward));
        let row = self.row(child, finished.episode, reward, finished.seconds, seq);
        self.end_child(ChildRow {
            accuracy: Some(finished.accuracy),
            params: finished.params,
            macs: finished.macs,
            repeat_of: finished.repeat_of,
            mean: finished.mean.clone(),
            skipped: finished.skipped,
            energy_wh: finished.energy_wh,
            ..row
        });
    }

    /// The row of a child that ends now, as far as it is known from its sampling.
    fn row(
        &self,
        child: u64,
        episode: usize,
        reward: Option<f64>,
        seconds: f64,
        seq: u64,
    ) -> ChildRow {
        let candidate = self.waiting.get(&child);
        let (log_prob, entropy) = match candidate.map(|candidate| &candidate.origin) {
            Some(CandidateOrigin::Sampled {
                log_prob, entropy, ..
            }) => (Some(*log_prob), Some(*entropy)),
            _ => (None, None),
        };
        ChildRow {
            child,
            episode,
            accuracy: None,
            reward,
            params: candidate.map_or(0, |candidate| candidate.params),
            macs: candidate.map_or(0, |candidate| candidate.macs),
            seconds,
            repeat_of: None,
            mean: None,
            superseded: false,
            parent: candidate.and_then(Candidate::parent),
            control: candidate.is_some_and(Candidate::is_control),
            skipped: false,
            energy_wh: None,
            genes: candidate.map_or_else(Genes::default, |candidate| Genes::from(&candidate.dna)),
            log_prob,
            entropy,
            sampled_seq: candidate.map_or(0, |candidate| candidate.seq),
            ended_seq: seq,
        }
    }

    fn end_child(&mut self, row: ChildRow) {
        if let Some(watt_hours) = row.energy_wh.filter(|watt_hours| watt_hours.is_finite()) {
            self.energy.watt_hours += watt_hours;
            self.energy.children += 1;
        }
        self.waiting.remove(&row.child);
        if let Some((worker, _)) = self.in_training(row.child)
            && let Some(training) = self.by_worker.remove(&worker)
            && row.accuracy.is_some()
            && training.place.is_none()
            && self.waits()
        {
            self.ended_by_worker.insert(worker, training);
        }
        self.children.push(row);
    }

    fn clear_workers(&mut self) {
        self.by_worker.clear();
        self.ended_by_worker.clear();
        self.ready.clear();
    }
}

#[cfg(test)]
mod tests;
