//! The stages of a training on images of several sizes, and the time that is left.

use std::ops::Range;

use super::TrainingRun;
use crate::config::StageSpan;
use crate::event::{TrainingEpoch, TrainingStarted};
use crate::space::Cost;

/// The time that a validation image takes, relative to a training image, which also has a backward
/// pass; assumed until an epoch has been measured.
const VALIDATION_IMAGE: f64 = 1.0 / 3.0;

/// Estimated time until the last epoch of a training is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeLeft {
    /// Working time in seconds.
    pub seconds: f64,
    /// The size of the images, in pixels, whose measured time was converted to larger images in
    /// proportion to the network's multiply-accumulates per image; `None` if the time of an epoch of
    /// every size to come has been measured.
    pub extrapolated_from: Option<usize>,
}

/// Epochs on images of one size.
struct Part {
    /// Numbers of the epochs, from 1.
    epochs: Range<usize>,
    size: Option<usize>,
    /// Multiply-accumulates per image.
    macs: f64,
}

impl TrainingRun {
    /// The stage of the current epoch; `None` if all epochs are on whole images.
    pub fn stage(&self) -> Option<StageSpan> {
        self.started.settings.stage_at(self.epoch())
    }

    /// Completed epochs on whole images, the only ones whose accuracies are compared to find the
    /// best.
    pub fn whole_epochs(&self) -> impl Iterator<Item = &TrainingEpoch> {
        let first = self.started.settings.first_whole_epoch();
        self.epochs.iter().filter(move |epoch| epoch.epoch >= first)
    }

    /// Number of the first epoch on whole images, as long as the epochs before it are under way.
    pub fn whole_images_from(&self) -> Option<usize> {
        let first = self.started.settings.first_whole_epoch();
        (self.epoch() < first).then_some(first)
    }

    /// The epochs that begin another stage, with the size of their images in pixels.
    pub fn size_changes(&self) -> impl Iterator<Item = (usize, usize)> {
        self.started
            .settings
            .stage_spans()
            .skip(1)
            .map(|span| (span.first, span.stage.size))
    }

    /// `epochs` (in order), divided where the size of their images changes.
    pub fn by_size<'a>(&self, epochs: &'a [TrainingEpoch]) -> Vec<&'a [TrainingEpoch]> {
        let stage = |epoch: &TrainingEpoch| {
            let span = self.started.settings.stage_at(epoch.epoch);
            span.map(|span| span.number)
        };
        epochs
            .chunk_by(|one, next| stage(one) == stage(next))
            .collect()
    }

    /// Fraction of the planned epochs that is done, 0..=1, each counted with the time that it takes, which
    /// is estimated as in [`TrainingRun::time_left`]. (Early stopping may end the training sooner.)
    pub fn fraction(&self) -> f64 {
        let done = self.epochs.len() as f64 + self.epoch_fraction();
        let (mut finished, mut planned) = (0.0, 0.0);
        // Time of an epoch per MAC of an image: that of the latest part for which it has been measured.
        let mut per_mac = 1.0;
        for part in parts(&self.started) {
            let epochs = part.epochs.len() as f64;
            let of_part = (done + 1.0 - part.epochs.start as f64).clamp(0.0, epochs);
            if let Some(seconds) = self.mean_seconds(&part.epochs) {
                per_mac = seconds / part.macs;
            }
            finished += of_part * part.macs * per_mac;
            planned += epochs * part.macs * per_mac;
        }
        if planned > 0.0 {
            finished / planned
        } else {
            1.0
        }
    }

    /// Mean measured seconds of these epochs, or those of the current one at its speed so far.
    fn mean_seconds(&self, epochs: &Range<usize>) -> Option<f64> {
        let of_part = self
            .epochs
            .iter()
            .filter(|done| epochs.contains(&done.epoch));
        let (count, sum) = of_part.fold((0, 0.0), |(count, sum), done| {
            (count + 1, sum + done.seconds)
        });
        let mean = match count {
            0 => self.epoch_seconds(epochs, self.epochs.len() + 1),
            _ => Some(sum / f64::from(count)),
        };
        mean.filter(|seconds| *seconds > 0.0)
    }

    /// Time until the last epoch is done, estimated from the epochs so far or the speed of the
    /// current one; `None` if neither is known.
    pub fn time_left(&self) -> Option<TimeLeft> {
        let current = self.epochs.len() + 1;
        let (mut seconds, mut extrapolated_from) = (0.0, None);
        // Seconds of an epoch, MACs and size of the latest part for which they are measured.
        let mut latest: Option<(f64, f64, Option<usize>)> = None;
        for part in parts(&self.started) {
            let measured = self.epoch_seconds(&part.epochs, current);
            latest = measured
                .map(|seconds| (seconds, part.macs, part.size))
                .or(latest);
            let left = part
                .epochs
                .end
                .saturating_sub(current.max(part.epochs.start)) as f64;
            if left == 0.0 {
                continue;
            }
            let done = if part.epochs.contains(&current) {
                (self.epoch_fraction() + self.validation_per_training(self.validated()))
                    / self.epoch_per_training()
            } else {
                0.0
            };
            let (of_epoch, macs, size) = latest?;
            if measured.is_none() {
                extrapolated_from = extrapolated_from.or(size);
            }
            seconds += (left - done) * of_epoch * part.macs / macs;
        }
        (seconds.is_finite() && seconds > 0.0).then_some(TimeLeft {
            seconds,
            extrapolated_from,
        })
    }

    /// Measured seconds of one of these epochs: the latest, or the current one at its speed so far,
    /// with a validation to come.
    fn epoch_seconds(&self, epochs: &Range<usize>, current: usize) -> Option<f64> {
        let latest = self.epochs.iter().rev();
        let of_latest = latest
            .filter(|done| epochs.contains(&done.epoch))
            .map(|done| done.seconds)
            .next();
        let under_way = self
            .progress
            .as_ref()
            .filter(|progress| epochs.contains(&current) && progress.images_per_second > 0.0);
        of_latest.or_else(|| {
            let images = self.started.data.train_images() as f64 * self.epoch_per_training();
            under_way.map(|progress| images / progress.images_per_second)
        })
    }

    /// The time of an epoch with its validation, relative to that of its training alone, judging by
    /// the numbers of images.
    fn epoch_per_training(&self) -> f64 {
        1.0 + self.validation_per_training(self.started.data.validation_images())
    }

    /// The time of `images` validation images, relative to that of an epoch's training.
    fn validation_per_training(&self, images: usize) -> f64 {
        VALIDATION_IMAGE * images as f64 / self.started.data.train_images().max(1) as f64
    }
}

/// The epochs of a training by the size of their images.
fn parts(started: &TrainingStarted) -> Vec<Part> {
    let (settings, architecture) = (&started.settings, &started.architecture);
    let part = |span: StageSpan| {
        let size = span.stage.size;
        let cost = Cost::of(&architecture.for_size(size));
        Part {
            epochs: span.first..span.last + 1,
            size: Some(size),
            macs: cost.map_or(started.macs, |cost| cost.macs).max(1) as f64,
        }
    };
    let parts: Vec<Part> = settings.stage_spans().map(part).collect();
    if parts.is_empty() {
        return vec![Part {
            epochs: 1..settings.epochs + 1,
            size: None,
            macs: started.macs.max(1) as f64,
        }];
    }
    parts
}
