//! Batches: the intent to submit an array of tasks, and what became of it.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Folder, make, names};
use crate::config::{ChildConfig, DataConfig, DeviceChoice};
use crate::evaluate::ChildJob;
use crate::evaluate::slurm::scheduler::TaskId;
use crate::foundation::durable::write_atomically;
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
    /// Seconds before its time limit at which a task is warned.
    #[serde(default = "usual_warning")]
    pub signal_seconds: u64,
}

/// In manifests of older versions.
fn usual_warning() -> u64 {
    120
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

#[derive(Deserialize)]
struct Numbered {
    child: u64,
}

impl Folder {
    /// The folder of a batch.
    pub fn batch(&self, batch: u64) -> PathBuf {
        self.root.join("batches").join(batch.to_string())
    }

    /// Take the number of a batch, so that no later session gives it to another one.
    ///
    /// # Errors
    /// I/O errors.
    pub fn reserve_batch(&self, batch: u64) -> io::Result<()> {
        self.check()?;
        make(&self.batch(batch))
    }

    /// Write what is to be submitted: the manifest of a batch and the `script` of its tasks.
    ///
    /// # Errors
    /// I/O errors.
    pub fn write_batch(
        &self,
        settings: &Settings,
        tasks: &[Vec<ChildJob>],
        script: &str,
    ) -> io::Result<()> {
        self.check()?;
        let folder = self.batch(settings.batch);
        make(&folder)?;
        let mut text = serde_json::to_string(settings)?;
        for jobs in tasks {
            text.push('\n');
            text.push_str(&serde_json::to_string(jobs)?);
        }
        text.push('\n');
        write_atomically(&folder.join("task.sh"), script.as_bytes())?;
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
        self.check()?;
        write_atomically(&self.batch(batch).join("job"), job.as_bytes())
    }

    /// Mark a batch as of no interest any more.
    ///
    /// # Errors
    /// I/O errors.
    pub fn close(&self, batch: u64) -> io::Result<()> {
        self.check()?;
        File::create(self.batch(batch).join("closed")).map(drop)
    }

    /// Whether a batch is of no interest any more.
    pub fn is_closed(&self, batch: u64) -> bool {
        self.batch(batch).join("closed").exists()
    }
}
