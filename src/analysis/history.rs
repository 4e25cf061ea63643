//! What a report tells of a run besides its state: sessions, devices, failures, warnings, and how many
//! different networks there were.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::{Event, Level, Record};
use crate::journal::snapshot::Beside;
use crate::space::Design;
use crate::state::{describe, pairs};

/// Maximum number of warnings and errors kept; beyond that they are only counted.
const MOST_NOTICES: usize = 100;

/// The history of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Its sessions in order; the first one began the run.
    pub sessions: Vec<PastSession>,
    /// Devices that workers were started on.
    pub devices: BTreeSet<String>,
    /// Children without an accuracy in the order of their ends, including excluded ones.
    pub failures: Vec<Failure>,
    /// The run's first warnings and errors, in order.
    pub notices: Vec<Notice>,
    /// Number of warnings and errors that are not in `notices`.
    pub more_notices: usize,
    /// Number of `run_resumed`.
    pub resumptions: usize,
    /// The networks of its children.
    pub networks: Networks,
    /// How often the training of a child that has not ended was tried.
    #[serde(with = "pairs")]
    attempts: BTreeMap<u64, u32>,
}

/// One process that worked on the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PastSession {
    /// When it began.
    pub began: Timestamp,
    /// Name of its machine.
    pub host: String,
    /// Its version of nas-tui.
    pub version: String,
    /// Whether it ended without saying so: killed, or its machine failed. (The last one may still be
    /// at work.)
    pub is_cut_off: bool,
}

/// A child that ended without an accuracy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Its number, from 1.
    pub child: u64,
    /// Its episode, from 1.
    pub episode: usize,
    /// How often its training was tried; 0 if never.
    pub attempts: u32,
    /// Why it has no accuracy.
    pub reason: String,
    /// Whether it was excluded: it has no reward either and counts nowhere.
    pub is_excluded: bool,
}

/// A warning or an error of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// When it was recorded.
    pub time: Timestamp,
    /// A warning or an error.
    pub level: Level,
    /// The text, for the user.
    pub text: String,
}

/// The different networks among the children that the strategy proposed and that have ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Networks {
    /// Those of children in progress.
    #[serde(with = "pairs")]
    waiting: BTreeMap<u64, String>,
    ended: BTreeSet<String>,
}

impl Networks {
    /// Process the next event of the run.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::ChildSampled(sampled) if !sampled.control => {
                self.waiting.insert(sampled.child, hash(&sampled.design));
            }
            Event::ChildFinished(finished) => self.end(finished.child),
            Event::ChildFailed { child, .. } => self.end(*child),
            Event::ChildExcluded { child, .. } => drop(self.waiting.remove(child)),
            _ => {}
        }
    }

    fn end(&mut self, child: u64) {
        self.ended.extend(self.waiting.remove(&child));
    }

    /// Their number.
    pub fn count(&self) -> usize {
        self.ended.len()
    }
}

/// 128 bits that differ for different networks: much less to keep than the networks themselves.
fn hash(design: &Design) -> String {
    use md5::{Digest, Md5};
    let hash = Md5::digest(design.key());
    format!("{:032x}", u128::from_be_bytes(hash.into()))
}

impl Beside for History {
    const NAME: &'static str = "history";

    fn apply(&mut self, record: &Record) {
        self.networks.apply(&record.event);
        match &record.event {
            Event::RunStarted(run) => self.begin(record.time, &run.host, &run.version),
            Event::TrainingStarted(run) => self.begin(record.time, &run.host, &run.version),
            Event::RunResumed { host, version, .. } => {
                self.resumptions += 1;
                self.begin(record.time, host, version);
            }
            Event::WorkerStarted { device, .. } => {
                self.devices.insert(device.clone());
            }
            Event::RunFinished { .. } => {
                let last = self.sessions.last_mut();
                last.into_iter()
                    .for_each(|session| session.is_cut_off = false);
            }
            Event::ChildStarted { child, attempt, .. } => {
                self.attempts.insert(*child, *attempt);
            }
            Event::ChildFinished(finished) => drop(self.attempts.remove(&finished.child)),
            event => self.fail(event),
        }
        if let Some((level, text)) = complaint(&record.event) {
            self.note(record.time, level, text);
        }
    }
}

impl History {
    fn begin(&mut self, began: Timestamp, host: &str, version: &str) {
        self.sessions.push(PastSession {
            began,
            host: host.to_owned(),
            version: version.to_owned(),
            is_cut_off: true,
        });
    }

    /// Note the end of a child without an accuracy, if the event is one.
    fn fail(&mut self, event: &Event) {
        let (Event::ChildFailed {
            child,
            episode,
            reason,
            ..
        }
        | Event::ChildExcluded {
            child,
            episode,
            reason,
            ..
        }) = event
        else {
            return;
        };
        let attempts = self.attempts.remove(child).unwrap_or(0);
        self.failures.push(Failure {
            child: *child,
            episode: *episode,
            attempts,
            reason: reason.clone(),
            is_excluded: matches!(event, Event::ChildExcluded { .. }),
        });
    }

    fn note(&mut self, time: Timestamp, level: Level, text: String) {
        if self.notices.len() < MOST_NOTICES {
            self.notices.push(Notice { time, level, text });
        } else {
            self.more_notices += 1;
        }
    }
}

/// The warning or error that an event reports, apart from ends of children.
fn complaint(event: &Event) -> Option<(Level, String)> {
    match event {
        Event::WorkerDied { .. } | Event::MicroBatchReduced { .. } => describe(event),
        Event::Notice { level, .. } if *level >= Level::Warning => describe(event),
        _ => None,
    }
}
