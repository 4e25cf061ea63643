//! How far the training of a child has progressed, and how long it will still take.

use crate::state::{RunState, TrainedChild};

/// Seconds until the child is trained: from its own epochs, otherwise from its speed; `None` if
/// neither is known.
pub(super) fn remaining(state: &RunState, training: &TrainedChild) -> Option<f64> {
    let place = Place::of(state, training);
    let epochs_left = place.epochs as f64 - (place.epoch as f64 - 1.0) - place.done;
    let per_epoch = match (training.epochs.last(), &training.progress) {
        (Some(epoch), _) => epoch.seconds,
        (None, Some(progress)) => {
            state.search().started.as_ref()?.data.train_images() as f64 / progress.images_per_second
        }
        (None, None) => return None,
    };
    let seconds = epochs_left * per_epoch;
    (seconds.is_finite() && seconds > 0.0).then_some(seconds)
}

/// How far a training has progressed.
pub(super) struct Place {
    /// Number of the epoch in progress or, until the next one has made progress, of the last one that has
    /// ended, from 1; and the number of epochs.
    pub(super) epoch: usize,
    pub(super) epochs: usize,
    /// Fraction of that epoch completed.
    pub(super) done: f64,
    /// Whether that epoch has ended, so that its results are known.
    has_ended: bool,
}

impl Place {
    pub(super) fn of(state: &RunState, training: &TrainedChild) -> Place {
        match (&training.progress, training.epochs.last()) {
            (Some(progress), last) if last.is_none_or(|last| last.epoch < progress.epoch) => {
                let done = progress.batch as f64 / progress.batches.max(1) as f64;
                Place {
                    epoch: progress.epoch,
                    epochs: progress.epochs,
                    done,
                    has_ended: false,
                }
            }
            (_, Some(last)) => Place {
                epoch: last.epoch,
                epochs: last.epochs,
                done: 1.0,
                has_ended: true,
            },
            _ => Place::first_of(state.search().child_epochs().max(1)),
        }
    }

    /// The beginning of a training of so many epochs.
    pub(super) fn first_of(epochs: usize) -> Place {
        Place {
            epoch: 1,
            epochs,
            done: 0.0,
            has_ended: false,
        }
    }

    /// `in epoch 1/2` or, once that has ended, `1/2 epochs`, in as many columns.
    pub(super) fn words(&self) -> String {
        let (epoch, epochs) = (self.epoch, self.epochs);
        let in_progress = format!("in epoch {epoch}/{epochs}");
        if !self.has_ended {
            return in_progress;
        }
        let noun = if epochs == 1 { "epoch" } else { "epochs" };
        let completed = format!("{epoch}/{epochs} {noun}");
        format!("{completed:<0$}", in_progress.len())
    }

    /// Fraction of the whole training completed.
    pub(super) fn fraction(&self) -> f64 {
        (self.epoch as f64 - 1.0 + self.done) / self.epochs.max(1) as f64
    }
}
