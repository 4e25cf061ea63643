//! Downloads CIFAR-10.1: four .npy files, each installed only once it is complete and valid.
//!
//! Their authors publish no checksums, so the files are checked against their own headers: type,
//! shape, length and the range of the labels.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cifar10_1::{self, VERSIONS};
use super::download::{PATIENCE, SILENCE, Source};
use super::error::FetchError;
use super::fetch::{FetchProgress, Fetched};
use super::fetch_folder::FetchFolder;

/// Where its authors publish it.
const SITE: &str = "https://github.com/modestyachts/CIFAR-10.1/raw/master/datasets";

/// More than the largest of the files has (6 MB).
const MOST_BYTES: u64 = 32 << 20;

/// A download of both versions.
#[derive(Debug, Clone)]
pub struct FetchCifar10_1 {
    /// The folder that contains the files: `http://`, `https://`, `file://` or a path.
    pub base: String,
    /// Destination folder.
    pub folder: PathBuf,
    /// More bytes than any of the files has.
    pub most: u64,
    /// Maximum number of consecutive attempts that yield next to nothing.
    pub attempts: u32,
    /// Pause between attempts.
    pub pause: Duration,
    /// How long a server may be silent, or send hardly anything.
    pub silence: Duration,
    /// How long the download of a file may take.
    pub patience: Duration,
}

impl FetchCifar10_1 {
    /// Fetch from the public repository, or from `mirror`, into `folder`.
    pub fn new(mirror: Option<&str>, folder: PathBuf) -> Self {
        let base = mirror.unwrap_or(SITE).trim_end_matches('/').to_owned();
        FetchCifar10_1 {
            base,
            folder,
            most: MOST_BYTES,
            attempts: 5,
            pause: Duration::from_secs(3),
            silence: SILENCE,
            patience: PATIENCE,
        }
    }

    /// Download the files that are missing or invalid; `progress` receives the file's URL.
    ///
    /// # Errors
    /// See [`FetchError`]. A received file that is invalid is removed and named in the error.
    pub fn run(
        &self,
        progress: &mut dyn FnMut(&str, FetchProgress),
    ) -> Result<Fetched, FetchError> {
        let _folder = FetchFolder::open(&self.folder)?;
        let unsound: Vec<&str> = VERSIONS
            .into_iter()
            .filter(|version| cifar10_1::read(&self.folder, version).is_err())
            .collect();
        for version in &unsound {
            let [data, labels] = cifar10_1::files(version);
            self.part_strangers(&data, &labels)?;
            self.fetch(
                &data,
                |path| cifar10_1::read_images(path).map(drop),
                progress,
            )?;
            self.fetch(
                &labels,
                |path| cifar10_1::read_labels(path).map(drop),
                progress,
            )?;
            // Although each is valid, the two may not belong together.
            cifar10_1::read(&self.folder, version)?;
        }
        let folder = self.folder.clone();
        Ok(if unsound.is_empty() {
            Fetched::AlreadyThere(folder)
        } else {
            Fetched::New(folder)
        })
    }

    /// Remove two files that are valid individually but do not belong together: it is impossible to
    /// tell which one is wrong.
    fn part_strangers(&self, data: &str, labels: &str) -> Result<(), FetchError> {
        let [data, labels] = [data, labels].map(|name| self.folder.join(name));
        if cifar10_1::read_images(&data).is_ok() && cifar10_1::read_labels(&labels).is_ok() {
            for path in [data, labels] {
                fs::remove_file(&path).map_err(|cause| FetchError::Io { path, cause })?;
            }
        }
        Ok(())
    }

    /// One file, unless `check` accepts the existing one.
    fn fetch(
        &self,
        name: &str,
        check: impl Fn(&Path) -> Result<(), super::DataError>,
        progress: &mut dyn FnMut(&str, FetchProgress),
    ) -> Result<(), FetchError> {
        let (path, part) = (
            self.folder.join(name),
            self.folder.join(format!("{name}.part")),
        );
        if check(&path).is_ok() {
            return Ok(());
        }
        let url = format!("{}/{name}", self.base);
        let source = Source {
            url: &url,
            folder: &self.folder,
            most: self.most,
            attempts: self.attempts,
            pause: self.pause,
            silence: self.silence,
            patience: self.patience,
        };
        // An earlier fetch may have been killed between the last byte and the renaming.
        if check(&part).is_err() {
            source.get(&part, &mut |step| progress(&url, step))?;
        }
        progress(&url, FetchProgress::Verifying);
        if let Err(error) = check(&part) {
            fs::remove_file(&part).map_err(FetchError::at(&part))?;
            return Err(FetchError::Unsound { url, error });
        }
        fs::rename(&part, &path).map_err(FetchError::at(&path))
    }
}
