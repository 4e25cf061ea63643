//! Why a search cannot begin or continue, besides the errors that any run can have.

use super::reference::NoReference;
use crate::session::{SessionError, WorkError};
use crate::space::{Dna, SpaceError};
use crate::strategy::StrategyError;

/// The message says what, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The space of the settings contains no network.
    #[error(transparent)]
    Space(SpaceError),
    /// The strategy cannot continue from its saved state.
    #[error(transparent)]
    Strategy(StrategyError),
    /// Sampling again gave a different network than the one in the journal.
    #[error(
        "child {child} was {journal} in the journal and would now be {sampled}: the program or the machine is not \
         the one this run was begun with. Resume it there, or begin a new run"
    )]
    OtherChild {
        /// Number of the child.
        child: u64,
        /// The DNA in the journal.
        journal: Dna,
        /// The DNA that this process sampled.
        sampled: Dna,
    },
    /// The workers found their data or device unusable before anything was trained.
    #[error("{0}")]
    Unusable(String),
    /// No run of the user's can be compared with this one (`search.reference = "auto"`).
    #[error(transparent)]
    Reference(NoReference),
    /// Every child of an episode failed, and that is not put down to the children.
    #[error(
        "episode {episode}: none of its children has an accuracy ({reasons}). Resume the run once the cause is fixed: it then tries \
         these {children} again. If the settings are the cause, begin a new run"
    )]
    WithoutSuccess {
        /// Number of the episode.
        episode: usize,
        /// Number of its children that failed or were excluded.
        children: usize,
        /// Their reasons, grouped and counted.
        reasons: String,
    },
    /// Nothing can be trained any more.
    #[error("{0}")]
    Evaluator(String),
}

impl WorkError for SearchError {
    fn is_bad_input(&self) -> bool {
        match self {
            SearchError::Space(_)
            | SearchError::OtherChild { .. }
            | SearchError::Unusable(_)
            | SearchError::Reference(_) => true,
            SearchError::Strategy(_)
            | SearchError::WithoutSuccess { .. }
            | SearchError::Evaluator(_) => false,
        }
    }
}

impl From<SpaceError> for SessionError {
    fn from(error: SpaceError) -> SessionError {
        SearchError::Space(error).into()
    }
}

impl From<StrategyError> for SessionError {
    fn from(error: StrategyError) -> SessionError {
        SearchError::Strategy(error).into()
    }
}
