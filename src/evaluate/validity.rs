//! Which messages of a worker make sense: checked where they are read, so that the search never sees
//! any others.

use super::protocol::FromWorker;
use crate::event::{ChildEpoch, ChildProgress};
use crate::foundation::numbers;
use crate::reward::Outcome;

/// The largest duration in seconds and the largest number of images per second that are believed.
const LARGEST: f64 = 1e9;

/// What a worker was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment {
    /// Number of the worker, from 0.
    pub worker: usize,
    /// The child it trains; `None` if it has none.
    pub child: Option<u64>,
    /// Number of epochs of each training.
    pub epochs: usize,
    /// Whether the training may end before its last epoch: a user skips it, or it can be stopped
    /// early.
    pub may_end_early: bool,
}

/// What is wrong with a message, as the rest of a sentence about the worker.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Nonsense {
    /// It is about a child that the worker does not train.
    #[error("reported on child {named}, but {}", mine(*.given))]
    Child {
        /// The child it is about.
        named: u64,
        /// The child that the worker trains.
        given: Option<u64>,
    },
    /// It is in the name of another worker.
    #[error("called itself worker {0}")]
    Worker(usize),
    /// A number that cannot be.
    #[error("reported {name} {value} of child {child}, which is not {expected}")]
    Number {
        /// What the number is.
        name: &'static str,
        /// The number.
        value: String,
        /// The child.
        child: u64,
        /// What would make sense.
        expected: String,
    },
}

fn mine(child: Option<u64>) -> String {
    child.map_or_else(
        || "has none to train".to_owned(),
        |child| format!("was given child {child}"),
    )
}

/// Check a message of a worker that was asked to do this.
///
/// # Errors
/// [`Nonsense`]: nothing that this worker says can be trusted.
pub fn check(message: &FromWorker, assignment: &Assignment) -> Result<(), Nonsense> {
    match message {
        FromWorker::Progress(progress) => assignment.check_progress(progress),
        FromWorker::Epoch(epoch) => assignment.check_epoch(epoch),
        FromWorker::Finished {
            child,
            outcome,
            seconds,
        } => assignment.check_end(*child, outcome, *seconds),
        FromWorker::Ready { .. }
        | FromWorker::Unusable { .. }
        | FromWorker::Broken { .. }
        | FromWorker::Paused { .. }
        | FromWorker::Beat { .. }
        | FromWorker::Log { .. } => Ok(()),
    }
}

impl Assignment {
    fn check_progress(&self, progress: &ChildProgress) -> Result<(), Nonsense> {
        self.check_sender(progress.child, Some(progress.worker))?;
        let numbers = Numbers(progress.child);
        numbers.count(
            "the number of epochs",
            progress.epochs,
            self.epochs..=self.epochs,
        )?;
        numbers.count("epoch", progress.epoch, 1..=self.epochs)?;
        numbers.count("batch", progress.batch, 0..=progress.batches)?;
        numbers.real("the loss", progress.loss, f64::MAX)?;
        numbers.real("the speed", progress.images_per_second, LARGEST)
    }

    fn check_epoch(&self, epoch: &ChildEpoch) -> Result<(), Nonsense> {
        self.check_sender(epoch.child, Some(epoch.worker))?;
        let numbers = Numbers(epoch.child);
        numbers.count(
            "the number of epochs",
            epoch.epochs,
            self.epochs..=self.epochs,
        )?;
        numbers.count("epoch", epoch.epoch, 1..=self.epochs)?;
        numbers.real("the training accuracy", epoch.train_accuracy, 1.0)?;
        numbers.real("the validation accuracy", epoch.valid_accuracy, 1.0)?;
        numbers.real("the training loss", epoch.train_loss, f64::MAX)?;
        numbers.real("the validation loss", epoch.valid_loss, f64::MAX)?;
        numbers.real("the learning rate", epoch.learning_rate, f64::MAX)?;
        numbers.real("the speed", epoch.images_per_second, LARGEST)?;
        numbers.real("the duration", epoch.seconds, LARGEST)
    }

    fn check_end(&self, child: u64, outcome: &Outcome, seconds: f64) -> Result<(), Nonsense> {
        self.check_sender(child, None)?;
        let numbers = Numbers(child);
        numbers.real("the duration", seconds, LARGEST)?;
        let Outcome::Trained { valid_accuracies } = outcome else {
            return Ok(());
        };
        let fewest = if self.may_end_early { 1 } else { self.epochs };
        let epochs = valid_accuracies.len();
        numbers.count(
            "the number of completed epochs",
            epochs,
            fewest..=self.epochs,
        )?;
        let mut each = valid_accuracies.iter();
        each.try_for_each(|accuracy| numbers.real("the validation accuracy", *accuracy, 1.0))
    }

    fn check_sender(&self, child: u64, worker: Option<usize>) -> Result<(), Nonsense> {
        if let Some(worker) = worker.filter(|worker| *worker != self.worker) {
            return Err(Nonsense::Worker(worker));
        }
        if self.child != Some(child) {
            return Err(Nonsense::Child {
                named: child,
                given: self.child,
            });
        }
        Ok(())
    }
}

/// Checks numbers reported of this child.
struct Numbers(u64);

impl Numbers {
    /// A finite number in `0..=most`.
    fn real(&self, name: &'static str, value: f64, most: f64) -> Result<(), Nonsense> {
        if value.is_finite() && (0.0..=most).contains(&value) {
            return Ok(());
        }
        let expected = match most {
            f64::MAX => "a finite number of at least 0".to_owned(),
            most => format!("in 0 to {most}"),
        };
        Err(self.nonsense(name, numbers::exact(value), expected))
    }

    fn count(
        &self,
        name: &'static str,
        value: usize,
        range: std::ops::RangeInclusive<usize>,
    ) -> Result<(), Nonsense> {
        if range.contains(&value) {
            return Ok(());
        }
        let expected = match (range.start(), range.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("in {first} to {last}"),
        };
        Err(self.nonsense(name, value.to_string(), expected))
    }

    fn nonsense(&self, name: &'static str, value: String, expected: String) -> Nonsense {
        Nonsense::Number {
            name,
            value,
            child: self.0,
            expected,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ASSIGNMENT: Assignment = Assignment {
        worker: 2,
        child: Some(7),
        epochs: 3,
        may_end_early: false,
    };

    fn progress() -> ChildProgress {
        ChildProgress {
            child: 7,
            worker: 2,
            epoch: 1,
            epochs: 3,
            batch: 4,
            batches: 10,
            loss: 2.3,
            images_per_second: 1e4,
        }
    }

    fn epoch() -> ChildEpoch {
        ChildEpoch {
            child: 7,
            worker: 2,
            epoch: 3,
            epochs: 3,
            train_loss: 1.0,
            train_accuracy: 0.0,
            valid_loss: 0.0,
            valid_accuracy: 1.0,
            learning_rate: 0.1,
            images_per_second: 0.0,
            seconds: 0.0,
        }
    }

    fn finished(child: u64, valid_accuracies: &[f64], seconds: f64) -> FromWorker {
        FromWorker::Finished {
            child,
            outcome: Outcome::Trained {
                valid_accuracies: valid_accuracies.to_vec(),
            },
            seconds,
        }
    }

    #[track_caller]
    fn complaint(message: &FromWorker) -> String {
        check(message, &ASSIGNMENT).unwrap_err().to_string()
    }

    #[test]
    fn what_an_honest_worker_says_passes() {
        let said = [
            FromWorker::Progress(progress()),
            FromWorker::Epoch(epoch()),
            finished(7, &[0.0, 0.5, 1.0], 12.5),
            FromWorker::Finished {
                child: 7,
                outcome: Outcome::Failed {
                    reason: "it diverged".to_owned(),
                },
                seconds: 0.0,
            },
        ];
        for message in said {
            assert_eq!(check(&message, &ASSIGNMENT), Ok(()), "{message:?}");
        }
    }

    #[test]
    fn a_number_of_another_child_or_worker_is_nonsense() {
        let foreign = ChildProgress {
            child: 8,
            ..progress()
        };
        assert_eq!(
            complaint(&FromWorker::Progress(foreign)),
            "reported on child 8, but was given child 7"
        );
        let foreign = ChildEpoch {
            worker: 0,
            ..epoch()
        };
        assert_eq!(
            complaint(&FromWorker::Epoch(foreign)),
            "called itself worker 0"
        );
        let idle = Assignment {
            child: None,
            ..ASSIGNMENT
        };
        let error = check(&finished(7, &[0.5; 3], 1.0), &idle).unwrap_err();
        assert_eq!(
            error.to_string(),
            "reported on child 7, but has none to train"
        );
    }

    #[test]
    fn an_accuracy_outside_0_to_1_is_nonsense() {
        for wrong in [42.0, -7.5, f64::NAN, f64::INFINITY, 1.0 + 1e-9] {
            assert!(check(&finished(7, &[0.5, wrong, 0.5], 1.0), &ASSIGNMENT).is_err());
            let epoch = ChildEpoch {
                valid_accuracy: wrong,
                ..epoch()
            };
            assert!(check(&FromWorker::Epoch(epoch), &ASSIGNMENT).is_err());
        }
        assert_eq!(
            complaint(&finished(7, &[0.5, 42.0, 0.5], 1.0)),
            "reported the validation accuracy 42 of child 7, which is not in 0 to 1"
        );
    }

    #[test]
    fn losses_speeds_and_durations_are_finite_and_not_negative() {
        for wrong in [-0.1, f64::NAN, f64::NEG_INFINITY, f64::INFINITY] {
            let wrongs: [fn(&mut ChildEpoch) -> &mut f64; 5] = [
                |epoch| &mut epoch.train_loss,
                |epoch| &mut epoch.valid_loss,
                |epoch| &mut epoch.learning_rate,
                |epoch| &mut epoch.images_per_second,
                |epoch| &mut epoch.seconds,
            ];
            for field in wrongs {
                let mut epoch = epoch();
                *field(&mut epoch) = wrong;
                assert!(check(&FromWorker::Epoch(epoch), &ASSIGNMENT).is_err());
            }
            let progress = ChildProgress {
                loss: wrong,
                ..progress()
            };
            assert!(check(&FromWorker::Progress(progress), &ASSIGNMENT).is_err());
            assert!(check(&finished(7, &[0.5; 3], wrong), &ASSIGNMENT).is_err());
        }
        // No duration of this length can be converted.
        assert!(check(&finished(7, &[0.5; 3], 1e300), &ASSIGNMENT).is_err());
        assert!(complaint(&finished(7, &[0.5; 3], -1e308)).contains("duration -1e308 of"));
    }

    #[test]
    fn epochs_and_batches_are_those_of_the_job() {
        for (number, of) in [(0, 3), (4, 3), (1, 2), (1, usize::MAX)] {
            let (mut tick, mut end) = (progress(), epoch());
            (tick.epoch, tick.epochs) = (number, of);
            (end.epoch, end.epochs) = (number, of);
            assert!(check(&FromWorker::Progress(tick), &ASSIGNMENT).is_err());
            assert!(check(&FromWorker::Epoch(end), &ASSIGNMENT).is_err());
        }
        let tick = ChildProgress {
            batch: 11,
            ..progress()
        };
        assert_eq!(
            complaint(&FromWorker::Progress(tick)),
            "reported batch 11 of child 7, which is not in 0 to 10"
        );
    }

    #[test]
    fn only_a_child_that_may_end_early_ends_before_its_last_epoch_and_none_after_it() {
        let early = Assignment {
            may_end_early: true,
            ..ASSIGNMENT
        };
        let ends = |epochs: usize, assignment: &Assignment| {
            check(&finished(7, &vec![0.5; epochs], 1.0), assignment).is_ok()
        };
        assert_eq!(
            [0, 1, 2, 3, 4].map(|epochs| ends(epochs, &early)),
            [false, true, true, true, false]
        );
        assert_eq!(
            [0, 1, 2, 3, 4].map(|epochs| ends(epochs, &ASSIGNMENT)),
            [false, false, false, true, false]
        );
    }

    proptest! {
        #[test]
        fn what_passes_can_be_recorded_and_converted(
            accuracies in proptest::collection::vec(any::<f64>(), 3),
            seconds in any::<f64>(),
            loss in any::<f64>(),
        ) {
            if check(&finished(7, &accuracies, seconds), &ASSIGNMENT).is_ok() {
                prop_assert!(accuracies.iter().all(|accuracy| (0.0..=1.0).contains(accuracy)));
                prop_assert!(std::time::Duration::try_from_secs_f64(seconds).is_ok());
            }
            let tick = ChildProgress { loss, ..progress() };
            if check(&FromWorker::Progress(tick), &ASSIGNMENT).is_ok() {
                prop_assert!(loss.is_finite() && loss >= 0.0);
            }
        }
    }
}
