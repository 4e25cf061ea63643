//! The side of the nodes: what `nas-tui slurm-task` does. It trains the children of its array index as a
//! search on this machine would, with worker processes, and writes what they report into files.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::attempts::Began;
use super::files::{Control, Folder, ResultFile, Settings, VERSION, digest, uuid};
use super::scheduler::{Sign, TaskId};
use crate::child;
use crate::evaluate::local::WorkerSettings;
use crate::evaluate::placement::Placement;
use crate::evaluate::watch::Deadlines;
use crate::evaluate::{ChildJob, Evaluator, LocalWorkers, Ready, Report};
use crate::foundation::host::host_name;

/// Time between two signs of life.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Time between two looks at what is asked.
const LOOK: Duration = Duration::from_secs(2);
/// Time between two lines about the progress of training.
const PROGRESS: Duration = Duration::from_secs(5);

/// How a task ends.
enum Ending {
    /// Every child has a result.
    Done,
    /// Its time limit is near.
    Warned,
    /// Nothing can be trained here.
    Unusable(String),
}

/// Train the children of the task that this process is, by its environment.
///
/// # Errors
/// If it is no task of an array, or the run's files cannot be read or written.
pub fn run(root: &Path, batch: u64) -> anyhow::Result<()> {
    // From the first moment: until then the signal would end the process.
    let warned = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGUSR1, warned.clone())
        .context("cannot listen for Slurm's signal")?;
    let index = number_of("SLURM_ARRAY_TASK_ID")?;
    let id = TaskId { batch, index };
    let folder = Folder::at(root);
    if folder.is_closed(batch) {
        return Ok(());
    }
    let (settings, jobs) = folder.read_task(id)?;
    let mut diary = Diary::begin(&folder, id)?;
    let mut left = Vec::new();
    for job in jobs {
        let digest = digest(&job, &settings.child, &settings.fingerprint)?;
        if !folder.has_result(job.child, &digest, settings.child.epochs) {
            left.push((job, digest));
        }
    }
    if left.is_empty() {
        return Ok(());
    }
    let ending = Shift {
        folder: &folder,
        settings: &settings,
        diary: &mut diary,
        left,
        warned: &warned,
    }
    .work()?;
    match ending {
        Ending::Done => Ok(()),
        Ending::Unusable(reason) => {
            diary.write(&Sign::Unusable {
                reason: reason.clone(),
            })?;
            bail!("nothing can be trained here: {reason}")
        }
        Ending::Warned => requeue(&folder, id, &settings, &mut diary),
    }
}

fn number_of(variable: &str) -> anyhow::Result<usize> {
    let value = std::env::var(variable)
        .ok()
        .and_then(|value| value.parse().ok());
    value.with_context(|| {
        format!("{variable} is not set: this command is for tasks of a Slurm array")
    })
}

/// Ask Slurm to start the task again, unless that was asked too often. Slurm's own count is not used: it
/// also counts lost nodes, and some versions start it anew.
fn requeue(
    folder: &Folder,
    id: TaskId,
    settings: &Settings,
    diary: &mut Diary,
) -> anyhow::Result<()> {
    let path = folder
        .batch(id.batch)
        .join(format!("requeues-{}", id.index));
    let before = std::fs::read(&path).map_or(0, |bytes| {
        bytes.iter().filter(|byte| **byte == b'\n').count()
    });
    if before >= settings.requeues as usize {
        let reason = format!(
            "its time limit came before its children were trained, {} times",
            before + 1
        );
        diary.write(&Sign::Ended {
            reason: reason.clone(),
        })?;
        bail!(reason);
    }
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    writeln!(file, "{}", diary.attempt)?;
    file.sync_all()?;
    diary.write(&Sign::Requeued)?;
    let task = task_name();
    let status = Command::new("scontrol").args(["requeue", &task]).status();
    if !status.as_ref().is_ok_and(std::process::ExitStatus::success) {
        let reason = "its time limit is near, and Slurm did not start it again".to_owned();
        diary.write(&Sign::Ended {
            reason: reason.clone(),
        })?;
        bail!("{reason}: {status:?}");
    }
    // Slurm ends this process now.
    std::thread::sleep(Duration::from_secs(60));
    Ok(())
}

/// `4711_3`.
fn task_name() -> String {
    let variable = |name| std::env::var(name).unwrap_or_default();
    format!(
        "{}_{}",
        variable("SLURM_ARRAY_JOB_ID"),
        variable("SLURM_ARRAY_TASK_ID")
    )
}

/// The file of this attempt.
struct Diary {
    file: File,
    attempt: String,
    node: String,
    written: Instant,
}

impl Diary {
    fn begin(folder: &Folder, id: TaskId) -> anyhow::Result<Diary> {
        let attempt = uuid()?;
        let node = std::env::var("SLURMD_NODENAME").unwrap_or_else(|_| host_name());
        let path = folder.attempt(id, &attempt);
        let file = OpenOptions::new().create_new(true).append(true).open(&path);
        let mut file = file.with_context(|| format!("cannot create {}", path.display()))?;
        let began = Began {
            node: node.clone(),
            pid: std::process::id(),
            task: task_name(),
        };
        writeln!(file, "{}", serde_json::to_string(&began)?)?;
        folder.announce(id, &attempt)?;
        Ok(Diary {
            file,
            attempt,
            node,
            written: Instant::now(),
        })
    }

    fn write(&mut self, sign: &Sign) -> io::Result<()> {
        self.written = Instant::now();
        let line = serde_json::to_string(sign)? + "\n";
        self.file.write_all(line.as_bytes())
    }
}

/// The work of one attempt.
struct Shift<'a> {
    folder: &'a Folder,
    settings: &'a Settings,
    diary: &'a mut Diary,
    /// Children without a result, with the mark of each.
    left: Vec<(ChildJob, String)>,
    warned: &'a AtomicBool,
}

impl Shift<'_> {
    fn work(&mut self) -> anyhow::Result<Ending> {
        let (sender, reports) = channel();
        let report = move |report| {
            // The shift is over.
            let _ = sender.send(report);
        };
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut workers = LocalWorkers::start_placed(self.workers(), program, report);
        self.left
            .iter()
            .for_each(|(job, _)| workers.submit(job.clone()));
        self.listen(&reports, &mut workers)
    }

    fn workers(&self) -> Result<WorkerSettings, String> {
        let Settings {
            data,
            child,
            device,
            threads,
            gpus,
            ..
        } = self.settings;
        let chosen = child::device::chosen(*device).map_err(|error| error.to_string())?;
        let mut devices = chosen.devices;
        devices.truncate((*gpus).max(1).min(self.left.len()));
        Ok(WorkerSettings {
            data: data.clone(),
            child: child.clone(),
            placement: Placement {
                devices,
                threads: *threads,
            },
            sample: None,
            deadlines: Deadlines::default(),
        })
    }

    fn listen(
        &mut self,
        reports: &Receiver<Report>,
        workers: &mut LocalWorkers,
    ) -> anyhow::Result<Ending> {
        let mut asked = Control::default();
        let (mut looked, mut progressed) = (None::<Instant>, None::<Instant>);
        while !self.left.is_empty() {
            if self.warned.load(Ordering::Relaxed) {
                return Ok(Ending::Warned);
            }
            if looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
                looked = Some(Instant::now());
                asked = self.obey(asked, workers);
            }
            if self.diary.written.elapsed() >= HEARTBEAT {
                self.diary.write(&Sign::Alive)?;
            }
            match reports.recv_timeout(Duration::from_millis(200)) {
                Ok(Report::Progress(progress)) => {
                    if progressed.is_none_or(|last| last.elapsed() >= PROGRESS) {
                        progressed = Some(Instant::now());
                        self.diary.write(&Sign::Progress(progress))?;
                    }
                }
                Ok(report) => {
                    if let Some(ending) = self.take(report)? {
                        return Ok(ending);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Ok(Ending::Unusable(
                        "the workers have ended without a report".to_owned(),
                    ));
                }
            }
        }
        Ok(Ending::Done)
    }

    /// Pass on what has been asked since `before`.
    fn obey(&self, before: Control, workers: &mut LocalWorkers) -> Control {
        let now = self.folder.control();
        if now.pause != before.pause {
            match now.pause {
                Some(number) => workers.pause(number),
                None => workers.resume(),
            }
        }
        let new = now.skip.iter().filter(|child| !before.skip.contains(child));
        new.filter(|child| self.left.iter().any(|(job, _)| job.child == **child))
            .for_each(|child| workers.skip(*child));
        now
    }

    fn take(&mut self, report: Report) -> anyhow::Result<Option<Ending>> {
        let sign = match report {
            Report::Ready(Ready { data, .. }) => {
                let expected = &self.settings.fingerprint;
                if data.fingerprint != *expected {
                    return Ok(Some(Ending::Unusable(format!(
                        "the data are not those of the search ({} has {}, the search {expected})",
                        data.spec, data.fingerprint
                    ))));
                }
                Sign::Alive
            }
            Report::ChildStarted { child, device, .. } => Sign::Started { child, device },
            Report::Retried { child, reason } => Sign::Retried { child, reason },
            Report::Epoch(epoch) => Sign::Epoch(epoch),
            Report::Paused { number } => Sign::Paused { number },
            Report::Log { level, message } => Sign::Log { level, message },
            Report::Fatal { message } => return Ok(Some(Ending::Unusable(message))),
            Report::Finished {
                child,
                outcome,
                seconds,
                energy_wh,
                ..
            } => {
                let Some(place) = self.left.iter().position(|(job, _)| job.child == child) else {
                    return Ok(None);
                };
                let (_, digest) = self.left.remove(place);
                self.folder.write_result(&ResultFile {
                    v: VERSION,
                    child,
                    digest,
                    attempt: self.diary.attempt.clone(),
                    node: self.diary.node.clone(),
                    outcome,
                    seconds,
                    energy_wh,
                })?;
                return Ok(None);
            }
            Report::WorkerStarted { .. } | Report::WorkerDied { .. } | Report::Progress(_) => {
                Sign::Alive
            }
        };
        self.diary.write(&sign)?;
        Ok(None)
    }
}
