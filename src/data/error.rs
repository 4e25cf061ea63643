//! Errors in data sets, worded so that the user can fix them.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

#[cfg(feature = "torch")]
use crate::foundation::fault;

/// An error of a data set. Each message names the thing, the place and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A SPEC that does not name a data set, lacks its folder, or has one it must not have.
    #[error("`{spec}`: {problem}; {}", super::source::KNOWN_SPECS)]
    Spec {
        /// The SPEC given.
        spec: String,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no such file or folder in any of the usual places.
    #[error("{what} not found{}; {remedy}", looked_in(.looked))]
    Missing {
        /// What was searched for.
        what: String,
        /// Where it was searched for.
        looked: Vec<PathBuf>,
        /// What the user can do.
        remedy: String,
    },
    /// A file or folder cannot be read.
    #[error("{}: cannot be read: {cause}; {remedy}", .file.display())]
    Unreadable {
        /// The file or folder.
        file: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
        /// What the user can do.
        remedy: String,
    },
    /// The file's content is wrong. `place` is the record and its byte offset, if known.
    #[error("{}{}: {problem}; {remedy}", .file.display(), at(.place))]
    Malformed {
        /// The file.
        file: PathBuf,
        /// For example `record 3 (byte 7,856)`.
        place: Option<String>,
        /// What is wrong.
        problem: String,
        /// What the user can do.
        remedy: String,
    },
    /// More validation images than the data can spare. `setting` is what the user can lower.
    #[error(
        "{validation} validation images are too many: of {images} training images at most {most} (half of each class) can be set apart; \
         lower {setting} or add images"
    )]
    ValidationTooLarge {
        /// Name of the setting or option.
        setting: &'static str,
        /// Number of validation images requested.
        validation: usize,
        /// Number of training images available.
        images: usize,
        /// Maximum number of validation images.
        most: usize,
    },
    /// The data are valid but cannot be used as the configuration requires.
    #[error("{0}")]
    Unusable(String),
    #[cfg(feature = "torch")]
    /// An error of libtorch, without its stack trace. (It is not a `source`, so that the text
    /// appears only once.)
    #[error("libtorch failed while preparing images: {0}")]
    Torch(String),
}

#[cfg(feature = "torch")]
impl From<tch::TchError> for DataError {
    fn from(error: tch::TchError) -> DataError {
        DataError::Torch(fault::in_words(&error.to_string()))
    }
}

impl DataError {
    pub(super) fn malformed(
        file: &Path,
        place: impl Into<Option<String>>,
        problem: impl Into<String>,
        remedy: &str,
    ) -> Self {
        DataError::Malformed {
            file: file.to_owned(),
            place: place.into(),
            problem: problem.into(),
            remedy: remedy.to_owned(),
        }
    }

    /// The same error for a command whose option `--validation` sets the number of validation
    /// images.
    pub fn for_option(self) -> Self {
        match self {
            DataError::ValidationTooLarge {
                validation,
                images,
                most,
                ..
            } => DataError::ValidationTooLarge {
                setting: "--validation",
                validation,
                images,
                most,
            },
            other => other,
        }
    }

    pub(super) fn unreadable(file: &Path, cause: std::io::Error, remedy: &str) -> Self {
        DataError::Unreadable {
            file: file.to_owned(),
            cause,
            remedy: remedy.to_owned(),
        }
    }
}

fn looked_in(folders: &[PathBuf]) -> String {
    let mut text = String::new();
    for (index, folder) in folders.iter().enumerate() {
        let _ = write!(
            text,
            "{}{}",
            if index == 0 { " in " } else { ", " },
            folder.display()
        );
    }
    text
}

fn at(place: &Option<String>) -> String {
    place
        .as_ref()
        .map_or(String::new(), |place| format!(", {place}"))
}

/// The location of a record in a binary file: records and bytes are counted from 0, as in the file
/// formats.
pub(super) fn record_at(record: usize, offset: usize) -> String {
    format!("record {record} (byte {offset})")
}

/// Why a data set was not fetched. Each message names the remedy.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The server answered with an error.
    #[error("{url}: the server answered {status}; check the URL, name another with --mirror, or {}", by_hand(.url, .folder))]
    Refused {
        /// The requested URL.
        url: String,
        /// HTTP status.
        status: u16,
        /// Where the user can put the archive manually.
        folder: PathBuf,
    },
    /// The connection was lost too often. A later fetch continues where this one stopped.
    #[error("{url}: {}, or {}", broke_off(*.done, .cause), by_hand(.url, .folder))]
    BrokeOff {
        /// The requested URL.
        url: String,
        /// Bytes received.
        done: u64,
        /// How the last attempt ended.
        cause: String,
        /// Where the user can put the archive manually.
        folder: PathBuf,
    },
    /// More was sent than the file has.
    #[error(
        "{url}: what is sent there is longer than {most} bytes, and so is not the file wanted; it was removed: name another source \
         with --mirror"
    )]
    TooLong {
        /// The requested URL.
        url: String,
        /// More bytes than the file has.
        most: u64,
    },
    /// Something other than the archive was received.
    #[error(
        "{url}: what came has the MD5 {found} instead of {expected} and was removed; run the command again, or name another \
         source with --mirror"
    )]
    WrongMd5 {
        /// Where it came from.
        url: String,
        /// MD5 of the received file, hex.
        found: String,
        /// Published MD5, hex.
        expected: String,
    },
    /// The received file is invalid; for files without a published checksum.
    #[error(
        "the file from {url} is not valid and was removed: {error}, or name another source with --mirror"
    )]
    Unsound {
        /// Where it came from.
        url: String,
        /// What is wrong with it.
        error: DataError,
    },
    /// An archive that already existed is not the published one.
    #[error("{}: its MD5 is {found} instead of {expected}; remove the file and run the command again", .archive.display())]
    WrongArchive {
        /// The archive.
        archive: PathBuf,
        /// Its MD5, hex.
        found: String,
        /// Published MD5, hex.
        expected: String,
    },
    /// Another process is fetching into the same folder.
    #[error("{}: another `data fetch` is using this folder; wait for it to finish", .folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// The path given with `--mirror` does not exist.
    #[error("{}: there is no such file; --mirror takes the archive or the folder that contains it", .path.display())]
    NoMirror {
        /// The path.
        path: PathBuf,
    },
    /// The path given with `--mirror` exists but cannot be read.
    #[error("{}: cannot be read: {cause}; --mirror takes the archive or the folder that contains it", .path.display())]
    UnreadableMirror {
        /// The path.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// Reading or writing failed.
    #[error("{}: {cause}; {}", .path.display(), remedy_of(.cause))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// The archive could not be unpacked.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// The archive is the right one but its contents are not.
    #[error(transparent)]
    Data(#[from] DataError),
}

impl FetchError {
    /// Turns an error of the system about `path` into this kind of error.
    pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> FetchError + '_ {
        |cause| FetchError::Io {
            path: path.to_owned(),
            cause,
        }
    }

    /// The same about a source on disk.
    pub(super) fn unreadable_mirror(path: &Path) -> impl Fn(io::Error) -> FetchError + '_ {
        |cause| FetchError::UnreadableMirror {
            path: path.to_owned(),
            cause,
        }
    }
}

fn remedy_of(cause: &io::Error) -> &'static str {
    match cause.kind() {
        // From `foundation::input`: there is something other than a regular file.
        io::ErrorKind::InvalidInput => "remove it and run the command again",
        _ => "check the folder's permissions and that the disk has room",
    }
}

/// Why an archive was not unpacked. The caller removes what was already written.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// An absolute path, one with `..`, or a link or device: never part of a data set.
    #[error("{}: the entry `{entry}` is refused: {reason}; do not use this archive", .archive.display())]
    Refused {
        /// The archive.
        archive: PathBuf,
        /// Path of the entry, as stored in the archive.
        entry: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Reading or writing failed.
    #[error("{}: unpacking failed: {cause}; check that the disk has room and that the archive is complete", .archive.display())]
    Io {
        /// The archive.
        archive: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
}

fn broke_off(done: u64, cause: &str) -> String {
    match done {
        0 => format!(
            "cannot be downloaded: {cause}; check the connection, name another source with --mirror"
        ),
        _ => format!(
            "the download stopped after {done} bytes: {cause}; run the same command again to continue from there"
        ),
    }
}

fn by_hand(url: &str, folder: &Path) -> String {
    let file = url.rsplit('/').next().unwrap_or(url);
    format!(
        "put {file} into {} yourself and run the command again",
        folder.display()
    )
}
