//! A search in a terminal: what a user sees, and the state of the terminal afterwards.

use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
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
fn the_mouse_focuses_a_panel_and_the_title_tells_how_the_run_stands() {
    let folder = folder();
    let mut terminal = Terminal::search(folder.path());
    terminal.wait_for("RUNNING");
    terminal.wait_for("━ Reward");
    assert_eq!(
        terminal.mouse_mode(),
        vt100::MouseProtocolMode::ButtonMotion
    );
    terminal.wait_until("title", |_| {
        terminal.has_sent("\x1b]2;RUNNING 0 % - run\x07")
    });
    let contents = terminal.contents();
    let mut rows = contents.lines();
    let log = rows.position(|row| row.contains(" Log ")).unwrap() + 1;
    // The left button goes down and up (xterm's SGR reports).
    terminal.keys(&format!("\x1b[<0;5;{log}M\x1b[<0;5;{log}m"));
    terminal.wait_for("━ Log");
    terminal.keys("q");
    terminal.wait_for("Leave the screen?");
    let contents = terminal.contents();
    let stop = contents.lines().position(|row| row.contains("stop after"));
    terminal.keys(&format!("\x1b[<0;40;{}M", stop.unwrap() + 1));
    assert_eq!(terminal.wait_exit(), 130);
    terminal.assert_restored();
}

#[test]
fn mouse_and_title_are_left_alone_if_the_settings_say_so() {
    let folder = folder();
    let mut arguments = Terminal::SEARCH.to_vec();
    arguments.extend(["--set", "screen.mouse=false", "--set", "screen.title=false"]);
    let mut terminal = Terminal::start(&arguments, folder.path(), 80, 24);
    terminal.wait_for("RUNNING");
    terminal.keys("\x03");
    terminal.wait_for("Leave the screen?");
    terminal.keys("s");
    assert_eq!(terminal.wait_exit(), 130);
    for sequence in ["\x1b[?1000", "\x1b[?1002", "\x1b]2;", ";2t"] {
        assert!(!terminal.has_sent(sequence), "{sequence:?}");
    }
}

#[test]
fn a_key_is_answered_at_once() {
    let folder = folder();
    let mut terminal = Terminal::search(folder.path());
    terminal.wait_for("loss");
    let mut slowest = Duration::ZERO;
    for _ in 0..5 {
        for (key, shown) in [("a", "━ Accuracy"), ("a", "━ Reward")] {
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

#[test]
fn all_screens_say_that_the_run_directory_was_moved_and_go_on_when_it_is_back() {
    let folder = folder();
    let (run, elsewhere) = (folder.path().join("run"), folder.path().join("elsewhere"));
    let mut first = Terminal::search(folder.path());
    first.wait_for("RUNNING");
    let second = Terminal::start(&["attach", "run", "--watch"], folder.path(), 200, 50);
    second.wait_for("RUNNING");
    std::fs::rename(&run, &elsewhere).unwrap();
    for screen in [&first, &second] {
        screen.wait_for("BLOCKED");
        screen.wait_for("has been moved");
    }
    std::fs::rename(&elsewhere, &run).unwrap();
    for screen in [&first, &second] {
        screen.wait_for("RUNNING");
    }
    first.keys("q");
    first.wait_for("Leave the screen?");
    first.keys("s");
    assert_eq!(first.wait_exit(), 130);
}

/// Attach to the run in `folder` on a large terminal that takes this many bytes, then none, and
/// then closes. Returns the exit status of the screen.
fn attach_until_the_terminal_closes(folder: &Path, bytes: usize) -> u32 {
    let size = PtySize {
        rows: 150,
        cols: 400,
        pixel_width: 0,
        pixel_height: 0,
    };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_nas-tui"));
    command.args(["attach", "run"]);
    command.cwd(folder);
    command.env("TERM", "xterm-256color");
    command.env("LC_ALL", "C.UTF-8");
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    reader.read_exact(&mut vec![0; bytes]).unwrap();
    // The screen goes on drawing until the terminal takes no more, in the middle of a frame.
    std::thread::sleep(Duration::from_millis(500));
    drop(reader);
    drop(pair.master);
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.exit_code();
        }
        if begin.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("the screen goes on without its terminal ({bytes} bytes)");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_terminal_that_closes_within_a_frame_ends_its_screen_and_not_the_search() {
    let folder = folder();
    let run = folder.path().join("run");
    let search = Terminal::search(folder.path());
    search.wait_for("RUNNING");
    let pid = engine(&run);
    for bytes in [1, 50, 1_000, 10_000] {
        let status = attach_until_the_terminal_closes(folder.path(), bytes);
        assert_eq!(status, 130, "after {bytes} bytes");
    }
    assert!(pid.is_some() && engine(&run) == pid);
    search.wait_for("RUNNING");
}

#[test]
fn a_terminal_that_can_only_print_lines_gets_lines_and_a_notice() {
    let folder = folder();
    let run = folder.path().join("runs/recorded");
    std::fs::create_dir_all(&run).unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-demo.jsonl");
    std::fs::copy(fixture, run.join("journal.jsonl")).unwrap();
    let dumb = [("TERM", "dumb")];
    for (arguments, line, last) in [
        (
            &["attach", "recorded"][..],
            ": loss ",
            "trend of the mean reward",
        ),
        (
            &["replay", "recorded", "--speed", "1e5"],
            ": sampled ",
            "run completed",
        ),
        (
            &["replay", "--sample", "--speed", "1e5"],
            "child 160: ",
            "run completed",
        ),
    ] {
        let mut terminal = Terminal::start_with(&dumb, arguments, folder.path(), 200, 200);
        terminal.wait_until("line", |contents| contents.contains(line));
        assert_eq!(terminal.wait_exit(), 0, "{arguments:?}");
        assert!(
            terminal.contents().contains(last),
            "{}",
            terminal.contents()
        );
        assert!(terminal.has_sent("(TERM=dumb) cannot show the screen: lines are printed"));
        assert!(!terminal.has_sent("\x1b["), "no escape sequence");
    }
}

#[test]
fn a_terminal_that_hangs_up_without_a_signal_ends_the_screen() {
    let folder = folder();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    std::fs::create_dir(folder.path().join("run")).unwrap();
    let journal = folder.path().join("run/journal.jsonl");
    std::fs::copy(fixtures.join("fixtures/journal-demo.jsonl"), journal).unwrap();
    let script = fixtures.join("it/screen_pty/hang_up.py");
    let hung_up = std::process::Command::new("python3")
        .arg(script)
        .arg(env!("CARGO_BIN_EXE_nas-tui"))
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&hung_up.stdout), "ended\n");
}
