//! The files through which the engine and its tasks speak, in `slurm/` of the run directory:
//!
//! ```text
//! run                      the name of the run among all jobs of the cluster
//! control.json             what is asked of running tasks: pause, skip
//! batches/N/manifest.jsonl settings, then one line per task: its children. Written before `sbatch`
//! batches/N/job            Slurm's number of the job. Written after `sbatch`
//! batches/N/closed         nothing of it is of interest any more
//! attempts/N.I.UUID.jsonl  what one run of task I says of itself
//! inbox/                   results, and names of new attempts, until the engine has taken them
//! results/CHILD.json       the first valid result of a child
//! ```
//!
//! Whatever must not be lost is written to a temporary file, synced, and renamed.

mod results;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::results::{ResultFile, digest, read_result, uuid};
use super::scheduler::TaskId;
use crate::config::{ChildConfig, DataConfig, DeviceChoice};
use crate::evaluate::ChildJob;
use crate::foundation::durable::{write_atomically, write_json};
use crate::foundation::input;

/// The first line of a manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Version of these files.
    pub v: u32,
    /// Number of the batch.
    pub batch: u64,
    /// Name of the job.
    pub name: String,
    /// The images and how they are prepared.
    pub data: DataConfig,
    /// CRC-32 (hex) of the data on the machine of the engine.
    pub fingerprint: String,
    /// How each child is trained.
    pub child: ChildConfig,
    /// The device asked for.
    pub device: DeviceChoice,
    /// CPU threads of each training.
    pub threads: usize,
    /// GPUs of a task.
    pub gpus: usize,
    /// How often a task may ask to be started again.
    pub requeues: u32,
}

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
}

/// A batch of an earlier session.
#[derive(Debug)]
pub struct Known {
    /// Its number.
    pub batch: u64,
    /// Children of each task.
    pub tasks: Vec<Vec<u64>>,
    /// Slurm's number of the job, if it was recorded.
    pub job: Option<String>,
}

const PARTS: [&str; 4] = ["batches", "attempts", "inbox", "results"];

impl Folder {
    /// The folder in `run`, created if missing.
    ///
    /// # Errors
    /// I/O errors; the message names the path.
    pub fn open(run: &Path) -> io::Result<Folder> {
        let root = run.join("slurm");
        for part in PARTS {
            let path = root.join(part);
            fs::create_dir_all(&path).map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("cannot create {}: {error}", path.display()),
                )
            })?;
        }
        Ok(Folder { root })
    }

    /// The folder at `root`, as a task sees it.
    pub fn at(root: &Path) -> Folder {
        Folder {
            root: root.to_owned(),
        }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The name of the run among all jobs of the cluster: made once, from the name of its directory.
    ///
    /// # Errors
    /// I/O errors.
    pub fn run_name(&self) -> io::Result<String> {
        let path = self.root.join("run");
        if let Ok(name) = input::text(&path, 1_000) {
            return Ok(name.trim().to_owned());
        }
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
        let name = format!("nas-{run}-{}", &uuid()?[..8]);
        write_atomically(&path, name.as_bytes())?;
        Ok(name)
    }

    /// The folder of a batch.
    pub fn batch(&self, batch: u64) -> PathBuf {
        self.root.join("batches").join(batch.to_string())
    }

    /// Write the intent to submit a batch.
    ///
    /// # Errors
    /// I/O errors.
    pub fn write_manifest(&self, settings: &Settings, tasks: &[Vec<ChildJob>]) -> io::Result<()> {
        let folder = self.batch(settings.batch);
        fs::create_dir_all(&folder)?;
        let mut text = serde_json::to_string(settings)?;
        for jobs in tasks {
            text.push('\n');
            text.push_str(&serde_json::to_string(jobs)?);
        }
        text.push('\n');
        write_atomically(&folder.join("manifest.jsonl"), text.as_bytes())
    }

    /// Settings of a batch, and the children of one of its tasks.
    ///
    /// # Errors
    /// If the manifest cannot be read or has no such task.
    pub fn read_task(&self, id: TaskId) -> io::Result<(Settings, Vec<ChildJob>)> {
        let path = self.batch(id.batch).join("manifest.jsonl");
        let mut lines = BufReader::new(input::open(&path)?).lines();
        let missing =
            || io::Error::other(format!("{}: there is no task {}", path.display(), id.index));
        let settings = serde_json::from_str(&lines.next().ok_or_else(missing)??)?;
        let jobs = serde_json::from_str(&lines.nth(id.index).ok_or_else(missing)??)?;
        Ok((settings, jobs))
    }

    /// Every batch that is not closed. One whose manifest was never completed was never submitted.
    ///
    /// # Errors
    /// I/O errors.
    pub fn open_batches(&self) -> io::Result<(Vec<Known>, u64)> {
        let (mut known, mut last) = (Vec::new(), 0);
        for batch in names(&self.root.join("batches"))?
            .iter()
            .filter_map(|name| name.parse().ok())
        {
            last = last.max(batch);
            let folder = self.batch(batch);
            let manifest = folder.join("manifest.jsonl");
            if self.is_closed(batch) || !manifest.exists() {
                continue;
            }
            let mut tasks = Vec::new();
            for line in BufReader::new(input::open(&manifest)?).lines().skip(1) {
                let jobs: Vec<Numbered> = serde_json::from_str(&line?)?;
                tasks.push(jobs.iter().map(|job| job.child).collect());
            }
            let job = input::text(&folder.join("job"), 1_000).ok();
            let job = job
                .map(|job| job.trim().to_owned())
                .filter(|job| !job.is_empty());
            known.push(Known { batch, tasks, job });
        }
        known.sort_by_key(|known| known.batch);
        Ok((known, last))
    }

    /// Record Slurm's number of a job.
    ///
    /// # Errors
    /// I/O errors.
    pub fn write_job(&self, batch: u64, job: &str) -> io::Result<()> {
        write_atomically(&self.batch(batch).join("job"), job.as_bytes())
    }

    /// Mark a batch as of no interest any more.
    ///
    /// # Errors
    /// I/O errors.
    pub fn close(&self, batch: u64) -> io::Result<()> {
        File::create(self.batch(batch).join("closed")).map(drop)
    }

    /// Whether a batch is of no interest any more.
    pub fn is_closed(&self, batch: u64) -> bool {
        self.batch(batch).join("closed").exists()
    }

    /// Ask this of running tasks.
    ///
    /// # Errors
    /// I/O errors.
    pub fn write_control(&self, control: &Control) -> io::Result<()> {
        write_json(&self.root.join("control.json"), control)
    }

    /// What is asked of running tasks; nothing if it cannot be read.
    pub fn control(&self) -> Control {
        let text = input::text(&self.root.join("control.json"), input::TEXT);
        text.ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default()
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

    /// Whether a child has a result already, taken or not.
    pub fn has_result(&self, child: u64, digest: &str, epochs: usize) -> bool {
        let waiting = names(&self.root.join("inbox")).unwrap_or_default();
        let start = format!("result-{child}.");
        let waiting = waiting
            .iter()
            .filter(|name| name.starts_with(&start) && name.ends_with(".json"));
        let mut paths = waiting
            .map(|name| self.root.join("inbox").join(name))
            .chain([self.result(child)]);
        paths.any(|path| read_result(&path, epochs).is_ok_and(|result| result.digest == digest))
    }

    /// What has arrived since it was last taken.
    ///
    /// # Errors
    /// I/O errors.
    pub fn arrivals(&self) -> io::Result<Vec<Arrival>> {
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
        fs::rename(path, target)
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

#[derive(Deserialize)]
struct Numbered {
    child: u64,
}

fn attempt_named(name: &str) -> Option<(TaskId, String)> {
    let mut parts = name.splitn(3, '.');
    let batch = parts.next()?.parse().ok()?;
    let index = parts.next()?.parse().ok()?;
    Some((TaskId { batch, index }, parts.next()?.to_owned()))
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
