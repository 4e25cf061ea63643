//! Writes new files without ever overwriting an existing one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::foundation::durable::write_atomically;

/// Number of names tried before giving up: `child-12.py`, `child-12-2.py`, ...
const MOST_NAMES: usize = 1000;

/// Why a text could not be saved. The message names the file.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The file cannot be written.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// The file has its name, but not its contents.
    #[error("{0}")]
    Replace(io::Error),
    /// Too many files with such names exist.
    #[error("{} and {MOST_NAMES} names like it are taken: remove some of these files", path.display())]
    Taken {
        /// The name without a number.
        path: PathBuf,
    },
}

/// Write `contents` to a new file `name` in `folder` or, if that exists, to the first free name of
/// `stem-2.ext`, `stem-3.ext`, ... Returns the path written. Its name is taken with an empty file, which
/// is then replaced in one step.
///
/// # Errors
/// [`SaveError`]: the file cannot be written, or too many files with such names exist.
pub fn save_new(folder: &Path, name: &str, contents: &[u8]) -> Result<PathBuf, SaveError> {
    for number in 1..=MOST_NAMES {
        let path = folder.join(numbered(name, number));
        match File::create_new(&path) {
            Ok(_) => {
                return match write_atomically(&path, contents) {
                    Ok(()) => Ok(path),
                    Err(error) => {
                        // Not even an empty file is to remain.
                        let _ = fs::remove_file(&path);
                        Err(SaveError::Replace(error))
                    }
                };
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(cause) => return Err(SaveError::Write { path, cause }),
        }
    }
    Err(SaveError::Taken {
        path: folder.join(name),
    })
}

/// `name` with `-number` before its first dot; unchanged for 1.
fn numbered(name: &str, number: usize) -> String {
    match (number, name.split_once('.')) {
        (1, _) => name.to_owned(),
        (_, Some((stem, extension))) => format!("{stem}-{number}.{extension}"),
        (_, None) => format!("{name}-{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_existing_file_is_kept_and_the_new_one_gets_a_number() {
        let folder = tempfile::tempdir().unwrap();
        for (text, name) in [
            ("a", "child-12.dna.json"),
            ("b", "child-12-2.dna.json"),
            ("c", "child-12-3.dna.json"),
        ] {
            let path = save_new(folder.path(), "child-12.dna.json", text.as_bytes()).unwrap();
            assert_eq!(path, folder.path().join(name));
            assert_eq!(std::fs::read_to_string(path).unwrap(), text);
        }
        assert_eq!(
            std::fs::read_to_string(folder.path().join("child-12.dna.json")).unwrap(),
            "a"
        );
        let files = fs::read_dir(folder.path()).unwrap();
        assert_eq!(files.count(), 3, "no temporary file remains");
    }

    #[test]
    fn the_error_for_a_missing_folder_names_it() {
        let error = save_new(Path::new("/nonexistent"), "child-1.py", b"")
            .unwrap_err()
            .to_string();
        assert!(error.contains("/nonexistent/child-1.py"), "{error}");
    }
}
