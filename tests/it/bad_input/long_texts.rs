//! Names and values of a length that no one can read.

use super::*;
use crate::report::samples::{SEARCH, run_directory};

fn long() -> String {
    "a".repeat(70_000)
}

#[test]
fn a_preset_with_a_very_long_name_is_listed_shortened_and_so_are_all_other_runs() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    let crafted = SEARCH.replacen(
        "\"preset\":\"demo\"",
        &format!("\"preset\":\"{}\"", long()),
        1,
    );
    assert!(crafted.len() > SEARCH.len());
    let run = run_directory(&runs, &crafted);
    std::fs::rename(&run, run.with_file_name("crafted")).unwrap();
    let other = run_directory(&runs, SEARCH);
    std::fs::rename(&other, other.with_file_name("other")).unwrap();
    let list = nas_tui(folder.path(), &["list"]);
    assert_eq!(list.code, Some(0), "{}", list.stderr);
    assert!(list.stdout.contains("aaa...") && list.stdout.contains("other"));
    assert!(list.stdout.lines().all(|line| line.len() < 1_000));
}

#[test]
fn an_unknown_word_of_any_length_is_not_repeated_in_full() {
    let folder = tempfile::tempdir().unwrap();
    let crafted = SEARCH.replacen("\"decode\":\"", &format!("\"decode\":\"{}", long()), 1);
    assert!(crafted.len() > SEARCH.len());
    let run = run_directory(folder.path(), &crafted);
    let report = nas_tui(
        folder.path(),
        &["report", run.to_str().unwrap(), "--out", "out"],
    );
    assert_eq!(report.code, Some(2), "{}", report.stdout);
    assert!(
        report.stderr.contains("unknown variant `aaa"),
        "{}",
        report.stderr
    );
    assert!(report.stderr.len() < 1_000, "{} bytes", report.stderr.len());
}

#[cfg(feature = "torch")]
#[test]
fn a_network_with_a_very_long_name_is_not_trained() {
    let folder = tempfile::tempdir().unwrap();
    let inspected = nas_tui(folder.path(), &["inspect", "nascnn15", "--json"]);
    let mut network: serde_json::Value = serde_json::from_str(&inspected.stdout).unwrap();
    network["name"] = long().into();
    std::fs::write(folder.path().join("a.json"), network.to_string()).unwrap();
    let train = nas_tui(
        folder.path(),
        &[
            "train",
            "a.json",
            "--headless",
            "--preset",
            "demo",
            "--run",
            "run",
        ],
    );
    assert_eq!(train.code, Some(2), "{}", train.all());
    assert!(
        train
            .stderr
            .contains("has 70000 characters, and may have at most 200"),
        "{}",
        train.stderr
    );
    assert!(!folder.path().join("run").exists());
}

#[test]
fn a_recipe_with_a_very_long_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("[recipes.{}]\nepochs = 1\n", long());
    std::fs::write(folder.path().join("a.toml"), file).unwrap();
    let check = nas_tui(folder.path(), &["config", "check", "--config", "a.toml"]);
    assert_eq!(check.code, Some(2), "{}", check.stdout);
    assert!(
        check.stderr.contains("at most 200 characters"),
        "{}",
        check.stderr
    );
    assert!(check.stderr.len() < 1_000);
}

#[test]
fn a_line_break_in_the_name_of_a_file_does_not_break_the_message() {
    let folder = tempfile::tempdir().unwrap();
    let error = nas_tui(folder.path(), &["inspect", "a\nb.json"]).stderr;
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn a_number_too_large_for_a_setting_is_answered_with_the_range() {
    let folder = tempfile::tempdir().unwrap();
    for number in ["99999999999999999999", "9223372036854775808"] {
        for key in ["search.episodes", "search.seed"] {
            let setting = format!("{key}={number}");
            let error = nas_tui(folder.path(), &["config", "show", "--set", &setting]).stderr;
            assert!(
                error.contains("is out of range, expected a whole number from"),
                "{error}"
            );
        }
    }
}
