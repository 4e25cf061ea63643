//! How the search responds to the evaluator's reports and to the ends of children.

use super::{Crew, Effort, Halt, SearchEngine};
use crate::evaluate::Report;
use crate::event::{ChildFinished, Event, Level};
use crate::search::SearchError;
use crate::search::episode::{self, Child};
use crate::search::inbox::Heard;
use crate::search::ledger::Ended;

impl SearchEngine<'_> {
    /// Handle what has arrived; while paused, wait.
    pub(super) fn attend(&mut self, crew: &mut Crew) -> Result<(), Halt> {
        loop {
            let message = match self.inbox.poll() {
                Some(message) => message,
                None if self.run.is_running() => return Ok(()),
                None => self.inbox.wait(),
            };
            self.hear(message, crew, &mut [])?;
        }
    }

    /// `children` are those of the current episode.
    pub(super) fn hear(
        &mut self,
        message: Heard,
        crew: &mut Crew,
        children: &mut [Child],
    ) -> Result<(), Halt> {
        match message {
            Heard::Command(command) => self.obey(command, crew),
            Heard::Report(report) => self.take_report(report, crew, children),
            Heard::Silence => Err(SearchError::Evaluator(
                "the workers have ended without a report: see the log, then resume the run"
                    .to_owned(),
            )
            .into()),
        }
    }

    fn take_report(
        &mut self,
        report: Report,
        crew: &mut Crew,
        children: &mut [Child],
    ) -> Result<(), Halt> {
        match report {
            Report::Finished {
                child,
                outcome,
                seconds,
                energy_wh,
                test_accuracy,
            } => {
                let seconds = if seconds.is_finite() {
                    seconds.max(0.0)
                } else {
                    0.0
                };
                let macs = self.macs_of(child, children);
                let ended = episode::judge(&outcome, test_accuracy, macs, &self.run.config.reward);
                let effort = Effort { seconds, energy_wh };
                self.end_child(child, ended, effort, crew, children)
            }
            Report::Fatal { message } => Err(SearchError::Evaluator(message).into()),
            Report::Paused { number } => Ok(self.run.stands_still(number)?),
            other => match self.event_of(other) {
                Some(event) => Ok(self.run.tell(event)?),
                None => Ok(()),
            },
        }
    }

    /// The event for a report that has no other consequences; `None` if it is not recorded.
    fn event_of(&self, report: Report) -> Option<Event> {
        Some(match report {
            Report::WorkerStarted {
                worker,
                pid,
                device,
                host,
            } => Event::WorkerStarted {
                worker,
                pid,
                device,
                host,
            },
            Report::WorkerDied { worker, reason } => Event::WorkerDied { worker, reason },
            Report::ChildStarted {
                child,
                worker,
                device,
                attempt,
            } => {
                let queued = self.run.ledger().queued_child(child);
                let episode = queued.map_or_else(
                    || episode::episode_of(child, &self.run.config.search),
                    |queued| queued.episode,
                );
                Event::ChildStarted {
                    child,
                    episode,
                    worker,
                    device,
                    attempt,
                }
            }
            Report::Progress(progress) if episode::is_finite_progress(&progress) => {
                Event::ChildProgress(progress)
            }
            Report::Progress(_) => return None,
            Report::Epoch(epoch) if episode::is_finite_epoch(&epoch) => Event::ChildEpoch(epoch),
            Report::Epoch(epoch) => Event::Notice {
                level: Level::Warning,
                message: format!(
                    "child {}: epoch {}: the loss is not a finite number",
                    epoch.child, epoch.epoch
                ),
            },
            Report::Retried { child, reason } => Event::ChildRetried { child, reason },
            Report::Log { level, message } => Event::Notice { level, message },
            // Workers send these once, before anything is trained; the others need more than a
            // record.
            Report::Ready(_)
            | Report::Finished { .. }
            | Report::Fatal { .. }
            | Report::Paused { .. } => return None,
        })
    }

    /// Multiply-accumulates of a child that was sampled or edited.
    fn macs_of(&self, number: u64, children: &[Child]) -> u64 {
        let edited = self.run.ledger().queued_child(number);
        let sampled = children.iter().find(|child| child.number == number);
        let edited = edited.map(|child| child.macs);
        edited.or(sampled.map(|child| child.macs)).unwrap_or(0)
    }

    /// End a child that was in training, and with it its repeats in the same episode.
    fn end_child(
        &mut self,
        number: u64,
        ended: Ended,
        effort: Effort,
        crew: &mut Crew,
        children: &mut [Child],
    ) -> Result<(), Halt> {
        self.submitted.remove(&number);
        if let Some(queued) = self.run.ledger().queued_child(number).cloned() {
            return self.end_edited(queued, ended, effort);
        }
        let child = (children.iter().chain(&self.controls)).find(|child| child.number == number);
        let Some(child) = child.filter(|child| self.run.ledger().ended(child.number).is_none())
        else {
            return Ok(());
        };
        self.record_end(&child.clone(), ended, effort, None)?;
        for repeat in children
            .iter_mut()
            .filter(|child| child.repeats == Some(number))
        {
            // Repeat a different child if the one that ended was skipped or excluded.
            repeat.repeats = self.earlier(repeat);
            match repeat.repeats {
                Some(_) => self.settle_repeat(repeat)?,
                None => self.submit(repeat.number, &repeat.design, crew),
            }
        }
        Ok(())
    }

    /// Give a repeat the outcome of the child it repeats, if that one has ended. The repeat of a
    /// failure also fails: training it again would waste time (and perhaps a worker) on a network
    /// that is known to fail.
    pub(super) fn settle_repeat(&mut self, child: &Child) -> Result<(), Halt> {
        let ledger = &self.run.ledger();
        let earlier = child
            .repeats
            .and_then(|first| Some((first, ledger.ended(first)?)));
        let (Some((first, ended)), None) = (earlier, ledger.ended(child.number)) else {
            return Ok(());
        };
        let ended = match ended.clone() {
            Ended::Failed { reason, reward } => Ended::Failed {
                reason: format!("repeat of child {first}: {reason}"),
                reward,
            },
            trained => trained,
        };
        self.record_end(child, ended, Effort::default(), Some(first))
    }

    fn record_end(
        &mut self,
        child: &Child,
        ended: Ended,
        effort: Effort,
        repeat_of: Option<u64>,
    ) -> Result<(), Halt> {
        let event = self.end_of(child, ended, effort, repeat_of);
        let best = self.run.ledger().best().map(|best| best.child.child);
        self.run.tell(event)?;
        match self
            .run
            .ledger()
            .best()
            .filter(|now| Some(now.child.child) != best)
        {
            Some(now) => Ok(self.run.directory.write_best(now)?),
            None => Ok(()),
        }
    }

    /// The event that reports the end of a child.
    pub(super) fn end_of(
        &self,
        subject: &Child,
        ended: Ended,
        effort: Effort,
        repeat_of: Option<u64>,
    ) -> Event {
        let (child, episode) = (subject.number, subject.episode);
        let Effort { seconds, energy_wh } = effort;
        match ended {
            Ended::Failed { reason, reward } => Event::ChildFailed {
                child,
                episode,
                reason,
                reward,
                seconds,
                control: subject.is_control,
            },
            Ended::Excluded { reason } => Event::ChildExcluded {
                child,
                episode,
                reason,
                seconds,
                control: subject.is_control,
            },
            Ended::Trained {
                accuracy,
                reward,
                valid_accuracies,
                test_accuracy,
            } => {
                let is_short = valid_accuracies.len() < self.run.config.child.epochs;
                Event::ChildFinished(ChildFinished {
                    child,
                    episode,
                    dna: subject.proposal.dna.clone(),
                    accuracy,
                    reward,
                    params: subject.params,
                    macs: subject.macs,
                    seconds,
                    repeat_of,
                    // By a user, before its last epoch.
                    skipped: is_short && self.run.ledger().is_skipped(child),
                    stopped_early: is_short
                        && repeat_of.is_none()
                        && !self.run.ledger().is_skipped(child)
                        && self.early_stop(child).is_some(),
                    control: subject.is_control,
                    valid_accuracies,
                    energy_wh,
                    test_accuracy,
                })
            }
        }
    }
}
