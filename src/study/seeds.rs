//! The effect of chance on one network: the same training with several seeds, and the interval of
//! the mean.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::series::{Series, is_complete, summary_of};
use crate::analysis::statistics::MeanInterval;
use crate::foundation::numbers::{accuracies, accuracy, counted};

/// The trainings of the set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeedsQuestion {
    /// ARCH as given by the user.
    pub origin: String,
    /// Name of the network.
    pub architecture: String,
    /// Seed of each training.
    pub seeds: Vec<u64>,
}

/// `summary.json` of the set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeedsSummary {
    /// `seeds`, which distinguishes this summary from a run's.
    pub kind: Kind,
    /// ARCH as given by the user.
    pub origin: String,
    /// Name of the network.
    pub architecture: String,
    /// The trainings, in order.
    pub trainings: Vec<OneSeed>,
    /// Mean over the completed trainings; null for fewer than two.
    pub valid_accuracy: Option<MeanInterval>,
    /// Mean over those that have a test accuracy; null for fewer than two.
    pub test_accuracy: Option<MeanInterval>,
    /// Mean of the accuracy with mirror images, a figure of its own; absent for fewer than two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirrored_test_accuracy: Option<MeanInterval>,
    /// Number of unfinished trainings, which are in no mean.
    pub unfinished: usize,
}

/// The kind of a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Of one network with several seeds.
    #[default]
    Seeds,
}

/// One training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OneSeed {
    /// Seed of its weights, the order of the images and their augmentation.
    pub seed: u64,
    /// Name of its run directory.
    pub run: String,
    /// Number of epochs that have ended.
    pub epochs: usize,
    /// Whether it was completed as planned.
    pub is_complete: bool,
    /// Validation accuracy of the best epoch; null before the first.
    pub valid_accuracy: Option<f64>,
    /// Test accuracy; null before the test, and if the data have no test images or they are not used.
    pub test_accuracy: Option<f64>,
    /// Whether the test images are not used (`train.test = false`); absent if they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_test: bool,
    /// Test accuracy with mirror images; absent if it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirrored_test_accuracy: Option<f64>,
}

impl SeedsSummary {
    /// The summary of the trainings as they are now.
    pub fn of(series: &Series<SeedsQuestion>) -> SeedsSummary {
        let question = series.question();
        let both = question.seeds.iter().zip(series.paths());
        let one = |(seed, path): (&u64, std::path::PathBuf)| {
            let summary = summary_of(&path).unwrap_or_default();
            OneSeed {
                seed: *seed,
                run: crate::runs::directory::name_of(&path),
                epochs: summary.epochs_done,
                is_complete: is_complete(&path),
                valid_accuracy: summary.best.map(|best| best.valid_accuracy),
                test_accuracy: summary.test.map(|test| test.accuracy),
                without_test: summary.without_test,
                mirrored_test_accuracy: summary.mirrored_test.map(|test| test.accuracy),
            }
        };
        SeedsSummary::of_trainings(question, both.map(one).collect())
    }

    fn of_trainings(question: &SeedsQuestion, trainings: Vec<OneSeed>) -> SeedsSummary {
        let over = |value: fn(&OneSeed) -> Option<f64>| -> Vec<f64> {
            let complete = trainings.iter().filter(|one| one.is_complete);
            complete.filter_map(value).collect()
        };
        SeedsSummary {
            kind: Kind::Seeds,
            origin: question.origin.clone(),
            architecture: question.architecture.clone(),
            valid_accuracy: MeanInterval::of(&over(|one| one.valid_accuracy)),
            test_accuracy: MeanInterval::of(&over(|one| one.test_accuracy)),
            mirrored_test_accuracy: MeanInterval::of(&over(|one| one.mirrored_test_accuracy)),
            unfinished: trainings.iter().filter(|one| !one.is_complete).count(),
            trainings,
        }
    }
}

impl fmt::Display for SeedsSummary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = self.trainings.len();
        writeln!(out, "{}, trained with {of} seeds", self.architecture)?;
        let known = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), accuracy);
        for one in &self.trainings {
            let state = if one.is_complete {
                ""
            } else {
                "  not completed"
            };
            let mirrored = one
                .mirrored_test_accuracy
                .map_or_else(String::new, |value| {
                    format!("  mirrored test {}", accuracy(value))
                });
            let test = if one.without_test {
                "test images not used".to_owned()
            } else {
                format!("test {}", known(one.test_accuracy))
            };
            writeln!(
                out,
                "seed {:<10} validation {}  {test}{mirrored}  ({}){state}",
                one.seed,
                known(one.valid_accuracy),
                counted(one.epochs as u64, "epoch")
            )?;
        }
        for (name, mean) in [
            ("validation", &self.valid_accuracy),
            ("test", &self.test_accuracy),
            ("mirrored test", &self.mirrored_test_accuracy),
        ] {
            let Some(MeanInterval {
                mean,
                deviation,
                ci95,
                count,
            }) = mean
            else {
                continue;
            };
            writeln!(
                out,
                "{name} accuracy: mean {} (95 % {} by Student's t over {count} seeds), standard deviation {:.2} points",
                accuracy(*mean),
                accuracies(*ci95),
                100.0 * deviation
            )?;
        }
        if self.unfinished > 0 {
            writeln!(out, "{} not completed: in no mean", self.unfinished)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(seed: u64, valid: f64, test: Option<f64>, is_complete: bool) -> OneSeed {
        OneSeed {
            seed,
            run: format!("seed-{seed}"),
            epochs: 3,
            is_complete,
            valid_accuracy: Some(valid),
            test_accuracy: test,
            without_test: false,
            mirrored_test_accuracy: test.map(|test| test + 0.01),
        }
    }

    #[test]
    fn only_completed_trainings_are_in_the_means() {
        let question = SeedsQuestion {
            origin: "net.json".to_owned(),
            architecture: "net".to_owned(),
            seeds: vec![1, 2, 3],
        };
        let trainings = vec![
            one(1, 0.5, Some(0.4), true),
            one(2, 0.7, None, true),
            OneSeed {
                without_test: true,
                ..one(3, 0.1, None, false)
            },
        ];
        let summary = SeedsSummary::of_trainings(&question, trainings);
        let mean = summary.valid_accuracy.unwrap();
        assert!((mean.mean - 0.6).abs() < 1e-12 && mean.count == 2);
        assert_eq!((summary.test_accuracy, summary.unfinished), (None, 1));
        let text = summary.to_string();
        assert!(
            text.contains("mean 60.00 %")
                && text.contains("10.00 %  test images not used  (3 epochs)")
                && text.contains("1 not completed"),
            "{text}"
        );
    }
}
