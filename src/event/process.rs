//! The processes of a run: which there are, as events tell of them.

use jiff::Timestamp;

/// What a process is to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProcessRole {
    /// The process of a search.
    Search,
    /// The process of a training.
    Training,
    /// A worker with its number, from 0.
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
    /// What it is to the run.
    pub role: ProcessRole,
    /// When it was told of: a process of this pid that began later is another one.
    pub seen: Timestamp,
}
