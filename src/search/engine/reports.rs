//! How the search responds to the evaluator's reports and to the ends of children.

use super::{Crew, Effort, Halt, SearchEngine};
use crate::evaluate::Report;
use crate::event::{ChildFinished, Event, Level};
use crate::runs::directory::BEST;
use crate::search::SearchError;
use crate::search::episode::{self, Child};
use crate::search::inbox::Heard;
use crate::search::ledger::Ended;

/// Number of messages after which the search continues, even if there are more.
const MOST_AT_ONCE: usize = 256;

impl SearchEngine<'_> {
    /// Handle what has arrived. However much there is and goes on arriving, this ends.
    pub(super) fn attend(&mut self, crew: &mut Crew) -> Result<(), Halt> {
        for _ in 0..MOST_AT_ONCE {
            match self.inbox.poll() {
                Some(message) => self.hear(message, crew)?,
                None => break,
            }
        }
        Ok(())
    }

    pub(super) fn hear(&mut self, message: Heard, crew: &mut Crew) -> Result<(), Halt> {
        match message {
            Heard::Order(order) => self.obey(order, crew),
            Heard::Report(report) => self.take_report(report, crew),
            Heard::Silence => Err(SearchError::Evaluator(
                "the workers have ended without a report: see the log, then resume the run"
                    .to_owned(),
            )
            .into()),
        }
    }

    fn take_report(&mut self, report: Report, crew: &mut Crew) -> Result<(), Halt> {
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
                let macs = self.macs_of(child);
                let ended = episode::judge(&outcome, test_accuracy, macs, &self.run.config.reward);
                let effort = Effort { seconds, energy_wh };
                self.end_child(child, ended, effort, crew)
            }
            Report::Fatal { message } => Err(SearchError::Evaluator(message).into()),
            Report::Paused { number } => Ok(self.run.stands_still(number)?),
            Report::BatchIntended {
                batch,
                job,
                tasks,
                children,
            } => {
                self.run.tell(Event::BatchIntended {
                    batch,
                    job,
                    tasks,
                    children,
                })?;
                self.intended.push(batch);
                self.confirm_intended(crew);
                Ok(())
            }
            other => match self.event_of(other) {
                Some(event) => Ok(self.run.tell(event)?),
                None => Ok(()),
            },
        }
    }

    /// Tell the evaluator which of its intentions are in the journal by now.
    pub(super) fn confirm_intended(&mut self, crew: &mut Crew) {
        if self.run.recorder.is_saved() {
            let intended = self.intended.drain(..);
            intended.for_each(|batch| crew.evaluator.recorded(batch));
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
                host,
                task,
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
                    host,
                    task,
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
            | Report::BatchIntended { .. }
            | Report::Finished { .. }
            | Report::Fatal { .. }
            | Report::Paused { .. } => return None,
        })
    }

    /// Multiply-accumulates of a child that was sampled or edited.
    fn macs_of(&self, number: u64) -> u64 {
        let edited = self.run.ledger().queued_child(number);
        let edited = edited.map(|child| child.macs);
        let sampled = || self.child(number).map(|child| child.macs);
        edited.or_else(sampled).unwrap_or(0)
    }

    /// End a child that was in training.
    fn end_child(
        &mut self,
        number: u64,
        ended: Ended,
        effort: Effort,
        crew: &mut Crew,
    ) -> Result<(), Halt> {
        self.submitted.remove(&number);
        match self.run.ledger().queued_child(number).cloned() {
            Some(queued) => self.end_edited(queued, ended, effort),
            None => self.end_training(crew, number, ended, effort),
        }
    }

    /// Record the end of a child, and the best child if it is another one now.
    pub(super) fn record_end(
        &mut self,
        child: &Child,
        ended: Ended,
        effort: Effort,
    ) -> Result<(), Halt> {
        let event = self.end_of(child, ended, effort);
        let best = self.run.ledger().best_child();
        self.run.tell(event)?;
        if self.run.ledger().best_child() != best
            && let Some(best) = self.run.ledger().best()
        {
            self.run.recorder.replace_json(BEST, &best)?;
        }
        Ok(())
    }

    /// The event that reports the end of a child.
    pub(super) fn end_of(&self, subject: &Child, ended: Ended, effort: Effort) -> Event {
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
                repeat_of,
                mean,
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
                        && self.early_stop(subject).is_some(),
                    control: subject.is_control,
                    mean,
                    valid_accuracies,
                    energy_wh,
                    test_accuracy,
                })
            }
        }
    }
}
