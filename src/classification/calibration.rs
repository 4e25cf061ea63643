//! Expected calibration error: how far a network's confidence deviates from its accuracy.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Number of equal-width bins for confidences (Guo et al. 2017).
pub const BINS: usize = 15;
/// Number of bootstrap resamples for the interval.
pub const RESAMPLES: usize = 1_000;
/// Seed of the resampling, so that the same images always give the same interval.
const SEED: u64 = 0;

/// Confidence compared with accuracy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Expected calibration error: the difference between mean confidence (the probability of the
    /// prediction) and accuracy in each of [`BINS`] equal-width bins, averaged with the bins'
    /// numbers of images as weights.
    pub error: f64,
    /// Basic bootstrap interval from [`RESAMPLES`] resamples, limited to 0..=1: `2 error - q`,
    /// where q are the 97.5 % and 2.5 % quantiles of the resamples' errors. The error is biased
    /// upwards for few images, and more so for a resample; this form corrects for that, so the
    /// interval can lie below `error`.
    pub ci95: [f64; 2],
    /// The bins in ascending order of confidence.
    pub bins: Vec<Bin>,
}

/// The images whose confidence is above `from` and at most `to`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Lower end, exclusive.
    pub from: f64,
    /// Upper end, inclusive.
    pub to: f64,
    /// Number of images.
    pub images: usize,
    /// Accuracy on these images; `None` in an empty bin.
    pub accuracy: Option<f64>,
    /// Mean probability of the prediction; `None` in an empty bin.
    pub confidence: Option<f64>,
}

/// Sums over the images of a bin.
#[derive(Debug, Clone, Copy, Default)]
struct BinSums {
    images: usize,
    correct: usize,
    confidence: f64,
}

impl Calibration {
    /// Calibration of answers, each given as its confidence (0..=1) and whether it was right.
    pub fn of(answers: &[(f64, bool)]) -> Calibration {
        let binned: Vec<(usize, f64, bool)> = answers
            .iter()
            .map(|&(confidence, right)| (bin_of(confidence), confidence, right))
            .collect();
        let sums = gather(binned.iter());
        let error = expected_error(&sums);
        let bin = |(number, sums): (usize, &BinSums)| {
            let mean = |sum: f64| (sums.images > 0).then(|| sum / sums.images as f64);
            let (from, to) = (
                number as f64 / BINS as f64,
                (number + 1) as f64 / BINS as f64,
            );
            Bin {
                from,
                to,
                images: sums.images,
                accuracy: mean(sums.correct as f64),
                confidence: mean(sums.confidence),
            }
        };
        Calibration {
            error,
            ci95: interval(&binned, error),
            bins: sums.iter().enumerate().map(bin).collect(),
        }
    }
}

/// The first bin whose upper edge is at least `confidence`.
fn bin_of(confidence: f64) -> usize {
    ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1
}

fn gather<'a>(answers: impl Iterator<Item = &'a (usize, f64, bool)>) -> [BinSums; BINS] {
    let mut bins = [BinSums::default(); BINS];
    for &(bin, confidence, right) in answers {
        let sums = &mut bins[bin];
        sums.images += 1;
        sums.correct += usize::from(right);
        sums.confidence += confidence;
    }
    bins
}

fn expected_error(bins: &[BinSums; BINS]) -> f64 {
    let images: usize = bins.iter().map(|sums| sums.images).sum();
    // A bin's share of the images times the difference of its means equals the difference of its
    // sums divided by the number of all images.
    bins.iter()
        .map(|sums| (sums.correct as f64 - sums.confidence).abs())
        .sum::<f64>()
        / images.max(1) as f64
}

fn interval(answers: &[(usize, f64, bool)], error: f64) -> [f64; 2] {
    if answers.is_empty() {
        return [0.0, 1.0];
    }
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut errors: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let drawn = (0..answers.len()).map(|_| &answers[random.random_range(0..answers.len())]);
            expected_error(&gather(drawn))
        })
        .collect();
    errors.sort_by(f64::total_cmp);
    [0.975, 0.025].map(|share| (2.0 * error - quantile(&errors, share)).clamp(0.0, 1.0))
}

/// The `share` quantile of sorted values, interpolated linearly between neighbours.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (
        sorted[place.floor() as usize],
        sorted[place.ceil() as usize],
    );
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confidence_on_an_edge_belongs_to_the_bin_below_it() {
        assert_eq!([0.0, 0.01, 0.2, 0.2001, 1.0].map(bin_of), [0, 0, 2, 3, 14]);
    }

    #[test]
    fn a_network_that_is_always_sure_and_right_half_of_the_time_has_an_error_of_one_half() {
        let calibration = Calibration::of(&[(1.0, true), (1.0, false), (1.0, true), (1.0, false)]);
        assert_eq!(calibration.error, 0.5);
        assert_eq!(
            (calibration.bins[14].images, calibration.bins[14].accuracy),
            (4, Some(0.5))
        );
        assert_eq!(
            (calibration.bins[0].images, calibration.bins[0].accuracy),
            (0, None)
        );
    }

    #[test]
    fn over_and_underconfidence_in_different_bins_do_not_cancel_out() {
        let answers = [(0.9, false), (0.5, true)];
        assert!((Calibration::of(&answers).error - (0.9 + 0.5) / 2.0).abs() < 1e-12);
    }

    #[test]
    fn equal_answers_have_equal_intervals_and_more_answers_narrower_ones() {
        let answers: Vec<(f64, bool)> = (0..200).map(|index| (0.7, index % 2 == 0)).collect();
        let few = Calibration::of(&answers);
        assert_eq!(few, Calibration::of(&answers));
        let many = Calibration::of(&answers.repeat(20));
        let width = |calibration: &Calibration| calibration.ci95[1] - calibration.ci95[0];
        assert!(
            few.ci95[0] <= few.error && few.error <= few.ci95[1],
            "{few:?}"
        );
        assert!(
            width(&many) < width(&few) / 3.0,
            "{:?} {:?}",
            many.ci95,
            few.ci95
        );
    }
}
