//! Downloading CIFAR-10: resumes where a download broke off, verifies, unpacks safely, appears whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::archive::{UnpackError, unpack};
use super::cifar10::{self, md5_of};
use super::error::DataError;
use super::source::{CIFAR10_ARCHIVE, CIFAR10_FOLDER, Place};
use super::{ARCHIVE_MD5, Part};

/// Where CIFAR-10's author publishes it.
const CIFAR10_SITE: &str = "https://www.cs.toronto.edu/~kriz";
/// A server that sends nothing for so long is taken as gone.
const SILENCE: Duration = Duration::from_secs(60);

/// A download: from where, to where, and what it must be.
#[derive(Debug, Clone)]
pub struct Fetch {
    /// The archive: `http://`, `https://`, `file://` or a path.
    pub url: String,
    /// Folder that gets `cifar-10-batches-bin`.
    pub folder: PathBuf,
    /// What the archive's MD5 must be.
    pub md5: String,
    /// Attempts in a row that may end without a single new byte.
    pub attempts: u32,
    /// Wait between attempts.
    pub pause: Duration,
}

/// How far a fetch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Bytes of the archive that are there, and how many it has if the server said so.
    Downloading {
        done: u64,
        total: Option<u64>,
    },
    Verifying,
    Unpacking,
}

/// What a fetch came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The data were there and are whole: nothing was downloaded.
    AlreadyThere(PathBuf),
    New(PathBuf),
}

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("{url}: the server answered {status}; check the URL, name another with --mirror, or {}", by_hand(.folder))]
    Refused { url: String, status: u16, folder: PathBuf },
    #[error("{url}: {}, or {}", broke_off(*.done, .cause), by_hand(.folder))]
    BrokeOff { url: String, done: u64, cause: String, folder: PathBuf },
    #[error(
        "{url}: what came has the MD5 {found} instead of {expected} and was removed; run the command again, or name another \
         source with --mirror"
    )]
    WrongMd5 { url: String, found: String, expected: String },
    #[error("{}: its MD5 is {found} instead of {expected}; remove the file and run the command again", .archive.display())]
    WrongArchive { archive: PathBuf, found: String, expected: String },
    #[error("{}: another `data fetch` is at work in this folder; wait for it to end", .folder.display())]
    Busy { folder: PathBuf },
    #[error("{}: there is no such file; --mirror names the archive or the folder that holds it", .path.display())]
    NoMirror { path: PathBuf },
    #[error("{}: {cause}; check the folder's permissions and that the disk has room", .path.display())]
    Io { path: PathBuf, cause: io::Error },
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// The archive is the right one but what it holds is not.
    #[error(transparent)]
    Data(#[from] DataError),
}

fn broke_off(done: u64, cause: &str) -> String {
    match done {
        0 => format!("cannot be downloaded: {cause}; check the connection, name another source with --mirror"),
        _ => format!("the download broke off after {done} bytes: {cause}; run the same command again to go on from there"),
    }
}

fn by_hand(folder: &Path) -> String {
    format!("put {CIFAR10_ARCHIVE} into {} yourself and run the command again", folder.display())
}

/// URL of the archive: the official one, or below `mirror`, which is the archive itself or the folder that holds it.
pub fn archive_url(mirror: Option<&str>) -> String {
    let base = mirror.unwrap_or(CIFAR10_SITE).trim_end_matches('/');
    if base.ends_with(".tar.gz") { base.to_owned() } else { format!("{base}/{CIFAR10_ARCHIVE}") }
}

impl Fetch {
    /// The official archive of CIFAR-10, into `folder`.
    pub fn cifar10(mirror: Option<&str>, folder: PathBuf) -> Self {
        let (attempts, pause) = (5, Duration::from_secs(3));
        Fetch { url: archive_url(mirror), folder, md5: ARCHIVE_MD5.to_owned(), attempts, pause }
    }

    /// Download, verify and unpack, unless sound data are there already.
    ///
    /// # Errors
    /// See [`FetchError`]. After [`FetchError::BrokeOff`] the part that came is kept and the next fetch goes on from it.
    pub fn run(&self, progress: &mut dyn FnMut(Progress)) -> Result<Fetched, FetchError> {
        fs::create_dir_all(&self.folder).map_err(|cause| self.io(&self.folder, cause))?;
        let _lock = self.lock()?;
        let data = self.folder.join(CIFAR10_FOLDER);
        if data.is_dir() && is_sound(&data).is_ok() {
            return Ok(Fetched::AlreadyThere(data));
        }
        let archive = self.folder.join(CIFAR10_ARCHIVE);
        let part = self.folder.join(format!("{CIFAR10_ARCHIVE}.part"));
        if archive.is_file() {
            progress(Progress::Verifying);
            let found = md5_of(&archive).map_err(|cause| self.io(&archive, cause))?;
            if found != self.md5 {
                return Err(FetchError::WrongArchive { archive, found, expected: self.md5.clone() });
            }
            self.install(&archive, &data, progress)?;
        } else {
            self.download(&part, progress)?;
            self.install(&part, &data, progress)?;
            fs::remove_file(&part).map_err(|cause| self.io(&part, cause))?;
        }
        Ok(Fetched::New(data))
    }

    fn lock(&self) -> Result<File, FetchError> {
        let path = self.folder.join(".fetch.lock");
        let file = File::create(&path).map_err(|cause| self.io(&path, cause))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(FetchError::Busy { folder: self.folder.clone() }),
            Err(fs::TryLockError::Error(cause)) => Err(self.io(&path, cause)),
        }
    }

    /// Unpack beside the destination and move the result there in one step.
    fn install(&self, archive: &Path, data: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(), FetchError> {
        progress(Progress::Unpacking);
        let fresh = self.folder.join(".unpacking");
        let outcome = remove_folder(&fresh).map_err(|cause| self.io(&fresh, cause)).and_then(|()| {
            unpack(archive, &fresh)?;
            is_sound(&fresh.join(CIFAR10_FOLDER))?;
            remove_folder(data).and_then(|()| fs::rename(fresh.join(CIFAR10_FOLDER), data)).map_err(|cause| self.io(data, cause))
        });
        let removed = remove_folder(&fresh).map_err(|cause| self.io(&fresh, cause));
        outcome.and(removed)
    }

    /// Leave the verified archive at `part`, going on from what is there.
    fn download(&self, part: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(), FetchError> {
        let verified = |progress: &mut dyn FnMut(Progress)| {
            progress(Progress::Verifying);
            md5_of(part).map_err(|cause| self.io(part, cause))
        };
        // A fetch may have been killed between the last byte and the unpacking.
        if part.is_file() && verified(progress)? == self.md5 {
            return Ok(());
        }
        match self.url.strip_prefix("file://").or((!self.url.contains("://")).then_some(self.url.as_str())) {
            Some(local) => self.copy(Path::new(local), part, progress)?,
            None => self.download_with_retries(part, progress)?,
        }
        let found = verified(progress)?;
        if found != self.md5 {
            fs::remove_file(part).map_err(|cause| self.io(part, cause))?;
            return Err(FetchError::WrongMd5 { url: self.url.clone(), found, expected: self.md5.clone() });
        }
        Ok(())
    }

    fn copy(&self, from: &Path, part: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(), FetchError> {
        let mut source = File::open(from).map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => FetchError::NoMirror { path: from.to_owned() },
            _ => self.io(from, cause),
        })?;
        let total = source.metadata().ok().map(|metadata| metadata.len());
        let mut target = File::create(part).map_err(|cause| self.io(part, cause))?;
        let mut download = Download { target: &mut target, done: 0, total };
        download.copy(&mut source, progress).map_err(|stop| match stop {
            Stop::Source(cause) => self.io(from, cause),
            Stop::Target(cause) => self.io(part, cause),
        })
    }

    fn download_with_retries(&self, part: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(), FetchError> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(SILENCE))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            .build()
            .into();
        let mut fruitless = 0;
        loop {
            let before = length(part);
            let Err(attempt) = self.attempt(&agent, part, progress) else { return Ok(()) };
            let cause = match attempt {
                Attempt::Fatal(error) => return Err(error),
                Attempt::Again(cause) => cause,
            };
            let done = length(part);
            fruitless = if done > before { 0 } else { fruitless + 1 };
            if fruitless >= self.attempts {
                return Err(FetchError::BrokeOff { url: self.url.clone(), done, cause, folder: self.folder.clone() });
            }
            std::thread::sleep(self.pause);
        }
    }

    /// One request for what is missing.
    fn attempt(&self, agent: &ureq::Agent, part: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(), Attempt> {
        let have = length(part);
        // A compressed transfer would make byte ranges, and the archive itself, mean something else.
        let mut request = agent.get(&self.url).header("accept-encoding", "identity");
        if have > 0 {
            request = request.header("range", format!("bytes={have}-"));
        }
        let response = request.call().map_err(|error| Attempt::Again(error.to_string()))?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (done, total) = match (response.status().as_u16(), header("content-range")) {
            (200, _) => (0, header("content-length").and_then(|length| length.parse().ok())),
            (206, Some(range)) => content_range(&range)
                .filter(|&(start, _)| start == have)
                .ok_or_else(|| self.restart(part, format!("the server sent `{range}` when asked for byte {have} and on")))?,
            (416, Some(range)) if range == format!("bytes */{have}") => return Ok(()),
            (206 | 416, _) => return Err(self.restart(part, "the server cannot go on from the part that is there".to_owned())),
            (status @ (408 | 429 | 500..), _) => return Err(Attempt::Again(format!("the server answered {status}"))),
            (status, _) => {
                let (url, folder) = (self.url.clone(), self.folder.clone());
                return Err(Attempt::Fatal(FetchError::Refused { url, status, folder }));
            }
        };
        let fatal = |cause| Attempt::Fatal(self.io(part, cause));
        let mut target = OpenOptions::new().create(true).append(true).open(part).map_err(fatal)?;
        target.set_len(done).map_err(fatal)?;
        let mut download = Download { target: &mut target, done, total };
        download.copy(&mut response.into_body().into_reader(), progress).map_err(|stop| match stop {
            Stop::Source(cause) => Attempt::Again(cause.to_string()),
            Stop::Target(cause) => fatal(cause),
        })
    }

    /// Throw the part away: the next attempt starts from 0.
    fn restart(&self, part: &Path, cause: String) -> Attempt {
        match fs::remove_file(part) {
            Ok(()) => Attempt::Again(cause),
            Err(cause) => Attempt::Fatal(self.io(part, cause)),
        }
    }

    fn io(&self, path: &Path, cause: io::Error) -> FetchError {
        FetchError::Io { path: path.to_owned(), cause }
    }
}

/// How an attempt ended that did not bring the whole file.
enum Attempt {
    Again(String),
    Fatal(FetchError),
}

/// Which side of a copy failed.
enum Stop {
    Source(io::Error),
    Target(io::Error),
}

struct Download<'a> {
    target: &'a mut File,
    done: u64,
    total: Option<u64>,
}

impl Download<'_> {
    fn copy(&mut self, source: &mut impl Read, progress: &mut dyn FnMut(Progress)) -> Result<(), Stop> {
        let mut buffer = vec![0; 1 << 16];
        progress(Progress::Downloading { done: self.done, total: self.total });
        loop {
            match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => {
                    self.target.write_all(&buffer[..read]).map_err(Stop::Target)?;
                    self.done += read as u64;
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                Err(cause) => return Err(Stop::Source(cause)),
            }
            progress(Progress::Downloading { done: self.done, total: self.total });
        }
        match self.total {
            Some(total) if self.done < total => Err(Stop::Source(io::ErrorKind::UnexpectedEof.into())),
            _ => Ok(()),
        }
    }
}

/// `bytes START-END/TOTAL` -> start, total.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()))
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Both parts can be read.
fn is_sound(folder: &Path) -> Result<(), DataError> {
    let place = Place::Folder(folder.to_owned());
    [Part::Training, Part::Test].into_iter().try_for_each(|part| cifar10::read(&place, part).map(drop))
}

fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}
