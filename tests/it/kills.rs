//! Runs that are killed with SIGKILL at a chosen step of changing files, resumed, killed again until they are done, and
//! compared with an undisturbed run. Each test makes a few kills; `make test-kill` makes 1,000 (KILLS=N for another
//! number), and `make test-kill CASE=table:17` repeats one case.

mod compared;
mod subject;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use nas_tui::foundation::seeds::derive;

use subject::{End, Subject};

/// Kills of one run, at most; then it may finish.
const KILLS_OF_A_RUN: u64 = 4;

/// One kill.
struct Kill {
    /// Number of the step in its session, from 1.
    step: u64,
    /// System call and file.
    name: String,
    /// Whether the workers were killed with the engine; otherwise they must die by themselves.
    whole_group: bool,
}

/// What happened to one run.
struct Case {
    kills: Vec<Kill>,
    differences: Vec<String>,
}

/// Kills and differences at steps of one name.
#[derive(Default)]
struct Tally {
    kills: u64,
    differences: u64,
}

#[test]
fn a_search_of_a_table_killed_at_any_step_of_writing_comes_to_the_same_end() {
    kill_and_compare(&Subject::table(), 0.8, 16);
}

#[test]
fn a_search_with_workers_killed_at_any_step_of_writing_comes_to_the_same_end() {
    kill_and_compare(&Subject::workers(), 0.1, 2);
}

#[test]
fn a_training_killed_at_any_step_of_writing_comes_to_the_same_end() {
    kill_and_compare(&Subject::training(), 0.1, 2);
}

/// Kill runs of `subject` until there were `share` of all kills asked for, or `few` if no number was asked for.
fn kill_and_compare(subject: &Subject, share: f64, few: u64) {
    let wanted = match std::env::var("NAS_TUI_KILLS") {
        Ok(all) => (all.parse::<f64>().expect("NAS_TUI_KILLS is a number") * share).ceil() as u64,
        Err(_) => few,
    };
    let only = std::env::var("NAS_TUI_KILL_CASE").ok().map(|case| {
        let (name, number) = case
            .split_once(':')
            .expect("NAS_TUI_KILL_CASE is NAME:NUMBER");
        (name == subject.name).then(|| number.parse::<u64>().expect("the number of a case"))
    });
    let reference = subject.path("reference");
    let End::Finished = subject.session(&reference, 0, true) else {
        panic!("the undisturbed run was killed");
    };
    let steps = subject.steps(&reference).len() as u64;

    let (mut killed, mut reached, mut failed) = (0, BTreeSet::new(), Vec::new());
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let cases: Box<dyn Iterator<Item = u64>> = match only {
        Some(case) => Box::new(case.into_iter()),
        None => Box::new(0..),
    };
    for number in cases {
        if only.is_none() && killed >= wanted {
            break;
        }
        let case = run_case(subject, &reference, number, steps);
        killed += case.kills.len() as u64;
        reached.extend(case.kills.first().map(|kill| kill.step));
        for kill in &case.kills {
            let tally = tallies.entry(kill.name.clone()).or_default();
            tally.kills += 1;
            tally.differences += u64::from(!case.differences.is_empty());
        }
        if !case.differences.is_empty() {
            failed.push(describe(subject, number, &case));
            println!("{}", failed.last().expect("just added"));
        }
    }
    for (name, tally) in &tallies {
        println!(
            "{}: {name}: {} kills, {} differences",
            subject.name, tally.kills, tally.differences
        );
    }
    println!(
        "{}: {killed} kills, {} differences; an undisturbed run has {steps} steps, and new runs were killed at {} of them",
        subject.name,
        failed.len(),
        reached.len()
    );
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Kill, resume and compare one run. A new run is killed at a step that the golden ratio gives, so that any number of
/// cases is spread evenly; later sessions at steps drawn from the number of the case.
fn run_case(subject: &Subject, reference: &Path, number: u64, steps: u64) -> Case {
    let folder = subject.path(&format!("case-{number}"));
    let mut case = Case {
        kills: Vec::new(),
        differences: Vec::new(),
    };
    for session in 0.. {
        let drawn = derive(number, subject.name, session);
        let at = match session {
            0 => 1 + (golden(number) * steps as f64) as u64,
            KILLS_OF_A_RUN.. => 0,
            _ => 1 + drawn % steps,
        };
        let whole_group = drawn.is_multiple_of(3);
        match subject.session(&folder, at, whole_group) {
            End::Finished => break,
            End::Killed => {
                let steps = subject.steps(&folder);
                let name = steps.last().cloned().unwrap_or_default();
                case.kills.push(Kill {
                    step: at,
                    name,
                    whole_group,
                });
            }
            End::Failed(what) => {
                case.differences.push(what);
                break;
            }
        }
    }
    if case.differences.is_empty() {
        case.differences = compared::differences(&reference.join("run"), &folder.join("run"));
    }
    if case.differences.is_empty() {
        fs::remove_dir_all(&folder).unwrap();
    }
    case
}

/// Numbers in [0, 1) that any first few of spread evenly.
fn golden(number: u64) -> f64 {
    ((number as f64 + 0.5) * 0.618_033_988_749_895).fract()
}

fn describe(subject: &Subject, number: u64, case: &Case) -> String {
    let kills: Vec<String> = case
        .kills
        .iter()
        .map(|kill| {
            let whom = if kill.whole_group {
                "all"
            } else {
                "the engine"
            };
            format!("{whom} before step {}, {}", kill.step, kill.name)
        })
        .collect();
    format!(
        "{name}: case {number} (make test-kill CASE={name}:{number}) differs after kills of {}:\n  {}",
        kills.join("; "),
        case.differences.join("\n  "),
        name = subject.name,
    )
}
