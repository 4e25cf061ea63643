//! Trains what is left of a set of trainings, using the evaluator of a search.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::StudyError;
use super::trials::{End, Trial, Trials};
use crate::config::Config;
use crate::evaluate::{Evaluator, Job, Report};
use crate::event::Level;
use crate::reward::Outcome;
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
/// first. Each end is on disk before it is reported.
///
/// # Errors
/// If the evaluator cannot be started or cannot continue, the data differ from before, or the
/// folder cannot be written to.
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
        under_way: 0,
    }
    .train(&left);
    evaluator.shutdown();
    ending
}

struct TrialRunner<'a> {
    trials: &'a mut Trials,
    evaluator: &'a mut dyn Evaluator,
    reports: &'a Receiver<Report>,
    interrupted: &'a dyn Fn() -> bool,
    tell: &'a mut dyn FnMut(News<'_>),
    /// Number of trainings that have been submitted and not ended.
    under_way: usize,
}

impl TrialRunner<'_> {
    fn train(mut self, left: &[usize]) -> Result<bool, StudyError> {
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
                    self.submit(left);
                    is_ready = true;
                }
                Ok(report) => self.hear(report)?,
            }
        }
        Ok(true)
    }

    /// Number of trainings done, and of all.
    fn counts(&self) -> (usize, usize) {
        let all = self.trials.all().len();
        (all - self.trials.left().len(), all)
    }

    fn submit(&mut self, places: &[usize]) {
        for &place in places {
            let trial = &self.trials.all()[place];
            self.evaluator.submit(Job {
                child: place as u64 + 1,
                seed: trial.seed,
                design: trial.design.clone(),
                stop: None,
            });
            self.under_way += 1;
        }
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
        let place = child as usize - 1;
        let network = self.trials.all()[place].design.network();
        let cost = network.and_then(|network| Cost::of(network).ok());
        let macs = cost.map_or(0, |cost| cost.macs);
        let end = End::new(outcome, macs, seconds, &self.trials.config().reward);
        self.trials.end(place, end)?;
        self.under_way = self.under_way.saturating_sub(1);
        let (done, all) = self.counts();
        let trial = &self.trials.all()[place];
        (self.tell)(News::Ended { trial, done, all });
        Ok(())
    }
}
