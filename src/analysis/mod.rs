//! What is derived from a run's records: its summary, its statistics, the verdict on its rewards,
//! the front of accuracy against cost. Shared by the search, the screen and reports.

pub mod benchmark;
pub mod comparable;
pub mod early_stopping;
pub mod effects;
pub mod front;
pub mod history;
pub mod lift;
mod permutation;
pub mod rank_correlation;
pub mod ranks;
pub mod reliability;
pub mod selection;
pub mod series;
pub mod statistics;
pub mod summary;
mod time_left;
pub mod training;
pub mod trend;
pub mod two_samples;
pub mod verdict;

pub use summary::{SearchTally, Summary};
pub use time_left::SearchTimeLeft;
pub use training::TrainingSummary;

use std::path::Path;

use serde::Serialize;

use crate::event::Record;
use crate::journal::{JournalError, Reader};

/// The results of a run of one kind, computed from its records one at a time.
pub trait RunSummary: Serialize + Sized {
    /// What the records so far add up to.
    type Tally: Default;

    /// Process the next record of the run.
    fn count(tally: &mut Self::Tally, record: &Record);

    /// The results so far.
    fn of(tally: &Self::Tally) -> Self;

    /// Summary of the journal at `path`, read line by line.
    ///
    /// # Errors
    /// If the journal cannot be read or is damaged.
    fn of_journal(path: &Path) -> Result<Self, JournalError> {
        let mut tally = Self::Tally::default();
        for record in Reader::open(path)?.without_choices() {
            Self::count(&mut tally, &record?);
        }
        Ok(Self::of(&tally))
    }

    /// `summary.json`: indented, with a newline at the end.
    ///
    /// # Errors
    /// If a number cannot be represented in JSON; a journal contains none.
    fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}
