//! Several runs on one screen, in a terminal: drawn over the chart as they grow, compared by their
//! settings, and shown in place of each other.

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use nas_tui::config::{Options, resolve};

use super::terminal::Terminal;

/// The lines of the recorded search, as if the run were called `name`.
fn lines(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-demo.jsonl");
    let text = fs::read_to_string(path).unwrap();
    let text = text.replace("\"run\":\"demo6\"", &format!("\"run\":\"{name}\""));
    text.lines().map(|line| format!("{line}\n")).collect()
}

/// A run in `folder`/runs with these lines and a demo search's settings with these changes.
fn run(folder: &Path, name: &str, lines: &[String], set: &[&str]) -> PathBuf {
    let run = folder.join("runs").join(name);
    fs::create_dir_all(&run).unwrap();
    fs::write(run.join("journal.jsonl"), lines.concat()).unwrap();
    let options = Options {
        preset: Some("demo".to_owned()),
        set: set.iter().map(|set| (*set).to_owned()).collect(),
        ..Options::default()
    };
    let config = resolve(&options).unwrap();
    fs::write(run.join("config.toml"), config.to_toml()).unwrap();
    run
}

/// Close the list of runs. (What follows Esc at once would be a key with Alt.)
fn close(terminal: &mut Terminal) {
    terminal.keys("\x1b");
    terminal.wait_until("screen without the list", |contents| {
        !contents.contains(" Runs ─") && !contents.contains("Settings that differ")
    });
}

/// Place of the first record with this event, in the list of lines.
fn first(lines: &[String], event: &str) -> usize {
    let event = format!("\"event\":\"{event}\"");
    lines.iter().position(|line| line.contains(&event)).unwrap()
}

#[test]
fn two_recorded_runs_stand_on_one_chart_and_take_each_others_place() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), "first", &lines("first"), &[]);
    let set = ["search.seed=7", "child.epochs=9"];
    run(folder.path(), "second", &lines("second"), &set);
    let arguments = ["attach", "first", "--with", "second"];
    let mut terminal = Terminal::start(&arguments, folder.path(), 120, 40);
    terminal.wait_for("COMPLETED");
    terminal.wait_for("● first   1 second ≠");
    terminal.keys("D");
    terminal.wait_for("≠ child.epochs");
    terminal.wait_for("search.seed");
    close(&mut terminal);
    terminal.keys(":run second");
    terminal.wait_for("show it here");
    terminal.keys("\r");
    terminal.wait_for("● second   1 first ≠");
    terminal.keys("R");
    terminal.wait_for(" 1/2 ");
    terminal.keys("gm");
    close(&mut terminal);
    terminal.wait_until("chart of one run", |contents| {
        !contents.contains("● second")
    });
    terminal.keys("q");
    assert_eq!(terminal.wait_exit(), 0);
    terminal.assert_restored();
}

#[test]
fn a_run_that_arrives_late_waits_until_what_was_opened_meanwhile_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), "first", &lines("first"), &[]);
    run(folder.path(), "third", &lines("third"), &[]);
    let second = run(folder.path(), "second", &lines("second"), &[]);
    // Whoever listens here says nothing, for which an attaching client waits two seconds.
    let _silent = UnixListener::bind(second.join("control.sock")).unwrap();
    let arguments = ["attach", "first", "--with", "third"];
    let mut terminal = Terminal::start(&arguments, folder.path(), 120, 40);
    terminal.wait_for("● first   1 third");
    terminal.keys(":run second");
    terminal.wait_for("show it here");
    terminal.keys("\r");
    terminal.keys("?");
    terminal.wait_for("Here: Chart");
    terminal.wait_for("second is ready, and is shown when this is closed");
    assert!(terminal.contents().contains("Here: Chart"));
    terminal.keys("q");
    terminal.wait_for("● second   1 third");
    terminal.keys("q");
    assert_eq!(terminal.wait_exit(), 0);
    terminal.assert_restored();
}

#[test]
fn a_run_drawn_over_the_chart_is_followed_as_it_grows() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), "first", &lines("first"), &[]);
    let lines = lines("second");
    let (begun, rest) = lines.split_at(first(&lines, "episode_finished"));
    let second = run(folder.path(), "second", begun, &[]);
    let arguments = ["attach", "first", "--with", "second"];
    let mut terminal = Terminal::start(&arguments, folder.path(), 120, 40);
    terminal.wait_for("1 second no episode yet");
    // In the middle of a line, as a slow disk shows it.
    let (torn, end) = rest[0].split_at(30);
    let mut journal = fs::OpenOptions::new()
        .append(true)
        .open(second.join("journal.jsonl"))
        .unwrap();
    journal.write_all(torn.as_bytes()).unwrap();
    journal.flush().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(terminal.contents().contains("no episode yet"));
    let rest = format!("{end}{}", rest[1..].concat());
    journal.write_all(rest.as_bytes()).unwrap();
    terminal.wait_until("episodes of the other run", |contents| {
        contents.contains("1 second") && !contents.contains("no episode yet")
    });
    terminal.keys("q");
    assert_eq!(terminal.wait_exit(), 0);
}

#[test]
fn a_damaged_run_is_said_to_be_and_does_the_screen_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), "first", &lines("first"), &[]);
    let mut damaged = lines("second");
    let place = damaged.len() - 5;
    damaged[place] = "no record\n".to_owned();
    run(folder.path(), "second", &damaged, &[]);
    let arguments = ["attach", "first", "--with", "second"];
    let variables = [("NO_COLOR", "1")];
    let mut terminal = Terminal::start_with(&variables, &arguments, folder.path(), 80, 24);
    terminal.wait_for("1 second damaged");
    terminal.wait_for("COMPLETED");
    terminal.keys("D");
    terminal.wait_for("damaged:");
    close(&mut terminal);
    terminal.keys("q");
    assert_eq!(terminal.wait_exit(), 0);
    terminal.assert_restored();
}

#[test]
fn a_damaged_run_that_is_shown_is_unreadable_and_its_damage_is_told_once_it_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let mut damaged = lines("first");
    let place = damaged.len() - 5;
    damaged[place] = "no record\n".to_owned();
    run(folder.path(), "first", &damaged, &[]);
    let mut terminal = Terminal::start(&["attach", "first"], folder.path(), 80, 24);
    terminal.wait_for(&format!(" UNREADABLE journal.jsonl, line {}", place + 1));
    terminal.keys("q");
    assert_eq!(terminal.wait_exit(), 2);
    terminal.wait_for("nas-tui: runs/first/journal.jsonl, line");
    terminal.assert_restored();
    let lines_only = [("TERM", "dumb")];
    let attach = ["attach", "first"];
    let mut terminal = Terminal::start_with(&lines_only, &attach, folder.path(), 80, 24);
    assert_eq!(terminal.wait_exit(), 2);
    let said = terminal.contents();
    assert_eq!(said.matches("journal is damaged").count(), 1, "{said}");
}

#[test]
fn a_run_that_cannot_be_compared_is_refused_before_the_screen_opens() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), "first", &lines("first"), &[]);
    let refused = |with: &[&str], why: &str| {
        let with = with.iter().flat_map(|run| ["--with", *run]);
        let arguments: Vec<&str> = ["attach", "first"].into_iter().chain(with).collect();
        let mut terminal = Terminal::start(&arguments, folder.path(), 200, 24);
        assert_eq!(terminal.wait_exit(), 2, "{}", terminal.contents());
        terminal.wait_for(why);
        terminal.assert_restored();
    };
    refused(&["firts"], "there is no run");
    refused(&["first"], "that is the run shown");
    refused(&["first"; 5], "at most 4 runs");
}

#[test]
fn a_replay_shows_no_other_run_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), "first", &lines("first"), &[]);
    let arguments = ["replay", "--sample"];
    let mut terminal = Terminal::start(&arguments, folder.path(), 80, 24);
    terminal.wait_for("REPLAY");
    terminal.keys("R");
    terminal.wait_for(" 1/1 ");
    terminal.keys("\r");
    terminal.wait_for("nas-tui attach shows other runs");
    close(&mut terminal);
    terminal.keys("q");
    assert_eq!(terminal.wait_exit(), 0);
}

#[cfg(feature = "torch")]
#[test]
fn a_search_goes_on_while_its_screen_shows_another_run_and_closing_that_leads_back() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), "first", &lines("first"), &[]);
    let mut terminal = Terminal::search(folder.path());
    terminal.wait_for("RUNNING");
    terminal.wait_for("loss");
    terminal.keys("R");
    terminal.wait_for(" 2/2 ");
    terminal.keys("\r");
    terminal.wait_for("COMPLETED");
    terminal.wait_for("back");
    let pid = super::terminal::engine(&folder.path().join("run"));
    assert!(pid.is_some());
    terminal.keys("q");
    terminal.wait_for("Leave the screen?");
    terminal.wait_for("RUNNING");
    terminal.keys("c");
    terminal.wait_until("no question", |contents| {
        !contents.contains("Leave the screen?")
    });
    assert_eq!(super::terminal::engine(&folder.path().join("run")), pid);
    terminal.keys("q");
    terminal.wait_for("Leave the screen?");
    terminal.keys("s");
    assert_eq!(terminal.wait_exit(), 130);
    terminal.assert_restored();
    terminal.wait_for("search --resume");
}
