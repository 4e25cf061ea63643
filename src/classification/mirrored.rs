//! Accuracy on images together with their mirror images: a figure of its own, beside that on the images
//! alone.

use serde::{Deserialize, Serialize};

use super::proportion::wilson;
use super::{ReportError, judge_all, share};

/// How well a network classifies images if the logits of each are the mean of those of the image and
/// of its mirror image (as in Jordan 2024, arXiv 2404.00498). It shows each image twice, so it cannot
/// be compared with accuracies of a single look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MirroredAccuracy {
    /// Number of images.
    pub images: usize,
    /// Images whose largest mean logit is that of their label.
    pub correct: usize,
    /// `correct / images`.
    pub accuracy: f64,
    /// Wilson's interval of `accuracy`.
    pub accuracy_ci95: [f64; 2],
    /// Mean cross-entropy of the mean logits, in nats.
    pub loss: f64,
}

impl MirroredAccuracy {
    /// The accuracy on images with `labels` and the logits of the images and of their mirror images
    /// (for each image a row with one per class).
    ///
    /// # Errors
    /// As for [`ClassificationReport::new`](super::ClassificationReport::new).
    pub fn new(
        labels: &[usize],
        [plain, mirrored]: [&[Vec<f64>]; 2],
    ) -> Result<MirroredAccuracy, ReportError> {
        let mean = |(one, other): (&Vec<f64>, &Vec<f64>)| -> Vec<f64> {
            let pairs = one.iter().zip(other);
            pairs.map(|(one, other)| (one + other) / 2.0).collect()
        };
        let means: Vec<Vec<f64>> = plain.iter().zip(mirrored).map(mean).collect();
        let judged = judge_all(means.first().map_or(0, Vec::len), labels, &means)?;
        let images = labels.len();
        let correct = judged.iter().filter(|judged| judged.rank == 0).count();
        Ok(MirroredAccuracy {
            images,
            correct,
            accuracy: share(correct, images),
            accuracy_ci95: wilson(correct, images),
            loss: judged.iter().map(|judged| judged.loss).sum::<f64>() / images as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logits_of_an_image_and_its_mirror_image_are_averaged() {
        // The first image is right only without its mirror image, the second only with it.
        let plain = [vec![1.0, 0.0], vec![1.0, 0.5]];
        let mirrored = [vec![0.0, 2.0], vec![0.0, 1.0]];
        let both = MirroredAccuracy::new(&[0, 1], [&plain, &mirrored]).unwrap();
        assert_eq!((both.images, both.correct, both.accuracy), (2, 1, 0.5));
        assert_eq!(both.accuracy_ci95, wilson(1, 2));
        // Means: (0.5, 1) for label 0 and (0.5, 0.75) for label 1.
        let loss = |own: f64, other: f64| (1.0 + (other - own).exp()).ln();
        let expected = (loss(0.5, 1.0) + loss(0.75, 0.5)) / 2.0;
        assert!((both.loss - expected).abs() < 1e-12, "{}", both.loss);
    }

    #[test]
    fn rows_that_do_not_match_the_labels_are_refused() {
        let rows = [vec![0.0, 1.0]];
        assert!(MirroredAccuracy::new(&[0, 1], [&rows, &rows]).is_err());
    }
}
