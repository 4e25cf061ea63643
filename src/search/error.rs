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
            SearchError::Strategy(_) | SearchError::Evaluator(_) => false,
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
