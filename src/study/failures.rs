//! Failures of trainings that no success has followed so far. They are recorded as soon as a training
//! succeeds, or all have ended and the failures are believed; otherwise a broken machine would turn
//! into rewards of 0 that the same command never tries again.

use std::collections::HashSet;

use super::StudyError;
use super::trials::{End, Trial};
use crate::search::success;

/// The failures since the last success, in order, each with the place of its training in the set.
#[derive(Debug, Default)]
pub struct Failures(Vec<(usize, End)>);

impl Failures {
    /// Add one.
    pub fn withhold(&mut self, place: usize, end: End) {
        self.0.push((place, end));
    }

    /// Those to be recorded; none are left.
    pub fn take(&mut self) -> Vec<(usize, End)> {
        std::mem::take(&mut self.0)
    }

    /// Decide whether the failures can be the networks' own. Trainings of one network count once: it may
    /// fail with every seed. `is_over`: no training is under way or waits.
    ///
    /// # Errors
    /// If so many in a row are a surprise, or the set is over without any success.
    pub fn judge(&self, trials: &[Trial], is_over: bool) -> Result<(), StudyError> {
        let networks = |is: fn(&End) -> bool| -> HashSet<String> {
            let ended = trials
                .iter()
                .filter(|trial| trial.end.as_ref().is_some_and(is));
            ended.map(|trial| trial.design.key()).collect()
        };
        let succeeded = networks(|end| end.accuracy.is_some());
        let failed = networks(End::has_failed);
        let row = self.0.iter().map(|(place, _)| trials[*place].design.key());
        let row: HashSet<String> = row.filter(|key| !failed.contains(key)).collect();
        let is_surprising = success::is_surprising(succeeded.len(), failed.len(), row.len());
        let nothing_succeeded = is_over && succeeded.is_empty() && !self.0.is_empty();
        if !is_surprising && !nothing_succeeded {
            return Ok(());
        }
        Err(StudyError::WithoutSuccess {
            trainings: self.0.len(),
            reasons: success::in_words(self.0.iter().map(|(_, end)| end.reason())),
        })
    }
}
