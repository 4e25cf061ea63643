//! The processes of a run, as reported by events.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The role of a process in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessRole {
    /// The process of a search.
    Search,
    /// The process of a training.
    Training,
    /// A worker, numbered from 0.
    Worker(usize),
    /// A screen that watches the run.
    Screen,
}

impl std::fmt::Display for ProcessRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ProcessRole::Search => f.write_str("search"),
            ProcessRole::Training => f.write_str("training"),
            ProcessRole::Worker(worker) => write!(f, "worker {worker}"),
            ProcessRole::Screen => f.write_str("screen"),
        }
    }
}

/// A process to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watched {
    /// Process id.
    pub pid: u32,
    /// Its role.
    pub role: ProcessRole,
    /// When it was reported: a process with this id that started later is a different one.
    pub seen: Timestamp,
}
