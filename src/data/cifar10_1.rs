//! CIFAR-10.1 (Recht et al. 2018): new test images for CIFAR-10's classes, as the .npy files of its
//! public repository.
//!
//! It is only a test set, in two versions. Its authors publish no checksums; the checks are that
//! the files are complete and have the right type, shape and labels.

use std::path::{Path, PathBuf};

use super::cifar10::CLASSES;
use super::error::{DataError, record_at};
use super::npy::{NpyFile, ValueKind};
use super::{Images, TestSet, source};
use crate::config::DataSource;
use crate::foundation::input;

/// Its versions, starting with the one its authors recommend, which has 2,000 images, equally many
/// of each class; the other has 2,021.
pub const VERSIONS: [&str; 2] = ["v6", "v4"];
/// Height, width and channels.
const IMAGE: [usize; 3] = [32, 32, 3];
/// Folder of the files in a clone of the repository.
const REPOSITORY_FOLDER: &str = "datasets";

/// File names of a version: images, labels.
pub(super) fn files(version: &str) -> [String; 2] {
    ["data", "labels"].map(|part| format!("cifar10.1_{version}_{part}.npy"))
}

/// Whether `dir` contains a file of `version`.
fn has(dir: &Path, version: &str) -> bool {
    files(version).iter().any(|name| dir.join(name).is_file())
}

/// The folder with the files: `dir`, or `datasets` in it.
pub(super) fn folder_at(dir: &Path) -> Option<PathBuf> {
    let folders = [dir.to_owned(), dir.join(REPOSITORY_FOLDER)];
    folders
        .into_iter()
        .find(|folder| VERSIONS.iter().any(|version| has(folder, version)))
}

/// Every version in `dir`, in the order of [`VERSIONS`], labelled with `spec`.
///
/// # Errors
/// [`DataError::Malformed`] and [`DataError::Unreadable`] name the file and the record.
pub(super) fn read_all(dir: &Path, spec: &str) -> Result<Vec<TestSet>, DataError> {
    let there = VERSIONS.into_iter().filter(|version| has(dir, version));
    there
        .map(|version| {
            let classes = CLASSES.map(str::to_owned).to_vec();
            let images = read(dir, version)?;
            Ok(TestSet {
                spec: spec.to_owned(),
                version: Some(version),
                input: [3, 32, 32],
                classes,
                images,
            })
        })
        .collect()
}

/// The images of one version, in the order of its files.
pub(super) fn read(dir: &Path, version: &str) -> Result<Images, DataError> {
    let [data, labels] = files(version).map(|name| dir.join(name));
    let pixels = read_images(&data)?;
    let found = read_labels(&labels)?;
    let count = pixels.len() / IMAGE.iter().product::<usize>();
    if found.len() != count {
        let problem = format!(
            "{} labels for the {count} images of {}",
            found.len(),
            data.display()
        );
        return Err(DataError::malformed(&labels, None, problem, remedy()));
    }
    Ok(Images {
        pixels,
        labels: found,
    })
}

fn remedy() -> &'static str {
    source::remedy(DataSource::Cifar10_1)
}

/// The bytes of a file, and the file itself for error messages.
fn open(path: &Path) -> Result<(Vec<u8>, NpyFile<'_>), DataError> {
    let remedy = remedy();
    match input::read(path, input::DATA) {
        Ok(bytes) => Ok((bytes, NpyFile { path, remedy })),
        Err(cause) => Err(DataError::unreadable(path, cause, remedy)),
    }
}

/// `[N, 3, 32, 32]` from a file that has `[N, 32, 32, 3]`.
pub(super) fn read_images(path: &Path) -> Result<Vec<u8>, DataError> {
    let (bytes, file) = open(path)?;
    let array = file.array(&bytes)?;
    match (array.kind, &array.shape[..]) {
        (ValueKind::Byte, [0, ..]) => {
            return Err(file.malformed(None, "the file contains no images".to_owned()));
        }
        (ValueKind::Byte, [_, image @ ..]) if *image == IMAGE => {}
        (kind, shape) => {
            let problem = format!(
                "an array of type {kind:?} and shape {shape:?}; images are bytes [N, 32, 32, 3]"
            );
            return Err(file.malformed(None, problem));
        }
    }
    let [height, width, channels] = IMAGE;
    let planes = array
        .data
        .chunks_exact(height * width * channels)
        .flat_map(|image| {
            (0..channels)
                .flat_map(move |channel| image.iter().skip(channel).step_by(channels).copied())
        });
    Ok(planes.collect())
}

pub(super) fn read_labels(path: &Path) -> Result<Vec<u16>, DataError> {
    let (bytes, file) = open(path)?;
    let array = file.array(&bytes)?;
    if array.shape.len() != 1 {
        return Err(file.malformed(
            None,
            format!("an array of shape {:?}; labels are [N]", array.shape),
        ));
    }
    let label = |(record, label): (usize, i64)| match u16::try_from(label) {
        Ok(label) if usize::from(label) < CLASSES.len() => Ok(label),
        _ => {
            let problem = format!(
                "label {label} is out of range, the classes are 0 to {}",
                CLASSES.len() - 1
            );
            Err(file.malformed(
                record_at(record, array.offset + record * array.kind.bytes()),
                problem,
            ))
        }
    };
    array.integers().enumerate().map(label).collect()
}
