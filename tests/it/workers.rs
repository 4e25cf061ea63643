//! Real worker processes: deaths, pauses, determinism, and what must end a search.

mod program;
mod refusals;
mod saving;
mod stopped;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

pub use self::program::children_of;
use nas_tui::config::{
    ChildConfig, ChildSchedule, Crop, DataConfig, DataSource, Flip, Normalization,
};
use nas_tui::evaluate::local::WorkerSettings;
use nas_tui::evaluate::placement::Placement;
use nas_tui::evaluate::watch::Deadlines;
use nas_tui::evaluate::{ChildJob, Evaluator, LocalWorkers, Report};
use nas_tui::foundation::device::Device;
use nas_tui::reward::Outcome;
use nas_tui::space::{Architecture, Layer};

/// Far longer than anything here takes, even on a busy machine.
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
            flip: Flip::Random,
            cutout: 0,
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
        checkpoints: None,
        deadlines: Deadlines::default(),
    }
}

pub fn architecture(filters: usize) -> Architecture {
    let layer = |stride, inputs| Layer {
        kind: Default::default(),
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
        stop: None,
    }
}

/// Workers and their reports.
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

    /// The next report for which `wanted` returns true; fails the test if the workers give up or no
    /// report comes.
    #[track_caller]
    pub fn wait(&mut self, wanted: impl Fn(&Report) -> bool) -> Report {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let report = self
                .reports
                .recv_timeout(left)
                .expect("the awaited report comes");
            if let &Report::WorkerStarted {
                worker,
                pid: Some(pid),
                ..
            } = &report
            {
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

    /// Wait until a child has made good progress, then kill worker 0 as a crash would.
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
fn a_pause_after_many_withdrawn_ones_is_acknowledged_only_when_nothing_moves() {
    let mut watched = Watched::start(settings(1, 1000));
    watched.workers.submit(job(1));
    watched.wait(is_progress);
    for number in 1..=20 {
        watched.workers.pause(number);
        watched.workers.resume();
    }
    watched.workers.pause(21);
    watched.wait(|report| matches!(report, Report::Paused { number: 21 }));
    // Late answers to withdrawn pauses are not mistaken for others.
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
    while watched.reports.try_recv().is_ok() {}
    let (started, mut ticks) = (Instant::now(), 0);
    while started.elapsed() < Duration::from_secs(2) {
        ticks += usize::from(
            watched
                .reports
                .recv_timeout(Duration::from_millis(100))
                .is_ok_and(|report| is_progress(&report)),
        );
    }
    let most = 1 + (4.0 * started.elapsed().as_secs_f64()) as usize;
    assert!((1..=most).contains(&ticks), "{ticks} of at most {most}");
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
