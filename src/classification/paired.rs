//! Two networks on the same images: McNemar's test, and the difference of their accuracies.

use serde::Serialize;
use statrs::distribution::{Binomial, DiscreteCDF};

use super::proportion::wilson;

/// The 0.975 quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Right and wrong answers of two networks, A and B, to the same images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PairedAnswers {
    /// Images that both classify correctly.
    pub both_right: usize,
    /// Images that only A classifies correctly.
    pub only_a_right: usize,
    /// Images that only B classifies correctly.
    pub only_b_right: usize,
    /// Images that neither classifies correctly.
    pub both_wrong: usize,
}

/// The accuracies of two networks on the same images, and the difference between them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PairedComparison {
    /// Number of images that both networks classified.
    pub images: usize,
    /// The images by which of the networks was right.
    #[serde(flatten)]
    pub answers: PairedAnswers,
    /// Accuracy of A.
    pub accuracy_a: f64,
    /// Wilson's 95 % interval of `accuracy_a`.
    pub accuracy_a_ci95: [f64; 2],
    /// Accuracy of B.
    pub accuracy_b: f64,
    /// Wilson's 95 % interval of `accuracy_b`.
    pub accuracy_b_ci95: [f64; 2],
    /// Accuracy of A minus accuracy of B.
    pub difference: f64,
    /// 95 % interval of `difference`: Wald's, adjusted for matched pairs (Bonett & Price 2012).
    pub difference_ci95: [f64; 2],
    /// Two-sided p-value of McNemar's exact test of whether each network is right equally often
    /// where the other is wrong.
    pub p_value: f64,
}

impl PairedAnswers {
    /// Count one image.
    pub fn count(&mut self, a_right: bool, b_right: bool) {
        *match (a_right, b_right) {
            (true, true) => &mut self.both_right,
            (true, false) => &mut self.only_a_right,
            (false, true) => &mut self.only_b_right,
            (false, false) => &mut self.both_wrong,
        } += 1;
    }

    /// The comparison; `None` without images.
    pub fn compare(self) -> Option<PairedComparison> {
        let (a, b) = (self.only_a_right, self.only_b_right);
        let images = self.both_right + a + b + self.both_wrong;
        if images == 0 {
            return None;
        }
        let (right_a, right_b) = (self.both_right + a, self.both_right + b);
        let share = |right: usize| right as f64 / images as f64;
        Some(PairedComparison {
            images,
            answers: self,
            accuracy_a: share(right_a),
            accuracy_a_ci95: wilson(right_a, images),
            accuracy_b: share(right_b),
            accuracy_b_ci95: wilson(right_b, images),
            difference: (a as f64 - b as f64) / images as f64,
            difference_ci95: difference_interval(a, b, images),
            p_value: mcnemar(a, b),
        })
    }
}

/// Bonett & Price (2012), equation 4: Wald's interval after adding one image to each kind of
/// disagreement.
fn difference_interval(only_a: usize, only_b: usize, images: usize) -> [f64; 2] {
    let n = images as f64 + 2.0;
    let (a, b) = ((only_a as f64 + 1.0) / n, (only_b as f64 + 1.0) / n);
    let half = Z * ((a + b - (a - b).powi(2)) / n).sqrt();
    [(a - b - half).max(-1.0), (a - b + half).min(1.0)]
}

/// Twice the smaller tail of a fair coin tossed once per disagreement, at most 1.
fn mcnemar(only_a: usize, only_b: usize) -> f64 {
    let disagreements = (only_a + only_b) as u64;
    let tail = Binomial::new(0.5, disagreements).map(|coin| coin.cdf(only_a.min(only_b) as u64));
    tail.map_or(1.0, |tail| (2.0 * tail).min(1.0))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        answers: [usize; 4],
        difference: f64,
        ci95: [f64; 2],
        p_value: f64,
    }

    #[test]
    fn difference_interval_and_p_value_agree_with_scipy() {
        let text = include_str!("../../tests/fixtures/paired.json");
        let cases: Vec<Case> = serde_json::from_str(text).unwrap();
        assert!(cases.len() >= 5);
        for case in cases {
            let [both_right, only_a_right, only_b_right, both_wrong] = case.answers;
            let answers = PairedAnswers {
                both_right,
                only_a_right,
                only_b_right,
                both_wrong,
            };
            let compared = answers.compare().unwrap();
            let pairs = [
                (compared.difference, case.difference),
                (compared.difference_ci95[0], case.ci95[0]),
                (compared.difference_ci95[1], case.ci95[1]),
                (compared.p_value, case.p_value),
            ];
            for (ours, theirs) in pairs {
                let close = (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1e-3);
                assert!(close, "{answers:?}: {pairs:?}");
            }
        }
    }

    #[test]
    fn each_image_is_counted_in_its_category() {
        let mut answers = PairedAnswers::default();
        for (a, b, times) in [
            (true, true, 4),
            (true, false, 3),
            (false, true, 2),
            (false, false, 1),
        ] {
            (0..times).for_each(|_| answers.count(a, b));
        }
        let compared = answers.compare().unwrap();
        assert_eq!((compared.accuracy_a, compared.accuracy_b), (0.7, 0.6));
        assert_eq!(compared.images, 10);
    }

    #[test]
    fn without_images_there_is_nothing_to_compare() {
        assert_eq!(PairedAnswers::default().compare(), None);
    }
}
