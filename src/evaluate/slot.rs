//! A worker as seen by its owner: its current process, its activity, and its record so far.

use std::time::Instant;

use super::ChildJob;
use super::process::Process;
use super::protocol::{Breakdown, Introduction};
use super::rate_limit::RateLimit;
use super::watch::Vigil;
use crate::foundation::device::Device;

/// A child to train.
pub struct Task {
    pub(super) job: ChildJob,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Whether a user has asked for its end.
    pub skipped: bool,
    /// The device on which its worker died.
    pub lost_on: Option<Device>,
}

/// One worker and its current process.
pub struct Worker {
    pub(super) process: Option<Process>,
    /// The watch over its latest process.
    pub(super) vigil: Option<Vigil>,
    /// Number of its process, which distinguishes late messages of a dead process from those of its
    /// successor.
    pub generation: u64,
    pub(super) doing: Doing,
    /// Deaths of its processes since it last completed a child, not counting those caused by
    /// children that were too large.
    pub failures: u32,
    /// Whether it has ever been ready to train.
    pub has_started: bool,
    /// Why its process is ending, in its own words.
    pub last_words: Option<(Breakdown, String)>,
    /// The latest pause that its process has confirmed.
    pub paused: Option<u64>,
    pub(super) log_limit: RateLimit,
}

/// A worker's activity.
pub enum Doing {
    Starting,
    Waiting(Introduction),
    Training {
        introduction: Introduction,
        task: Task,
        since: Instant,
    },
    /// It cannot work and is not restarted.
    GivenUp {
        reason: String,
    },
}

impl Worker {
    /// A worker without a process yet.
    pub fn new() -> Worker {
        Worker {
            process: None,
            vigil: None,
            generation: 0,
            doing: Doing::Starting,
            failures: 0,
            has_started: false,
            last_words: None,
            paused: None,
            log_limit: RateLimit::default(),
        }
    }

    pub(super) fn is_given_up(&self) -> bool {
        matches!(self.doing, Doing::GivenUp { .. })
    }
}
