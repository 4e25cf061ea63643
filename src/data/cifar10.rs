//! CIFAR-10 (Krizhevsky 2009), binary version: records of one label byte and 3x32x32 pixel bytes,
//! in a folder or in the archive.

use std::io::Read;
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};

use super::error::{DataError, record_at};
use super::source::{self, Location};
use super::{Images, LabelledImages, Part};
use crate::config::DataSource;
use crate::foundation::input::{self, AtMost};
use crate::foundation::text;

/// MD5 of the official `cifar-10-binary.tar.gz`, as published on its site.
pub const ARCHIVE_MD5: &str = "c32a1d4ab5d03f1284b67883e8d87530";
pub(super) const FILES: [&str; 6] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
];
const NAMES_FILE: &str = "batches.meta.txt";
pub(super) const CLASSES: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];
const INPUT: [usize; 3] = [3, 32, 32];
const RECORD: usize = 1 + 3 * 32 * 32;

/// One part of the data set at `location`.
pub(super) fn read(location: &Location, part: Part) -> Result<LabelledImages, DataError> {
    match location {
        Location::Archive(archive) => read_archive(archive, part, ARCHIVE_MD5),
        Location::Folder(dir) => read_folder(dir, part),
        Location::Embedded => Err(DataError::Unusable(
            "CIFAR-10 is not embedded in this program".to_owned(),
        )),
    }
}

fn remedy() -> &'static str {
    source::remedy(DataSource::Cifar10)
}

fn files_of(part: Part) -> &'static [&'static str] {
    match part {
        Part::Training => &FILES[..5],
        Part::Test => &FILES[5..],
    }
}

fn read_folder(dir: &Path, part: Part) -> Result<LabelledImages, DataError> {
    let names_file = dir.join(NAMES_FILE);
    let classes = match input::text(&names_file, input::SETTINGS) {
        Ok(text) => class_names(&names_file, &text)?,
        // The format defines the class names; some copies omit the optional file that lists them.
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            CLASSES.map(str::to_owned).to_vec()
        }
        Err(cause) => return Err(DataError::unreadable(&names_file, cause, remedy())),
    };
    let mut batches = Vec::new();
    for name in files_of(part) {
        let path = dir.join(name);
        let bytes = input::read(&path, input::DATA)
            .map_err(|cause| DataError::unreadable(&path, cause, remedy()))?;
        batches.push((path, bytes));
    }
    if part == Part::Test {
        check_against_training(dir, &batches[0])?;
    }
    labelled(classes, &batches)
}

/// A test file cut off between two records is only noticed by comparison with the training files:
/// in a complete CIFAR-10 all six have the same size.
fn check_against_training(dir: &Path, (path, bytes): &(PathBuf, Vec<u8>)) -> Result<(), DataError> {
    let whole = 10_000 * RECORD;
    let training = std::fs::metadata(dir.join(FILES[0]))
        .map(|metadata| metadata.len())
        .unwrap_or(0);
    if training == whole as u64 && bytes.len() < whole {
        return Err(breaks_off(path, bytes.len(), 10_000));
    }
    Ok(())
}

/// Read from the archive without unpacking it to disk; `md5` is the MD5 it must have.
fn read_archive(archive: &Path, part: Part, md5: &str) -> Result<LabelledImages, DataError> {
    let found = md5_of(archive).map_err(|cause| DataError::unreadable(archive, cause, remedy()))?;
    if found != md5 {
        let problem = format!(
            "the archive is not the official one or is damaged: its MD5 is {found} instead of {md5}"
        );
        return Err(DataError::malformed(archive, None, problem, remedy()));
    }
    let entries = archive_entries(archive, part)
        .map_err(|cause| DataError::unreadable(archive, cause, remedy()))?;
    let mut classes = CLASSES.map(str::to_owned).to_vec();
    let mut batches = Vec::new();
    for (path, bytes) in entries {
        if path.ends_with(NAMES_FILE) {
            classes = class_names(&path, &String::from_utf8_lossy(&bytes))?;
        } else {
            batches.push((path, bytes));
        }
    }
    for name in files_of(part) {
        if !batches.iter().any(|(path, _)| path.ends_with(name)) {
            return Err(DataError::malformed(
                archive,
                None,
                format!("{name} is not in the archive"),
                remedy(),
            ));
        }
    }
    batches.sort();
    labelled(classes, &batches)
}

/// The requested files of the archive, each under `ARCHIVE/NAME`.
fn archive_entries(archive: &Path, part: Part) -> std::io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut reader = tar::Archive::new(flate2::read::GzDecoder::new(input::reader(
        archive,
        input::DATA,
    )?));
    let mut found = Vec::new();
    for entry in reader.entries()? {
        let mut entry = entry?;
        let name = entry
            .path()?
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        if name == NAMES_FILE || files_of(part).contains(&name.as_str()) {
            let mut bytes = Vec::new();
            AtMost::new(&mut entry, input::DATA).read_to_end(&mut bytes)?;
            found.push((archive.join(name), bytes));
        }
    }
    Ok(found)
}

/// MD5 of a file, in hexadecimal.
pub(super) fn md5_of(path: &Path) -> std::io::Result<String> {
    let mut digest = Md5::new();
    std::io::copy(&mut input::reader(path, input::DATA)?, &mut digest)?;
    Ok(format!("{:x}", digest.finalize()))
}

fn class_names(path: &Path, text: &str) -> Result<Vec<String>, DataError> {
    let names: Vec<String> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| text::line(line).into_owned())
        .collect();
    if names.len() != CLASSES.len() {
        let problem = format!("{} class names instead of {}", names.len(), CLASSES.len());
        return Err(DataError::malformed(path, None, problem, remedy()));
    }
    Ok(names)
}

/// Check and join the batches.
fn labelled(
    classes: Vec<String>,
    batches: &[(PathBuf, Vec<u8>)],
) -> Result<LabelledImages, DataError> {
    // The official files have 10,000 records each; smaller sets are accepted, but a file shorter
    // than the others was cut off.
    let records = batches
        .iter()
        .map(|(_, bytes)| bytes.len().div_ceil(RECORD))
        .max()
        .unwrap_or(0);
    let mut images = Images {
        pixels: Vec::with_capacity(batches.len() * records * (RECORD - 1)),
        labels: Vec::new(),
    };
    for (path, bytes) in batches {
        if bytes.is_empty() {
            return Err(DataError::malformed(
                path,
                None,
                "the file is empty",
                remedy(),
            ));
        }
        if bytes.len() != records * RECORD {
            return Err(breaks_off(path, bytes.len(), records));
        }
        for (record, content) in bytes.chunks_exact(RECORD).enumerate() {
            if usize::from(content[0]) >= classes.len() {
                let problem = format!(
                    "label {} is out of range, the classes are 0 to {}",
                    content[0],
                    classes.len() - 1
                );
                return Err(DataError::malformed(
                    path,
                    record_at(record, record * RECORD),
                    problem,
                    remedy(),
                ));
            }
            images.labels.push(u16::from(content[0]));
            images.pixels.extend_from_slice(&content[1..]);
        }
    }
    Ok(LabelledImages {
        input: INPUT,
        classes,
        images,
    })
}

fn breaks_off(path: &Path, length: usize, records: usize) -> DataError {
    let record = length / RECORD;
    let problem = format!(
        "the file ends after {length} bytes; {records} records of {RECORD} bytes are expected"
    );
    DataError::malformed(path, record_at(record, record * RECORD), problem, remedy())
}
