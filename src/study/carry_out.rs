//! Trains what is left of a set of trainings, using the evaluator of a search.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::StudyError;
use super::failures::{self, Failures};
use super::trials::{End, Trial, Trials};
use crate::config::Config;
use crate::evaluate::{Evaluator, Job, Report};
use crate::event::Level;
use crate::reward::{self, Outcome};
use crate::session::SessionError;
use crate::space::Cost;

/// Interval for checking for an interruption.
const LOOK: Duration = Duration::from_millis(100);

/// What happens while a set is trained.
#[derive(Debug)]
pub enum News<'a> {
    /// The workers are ready.
    Ready {
        /// Number of trainings at a time.
        workers: usize,
        /// Number of trainings already done.
        done: usize,
        /// Number of trainings in the whole set.
        all: usize,
    },
    /// A training has ended.
    Ended {
        /// The training with its outcome.
        trial: &'a Trial,
        /// Number of trainings done.
        done: usize,
        /// Number of trainings in the whole set.
        all: usize,
    },
    /// A notice for the user.
    Notice {
        /// How serious it is.
        level: Level,
        /// The text.
        text: String,
    },
}

/// Train what is left of `trials`: true when every training has ended, false if `interrupted` came
/// first. Each end is on disk before it is reported. Failures are recorded once another training succeeds, see
/// `failures.rs`; if so many in a row are a surprise, one that has succeeded is repeated to tell whether
/// the networks are at fault or the machine.
///
/// # Errors
/// If the evaluator cannot be started or cannot continue, the data differ from before, the folder
/// cannot be written to, no training has ever succeeded, or the repeated one fails.
pub fn carry_out(
    trials: &mut Trials,
    start: impl FnOnce(&Config, Sender<Report>) -> Result<Box<dyn Evaluator>, SessionError>,
    interrupted: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(News<'_>),
) -> Result<bool, StudyError> {
    let left = trials.left();
    if left.is_empty() {
        return Ok(true);
    }
    let (sender, reports) = channel();
    let mut evaluator = start(trials.config(), sender)?;
    let ending = TrialRunner {
        trials,
        evaluator: evaluator.as_mut(),
        reports: &reports,
        interrupted,
        tell,
        waiting: left.into(),
        under_way: 0,
        at_a_time: 1,
        failures: Failures::default(),
        repetition: None,
        repetitions: 0,
    }
    .train();
    evaluator.shutdown();
    ending
}

struct TrialRunner<'a> {
    trials: &'a mut Trials,
    evaluator: &'a mut dyn Evaluator,
    reports: &'a Receiver<Report>,
    interrupted: &'a dyn Fn() -> bool,
    tell: &'a mut dyn FnMut(News<'_>),
    /// Places of those that have not been submitted.
    waiting: VecDeque<usize>,
    /// Number of trainings that have been submitted and not ended.
    under_way: usize,
    /// Greatest number of them: one in training and one that waits for each worker.
    at_a_time: usize,
    /// Those that no success has followed.
    failures: Failures,
    /// Number of the child that repeats a training to try the machine.
    repetition: Option<u64>,
    /// Number of trainings repeated so far.
    repetitions: u64,
}

impl TrialRunner<'_> {
    fn train(mut self) -> Result<bool, StudyError> {
        let mut is_ready = false;
        while !is_ready || self.under_way > 0 {
            if (self.interrupted)() {
                return Ok(false);
            }
            match self.reports.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let text = "the workers have gone; the same command continues";
                    return Err(StudyError::Unusable(text.to_owned()));
                }
                Ok(Report::Ready(ready)) => {
                    self.trials.check_data(&ready.data)?;
                    let (done, all) = self.counts();
                    let workers = ready.workers;
                    (self.tell)(News::Ready { workers, done, all });
                    self.at_a_time = 2 * workers.max(1);
                    is_ready = true;
                }
                Ok(report) => self.hear(report)?,
            }
            if is_ready {
                self.submit();
            }
        }
        if self.failures.count() > 0 && failures::to_repeat(self.trials.all()).is_none() {
            return Err(self.failures.error(false));
        }
        self.believe()?;
        Ok(true)
    }

    /// Number of trainings done, and of all.
    fn counts(&self) -> (usize, usize) {
        let all = self.trials.all().len();
        (all - self.trials.left().len(), all)
    }

    /// Submit as many trainings as there is room for. While one is repeated to try the machine, no others.
    fn submit(&mut self) {
        while self.under_way < self.at_a_time && self.repetition.is_none() {
            let Some(place) = self.waiting.pop_front() else {
                return;
            };
            self.submit_as(place as u64 + 1, place);
        }
    }

    fn submit_as(&mut self, child: u64, place: usize) {
        let trial = &self.trials.all()[place];
        self.evaluator.submit(Job {
            child,
            seed: trial.seed,
            design: trial.design.clone(),
            stop: None,
        });
        self.under_way += 1;
    }

    /// Repeat a training that has succeeded, if there is one and none is being repeated.
    fn try_the_machine(&mut self) {
        let place = failures::to_repeat(self.trials.all());
        let (Some(place), None) = (place, self.repetition) else {
            return;
        };
        let text = format!(
            "{} trainings in a row have failed, which is a surprise: one that succeeded before is repeated, to tell whether the networks are at fault \
             or the machine",
            self.failures.count()
        );
        let level = Level::Warning;
        (self.tell)(News::Notice { level, text });
        self.repetitions += 1;
        // No training of the set has this number.
        let child = self.trials.all().len() as u64 + self.repetitions;
        self.repetition = Some(child);
        self.submit_as(child, place);
    }

    fn hear(&mut self, report: Report) -> Result<(), StudyError> {
        match report {
            Report::Finished {
                child,
                outcome,
                seconds,
                ..
            } => self.end(child, outcome, seconds)?,
            Report::Fatal { message } => return Err(StudyError::Unusable(message)),
            Report::Log { level, message } => (self.tell)(News::Notice {
                level,
                text: message,
            }),
            Report::WorkerDied { worker, reason } => (self.tell)(News::Notice {
                level: Level::Warning,
                text: format!("worker {worker} died: {reason}"),
            }),
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, child: u64, outcome: Outcome, seconds: f64) -> Result<(), StudyError> {
        self.under_way = self.under_way.saturating_sub(1);
        let place = child as usize - 1;
        let Some(trial) = self.trials.all().get(place) else {
            return self.repeated(child, &outcome);
        };
        let network = trial.design.network();
        let cost = network.and_then(|network| Cost::of(network).ok());
        let macs = cost.map_or(0, |cost| cost.macs);
        let end = End::new(outcome, macs, seconds, &self.trials.config().reward);
        if end.has_failed() {
            let reason = end.reason();
            let text =
                format!("a training failed: {reason}. It is recorded once another one succeeds");
            (self.tell)(News::Notice {
                level: Level::Warning,
                text,
            });
            self.failures.withhold(place, end);
            if self.failures.are_suspicious(self.trials.all()) {
                self.try_the_machine();
            }
            return Ok(());
        }
        if end.accuracy.is_some() {
            self.repetition = None;
            self.believe()?;
        }
        self.record(place, end)
    }

    /// The training that was repeated has ended, unless another has answered its question before.
    fn repeated(&mut self, child: u64, outcome: &Outcome) -> Result<(), StudyError> {
        if self.repetition != Some(child) {
            return Ok(());
        }
        self.repetition = None;
        match reward::accuracy(outcome, &self.trials.config().reward) {
            Some(_) => self.believe(),
            None => Err(self.failures.error(true)),
        }
    }

    /// Record the failures that were withheld.
    fn believe(&mut self) -> Result<(), StudyError> {
        for (place, end) in self.failures.take() {
            self.record(place, end)?;
        }
        Ok(())
    }

    fn record(&mut self, place: usize, end: End) -> Result<(), StudyError> {
        self.trials.end(place, end)?;
        let (done, all) = self.counts();
        let trial = &self.trials.all()[place];
        (self.tell)(News::Ended { trial, done, all });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
