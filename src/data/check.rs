//! Reads a whole data set, training and test, to verify it and to report its contents.

use serde::Serialize;

use super::error::DataError;
use super::{
    Images, Unread, fingerprint, load_test, load_tests, load_with_validation, unread_files,
    unread_test_files,
};
use crate::config::{DataConfig, DataSource};

/// The contents of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contents {
    /// Name, with the folder where the data were found.
    pub spec: String,
    /// `[C, H, W]`.
    pub input: [usize; 3],
    /// Names of the classes, in the order of their numbers.
    pub classes: Vec<String>,
    /// Training and validation images, and test images if there are any; for CIFAR-10.1 its
    /// versions.
    pub parts: Vec<PartContents>,
    /// The fingerprint in the journal's description of the data.
    pub fingerprint: String,
    /// For folders: unread files among the images, for each part that has some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Unread>,
}

/// One part of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartContents {
    /// For example `training`.
    pub name: &'static str,
    /// Number of images.
    pub images: usize,
    /// Images of each class, in the order of the classes.
    pub per_class: Vec<usize>,
}

impl PartContents {
    fn new(name: &'static str, images: &Images, classes: usize) -> PartContents {
        PartContents {
            name,
            images: images.len(),
            per_class: images.counts(classes),
        }
    }
}

/// Read everything and count it; `validation` overrides the configured number, and `None` means
/// [`super::default_validation`].
///
/// # Errors
/// The first problem with the data.
pub fn check(config: &DataConfig, validation: Option<usize>) -> Result<Contents, DataError> {
    if config.source == DataSource::Cifar10_1 {
        return check_versions(config);
    }
    let data = load_with_validation(config, validation)?;
    let part = |name, images: &Images| PartContents::new(name, images, data.classes.len());
    let mut parts = vec![
        part("train", &data.train),
        part("validation", &data.validation),
    ];
    let mut unread: Vec<Unread> = unread_files(config).into_iter().collect();
    match load_test(config) {
        Ok(test) => {
            parts.push(part("test", &test.images));
            unread.extend(unread_test_files(config));
        }
        // Test images are optional in a folder, but not in the published data sets.
        Err(DataError::Missing { .. }) if config.source == DataSource::Folder => {}
        Err(error) => return Err(error),
    }
    Ok(Contents {
        spec: data.spec,
        input: data.input,
        classes: data.classes,
        parts,
        fingerprint: data.fingerprint,
        unread,
    })
}

/// The test sets of CIFAR-10.1, which has no other images. (At least one version exists, or the
/// data set would not have been found.)
fn check_versions(config: &DataConfig) -> Result<Contents, DataError> {
    let sets = load_tests(config)?;
    let parts = sets.iter().map(|set| {
        PartContents::new(
            set.version.unwrap_or("test"),
            &set.images,
            set.classes.len(),
        )
    });
    let (parts, images) = (
        parts.collect(),
        sets.iter().map(|set| &set.images).collect::<Vec<_>>(),
    );
    let input = sets.first().map_or([0; 3], |set| set.input);
    let fingerprint = fingerprint(input, &images);
    let (spec, classes) = sets
        .first()
        .map(|set| (set.spec.clone(), set.classes.clone()))
        .unwrap_or_default();
    Ok(Contents {
        spec,
        input,
        classes,
        parts,
        fingerprint,
        unread: Vec::new(),
    })
}
