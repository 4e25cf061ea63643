//! Pipes and devices in the place of files, and files of absurd length.

use std::path::PathBuf;

use super::*;
use crate::report::samples::{SEARCH, run_directory};

fn pipe(path: PathBuf) -> String {
    let made = Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    path.to_str().unwrap().to_owned()
}

/// The command must say at once that something is not a regular file.
fn refused(folder: &Path, arguments: &[&str]) {
    let ended = nas_tui(folder, arguments);
    assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
    assert!(
        ended.stderr.contains("not a regular file"),
        "{arguments:?}: {}",
        ended.stderr
    );
}

#[test]
fn a_pipe_or_a_device_is_refused_wherever_a_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = pipe(folder.path().join("pipe"));
    for file in [fifo.as_str(), "/dev/zero"] {
        refused(folder.path(), &["config", "check", "--config", file]);
        refused(folder.path(), &["inspect", file]);
        refused(folder.path(), &["compare", file, file]);
        let spec = format!("cifar10:{file}");
        refused(folder.path(), &["data", "check", &spec]);
    }
    let classes = folder.path().join("images/train");
    for class in ["one", "two"] {
        std::fs::create_dir_all(classes.join(class)).unwrap();
        pipe(classes.join(class).join("0.png"));
    }
    let spec = format!("folder:{}", folder.path().join("images").display());
    refused(
        folder.path(),
        &["data", "check", &spec, "--validation", "1"],
    );
}

#[test]
fn a_pipe_where_a_download_is_kept_is_refused_at_once_and_named() {
    for name in ["cifar-10-binary.tar.gz.part", ".fetch.lock"] {
        let folder = tempfile::tempdir().unwrap();
        pipe(folder.path().join(name));
        let mirror = "http://127.0.0.1:9/nothing-listens-there";
        let to = folder.path().to_str().unwrap();
        let arguments = ["data", "fetch", "cifar10", "--mirror", mirror, "--dir", to];
        let ended = run_within(Duration::from_secs(20), folder.path(), &arguments);
        let expected = format!("{name}: it is a pipe, not a regular file; remove it and run");
        assert!(ended.stderr.contains(&expected), "{}", ended.stderr);
    }
    let folder = tempfile::tempdir().unwrap();
    let mirror = pipe(folder.path().join("a.tar.gz"));
    let arguments = [
        "data", "fetch", "cifar10", "--mirror", &mirror, "--dir", ".",
    ];
    let ended = nas_tui(folder.path(), &arguments);
    let expected = "a.tar.gz: cannot be read: it is a pipe, not a regular file; --mirror takes";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
}

#[test]
fn a_pipe_as_the_lock_of_another_run_does_not_stop_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_directory(&folder.path().join("runs"), SEARCH);
    pipe(run.join("lock"));
    let list = nas_tui(folder.path(), &["list"]);
    assert_eq!(list.code, Some(0));
    assert!(list.stdout.contains("run  completed"), "{}", list.stdout);
    let resumed = nas_tui(
        folder.path(),
        &["search", "--resume", "runs/run", "--headless"],
    );
    assert!(
        matches!(resumed.code, Some(1 | 2)) && resumed.stderr.contains("lock"),
        "{}",
        resumed.stderr
    );
}

/// `list`, `attach` and `report` must say at once of `runs/run` in this folder that it cannot be read, and why.
fn unreadable(folder: &Path, reason: &str) {
    let limit = Duration::from_secs(20);
    let list = run_within(limit, folder, &["list"]);
    let is_it = |line: &str| line.starts_with("run  unreadable") && line.contains(reason);
    assert!(list.stdout.lines().any(is_it), "{reason}: {}", list.stdout);
    for arguments in [&["attach", "run"][..], &["report", "run", "--out", "page"]] {
        let ended = run_within(limit, folder, arguments);
        let expected = format!("the run in runs/run is unreadable: {reason}");
        assert!(
            ended.code == Some(2) && ended.stderr.contains(&expected),
            "{arguments:?}: {}",
            ended.stderr
        );
    }
}

#[test]
fn a_run_with_something_else_in_the_place_of_its_journal_is_unreadable_and_nothing_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_directory(&folder.path().join("runs"), SEARCH);
    let journal = run.join("journal.jsonl");
    let link = |to: &str| std::os::unix::fs::symlink(to, &journal).unwrap();
    for what in [
        "a folder",
        "a pipe",
        "a device",
        "a link that leads nowhere",
    ] {
        std::fs::remove_file(&journal).unwrap_or_else(|_| std::fs::remove_dir(&journal).unwrap());
        match what {
            "a folder" => std::fs::create_dir(&journal).unwrap(),
            "a pipe" => drop(pipe(journal.clone())),
            "a device" => link("/dev/zero"),
            _ => link("nowhere"),
        }
        let reason = format!("journal.jsonl is not a file: it is {what}");
        unreadable(folder.path(), &reason);
    }
}

#[test]
fn a_run_whose_journal_is_saved_beside_its_place_is_unreadable_until_it_is_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_directory(&folder.path().join("runs"), SEARCH);
    let (journal, saved) = (run.join("journal.jsonl"), run.join("journal.jsonl.rescued"));
    std::fs::rename(&journal, &saved).unwrap();
    let place = "runs/run/journal.jsonl";
    let reason = format!("the journal of this run is {place}.rescued: while the run was at work");
    unreadable(folder.path(), &reason);
    let back = format!("Put it back with: mv {place}.rescued {place}");
    let list = nas_tui(folder.path(), &["list"]).stdout;
    assert!(list.contains(&back), "{list}");
    std::fs::write(run.join("config.toml"), "# ours\n").unwrap();
    let resume = ["search", "--resume", "runs/run", "--headless"];
    let resumed = nas_tui(folder.path(), &resume).stderr;
    assert!(resumed.contains(&back), "the same words: {resumed}");
    std::fs::rename(&saved, &journal).unwrap();
    let list = nas_tui(folder.path(), &["list"]).stdout;
    assert!(list.contains("run  completed"), "{list}");
}

#[test]
fn a_folder_with_neither_a_journal_nor_anything_in_its_place_is_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("runs/run");
    std::fs::create_dir_all(&run).unwrap();
    std::fs::write(run.join("notes.txt"), "").unwrap();
    let list = nas_tui(folder.path(), &["list"]);
    assert!(!list.stdout.contains("unreadable"), "{}", list.stdout);
    let attached = nas_tui(folder.path(), &["attach", "run"]);
    assert!(
        attached.stderr.contains("there is no journal.jsonl in it"),
        "{}",
        attached.stderr
    );
}

#[test]
fn settings_can_come_from_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("broken.toml"),
        "[search]\nepisodes = 0\n",
    )
    .unwrap();
    let check = |redirection: &str| {
        let command = format!(
            "{redirection} '{}' config check --config /dev/stdin",
            env!("CARGO_BIN_EXE_nas-tui")
        );
        let output = Command::new("sh")
            .arg("-c")
            .arg(command)
            .current_dir(folder.path())
            .output()
            .unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    for redirection in ["< broken.toml", "cat broken.toml |"] {
        let errors = check(redirection);
        assert!(
            errors.contains("/dev/stdin:2: search.episodes = 0"),
            "{errors}"
        );
    }
}

#[test]
fn a_file_of_settings_of_absurd_length_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let keys: String = (0..600_000)
        .map(|number| format!("k{number} = [\"x\"]\n"))
        .collect();
    std::fs::write(
        folder.path().join("keys.toml"),
        format!("[screen.keys]\n{keys}"),
    )
    .unwrap();
    let ended = run_within(
        Duration::from_secs(20),
        folder.path(),
        &["config", "check", "--config", "keys.toml"],
    );
    assert!(
        ended.code == Some(2) && ended.stderr.contains("longer than 1 MiB"),
        "{}",
        ended.stderr
    );
}

#[test]
fn nonsense_in_a_file_of_the_greatest_length_is_reported_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let names = || (0..26_u32.pow(4)).map(name_of_four_letters);
    let keys: String = names().map(|name| format!("{name}=1\n")).collect();
    let tables: String = names().map(|name| format!("[child.{name}]\n")).collect();
    let recipes = names().map(|name| format!("[recipes.{name}]\nepochs=0\n"));
    for (text, problem) in [
        ("[child]\n".to_owned() + &keys, "unknown field"),
        (tables, "unknown field"),
        (recipes.collect(), "must be a whole number from 1"),
    ] {
        let lines = text.lines().scan(0, |length, line| {
            *length += line.len() + 1;
            (*length < 1 << 20).then(|| format!("{line}\n"))
        });
        std::fs::write(folder.path().join("keys.toml"), lines.collect::<String>()).unwrap();
        let arguments = ["config", "check", "keys.toml"];
        // (Without optimisation one reading takes seconds, and there used to be 150.)
        let ended = run_within(Duration::from_secs(60), folder.path(), &arguments);
        let messages = ended.stderr.matches(problem).count();
        assert!(
            ended.code == Some(2) && (3..20).contains(&messages),
            "{}",
            ended.stderr
        );
        assert!(ended.stderr.contains("mistakes (there may be more):"));
    }
}

fn name_of_four_letters(number: u32) -> String {
    let letters = (0..4).rev().map(|place| number / 26_u32.pow(place) % 26);
    letters
        .filter_map(|letter| char::from_digit(letter + 10, 36))
        .collect()
}

#[test]
fn an_image_that_would_fill_the_memory_is_not_decoded() {
    let folder = tempfile::tempdir().unwrap();
    let side = 20_000_u32;
    let mut bitmap = vec![0; 54];
    bitmap[..2].copy_from_slice(b"BM");
    for (place, value) in [
        (2, 54 + 3 * side * 10),
        (10, 54),
        (14, 40),
        (18, side),
        (22, side),
        (26, (24 << 16) | 1),
    ] {
        bitmap[place..place + 4].copy_from_slice(&value.to_le_bytes());
    }
    for class in ["one", "two"] {
        let class = folder.path().join("train").join(class);
        std::fs::create_dir_all(&class).unwrap();
        std::fs::write(class.join("0.bmp"), &bitmap).unwrap();
    }
    let spec = format!("folder:{}", folder.path().display());
    let ended = nas_tui(
        folder.path(),
        &["data", "check", &spec, "--validation", "1"],
    );
    assert_eq!(ended.code, Some(2));
    assert!(
        ended
            .stderr
            .contains("the image has 20000x20000 pixels; at most 67108864"),
        "{}",
        ended.stderr
    );
}
