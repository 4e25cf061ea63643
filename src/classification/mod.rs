//! How well a network classifies: accuracy, top 5, classes, confusions and calibration, from labels
//! and logits.

mod calibration;
mod error;
mod mirrored;
pub mod paired;
pub mod predictions;
pub mod proportion;
pub mod text;

use serde::{Deserialize, Serialize};

pub use self::calibration::{BINS, Bin, Calibration, RESAMPLES};
pub use self::error::{PredictionsError, ReportError};
pub use self::mirrored::MirroredAccuracy;
use self::proportion::wilson;

/// Maximum number of confused pairs listed.
const MOST_PAIRS: usize = 10;
/// The k of top-k accuracy, which is reported if there are more than k classes.
const TOP: usize = 5;

/// Results on the test images, from their labels and logits. The intervals are 95 % confidence
/// intervals with respect to the choice of images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassificationReport {
    /// Number of images.
    pub images: usize,
    /// Images whose largest logit is that of their label (the first one wins ties).
    pub correct: usize,
    /// `correct / images`.
    pub accuracy: f64,
    /// Wilson's interval of `accuracy`.
    pub accuracy_ci95: [f64; 2],
    /// Mean cross-entropy in nats.
    pub loss: f64,
    /// How often the label is among the five largest logits; `None` for five classes or fewer.
    pub top5: Option<TopFive>,
    /// Accuracy on each class, in the order of the classes.
    pub per_class: Vec<ClassAccuracy>,
    /// Number of images by class (rows) and prediction (columns), both in the order of `per_class`.
    pub confusion: Vec<Vec<usize>>,
    /// The pairs with the most wrong answers, in descending order; at most ten.
    pub most_confused: Vec<ConfusedPair>,
    /// How trustworthy the probabilities are.
    pub calibration: Calibration,
}

/// How often the label is among the five most probable classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopFive {
    /// Number of such images.
    pub correct: usize,
    /// `correct` as a fraction of all images.
    pub accuracy: f64,
    /// Wilson's interval of `accuracy`.
    pub ci95: [f64; 2],
}

/// Accuracy on the images of one class (its recall).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassAccuracy {
    /// Name of the class.
    pub class: String,
    /// Images of the class.
    pub images: usize,
    /// Those that were classified correctly.
    pub correct: usize,
    /// `None`, like its interval, for a class without images.
    pub accuracy: Option<f64>,
    /// Wilson's interval of `accuracy`.
    pub ci95: Option<[f64; 2]>,
}

/// Images of `class` that were classified as `taken_for`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfusedPair {
    /// Their true class.
    pub class: String,
    /// The class that the network predicted.
    pub taken_for: String,
    /// Number of such images.
    pub images: usize,
}

/// The assessment of one image.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Judged {
    prediction: usize,
    /// Number of classes considered more likely than the label.
    rank: usize,
    /// Probability of the prediction.
    confidence: f64,
    /// Cross-entropy in nats.
    loss: f64,
}

impl ClassificationReport {
    /// The report on images with `labels` (indices into `classes`) and `logits` (for each image a
    /// row with one per class).
    ///
    /// # Errors
    /// [`ReportError`] if there are no images, if sizes or labels do not match, or if a logit is
    /// not finite.
    pub fn new(
        classes: &[String],
        labels: &[usize],
        logits: &[Vec<f64>],
    ) -> Result<ClassificationReport, ReportError> {
        let judged = judge_all(classes.len(), labels, logits)?;
        let images = labels.len();
        let mut confusion = vec![vec![0; classes.len()]; classes.len()];
        labels
            .iter()
            .zip(&judged)
            .for_each(|(&label, judged)| confusion[label][judged.prediction] += 1);
        let within = |top: usize| judged.iter().filter(|judged| judged.rank < top).count();
        let correct = within(1);
        let top5 = (classes.len() > TOP).then(|| {
            let correct = within(TOP);
            TopFive {
                correct,
                accuracy: share(correct, images),
                ci95: wilson(correct, images),
            }
        });
        let answers: Vec<(f64, bool)> = judged
            .iter()
            .map(|judged| (judged.confidence, judged.rank == 0))
            .collect();
        Ok(ClassificationReport {
            images,
            correct,
            accuracy: share(correct, images),
            accuracy_ci95: wilson(correct, images),
            loss: judged.iter().map(|judged| judged.loss).sum::<f64>() / images as f64,
            top5,
            per_class: per_class(classes, &confusion),
            most_confused: most_confused(classes, &confusion),
            confusion,
            calibration: Calibration::of(&answers),
        })
    }
}

impl ClassificationReport {
    /// The images of `pair` as a fraction of all images of its class.
    pub fn share_of_class(&self, pair: &ConfusedPair) -> f64 {
        let mut classes = self.per_class.iter();
        let class = classes.find(|class| class.class == pair.class);
        share(pair.images, class.map_or(0, |class| class.images))
    }
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn judge_all(
    classes: usize,
    labels: &[usize],
    logits: &[Vec<f64>],
) -> Result<Vec<Judged>, ReportError> {
    if labels.is_empty() || classes == 0 {
        return Err(ReportError::NoImages);
    }
    if labels.len() != logits.len() {
        return Err(ReportError::Rows {
            labels: labels.len(),
            rows: logits.len(),
        });
    }
    let judged = labels
        .iter()
        .zip(logits)
        .enumerate()
        .map(|(image, (&label, row))| match () {
            () if row.len() != classes => Err(ReportError::Width {
                image,
                logits: row.len(),
                classes,
            }),
            () if label >= classes => Err(ReportError::Label {
                image,
                label,
                classes,
            }),
            // Networks compute in float32; within its range none of our sums can overflow.
            () if !row.iter().all(|logit| logit.abs() <= f64::from(f32::MAX)) => {
                Err(ReportError::NotFinite { image })
            }
            () => Ok(judge(label, row)),
        });
    judged.collect()
}

/// Requires `row` to be finite and to have a logit for `label`.
fn judge(label: usize, row: &[f64]) -> Judged {
    let prediction = (1..row.len()).fold(
        0,
        |best, class| if row[class] > row[best] { class } else { best },
    );
    let largest = row[prediction];
    // Subtract the largest logit so that no exponential overflows.
    let sum: f64 = row.iter().map(|logit| (logit - largest).exp()).sum();
    let before =
        |class: usize| row[class] > row[label] || row[class] == row[label] && class < label;
    Judged {
        prediction,
        rank: (0..row.len()).filter(|&class| before(class)).count(),
        confidence: 1.0 / sum,
        loss: sum.ln() + (largest - row[label]),
    }
}

fn per_class(classes: &[String], confusion: &[Vec<usize>]) -> Vec<ClassAccuracy> {
    let one = |(number, class): (usize, &String)| {
        let (images, correct) = (confusion[number].iter().sum(), confusion[number][number]);
        let any = images > 0;
        let (accuracy, ci95) = (
            any.then(|| share(correct, images)),
            any.then(|| wilson(correct, images)),
        );
        ClassAccuracy {
            class: class.clone(),
            images,
            correct,
            accuracy,
            ci95,
        }
    };
    classes.iter().enumerate().map(one).collect()
}

/// Pairs with equally many images keep the order of the classes.
fn most_confused(classes: &[String], confusion: &[Vec<usize>]) -> Vec<ConfusedPair> {
    let cells =
        (0..classes.len()).flat_map(|row| (0..classes.len()).map(move |column| (row, column)));
    let mut wrong: Vec<(usize, usize)> = cells
        .filter(|&(row, column)| row != column && confusion[row][column] > 0)
        .collect();
    wrong.sort_by_key(|&(row, column)| std::cmp::Reverse(confusion[row][column]));
    wrong.truncate(MOST_PAIRS);
    let pair = |(row, column): (usize, usize)| ConfusedPair {
        class: classes[row].clone(),
        taken_for: classes[column].clone(),
        images: confusion[row][column],
    };
    wrong.into_iter().map(pair).collect()
}

#[cfg(test)]
mod tests;
