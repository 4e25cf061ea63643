//! Names and reasons that contain what terminals act on.

use serde_json::Value;

use super::*;
use crate::report::samples::{SEARCH, run_directory, with_test};

/// Red, a title, a bell, C1, a reversed direction, a line that looks like one of the program's.
const HOSTILE: &str =
    "a\x1b[31mb\x1b]0;t\x07c\x07d\u{9b}31m\u{202e}e\r\nnas-tui: all is well\u{85}f\x08";

/// What is left of it; in ASCII.
const SEEN: &str = "nas-tui: all is well";

fn assert_clean(text: &str, what: &str) {
    let bad = text.chars().find(|character| {
        let is_layout = matches!(character, '\n' | '\t');
        (character.is_control() && !is_layout)
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    });
    assert_eq!(bad, None, "{what}: {text:?}");
    let is_forged = |line: &str| line.starts_with(SEEN);
    assert!(!text.lines().any(is_forged), "{what}: {text:?}");
}

/// `value` with every text of these names replaced by a hostile one.
fn poison(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if names.contains(&name.as_str()) => {
                        *text = HOSTILE.to_owned()
                    }
                    Value::Array(texts) if name == "classes" => {
                        let texts = texts.iter_mut();
                        texts.for_each(|text| *text = HOSTILE.into());
                    }
                    value => poison(value, names),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| poison(value, names)),
        _ => {}
    }
}

fn poisoned(journal: &str) -> String {
    let names = [
        "run",
        "preset",
        "strategy",
        "host",
        "version",
        "device",
        "spec",
        "name",
        "origin",
        "recipe",
        "reason",
        "message",
        "class",
        "taken_for",
        "libtorch",
        "fingerprint",
        "data",
    ];
    let line = |line: &str| {
        let mut value: Value = serde_json::from_str(line).unwrap();
        // The reason for the end of a run is one of three words.
        if value["event"] != "run_finished" {
            poison(&mut value, &names);
        }
        format!("{value}\n")
    };
    journal.lines().map(line).collect()
}

fn texts_below(folder: &Path) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts.extend(texts_below(&path));
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            texts.push((path.display().to_string(), text));
        }
    }
    texts
}

#[test]
fn a_run_full_of_escapes_is_listed_reported_and_inspected_without_any() {
    for journal in [SEARCH.to_owned(), with_test()] {
        let folder = tempfile::tempdir().unwrap();
        let run = run_directory(&folder.path().join("runs"), &poisoned(&journal));
        let name = run.with_file_name(HOSTILE);
        std::fs::rename(&run, &name).unwrap();
        let name = name.to_str().unwrap();
        for arguments in [
            &["list"][..],
            &["list", "--json"],
            &["report", name, "--out", "out"],
            &["attach", name],
        ] {
            let ended = nas_tui(folder.path(), arguments);
            assert_clean(&ended.stdout, &format!("stdout of {arguments:?}"));
            assert_clean(&ended.stderr, &format!("stderr of {arguments:?}"));
            assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        }
        let texts = texts_below(&folder.path().join("out"));
        assert!(texts.iter().any(|(path, _)| path.ends_with("report.html")));
        assert!(
            texts.iter().any(|(_, text)| text.contains(SEEN)),
            "it is there, but does nothing"
        );
        texts
            .iter()
            .for_each(|(path, text)| assert_clean(text, path));
    }
}

#[test]
fn names_in_files_are_printed_without_escapes() {
    let folder = tempfile::tempdir().unwrap();
    let mut network: Value =
        serde_json::from_str(include_str!("../../fixtures/nascnn15.json")).unwrap();
    network["name"] = HOSTILE.into();
    let file = folder.path().join(format!("{HOSTILE}.json"));
    std::fs::write(&file, network.to_string()).unwrap();
    let file = file.to_str().unwrap();
    for arguments in [
        &["inspect", file][..],
        &["inspect", file, "--json"],
        &["inspect", &format!("{file}.not-there")],
        &["export", file, "--format", "json", "--out", HOSTILE],
        &["config", "check", "--config", HOSTILE],
        &["config", "check", "--set", &format!("data.dir={HOSTILE}")],
        &[
            "config",
            "check",
            "--set",
            &format!("search.strategy={HOSTILE}"),
        ],
        &["compare", HOSTILE, HOSTILE],
        &["replay", HOSTILE],
        &["data", "check", &format!("cifar10:{HOSTILE}")],
    ] {
        let ended = nas_tui(folder.path(), arguments);
        assert_clean(&ended.stdout, &format!("stdout of {arguments:?}"));
        assert_clean(&ended.stderr, &format!("stderr of {arguments:?}"));
    }
}

#[test]
fn arguments_that_are_wrong_are_printed_without_escapes() {
    let folder = tempfile::tempdir().unwrap();
    let option = format!("--{HOSTILE}");
    for arguments in [
        &[HOSTILE][..],
        &[&option],
        &["help", HOSTILE],
        &["inspect", "nascnn15", &option],
        &["inspect", "nascnn15", HOSTILE],
        &["inspect", "nascnn15", "--batch-size", HOSTILE],
        &["export", "nascnn15", "--format", HOSTILE],
    ] {
        let ended = nas_tui(folder.path(), arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}");
        assert_clean(&ended.stderr, &format!("stderr of {arguments:?}"));
        assert!(ended.stderr.contains(SEEN), "{}", ended.stderr);
    }
}

#[test]
fn class_folders_are_printed_without_escapes() {
    let folder = tempfile::tempdir().unwrap();
    for class in ["plain", HOSTILE] {
        let class = folder.path().join("train").join(class);
        std::fs::create_dir_all(&class).unwrap();
        for number in 0..4 {
            let image = image::RgbImage::from_pixel(4, 4, image::Rgb([number; 3]));
            image.save(class.join(format!("{number}.png"))).unwrap();
        }
    }
    let spec = format!("folder:{}", folder.path().display());
    let arguments = ["data", "check", &spec, "--validation", "2"];
    let ended = nas_tui(folder.path(), &arguments);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_clean(&ended.stdout, "data check");
    assert!(ended.stdout.contains(SEEN), "{}", ended.stdout);
    std::fs::write(
        folder.path().join("train").join(HOSTILE).join("0.png"),
        "no image",
    )
    .unwrap();
    let ended = nas_tui(folder.path(), &arguments);
    assert_eq!(ended.code, Some(2));
    assert_clean(&ended.all(), "a broken image");
}
