//! Files that others wrote: only regular ones are opened, and only so much of them is read. A named
//! pipe would block until someone writes to it; a device may never end.

use std::fs::{File, FileType, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use super::numbers;

/// Most bytes of a file of settings, which a person wrote.
pub const SETTINGS: u64 = 1 << 20;
/// Most bytes of another text file: networks, tables, results.
pub const TEXT: u64 = 256 << 20;
/// Most bytes of a file of images or labels, of an archive of them, and of what such a file is
/// unpacked to.
pub const DATA: u64 = 2 << 30;
/// Most bytes of a file that this program wrote: the weights and the state of a run.
pub const OWN: u64 = 1 << 40;

/// Open the regular file at `path` for reading. A pipe is opened if the path names a stream that
/// this process was started with (`/dev/stdin`, or `/dev/fd/N` from the shell's `<(...)`).
///
/// # Errors
/// I/O errors; also if `path` leads to a folder, a pipe, a socket or a device.
pub fn open(path: &Path) -> io::Result<File> {
    let is_handed_over = is_stream_of_this_process(path);
    let mut options = OpenOptions::new();
    options.read(true);
    if !is_handed_over {
        // Opening a named pipe would otherwise wait for its writer. No effect on regular files.
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    let file = options.open(path)?;
    let kind = file.metadata()?.file_type();
    if !is_handed_over || kind.is_dir() || kind.is_block_device() {
        must_be_regular(kind)?;
    }
    Ok(file)
}

/// Why there is no regular file `name` to read in `folder`, in words.
pub fn why_not_in(folder: &Path, name: &str) -> String {
    match open(&folder.join(name)) {
        _ if !folder.is_dir() => "it is not a folder".to_owned(),
        Err(error) if error.kind() != ErrorKind::NotFound => {
            format!("its {name} cannot be read: {error}")
        }
        _ => format!("there is no {name} in it"),
    }
}

/// Open the regular file at `path` to append to it, or create it. This is for files of this program in
/// folders where others may put something else under the same name.
///
/// # Errors
/// I/O errors; also if `path` is a link, or leads to something other than a regular file.
pub fn append(path: &Path) -> io::Result<File> {
    regular_or_absent(path)?;
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    // It may be replaced in this moment.
    options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY);
    let file = options.open(path)?;
    must_be_regular(file.metadata()?.file_type())?;
    Ok(file)
}

/// Check that [`append`] can open `path`, without creating it.
///
/// # Errors
/// Those of [`append`].
pub fn regular_or_absent(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        found => must_be_regular(found?.file_type()),
    }
}

/// What is at `path` in place of a regular file, in words: `a pipe`. `None` if there is a regular file, or
/// nothing. It is not opened.
pub fn instead_of_file(path: &Path) -> Option<&'static str> {
    match path.metadata() {
        Ok(found) => other_than_file(found.file_type()),
        Err(_) => {
            let is_link = path
                .symlink_metadata()
                .is_ok_and(|found| found.is_symlink());
            is_link.then_some("a link that leads nowhere")
        }
    }
}

fn other_than_file(kind: FileType) -> Option<&'static str> {
    match () {
        () if kind.is_file() => None,
        () if kind.is_dir() => Some("a folder"),
        () if kind.is_symlink() => Some("a link"),
        () if kind.is_fifo() => Some("a pipe"),
        () if kind.is_socket() => Some("a socket"),
        () => Some("a device"),
    }
}

fn must_be_regular(kind: FileType) -> io::Result<()> {
    match other_than_file(kind) {
        None => Ok(()),
        Some(_) if kind.is_dir() => Err(io::Error::from_raw_os_error(libc::EISDIR)),
        Some(other) => Err(refused(format!("it is {other}, not a regular file"))),
    }
}

/// A reader of the regular file at `path`, with a buffer, that fails beyond `most` bytes.
///
/// # Errors
/// Those of [`open`]; also if the file is longer.
pub fn reader(path: &Path, most: u64) -> io::Result<impl Read + use<>> {
    let file = open(path)?;
    if file.metadata()?.len() > most {
        return Err(too_long(most));
    }
    Ok(BufReader::new(AtMost::new(file, most)))
}

/// The contents of the regular file at `path`, which has at most `most` bytes.
///
/// # Errors
/// Those of [`open`] and [`reader`].
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let length = file.metadata()?.len();
    if length > most {
        return Err(too_long(most));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    AtMost::new(file, most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The last `most` bytes of the regular file at `path`, and the number of bytes before them.
///
/// # Errors
/// Those of [`open`], and I/O errors.
pub fn end(path: &Path, most: u64) -> io::Result<(Vec<u8>, u64)> {
    let mut file = open(path)?;
    let skipped = file.metadata()?.len().saturating_sub(most);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    // It may be growing.
    file.take(most).read_to_end(&mut bytes)?;
    Ok((bytes, skipped))
}

/// The contents of the text file at `path` (UTF-8), which has at most `most` bytes.
///
/// # Errors
/// Those of [`read`]; also if it is not UTF-8.
pub fn text(path: &Path, most: u64) -> io::Result<String> {
    let not_text = |_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8 text");
    String::from_utf8(read(path, most)?).map_err(not_text)
}

/// A stream of which at most so many bytes are read. One byte more is an error, so that a stream that
/// is too long is not taken for a whole one.
#[derive(Debug)]
pub struct AtMost<R> {
    stream: R,
    most: u64,
    left: u64,
}

impl<R: Read> AtMost<R> {
    /// At most `most` bytes of `stream`.
    pub fn new(stream: R, most: u64) -> AtMost<R> {
        AtMost {
            stream,
            most,
            left: most,
        }
    }
}

impl<R: Read> Read for AtMost<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer
            .len()
            .min(usize::try_from(self.left.saturating_add(1)).unwrap_or(usize::MAX));
        let read = self.stream.read(&mut buffer[..length])?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| too_long(self.most))?;
        Ok(read)
    }
}

fn too_long(most: u64) -> io::Error {
    refused(format!(
        "it is longer than {}, the most that is read",
        numbers::bytes(most)
    ))
}

fn refused(reason: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, reason)
}

fn is_stream_of_this_process(path: &Path) -> bool {
    path == Path::new("/dev/stdin")
        || ["/dev/fd", "/proc/self/fd"]
            .iter()
            .any(|folder| path.parent() == Some(Path::new(folder)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(result: io::Result<Vec<u8>>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn a_pipe_a_device_a_socket_and_a_folder_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        assert!(reason(read(&pipe, TEXT)).contains("a pipe"));
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(read(&socket, TEXT).is_err());
        assert!(reason(read(Path::new("/dev/zero"), TEXT)).contains("a device"));
        assert!(reason(read(folder.path(), TEXT)).contains("directory"));
    }

    #[test]
    fn nothing_but_a_regular_file_is_appended_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe"), rustix::fs::Mode::RUSR).unwrap();
        std::os::unix::fs::symlink(path("file"), path("link")).unwrap();
        std::os::unix::fs::symlink("/dev/null", path("null")).unwrap();
        for (name, what) in [("pipe", "a pipe"), ("link", "a link"), ("null", "a link")] {
            let error = append(&path(name)).unwrap_err().to_string();
            assert_eq!(error, format!("it is {what}, not a regular file"));
        }
        assert!(append(Path::new("/dev/null")).is_err());
        assert!(!path("file").exists() && append(&path("file")).is_ok());
        assert!(append(&path("file")).is_ok());
    }

    #[test]
    fn a_longer_file_than_allowed_is_refused_and_one_of_that_length_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, [7; 100]).unwrap();
        assert_eq!(read(&path, 100).unwrap(), [7; 100]);
        assert!(reason(read(&path, 99)).contains("longer than"));
    }

    #[test]
    fn a_stream_is_cut_off_with_an_error_not_silently() {
        let mut bytes = Vec::new();
        assert_eq!(
            AtMost::new(io::repeat(1).take(9), 9)
                .read_to_end(&mut bytes)
                .unwrap(),
            9
        );
        assert!(
            AtMost::new(io::repeat(1), 9)
                .read_to_end(&mut bytes)
                .is_err()
        );
    }
}
