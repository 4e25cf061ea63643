//! The only interface between a run and its observers: records out, commands in.
//!
//! The journal is authoritative, and every client reads it directly. In addition, a search only
//! announces how far it has been written, and ticks:
//!
//! ```text
//! search -> journal ----------------------------> feed -> Connection -> screen, headless output
//!        \-> hub: written up to N, tick, end --->/  (same process)
//!             \-> server --- Unix socket ---> client      (another process)
//!                  a poll of the file --------> client      (another machine)
//! ```

mod asking;
pub mod client;
mod error;
mod feed;
pub mod hub;
mod lost;
mod notes;
pub mod orders;
mod peer;
pub mod place;
pub mod player;
pub mod protocol;
mod recording;
#[cfg(test)]
mod sample;
pub mod server;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;

pub use asking::survey;
pub use client::attach;
pub use error::AttachError;
pub use hub::Hub;
pub use lost::what_is_lost;
pub use notes::{NotingError, state_of, write_note};
pub use orders::{Client, CommandSender, Order, Orders, StopRequest};
pub use player::{Pace, replay, replay_sample};
pub use recording::{SAMPLE_FROM, SAMPLE_SPEED};
pub use server::Server;

use crate::event::Record;
use crate::space::Dna;
use crate::state::{RunState, RunStatus};

/// What a client can ask of a search. Each command that has an effect is acknowledged by an event; of
/// one that has none nothing is recorded, and at most its client is told.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Answered by `pause_requested`, then by `paused` once every worker has stopped at a batch
    /// boundary.
    Pause,
    /// Answered by `resumed`.
    Resume,
    /// Write a checkpoint and end the run: answered by `stop_requested`, then by `run_finished`. It goes
    /// past all commands that are waiting.
    Stop,
    /// End the run once the current episode has been learned from: answered by
    /// `episode_stop_requested`.
    StopAfterEpisode,
    /// Withdraw that request: answered by `episode_stop_withdrawn`.
    GoOnAfterEpisode,
    /// End a child's training at the next batch: answered by `skip_requested`, then by
    /// `child_finished`, or by `child_excluded` if it has not completed an epoch.
    Skip {
        /// Number of the child.
        child: u64,
    },
    /// Train an edited child: answered by `child_queued`.
    Train {
        /// The child that was edited.
        parent: u64,
        /// The edited DNA.
        dna: Dna,
    },
    /// Write a note on a child in place of the one that it has: answered by `child_noted`. If no search
    /// is at work, the client's end of the connection writes it into the journal.
    Note {
        /// Number of the child.
        child: u64,
        /// The note; empty to remove the one that it has.
        text: String,
    },
    /// Replays only: set the playback speed.
    Speed {
        /// Multiple of the recorded speed.
        factor: f64,
    },
}

/// What is at the other end of a [`Connection`]. It can change at any time: a search ends, or a new
/// process takes over the run.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkStatus {
    /// The journal is long, and the records so far are only its beginning: nothing is known yet about the
    /// run as it is.
    Reading {
        /// How much has been read.
        percent: u8,
    },
    /// A process on this machine is working on the run and accepts this client's commands, unless
    /// the client only watches.
    Live {
        /// Whether this client only watches.
        watch_only: bool,
    },
    /// A process that cannot be reached (usually because it is on another machine) is writing the
    /// journal, which can only be read.
    Journal {
        /// The process named in the lock.
        holder: String,
    },
    /// The run has ended: completed, stopped or failed.
    Ended,
    /// The run has not ended, but no process is working on it: it can be resumed, unless this
    /// client only watches.
    Dead {
        /// Whether this client only watches.
        watch_only: bool,
    },
    /// No process is working on the run, and its files are gone or cut off: as it is it cannot be resumed.
    Lost {
        /// What has happened to which file.
        what: String,
    },
    /// The journal is damaged: what follows the records so far cannot be read, and the last of them, a notice
    /// that is in no journal, says why and what can be done.
    Damaged {
        /// Where it is damaged: `journal.jsonl, line 414`.
        place: String,
    },
    /// A replay, which receives nothing more after its end.
    Replay {
        /// Multiple of the recorded speed.
        speed: f64,
        /// Whether it is paused.
        paused: bool,
        /// Whether the last record has been sent.
        ended: bool,
    },
}

impl LinkStatus {
    /// The status of a run whose events report `told`.
    pub fn run_status(&self, told: RunStatus) -> RunStatus {
        match self {
            LinkStatus::Reading { .. } => RunStatus::Starting,
            LinkStatus::Dead { .. } | LinkStatus::Lost { .. } => told.with_process(false),
            LinkStatus::Damaged { .. } => RunStatus::Unreadable,
            _ => told,
        }
    }
}

/// A client's end: everything it knows about a run arrives here.
#[derive(Debug)]
pub struct Connection {
    /// The state that `records` continue; `None` if they begin with the first one.
    pub state: Option<Box<RunState>>,
    /// The run's records so far (those after `state`), followed by each new one. A client that is slow to take them
    /// delays no one else.
    pub records: Receiver<Arc<Record>>,
    /// Commands to the search.
    pub commands: CommandSender,
    /// The current status of the other end.
    pub status: watch::Receiver<LinkStatus>,
    /// The run directory.
    pub run: PathBuf,
    /// The run's journal, for what is no longer in memory.
    pub journal: PathBuf,
}

impl Connection {
    /// The current status of the other end. The records sent before it, without which it would not be true of
    /// what is known, are handed to `take` first; of a journal that is still being read, none are.
    pub fn status_after(&mut self, mut take: impl FnMut(&Record)) -> LinkStatus {
        let status = self.status.borrow_and_update().clone();
        if !matches!(status, LinkStatus::Reading { .. }) {
            while let Ok(record) = self.records.try_recv() {
                take(&record);
            }
        }
        status
    }
}
