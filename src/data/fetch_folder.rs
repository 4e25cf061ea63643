//! The folder that a fetch fills: for one process at a time, and gone again if nothing came into it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::error::FetchError;
use crate::foundation::durable::is_at;
use crate::foundation::input;

/// Name of the file that is locked.
const LOCK: &str = ".fetch.lock";

/// Keeps other fetches out of a folder while this value exists.
#[derive(Debug)]
pub(super) struct FetchFolder {
    path: PathBuf,
    /// The folder and those above it that were made for this fetch.
    made: usize,
    /// The open file holds the lock.
    lock: Option<File>,
}

impl FetchFolder {
    /// Create the folder, with its parents, and lock it.
    ///
    /// # Errors
    /// Another process is fetching into it; I/O errors.
    pub(super) fn open(path: &Path) -> Result<FetchFolder, FetchError> {
        let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let made = path.ancestors().take_while(is_missing).count();
        fs::create_dir_all(path).map_err(FetchError::at(path))?;
        let mut folder = FetchFolder {
            path: path.to_owned(),
            made,
            lock: None,
        };
        let name = path.join(LOCK);
        let lock = input::append(&name).map_err(FetchError::at(&name))?;
        let is_free = match lock.try_lock() {
            // A fetch that has just ended may have removed the file that this one has opened.
            Ok(()) => is_at(&name, &lock).unwrap_or(false),
            Err(fs::TryLockError::WouldBlock) => false,
            Err(fs::TryLockError::Error(cause)) => return Err(FetchError::at(&name)(cause)),
        };
        if !is_free {
            let folder = path.to_owned();
            return Err(FetchError::Busy { folder });
        }
        folder.lock = Some(lock);
        Ok(folder)
    }
}

impl Drop for FetchFolder {
    /// Leave the data, or a part of them, and nothing else.
    fn drop(&mut self) {
        if self.lock.is_some() {
            let _ = fs::remove_file(self.path.join(LOCK));
        }
        for folder in self.path.ancestors().take(self.made) {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fetch_that_gets_nothing_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("data/cifar10");
        drop(FetchFolder::open(&path).unwrap());
        assert!(!root.path().join("data").exists());
    }

    #[test]
    fn folders_of_the_user_and_what_came_stay() {
        let root = tempfile::tempdir().unwrap();
        drop(FetchFolder::open(root.path()).unwrap());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
        let path = root.path().join("cifar10");
        let folder = FetchFolder::open(&path).unwrap();
        fs::write(path.join("archive.part"), "half").unwrap();
        drop(folder);
        let left: Vec<_> = fs::read_dir(&path).unwrap().flatten().collect();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].file_name(), "archive.part");
    }

    #[test]
    fn a_second_fetch_into_the_folder_is_refused_while_the_first_is_at_work() {
        let root = tempfile::tempdir().unwrap();
        let first = FetchFolder::open(root.path()).unwrap();
        let refused = FetchFolder::open(root.path());
        assert!(matches!(refused, Err(FetchError::Busy { .. })));
        drop(first);
        FetchFolder::open(root.path()).unwrap();
    }
}
