//! The one interface between a search and whoever watches it: records out, commands in.

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use crate::event::Record;
use crate::space::Dna;

/// What a client may ask of a search. Each is acknowledged by an event.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Answered by `pause_requested`, then `paused` once every worker has stopped at a batch boundary.
    Pause,
    /// Answered by `resumed`.
    Resume,
    /// Checkpoint and end the run: answered by `stop_requested`, then `run_finished`.
    Stop,
    /// End the run once the episode under way has been learned from: `episode_stop_requested`.
    StopAfterEpisode,
    /// Take that back: `episode_stop_withdrawn`.
    GoOnAfterEpisode,
    /// End a child's training at the next batch: `skip_requested`, then `child_finished` or `child_failed`.
    Skip { child: u64 },
    /// Train an edited child: `child_queued`, or a `notice` where it cannot be built.
    Train { parent: u64, dna: Dna },
    /// Of a replay alone: this many times as fast as it happened.
    Speed { factor: f64 },
}

/// Where a client's records come from, and whether its commands reach anybody.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkStatus {
    /// A search at work on this machine. With `watch_only`, its commands are refused.
    Live { watch_only: bool },
    /// A search writes the journal that cannot be reached from here, for one on another machine.
    Journal { holder: String },
    /// Nobody works on the run.
    Ended,
    /// The run has no end, but the process that worked on it is gone.
    Dead,
    /// A finished run is played again.
    Replay { speed: f64, paused: bool },
}

/// A client's end: everything it knows of a search comes through here.
#[derive(Debug)]
pub struct Connection {
    /// The run's records so far, then each new one. Ends when the search is over.
    pub records: UnboundedReceiver<Arc<Record>>,
    pub commands: UnboundedSender<Command>,
}
