//! The files through which the engine and its tasks speak, in `slurm/` of the run directory:
//!
//! ```text
//! run                      the name of the run among all jobs of the cluster; inode and path of this folder
//! control.json             what is asked of running tasks: pause, skip
//! probe                    written now and then by the search, to see whether anything can be
//! batches/N/manifest.jsonl settings, then one line per task: its children. Written before `sbatch`
//! batches/N/job            Slurm's number of the job. Written after `sbatch`
//! batches/N/closed         nothing of it is of interest any more
//! attempts/N.I.UUID.jsonl  what one run of task I says of itself
//! inbox/                   results, and names of new attempts, until the engine has taken them
//! results/CHILD.json       the first valid result of a child
//! checkpoints/CHILD.safetensors  a child in training, saved
//! ```
//!
//! Whatever must not be lost is written to a temporary file, synced, and renamed.

mod batches;
mod results;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::batches::{Known, Settings};
pub use self::results::{ResultFile, digest, read_result, uuid};
use super::scheduler::TaskId;
use crate::evaluate::ChildJob;
use crate::evaluate::worker::saving;
use crate::foundation::durable::{in_file, is_at, sync_folder_of, write_atomically, write_json};
use crate::foundation::input;

/// The version of these files.
pub const VERSION: u32 = 1;

/// What is asked of running tasks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// The pause in force.
    pub pause: Option<u64>,
    /// Children to end.
    pub skip: Vec<u64>,
}

/// `slurm/` of a run directory.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    /// The open folder, wherever it is. Tasks have none.
    own: Option<Arc<File>>,
}

const PARTS: [&str; 5] = ["batches", "attempts", "inbox", "results", CHECKPOINTS];
const CHECKPOINTS: &str = "checkpoints";

impl Folder {
    /// The folder in `run`, created if missing: here and never later, but for one folder per batch.
    ///
    /// # Errors
    /// I/O errors; the message names the path. The run directory itself is never made.
    pub fn open(run: &Path) -> io::Result<Folder> {
        let root = run.join("slurm");
        make(&root)?;
        for part in PARTS {
            make(&root.join(part))?;
        }
        let own = File::open(&root).map_err(|error| in_file(&root, "cannot open", error))?;
        Ok(Folder {
            root,
            own: Some(Arc::new(own)),
        })
    }

    /// Check that the path still leads to this folder, before anything is written: what is saved must not
    /// end up in a folder that has taken the place of the run's.
    ///
    /// # Errors
    /// If it does not.
    fn check(&self) -> io::Result<()> {
        let is_own = self
            .own
            .as_ref()
            .is_none_or(|own| is_at(&self.root, own).unwrap_or(false));
        is_own.then_some(()).ok_or_else(|| {
            let root = self.root.display();
            io::Error::new(
                io::ErrorKind::NotFound,
                format!(
                    "{root} is not the run's any more: the run directory has been moved or deleted"
                ),
            )
        })
    }

    /// The folder at `root`, as a task sees it.
    pub fn at(root: &Path) -> Folder {
        Folder {
            root: root.to_owned(),
            own: None,
        }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The name of the run among all jobs of the cluster: made once, from the name of its directory, and
    /// anew for a copy of a run. Returns also whether this is such a copy: its batches are the other run's.
    ///
    /// # Errors
    /// I/O errors.
    pub fn run_name(&self) -> io::Result<(String, bool)> {
        let path = self.root.join("run");
        let inode = fs::metadata(&self.root)?.ino().to_string();
        let root = format!("{:?}", self.root);
        let text = match input::text(&path, 10_000) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text?,
        };
        let (known, place) = text.split_once('\n').unwrap_or((text.as_str(), ""));
        // A run that is moved keeps one, a copy neither. Older versions wrote neither down.
        let is_copy = place
            .trim_end()
            .split_once(' ')
            .is_some_and(|place| place.0 != inode && place.1 != root);
        let name = match known.trim() {
            name if !name.is_empty() && !is_copy => name.to_owned(),
            _ => self.new_name()?,
        };
        let now = format!("{name}\n{inode} {root}\n");
        if text != now {
            self.check()?;
            write_atomically(&path, now.as_bytes())?;
        }
        Ok((name, is_copy))
    }

    fn new_name(&self) -> io::Result<String> {
        let run = self
            .root
            .parent()
            .and_then(Path::file_name)
            .unwrap_or_default();
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        };
        let run: String = run.to_string_lossy().chars().take(60).map(plain).collect();
        Ok(format!("nas-{run}-{}", &uuid()?[..8]))
    }

    /// See whether anything can be written here.
    ///
    /// # Errors
    /// I/O errors.
    pub fn probe(&self) -> io::Result<()> {
        self.check()?;
        write_atomically(&self.root.join("probe"), &[b'\n'; 4_096])
    }

    /// Ask this of running tasks.
    ///
    /// # Errors
    /// I/O errors.
    pub fn write_control(&self, control: &Control) -> io::Result<()> {
        self.check()?;
        write_json(&self.root.join("control.json"), control)
    }

    /// What is asked of running tasks; `None` if it cannot be read, which can pass (a file server that
    /// restarts, a handle that has become stale).
    pub fn control(&self) -> Option<Control> {
        let text = input::text(&self.root.join("control.json"), input::TEXT).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// The path of an attempt's file.
    pub fn attempt(&self, id: TaskId, attempt: &str) -> PathBuf {
        self.root
            .join("attempts")
            .join(format!("{}.{}.{attempt}.jsonl", id.batch, id.index))
    }

    /// Tell the engine that an attempt has begun.
    ///
    /// # Errors
    /// I/O errors.
    pub fn announce(&self, id: TaskId, attempt: &str) -> io::Result<()> {
        let name = format!("hello-{}.{}.{attempt}", id.batch, id.index);
        File::create(self.root.join("inbox").join(name)).map(drop)
    }

    /// Every attempt that has begun, of any session.
    ///
    /// # Errors
    /// I/O errors.
    pub fn attempts(&self) -> io::Result<Vec<(TaskId, String)>> {
        let names = names(&self.root.join("attempts"))?;
        let attempts = names
            .iter()
            .filter_map(|name| attempt_named(name.strip_suffix(".jsonl")?));
        Ok(attempts.collect())
    }

    /// Write the result of a child for the engine.
    ///
    /// # Errors
    /// I/O errors.
    pub fn write_result(&self, result: &ResultFile) -> io::Result<()> {
        let name = format!("result-{}.{}.json", result.child, result.attempt);
        write_json(&self.root.join("inbox").join(name), result)
    }

    /// Whether a child was trained already, and the result taken or not. Failures do not count: if they
    /// were believed, nobody would ask for the child.
    pub fn has_result(&self, job: &ChildJob, digest: &str, epochs: usize) -> bool {
        let waiting = names(&self.root.join("inbox")).unwrap_or_default();
        let start = format!("result-{}.", job.child);
        let waiting = waiting
            .iter()
            .filter(|name| name.starts_with(&start) && name.ends_with(".json"));
        let mut paths = waiting
            .map(|name| self.root.join("inbox").join(name))
            .chain([self.result(job.child)]);
        paths.any(|path| {
            read_result(&path, epochs)
                .is_ok_and(|result| result.digest == digest && result.is_whole(job, epochs))
        })
    }

    /// The result of this training that an earlier session has taken. If that is not of a whole training,
    /// it is put aside: the search asks for the child again because it did not believe it.
    pub fn earlier_result(
        &self,
        job: &ChildJob,
        digest: &str,
        epochs: usize,
    ) -> Option<ResultFile> {
        let path = self.result(job.child);
        let result = read_result(&path, epochs).ok()?;
        let is_whole = result.is_whole(job, epochs);
        if result.digest == digest && !is_whole {
            // If that fails, the next result takes its place.
            let _ = self.take(&path, None);
        }
        (result.digest == digest && is_whole).then_some(result)
    }

    /// What has arrived since it was last taken.
    ///
    /// # Errors
    /// I/O errors.
    pub fn arrivals(&self) -> io::Result<Vec<Arrival>> {
        self.check()?;
        let inbox = self.root.join("inbox");
        let mut names = names(&inbox)?;
        names.sort();
        let arrival = |name: &String| {
            let path = inbox.join(name);
            match name.strip_prefix("hello-") {
                Some(rest) => attempt_named(rest).map(|(task, attempt)| Arrival::Attempt {
                    path,
                    task,
                    attempt,
                }),
                None if name.starts_with("result-") && name.ends_with(".json") => {
                    Some(Arrival::Result(path))
                }
                None => None,
            }
        };
        Ok(names.iter().filter_map(arrival).collect())
    }

    /// The path of a child's first valid result.
    pub fn result(&self, child: u64) -> PathBuf {
        self.root.join("results").join(format!("{child}.json"))
    }

    /// Take a result out of the inbox: it becomes the child's. One that is not valid, or not the
    /// first, is kept under another name.
    ///
    /// # Errors
    /// I/O errors.
    pub fn take(&self, path: &Path, accepted_for: Option<u64>) -> io::Result<()> {
        let name = path.file_name().unwrap_or_default();
        let target = match accepted_for {
            Some(child) => self.result(child),
            None => self
                .root
                .join("results")
                .join(format!("unused-{}", name.to_string_lossy())),
        };
        self.check()?;
        match fs::rename(path, &target) {
            // A file server may be asked again for what it has done, if its answer was lost.
            Err(error) if error.kind() == io::ErrorKind::NotFound && target.exists() => Ok(()),
            renamed => renamed,
        }
    }

    /// The folder in which children in training are saved.
    pub fn checkpoints(&self) -> PathBuf {
        self.root.join(CHECKPOINTS)
    }

    /// Remove what was saved of a child, which has ended.
    pub fn remove_checkpoint(&self, child: u64) {
        // If it is not there, or cannot be removed, that harms nobody.
        let _ = fs::remove_file(saving::path(&self.checkpoints(), child));
    }

    /// Remove what was saved of children that have ended, as tasks that went on nevertheless have saved it again.
    pub fn remove_checkpoints(&self, has_ended: impl Fn(u64) -> bool) {
        if self.check().is_err() {
            return;
        }
        for name in names(&self.checkpoints()).unwrap_or_default() {
            let child = name.split('.').next().and_then(|child| child.parse().ok());
            if child.is_some_and(&has_ended) {
                let _ = fs::remove_file(self.checkpoints().join(name));
            }
        }
    }
}

/// Something in the inbox.
#[derive(Debug)]
pub enum Arrival {
    /// An attempt has begun.
    Attempt {
        /// The file that says so.
        path: PathBuf,
        /// Its task.
        task: TaskId,
        /// Its name.
        attempt: String,
    },
    /// A result.
    Result(PathBuf),
}

fn attempt_named(name: &str) -> Option<(TaskId, String)> {
    let mut parts = name.splitn(3, '.');
    let batch = parts.next()?.parse().ok()?;
    let index = parts.next()?.parse().ok()?;
    Some((TaskId { batch, index }, parts.next()?.to_owned()))
}

/// Make a folder in one that is there.
fn make(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made
            .and_then(|()| sync_folder_of(folder))
            .map_err(|error| in_file(folder, "cannot create", error)),
    }
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(folder).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot read {}: {error}", folder.display()),
        )
    })?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
