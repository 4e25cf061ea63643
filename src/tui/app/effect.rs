//! What the screen asks of the owner of the terminal, the connection and the journal.

use std::path::PathBuf;

use super::{Document, Export};
use crate::link::Command;
use crate::tui::Leave;

/// What remains to be done by the owner of the terminal and the connection.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Nothing visible changed.
    Nothing,
    /// Something visible changed.
    Draw,
    /// Draw every cell: the terminal may show something else.
    Repaint,
    /// Hand the terminal back to the shell until the process is continued.
    Suspend,
    /// Send a command to the process working on the run.
    Send(Command),
    /// Copy a text to the user's clipboard.
    Copy(String),
    /// Write files with these names and contents into the folder where the program was started.
    Save(Vec<(String, String)>),
    /// Open a document in the user's pager or editor.
    Open(Document),
    /// Write a view to a new file in the folder `exports` of the run directory.
    Export(Export),
    /// Show the run in this directory in place of the present one.
    Show(PathBuf),
    /// Show the run again that the screen was opened for, and ask there whether to close it.
    LeaveFromHome,
    /// Close the screen for this reason.
    Leave(Leave),
}

/// What must be read from the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The details of a child.
    Child {
        /// Number of the child, from 1.
        child: u64,
        /// Sequence number of the record that sampled it.
        sampled_seq: u64,
        /// Sequence number of the record that ended it; `None` if it has not ended.
        ended_seq: Option<u64>,
    },
    /// The state at an earlier moment.
    State {
        /// Sequence number of the last record that is part of it.
        seq: u64,
    },
}
