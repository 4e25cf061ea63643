//! Sets that are carried out by a scripted evaluator.

use super::*;
use crate::config::{Options, resolve};
use crate::evaluate::Ready;
use crate::event::DataDescription;
use crate::space::{Design, Dna};
use crate::study::TrialsPlan;

/// Ends each training as soon as it is submitted.
struct Scripted {
    reports: Sender<Report>,
    outcome: fn(u64) -> Outcome,
}

impl Evaluator for Scripted {
    fn submit(&mut self, job: Job) {
        let finished = Report::Finished {
            child: job.child,
            outcome: (self.outcome)(job.child),
            seconds: 1.0,
            energy_wh: None,
            test_accuracy: None,
        };
        self.reports.send(finished).unwrap();
    }
    fn skip(&mut self, _: u64) {}
    fn pause(&mut self, _: u64) {}
    fn resume(&mut self) {}
    fn shutdown(&mut self) {}
}

fn trained() -> Outcome {
    Outcome::Trained {
        valid_accuracies: vec![0.5],
    }
}

fn failed() -> Outcome {
    Outcome::Failed {
        reason: "libtorch failed: why".to_owned(),
    }
}

/// So many trainings of as many networks, or of one.
fn trials(folder: &std::path::Path, count: u64, network: fn(u64) -> u64) -> Trials {
    let trial = |number: u64| Trial {
        group: number.to_string(),
        depth: 1,
        dna: Dna(vec![vec![1, 2, 1, 0]]),
        design: Design::Key(network(number).to_string()),
        seed: number,
        end: None,
    };
    let plan = TrialsPlan {
        purpose: "verify".to_owned(),
        config: resolve(&Options::default()).unwrap(),
        data: None,
        trials: (1..=count).map(trial).collect(),
    };
    Trials::open(folder, plan).unwrap()
}

fn carried_out(trials: &mut Trials, outcome: fn(u64) -> Outcome) -> Result<bool, StudyError> {
    let start = |_: &Config, reports: Sender<Report>| {
        let data = DataDescription {
            spec: String::new(),
            images: None,
            fingerprint: "one".to_owned(),
        };
        let ready = Ready {
            data,
            workers: 1,
            compute: None,
        };
        reports.send(Report::Ready(ready)).unwrap();
        let evaluator: Box<dyn Evaluator> = Box::new(Scripted { reports, outcome });
        Ok(evaluator)
    };
    carry_out(trials, start, &|| false, &mut |_| {})
}

#[test]
fn failures_are_recorded_with_reward_0_once_others_succeed_or_all_have_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut trials = trials(folder.path(), 6, |number| number);
    let outcome = |child| match child {
        1 | 2 | 6 => failed(),
        _ => trained(),
    };
    assert!(carried_out(&mut trials, outcome).unwrap());
    let rewards = trials.all().iter().map(|trial| trial.reward().unwrap());
    let failed: Vec<bool> = rewards.map(|reward| reward == 0.0).collect();
    assert_eq!(failed, [true, true, false, false, false, true]);
}

#[test]
fn from_where_a_machine_breaks_no_failure_is_recorded_and_the_same_command_tries_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut trials = trials(folder.path(), 64, |number| number);
    let breaks = |child| if child <= 20 { trained() } else { failed() };
    let error = carried_out(&mut trials, breaks).unwrap_err().to_string();
    assert!(error.contains("x libtorch failed: why)"), "{error}");
    assert!(
        error.contains("so has one that had succeeded before"),
        "{error}"
    );
    assert_eq!(trials.left().len(), 44);
    assert!(carried_out(&mut trials, |_| trained()).unwrap());
    assert!(
        trials
            .all()
            .iter()
            .all(|trial| trial.accuracy() == Some(0.5))
    );
}

#[test]
fn networks_that_fail_on_a_machine_that_works_are_recorded_however_many_succeeded_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut trials = trials(folder.path(), 64, |number| number);
    // Those after the last of the set are repetitions.
    let outcome = |child| match child {
        21..=64 => failed(),
        _ => trained(),
    };
    assert!(carried_out(&mut trials, outcome).unwrap());
    assert!(trials.left().is_empty());
    let failed = trials
        .all()
        .iter()
        .filter(|trial| trial.accuracy().is_none());
    assert_eq!(failed.count(), 44);
}

#[test]
fn a_machine_that_breaks_is_noticed_also_if_all_trainings_are_of_few_networks() {
    let folder = tempfile::tempdir().unwrap();
    let mut trials = trials(folder.path(), 40, |number| number % 2);
    let breaks = |child| if child <= 20 { trained() } else { failed() };
    assert!(carried_out(&mut trials, breaks).is_err());
    assert_eq!(trials.left().len(), 20);
}

#[test]
fn a_set_without_any_success_has_no_result() {
    let folder = tempfile::tempdir().unwrap();
    let mut trials = trials(folder.path(), 2, |number| number);
    let error = carried_out(&mut trials, |_| failed()).unwrap_err();
    assert!(matches!(
        error,
        StudyError::WithoutSuccess { trainings: 2, .. }
    ));
    assert_eq!(trials.left(), [0, 1]);
}

#[test]
fn a_network_may_fail_with_every_seed() {
    let folder = tempfile::tempdir().unwrap();
    let mut trials = trials(folder.path(), 40, |number| number.min(20));
    let outcome = |child| match child {
        20..=40 => failed(),
        _ => trained(),
    };
    assert!(carried_out(&mut trials, outcome).unwrap());
    assert!(trials.left().is_empty());
}
