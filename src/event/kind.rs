//! The kind of a run: a search, or the training of one network.

use serde::{Deserialize, Serialize};

/// The kinds of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// A search for an architecture.
    #[default]
    Search,
    /// The training of one network to completion.
    Training,
}

impl RunKind {
    /// `steps` as the children of a search or the epochs of a training, which have separate fields
    /// in records.
    pub fn fields_of(self, steps: u64) -> (Option<u64>, Option<usize>) {
        match self {
            RunKind::Search => (Some(steps), None),
            RunKind::Training => (None, Some(steps as usize)),
        }
    }

    /// The name used in texts, as in "the search continues".
    pub fn noun(self) -> &'static str {
        match self {
            RunKind::Search => "search",
            RunKind::Training => "training",
        }
    }
}
