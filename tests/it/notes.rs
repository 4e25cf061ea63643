//! `nas-tui note`, and notes typed on a screen: on runs that are over and on a search at work.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::report::samples::{SEARCH, run_directory, with_test};
use super::terminal::Terminal;

/// A folder with the recorded search, which is complete, as `runs/run`.
fn finished() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let run = run_directory(&folder.path().join("runs"), SEARCH);
    (folder, run)
}

fn nas_tui(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nas-tui"))
        .args(arguments)
        .current_dir(folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .output()
        .unwrap()
}

/// What a command that succeeds prints, and what it says besides.
fn printed(folder: &Path, arguments: &[&str]) -> (String, String) {
    let output = nas_tui(folder, arguments);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
    (text(&output.stdout), said)
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_command_writes_prints_and_removes_notes_on_a_run_that_is_over() {
    let (folder, run) = finished();
    let note =
        |arguments: &[&str]| printed(folder.path(), &[&["note", "run"][..], arguments].concat());
    assert_eq!(
        note(&["23"]),
        (String::new(), "child 23 has no note\n".to_owned())
    );
    assert_eq!(
        note(&["best", " #keep it "]).1,
        "child 23: note: #keep it\n"
    );
    assert_eq!(note(&["child-24", "odd #loss"]).0, "");
    assert_eq!(note(&["23"]).0, "#keep it\n");
    assert_eq!(note(&[]).0, "child 23  #keep it\nchild 24  odd #loss\n");
    let json: Value = serde_json::from_str(&note(&["24", "--json"]).0).unwrap();
    let expected = serde_json::json!([{"child": 24, "note": "odd #loss", "tags": ["#loss"]}]);
    assert_eq!(json, expected);
    assert_eq!(
        note(&["23", "#keep it"]).1,
        "child 23 has this note already\n"
    );
    note(&["24", "- too slow"]);
    assert_eq!(note(&["24"]).0, "- too slow\n");
    // A mistyped option is not a note.
    let mistyped = nas_tui(folder.path(), &["note", "run", "24", "--remov"]);
    assert_eq!(mistyped.status.code(), Some(2));
    note(&["23", "--remove"]);
    note(&["24", ""]);
    assert_eq!(
        note(&[]),
        (String::new(), "no child has a note\n".to_owned())
    );
    let journal = read(run.join("journal.jsonl"));
    let added = journal.strip_prefix(SEARCH).expect("it is only added to");
    assert_eq!(added.lines().count(), 5);
}

#[test]
fn what_cannot_be_noted_is_bad_input_and_leaves_the_journal_alone() {
    let (folder, run) = finished();
    run_directory(&folder.path().join("runs/other"), &with_test());
    let long = "x".repeat(501);
    for (arguments, reason) in [
        (["run", "9999", "#keep"], "there is no child 9999"),
        (["run", "worst", "#keep"], "give the number of a child"),
        (
            ["run", "23", "two\nlines"],
            "character 4 of this one is U+000A",
        ),
        (
            ["run", "23", "\x1b[31mred"],
            "character 1 of this one is U+001B",
        ),
        (
            ["run", "23", long.as_str()],
            "at most 500 characters, and this one has 501",
        ),
        (["runs/other/run", "1", "#keep"], "trains one network"),
        (["nowhere", "1", "#keep"], "there is no run nowhere"),
    ] {
        let output = nas_tui(folder.path(), &[&["note"][..], &arguments[..]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(reason), "{arguments:?}: {said}");
    }
    assert_eq!(read(run.join("journal.jsonl")), SEARCH);
}

#[test]
fn a_run_with_notes_after_its_end_is_listed_and_summarised_as_before() {
    let (folder, _) = finished();
    let look = || {
        let (list, _) = printed(folder.path(), &["list", "--json"]);
        let mut list: Value = serde_json::from_str(&list).unwrap();
        list[0]["changed"].take();
        printed(folder.path(), &["report", "run", "--out", "out"]);
        let summary = read(folder.path().join("out/summary.json"));
        (list, summary)
    };
    let before = look();
    assert_eq!(before.0[0]["status"], "finished");
    printed(folder.path(), &["note", "run", "23", "#keep"]);
    assert_eq!(look(), before);
}

#[test]
fn a_report_has_the_notes_as_text_whatever_they_contain() {
    let (folder, _) = finished();
    let nasty = r#"<script>alert('x')</script> "a", =1+1 & #keep"#;
    let formula = "=1+1 failed: #retry";
    let notes = [("best", nasty), ("20", formula), ("5", nasty)];
    for (child, note) in notes {
        printed(folder.path(), &["note", "run", child, note]);
    }
    printed(folder.path(), &["report", "run", "--out", "out"]);
    let out = folder.path().join("out");
    let page = read(out.join("report.html"));
    assert!(!page.contains("<script"));
    let escaped = "&lt;script&gt;alert('x')&lt;/script&gt; &quot;a&quot;, =1+1 &amp; #keep";
    assert!(page.contains(&format!("<p>Note: {escaped}</p>")));
    assert_eq!(page.matches(&format!("<td>{escaped}</td>")).count(), 2);
    assert!(page.contains("<td>=1+1 failed: #retry</td>"));
    let mut table = csv::Reader::from_path(out.join("tables/children.csv")).unwrap();
    let column = table
        .headers()
        .unwrap()
        .iter()
        .position(|name| name == "note");
    let rows = table.records().map(Result::unwrap);
    let noted: Vec<(String, String)> = rows
        .map(|row| (row[0].to_owned(), row[column.unwrap()].to_owned()))
        .filter(|(_, note)| !note.is_empty())
        .collect();
    // A spreadsheet takes it for text.
    let expected = [("5", nasty), ("20", "'=1+1 failed: #retry"), ("23", nasty)];
    assert_eq!(
        noted,
        expected.map(|(child, note)| (child.to_owned(), note.to_owned()))
    );
}

#[test]
fn a_note_is_typed_on_a_screen_attached_to_a_run_that_is_over() {
    let (folder, run) = finished();
    let mut terminal = Terminal::start(&["attach", "run"], folder.path(), 120, 40);
    terminal.wait_for("COMPLETED");
    terminal.keys("3");
    terminal.wait_for("by accuracy");
    terminal.keys("n");
    terminal.wait_for("note on child 23:");
    terminal.keys("#keep it\r");
    terminal.wait_for("¶ #keep it");
    terminal.keys("/#ke\t");
    terminal.wait_for("filter: #keep");
    terminal.keys("\r");
    terminal.wait_for("1 of 96, by");
    terminal.keys("\r");
    terminal.wait_for("note #keep it");
    terminal.keys("qq");
    assert_eq!(terminal.wait_exit(), 0);
    terminal.assert_restored();
    assert_eq!(
        printed(folder.path(), &["note", "run", "23"]).0,
        "#keep it\n"
    );
    assert!(read(run.join("journal.jsonl")).starts_with(SEARCH));
}

#[test]
fn a_screen_that_only_watches_writes_no_notes() {
    let (folder, run) = finished();
    let mut terminal = Terminal::start(&["attach", "run", "--watch"], folder.path(), 120, 40);
    terminal.wait_for("COMPLETED");
    terminal.keys("3");
    terminal.wait_for("by accuracy");
    terminal.keys("n#keep\r");
    terminal.wait_for("this screen only watches (--watch)");
    terminal.keys("q");
    assert_eq!(terminal.wait_exit(), 0);
    assert_eq!(read(run.join("journal.jsonl")), SEARCH);
}

#[cfg(feature = "torch")]
#[test]
fn a_search_at_work_records_the_note_of_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::search(folder.path());
    terminal.wait_for("DNA child 1");
    let (_, said) = printed(folder.path(), &["note", "run", "1", "#live from elsewhere"]);
    assert_eq!(said, "child 1: note: #live from elsewhere\n");
    let journal = read(folder.path().join("run/journal.jsonl"));
    assert!(
        journal.contains(r##""event":"child_noted","child":1,"text":"#live from elsewhere"}"##)
    );
    let refused = nas_tui(folder.path(), &["note", "run", "1000000", "#keep"]);
    assert_eq!(refused.status.code(), Some(2));
    terminal.keys("4\r");
    terminal.wait_for("note #live from elsewhere");
    terminal.keys("qq");
    terminal.wait_for("Leave the screen?");
    terminal.keys("s");
    assert_eq!(terminal.wait_exit(), 130);
}
