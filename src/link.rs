//! The one interface between a search and whoever watches it: records out, commands in.

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use crate::event::Record;

/// What a client may ask of a search. Each is acknowledged by an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Answered by `pause_requested`, then `paused` once every worker has stopped at a batch boundary.
    Pause,
    /// Answered by `resumed`.
    Resume,
    /// Checkpoint and end the run: answered by `stop_requested`, then `run_finished`.
    Stop,
}

/// A client's end: everything it knows of a search comes through here.
#[derive(Debug)]
pub struct Connection {
    /// The run's records so far, then each new one. Ends when the search is over.
    pub records: UnboundedReceiver<Arc<Record>>,
    pub commands: UnboundedSender<Command>,
}
