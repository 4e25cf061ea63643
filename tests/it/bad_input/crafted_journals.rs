//! Journals in which one value is one that no run can have.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use nas_tui::analysis::{RunSummary, Summary, TrainingSummary};
use nas_tui::event::Record;
use nas_tui::journal;
use nas_tui::report::headless;
use nas_tui::report::page::{Material, RunReport};
use nas_tui::runs::look_at;
use ratatui::layout::Size;
use serde_json::Value;

use super::*;
use crate::report::samples::{SEARCH, run_directory, with_test};
use crate::screen::{app_with, draw, plain};

/// The first line of each kind of event in a journal, and the number of the line.
fn kinds(lines: &[Value]) -> Vec<usize> {
    let mut seen = Vec::new();
    let is_new = |index: &usize| {
        let event = lines[*index]["event"].as_str().unwrap().to_owned();
        let is_new = !seen.contains(&event);
        seen.push(event);
        is_new
    };
    (0..lines.len()).filter(is_new).collect()
}

/// Paths of the numbers in `value`; of a list only the first and the last.
fn numbers(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(path.to_owned()),
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| numbers(value, &format!("{path}/{name}"), found)),
        Value::Array(values) => {
            let last = values.len().saturating_sub(1);
            let ends = values.iter().enumerate();
            ends.filter(|(index, _)| *index == 0 || *index == last)
                .for_each(|(index, value)| numbers(value, &format!("{path}/{index}"), found));
        }
        _ => {}
    }
}

/// Read the run as every command does that shows it, and draw it.
fn show(run: &Path) {
    let info = look_at(run).unwrap();
    let path = run.join("journal.jsonl");
    let _ = Summary::of_journal(&path).map(|summary| summary.to_json());
    let _ = TrainingSummary::of_journal(&path).map(|summary| summary.to_json());
    let Ok(material) = Material::read(run) else {
        return;
    };
    assert_eq!(
        info.unreadable, None,
        "what the report can read, the list can"
    );
    RunReport::of(&material, Timestamp::UNIX_EPOCH).unwrap();
    let records: Vec<Record> = journal::read(&path).unwrap();
    records
        .iter()
        .for_each(|record| drop(headless::line(record)));
    draw(&app_with(&records, Size::new(120, 40), plain()));
}

/// Show the run once for each number of the first event of each kind and each of `values`.
fn sweep(journal: &str, values: &[Value]) {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<Value> = journal
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for index in kinds(&lines) {
        let mut paths = Vec::new();
        numbers(&lines[index], "", &mut paths);
        for path in paths {
            for value in values {
                let mut crafted = lines.clone();
                *crafted[index].pointer_mut(&path).unwrap() = value.clone();
                let text: String = crafted.iter().map(|line| format!("{line}\n")).collect();
                let run = run_directory(folder.path(), &text);
                let begin = Instant::now();
                let shown = catch_unwind(AssertUnwindSafe(|| show(&run)));
                assert!(shown.is_ok(), "{} {path} = {value}", lines[index]["event"]);
                assert!(
                    begin.elapsed() < Duration::from_secs(30),
                    "{} {path} = {value}",
                    lines[index]["event"]
                );
            }
        }
    }
}

/// Values at the ends of types and ranges.
fn extremes() -> Vec<Value> {
    match std::env::var_os("NAS_TUI_SWEEP") {
        // All of them take minutes.
        Some(_) => vec![
            0.into(),
            1.into(),
            1_000_000.into(),
            1_000_000_000.into(),
            u32::MAX.into(),
            100_000_000_000_u64.into(),
            (1_u64 << 53).into(),
            i64::MAX.into(),
            u64::MAX.into(),
            (-1).into(),
            1e100.into(),
            (-1e100).into(),
            1e-300.into(),
        ],
        None => vec![1_000_000.into(), u64::MAX.into()],
    }
}

/// The first children of the recorded search, and everything about its first episode.
fn small_search() -> String {
    let mut lines: Vec<Value> = SEARCH
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let end = lines
        .iter()
        .position(|line| line["event"] == "checkpoint_saved")
        .unwrap();
    lines.truncate(end + 1);
    lines.retain(|line| line["child"].as_u64().is_none_or(|child| child <= 4));
    for (index, line) in lines.iter_mut().enumerate() {
        line["seq"] = (index + 1).into();
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn no_number_in_the_journal_of_a_search_makes_anything_that_shows_it_panic_or_loop() {
    sweep(&small_search(), &extremes());
}

#[test]
fn no_number_in_the_journal_of_a_training_makes_anything_that_shows_it_panic_or_loop() {
    sweep(&with_test(), &extremes());
}

/// The journal with `more` added to each of these fields.
fn shifted(journal: &str, fields: &[&str], more: u64) -> String {
    let shift = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        for field in fields {
            if let Some(number) = line[field].as_u64() {
                line[field] = (number + more).into();
            }
        }
        format!("{line}\n")
    };
    journal.lines().map(shift).collect()
}

/// As [`sweep`], where a number has to agree with others to be read at all.
#[test]
fn a_run_whose_numbers_begin_near_their_limits_is_shown_as_soon_as_any_other() {
    let folder = tempfile::tempdir().unwrap();
    for (journal, fields, more) in [
        (SEARCH, &["child", "next_child"][..], 99_999_999_800),
        (SEARCH, &["child", "next_child"], 40_000_000_000),
        (SEARCH, &["episode", "episodes"], 999_990),
        (SEARCH, &["epoch", "epochs", "child_epochs"], 999_990),
        (&with_test(), &["epoch", "epochs"], 999_900),
    ] {
        let run = run_directory(folder.path(), &shifted(journal, fields, more));
        let begin = Instant::now();
        let shown = catch_unwind(AssertUnwindSafe(|| show(&run)));
        assert!(shown.is_ok(), "{fields:?} + {more}");
        let seconds = begin.elapsed().as_secs_f64();
        assert!(seconds < 20.0, "{fields:?} + {more}: {seconds:.1} s");
    }
}

#[test]
fn times_at_the_ends_of_the_calendar_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    for (first, last) in [
        ("-009999-01-02T01:59:59Z", "9999-12-30T22:00:00Z"),
        ("9999-12-30T22:00:00Z", "-009999-01-02T01:59:59Z"),
    ] {
        let mut lines: Vec<Value> = small_search()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let (head, rest) = lines.split_at_mut(5);
        head.iter_mut().for_each(|line| line["time"] = first.into());
        rest.iter_mut().for_each(|line| line["time"] = last.into());
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        show(&run_directory(folder.path(), &text));
    }
}

/// What `list` finds wrong with a journal, if it finds the same line to be damaged as a report does.
fn listed(folder: &Path, lines: &[String]) -> String {
    let run = run_directory(folder, &lines.concat());
    let reported = Material::read(&run).err().map(|error| format!("{error:#}"));
    let listed = look_at(&run).unwrap().unreadable.unwrap_or_default();
    let reported = reported.unwrap_or_default();
    if let Some((place, _)) = listed.split_once(':') {
        assert!(reported.contains(place), "{listed}\n{reported}");
    }
    listed
}

#[test]
fn a_line_that_is_no_record_makes_a_run_unreadable_wherever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let good: Vec<String> = SEARCH.lines().map(|line| format!("{line}\n")).collect();
    assert_eq!(listed(folder.path(), &good), "");
    let epoch = (good
        .iter()
        .rposition(|line| line.contains("\"child_epoch\"")))
    .unwrap();
    type Damage = fn(&str) -> String;
    let damages: [(&str, Damage); 7] = [
        ("", |_| "{\"v\":1,\"seq\":\n".to_owned()),
        ("", |_| "no JSON at all\n".to_owned()),
        ("", |_| "[]\n".to_owned()),
        ("unknown variant", |line| {
            line.replacen("\"event\":\"", "\"event\":\"un", 1)
        }),
        ("its time is not one in RFC 3339", |line| {
            line.replacen("Z\"", "\"", 1)
        }),
        ("missing field `event`", |line| {
            line.replacen("\"event\":", "\"kind\":", 1)
        }),
        ("its number (seq) is", |line| {
            line.replacen("\"seq\":", "\"seq\":9", 1)
        }),
    ];
    for at in [0, 1, 3, epoch] {
        for (problem, damage) in &damages {
            let mut lines = good.clone();
            lines[at] = damage(&lines[at]);
            assert_ne!(lines[at], good[at], "line {at}: {problem}");
            let listed = listed(folder.path(), &lines);
            let expected = format!("journal.jsonl, line {}: {problem}", at + 1);
            assert!(listed.starts_with(&expected), "{expected}\n{listed}");
        }
    }
}

#[test]
fn numbers_out_of_range_are_listed_whatever_event_they_are_in() {
    let folder = tempfile::tempdir().unwrap();
    let good: Vec<String> = SEARCH.lines().map(|line| format!("{line}\n")).collect();
    for (event, field) in [("worker_started", "worker"), ("child_started", "attempt")] {
        let is_one = |line: &String| line.contains(&format!("\"{event}\""));
        let at = good.iter().position(is_one).unwrap();
        let mut line: Value = serde_json::from_str(&good[at]).unwrap();
        line[field] = 1_000_001.into();
        let mut lines = good.clone();
        lines[at] = format!("{line}\n");
        let expected = format!("line {}: {field} is 1000001, but must be", at + 1);
        let listed = listed(folder.path(), &lines);
        assert!(listed.contains(&expected), "{expected}\n{listed}");
    }
}

#[test]
fn a_journal_with_spaces_between_its_values_is_listed_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let of = |journal: &str| look_at(&run_directory(folder.path(), journal)).unwrap();
    let spaced = SEARCH.replace("\":", "\": ");
    assert_eq!(of(&spaced), of(SEARCH));
}

#[test]
fn a_bad_run_is_listed_as_unreadable_with_its_reason_beside_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    let good = run_directory(&runs.join("a"), SEARCH);
    std::fs::rename(good, runs.join("good")).unwrap();
    let episodes =
        |value: u64| SEARCH.replacen("\"episodes\":6", &format!("\"episodes\":{value}"), 1);
    assert_ne!(episodes(7), SEARCH);
    let bad = run_directory(&runs.join("b"), &episodes(u64::MAX));
    std::fs::rename(bad, runs.join("bad")).unwrap();

    let list = nas_tui(folder.path(), &["list"]);
    assert_eq!(list.code, Some(0), "{}", list.stderr);
    let line_of = |name: &str| {
        list.stdout
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap()
    };
    assert!(line_of("good ").contains("completed"), "{}", list.stdout);
    let bad = line_of("bad ");
    assert!(
        bad.contains("unreadable")
            && bad.contains(
                "journal.jsonl, line 1: episodes is 18446744073709551615, but must be at most"
            ),
        "{bad}"
    );

    let json = nas_tui(folder.path(), &["list", "--json"]).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    let runs = json.as_array().unwrap();
    let status = |name| &runs.iter().find(|run| run["name"] == name).unwrap()["status"];
    assert_eq!([status("good"), status("bad")], ["finished", "unreadable"]);
    let reasons: Vec<&Value> = runs.iter().map(|run| &run["unreadable"]).collect();
    assert_eq!(
        reasons.iter().filter(|reason| reason.is_string()).count(),
        1,
        "{reasons:?}"
    );

    for command in [
        &["report", "runs/bad", "--out", "out"][..],
        &["attach", "runs/bad"],
        &["replay", "runs/bad"],
    ] {
        let ended = nas_tui(folder.path(), command);
        assert!(
            matches!(ended.code, Some(1 | 2)),
            "{command:?}: {:?}",
            ended.code
        );
        assert!(
            !ended.stderr.contains("panicked"),
            "{command:?}: {}",
            ended.stderr
        );
    }
}
