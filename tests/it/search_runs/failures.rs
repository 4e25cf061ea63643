//! What ends or prevents a search: damage, a run that is in use, missing data.

use std::fs;

use nas_tui::runs::RunDirectory;

use super::{assert_ok, new_run, resume, stderr};

#[test]
fn a_second_search_on_one_run_directory_is_refused_with_the_pid_of_the_first() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let first = RunDirectory::create(&path).unwrap();
    fs::write(path.join("config.toml"), "# ours\n").unwrap();
    let output = resume(&path).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains(&format!("pid {}", std::process::id())),
        "{}",
        stderr(&output)
    );
    drop(first);
}

#[test]
fn damage_is_an_error_with_its_place_and_exit_status_2() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    assert_ok(&new_run(&path).output().unwrap());
    let (journal, checkpoint) = (
        path.join("journal.jsonl"),
        path.join("checkpoint/search.safetensors"),
    );
    let (lines, bytes) = (
        fs::read_to_string(&journal).unwrap(),
        fs::read(&checkpoint).unwrap(),
    );

    fs::write(
        &journal,
        lines.replacen("\"event\":\"child_sampled\"", "\"event\":\"child_samp", 1),
    )
    .unwrap();
    let output = resume(&path).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("journal.jsonl, line ") && stderr(&output).contains("column"),
        "{}",
        stderr(&output)
    );

    fs::write(&journal, &lines).unwrap();
    fs::write(&checkpoint, &bytes[..bytes.len() - 9]).unwrap();
    let output = resume(&path).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains(&format!("search.safetensors, byte {}", bytes.len() - 9)),
        "{}",
        stderr(&output)
    );
    assert_eq!(
        fs::read_to_string(&journal).unwrap(),
        lines,
        "nothing was written"
    );
}

#[test]
fn missing_data_end_the_search_before_training_with_exit_status_2() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let mut command = new_run(&path);
    command.args(["--set", "data.source=folder:/nonexistent/images"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("/nonexistent/images"),
        "{}",
        stderr(&output)
    );
    assert!(!path.exists(), "nothing to resume is left behind");
}

#[test]
fn a_folder_that_is_not_a_run_or_is_not_empty_is_refused() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("thesis.tex"), "").unwrap();
    let output = resume(root.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("not a run directory"),
        "{}",
        stderr(&output)
    );
    let output = new_run(root.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("not empty"), "{}", stderr(&output));
}
