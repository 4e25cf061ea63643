//! Trains what is left of a set of trainings, using the evaluator of a search.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::StudyError;
use super::failures::Failures;
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
/// first. Each end is on disk before it is reported; failures are recorded once another training
/// succeeds or all have ended, see [`super::failures`].
///
/// # Errors
/// If the evaluator cannot be started or cannot continue, the data differ from before, the folder
/// cannot be written to, or all trainings fail.
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
        failures: Failures::default(),
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
    /// Those that no success has followed.
    failures: Failures,
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
        self.failures.judge(self.trials.all(), true)?;
        self.believe()?;
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
        self.under_way = self.under_way.saturating_sub(1);
        if end.has_failed() {
            let reason = end.reason();
            let text = format!("a training failed: {reason}. It is recorded if others succeed");
            (self.tell)(News::Notice {
                level: Level::Warning,
                text,
            });
            self.failures.withhold(place, end);
            return self.failures.judge(self.trials.all(), false);
        }
        if end.accuracy.is_some() {
            self.believe()?;
        }
        self.record(place, end)
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
mod tests {
    use super::*;
    use crate::config::{Options, resolve};
    use crate::evaluate::Ready;
    use crate::event::DataDescription;
    use crate::space::{Design, Dna};
    use crate::study::TrialsPlan;

    /// Ends each training as soon as it is submitted.
    struct Scripted {
        reports: Sender<Report>,
        outcome: fn(u64) -> Outcome,
    }

    impl Evaluator for Scripted {
        fn submit(&mut self, job: Job) {
            let finished = Report::Finished {
                child: job.child,
                outcome: (self.outcome)(job.child),
                seconds: 1.0,
                energy_wh: None,
                test_accuracy: None,
            };
            self.reports.send(finished).unwrap();
        }
        fn skip(&mut self, _: u64) {}
        fn pause(&mut self, _: u64) {}
        fn resume(&mut self) {}
        fn shutdown(&mut self) {}
    }

    fn trained() -> Outcome {
        Outcome::Trained {
            valid_accuracies: vec![0.5],
        }
    }

    fn failed() -> Outcome {
        Outcome::Failed {
            reason: "libtorch failed: why".to_owned(),
        }
    }

    /// So many trainings of as many networks, or of one.
    fn trials(folder: &std::path::Path, count: u64, network: fn(u64) -> u64) -> Trials {
        let trial = |number: u64| Trial {
            group: number.to_string(),
            depth: 1,
            dna: Dna(vec![vec![1, 2, 1, 0]]),
            design: Design::Key(network(number).to_string()),
            seed: number,
            end: None,
        };
        let plan = TrialsPlan {
            purpose: "verify".to_owned(),
            config: resolve(&Options::default()).unwrap(),
            data: None,
            trials: (1..=count).map(trial).collect(),
        };
        Trials::open(folder, plan).unwrap()
    }

    fn carried_out(trials: &mut Trials, outcome: fn(u64) -> Outcome) -> Result<bool, StudyError> {
        let start = |_: &Config, reports: Sender<Report>| {
            let data = DataDescription {
                spec: String::new(),
                images: None,
                fingerprint: "one".to_owned(),
            };
            let ready = Ready {
                data,
                workers: 1,
                compute: None,
            };
            reports.send(Report::Ready(ready)).unwrap();
            let evaluator: Box<dyn Evaluator> = Box::new(Scripted { reports, outcome });
            Ok(evaluator)
        };
        carry_out(trials, start, &|| false, &mut |_| {})
    }

    #[test]
    fn failures_are_recorded_with_reward_0_once_others_succeed_or_all_have_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mut trials = trials(folder.path(), 6, |number| number);
        let outcome = |child| match child {
            1 | 2 | 6 => failed(),
            _ => trained(),
        };
        assert!(carried_out(&mut trials, outcome).unwrap());
        let rewards = trials.all().iter().map(|trial| trial.reward().unwrap());
        let failed: Vec<bool> = rewards.map(|reward| reward == 0.0).collect();
        assert_eq!(failed, [true, true, false, false, false, true]);
    }

    #[test]
    fn from_where_a_machine_breaks_no_failure_is_recorded_and_the_same_command_tries_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut trials = trials(folder.path(), 64, |number| number);
        let breaks = |child| if child <= 20 { trained() } else { failed() };
        let error = carried_out(&mut trials, breaks).unwrap_err().to_string();
        assert!(
            error.contains("the last 3 trainings have all failed (3 x libtorch failed: why)"),
            "{error}"
        );
        assert_eq!(trials.left().len(), 44);
        assert!(carried_out(&mut trials, |_| trained()).unwrap());
        assert!(
            trials
                .all()
                .iter()
                .all(|trial| trial.accuracy() == Some(0.5))
        );
    }

    #[test]
    fn a_set_without_any_success_has_no_result() {
        let folder = tempfile::tempdir().unwrap();
        let mut trials = trials(folder.path(), 2, |number| number);
        let error = carried_out(&mut trials, |_| failed()).unwrap_err();
        assert!(matches!(
            error,
            StudyError::WithoutSuccess { trainings: 2, .. }
        ));
        assert_eq!(trials.left(), [0, 1]);
    }

    #[test]
    fn a_network_may_fail_with_every_seed() {
        let folder = tempfile::tempdir().unwrap();
        let mut trials = trials(folder.path(), 40, |number| number.min(20));
        let outcome = |child| if child < 20 { trained() } else { failed() };
        assert!(carried_out(&mut trials, outcome).unwrap());
        assert!(trials.left().is_empty());
    }
}
