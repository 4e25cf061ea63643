//! What the tests of the search share: a policy that learns, an evaluator that computes, runs in
//! temporary folders.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc::UnboundedSender;

use crate::analysis::Summary;
use crate::config::{Config, Options, resolve};
use crate::evaluate::{Compute, Evaluator, Job, Ready, Report};
use crate::event::{DataDescription, Event, Level, Record};
use crate::foundation::seeds::derive;
use crate::reward::{Outcome, SKIPPED};
use crate::runs::RunDirectory;
use crate::search::Search;
use crate::search::checkpoint::Checkpoint;
use crate::session::{Session, SessionError};
use crate::space::Space;
use crate::strategy::sample::masked_log_softmax;
use crate::strategy::{
    Baseline, Evolution, Learned, Proposal, Sample, StateTensor, Strategy, StrategyError,
    StrategyState,
};

/// Three episodes of four children of two layers, few enough choices for repeats.
pub fn config(set: &[&str]) -> Config {
    let tiny = [
        "search.episodes=3",
        "search.children_per_episode=4",
        "search.initial_depth=2",
        "search.depth_every=100",
        "space.kernels=[1,3]",
        "space.filters=[4,8]",
        "space.strides=[1]",
        "space.paddings=[0,1]",
        "child.epochs=2",
    ];
    let set = tiny
        .iter()
        .chain(set)
        .map(|text| (*text).to_owned())
        .collect();
    resolve(&Options {
        set,
        ..Options::default()
    })
    .unwrap()
}

/// A policy with one logit per head and choice, moved by the advantage of every choice taken: it
/// learns, and its state is a tensor.
pub struct Bandit {
    logits: Vec<Vec<f64>>,
    baseline: Baseline,
}

impl Bandit {
    pub fn new(space: &Space) -> Bandit {
        let logits = space
            .decisions()
            .iter()
            .map(|decision| vec![0.0; decision.options.len()])
            .collect();
        Bandit {
            logits,
            baseline: Baseline::new(0.8),
        }
    }
}

impl Strategy for Bandit {
    fn propose(
        &mut self,
        space: &Space,
        depth: usize,
        seed: u64,
    ) -> Result<Proposal, StrategyError> {
        Sample::draw(space, depth, seed, |next, _| {
            masked_log_softmax(&self.logits[next.head], &next.feasible)
        })
    }

    fn learn(&mut self, proposals: &[Proposal], rewards: &[f64]) -> Result<Learned, StrategyError> {
        let learned = self.baseline.end_episode(rewards, Some(0.5), Some(1.0));
        for (sample, advantage) in proposals
            .iter()
            .filter_map(Proposal::sample)
            .zip(&learned.advantages)
        {
            for choice in &sample.choices {
                self.logits[choice.head][choice.index] += 3.0 * advantage;
            }
        }
        Ok(learned)
    }

    fn baseline(&self) -> Option<f64> {
        self.baseline.value()
    }

    fn state(&self) -> StrategyState {
        let tensor = |logits: &Vec<f64>| StateTensor {
            shape: vec![logits.len()],
            values: logits.clone(),
        };
        StrategyState {
            strategy: "bandit".into(),
            scalars: BTreeMap::from([(
                "baseline".into(),
                serde_json::json!(self.baseline.value()),
            )]),
            tensors: self
                .logits
                .iter()
                .enumerate()
                .map(|(head, logits)| (format!("head{head}"), tensor(logits)))
                .collect(),
        }
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        for (head, logits) in self.logits.iter_mut().enumerate() {
            *logits = state
                .tensor(&format!("head{head}"), &[logits.len()])?
                .to_vec();
        }
        self.baseline.restore(state.scalar("baseline")?)
    }
}

/// How the evaluator of a test behaves.
#[derive(Clone, Default)]
pub struct Behaviour {
    /// Children of an episode end in reverse order.
    pub backwards: bool,
    /// Children that fail.
    pub failing: Vec<u64>,
    /// Children whose workers break.
    pub breaking: Vec<u64>,
    /// Nothing is reported for these.
    pub silent: Vec<u64>,
    /// Nothing is reported for these either, and they never get to the end of an epoch.
    pub unbegun: Vec<u64>,
    /// A pause is answered only when the next one is asked for.
    pub answers_late: bool,
    /// Report [`Report::Fatal`] instead of starting, or in place of the outcome of this child.
    pub unusable: bool,
    /// Say something before the first worker is up.
    pub placing: bool,
    pub fatal_at: Option<u64>,
    /// Panic when this child is submitted.
    pub panic_at: Option<u64>,
    pub threads: usize,
    /// Children at a time; 0 stands for 1.
    pub workers: usize,
    pub fingerprint: String,
    /// Every job submitted, in order.
    pub jobs: Arc<Mutex<Vec<Job>>>,
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

/// Accuracy is a function of seed and network, as it is with real training.
struct Calculator {
    behaviour: Behaviour,
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
    vec![0.1, (size as f64 / 60.0 + 0.05 * noise).min(1.0)]
}

impl Calculator {
    fn report(&self, report: Report) {
        let _ = self.reports.send(report);
    }

    /// Evaluate what waits.
    fn work(&mut self) {
        if !self.paused {
            std::mem::take(&mut self.waiting)
                .into_iter()
                .for_each(|job| self.evaluate(&job));
        }
    }

    fn evaluate(&self, job: &Job) {
        let child = job.child;
        if self.behaviour.silent.contains(&child) || self.behaviour.unbegun.contains(&child) {
            return;
        }
        self.report(Report::ChildStarted {
            child,
            worker: 0,
            device: "cpu".into(),
            attempt: 1,
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
                valid_accuracies: accuracies(job),
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

impl Evaluator for Calculator {
    fn submit(&mut self, job: Job) {
        assert_ne!(
            self.behaviour.panic_at,
            Some(job.child),
            "a panic that a test asked for"
        );
        if let Some((checkpoint, folder)) = &self.behaviour.snapshots {
            let _ = std::fs::copy(checkpoint, folder.join(job.child.to_string()));
        }
        self.behaviour.jobs.lock().unwrap().push(job.clone());
        self.waiting.push(job);
        self.work();
    }

    /// A silent child has had its first epoch; one that waits has not begun.
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

pub fn parts(behaviour: &Behaviour) -> Search {
    let behaviour = behaviour.clone();
    Search {
        evaluator: Box::new(move |_, reports| {
            let data = DataDescription {
                spec: "test".into(),
                input: [1, 12, 12],
                classes: (0..10).map(|class| class.to_string()).collect(),
                train_images: 100,
                validation_images: 50,
                fingerprint: if behaviour.fingerprint.is_empty() {
                    "0badcafe".into()
                } else {
                    behaviour.fingerprint.clone()
                },
            };
            let ready = Ready {
                data,
                workers: behaviour.workers.max(1),
                compute: Some(Compute {
                    threads: behaviour.threads.max(1),
                    device: "cpu".into(),
                    libtorch: "2.11.0".into(),
                }),
            };
            let first = if behaviour.unusable {
                Report::Fatal {
                    message: "train-images.gz is truncated".into(),
                }
            } else {
                Report::Ready(ready)
            };
            let message = "the workers are being placed".to_owned();
            if behaviour.placing {
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
                    pid: 1,
                    device: "cpu".into(),
                    host: None,
                })
                .unwrap();
            reports.send(first).unwrap();
            Ok(Box::new(Calculator {
                behaviour,
                reports,
                waiting: Vec::new(),
                paused: false,
            }) as Box<dyn Evaluator>)
        }),
        strategy: Box::new(|config, space| {
            Ok(match config.search.strategy {
                crate::config::Strategy::Evolution => Box::new(Evolution::new(&config.evolution)),
                _ => Box::new(Bandit::new(space)),
            })
        }),
    }
}

/// A run in a temporary folder.
pub struct Run {
    pub root: tempfile::TempDir,
    pub config: Config,
}

impl Run {
    pub fn new(set: &[&str]) -> Run {
        Run {
            root: tempfile::tempdir().unwrap(),
            config: config(set),
        }
    }

    pub fn path(&self) -> PathBuf {
        self.root.path().join("run")
    }

    pub fn journal(&self) -> PathBuf {
        self.path().join("journal.jsonl")
    }

    pub fn checkpoint_path(&self) -> PathBuf {
        self.path().join("checkpoint/search.safetensors")
    }

    pub fn begin(&self) -> Session<Search> {
        Session::begin(
            self.config.clone(),
            RunDirectory::create(&self.path()).unwrap(),
        )
        .unwrap()
    }

    pub fn open(&self) -> Result<Session<Search>, SessionError> {
        Session::resume(
            self.config.clone(),
            RunDirectory::open(&self.path()).unwrap(),
        )
    }

    /// Begin and search to the end.
    pub fn search(&self, behaviour: &Behaviour) -> Result<Summary, SessionError> {
        self.begin().start(parts(behaviour)).unwrap().join()
    }

    pub fn resume(&self, behaviour: &Behaviour) -> Result<Summary, SessionError> {
        self.open()?.start(parts(behaviour)).unwrap().join()
    }

    pub fn records(&self) -> Vec<Record> {
        crate::journal::read(&self.journal()).unwrap()
    }

    pub fn checkpoint(&self) -> Option<Checkpoint> {
        Checkpoint::load(&self.checkpoint_path()).unwrap()
    }

    /// Everything about the run that must not depend on how often it was interrupted.
    pub fn outcome(&self) -> RunOutcome {
        let mut outcome = RunOutcome {
            state: self.checkpoint().unwrap().state,
            ..RunOutcome::default()
        };
        for record in self.records() {
            match record.event {
                Event::ChildSampled(sampled) => {
                    let is_new = outcome
                        .dna
                        .insert(sampled.child, sampled.dna.to_string())
                        .is_none();
                    assert!(is_new, "child {} was sampled twice", sampled.child);
                }
                Event::ChildFinished(finished) => {
                    let account = format!(
                        "{} {} {:?}",
                        finished.accuracy, finished.reward, finished.repeat_of
                    );
                    assert!(
                        outcome.ended.insert(finished.child, account).is_none(),
                        "child {} ended twice",
                        finished.child
                    );
                }
                Event::ChildFailed {
                    child,
                    reason,
                    reward,
                    ..
                } => {
                    assert!(
                        outcome
                            .ended
                            .insert(child, format!("{reason} {reward}"))
                            .is_none(),
                        "child {child} ended twice"
                    );
                }
                Event::ChildExcluded { child, reason, .. } => {
                    assert!(
                        outcome.ended.insert(child, reason).is_none(),
                        "child {child} ended twice"
                    );
                }
                Event::EpisodeExcluded {
                    episode, children, ..
                } => {
                    outcome
                        .episodes
                        .push(format!("{episode}: {children} excluded"));
                }
                Event::EpisodeFinished(mut finished) => {
                    finished.seconds = 0.0;
                    outcome.episodes.push(format!("{finished:?}"));
                }
                Event::EpisodeStarted { episode, .. } => outcome.started.push(episode),
                Event::CheckpointSaved { episode, .. } => outcome.checkpoints.push(episode),
                _ => {}
            }
        }
        outcome
    }
}

#[derive(Debug, Default, PartialEq)]
pub struct RunOutcome {
    pub dna: BTreeMap<u64, String>,
    pub ended: BTreeMap<u64, String>,
    pub started: Vec<usize>,
    pub episodes: Vec<String>,
    pub checkpoints: Vec<usize>,
    pub state: StrategyState,
}

/// Names of the events in a journal, runs of one event folded into one.
pub fn event_names(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let name = |line: &str| {
        serde_json::from_str::<HashMap<String, serde_json::Value>>(line).unwrap()["event"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let mut names: Vec<String> = text.lines().map(name).collect();
    names.dedup();
    names
}
