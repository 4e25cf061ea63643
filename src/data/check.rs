//! Reading a whole data set, training and test, to say whether it is sound and what is in it.

use serde::Serialize;

use super::error::DataError;
use super::{Dataset, Images, Part, SPLIT_SEED, load_test, read, split_off};
use crate::config::{DataConfig, DataSource};

/// What is in a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contents {
    pub spec: String,
    /// `[C, H, W]`.
    pub input: [usize; 3],
    pub classes: Vec<String>,
    /// Training and validation, and the test images where there are any.
    pub parts: Vec<PartContents>,
    /// As in the journal's description of the data.
    pub fingerprint: String,
}

/// One part of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartContents {
    pub name: &'static str,
    pub images: usize,
    /// Images of each class, in the order of the classes.
    pub per_class: Vec<usize>,
}

/// Validation images when nothing says how many: 1,000 of the mini set, else 5,000 or a tenth, whichever is less.
pub fn default_validation(source: DataSource, training_images: usize) -> usize {
    match source {
        DataSource::FashionMnistMini => 1_000,
        DataSource::FashionMnist | DataSource::Cifar10 | DataSource::Folder => 5_000.min(training_images / 10),
    }
}

/// Read everything and count it; `validation` overrides the configuration's number, none takes [`default_validation`].
///
/// # Errors
/// The first thing that is wrong with the data.
pub fn check(config: &DataConfig, validation: Option<usize>) -> Result<Contents, DataError> {
    let (spec, all) = read(config, Part::Training)?;
    let validation = validation.unwrap_or_else(|| default_validation(config.source, all.images.len()));
    let dataset = split_off(&DataConfig { validation, ..config.clone() }, spec, &all, SPLIT_SEED)?;
    let Dataset { spec, input, classes, train, validation, fingerprint, .. } = dataset;
    let part = |name, images: &Images| PartContents { name, images: images.len(), per_class: images.counts(classes.len()) };
    let mut parts = vec![part("train", &train), part("validation", &validation)];
    match load_test(config) {
        Ok(test) => parts.push(part("test", &test.images)),
        // The test images of a folder are optional; those of the published sets are not.
        Err(DataError::Missing { .. }) if config.source == DataSource::Folder => {}
        Err(error) => return Err(error),
    }
    Ok(Contents { spec, input, classes, parts, fingerprint })
}
