//! A search in a terminal: what a user sees, and the state of the terminal afterwards.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::terminal::{Terminal, engine};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

#[test]
fn a_user_pauses_resizes_asks_for_help_and_stops() {
    let folder = folder();
    let mut terminal = Terminal::search(folder.path());
    terminal.wait_for("RUNNING");
    terminal.wait_for("loss");
    for panel in ["Reward", "DNA child 1", "Log", "cpu 0"] {
        terminal.wait_for(panel);
    }

    terminal.keys(" ");
    terminal.wait_for("PAUSED");
    // Once the measurements have settled nothing changes, and nothing is sent.
    std::thread::sleep(Duration::from_secs(7));
    let sent = terminal.sent();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(
        terminal.sent(),
        sent,
        "bytes were sent while nothing changed"
    );
    terminal.keys(" ");
    terminal.wait_for("RUNNING");

    terminal.resize(120, 40);
    terminal.wait_until("footer in the new last row", |contents| {
        contents
            .lines()
            .nth(39)
            .is_some_and(|row| row.contains("quit"))
    });
    terminal.resize(40, 10);
    terminal.wait_for("needs 60 x 15");
    terminal.resize(80, 24);
    terminal.wait_for("DNA child 1");

    terminal.keys("?");
    terminal.wait_for("pause or resume the run");
    terminal.keys("\x1b");
    terminal.wait_until("panels without help", |contents| {
        !contents.contains("pause or resume the run")
    });

    terminal.keys("q");
    terminal.wait_for("Leave the screen?");
    terminal.keys("c");
    terminal.wait_until("panels without a question", |contents| {
        !contents.contains("Leave the screen?")
    });

    terminal.keys("\x03");
    terminal.wait_for("Leave the screen?");
    terminal.keys("s");
    assert_eq!(terminal.wait_exit(), 130);
    terminal.assert_restored();
    terminal.wait_for("search --resume");
}

#[test]
fn a_key_is_answered_at_once() {
    let folder = folder();
    let mut terminal = Terminal::search(folder.path());
    terminal.wait_for("loss");
    let mut slowest = Duration::ZERO;
    for _ in 0..5 {
        for (key, shown) in [("a", "Validation accuracy"), ("a", "Reward")] {
            let start = Instant::now();
            terminal.keys(key);
            terminal.wait_for(shown);
            slowest = slowest.max(start.elapsed());
        }
    }
    // 50 ms on a quiet machine with training on every core, but a machine that runs all tests at
    // once is not quiet.
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
}

#[test]
fn signals_restore_the_terminal_and_leave_the_search_running() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let folder = folder();
        let mut terminal = Terminal::search(folder.path());
        terminal.wait_for("RUNNING");
        terminal.signal(signal);
        assert_eq!(terminal.wait_exit(), 130, "after {signal:?}");
        terminal.assert_restored();
        terminal.wait_for("the search continues (pid ");
        assert!(
            engine(&folder.path().join("run")).is_some(),
            "after {signal:?}"
        );
    }
}

#[test]
fn suspending_restores_the_terminal_and_continuing_takes_it_over_again() {
    let folder = folder();
    let mut terminal = Terminal::search(folder.path());
    terminal.wait_for("RUNNING");
    // The program leads its own session here, so that no shell could continue it: Ctrl-Z must not
    // stop it for good.
    terminal.keys("\x1a");
    terminal.wait_for("RUNNING");
    // A stop from outside, after which a shell has reset the terminal's modes.
    terminal.signal(Signal::STOP);
    terminal.signal(Signal::CONT);
    terminal.keys("q");
    terminal.wait_for("Leave the screen?");
    terminal.keys("s");
    assert_eq!(terminal.wait_exit(), 130);
    terminal.assert_restored();
}

#[test]
fn an_error_before_the_first_frame_leaves_the_terminal_alone() {
    let folder = folder();
    let mut terminal = Terminal::start(
        &["search", "--set", "child.epochs=never"],
        folder.path(),
        80,
        24,
    );
    assert_eq!(terminal.wait_exit(), 2);
    terminal.assert_restored();
    terminal.wait_for("child.epochs");
}
