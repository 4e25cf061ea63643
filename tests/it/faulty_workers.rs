//! Workers that break, cannot start or answer late: programs that speak the workers' protocol and
//! follow a test's script.

mod liars;
mod silent;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use nas_tui::evaluate::local::WorkerSettings;
use nas_tui::evaluate::{ChildJob, Evaluator, Report};
use nas_tui::event::Level;
use nas_tui::foundation::device::Device;
use nas_tui::reward::Outcome;

use crate::workers::{PATIENCE, Watched, architecture, job, settings};

/// Shell functions for a worker's side of the protocol. `$start` is the first message, and `nth
/// FILE` counts its calls for that file.
const PROTOCOL: &str = r#"#!/bin/sh
cd "$(dirname "$0")"
read -r start
say() { printf '%s\n' "$1"; }
ready() {
  say '{"type":"ready","pid":'$$',"device":"cuda:0","libtorch":"2.11.0","data":{"spec":"x","input":[1,28,28],"classes":["a"],"train_images":1,"validation_images":1,"fingerprint":"0"}}'
}
broken() { say '{"type":"broken","cause":"'"$1"'","reason":"'"$2"'"}'; exit 1; }
child() { printf '%s' "$1" | sed 's/.*"child":\([0-9]*\).*/\1/'; }
trained() { say '{"type":"finished","child":'"$(child "$1")"',"seconds":1.0,"outcome":{"outcome":"trained","valid_accuracies":[0.5]}}'; }
nth() { echo x >> "$1"; wc -l < "$1"; }
"#;

/// Workers that run `script` after [`PROTOCOL`].
struct Scripted {
    watched: Watched,
    _folder: tempfile::TempDir,
}

impl Scripted {
    fn start(workers: usize, script: &str) -> Scripted {
        Scripted::start_on(&vec![Device::Cpu; workers], script)
    }

    fn start_on(devices: &[Device], script: &str) -> Scripted {
        let mut settings = settings(devices.len(), 1);
        settings.placement.devices = devices.to_vec();
        Scripted::start_with(settings, script)
    }

    fn start_with(settings: WorkerSettings, script: &str) -> Scripted {
        let folder = tempfile::tempdir().unwrap();
        let program: PathBuf = folder.path().join("worker.sh");
        std::fs::write(&program, format!("{PROTOCOL}{script}")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        Scripted {
            watched: Watched::start_program(settings, program),
            _folder: folder,
        }
    }

    fn submit(&mut self, children: impl IntoIterator<Item = u64>) {
        children
            .into_iter()
            .for_each(|child| self.watched.workers.submit(job(child)));
    }

    /// Every report until the workers give up.
    #[track_caller]
    fn until_fatal(&self) -> (Vec<Report>, String) {
        let mut reports = Vec::new();
        loop {
            match self
                .watched
                .reports
                .recv_timeout(PATIENCE)
                .expect("an end comes")
            {
                Report::Fatal { message } => return (reports, message),
                report => reports.push(report),
            }
        }
    }
}

fn count(reports: &[Report], wanted: impl Fn(&Report) -> bool) -> usize {
    reports.iter().filter(|report| wanted(report)).count()
}

#[test]
fn a_worker_that_cannot_start_is_dropped_with_a_warning_and_the_others_train() {
    let script = r#"
        case "$start" in *'"worker":1,'*) broken device "CUDA error: all CUDA-capable devices are busy or unavailable";; esac
        ready
        while read -r message; do trained "$message"; done"#;
    let mut scripted = Scripted::start(3, script);
    scripted.submit([1]);
    let warned = |report: &Report| {
        matches!(report, Report::Log { level: Level::Warning, message }
            if message.contains("worker 1 (cpu) cannot start: CUDA error: all CUDA-capable devices are busy or unavailable")
                && message.contains("2 of 3 workers"))
    };
    let mut seen = Vec::new();
    while !seen
        .iter()
        .any(|report| matches!(report, Report::Finished { .. }))
    {
        seen.push(scripted.watched.reports.recv_timeout(PATIENCE).unwrap());
    }
    assert_eq!(count(&seen, warned), 1, "{seen:?}");
    assert_eq!(
        count(&seen, |report| matches!(report, Report::WorkerDied { .. })),
        0,
        "the reason is told once: {seen:?}"
    );
    let ready = seen.iter().find_map(|report| {
        if let Report::Ready(ready) = report {
            Some(ready.workers)
        } else {
            None
        }
    });
    assert_eq!(ready, Some(2));
}

#[test]
fn if_no_worker_can_start_the_run_ends_with_each_reason_listed_once() {
    let script = r#"
        case "$start" in *'"worker":0,'*) broken memory "CUDA out of memory";; esac
        broken device "CUDA error: device is in exclusive mode""#;
    let (_, message) = Scripted::start(3, script).until_fatal();
    assert_eq!(
        message.matches("CUDA out of memory").count(),
        1,
        "{message}"
    );
    assert!(
        message.contains("worker 1 (cpu), worker 2 (cpu): CUDA error: device is in exclusive mode"),
        "{message}"
    );
}

#[test]
fn data_that_no_worker_can_use_end_the_run_even_if_others_have_started() {
    let script = r#"
        case "$start" in *'"worker":1,'*) sleep 0.3; say '{"type":"unusable","message":"train-images.gz is torn"}'; exit;; esac
        ready
        while read -r message; do trained "$message"; done"#;
    assert_eq!(
        Scripted::start(2, script).until_fatal().1,
        "train-images.gz is torn"
    );
}

const BREAKS: &str = r#"
        ready
        while read -r message; do
          if [ "$(child "$message")" = 1 ] && [ "$(nth attempts)" -le TIMES ]; then broken CAUSE "REASON"; fi
          trained "$message"
        done"#;

/// The outcome of child 1, whose workers break this many times, and everything reported before the
/// end of the next child.
fn breaking(times: usize, cause: &str, reason: &str) -> (Outcome, Vec<Report>) {
    let script = BREAKS
        .replace("TIMES", &times.to_string())
        .replace("CAUSE", cause)
        .replace("REASON", reason);
    let mut scripted = Scripted::start(1, &script);
    scripted.submit([1, 2]);
    let mut seen: Vec<Report> = Vec::new();
    while !matches!(seen.last(), Some(Report::Finished { child: 2, .. })) {
        seen.push(scripted.watched.reports.recv_timeout(PATIENCE).unwrap());
        assert!(
            !matches!(seen.last(), Some(Report::Fatal { .. })),
            "{seen:?}"
        );
    }
    let outcome = seen.iter().find_map(|report| match report {
        Report::Finished {
            child: 1, outcome, ..
        } => Some(outcome.clone()),
        _ => None,
    });
    (outcome.unwrap(), seen)
}

const ILLEGAL: &str = "the device failed: CUDA error: an illegal memory access was encountered";

#[test]
fn a_child_whose_workers_device_failed_is_trained_by_a_new_worker() {
    let (outcome, seen) = breaking(1, "device", ILLEGAL);
    assert_eq!(
        outcome,
        Outcome::Trained {
            valid_accuracies: vec![0.5]
        }
    );
    let died: Vec<&str> = seen
        .iter()
        .filter_map(|report| {
            if let Report::WorkerDied { reason, .. } = report {
                Some(reason.as_str())
            } else {
                None
            }
        })
        .collect();
    assert_eq!(died, [ILLEGAL], "in the worker's own words");
    assert_eq!(
        count(&seen, |report| matches!(
            report,
            Report::Retried { child: 1, .. }
        )),
        1
    );
}

#[test]
fn a_child_whose_workers_device_failed_twice_is_excluded_and_the_next_one_trains() {
    let (outcome, _) = breaking(2, "device", ILLEGAL);
    assert_eq!(
        outcome,
        Outcome::Excluded {
            reason: format!("its worker died 2 times: {ILLEGAL}")
        }
    );
}

#[test]
fn a_small_child_without_memory_even_in_a_new_process_is_excluded() {
    let (outcome, _) = breaking(2, "memory", "memory did not suffice: CUDA out of memory");
    let Outcome::Excluded { reason } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(
        reason,
        "its worker died 2 times: memory did not suffice: CUDA out of memory"
    );
    assert!(matches!(
        breaking(1, "memory", "CUDA out of memory").0,
        Outcome::Trained { .. }
    ));
}

#[test]
fn children_that_are_too_large_fail_one_after_another_and_their_worker_stays() {
    let script = r#"
        ready
        while read -r message; do
          case "$(child "$message")" in 1|2|3) broken memory "CUDA out of memory";; esac
          trained "$message"
        done"#;
    let mut scripted = Scripted::start(1, script);
    for child in 1..=3 {
        // More than any machine has.
        scripted.watched.workers.submit(ChildJob {
            architecture: architecture(1 << 24),
            ..job(child)
        });
    }
    scripted.submit([4]);
    for child in 1..=3 {
        let outcome = scripted.watched.outcome_of(child);
        let Outcome::Failed { reason } = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(reason, "CUDA out of memory (in a new process as well)");
    }
    assert!(matches!(
        scripted.watched.outcome_of(4),
        Outcome::Trained { .. }
    ));
}

#[test]
fn a_device_that_always_fails_ends_the_run_before_many_children_are_given_up() {
    let script = r#"
        ready
        while read -r message; do broken device "CUDA error: uncorrectable ECC error encountered"; done"#;
    let mut scripted = Scripted::start(1, script);
    scripted.submit(1..=16);
    let (seen, message) = scripted.until_fatal();
    assert!(
        message.contains("no worker can train: CUDA error: uncorrectable ECC error encountered"),
        "{message}"
    );
    assert_eq!(
        count(&seen, |report| matches!(report, Report::Finished { .. })),
        1,
        "{seen:?}"
    );
}

#[test]
fn a_device_that_fails_repeatedly_is_dropped_and_another_trains_all_children() {
    let script = r#"
        ready
        while read -r message; do
          case "$start" in *'"device":"cuda:0"'*) broken device "CUDA error: unspecified launch failure";; esac
          sleep 0.05
          trained "$message"
        done"#;
    let mut scripted = Scripted::start_on(&[Device::Cuda(0), Device::Cuda(1)], script);
    scripted.submit(1..=12);
    let mut seen = Vec::new();
    while count(&seen, |report| matches!(report, Report::Finished { .. })) < 12 {
        seen.push(scripted.watched.reports.recv_timeout(PATIENCE).unwrap());
        assert!(
            !matches!(seen.last(), Some(Report::Fatal { .. })),
            "{seen:?}"
        );
    }
    let left_out = |report: &Report| matches!(report, Report::Log { message, .. } if message.contains("worker 0 (cuda:0) has died 3 times") && message.contains("1 of 2"));
    assert_eq!(count(&seen, left_out), 1, "{seen:?}");
    assert_eq!(
        count(&seen, |report| matches!(
            report,
            Report::WorkerDied { worker: 0, .. }
        )),
        3
    );
    let trained = |report: &Report| {
        matches!(
            report,
            Report::Finished {
                outcome: Outcome::Trained { .. },
                ..
            }
        )
    };
    assert_eq!(
        count(&seen, trained),
        12,
        "each child that was lost is tried on the other device: {seen:?}"
    );
}

#[test]
fn a_late_answer_to_a_withdrawn_pause_does_not_answer_the_next() {
    // It confirms pause 1 when pause 2 has been requested, and pause 2 a second later.
    let script = r#"
        ready
        while read -r message; do
          case "$message" in
            *pause*2*) say '{"type":"paused","number":1}'; sleep 1
                       say '{"type":"log","level":"info","message":"now"}'; say '{"type":"paused","number":2}';;
          esac
        done"#;
    let mut scripted = Scripted::start(1, script);
    scripted.submit([1]);
    scripted
        .watched
        .wait(|report| matches!(report, Report::ChildStarted { .. }));
    scripted.watched.workers.pause(1);
    scripted.watched.workers.resume();
    scripted.watched.workers.pause(2);
    let next: Vec<Report> = (0..2)
        .map(|_| scripted.watched.reports.recv_timeout(PATIENCE).unwrap())
        .collect();
    assert!(
        matches!(&next[0], Report::Log { message, .. } if message == "now"),
        "{next:?}"
    );
    assert_eq!(next[1], Report::Paused { number: 2 });
}
