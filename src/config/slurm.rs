//! Settings of searches whose children are trained by a Slurm cluster.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Who trains the children of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvaluatorChoice {
    /// Worker processes on this machine.
    Local,
    /// Tasks of a Slurm cluster.
    Slurm,
}

/// Section `[slurm]`, as [`SlurmConfig`] before its ranges are checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawSlurm {
    pub options: Vec<String>,
    pub setup: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<PathBuf>,
    pub gpus_per_task: i64,
    pub children_per_task: i64,
    pub poll_seconds: i64,
    pub grace_seconds: i64,
    pub signal_seconds: i64,
    pub attempts: i64,
    pub requeues: i64,
    pub cancel_on_stop: bool,
}

impl Default for RawSlurm {
    fn default() -> RawSlurm {
        RawSlurm {
            options: Vec::new(),
            setup: Vec::new(),
            program: None,
            gpus_per_task: 1,
            children_per_task: 1,
            poll_seconds: 15,
            grace_seconds: 60,
            signal_seconds: 120,
            attempts: 3,
            requeues: 3,
            cancel_on_stop: true,
        }
    }
}

/// How a search uses a Slurm cluster (docs/SLURM.md).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlurmConfig {
    /// Options for `sbatch`, such as `--partition=gpu`.
    pub options: Vec<String>,
    /// Shell lines that a task runs before the program starts; the first one that fails ends it.
    pub setup: Vec<String>,
    /// The program on the nodes; if absent, the path of the running one.
    pub program: Option<PathBuf>,
    /// GPUs of a task; 0: it trains on the CPU.
    pub gpus_per_task: usize,
    /// Children that one task trains, one after another on each GPU.
    pub children_per_task: usize,
    /// Seconds between two questions to Slurm.
    pub poll_seconds: u64,
    /// Seconds without a sign of life after which a task that Slurm no longer lists is lost.
    pub grace_seconds: u64,
    /// Seconds before the time limit at which Slurm warns a task.
    pub signal_seconds: u64,
    /// Tasks that a child may lose before it is excluded.
    pub attempts: u32,
    /// How often a task that nears its time limit asks to be started again.
    pub requeues: u32,
    /// Whether stopping the search cancels its tasks.
    pub cancel_on_stop: bool,
}
