//! Failures of trainings that no success has followed so far. They are recorded once a training
//! succeeds; otherwise a broken machine would turn into rewards of 0 that the same command never tries
//! again.

use super::StudyError;
use super::trials::{End, Trial};
use crate::search::success;

/// Fewer failures in a row are never suspicious.
const LEAST_ROW: usize = 3;

/// The failures since the last success, in order, each with the place of its training in the set.
#[derive(Debug, Default)]
pub struct Failures(Vec<(usize, End)>);

impl Failures {
    /// Add one.
    pub fn withhold(&mut self, place: usize, end: End) {
        self.0.push((place, end));
    }

    /// Number of them.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Those to be recorded; none are left.
    pub fn take(&mut self) -> Vec<(usize, End)> {
        std::mem::take(&mut self.0)
    }

    /// Whether the trainings of this set before them let so few failures in a row expect that the machine
    /// has to be tried.
    pub fn are_suspicious(&self, trials: &[Trial]) -> bool {
        let number = |is: fn(&End) -> bool| {
            let ends = trials.iter().filter_map(|trial| trial.end.as_ref());
            ends.filter(|end| is(end)).count()
        };
        let succeeded = number(|end| end.accuracy.is_some());
        let row = self.0.len();
        row >= LEAST_ROW && success::is_surprising(succeeded, number(End::has_failed), row)
    }

    /// The error that nothing has succeeded, or nothing does any more: the failures are not recorded.
    pub fn error(&self, is_repeated: bool) -> StudyError {
        StudyError::WithoutSuccess {
            trainings: self.0.len(),
            reasons: success::in_words(self.0.iter().map(|(_, end)| end.reason())),
            is_repeated,
        }
    }
}

/// The place of the training that is repeated to try the machine: of those that have succeeded the one
/// that took the least time.
pub fn to_repeat(trials: &[Trial]) -> Option<usize> {
    let seconds = |trial: &Trial| {
        let end = trial.end.as_ref()?;
        end.accuracy.map(|_| end.seconds)
    };
    let succeeded = trials.iter().enumerate();
    let succeeded = succeeded.filter_map(|(place, trial)| Some((place, seconds(trial)?)));
    let shortest = succeeded.min_by(|one, other| one.1.total_cmp(&other.1));
    shortest.map(|(place, _)| place)
}
