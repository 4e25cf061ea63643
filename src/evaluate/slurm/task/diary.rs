//! The file in which one run of a task tells what it does.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;

use super::task_name;
use crate::evaluate::slurm::attempts::Began;
use crate::evaluate::slurm::files::{Folder, uuid};
use crate::evaluate::slurm::scheduler::{Sign, TaskId};
use crate::foundation::host::host_name;

/// Time between two signs of life.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Milliseconds since 1970, by this machine's clock.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

/// The file of this attempt.
pub(super) struct Diary {
    file: File,
    /// The name of the attempt.
    pub(super) attempt: String,
    /// The machine it runs on.
    pub(super) node: String,
    written: Instant,
    /// Whether the last line may be incomplete.
    is_torn: bool,
}

impl Diary {
    pub(super) fn begin(folder: &Folder, id: TaskId) -> anyhow::Result<Diary> {
        let attempt = uuid()?;
        let node = std::env::var("SLURMD_NODENAME").unwrap_or_else(|_| host_name());
        let path = folder.attempt(id, &attempt);
        let file = OpenOptions::new().create_new(true).append(true).open(&path);
        let mut file = file.with_context(|| format!("cannot create {}", path.display()))?;
        let began = Began {
            node: node.clone(),
            pid: std::process::id(),
            task: task_name(),
            time_ms: now_ms(),
        };
        writeln!(file, "{}", serde_json::to_string(&began)?)?;
        folder.announce(id, &attempt)?;
        Ok(Diary {
            file,
            attempt,
            node,
            written: Instant::now(),
            is_torn: false,
        })
    }

    /// Write a line. If that fails, as on a full disk, the training goes on: what counts are results.
    pub(super) fn write(&mut self, sign: &Sign) {
        self.written = Instant::now();
        let Ok(text) = serde_json::to_string(sign) else {
            return;
        };
        let begin = if self.is_torn { "\n" } else { "" };
        let line = format!("{begin}{text}\n");
        self.is_torn = self.file.write_all(line.as_bytes()).is_err();
    }

    /// Write a sign of life, if it is time.
    pub(super) fn beat(&mut self) {
        if self.written.elapsed() >= HEARTBEAT {
            self.write(&Sign::Alive);
        }
    }
}
