//! Downloads CIFAR-10: resumes interrupted downloads, verifies, unpacks safely, and installs
//! everything in one step.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::archive::unpack;
use super::cifar10::{self, md5_of};
use super::download::{PATIENCE, SILENCE, Source};
use super::error::{DataError, FetchError};
use super::fetch_folder::FetchFolder;
use super::source::{CIFAR10_ARCHIVE, CIFAR10_FOLDER, Location};
use super::{ARCHIVE_MD5, Part};

/// Where CIFAR-10's author publishes it.
const CIFAR10_SITE: &str = "https://www.cs.toronto.edu/~kriz";
/// More than the archive has (170 MB).
const MOST_BYTES: u64 = 200 << 20;

/// A download: its source, its destination and the expected checksum.
#[derive(Debug, Clone)]
pub struct Fetch {
    /// The archive: `http://`, `https://`, `file://` or a path.
    pub url: String,
    /// Folder that will contain `cifar-10-batches-bin`.
    pub folder: PathBuf,
    /// Required MD5 of the archive.
    pub md5: String,
    /// More bytes than the archive has.
    pub most: u64,
    /// Maximum number of consecutive attempts that yield next to nothing.
    pub attempts: u32,
    /// Pause between attempts.
    pub pause: Duration,
    /// How long a server may be silent, or send hardly anything.
    pub silence: Duration,
    /// How long the download of the archive may take.
    pub patience: Duration,
}

/// Progress of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchProgress {
    /// Downloading the archive.
    Downloading {
        /// Bytes received.
        done: u64,
        /// Size of the whole archive in bytes, if the server reports it.
        total: Option<u64>,
    },
    /// The archive's MD5 is being computed.
    Verifying,
    /// The archive is being unpacked.
    Unpacking,
}

/// The result of a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// Valid data were already there: nothing was downloaded.
    AlreadyThere(PathBuf),
    /// The folder of the data, which were downloaded.
    New(PathBuf),
}

/// URL of the archive: the official one or, with `mirror`, the archive itself or the folder that
/// contains it.
pub fn archive_url(mirror: Option<&str>) -> String {
    let base = mirror.unwrap_or(CIFAR10_SITE).trim_end_matches('/');
    if base.ends_with(".tar.gz") {
        base.to_owned()
    } else {
        format!("{base}/{CIFAR10_ARCHIVE}")
    }
}

impl Fetch {
    /// Fetch the official archive of CIFAR-10 into `folder`.
    pub fn cifar10(mirror: Option<&str>, folder: PathBuf) -> Self {
        let (attempts, pause) = (5, Duration::from_secs(3));
        Fetch {
            url: archive_url(mirror),
            folder,
            md5: ARCHIVE_MD5.to_owned(),
            most: MOST_BYTES,
            attempts,
            pause,
            silence: SILENCE,
            patience: PATIENCE,
        }
    }

    /// Download, verify and unpack, unless valid data are already there.
    ///
    /// # Errors
    /// See [`FetchError`]. After [`FetchError::BrokeOff`] the received part is kept and the next
    /// fetch continues from it.
    pub fn run(&self, progress: &mut dyn FnMut(FetchProgress)) -> Result<Fetched, FetchError> {
        let _folder = FetchFolder::open(&self.folder)?;
        let data = self.folder.join(CIFAR10_FOLDER);
        if data.is_dir() && is_sound(&data).is_ok() {
            return Ok(Fetched::AlreadyThere(data));
        }
        let archive = self.folder.join(CIFAR10_ARCHIVE);
        let part = self.folder.join(format!("{CIFAR10_ARCHIVE}.part"));
        if archive.is_file() {
            progress(FetchProgress::Verifying);
            let found = md5_of(&archive).map_err(FetchError::at(&archive))?;
            if found != self.md5 {
                return Err(FetchError::WrongArchive {
                    archive,
                    found,
                    expected: self.md5.clone(),
                });
            }
            self.install(&archive, &data, progress)?;
        } else {
            self.download(&part, progress)?;
            self.install(&part, &data, progress)?;
            fs::remove_file(&part).map_err(FetchError::at(&part))?;
        }
        Ok(Fetched::New(data))
    }

    /// Unpack beside the destination and move the result there in one step.
    fn install(
        &self,
        archive: &Path,
        data: &Path,
        progress: &mut dyn FnMut(FetchProgress),
    ) -> Result<(), FetchError> {
        progress(FetchProgress::Unpacking);
        let fresh = self.folder.join(".unpacking");
        let outcome = remove_folder(&fresh)
            .map_err(FetchError::at(&fresh))
            .and_then(|()| {
                unpack(archive, &fresh)?;
                is_sound(&fresh.join(CIFAR10_FOLDER))?;
                remove_folder(data)
                    .and_then(|()| fs::rename(fresh.join(CIFAR10_FOLDER), data))
                    .map_err(FetchError::at(data))
            });
        let removed = remove_folder(&fresh).map_err(FetchError::at(&fresh));
        outcome.and(removed)
    }

    /// Download the verified archive to `part`, continuing from what is there.
    fn download(
        &self,
        part: &Path,
        progress: &mut dyn FnMut(FetchProgress),
    ) -> Result<(), FetchError> {
        let verified = |progress: &mut dyn FnMut(FetchProgress)| {
            progress(FetchProgress::Verifying);
            md5_of(part).map_err(FetchError::at(part))
        };
        // An earlier fetch may have been killed between the last byte and the unpacking.
        if part.is_file() && verified(progress)? == self.md5 {
            return Ok(());
        }
        let Fetch {
            url,
            folder,
            most,
            attempts,
            pause,
            silence,
            patience,
            ..
        } = self;
        Source {
            url,
            folder,
            most: *most,
            attempts: *attempts,
            pause: *pause,
            silence: *silence,
            patience: *patience,
        }
        .get(part, progress)?;
        let found = verified(progress)?;
        if found != self.md5 {
            fs::remove_file(part).map_err(FetchError::at(part))?;
            return Err(FetchError::WrongMd5 {
                url: self.url.clone(),
                found,
                expected: self.md5.clone(),
            });
        }
        Ok(())
    }
}

/// Check that both parts can be read.
fn is_sound(folder: &Path) -> Result<(), DataError> {
    let location = Location::Folder(folder.to_owned());
    [Part::Training, Part::Test]
        .into_iter()
        .try_for_each(|part| cifar10::read(&location, part).map(drop))
}

fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}
