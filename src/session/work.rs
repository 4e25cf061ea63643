//! What tells one kind of run from another.

use std::path::Path;

use serde::Serialize;
use tokio::sync::mpsc::UnboundedReceiver;

use super::error::Halt;
use super::recorder::Ledger;
use super::run::Run;
use crate::config::Config;
use crate::foundation::sealed::CheckpointError;
use crate::journal::JournalError;
use crate::link::Command;
use crate::runs::RunDirectory;

/// The work of a run: searching, or training one network. A value holds what this process does it
/// with.
pub trait Work: Sized + Send + 'static {
    /// What it needs to know of the run's past.
    type Ledger: Ledger + Send;
    /// The state that it saves now and then.
    type Checkpoint: Checkpoint + Send;
    /// What it has come to: printed, and written to `summary.json`.
    type Summary: Serialize + Send;

    /// What it is called in messages: "the NAME ended by ...".
    const NAME: &'static str;
    /// Name of the thread that it is done on.
    const THREAD: &'static str;
    /// What a resume does where the checkpoint is lost: "a resume then ...".
    const WITHOUT_CHECKPOINT: &'static str;
    /// Said where the journal tells of a checkpoint that is not there.
    const CHECKPOINT_MISSING: &'static str;
    /// What other threads, another device or another libtorch do to the numbers from here on.
    const OTHER_MACHINE: &'static str;

    /// Whether a resume may change the setting `key` (`SECTION.KEY`); `now`: the settings with the
    /// change.
    fn is_free_to_change(key: &str, now: &Config) -> bool;

    /// Do it until it is complete, a client says stop, or it cannot go on. `checkpoint` is where an
    /// earlier session left off. The first records, `run.resumed` and `run.tell_notices` included,
    /// are the work's to write, the last ones are the session's.
    fn work(
        self,
        run: &mut Run<Self>,
        checkpoint: Option<Self::Checkpoint>,
        commands: UnboundedReceiver<Command>,
    ) -> Result<(), Halt>;

    /// What the run has come to so far.
    fn summary(ledger: &Self::Ledger, journal: &Path) -> Result<Self::Summary, JournalError>;
}

/// A saved state of a run's work.
pub trait Checkpoint: Sized {
    /// The one of the run in `directory`; none where there is no file.
    fn find(directory: &RunDirectory) -> Result<Option<Self>, CheckpointError>;
    /// The settings (TOML) it was reached with.
    fn config(&self) -> &str;
    /// Last record of the journal that is part of it.
    fn journal_seq(&self) -> u64;
}
