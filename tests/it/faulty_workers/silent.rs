//! Workers that are silent, swallow their child, or stand still.

use std::time::Duration;

use nas_tui::evaluate::Report;
use nas_tui::evaluate::watch::Deadlines;
use nas_tui::foundation::device::Device;
use nas_tui::reward::Outcome;

use super::{Scripted, count};
use crate::workers::{PATIENCE, settings};

/// Deadlines that a test can wait for.
const SHORT: Deadlines = Deadlines {
    first_words: Duration::from_secs(2),
    silence: Duration::from_secs(4),
    start: Duration::from_secs(6),
    taking: Duration::from_secs(2),
    step: Duration::from_secs(6),
    first_step: Duration::from_secs(6),
    slowdown: 1,
};

/// `beat CHILD` sends heartbeats that name this child (or `null`) as long as the worker lives.
const BEAT: &str = r#"
beat() {
  while kill -0 $$ 2>/dev/null; do say '{"type":"beat","child":'"$1"',"steps":1}'; sleep 0.3; done &
}
"#;

fn start(devices: &[Device], script: &str) -> Scripted {
    let mut settings = settings(devices.len(), 1);
    settings.placement.devices = devices.to_vec();
    settings.deadlines = SHORT;
    Scripted::start_with(settings, &format!("{BEAT}{script}"))
}

/// What is said of child 1, which every worker treats as `treatment` says, and of its workers, until
/// child 2 has been trained by a good one.
#[track_caller]
fn treated(treatment: &str) -> (Outcome, Vec<Report>) {
    let script = r#"
        ready
        while read -r message; do
          if [ "$(child "$message")" = 1 ]; then TREATMENT; continue; fi
          trained "$message"
        done"#;
    let mut scripted = start(&[Device::Cpu], &script.replace("TREATMENT", treatment));
    scripted.submit([1, 2]);
    let mut seen: Vec<Report> = Vec::new();
    while !matches!(seen.last(), Some(Report::Finished { child: 2, .. })) {
        seen.push(scripted.watched.reports.recv_timeout(PATIENCE).unwrap());
        let is_over = matches!(seen.last(), Some(Report::Fatal { .. }));
        assert!(!is_over, "{seen:?}");
    }
    let outcome = seen.iter().find_map(|report| match report {
        Report::Finished {
            child: 1, outcome, ..
        } => Some(outcome.clone()),
        _ => None,
    });
    (outcome.unwrap(), seen)
}

/// The worker of child 1 is killed twice for this, once at least `limit` seconds have passed, and the child is
/// excluded after one more try. `because` has `LIMIT` in place of the seconds that passed: a busy machine
/// may notice later.
#[track_caller]
fn assert_excluded((outcome, seen): &(Outcome, Vec<Report>), because: &str, limit: u64) {
    let Outcome::Excluded { reason } = outcome else {
        panic!("{outcome:?}")
    };
    let passed = |reason: &str| {
        let (before, after) = because.split_once("LIMIT").unwrap();
        let (_, rest) = reason.split_once(before)?;
        rest.strip_suffix(after)?.parse::<u64>().ok()
    };
    assert!(
        reason.starts_with("its worker died 2 times: killed because it "),
        "{reason}"
    );
    assert!(
        passed(reason).is_some_and(|passed| passed >= limit),
        "{reason}"
    );
    let died = |report: &Report| matches!(report, Report::WorkerDied { reason, .. } if passed(reason) >= Some(limit));
    assert_eq!(count(seen, died), 2, "{seen:?}");
    let retried = |report: &Report| matches!(report, Report::Retried { child: 1, .. });
    assert_eq!(count(seen, retried), 1, "{seen:?}");
}

#[test]
fn a_worker_that_never_speaks_is_dropped_after_three_starts() {
    let (_, message) = start(&[Device::Cpu], "exec sleep 1000").until_fatal();
    assert_eq!(
        message,
        "no worker can train: killed because it said nothing for 2 s after its start"
    );
}

#[test]
fn a_worker_that_lives_but_is_never_ready_is_dropped_and_the_others_train() {
    let script = r#"
        case "$start" in *'"worker":0,'*) beat null; exec sleep 1000;; esac
        ready; beat null
        while read -r message; do trained "$message"; done"#;
    let mut scripted = start(&[Device::Cpu; 2], script);
    scripted.submit([1]);
    let dropped = scripted
        .watched
        .wait(|report| matches!(report, Report::Log { message, .. } if message.contains("1 of 2")));
    assert!(
        matches!(&dropped, Report::Log { message, .. }
            if message.contains("worker 0 (cpu) cannot start: killed because it was not ready 6 s after its start")),
        "{dropped:?}"
    );
    assert!(matches!(
        scripted.watched.outcome_of(1),
        Outcome::Trained { .. }
    ));
}

#[test]
fn a_worker_that_falls_silent_with_a_child_is_killed_and_the_child_excluded_after_one_more_try() {
    assert_excluded(
        &treated("exec sleep 1000"),
        "gave no sign of life for LIMIT s",
        4,
    );
}

#[test]
fn a_swallowed_child_is_noticed_by_the_heartbeats_that_do_not_name_it() {
    assert_excluded(
        &treated("beat null"),
        "was given child 1, but has named no child in its heartbeats for LIMIT s",
        2,
    );
    assert_excluded(
        &treated("beat 7"),
        "was given child 1, but has named child 7 in its heartbeats for LIMIT s",
        2,
    );
}

#[test]
fn a_worker_that_lives_but_completes_no_batch_is_killed() {
    assert_excluded(
        &treated("beat 1"),
        "completed no batch of child 1 for LIMIT s, although its process is alive",
        6,
    );
}

#[test]
fn a_child_that_one_device_swallows_is_trained_by_another() {
    let script = r#"
        ready
        while read -r message; do
          case "$start" in *'"device":"cuda:0"'*) beat null; continue;; esac
          trained "$message"
        done"#;
    let mut scripted = start(&[Device::Cuda(0), Device::Cuda(1)], script);
    scripted.submit([1]);
    scripted
        .watched
        .wait(|report| matches!(report, Report::Retried { child: 1, .. }));
    assert!(matches!(
        scripted.watched.outcome_of(1),
        Outcome::Trained { .. }
    ));
}

#[test]
fn a_stopped_worker_that_reads_nothing_does_not_stop_its_owner() {
    // More than a pipe holds.
    let mut scripted = start(&[Device::Cpu], "ready; exec sleep 1000");
    let mut large = crate::workers::job(1);
    large.architecture.name = "x".repeat(1 << 20);
    scripted.watched.workers.submit(large);
    scripted.watched.wait(|report| {
        matches!(report, Report::WorkerDied { reason, .. } if reason.contains("no sign of life"))
    });
}
