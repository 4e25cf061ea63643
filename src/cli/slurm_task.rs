//! `nas-tui slurm-task`: the hidden subcommand that the tasks of a Slurm cluster run.

use std::path::PathBuf;
use std::time::Duration;

/// Train the children of a task of a Slurm array (used by the search itself)
///
/// Signals: USR1 (Slurm warns that the time limit is near) saves the children in training and asks Slurm to
/// start the task again. TERM (Slurm ends the task) saves them too.
///
/// Exit status: 0 if no child is left to train, or if the task is to be started again; 1 if TERM has ended
/// it, if its time limit came too often (`slurm.requeues`), if children are left to another task, or if nothing
/// can be trained here (its output says why, and the search is told); 2 for a wrong command line.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder `slurm` of the run directory
    folder: PathBuf,
    /// Number of the batch
    batch: u64,
    /// Seconds after which the children in training are saved again
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    save_every: u64,
}

/// See [`crate::evaluate::slurm::task::run`].
///
/// # Errors
/// See there.
pub fn run(args: &Args) -> anyhow::Result<()> {
    crate::evaluate::slurm::task::run(
        &args.folder,
        args.batch,
        Duration::from_secs(args.save_every),
    )
}
