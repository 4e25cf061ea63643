//! The files without which a run cannot be resumed, as they were when a session opened the run: should
//! somebody remove them, they are written again.

use std::io;
use std::path::Path;

use super::{INITIAL, NETWORK, ORIGIN, RunDirectory, SETTINGS};
use crate::foundation::durable::write_atomically;
use crate::foundation::input;

/// Names and contents.
#[derive(Debug, Default)]
pub struct Essentials(Vec<(&'static str, Vec<u8>)>);

impl Essentials {
    /// Those in `directory`.
    pub fn of(directory: &RunDirectory) -> Essentials {
        let read = |name| {
            let contents = input::read(&directory.path().join(name), input::OWN);
            contents.ok().map(|contents| (name, contents))
        };
        let names = [SETTINGS, NETWORK, ORIGIN, INITIAL];
        Essentials(names.into_iter().filter_map(read).collect())
    }

    /// Write those again that are missing in `directory`, which is in its place. Returns their names.
    ///
    /// # Errors
    /// I/O errors; the message names the file.
    pub fn restore(&self, directory: &RunDirectory) -> io::Result<Vec<&'static str>> {
        let is_missing = |path: &Path| matches!(path.symlink_metadata(), Err(error) if error.kind() == io::ErrorKind::NotFound);
        let mut restored = Vec::new();
        for (name, contents) in &self.0 {
            let path = directory.path().join(name);
            if is_missing(&path) {
                write_atomically(&path, contents)?;
                restored.push(*name);
            }
        }
        Ok(restored)
    }
}
