//! A file that only the user's own programs can read, for as long as they need it.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::foundation::durable::in_file;

/// Number of names tried for its folder.
const MOST_NAMES: u32 = 100;

/// A file in a folder of its own, both closed to other users; removed together with this value.
#[derive(Debug)]
pub struct PrivateFile {
    folder: PathBuf,
    path: PathBuf,
}

impl PrivateFile {
    /// Write `text` to a file `name`, in `$XDG_RUNTIME_DIR` or else in the folder for temporary files.
    ///
    /// # Errors
    /// I/O errors; the message names the path.
    pub fn with(name: &str, text: &str) -> io::Result<PrivateFile> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let runtime = runtime.filter(|folder| folder.is_absolute());
        let file = runtime.map(|parent| PrivateFile::within(&parent, name, text));
        match file {
            Some(Ok(file)) => Ok(file),
            _ => PrivateFile::within(&std::env::temp_dir(), name, text),
        }
    }

    fn within(parent: &Path, name: &str, text: &str) -> io::Result<PrivateFile> {
        let folder = new_folder(parent)?;
        let path = folder.join(name);
        // From here on, dropping it removes what has been made.
        let file = PrivateFile { folder, path };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options
            .open(&file.path)
            .and_then(|mut opened| opened.write_all(text.as_bytes()))
            .map_err(|error| in_file(&file.path, "cannot write", error))?;
        Ok(file)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        // Programs may have left something beside it. What cannot be removed is the system's to remove.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Create a folder in `parent`, where others may create something too, and to which only this user has
/// access.
fn new_folder(parent: &Path) -> io::Result<PathBuf> {
    let name = |number| format!("nas-tui-view-{}-{number}", std::process::id());
    for number in 1..=MOST_NAMES {
        let folder = parent.join(name(number));
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(in_file(&folder, "cannot make", error)),
        }
    }
    Err(in_file(
        &parent.join(name(MOST_NAMES)),
        "cannot make",
        ErrorKind::AlreadyExists.into(),
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_the_user_can_read_it_and_it_goes_away() {
        let parent = tempfile::tempdir().unwrap();
        let file = PrivateFile::within(parent.path(), "child-12.py", "import torch\n").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(file.path()), 0o600);
        assert_eq!(mode(&file.folder), 0o700);
        assert!(file.path().ends_with("child-12.py"));
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "import torch\n");
        fs::write(file.folder.join(".child-12.py.swp"), "left by an editor").unwrap();
        drop(file);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_name_that_someone_else_has_taken_is_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let first = PrivateFile::within(parent.path(), "a", "1").unwrap();
        let taken = first.folder.clone();
        std::mem::forget(first);
        let second = PrivateFile::within(parent.path(), "a", "2").unwrap();
        assert_ne!(second.folder, taken);
        assert_eq!(fs::read_to_string(taken.join("a")).unwrap(), "1");
    }

    #[test]
    fn the_error_names_the_folder() {
        let error = PrivateFile::within(Path::new("/nonexistent"), "a", "").unwrap_err();
        assert!(
            error.to_string().contains("/nonexistent/nas-tui-view-"),
            "{error}"
        );
    }
}
