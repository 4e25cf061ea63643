//! Whether the directory of a run at work is still in its place, and where it is otherwise.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{LOCK, RunDirectory};
use crate::foundation::durable::{in_file, is_at};
use crate::runs::lock::{self, LockProblem, lock_file};

/// Time in which a directory that somebody is deleting is usually gone.
const DELETING: Duration = Duration::from_millis(50);
/// Time after which what is missing was not part of a deletion of the whole directory.
const DELETED: Duration = Duration::from_millis(500);

impl RunDirectory {
    /// Check that the path still leads to this folder and that the lock in it is this process's. If
    /// somebody has removed the file `lock`, it is made again, unless the whole folder is being deleted.
    ///
    /// # Errors
    /// With what is found instead.
    pub fn check(&mut self) -> io::Result<()> {
        self.check_place()?;
        self.check_lock()
    }

    /// The same, once it is clear that the folder is not being deleted.
    ///
    /// # Errors
    /// With what is found instead.
    pub fn check_at_the_end(&mut self) -> io::Result<()> {
        self.check().or_else(|_| {
            self.check_place()?;
            sleep(DELETED);
            self.check()
        })
    }

    fn check_place(&self) -> io::Result<()> {
        let path = self.path.display();
        let problem = match (is_at(&self.path, &self.folder), self.place()) {
            (Ok(true), _) => return Ok(()),
            (Err(error), _) if error.kind() != ErrorKind::NotFound => {
                return Err(in_file(&self.path, "cannot find", error));
            }
            (_, Some(place)) => format!(
                "the run directory {path} has been moved to {}; move it back",
                place.display()
            ),
            (_, None) => format!("the run directory {path} has been deleted"),
        };
        Err(io::Error::new(ErrorKind::NotFound, problem))
    }

    fn check_lock(&mut self) -> io::Result<()> {
        let path = self.path.join(LOCK);
        match is_at(&path, &self.lock) {
            Ok(true) => {
                self.missing_since = None;
                return Ok(());
            }
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(in_file(&path, "cannot find", error));
            }
            Err(_) => self.outlasts_a_deletion()?,
            Ok(false) => {}
        }
        let file = lock::open(&path).map_err(|error| in_file(&path, "cannot open", error))?;
        self.lock = lock_file(file).map_err(|problem| match problem {
            LockProblem::Io(error) => in_file(&path, "cannot lock", error),
            LockProblem::Held(holder) => io::Error::new(
                ErrorKind::ResourceBusy,
                format!(
                    "the file `lock` of {} has been replaced, and another process uses the run ({holder}); stop that one",
                    self.path.display()
                ),
            ),
        })?;
        Ok(())
    }

    /// Something has been removed from the folder. If all of it is being deleted, a file made anew would stay, and
    /// be in the way: wait, then look whether the folder is still in its place.
    fn outlasts_a_deletion(&mut self) -> io::Result<()> {
        let since = *self.missing_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= DELETED {
            return Ok(());
        }
        sleep(DELETING);
        self.check_place()?;
        match self.journal_path().symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => Err(io::Error::new(
                ErrorKind::NotFound,
                format!(
                    "{} has been removed; put it back",
                    self.journal_path().display()
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Where the folder is now; `None` if it has been deleted.
    pub fn place(&self) -> Option<PathBuf> {
        let is_here = |path: &PathBuf| is_at(path, &self.folder).unwrap_or(false);
        let elsewhere = || fs::read_link(format!("/proc/self/fd/{}", self.folder.as_raw_fd())).ok();
        let path = Some(self.path.clone()).filter(is_here);
        path.or_else(|| elsewhere().filter(is_here))
    }

    /// If the folder has been moved, use it where it is now; returns whether it was.
    pub fn follow(&mut self) -> bool {
        let place = self.place().filter(|place| *place != self.path);
        let is_moved = place.is_some();
        self.path = place.unwrap_or_else(|| std::mem::take(&mut self.path));
        is_moved
    }

    /// Make the folder for checkpoints again if somebody has removed it, unless the whole folder is being deleted.
    ///
    /// # Errors
    /// I/O errors, with what is found.
    pub fn keep_checkpoint_folder(&mut self) -> io::Result<()> {
        if !self.path.join("checkpoint").is_dir() {
            self.outlasts_a_deletion()?;
        }
        self.make_checkpoint_folder()
    }
}
