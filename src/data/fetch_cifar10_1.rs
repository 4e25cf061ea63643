//! Downloading CIFAR-10.1: four .npy files, each in its place only once it is whole and sound.
//!
//! Their authors publish no checksums, so what is verified is what the files say of themselves:
//! type, shape, length and the range of the labels.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cifar10_1::{self, VERSIONS};
use super::download::Source;
use super::fetch::{FetchError, Fetched, Progress, lock};

/// Where its authors publish it.
const SITE: &str = "https://github.com/modestyachts/CIFAR-10.1/raw/master/datasets";

/// A download of both versions.
#[derive(Debug, Clone)]
pub struct FetchCifar10_1 {
    /// The folder that holds the files: `http://`, `https://`, `file://` or a path.
    pub base: String,
    /// Folder that gets them.
    pub folder: PathBuf,
    /// Attempts in a row that may end without a single new byte.
    pub attempts: u32,
    /// Wait between attempts.
    pub pause: Duration,
}

impl FetchCifar10_1 {
    /// From the public repository, or from `mirror`, into `folder`.
    pub fn new(mirror: Option<&str>, folder: PathBuf) -> Self {
        let base = mirror.unwrap_or(SITE).trim_end_matches('/').to_owned();
        FetchCifar10_1 {
            base,
            folder,
            attempts: 5,
            pause: Duration::from_secs(3),
        }
    }

    /// Download what is not there and sound already; `progress` is told the file's URL.
    ///
    /// # Errors
    /// See [`FetchError`]. A file that came but is not sound is removed, and named.
    pub fn run(&self, progress: &mut dyn FnMut(&str, Progress)) -> Result<Fetched, FetchError> {
        let _lock = lock(&self.folder)?;
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
            // Sound one by one, they may still not belong together.
            cifar10_1::read(&self.folder, version)?;
        }
        let folder = self.folder.clone();
        Ok(if unsound.is_empty() {
            Fetched::AlreadyThere(folder)
        } else {
            Fetched::New(folder)
        })
    }

    /// Remove two files that are sound one by one but do not belong together: which is the wrong
    /// one cannot be told.
    fn part_strangers(&self, data: &str, labels: &str) -> Result<(), FetchError> {
        let [data, labels] = [data, labels].map(|name| self.folder.join(name));
        if cifar10_1::read_images(&data).is_ok() && cifar10_1::read_labels(&labels).is_ok() {
            for path in [data, labels] {
                fs::remove_file(&path).map_err(|cause| FetchError::Io { path, cause })?;
            }
        }
        Ok(())
    }

    /// One file, unless `check` finds what is there to be sound.
    fn fetch(
        &self,
        name: &str,
        check: impl Fn(&Path) -> Result<(), super::DataError>,
        progress: &mut dyn FnMut(&str, Progress),
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
            attempts: self.attempts,
            pause: self.pause,
        };
        // A fetch may have been killed between the last byte and the renaming.
        if check(&part).is_err() {
            source.get(&part, &mut |step| progress(&url, step))?;
        }
        progress(&url, Progress::Verifying);
        let io = |path: &Path, cause: io::Error| FetchError::Io {
            path: path.to_owned(),
            cause,
        };
        if let Err(error) = check(&part) {
            fs::remove_file(&part).map_err(|cause| io(&part, cause))?;
            return Err(FetchError::Unsound { url, error });
        }
        fs::rename(&part, &path).map_err(|cause| io(&path, cause))
    }
}
