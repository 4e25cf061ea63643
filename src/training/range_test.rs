//! A range test of the learning rate: one epoch in which it rises exponentially batch by batch shows
//! from which rate on the loss no longer falls (Smith 2017, arXiv 1506.01186, section 3.3).

use tch::Device;

use super::form::{NumericForm, fitting};
use super::{TrainingError, stages};
use crate::child::{self, Network};
use crate::config::{Config, Precision, Recipe, WeightAverage};
use crate::data;
use crate::foundation::host;
use crate::foundation::seeds::derive;
use crate::space::Architecture;
use crate::train::{Fit, Metrics, TrainError, TrainingImages, memory};

/// The rates of the first and the last batch.
const FROM: f64 = 1e-3;
const TO: f64 = 2.0;
/// The test ends early once the running mean of the loss is this many times its minimum (as in
/// fastai's lr_find).
const DIVERGED: f64 = 4.0;
/// The running mean of the loss covers about this part of the batches.
const WINDOW: f64 = 0.05;
/// How much of its fall the loss must rise again for its lowest point to count.
const RISE: f64 = 0.25;
/// Fewer batches show nothing.
pub const LEAST_BATCHES: usize = 20;

/// A batch of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RangePoint {
    /// Its number, from 1.
    pub batch: usize,
    /// The learning rate of the step after it.
    pub learning_rate: f64,
    /// Its mean training loss, with the recipe's label smoothing and mixed images.
    pub loss: f64,
    /// The exponential running mean of the losses so far, corrected for its beginning.
    pub running_loss: f64,
}

/// The batches of a test, as far as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeTest {
    /// The batches.
    pub points: Vec<RangePoint>,
    /// Number of batches in the epoch.
    pub batches: usize,
    /// Images in a batch.
    pub batch_size: usize,
    /// Shape `[C, H, W]` of the images.
    pub input: [usize; 3],
    /// Whether the loss rose so far, or was no longer finite, that the test ended early.
    pub diverged: bool,
}

impl RangeTest {
    /// Where the running mean of the loss is lowest; `None` without batches.
    pub fn lowest(&self) -> Option<&RangePoint> {
        let by_loss = |one: &&RangePoint, other: &&RangePoint| {
            one.running_loss.total_cmp(&other.running_loss)
        };
        self.points.iter().min_by(by_loss)
    }

    /// Whether the loss has risen after its lowest point by a quarter of its fall before, so that
    /// this point is a property of the network rather than the end of the range.
    pub fn has_risen(&self) -> bool {
        let [first, last] = [self.points.first(), self.points.last()]
            .map(|point| point.map_or(0.0, |point| point.running_loss));
        let lowest = self.lowest().map_or(0.0, |lowest| lowest.running_loss);
        self.diverged || last - lowest > RISE * (first - lowest).max(0.0)
    }

    /// A tenth of the rate at which the loss is lowest: fastai's rule of thumb for a peak.
    pub fn suggested_peak(&self) -> Option<f64> {
        self.lowest().map(|lowest| lowest.learning_rate / 10.0)
    }
}

/// Run a range test of `architecture` with the recipe of `config` on the images of its first stage.
/// Begins with the same weights as a training with the same seed; nothing is saved.
///
/// # Errors
/// As for a training, but not if the loss diverges, which is a result here.
pub fn range_test(
    architecture: &Architecture,
    config: &Config,
) -> Result<RangeTest, TrainingError> {
    let (device, _) = child::device::chosen_one(config.workers.device)?;
    tch::set_num_threads(config.workers.threads.unwrap_or_else(host::cores) as i32);
    let opened = child::device::open(device)?;
    let mut images = images(architecture, config, opened)?;
    let stage = config.train.recipe.stages.first();
    let data = images.data(stage)?;
    let architecture = match stage {
        Some(stage) => architecture.for_size(stage.size),
        None => architecture.clone(),
    };
    // Whatever else the recipe averages: only the steps count here.
    let recipe = Recipe {
        weight_average: WeightAverage::None,
        ..config.train.recipe.clone()
    };
    let form =
        NumericForm::choose(&architecture, &config.train, opened).map_err(TrainError::from)?;
    let (micro_batch, _) = fitting(
        &architecture,
        &form.plan,
        recipe.batch_size,
        memory::free(opened),
    )
    .map_err(TrainError::from)?;
    let seed = derive(config.search.seed, "train", 0);
    tch::manual_seed(seed as i64);
    let mut network = Network::new(&architecture, form.plan, opened)?;
    if form.precision == Precision::Bf16 {
        network.compute_in_bf16();
    }
    let mut fit = Fit::new(network, &recipe, &data, recipe.batch_size, seed)?;
    fit.set_micro_batch(micro_batch);
    if fit.batches() < LEAST_BATCHES {
        return Err(TrainingError::TooFewBatches {
            batches: fit.batches(),
            least: LEAST_BATCHES,
        });
    }
    let mut test = RangeTest {
        points: Vec::new(),
        batches: fit.batches(),
        batch_size: recipe.batch_size,
        input: architecture.input,
        diverged: false,
    };
    climb(&mut fit, &mut test)?;
    Ok(test)
}

fn images(
    architecture: &Architecture,
    config: &Config,
    device: Device,
) -> Result<TrainingImages, TrainingError> {
    let dataset = data::load(&config.data)?;
    let resident = config.train.data_on_device;
    let images = TrainingImages::new(dataset, &config.data, device, resident)?;
    images.check(architecture)?;
    stages::check(&config.train, &config.data, architecture)?;
    Ok(images)
}

/// Take the steps of the epoch until its end or until the loss diverges.
fn climb(fit: &mut Fit, test: &mut RangeTest) -> Result<(), TrainingError> {
    let mut epoch = fit.epoch(1, 0, Metrics::default())?;
    let mut mean = RunningMean::over(test.batches);
    let mut before = 0.0;
    while !epoch.is_done() {
        let rate = rate(epoch.done(), test.batches);
        match fit.step(&mut epoch, rate) {
            Err(TrainError::OutOfMemory(_)) if fit.micro_batch() > 1 => {
                fit.set_micro_batch(fit.micro_batch().div_ceil(2));
                continue;
            }
            taken => taken?,
        }
        match epoch.settle() {
            Err(TrainError::Diverged { .. }) => {
                test.diverged = true;
                return Ok(());
            }
            settled => settled?,
        }
        let metrics = epoch.metrics();
        let sum = metrics.loss() * metrics.images as f64;
        let images = metrics.images - (epoch.done() - 1) * test.batch_size;
        let loss = (sum - before) / images as f64;
        before = sum;
        let running_loss = mean.include(loss);
        test.points.push(RangePoint {
            batch: epoch.done(),
            learning_rate: rate,
            loss,
            running_loss,
        });
        let lowest = test
            .lowest()
            .map_or(running_loss, |lowest| lowest.running_loss);
        if running_loss > DIVERGED * lowest {
            test.diverged = true;
            return Ok(());
        }
    }
    Ok(())
}

/// Learning rate of batch `batch` (from 0) of `batches`.
fn rate(batch: usize, batches: usize) -> f64 {
    let part = batch as f64 / (batches - 1).max(1) as f64;
    FROM * (TO / FROM).powf(part)
}

/// An exponential mean, corrected for having begun at 0 (as Adam's).
struct RunningMean {
    keep: f64,
    sum: f64,
    weight: f64,
}

impl RunningMean {
    fn over(batches: usize) -> RunningMean {
        let keep = 1.0 - 1.0 / (batches as f64 * WINDOW).max(1.0);
        RunningMean {
            keep,
            sum: 0.0,
            weight: 0.0,
        }
    }

    fn include(&mut self, value: f64) -> f64 {
        self.sum = self.keep * self.sum + (1.0 - self.keep) * value;
        self.weight = self.keep * self.weight + (1.0 - self.keep);
        self.sum / self.weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test_of(losses: &[f64], diverged: bool) -> RangeTest {
        let batches = losses.len();
        let point = |(place, &loss): (usize, &f64)| RangePoint {
            batch: place + 1,
            learning_rate: rate(place, batches),
            loss,
            running_loss: loss,
        };
        RangeTest {
            points: losses.iter().enumerate().map(point).collect(),
            batches,
            batch_size: 2,
            input: [1, 8, 8],
            diverged,
        }
    }

    #[test]
    fn the_rate_rises_by_the_same_factor_from_batch_to_batch() {
        let rates: Vec<f64> = (0..5).map(|batch| rate(batch, 5)).collect();
        assert!((rates[0] - 1e-3).abs() < 1e-12 && (rates[4] - 2.0).abs() < 1e-9);
        let factors = rates.windows(2).map(|pair| pair[1] / pair[0]);
        let first = rates[1] / rates[0];
        assert!(
            factors
                .into_iter()
                .all(|factor| (factor - first).abs() < 1e-9)
        );
    }

    #[test]
    fn the_suggestion_is_a_tenth_of_the_rate_with_the_lowest_loss() {
        let test = test_of(&[2.3, 2.0, 1.5, 1.9, 3.0], true);
        let peak = test.suggested_peak().unwrap();
        assert!((peak - rate(2, 5) / 10.0).abs() < 1e-12 && test.has_risen());
        assert!(!test_of(&[2.3, 2.0, 1.5], false).has_risen());
        assert_eq!(test_of(&[], true).suggested_peak(), None);
    }

    #[test]
    fn the_running_mean_of_a_constant_is_that_constant_from_the_first_batch_on() {
        let mut mean = RunningMean::over(400);
        for _ in 0..3 {
            assert!((mean.include(2.5) - 2.5).abs() < 1e-12);
        }
    }
}
