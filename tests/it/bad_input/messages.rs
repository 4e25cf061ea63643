//! What error messages say: each cause once, the place of the mistake, numbers of readable length.

use std::fs;
use std::path::Path;

use super::nas_tui;

/// The error of a command that must be refused, without what a run's name adds to its length.
fn error_of(folder: &Path, arguments: &[&str]) -> String {
    let ended = nas_tui(folder, arguments);
    assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.all());
    ended.stderr
}

#[test]
fn an_empty_value_is_told_as_one() {
    let folder = tempfile::tempdir().unwrap();
    for key in ["search.reference", "data.dir"] {
        let setting = format!("{key}=");
        let error = error_of(folder.path(), &["config", "check", "--set", &setting]);
        let expected = format!("--set {key}=: {key} = \"\": must be");
        assert!(error.contains(&expected), "{error}");
    }
}

#[test]
fn a_run_that_links_lead_to_is_listed_once() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    let run = crate::report::samples::run_directory(&runs, crate::report::samples::SEARCH);
    for name in ["a-link", "z-link"] {
        std::os::unix::fs::symlink(&run, runs.join(name)).unwrap();
    }
    let registry = folder.path().join("state/nas-tui/runs");
    fs::create_dir_all(&registry).unwrap();
    let path = serde_json::json!({ "path": runs.join("a-link") });
    fs::write(registry.join("0.json"), path.to_string()).unwrap();
    let list = nas_tui(folder.path(), &["list"]).stdout;
    assert_eq!(list.matches("completed").count(), 1, "{list}");
    assert!(list.contains("\nrun "), "by its own name: {list}");
}

#[test]
fn every_command_that_takes_a_run_suggests_similar_names() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    crate::report::samples::run_directory(&runs, crate::report::samples::SEARCH);
    fs::rename(runs.join("run"), runs.join("demo6")).unwrap();
    for arguments in [
        &["attach", "dem6"][..],
        &["replay", "dem6"],
        &["report", "dem6", "--out", "out"],
        &["note", "dem6"],
        &["inspect", "dem6:best"],
        &["inspect", "dem6:child-3"],
        &["export", "dem6:best", "--format", "dot", "--out", "out"],
        #[cfg(feature = "torch")]
        &["rank", "dem6"],
        #[cfg(feature = "torch")]
        &["train", "dem6:best", "--headless"],
        &["verify", "dem6"],
        &["reliability", "dem6"],
        &["config", "check", "--set", "search.reference=dem6"],
    ] {
        let error = error_of(folder.path(), arguments);
        let expected = "there is no run dem6; did you mean demo6?";
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
    assert!(nas_tui(folder.path(), &["inspect", "demo6:child-3"]).code == Some(0));
}

#[test]
fn a_file_to_check_can_be_given_by_its_name_and_its_mistakes_come_in_the_order_of_its_lines() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my.toml");
    let text = "[child]\nepochs = 0\nbatch = 5\n\n[reward]\npower = \"high\"\n";
    fs::write(file, text).unwrap();
    let error = error_of(
        folder.path(),
        &["config", "check", "my.toml", "--set", "nonsense"],
    );
    let places: Vec<&str> = error.lines().skip(1).map(str::trim).collect();
    for (place, start) in places.iter().zip([
        "my.toml:2: child.epochs",
        "my.toml:3: child.batch",
        "my.toml:6: reward.power",
        "--set nonsense",
    ]) {
        assert!(place.starts_with(start), "{error}");
    }
    fs::write(folder.path().join("my.toml"), "").unwrap();
    let checked = nas_tui(folder.path(), &["config", "check", "my.toml"]);
    assert!(
        checked
            .stdout
            .starts_with("the settings in my.toml are valid")
    );
}

#[test]
fn a_cause_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    for (file, cause) in [("absent", "o such file"), ("folder", "s a directory")] {
        for arguments in [
            &["search", "--headless", "--config", file][..],
            &["compare", file, file],
            &[
                "search",
                "--headless",
                "--preset",
                "nasbench201",
                "--table",
                file,
            ],
            &["bench", "--children", file],
            // A folder is taken for a training.
            &["evaluate", "nascnn15", "--weights", "absent"],
        ] {
            let cause = if arguments[0] == "evaluate" {
                "o such file"
            } else {
                cause
            };
            if cfg!(feature = "torch") || arguments[0] == "compare" {
                let error = error_of(folder.path(), arguments);
                assert_eq!(error.matches(cause).count(), 1, "{arguments:?}: {error}");
            }
        }
    }
}

#[test]
fn no_error_shows_its_cause_and_passes_it_on_too() {
    // A field called `source` is passed on, and whoever prints an error prints what it passes on.
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains("{source}"), "{}", path.display());
        }
    }
}

#[test]
fn a_second_preset_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.toml"), "preset = \"paper\"\n").unwrap();
    let show = ["config", "show", "--preset", "demo"];
    for (more, place) in [
        (["--config", "mine.toml"], "mine.toml"),
        (["--set", "preset=paper"], "--set preset=paper"),
    ] {
        let error = error_of(folder.path(), &[&show[..], &more].concat());
        let begin = format!("nas-tui: {place} starts from preset \"paper\"");
        assert!(error.starts_with(&begin), "{error}");
    }
}

#[test]
fn huge_numbers_are_written_in_few_digits() {
    let folder = tempfile::tempdir().unwrap();
    let set = |setting| error_of(folder.path(), &["config", "show", "--set", setting]);
    for setting in [
        "child.epochs=1e308",
        "child.epochs=-1e308",
        "controller.learning_rate=1e308",
        "controller.learning_rate=-1e300",
        "reward.power=123456789e290",
    ] {
        let error = set(setting);
        assert!(
            error.len() < 200 && error.contains("e30") | error.contains("e298"),
            "{error}"
        );
    }
    let too_large = set("child.epochs=18446744073709551615");
    assert!(!too_large.contains("string"), "{too_large}");
    fs::write(folder.path().join("a.toml"), "[child]\nepochs = 1e308\n").unwrap();
    fs::write(
        folder.path().join("a.json"),
        "{\"dna\": [[3, 1e308, 1, 1]]}",
    )
    .unwrap();
    for arguments in [
        &["config", "show", "--config", "a.toml"][..],
        &["inspect", "a.json"],
    ] {
        let error = error_of(folder.path(), arguments);
        assert!(error.len() < 250 && error.contains("1e"), "{error}");
    }
}

#[test]
fn a_time_outside_the_calendar_is_told_in_plain_words() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    fs::create_dir(&run).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let journal = fs::read_to_string(fixtures.join("journal-demo.jsonl")).unwrap();
    for time in [
        "9999-12-31T23:59:59Z",
        "+12026-01-01T00:00:00Z",
        "yesterday",
    ] {
        let broken = journal.replacen("2026-11-24T09:41:10.889Z", time, 1);
        fs::write(run.join("journal.jsonl"), broken).unwrap();
        let error = error_of(folder.path(), &["report", "run", "--out", "out"]);
        assert!(
            error.contains("line 1") && error.contains("its time is not one in RFC 3339"),
            "{error}"
        );
        assert!(error.len() < 400, "{error}");
    }
    // As far as the calendar goes: every consumer works with it.
    let last = journal.replacen("2026-11-24T09:41:10.889Z", "9999-12-30T21:59:59Z", 1);
    fs::write(run.join("journal.jsonl"), last).unwrap();
    let report = nas_tui(folder.path(), &["report", "run", "--out", "out"]);
    assert_eq!(report.code, Some(0), "{}", report.all());
}

#[test]
fn every_mistake_in_the_settings_is_reported_at_once_and_a_valid_file_is_called_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = "[child]\nepochs = 0\nbatch = 5\n\n[screen.keys]\nteleport = [\"t\"]\nlayout_lgo = [\"b\"]\n";
    fs::write(folder.path().join("wrong.toml"), file).unwrap();
    fs::write(folder.path().join("right.toml"), "[child]\nepochs = 2\n").unwrap();
    let check = |file| ["config", "check", "--config", file];
    let error = error_of(folder.path(), &check("wrong.toml"));
    for part in [
        "4 mistakes",
        "wrong.toml:3: child.batch: unknown field",
        "wrong.toml:2: child.epochs = 0: must be",
        "wrong.toml:6: screen.keys.teleport: no such action",
        "wrong.toml:7: screen.keys.layout_lgo: no such action; did you mean layout_log?",
    ] {
        assert_eq!(error.matches(part).count(), 1, "{part}: {error}");
    }
    let valid = nas_tui(folder.path(), &check("right.toml"));
    assert_eq!(
        (valid.code, valid.stdout.as_str()),
        (
            Some(0),
            "the settings in right.toml are valid (preset demo)\n"
        ),
        "{}",
        valid.all()
    );
}

#[test]
fn a_name_that_is_nearly_right_is_answered_with_the_right_one() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("runs/monograph-1");
    fs::create_dir_all(&run).unwrap();
    fs::write(run.join("journal.jsonl"), "").unwrap();
    for (arguments, meant) in [
        (&["replay", "monogaph-1"][..], "did you mean monograph-1?"),
        (&["completions"], "bash, elvish, fish, powershell, zsh"),
        (
            &["config", "check", "--set", "recipes.cosin.epochs=3"],
            "did you mean cosine?",
        ),
    ] {
        let error = error_of(folder.path(), arguments);
        assert!(error.contains(meant), "{arguments:?}: {error}");
    }
}

#[test]
fn a_help_text_that_cannot_be_written_is_an_error() {
    for arguments in [&["--help"][..], &["--version"], &["train", "--help"]] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_nas-tui"));
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = command.args(arguments).stdout(full).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("standard output: No space left"), "{said}");
    }
}

#[test]
fn of_a_journal_alone_it_is_told_what_can_be_done_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let run = crate::report::samples::run_directory(folder.path(), crate::report::samples::SEARCH);
    fs::remove_file(run.join("config.toml")).unwrap();
    let begun = crate::report::samples::SEARCH.split_inclusive('\n').take(8);
    fs::write(run.join("journal.jsonl"), begun.collect::<String>()).unwrap();
    let remedy = "has the journal of a run, but not its settings (config.toml): it can be read";
    for arguments in [
        &["note", "run", "1", "#keep"][..],
        &["verify", "run"],
        #[cfg(feature = "torch")]
        &["rank", "run"],
        #[cfg(feature = "torch")]
        &["search", "--resume", "run", "--headless"],
    ] {
        let error = error_of(folder.path(), arguments);
        assert!(error.contains(remedy), "{arguments:?}: {error}");
    }
    let ended = nas_tui(folder.path(), &["report", "run", "--out", "out"]);
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    let page = fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(page.contains("so it cannot be resumed as it is"));
    assert!(!page.contains("it can be resumed"));
}
