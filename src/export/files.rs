//! Writes text files without ever overwriting an existing one.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

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
    /// Too many files with such names exist.
    #[error("{} and {MOST_NAMES} names like it are taken: remove some of these files", path.display())]
    Taken {
        /// The name without a number.
        path: PathBuf,
    },
}

/// Write `text` to a new file `name` in `folder` or, if that exists, to the first free name of
/// `stem-2.ext`, `stem-3.ext`, ... Returns the path written.
///
/// # Errors
/// [`SaveError`]: the file cannot be written, or too many files with such names exist.
pub fn save_new(folder: &Path, name: &str, text: &str) -> Result<PathBuf, SaveError> {
    for number in 1..=MOST_NAMES {
        let path = folder.join(numbered(name, number));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                return match file.write_all(text.as_bytes()) {
                    Ok(()) => Ok(path),
                    Err(cause) => Err(SaveError::Write { path, cause }),
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
            let path = save_new(folder.path(), "child-12.dna.json", text).unwrap();
            assert_eq!(path, folder.path().join(name));
            assert_eq!(std::fs::read_to_string(path).unwrap(), text);
        }
        assert_eq!(
            std::fs::read_to_string(folder.path().join("child-12.dna.json")).unwrap(),
            "a"
        );
    }

    #[test]
    fn the_error_for_a_missing_folder_names_it() {
        let error = save_new(Path::new("/nonexistent"), "child-1.py", "")
            .unwrap_err()
            .to_string();
        assert!(error.contains("/nonexistent/child-1.py"), "{error}");
    }
}
