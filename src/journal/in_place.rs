//! Whether the journal that a run writes is still in its place, whole and the run's own.

use std::fs;
use std::io::{self, ErrorKind, Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Journal;
use crate::foundation::durable::{in_file, is_at};

/// What is added to the name of a journal that is saved beside a file that has taken its place.
const RESCUED: &str = ".rescued";

impl Journal {
    /// Check that the path still leads to this journal, and that nobody else has changed it.
    ///
    /// # Errors
    /// With what is found instead.
    pub fn check(&self) -> io::Result<()> {
        let own = self.file.metadata()?;
        let path = self.path.display();
        let problem = match fs::metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                format!("{path} has been removed; put it back")
            }
            Err(error) => return Err(in_file(&self.path, "cannot find", error)),
            Ok(there) if (there.dev(), there.ino()) != (own.dev(), own.ino()) => {
                format!(
                    "{path} has been replaced by another file; put it back, or stop the run, which then saves its own"
                )
            }
            Ok(there) if there.len() < self.length => format!(
                "{path} has been truncated from {} to {} bytes; put back what is missing",
                self.length,
                there.len()
            ),
            Ok(there) if there.len() > self.length && !self.is_doubtful => format!(
                "something else has written to {path}, which should have {} bytes and has {}; remove what is too much",
                self.length,
                there.len()
            ),
            Ok(_) => return Ok(()),
        };
        Err(io::Error::new(ErrorKind::NotFound, problem))
    }

    /// Whether the file is shorter than what has been written to it.
    pub fn is_cut_off(&self) -> bool {
        let there = self.file.metadata();
        there.is_ok_and(|there| there.len() < self.length)
    }

    /// Where the journal is looked for from here on: its folder has been moved.
    pub fn follow(&mut self, path: PathBuf) {
        self.path = path;
    }

    /// If the file has been removed or replaced, write it again from what this process still has open: at its
    /// path, or beside what is there now ([`rescued`]). The journal goes on in that file.
    ///
    /// # Errors
    /// I/O errors, also if the file is in its place.
    pub fn put_back(&mut self) -> io::Result<()> {
        if is_at(&self.path, &self.file).unwrap_or(false) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let path = match self.path.symlink_metadata() {
            Ok(_) => rescued(&self.path),
            Err(_) => self.path.clone(),
        };
        let mut again = Journal::create(&path)?;
        let written = (self.file.rewind())
            .and_then(|()| io::copy(&mut (&self.file).take(self.length), &mut again.file))
            .and_then(|_| again.file.sync_all());
        // Part of a journal must not pass for it.
        written.inspect_err(|_| drop(fs::remove_file(&path)))?;
        (self.file, self.path) = (again.file, path);
        self.check()
    }
}

/// Where the journal at `path` is saved if another file has taken its place.
pub fn rescued(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(RESCUED);
    PathBuf::from(name)
}
