//! Tasks of a cluster without the cluster: `nas-tui slurm-task` with the files of a search, and real workers.

mod machine;
mod saving;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nas_tui::data;
use nas_tui::evaluate::local::WorkerSettings;
use nas_tui::evaluate::{ChildJob, Report};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::workers::{PATIENCE, Watched, children_of, job, settings};

/// More than any of these trainings gets to: each is ended from outside.
const EPOCHS: usize = 10_000;

fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_nas-tui"))
}

/// Number of an epoch, and what was measured in it.
type Figures = (usize, [f64; 3]);

/// The folder `slurm` of a run directory whose batch 1 has one task.
struct Run {
    folder: tempfile::TempDir,
    settings: WorkerSettings,
}

impl Run {
    /// With these children for the task, and settings of the batch that differ from the usual ones.
    fn new(jobs: &[ChildJob], different: Value) -> Run {
        let run = Run {
            folder: tempfile::tempdir().unwrap(),
            settings: settings(1, EPOCHS),
        };
        for part in ["batches/1", "attempts", "inbox", "results", "checkpoints"] {
            fs::create_dir_all(run.path(part)).unwrap();
        }
        run.write_manifest(jobs, different);
        run.ask(None, &[]);
        run.install_scontrol();
        run
    }

    fn write_manifest(&self, jobs: &[ChildJob], different: Value) {
        let WorkerSettings { data, child, .. } = &self.settings;
        let description = data::load(data).unwrap().description();
        let mut batch = json!({
            "v": 1, "batch": 1, "name": "nas-test.1",
            "data": data, "fingerprint": description.fingerprint, "child": child,
            "device": "cpu", "threads": 1, "gpus": 0, "requeues": 3, "signal_seconds": 120,
        });
        let different = different.as_object().unwrap().clone();
        batch.as_object_mut().unwrap().extend(different);
        let manifest = format!("{batch}\n{}\n", serde_json::to_string(jobs).unwrap());
        fs::write(self.path("batches/1/manifest.jsonl"), manifest).unwrap();
    }

    /// An `scontrol` that ends the task that calls it, as Slurm does with one that is to be started again, and
    /// writes down what it is asked.
    fn install_scontrol(&self) {
        fs::create_dir(self.path("bin")).unwrap();
        let path = self.path("bin/scontrol");
        let script = "#!/bin/sh\necho \"$@\" >> \"$0.calls\"\nkill -TERM $PPID\n";
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Ask this of the task.
    fn ask(&self, pause: Option<u64>, skip: &[u64]) {
        let asked = json!({"pause": pause, "skip": skip});
        fs::write(self.path("control.tmp"), asked.to_string()).unwrap();
        fs::rename(self.path("control.tmp"), self.path("control.json")).unwrap();
    }

    fn names(&self, folder: &str) -> BTreeSet<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap().flatten();
        entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }

    /// The result that the task has written of a child.
    fn result(&self, child: u64) -> Option<Value> {
        let start = format!("result-{child}.");
        let name = self
            .names("inbox")
            .into_iter()
            .find(|name| name.starts_with(&start))?;
        let text = fs::read_to_string(self.path("inbox").join(name)).unwrap();
        Some(serde_json::from_str(&text).unwrap())
    }

    /// Which file the checkpoint of child 1 is, and of when.
    fn saved(&self) -> Option<(u64, i64, i64)> {
        let file = fs::metadata(self.path("checkpoints/1.safetensors")).ok()?;
        Some((file.ino(), file.mtime(), file.mtime_nsec()))
    }

    /// Start the task, as Slurm does.
    fn start(&self, arguments: &[&str]) -> Task {
        let before = self.names("attempts");
        let path = format!(
            "{}:{}",
            self.path("bin").display(),
            std::env::var("PATH").unwrap()
        );
        let process = Command::new(program())
            .arg("slurm-task")
            .arg(self.folder.path())
            .arg("1")
            .args(arguments)
            .env("PATH", path)
            .env("SLURM_ARRAY_JOB_ID", "4711")
            .env("SLURM_ARRAY_TASK_ID", "0")
            .env("SLURMD_NODENAME", "n1")
            // No GPU, whatever this machine has.
            .env("CUDA_VISIBLE_DEVICES", "")
            .env_remove("SLURM_JOB_GPUS")
            .env_remove("SLURM_GPUS_ON_NODE")
            .env_remove("GPU_DEVICE_ORDINAL")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut task = Task {
            process,
            file: PathBuf::new(),
        };
        task.file = until("a file of the attempt", || {
            let name = self.names("attempts").difference(&before).next().cloned();
            name.map(|name| self.path("attempts").join(name))
        });
        task
    }

    /// The first epochs of child 1 in a training that nothing disturbs.
    fn undisturbed(&self, epochs: usize) -> Vec<Figures> {
        let mut watched = Watched::start_program(self.settings.clone(), program());
        watched.workers.submit(job(1));
        let figures = |_| match watched.wait(|report| matches!(report, Report::Epoch(_))) {
            Report::Epoch(of) => (of.epoch, [of.valid_accuracy, of.valid_loss, of.train_loss]),
            _ => unreachable!("only that was waited for"),
        };
        (0..epochs).map(figures).collect()
    }
}

/// A run of the task, killed with this value.
struct Task {
    process: Child,
    file: PathBuf,
}

impl Task {
    /// What it has said.
    fn signs(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        let whole = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        whole
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// How often it has given this sign.
    fn count(&self, sign: &str) -> usize {
        let signs = self.signs();
        signs.iter().filter(|said| said["sign"] == sign).count()
    }

    fn epochs(&self) -> Vec<Figures> {
        let figures = |sign: &Value| {
            let number = |name: &str| sign[name].as_f64().unwrap();
            let epoch = usize::try_from(sign["epoch"].as_u64().unwrap()).unwrap();
            (
                epoch,
                ["valid_accuracy", "valid_loss", "train_loss"].map(number),
            )
        };
        let signs = self.signs();
        let epochs = signs.iter().filter(|sign| sign["sign"] == "epoch");
        epochs.map(figures).collect()
    }

    /// Wait for an epoch after this one: its number.
    fn epoch_after(&self, epoch: usize) -> usize {
        until("an epoch", || {
            let (last, _) = *self.epochs().last()?;
            (last > epoch).then_some(last)
        })
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Wait for its end.
    fn end(&mut self) -> ExitStatus {
        until("the end of the task", || self.process.try_wait().unwrap())
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Wait until there is something.
#[track_caller]
fn until<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "no {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
