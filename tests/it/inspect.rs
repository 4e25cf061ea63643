//! `nas-tui inspect`: its table, its JSON, its errors.

use std::path::Path;
use std::process::{Command, Output};

use jiff::Timestamp;
use nas_tui::event::{ChildSampled, Event, Level, Record, VERSION};
use nas_tui::space::{Architecture, Design, Dna};
use serde_json::Value;

use crate::architectures::corpus;

fn inspect(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
    command
        .arg("inspect")
        .args(arguments)
        .env_remove("COLUMNS")
        .output()
        .unwrap()
}

fn stdout(arguments: &[&str]) -> String {
    let output = inspect(arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The error of a command that must exit with status 2 and print nothing on stdout.
fn bad_input(arguments: &[&str]) -> String {
    let output = inspect(arguments);
    assert_eq!(
        output.status.code(),
        Some(2),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_table_has_a_row_per_layer_and_the_totals() {
    let text = stdout(&["nascnn15"]);
    assert!(
        text.starts_with("nascnn15: 15 layers, images 3x32x32 (layer 0), 10 classes\n"),
        "{text}"
    );
    assert!(
        text.lines()
            .any(|line| line.starts_with("   13    7x5      48    1x1     3x2 1,3,6-12")),
        "{text}"
    );
    assert!(
        text.contains("parameters       4,201,630\n  convolutions   4,199,868\n"),
        "{text}"
    );
}

#[test]
fn json_is_the_architecture_file_with_costs() {
    let value: Value = serde_json::from_str(&stdout(&[
        "monograph-demo",
        "--decode",
        "clipped",
        "--json",
    ]))
    .unwrap();
    assert_eq!(value["params"], 275_122);
    let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
    let mut expected = [
        "name", "input", "classes", "layers", "output", "params", "macs",
    ];
    expected.sort_unstable();
    assert_eq!(keys, expected);
    let layer = &value["layers"][12];
    assert_eq!(
        (&layer["output_shape"], &layer["params"]),
        (
            &serde_json::json!([24, 32, 32]),
            &serde_json::json!(24 * 24 * 49 + 48)
        )
    );
    assert_eq!(
        (&layer["kernel"], &layer["inputs"]),
        (&serde_json::json!([7, 7]), &serde_json::json!([12]))
    );
    assert_eq!(layer.as_object().unwrap().len(), 9);
    let macs = value["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| layer["macs"].as_u64().unwrap())
        .sum::<u64>();
    assert_eq!(value["macs"].as_u64().unwrap(), macs + 240);
}

#[test]
fn the_monographs_dna_as_written_is_refused_with_the_layer_its_sizes_and_a_remedy() {
    let error = bad_input(&["monograph-demo"]);
    assert!(
        error.contains(
            "layer 11 cannot be built: a 19x19 kernel meets an input of 1x1 padded to 11x11"
        ),
        "{error}"
    );
    assert!(error.contains("--decode clipped"), "{error}");
}

#[test]
fn a_narrow_terminal_breaks_only_the_lists_of_inputs() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
    let output = command
        .args(["inspect", "nascnn15"])
        .env("COLUMNS", "74")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let table: Vec<&str> = text
        .lines()
        .skip(2)
        .take_while(|line| !line.is_empty())
        .collect();
    assert!(table.iter().all(|line| line.len() <= 74), "{text}");
    assert_eq!(
        table.len(),
        1 + 15 + 1 + 5,
        "five lists are broken once: {text}"
    );
}

#[test]
fn every_good_file_is_printed_both_ways() {
    for path in corpus("good") {
        let path = path.to_str().unwrap();
        assert!(stdout(&[path]).contains("parameters"));
        assert!(
            serde_json::from_str::<Value>(&stdout(&[path, "--json"])).unwrap()["params"].is_u64()
        );
    }
}

#[test]
fn every_bad_file_exits_with_status_2_and_a_message_with_the_place() {
    for path in corpus("bad") {
        let expected = std::fs::read_to_string(path.with_extension("txt")).unwrap();
        let error = bad_input(&[path.to_str().unwrap()]);
        assert!(
            error.contains(expected.trim_end()),
            "{}: expected {expected:?} in {error:?}",
            path.display()
        );
        assert!(
            error.contains(path.to_str().unwrap()),
            "{error:?} does not name the file"
        );
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn an_unknown_name_lists_the_built_in_ones() {
    let error = bad_input(&["nascnn16"]);
    assert!(
        error.contains("\"nascnn16\"")
            && error.contains("nascnn15, nascnn15-monograph, monograph-demo"),
        "{error}"
    );
}

#[test]
fn a_network_that_does_not_specify_its_images_is_built_for_the_requested_ones() {
    let value: Value = serde_json::from_str(&stdout(&[
        "nascnn15",
        "--input",
        "1x28x28",
        "--classes",
        "7",
        "--json",
    ]))
    .unwrap();
    assert_eq!(
        (&value["input"], &value["classes"]),
        (&serde_json::json!([1, 28, 28]), &serde_json::json!(7))
    );
    assert!(bad_input(&["nascnn15", "--input", "28x28"]).contains("3x32x32"));
}

#[test]
fn a_reader_that_goes_away_is_not_an_error() {
    let script = format!(
        "{} inspect nascnn15 --json | true; exit ${{PIPESTATUS[0]}}",
        env!("CARGO_BIN_EXE_nas-tui")
    );
    assert!(
        Command::new("bash")
            .args(["-c", &script])
            .status()
            .unwrap()
            .success()
    );
}

fn child(number: u64, filters: usize) -> Event {
    let network = format!(
        r#"{{"name":"child-{number}","input":[1,28,28],"classes":10,"output":[1],
            "layers":[{{"kernel":[3,3],"filters":{filters},"stride":[1,1],"padding":[1,1],"inputs":[0]}}]}}"#
    );
    Event::ChildSampled(ChildSampled {
        child: number,
        episode: 1,
        dna: Dna(vec![vec![3, filters as u32, 1, 1]]),
        design: Design::Network(serde_json::from_str::<Architecture>(&network).unwrap()),
        params: 0,
        macs: 0,
        log_prob: Some(-1.0),
        entropy: Some(1.0),
        max_entropy: Some(1.0),
        choices: Vec::new(),
        parent: None,
        staleness: 0,
        control: false,
    })
}

fn write_journal(run: &Path, events: Vec<Event>, tail: &str) {
    let line = |(index, event)| {
        let record = Record {
            v: VERSION,
            seq: Some(index as u64 + 1),
            time: Timestamp::UNIX_EPOCH,
            event,
        };
        serde_json::to_string(&record).unwrap() + "\n"
    };
    let text: String = events.into_iter().enumerate().map(line).collect();
    std::fs::write(run.join("journal.jsonl"), text + tail).unwrap();
}

#[test]
fn a_child_of_a_run_is_found_in_its_journal() {
    let run = tempfile::tempdir().unwrap();
    let notice = Event::Notice {
        level: Level::Info,
        message: "not \"child_sampled\"".into(),
    };
    write_journal(
        run.path(),
        vec![child(11, 8), notice, child(12, 16)],
        r#"{"v":1,"event":"child_sampled","chi"#,
    );
    let arch = |child: &str| format!("{}:{child}", run.path().display());
    let value: Value = serde_json::from_str(&stdout(&[&arch("child-12"), "--json"])).unwrap();
    assert_eq!(
        (&value["name"], &value["layers"][0]["filters"]),
        (&"child-12".into(), &16.into())
    );
    let error = bad_input(&[&arch("child-13")]);
    assert!(
        error.contains("no child 13; the last one is child 12"),
        "{error}"
    );
    assert!(bad_input(&[&arch("child-x")]).contains("write RUN:best or RUN:child-12"));
    assert!(bad_input(&[&arch("best")]).contains("there is no best.json in "));
}

#[test]
fn what_a_network_already_is_cannot_be_given_beside_it() {
    let run = tempfile::tempdir().unwrap();
    write_journal(run.path(), vec![child(1, 8)], "");
    let child = format!("{}:child-1", run.path().display());
    let error = bad_input(&[&child, "--decode", "clipped"]);
    assert!(error.contains("--decode is for a DNA"), "{error}");
    let error = bad_input(&[&child, "--input", "3x32x32"]);
    assert!(
        error.contains("--input is for a DNA") && error.contains("is for images of 1x28x28"),
        "{error}"
    );
    let error = bad_input(&[&child, "--classes", "7"]);
    assert!(error.contains("is for 10 classes; omit it"), "{error}");
    stdout(&[&child, "--input", "1x28x28", "--classes", "10"]);
    assert!(stdout(&["nascnn15", "--input", "1x28x28"]).contains("images 1x28x28"));
}

#[test]
fn a_broken_event_of_a_journal_is_an_error_with_its_line() {
    let run = tempfile::tempdir().unwrap();
    write_journal(
        run.path(),
        vec![child(1, 8)],
        "{\"event\":\"child_sampled\",\"child\":2}\n",
    );
    let error = bad_input(&[&format!("{}:child-2", run.path().display())]);
    assert!(
        error.contains("journal.jsonl, line 2") && error.contains("missing field `architecture`"),
        "{error}"
    );
}

#[test]
fn the_best_child_of_a_run_is_in_its_best_json() {
    let run = tempfile::tempdir().unwrap();
    let Event::ChildSampled(best) = child(3, 24) else {
        unreachable!()
    };
    let best = serde_json::json!({"child": 3, "episode": 1, "accuracy": 0.5, "reward": 0.125, "params": 1, "macs": 1, "dna": best.dna,
        "architecture": best.design.network()});
    std::fs::write(run.path().join("best.json"), best.to_string()).unwrap();
    let value: Value = serde_json::from_str(&stdout(&[
        &format!("{}:best", run.path().display()),
        "--json",
    ]))
    .unwrap();
    assert_eq!(
        (&value["name"], &value["layers"][0]["filters"]),
        (&"child-3".into(), &24.into())
    );
}

#[test]
fn memory_is_shown_for_the_batch_size_of_the_run_or_the_requested_one() {
    let run = tempfile::tempdir().unwrap();
    write_journal(run.path(), vec![child(1, 8)], "");
    let arch = format!("{}:child-1", run.path().display());
    assert!(
        stdout(&[&arch]).contains("training memory  not known\n"),
        "a run without its settings does not tell it"
    );
    std::fs::write(
        run.path().join("config.toml"),
        "[child]\nbatch_size = 48\n[recipes.densenet]\nbatch_size = 32\n",
    )
    .unwrap();
    assert!(stdout(&[&arch]).contains(" at batch size 48 (estimate)\n"));
    assert!(stdout(&[&arch, "--batch-size", "7"]).contains(" at batch size 7 (estimate)\n"));
    // The folder of a training contains its network.
    let Event::ChildSampled(sampled) = child(1, 8) else {
        unreachable!()
    };
    std::fs::write(
        run.path().join("architecture.json"),
        serde_json::to_string(&sampled.design.network()).unwrap(),
    )
    .unwrap();
    assert!(stdout(&[&arch]).contains(" at batch size 32 (estimate)\n"));
}

#[test]
fn the_error_for_a_run_that_does_not_exist_names_it() {
    let error = bad_input(&["/nonexistent/run:best"]);
    assert!(
        error.contains("there is no run /nonexistent/run"),
        "{error}"
    );
}
