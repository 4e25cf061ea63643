//! Loss and accuracy of an epoch, gathered batch by batch.

use serde::{Deserialize, Serialize};
use tch::{Kind, TchError, Tensor};

/// Running sums over the images of an epoch.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    pub images: usize,
    loss_sum: f64,
    correct: usize,
}

impl Metrics {
    /// Take in a batch of `images` with mean loss `loss`, of which `correct` were classified rightly.
    pub fn add(&mut self, images: usize, loss: f64, correct: usize) {
        self.images += images;
        self.loss_sum += loss * images as f64;
        self.correct += correct;
    }

    /// Mean loss per image; 0 before the first batch.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.images.max(1) as f64
    }

    /// Part of the images classified rightly, in 0..=1; 0 before the first batch.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.images.max(1) as f64
    }
}

/// Mean loss and number of right answers of one batch as one tensor `[2]` (float64), so that reading them back takes one
/// transfer.
pub fn batch_figures(loss: &Tensor, logits: &Tensor, labels: &Tensor) -> Result<Tensor, TchError> {
    let correct = logits.f_argmax(1, false)?.f_eq_tensor(labels)?.f_sum(Kind::Double)?;
    Tensor::f_stack(&[loss.f_detach()?.f_to_kind(Kind::Double)?, correct], 0)
}

/// Read [`batch_figures`] back: waits for the device.
pub fn read_figures(figures: &Tensor) -> Result<(f64, usize), TchError> {
    let mut values = [0f64; 2];
    figures.f_to_device(tch::Device::Cpu)?.f_copy_data(&mut values, 2)?;
    Ok((values[0], values[1] as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loss_of_an_epoch_weighs_batches_by_their_images() {
        let mut metrics = Metrics::default();
        metrics.add(3, 1.0, 3);
        metrics.add(1, 5.0, 0);
        assert_eq!((metrics.loss(), metrics.accuracy()), (2.0, 0.75));
    }

    #[test]
    fn an_empty_epoch_has_finite_figures() {
        assert_eq!((Metrics::default().loss(), Metrics::default().accuracy()), (0.0, 0.0));
    }

    #[test]
    fn figures_of_a_batch_are_its_loss_and_its_right_answers() {
        let logits = Tensor::from_slice2(&[[0.0f32, 1.0], [3.0, 2.0], [0.0, 1.0]]);
        let figures = batch_figures(&Tensor::from(0.5f32), &logits, &Tensor::from_slice(&[1i64, 0, 0])).unwrap();
        assert_eq!(read_figures(&figures).unwrap(), (0.5, 2));
    }
}
