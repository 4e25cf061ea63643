//! A worker as its owner keeps it: its present process, what it is at, and how it has done so far.

use std::time::Instant;

use super::ChildJob;
use super::process::Process;
use super::protocol::Cause;
use super::rate_limit::RateLimit;
use crate::event::DataDescription;
use crate::foundation::device::Device;

/// A child to train.
pub struct Task {
    pub job: ChildJob,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// A user has asked for its end.
    pub skipped: bool,
    /// Where its worker died.
    pub lost_on: Option<Device>,
}

/// One worker and its present process.
pub struct Worker {
    pub process: Option<Process>,
    /// Number of its process, to tell late news of a dead one from news of its successor.
    pub generation: u64,
    pub doing: Doing,
    /// Its processes' deaths since it last trained a child to its end, without those that too large
    /// a child brought about.
    pub failures: u32,
    /// It has been ready to train.
    pub has_started: bool,
    /// Why its process ends, in its own words.
    pub last_words: Option<(Cause, String)>,
    /// The latest pause that its process has answered.
    pub paused: Option<u64>,
    pub log_limit: RateLimit,
}

/// What a worker is at.
pub enum Doing {
    Starting,
    Waiting(Introduction),
    Training {
        introduction: Introduction,
        task: Task,
        since: Instant,
    },
    /// It cannot work, and is not started again.
    GivenUp {
        reason: String,
    },
}

impl Worker {
    /// Before its first process.
    pub fn new() -> Worker {
        Worker {
            process: None,
            generation: 0,
            doing: Doing::Starting,
            failures: 0,
            has_started: false,
            last_words: None,
            paused: None,
            log_limit: RateLimit::default(),
        }
    }

    pub fn is_given_up(&self) -> bool {
        matches!(self.doing, Doing::GivenUp { .. })
    }
}

/// What a worker said of itself when it was ready.
#[derive(Clone)]
pub struct Introduction {
    pub data: DataDescription,
    pub device: Device,
    pub libtorch: String,
}
