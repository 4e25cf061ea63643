//! What a run does: search, or train one network to the end.

use serde::Serialize;

/// The kinds of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// A search for an architecture.
    #[default]
    Search,
    /// The training of one network to the end.
    Training,
}

impl RunKind {
    /// Every kind.
    pub const ALL: [RunKind; 2] = [RunKind::Search, RunKind::Training];

    /// As texts call it: `the search goes on`.
    pub fn noun(self) -> &'static str {
        match self {
            RunKind::Search => "search",
            RunKind::Training => "training",
        }
    }
}
