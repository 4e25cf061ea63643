//! The trait that distinguishes the kinds of runs.

use std::path::Path;

use serde::Serialize;

use super::error::Halt;
use super::recorder::Ledger;
use super::run::Run;
use crate::config::Config;
use crate::event::RunKind;
use crate::foundation::sealed::CheckpointError;
use crate::journal::JournalError;
use crate::link::Orders;
use crate::runs::RunDirectory;

/// The work of a run: a search, or the training of one network. The value contains everything
/// needed to do it.
pub trait Work: Sized + Send + 'static {
    /// What it needs to know about the run's past.
    type Ledger: Ledger + Send;
    /// The state that it saves from time to time.
    type Checkpoint: Checkpoint + Send;
    /// Its results: printed, and written to `summary.json`.
    type Summary: Serialize + Send;

    /// The kind of its runs.
    const KIND: RunKind;
    /// Its name in messages: "the NAME was stopped by ...".
    const NAME: &'static str;
    /// Name of the thread that does it.
    const THREAD: &'static str;
    /// What a resume does if the checkpoint is lost, to complete "a resume then ...".
    const WITHOUT_CHECKPOINT: &'static str;
    /// Message for when the journal mentions a checkpoint that does not exist.
    const CHECKPOINT_MISSING: &'static str;
    /// The consequence of other threads, another device or another libtorch for the results from
    /// here on.
    const OTHER_MACHINE: &'static str;

    /// Whether a resume may change the setting `key` (`SECTION.KEY`). `now` are the settings with
    /// the change.
    fn is_free_to_change(key: &str, now: &Config) -> bool;

    /// Number of the step (child or epoch) at which the work continues from `checkpoint`, or starts
    /// without one.
    fn next_step(checkpoint: Option<&Self::Checkpoint>) -> u64;

    /// Images that a training computes at a time when it continues there.
    fn micro_batch(_checkpoint: Option<&Self::Checkpoint>, _config: &Config) -> Option<usize> {
        None
    }

    /// Work until it is complete, a client requests a stop, or it cannot continue. `checkpoint` is
    /// the state at the end of an earlier session. The session has already recorded that this
    /// process takes over the run, and it records the end of the run; in between, the work calls
    /// [`Run::open`] as soon as it knows its data, and [`Run::take`] with each of the `orders`.
    ///
    /// # Errors
    ///
    /// The reason for an early end: a client's request, or an error.
    fn work(
        self,
        run: &mut Run<Self>,
        checkpoint: Option<Self::Checkpoint>,
        orders: Orders,
    ) -> Result<(), Halt>;

    /// The results of the run so far.
    ///
    /// # Errors
    /// If the journal cannot be read or is damaged.
    fn summary(ledger: &Self::Ledger, journal: &Path) -> Result<Self::Summary, JournalError>;
}

/// A saved state of a run's work.
pub trait Checkpoint: Sized {
    /// The checkpoint of the run in `directory`; `None` if there is no file.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    fn find(directory: &RunDirectory) -> Result<Option<Self>, CheckpointError>;
    /// The settings (TOML) in force when it was reached.
    fn config(&self) -> &str;
    /// Number of the last record of the journal that is part of it.
    fn journal_seq(&self) -> u64;
}
