//! The weights that a training begins with instead of random ones, and what they have gone through.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::foundation::numbers;

/// Weights that a training began with instead of random ones: those of one file, or the mean of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InitialWeights {
    /// The file or run directory that was read.
    pub file: String,
    /// The training that they are from; absent if that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<EarlierTraining>,
    /// The others of which, together with these, the mean was taken; empty if there were none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mean_with: Vec<InitialWeights>,
}

impl InitialWeights {
    /// The trainings that the weights have gone through, as far as they are known: those of each of the averaged
    /// weights, the latest first.
    pub fn trainings(&self) -> Vec<&EarlierTraining> {
        let own = self.training.iter().flat_map(|training| {
            let before = training.before.iter().flat_map(|before| before.trainings());
            std::iter::once(training).chain(before)
        });
        let others = self.mean_with.iter().flat_map(InitialWeights::trainings);
        own.chain(others).collect()
    }

    /// Whether the weights are known from random ones on.
    pub fn is_known(&self) -> bool {
        let is_known = |training: &EarlierTraining| {
            let before = training.before.as_deref();
            before.is_none_or(InitialWeights::is_known)
        };
        self.training.as_ref().is_some_and(is_known)
            && self.mean_with.iter().all(InitialWeights::is_known)
    }

    /// Epochs that the weights are known to have been trained for; of averaged weights the most.
    pub fn epochs(&self) -> usize {
        let own = self.training.as_ref().map_or(0, |training| {
            let before = training.before.as_deref();
            training.epochs + before.map_or(0, InitialWeights::epochs)
        });
        let others = self.mean_with.iter().map(InitialWeights::epochs);
        others.fold(own, usize::max)
    }

    /// `34 epochs`, `at least 1 epoch`
    pub fn epochs_in_words(&self) -> String {
        let least = if self.is_known() { "" } else { "at least " };
        format!("{least}{}", numbers::counted(self.epochs() as u64, "epoch"))
    }

    /// A known accuracy on test images, and the training that it is of: the latest, or of averaged weights that of
    /// the first that have one.
    pub fn tested(&self) -> Option<(&EarlierTraining, f64)> {
        let mut trainings = self.trainings().into_iter();
        trainings.find_map(|training| Some((training, training.test_accuracy?)))
    }

    /// Each of the weights of which the mean was taken; of one file only itself.
    pub fn averaged(&self) -> Vec<InitialWeights> {
        let first = InitialWeights {
            mean_with: Vec::new(),
            ..self.clone()
        };
        std::iter::once(first)
            .chain(self.mean_with.iter().cloned())
            .collect()
    }

    /// Apart from those of which the mean was taken with these.
    fn write_one(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(earlier) = &self.training else {
            return write!(f, "the weights in {} (of unknown training)", self.file);
        };
        write!(
            f,
            "the best weights of {} ({}, validation accuracy {}",
            earlier.run,
            self.epochs_in_words(),
            numbers::accuracy(earlier.valid_accuracy)
        )?;
        match self.tested() {
            Some((training, accuracy)) if training == earlier => {
                write!(f, ", test accuracy {}", numbers::accuracy(accuracy))?;
            }
            Some((training, accuracy)) => {
                write!(
                    f,
                    ", test accuracy of {} {}",
                    training.run,
                    numbers::accuracy(accuracy)
                )?;
            }
            None => {}
        }
        write!(f, ")")
    }
}

impl fmt::Display for InitialWeights {
    /// `the best weights of night (34 epochs, validation accuracy 90.52 %, test accuracy 89.91 %)`, `the mean of
    /// the best weights of night (...) and the weights in some.safetensors (of unknown training)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let averaged = self.averaged();
        let count = averaged.len();
        for (place, one) in averaged.iter().enumerate() {
            f.write_str(match place {
                0 if count > 1 => "the mean of ",
                0 => "",
                _ if place + 1 == count => " and ",
                _ => ", ",
            })?;
            one.write_one(f)?;
        }
        Ok(())
    }
}

/// A training whose best weights another one began with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EarlierTraining {
    /// Name of its run directory.
    pub run: String,
    /// Its epochs up to that with these weights.
    pub epochs: usize,
    /// Their validation accuracy, 0..=1.
    pub valid_accuracy: f64,
    /// Their accuracy on the test images, if those had been classified by then, 0..=1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_accuracy: Option<f64>,
    /// SPEC of the data.
    pub data: String,
    /// Fingerprint of the training and validation images.
    pub fingerprint: String,
    /// What it began with itself, if its weights were not random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<InitialWeights>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn night(epochs: usize, before: Option<InitialWeights>) -> InitialWeights {
        InitialWeights {
            file: "runs/night".into(),
            training: Some(EarlierTraining {
                run: "night".into(),
                epochs,
                valid_accuracy: 0.8972,
                test_accuracy: None,
                data: "cifar10:images".into(),
                fingerprint: "57ffd63b".into(),
                before: before.map(Box::new),
            }),
            mean_with: Vec::new(),
        }
    }

    fn unknown() -> InitialWeights {
        InitialWeights {
            file: "some.safetensors".into(),
            training: None,
            mean_with: Vec::new(),
        }
    }

    fn mean(mut first: InitialWeights, others: &[InitialWeights]) -> InitialWeights {
        first.mean_with = others.to_vec();
        first
    }

    #[test]
    fn of_a_mean_every_training_is_told_and_the_longest_counts() {
        let both = mean(night(28, None), &[night(4, Some(night(28, None)))]);
        assert_eq!(both.trainings().len(), 3);
        assert_eq!((both.epochs(), both.is_known()), (32, true));
        assert_eq!(
            both.to_string(),
            "the mean of the best weights of night (28 epochs, validation accuracy 89.72 %) and the best weights of \
             night (32 epochs, validation accuracy 89.72 %)"
        );
        let later = night(2, Some(both));
        assert_eq!((later.trainings().len(), later.epochs()), (4, 34));
    }

    #[test]
    fn a_mean_is_known_only_if_all_its_weights_are() {
        for known in [
            mean(night(1, None), &[unknown()]),
            mean(unknown(), &[night(1, None), night(2, None)]),
        ] {
            assert!(!known.is_known() && !night(1, Some(known.clone())).is_known());
            assert!(known.epochs_in_words().starts_with("at least "));
        }
        assert_eq!(
            mean(unknown(), &[night(1, None), night(2, None)]).to_string(),
            "the mean of the weights in some.safetensors (of unknown training), the best weights of night (1 epoch, \
             validation accuracy 89.72 %) and the best weights of night (2 epochs, validation accuracy 89.72 %)"
        );
    }
}
