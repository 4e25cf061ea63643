//! The mean of a network's weights over several steps.

use tch::{TchError, Tensor};

use crate::config::WeightAverage;

/// A mean of all parameters that is updated after each step.
#[derive(Debug)]
pub struct Average {
    kind: WeightAverage,
    /// `[S]`, in the order of [`Parameters::values`](crate::child::Parameters::values).
    mean: Tensor,
}

/// The steps that have been taken.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// Number of the epoch in progress, from 1.
    pub epoch: usize,
    /// Steps in this epoch, and their number in a whole one.
    pub done: usize,
    pub batches: usize,
}

impl Average {
    /// A mean of nothing yet, of parameters like `values`; `None` if there is nothing to average.
    pub fn new(kind: WeightAverage, values: &Tensor) -> Result<Option<Average>, TchError> {
        if kind.is_none() {
            return Ok(None);
        }
        let mean = values.f_zeros_like()?;
        Ok(Some(Average { kind, mean }))
    }

    /// The mean: state that can be saved, or written to in order to restore it.
    pub fn mean(&self) -> &Tensor {
        &self.mean
    }

    /// Include `values` as they are after the latest of the steps `taken`.
    pub fn include(&mut self, values: &Tensor, taken: Taken) -> Result<(), TchError> {
        let weight = weight(self.kind, taken);
        if weight > 0.0 {
            let _guard = tch::no_grad_guard();
            let _ = self.mean.f_lerp_(values, weight)?;
        }
        Ok(())
    }

    /// Exchange the mean and `values`.
    pub fn exchange(&mut self, values: &Tensor) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        // All memory is allocated before anything is changed.
        let mut kept = values.f_empty_like()?;
        kept.f_copy_(values)?;
        values.shallow_clone().f_copy_(&self.mean)?;
        self.mean.f_copy_(&kept)
    }
}

/// The weight in the mean of the parameters after the latest step.
fn weight(kind: WeightAverage, taken: Taken) -> f64 {
    let Taken {
        epoch,
        done,
        batches,
    } = taken;
    match kind {
        WeightAverage::None => 0.0,
        WeightAverage::LastHalfEpoch => match done.saturating_sub(batches / 2) {
            0 => 0.0,
            number => 1.0 / number as f64,
        },
        WeightAverage::Ema { decay } => {
            // At first a mean over few steps, so that the start is soon forgotten: TensorFlow's
            // ExponentialMovingAverage with num_updates, which begins with the first step.
            let step = ((epoch - 1) * batches + done) as f64;
            1.0 - decay.min((step - 1.0) / (step + 8.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    /// The mean after one epoch in which the parameters are 1, 2, 3, ...
    fn after(kind: WeightAverage, epoch: usize, batches: usize) -> f64 {
        let values = Tensor::zeros([3], (Kind::Float, Device::Cpu));
        let mut average = Average::new(kind, &values).unwrap().unwrap();
        for done in 1..=batches {
            let taken = Taken {
                epoch,
                done,
                batches,
            };
            average
                .include(&values.full_like(done as f64), taken)
                .unwrap();
        }
        average.mean().double_value(&[2])
    }

    #[test]
    fn the_mean_of_the_last_half_epoch_is_that_of_the_steps_in_its_second_half() {
        let kind = WeightAverage::LastHalfEpoch;
        assert_eq!(after(kind, 1, 8), 6.5, "of 5, 6, 7, 8");
        assert!((after(kind, 7, 5) - 4.0).abs() < 1e-6, "of 3, 4, 5");
        assert_eq!(after(kind, 2, 1), 1.0);
    }

    #[test]
    fn a_moving_average_begins_with_the_first_step_and_then_decays_as_it_should() {
        let kind = WeightAverage::Ema { decay: 0.75 };
        assert_eq!(after(kind, 1, 1), 1.0);
        let mut expected = 0.0;
        for step in 1..=60 {
            let decay = f64::min(0.75, (step - 1) as f64 / (step + 8) as f64);
            expected = decay * expected + (1.0 - decay) * step as f64;
        }
        assert!((after(kind, 1, 60) - expected).abs() < 1e-4);
        // The same number of steps before: no longer a mean over few of them.
        let last = Taken {
            epoch: 9,
            done: 1,
            batches: 60,
        };
        assert_eq!(weight(kind, last), 0.25);
    }

    #[test]
    fn mean_and_weights_change_places_and_back() {
        let values = Tensor::from_slice(&[1f32, 2.0]);
        let kind = WeightAverage::LastHalfEpoch;
        let mut average = Average::new(kind, &values).unwrap().unwrap();
        average.exchange(&values).unwrap();
        assert_eq!(values, Tensor::from_slice(&[0f32, 0.0]));
        assert_eq!(average.mean(), &Tensor::from_slice(&[1f32, 2.0]));
        average.exchange(&values).unwrap();
        assert_eq!(values, Tensor::from_slice(&[1f32, 2.0]));
    }

    #[test]
    fn there_is_nothing_to_keep_without_an_average() {
        let values = Tensor::from_slice(&[1f32]);
        assert!(
            Average::new(WeightAverage::None, &values)
                .unwrap()
                .is_none()
        );
    }
}
