//! Real worker processes: deaths, pauses, determinism, and what must end a search.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use nas_tui::config::{ChildConfig, ChildSchedule, Crop, DataConfig, DataSource, Normalization};
use nas_tui::evaluate::local::WorkerSettings;
use nas_tui::evaluate::placement::Placement;
use nas_tui::evaluate::{ChildJob, Evaluator, LocalWorkers, Report};
use nas_tui::foundation::device::Device;
use nas_tui::reward::Outcome;
use nas_tui::space::{Architecture, Layer};

/// Far longer than anything here takes, even on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(240);

fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_nas-tui"))
}

pub fn settings(workers: usize, epochs: usize) -> WorkerSettings {
    WorkerSettings {
        data: DataConfig {
            source: DataSource::FashionMnistMini,
            dir: None,
            size: [28, 28],
            validation: 200,
            limit: Some(640),
            normalization: Normalization::Standard,
            crop: Crop::Pad(2),
            flip: true,
        },
        child: ChildConfig {
            epochs,
            batch_size: 64,
            learning_rate: 0.1,
            momentum: 0.9,
            nesterov: true,
            weight_decay: 1e-4,
            schedule: ChildSchedule::Cosine,
        },
        placement: Placement {
            devices: vec![Device::Cpu; workers],
            threads: 1,
        },
        sample: None,
    }
}

pub fn architecture(filters: usize) -> Architecture {
    let layer = |stride, inputs| Layer {
        kernel: [3, 3],
        filters,
        stride: [stride; 2],
        padding: [1, 1],
        inputs,
    };
    Architecture {
        name: format!("test-{filters}"),
        input: [1, 28, 28],
        classes: 10,
        layers: vec![layer(2, vec![0]), layer(2, vec![1]), layer(1, vec![1, 2])],
        output: vec![3],
    }
}

pub fn job(child: u64) -> ChildJob {
    ChildJob {
        child,
        seed: 40 + child,
        architecture: architecture(8),
    }
}

/// Workers and what they report.
pub struct Watched {
    pub workers: LocalWorkers,
    pub reports: Receiver<Report>,
    pids: Vec<u32>,
}

impl Watched {
    fn start(settings: WorkerSettings) -> Watched {
        Watched::start_program(settings, program())
    }

    pub fn start_program(settings: WorkerSettings, program: PathBuf) -> Watched {
        let (sender, reports) = channel();
        let workers = LocalWorkers::start_placed(Ok(settings), program, move |report| {
            drop(sender.send(report))
        });
        Watched {
            workers,
            reports,
            pids: Vec::new(),
        }
    }

    /// The next report that `wanted` accepts; ends the test if the workers give up or nothing
    /// comes.
    #[track_caller]
    pub fn wait(&mut self, wanted: impl Fn(&Report) -> bool) -> Report {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let report = self
                .reports
                .recv_timeout(left)
                .expect("the awaited report comes");
            if let &Report::WorkerStarted { worker, pid, .. } = &report {
                self.pids.resize(self.pids.len().max(worker + 1), 0);
                self.pids[worker] = pid;
            }
            if wanted(&report) {
                return report;
            }
            assert!(!matches!(report, Report::Fatal { .. }), "{report:?}");
        }
    }

    #[track_caller]
    pub fn outcome_of(&mut self, wanted: u64) -> Outcome {
        match self
            .wait(|report| matches!(report, Report::Finished { child, .. } if *child == wanted))
        {
            Report::Finished { outcome, .. } => outcome,
            _ => unreachable!("only that was waited for"),
        }
    }

    /// Wait until a child is well on its way, then kill worker 0 as a crash would.
    #[track_caller]
    fn kill_while_training(&mut self) {
        self.wait(|report| matches!(report, Report::Epoch(_)));
        kill(self.pids[0]);
    }
}

fn kill(pid: u32) {
    assert!(
        Command::new("kill")
            .args(["-9", &pid.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

fn is_progress(report: &Report) -> bool {
    matches!(report, Report::Progress(_))
}

fn undisturbed(child: u64, epochs: usize) -> Outcome {
    let mut watched = Watched::start(settings(1, epochs));
    watched.workers.submit(job(child));
    watched.outcome_of(child)
}

#[test]
fn a_child_whose_worker_is_killed_is_tried_again_with_the_same_result() {
    let mut watched = Watched::start(settings(1, 6));
    watched.workers.submit(job(1));
    watched.kill_while_training();
    let died = watched.wait(|report| matches!(report, Report::WorkerDied { .. }));
    assert!(
        matches!(&died, Report::WorkerDied { worker: 0, reason } if reason.contains("SIGKILL")),
        "{died:?}"
    );
    watched.wait(|report| matches!(report, Report::Retried { child: 1, .. }));
    watched.wait(|report| {
        matches!(
            report,
            Report::ChildStarted {
                child: 1,
                attempt: 2,
                ..
            }
        )
    });
    assert_eq!(watched.outcome_of(1), undisturbed(1, 6));
}

#[test]
fn a_child_whose_workers_are_killed_twice_is_excluded_with_the_reason_and_the_next_one_trains() {
    let mut watched = Watched::start(settings(1, 6));
    watched.workers.submit(job(1));
    watched.workers.submit(job(2));
    watched.kill_while_training();
    watched.wait(|report| {
        matches!(
            report,
            Report::ChildStarted {
                child: 1,
                attempt: 2,
                ..
            }
        )
    });
    watched.kill_while_training();
    let Outcome::Excluded { reason } = watched.outcome_of(1) else {
        panic!("nothing can be known of child 1")
    };
    assert!(
        reason.contains("died 2 times") && reason.contains("SIGKILL"),
        "{reason}"
    );
    assert!(matches!(watched.outcome_of(2), Outcome::Trained { .. }));
}

#[test]
fn a_pause_is_acknowledged_within_a_second_and_nothing_moves_until_it_ends() {
    let mut watched = Watched::start(settings(2, 1000));
    watched.workers.submit(job(1));
    watched.workers.submit(job(2));
    for wanted in [1, 2] {
        watched.wait(
            |report| matches!(report, Report::Progress(progress) if progress.child == wanted),
        );
    }
    let asked = Instant::now();
    watched.workers.pause(1);
    watched.wait(|report| matches!(report, Report::Paused { number: 1 }));
    assert!(
        asked.elapsed() < Duration::from_secs(1),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(
        watched.reports.recv_timeout(Duration::from_millis(1500)),
        Err(RecvTimeoutError::Timeout)
    );
    watched.workers.resume();
    watched.wait(is_progress);
}

#[test]
fn a_pause_of_idle_workers_is_acknowledged_and_holds_back_what_is_submitted() {
    let mut watched = Watched::start(settings(1, 1));
    watched.wait(|report| matches!(report, Report::Ready(_)));
    watched.workers.pause(1);
    watched.wait(|report| matches!(report, Report::Paused { number: 1 }));
    watched.workers.submit(job(1));
    assert_eq!(
        watched.reports.recv_timeout(Duration::from_millis(500)),
        Err(RecvTimeoutError::Timeout)
    );
    watched.workers.resume();
    assert!(matches!(watched.outcome_of(1), Outcome::Trained { .. }));
}

#[test]
fn a_pause_after_many_that_were_taken_back_is_acknowledged_only_when_nothing_moves() {
    let mut watched = Watched::start(settings(1, 1000));
    watched.workers.submit(job(1));
    watched.wait(is_progress);
    for number in 1..=20 {
        watched.workers.pause(number);
        watched.workers.resume();
    }
    watched.workers.pause(21);
    watched.wait(|report| matches!(report, Report::Paused { number: 21 }));
    // Late answers to the pauses that were taken back are not taken for more.
    let later: Vec<Report> = std::iter::from_fn(|| {
        watched
            .reports
            .recv_timeout(Duration::from_millis(700))
            .ok()
    })
    .collect();
    assert!(!later.iter().any(is_progress), "{later:?}");
    watched.workers.resume();
    watched.wait(is_progress);
}

#[test]
fn the_same_job_gives_the_same_accuracies_bit_for_bit_in_any_worker() {
    let mut watched = Watched::start(settings(2, 3));
    for child in 1..=4 {
        watched.workers.submit(ChildJob { child, ..job(7) });
    }
    let outcomes: Vec<Outcome> = (0..4)
        .map(
            |_| match watched.wait(|report| matches!(report, Report::Finished { .. })) {
                Report::Finished { outcome, .. } => outcome,
                _ => unreachable!("only that was waited for"),
            },
        )
        .collect();
    assert!(
        matches!(&outcomes[0], Outcome::Trained { valid_accuracies } if valid_accuracies.len() == 3)
    );
    assert!(
        outcomes.iter().all(|outcome| *outcome == outcomes[0]),
        "{outcomes:?}"
    );
    let mut fresh = Watched::start(settings(1, 3));
    fresh.workers.submit(ChildJob { child: 1, ..job(7) });
    assert_eq!(fresh.outcome_of(1), outcomes[0]);
}

#[test]
fn ticks_come_at_most_four_times_a_second() {
    let mut watched = Watched::start(settings(1, 1000));
    watched.workers.submit(job(1));
    watched.wait(is_progress);
    let (started, mut ticks) = (Instant::now(), 0);
    while started.elapsed() < Duration::from_secs(2) {
        ticks += usize::from(
            watched
                .reports
                .recv_timeout(Duration::from_millis(100))
                .is_ok_and(|report| is_progress(&report)),
        );
    }
    assert!((1..=9).contains(&ticks), "{ticks}");
}

#[test]
fn unusable_data_end_everything_before_any_training() {
    let mut unusable = settings(2, 1);
    unusable.data.source = DataSource::Cifar10;
    unusable.data.dir = Some(PathBuf::from("/nonexistent/cifar"));
    let mut watched = Watched::start(unusable);
    watched.workers.submit(job(1));
    let first = watched.reports.recv_timeout(PATIENCE).unwrap();
    assert!(
        matches!(&first, Report::Fatal { message } if message.contains("/nonexistent/cifar")),
        "{first:?}"
    );
    assert_eq!(
        watched.reports.recv_timeout(PATIENCE),
        Err(RecvTimeoutError::Disconnected)
    );
}

#[test]
fn workers_that_always_die_at_start_end_everything() {
    let mut watched = Watched::start_program(settings(1, 1), PathBuf::from("/bin/false"));
    let fatal = watched.wait(|report| matches!(report, Report::Fatal { .. }));
    assert!(
        matches!(&fatal, Report::Fatal { message } if message.contains("exit status 1")),
        "{fatal:?}"
    );
}

#[test]
fn a_program_that_is_not_there_ends_everything() {
    let mut watched = Watched::start_program(settings(1, 1), PathBuf::from("/nonexistent/nas-tui"));
    let fatal = watched.wait(|report| matches!(report, Report::Fatal { .. }));
    assert!(
        matches!(&fatal, Report::Fatal { message } if message.contains("/nonexistent/nas-tui")),
        "{fatal:?}"
    );
}

#[test]
fn a_child_that_cannot_fit_in_memory_is_refused_with_both_figures() {
    let wide = Layer {
        kernel: [1, 1],
        filters: 4096,
        stride: [1, 1],
        padding: [0, 0],
        inputs: vec![0],
    };
    let layers = (0..1000)
        .map(|index| Layer {
            inputs: vec![index],
            ..wide.clone()
        })
        .collect();
    let giant = Architecture {
        layers,
        output: vec![1000],
        ..architecture(1)
    };
    let mut watched = Watched::start(settings(1, 1));
    watched.workers.submit(ChildJob {
        child: 1,
        seed: 1,
        architecture: giant,
    });
    let Outcome::Failed { reason } = watched.outcome_of(1) else {
        panic!("it cannot have been trained")
    };
    assert_eq!(reason.matches(" GiB").count(), 2, "{reason}");
    assert!(reason.contains("nothing was allocated"), "{reason}");
}

#[test]
fn a_child_that_diverges_fails_with_epoch_and_batch() {
    let mut wild = settings(1, 2);
    wild.child.learning_rate = 1e30;
    let mut watched = Watched::start(wild);
    watched.workers.submit(job(1));
    let Outcome::Failed { reason } = watched.outcome_of(1) else {
        panic!("it cannot have been trained")
    };
    assert!(
        reason.starts_with("diverged: the loss is ") && reason.contains("epoch 1, batch "),
        "{reason}"
    );
}

#[test]
fn a_child_for_other_images_fails_with_both_shapes() {
    let mut watched = Watched::start(settings(1, 1));
    watched.workers.submit(ChildJob {
        architecture: Architecture {
            input: [3, 32, 32],
            ..architecture(8)
        },
        ..job(1)
    });
    let Outcome::Failed { reason } = watched.outcome_of(1) else {
        panic!("it cannot have been trained")
    };
    assert!(
        reason.contains("[3, 32, 32]") && reason.contains("[1, 28, 28]"),
        "{reason}"
    );
}

#[test]
fn shutdown_leaves_no_worker_and_sends_no_report() {
    let mut watched = Watched::start(settings(2, 1000));
    watched.workers.submit(job(1));
    watched.wait(is_progress);
    while watched.reports.try_recv().is_ok() {}
    watched.workers.shutdown();
    assert!(
        watched
            .pids
            .iter()
            .all(|pid| !Path::new(&format!("/proc/{pid}")).exists())
    );
    let last: Vec<Report> = watched.reports.try_iter().collect();
    assert!(last.iter().all(is_progress), "{last:?}");
}

/// `nas-tui bench` over the children of `file`, on noise.
fn bench(file: &Path, images: &str) -> Command {
    let mut command = Command::new(program());
    command
        .args([
            "bench",
            "--json",
            "--workers",
            "1",
            "--images",
            images,
            "--children",
        ])
        .arg(file);
    command
}

fn children_file(folder: &Path) -> PathBuf {
    let file = folder.join("children.json");
    let child = Architecture {
        input: [2, 12, 12],
        classes: 3,
        ..architecture(4)
    };
    std::fs::write(&file, serde_json::to_string(&[child]).unwrap()).unwrap();
    file
}

#[test]
fn what_libraries_print_to_standard_output_never_reaches_the_protocol() {
    let folder = tempfile::tempdir().unwrap();
    // oneDNN reports every primitive it runs on standard output.
    let output = bench(&children_file(folder.path()), "256")
        .env("ONEDNN_VERBOSE", "1")
        .output()
        .unwrap();
    let (stdout, stderr) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("onednn_verbose"), "{stderr}");
    let lines: Vec<serde_json::Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (lines.len(), &lines[0]["child"], &lines[1]["children"]),
        (2, &0.into(), &1.into()),
        "{stdout}"
    );
}

#[test]
fn workers_die_with_a_parent_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut parent = bench(&children_file(folder.path()), "9000000")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    let worker = loop {
        if let Some(&worker) = children_of(parent.id()).first() {
            break worker;
        }
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(20));
    };
    parent.kill().unwrap();
    parent.wait().unwrap();
    while is_running(worker) {
        assert!(Instant::now() < deadline, "worker {worker} lives on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Processes whose parent is `pid`, whichever of its threads started them.
fn children_of(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let children =
        tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    children
        .flat_map(|list| {
            list.split_whitespace()
                .map(|pid| pid.parse().unwrap())
                .collect::<Vec<u32>>()
        })
        .collect()
}

/// A zombie that its new parent has not collected does not count.
fn is_running(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}
