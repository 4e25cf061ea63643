//! Files that are either complete or absent, even after a power failure.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, getrlimit};
use serde::Serialize;

use crate::foundation::host::host_name;

/// Replace the file at `path` with `bytes` in one step: a temporary file beside it is written,
/// synced and renamed over it, then the folder is synced. A reader of `path` sees either the old
/// contents or the new, never a mixture.
///
/// # Errors
/// I/O errors; the message names the path. The old file is then untouched and the temporary one
/// removed.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, &temporary_beside(path, ""), bytes)
}

/// The same for a file that several processes, also of other machines, may replace at a time.
///
/// # Errors
/// As [`write_atomically`].
pub fn write_atomically_among_others(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let own = format!(".{}-{}", host_name(), std::process::id());
    replace(path, &temporary_beside(path, &own), bytes)
}

fn replace(path: &Path, temporary: &Path, bytes: &[u8]) -> io::Result<()> {
    write_synced(temporary, bytes)
        .and_then(|()| fs::rename(temporary, path))
        .and_then(|()| sync_folder_of(path))
        .map_err(|error| {
            // Report the first error; a leftover temporary file is overwritten next time.
            let _ = fs::remove_file(temporary);
            in_file(path, "cannot write", error)
        })
}

/// The same for a file that a user has named: a link stays one, and what is no file (a pipe, a terminal, `/dev/null`) is
/// written to and never replaced.
///
/// # Errors
/// As [`write_atomically`].
pub fn write_as_named(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // `/dev/stdout` may lead to a file, to which something else is being written.
    let is_device = path.starts_with("/dev") || fs::metadata(path).is_ok_and(|of| !of.is_file());
    if is_device {
        let opened = OpenOptions::new().append(true).open(path);
        let written = opened.and_then(|mut file| file.write_all(bytes));
        return written.map_err(|error| in_file(path, "cannot write", error));
    }
    let target = path.canonicalize();
    write_atomically(target.as_deref().unwrap_or(path), bytes)
}

/// Replace the file at `path` with `value` as indented JSON, as [`write_atomically`] does.
///
/// # Errors
/// I/O errors; the message names the path.
pub fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    write_atomically(path, &json(value)?)
}

/// `value` as indented JSON, with a newline at the end.
///
/// # Errors
/// A number that JSON cannot represent.
pub fn json(value: &impl Serialize) -> io::Result<Vec<u8>> {
    Ok((serde_json::to_string_pretty(value)? + "\n").into_bytes())
}

/// Whether `path` leads to this open file or folder.
///
/// # Errors
/// I/O errors, also if there is nothing at `path`.
pub fn is_at(path: &Path, file: &File) -> io::Result<bool> {
    let (there, own) = (fs::metadata(path)?, file.metadata()?);
    Ok((there.dev(), there.ino()) == (own.dev(), own.ino()))
}

/// Make the entries of the folder that contains `path` durable (a power failure could otherwise
/// undo the creation or renaming of a file).
///
/// # Errors
/// I/O errors.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// The same error with the attempted action and the file's path in its message.
pub fn in_file(path: &Path, action: &str, error: io::Error) -> io::Error {
    let remedy = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some disk space".to_owned()
        }
        io::ErrorKind::FileTooLarge => file_size_limit(),
        _ => String::new(),
    };
    io::Error::new(
        error.kind(),
        format!("{action} {}: {error}{remedy}", path.display()),
    )
}

/// What to do about a file that may not become larger.
fn file_size_limit() -> String {
    match getrlimit(Resource::Fsize).current {
        Some(bytes) => format!(
            "; raise the file size limit of {bytes} bytes (ulimit -f; prlimit --fsize=unlimited --pid {})",
            std::process::id()
        ),
        None => "; its file system takes no larger files".to_owned(),
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn temporary_beside(path: &Path, of: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!("{of}.tmp"));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_has_the_new_contents_and_no_temporary_file_remains() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("best.json");
        write_atomically(&path, b"old and longer").unwrap();
        write_atomically(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_user_names_is_written_to_and_stays_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link, device] = ["file", "link", "device"].map(|name| folder.path().join(name));
        write_as_named(&file, b"old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_as_named(&link, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        std::os::unix::fs::symlink("/dev/null", &device).unwrap();
        write_as_named(&device, b"gone").unwrap();
        assert!(link.is_symlink() && device.is_symlink());
        assert!(!fs::metadata(&device).unwrap().is_file());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_failed_write_keeps_the_old_file_and_names_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("occupied");
        fs::create_dir(&path).unwrap();
        let error = write_atomically(&path, b"new").unwrap_err();
        assert!(error.to_string().contains("occupied"), "{error}");
        assert!(path.is_dir());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
