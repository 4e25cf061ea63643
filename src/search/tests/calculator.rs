//! An evaluator that computes accuracies instantly instead of training, and misbehaves as a test
//! requires.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc::UnboundedSender;

use super::bandit::Bandit;
use super::unequal::{Clock, Duration, UnequalWorkers};
use crate::evaluate::{Evaluator, Job, Ready, Report};
use crate::event::{Compute, DataDescription, ImageSet, Level};
use crate::foundation::seeds::derive;
use crate::reward::{Outcome, SKIPPED};
use crate::search::Search;
use crate::strategy;

/// The behaviour of a test's evaluator.
#[derive(Clone, Default)]
pub struct Behaviour {
    /// Children of an episode end in reverse order.
    pub backwards: bool,
    /// Children that fail.
    pub failing: Vec<u64>,
    /// Children whose workers break.
    pub breaking: Vec<u64>,
    /// Children for which nothing is reported.
    pub silent: Vec<u64>,
    /// Likewise, and these never complete an epoch.
    pub unbegun: Vec<u64>,
    /// A pause is answered only when the next one is requested.
    pub answers_late: bool,
    /// Report [`Report::Fatal`] instead of starting, or in place of the outcome of this child.
    pub unusable: bool,
    /// Send a notice before the first worker is running.
    pub placing: bool,
    pub fatal_at: Option<u64>,
    /// Panic when this child is submitted.
    pub panic_at: Option<u64>,
    pub threads: usize,
    /// Number of children at a time; 0 means 1.
    pub workers: usize,
    /// Number of children at a time once it has begun, if that changes.
    pub later_workers: Option<usize>,
    pub fingerprint: String,
    /// Every job submitted, in order.
    pub jobs: Arc<Mutex<Vec<Job>>>,
    /// How long each child takes by the clock; without it, no time at all.
    pub duration: Option<Duration>,
    pub clock: Arc<Mutex<Clock>>,
    /// Copy the checkpoint of this run to `FOLDER/NUMBER` before child NUMBER is taken.
    pub snapshots: Option<(PathBuf, PathBuf)>,
}

impl Behaviour {
    pub fn jobs(&self) -> Vec<u64> {
        self.jobs
            .lock()
            .unwrap()
            .iter()
            .map(|job| job.child)
            .collect()
    }
}

/// Accuracy is a function of seed and network, as in real training.
pub struct Calculator {
    pub behaviour: Behaviour,
    reports: UnboundedSender<Report>,
    waiting: Vec<Job>,
    paused: bool,
}

/// Validation accuracies of a job.
fn accuracies(job: &Job) -> Vec<f64> {
    let size: usize = job
        .design
        .network()
        .unwrap()
        .layers
        .iter()
        .map(|layer| layer.filters * layer.kernel[0])
        .sum();
    let noise = derive(job.seed, "noise", 0) as f64 / u64::MAX as f64;
    let first = derive(job.seed, "first epoch", 0) as f64 / u64::MAX as f64;
    vec![0.1 * first, (size as f64 / 60.0 + 0.05 * noise).min(1.0)]
}

/// The same up to the epoch at which the job is stopped early.
fn until_stopped(job: &Job) -> Vec<f64> {
    let mut accuracies = accuracies(job);
    if let Some(stop) = job.stop
        && accuracies[..stop.after]
            .iter()
            .all(|accuracy| *accuracy < stop.below)
    {
        accuracies.truncate(stop.after);
    }
    accuracies
}

impl Calculator {
    fn report(&self, report: Report) {
        let _ = self.reports.send(report);
    }

    /// Evaluate the waiting jobs.
    fn work(&mut self) {
        if !self.paused {
            std::mem::take(&mut self.waiting)
                .into_iter()
                .for_each(|job| self.evaluate(&job));
        }
    }

    pub fn evaluate(&self, job: &Job) {
        let child = job.child;
        if self.behaviour.silent.contains(&child) || self.behaviour.unbegun.contains(&child) {
            return;
        }
        self.report(Report::ChildStarted {
            child,
            worker: 0,
            device: "cpu".into(),
            attempt: 1,
            host: None,
            task: None,
        });
        if self.behaviour.fatal_at == Some(child) {
            return self.report(Report::Fatal {
                message: "the graphics card has left the bus".into(),
            });
        }
        let outcome = if self.behaviour.failing.contains(&child) {
            Outcome::Failed {
                reason: "the loss is not finite".into(),
            }
        } else if self.behaviour.breaking.contains(&child) {
            Outcome::Excluded {
                reason: "its worker died 2 times".into(),
            }
        } else {
            Outcome::Trained {
                valid_accuracies: until_stopped(job),
            }
        };
        let report = Report::Finished {
            child,
            outcome,
            seconds: 1.0,
            energy_wh: None,
            test_accuracy: None,
        };
        if !self.behaviour.backwards {
            return self.report(report);
        }
        let reports = self.reports.clone();
        std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(40 * (4 - (child - 1) % 4)));
            let _ = reports.send(report);
        });
    }
}

impl Calculator {
    /// Keep account of a job that is submitted.
    pub fn note(&self, job: &Job) {
        assert_ne!(
            self.behaviour.panic_at,
            Some(job.child),
            "a panic that a test asked for"
        );
        if let Some((checkpoint, folder)) = &self.behaviour.snapshots {
            let _ = std::fs::copy(checkpoint, folder.join(job.child.to_string()));
        }
        self.behaviour.jobs.lock().unwrap().push(job.clone());
    }
}

impl Evaluator for Calculator {
    fn submit(&mut self, job: Job) {
        self.note(&job);
        self.waiting.push(job);
        self.work();
    }

    /// A silent child has completed its first epoch; a waiting one has not begun.
    fn skip(&mut self, child: u64) {
        let waited = self.waiting.iter().any(|job| job.child == child)
            || self.behaviour.unbegun.contains(&child);
        self.waiting.retain(|job| job.child != child);
        let outcome = if waited {
            Outcome::Excluded {
                reason: SKIPPED.into(),
            }
        } else {
            Outcome::Trained {
                valid_accuracies: vec![0.9],
            }
        };
        self.report(Report::Finished {
            child,
            outcome,
            seconds: 0.5,
            energy_wh: None,
            test_accuracy: None,
        });
    }

    fn pause(&mut self, number: u64) {
        self.paused = true;
        self.report(Report::Paused {
            number: if self.behaviour.answers_late {
                number - 1
            } else {
                number
            },
        });
    }

    fn resume(&mut self) {
        self.paused = false;
        self.work();
    }

    fn shutdown(&mut self) {}
}

/// A search with the calculator; the bandit stands for strategies with a policy.
pub fn parts(behaviour: &Behaviour) -> Search {
    let behaviour = behaviour.clone();
    Search {
        evaluator: Box::new(move |config, _, reports| {
            let calculator = calculator(&behaviour, &reports);
            Ok(match calculator.behaviour.duration {
                Some(duration) => {
                    Box::new(UnequalWorkers::new(calculator, &config.search, duration))
                }
                None => Box::new(calculator) as Box<dyn Evaluator>,
            })
        }),
        strategy: Box::new(|config, space| {
            let facts = config.search.strategy;
            Ok(match facts.learns && !facts.has_policy {
                true => strategy::named_in(config, space),
                false => Box::new(Bandit::new(space)),
            })
        }),
    }
}

/// A calculator that has reported that it is ready.
pub fn calculator(behaviour: &Behaviour, reports: &UnboundedSender<Report>) -> Calculator {
    greet(behaviour, reports);
    Calculator {
        behaviour: behaviour.clone(),
        reports: reports.clone(),
        waiting: Vec::new(),
        paused: false,
    }
}

/// What the evaluator reports before its first job.
fn greet(behaviour: &Behaviour, reports: &UnboundedSender<Report>) {
    if behaviour.placing {
        let message = "the workers are being placed".to_owned();
        reports
            .send(Report::Log {
                level: Level::Info,
                message,
            })
            .unwrap();
    }
    reports
        .send(Report::WorkerStarted {
            worker: 0,
            pid: Some(1),
            device: "cpu".into(),
            host: None,
        })
        .unwrap();
    let first = if behaviour.unusable {
        Report::Fatal {
            message: "train-images.gz is truncated".into(),
        }
    } else {
        Report::Ready(ready(behaviour))
    };
    reports.send(first).unwrap();
}

fn ready(behaviour: &Behaviour) -> Ready {
    let data = DataDescription {
        spec: "test".into(),
        images: Some(ImageSet {
            input: [1, 12, 12],
            classes: (0..10).map(|class| class.to_string()).collect(),
            train: 100,
            validation: 50,
        }),
        fingerprint: if behaviour.fingerprint.is_empty() {
            "0badcafe".into()
        } else {
            behaviour.fingerprint.clone()
        },
    };
    Ready {
        data,
        workers: behaviour.workers.max(1),
        compute: Some(Compute {
            threads: behaviour.threads.max(1),
            device: "cpu".into(),
            libtorch: "2.11.0".into(),
        }),
    }
}
