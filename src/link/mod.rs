//! The one interface between a search and whoever watches it: records out, commands in.
//!
//! The journal is the truth, and every client reads it for itself. What a search tells beyond that
//! is only how far it has been written, and ticks:
//!
//! ```text
//! search -> journal ----------------------------> feed -> Connection -> screen, headless output
//!        \-> hub: written up to N, tick, end --->/  (same process)
//!             \-> server --- Unix socket ---> client      (another process)
//!                  a poll of the file --------> client      (another machine)
//! ```

pub mod client;
mod feed;
pub mod hub;
mod peer;
pub mod place;
pub mod player;
pub mod protocol;
#[cfg(test)]
mod sample;
pub mod server;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc::{Receiver, UnboundedSender};
use tokio::sync::watch;

pub use client::{AttachError, attach};
pub use hub::Hub;
pub use player::{Pace, replay};
pub use server::Server;

use crate::event::Record;
use crate::space::Dna;
use crate::state::RunStatus;

/// What a client may ask of a search. Each is acknowledged by an event.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Answered by `pause_requested`, then `paused` once every worker has stopped at a batch
    /// boundary.
    Pause,
    /// Answered by `resumed`.
    Resume,
    /// Checkpoint and end the run: answered by `stop_requested`, then `run_finished`.
    Stop,
    /// End the run once the episode under way has been learned from: `episode_stop_requested`.
    StopAfterEpisode,
    /// Take that back: `episode_stop_withdrawn`.
    GoOnAfterEpisode,
    /// End a child's training at the next batch: `skip_requested`, then `child_finished`, or
    /// `child_excluded` where none of its epochs has ended.
    Skip {
        /// Number of the child.
        child: u64,
    },
    /// Train an edited child: `child_queued`, or a `notice` where it cannot be built.
    Train {
        /// The child that was edited.
        parent: u64,
        /// What it was made into.
        dna: Dna,
    },
    /// Replays only: play this many times as fast as it happened.
    Speed {
        /// How many times as fast.
        factor: f64,
    },
}

/// What is at the other end of a [`Connection`]. It can change at any time: a search ends, or a new
/// one takes the run over.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkStatus {
    /// A search is at work on this machine; it hears this client's commands, unless the client only
    /// watches.
    Live {
        /// Whether this client only watches.
        watch_only: bool,
    },
    /// Somebody who cannot be reached (`holder`: on another machine, as a rule) writes the journal.
    /// It is read only.
    Journal {
        /// Who it is, as the lock says.
        holder: String,
    },
    /// The run is over: completed, stopped or failed.
    Ended,
    /// The run is not over, but no process works on it: it can be resumed, unless this client only
    /// watches.
    Dead {
        /// Whether this client only watches.
        watch_only: bool,
    },
    /// A replay, so many times as fast as it happened; at its end nothing more will come.
    Replay {
        /// How many times as fast as it happened.
        speed: f64,
        /// Whether it stands still.
        paused: bool,
        /// Whether the last record has been told.
        ended: bool,
    },
}

impl LinkStatus {
    /// Where the run stands whose events have told of `told`.
    pub fn run_status(&self, told: RunStatus) -> RunStatus {
        match self {
            LinkStatus::Dead { .. } => told.with_process(false),
            _ => told,
        }
    }
}

/// A client's end: everything it knows of a search comes through here.
#[derive(Debug)]
pub struct Connection {
    /// The run's records so far, then each new one. A client that is slow to take them delays
    /// nobody else.
    pub records: Receiver<Arc<Record>>,
    /// What is asked of the search.
    pub commands: UnboundedSender<Command>,
    /// What is at the other end, now.
    pub status: watch::Receiver<LinkStatus>,
    /// The run directory.
    pub run: PathBuf,
}
