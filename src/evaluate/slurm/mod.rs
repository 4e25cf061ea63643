//! The evaluator of searches whose children are trained by a Slurm cluster (docs/SLURM.md).
//!
//! | file | |
//! |---|---|
//! | `scheduler` | what to ask of Slurm: a pure state machine |
//! | `files`, `attempts` | the files through which the engine and its tasks speak |
//! | `commands` | `sbatch`, `squeue`, `scancel`, `scontrol` |
//! | `cluster` | the thread that joins them |
//! | `task` | the other side: what runs on the nodes |

mod attempts;
mod cluster;
mod commands;
mod files;
mod scheduler;
#[cfg(test)]
mod simulation;
pub mod task;

use super::{EVALUATORS, Registered};
use crate::config::EvaluatorChoice;
use crate::space;

#[linkme::distributed_slice(EVALUATORS)]
static ENTRY: Registered = Registered {
    name: "slurm",
    takes: |config| {
        let family = space::family::named(&config.space.layer);
        config.workers.evaluator == EvaluatorChoice::Slurm
            && family.is_ok_and(|of| !of.is_tabular())
    },
    is_default: false,
    start: |config, folder, report| Ok(Box::new(cluster::Cluster::start(config, folder, report)?)),
};
