//! Loss and accuracy of an epoch, accumulated batch by batch.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, TchError, Tensor};

/// Running sums over the images of an epoch.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Number of images in the sums.
    pub images: usize,
    loss_sum: f64,
    correct: usize,
}

impl Metrics {
    /// Add the figures read for some batches.
    pub fn add(&mut self, read: &Read) {
        for &(images, loss) in &read.losses {
            self.images += images;
            self.loss_sum += loss * images as f64;
        }
        self.correct += read.correct;
    }

    /// Mean loss per image; 0 before the first batch.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.images.max(1) as f64
    }

    /// Fraction of the images classified correctly, in 0..=1; 0 before the first batch.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.images.max(1) as f64
    }
}

/// Losses and right answers of a pass over images, kept on the device until they are read, because
/// reading waits for the device.
#[derive(Debug)]
pub struct Figures {
    /// `[batches]`, f64: mean loss of each batch.
    losses: Tensor,
    /// `[images]`, bool: which ones are classified correctly.
    right: Tensor,
    images: usize,
    batch_size: usize,
    /// Number of batches that have been read.
    read: usize,
}

/// The figures read for some batches.
#[derive(Debug, PartialEq)]
pub struct Read {
    /// Number of the first batch, from 0.
    pub first: usize,
    /// Number of images and mean loss of each batch.
    pub losses: Vec<(usize, f64)>,
    /// Number of right answers in all of them.
    pub correct: usize,
}

impl Figures {
    /// For `images` images in batches of `batch_size`, the first `read` of which are ignored.
    pub fn new(
        images: usize,
        batch_size: usize,
        read: usize,
        device: Device,
    ) -> Result<Figures, TchError> {
        let batches = images.div_ceil(batch_size.max(1)) as i64;
        let losses = Tensor::f_zeros([batches], (Kind::Double, device))?;
        let right = Tensor::f_zeros([images as i64], (Kind::Bool, device))?;
        Ok(Figures {
            losses,
            right,
            images,
            batch_size: batch_size.max(1),
            read,
        })
    }

    /// Record a part of batch number `batch` (from 0) that starts at its image number `first`: its
    /// contribution to the batch's mean loss, and its logits. If a batch's first part is recorded
    /// again, the batch starts afresh.
    pub fn take(
        &self,
        batch: usize,
        first: i64,
        loss: &Tensor,
        logits: &Tensor,
        labels: &Tensor,
    ) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        let mut sum = self.losses.f_get(batch as i64)?;
        if first == 0 {
            sum.f_copy_(loss)?;
        } else {
            let _ = sum.f_add_(loss)?;
        }
        let right = self.right.f_narrow(
            0,
            (batch * self.batch_size) as i64 + first,
            labels.size()[0],
        )?;
        let _ = logits.f_argmax(1, false)?.f_eq_tensor_out(&right, labels)?;
        Ok(())
    }

    /// Whether any batch before number `until` (from 0) has not been read yet.
    pub fn is_behind(&self, until: usize) -> bool {
        self.read < until
    }

    /// Read the unread batches before number `until` (from 0) in one copy, which waits for all work
    /// of the device so far.
    pub fn read(&mut self, until: usize) -> Result<Read, TchError> {
        let count = until.saturating_sub(self.read);
        let start = |batch: usize| (batch * self.batch_size).min(self.images);
        let (from, to) = (start(self.read), start(until));
        let correct = self
            .right
            .f_narrow(0, from as i64, (to - from) as i64)?
            .f_sum(Kind::Double)?;
        let losses = self.losses.f_narrow(0, self.read as i64, count as i64)?;
        let all = Tensor::f_cat(&[losses, correct.f_view([1])?], 0)?.f_to_device(Device::Cpu)?;
        let mut values = vec![0f64; count + 1];
        all.f_copy_data(&mut values, count + 1)?;
        let correct = values.pop().unwrap_or(0.0) as usize;
        let images = (self.read..until).map(|batch| start(batch + 1) - start(batch));
        let losses = images.zip(values).collect();
        Ok(Read {
            first: std::mem::replace(&mut self.read, until),
            losses,
            correct,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loss_of_an_epoch_weights_batches_by_their_images() {
        let mut metrics = Metrics::default();
        metrics.add(&Read {
            first: 0,
            losses: vec![(3, 1.0), (1, 5.0)],
            correct: 3,
        });
        assert_eq!((metrics.loss(), metrics.accuracy()), (2.0, 0.75));
    }

    #[test]
    fn an_empty_epoch_has_finite_figures() {
        assert_eq!(
            (Metrics::default().loss(), Metrics::default().accuracy()),
            (0.0, 0.0)
        );
    }

    fn logits_and_labels() -> (Tensor, Tensor) {
        (
            Tensor::from_slice2(&[[0.0f32, 1.0], [3.0, 2.0], [0.0, 1.0]]),
            Tensor::from_slice(&[1i64, 0, 0]),
        )
    }

    #[test]
    fn figures_are_read_once_in_order_with_each_batchs_number_of_images() {
        let (logits, labels) = logits_and_labels();
        let mut figures = Figures::new(8, 3, 0, Device::Cpu).unwrap();
        for (batch, loss) in [0.5f32, 0.25].into_iter().enumerate() {
            figures
                .take(batch, 0, &Tensor::from(loss), &logits, &labels)
                .unwrap();
        }
        assert_eq!(
            figures.read(1).unwrap(),
            Read {
                first: 0,
                losses: vec![(3, 0.5)],
                correct: 2
            }
        );
        figures
            .take(
                2,
                0,
                &Tensor::from(2.0f32),
                &logits.narrow(0, 1, 2),
                &labels.narrow(0, 1, 2),
            )
            .unwrap();
        assert!(figures.is_behind(3));
        assert_eq!(
            figures.read(3).unwrap(),
            Read {
                first: 1,
                losses: vec![(3, 0.25), (2, 2.0)],
                correct: 3
            }
        );
        assert!(!figures.is_behind(3));
    }

    #[test]
    fn parts_of_a_batch_add_up_and_a_retried_batch_starts_afresh() {
        let (logits, labels) = logits_and_labels();
        let mut figures = Figures::new(3, 3, 0, Device::Cpu).unwrap();
        let part = |range: std::ops::Range<i64>, loss: f32| {
            let length = range.end - range.start;
            let (logits, labels) = (
                logits.narrow(0, range.start, length),
                labels.narrow(0, range.start, length),
            );
            figures
                .take(0, range.start, &Tensor::from(loss), &logits, &labels)
                .unwrap();
        };
        [(0..2, 7.0), (0..1, 0.25), (1..3, 0.5)]
            .into_iter()
            .for_each(|(range, loss)| part(range, loss));
        assert_eq!(
            figures.read(1).unwrap(),
            Read {
                first: 0,
                losses: vec![(3, 0.75)],
                correct: 2
            }
        );
    }
}
