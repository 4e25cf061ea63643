//! The lines in the log of a run.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::event::{ChildEpoch, Level};
use crate::foundation::numbers::{accuracy, decimal, loss};

/// A line in the log of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// Time of the event.
    pub time: jiff::Timestamp,
    /// How serious it is.
    pub level: Level,
    /// The text, without the word for its level.
    pub text: LogText,
}

/// The text of a line in a log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LogText {
    /// The text itself.
    Written(String),
    /// That about an epoch of a child: most lines of a long run, of which few are ever shown.
    Epoch(ChildEpoch),
}

impl LogText {
    /// The text.
    pub fn get(&self) -> Cow<'_, str> {
        match self {
            LogText::Written(text) => Cow::Borrowed(text),
            LogText::Epoch(epoch) => Cow::Owned(of_epoch(epoch)),
        }
    }

    /// A shorter text for narrow screens, if there is one; all of it is in the text.
    pub fn short(&self) -> Option<String> {
        match self {
            LogText::Epoch(epoch) => Some(short_of_epoch(epoch)),
            LogText::Written(_) => None,
        }
    }
}

impl LogLine {
    /// The word before the text that shows the level without colour.
    pub fn word(&self) -> &'static str {
        match self.level {
            Level::Info => "",
            Level::Warning => "WARNING ",
            Level::Error => "ERROR ",
        }
    }

    /// Whether the whole line contains `text`, ignoring case.
    pub fn contains(&self, text: &str) -> bool {
        format!("{}{}", self.word(), self.text.get())
            .to_lowercase()
            .contains(&text.to_lowercase())
    }
}

/// The line about an epoch of a child.
pub(super) fn of_epoch(e: &ChildEpoch) -> String {
    format!(
        "child {}: epoch {}/{}: loss {}, accuracy {} train, {} validation, {} images/s",
        e.child,
        e.epoch,
        e.epochs,
        loss(e.train_loss),
        accuracy(e.train_accuracy),
        accuracy(e.valid_accuracy),
        decimal(e.images_per_second, 0)
    )
}

/// The line about an epoch of a child for a narrow screen, whose other panels have its speed.
fn short_of_epoch(e: &ChildEpoch) -> String {
    format!(
        "child {}: epoch {}/{}: loss {}, {} train, {} valid",
        e.child,
        e.epoch,
        e.epochs,
        loss(e.train_loss),
        accuracy(e.train_accuracy),
        accuracy(e.valid_accuracy)
    )
}
