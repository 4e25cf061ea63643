//! The real program in a pseudo-terminal: what a user sees, and what is left of the terminal afterwards.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nas_tui::runs::directory::lock_state;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Generous: the machine that runs the tests may be busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// A program in a terminal of its own. A search that it began in the folder `run` ends with it.
pub struct Terminal {
    folder: PathBuf,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    output: Arc<Mutex<Output>>,
    modes_before: String,
}

/// What the program has written so far.
struct Output {
    screen: vt100::Parser,
    bytes: Vec<u8>,
}

impl Terminal {
    /// Start `nas-tui` with `arguments` in `folder`.
    pub fn start(arguments: &[&str], folder: &Path, columns: u16, rows: u16) -> Terminal {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_nas-tui"));
        command.args(arguments);
        command.cwd(folder);
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        command.env("XDG_STATE_HOME", folder.join("state"));
        command.env_remove("NO_COLOR");
        let modes_before = modes(&*pair.master);
        let child = pair.slave.spawn_command(command).expect("the program starts");
        let mut reader = pair.master.try_clone_reader().expect("the output can be read");
        let output = Arc::new(Mutex::new(Output { screen: vt100::Parser::new(rows, columns, 0), bytes: Vec::new() }));
        let writer = Arc::clone(&output);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                let mut output = writer.lock().expect("no reader panics");
                output.screen.process(&bytes[..length]);
                output.bytes.extend_from_slice(&bytes[..length]);
            }
        });
        let keyboard = pair.master.take_writer().expect("keys can be typed");
        Terminal { folder: folder.to_owned(), child, master: pair.master, keyboard, output, modes_before }
    }

    /// A search that lasts longer than any test, in a terminal of 80 x 24.
    pub fn search(folder: &Path) -> Terminal {
        let arguments = ["search", "--preset", "demo", "--run", "run", "--set", "workers.count=1", "--set", "child.epochs=200"];
        Terminal::start(&arguments, folder, 80, 24)
    }

    pub fn keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    pub fn contents(&self) -> String {
        self.output.lock().expect("no reader panics").screen.screen().contents()
    }

    fn sent(&self) -> usize {
        self.output.lock().expect("no reader panics").bytes.len()
    }

    /// Wait until the screen shows `text`.
    pub fn wait_for(&self, text: &str) {
        self.wait_until(&format!("{text:?} on the screen"), |contents| contents.contains(text));
    }

    fn wait_until(&self, what: &str, holds: impl Fn(&str) -> bool) {
        let start = Instant::now();
        while !holds(&self.contents()) {
            assert!(start.elapsed() < PATIENCE, "no {what} in:\n{}", self.contents());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        self.output.lock().expect("no reader panics").screen.screen_mut().set_size(rows, columns);
        self.master.resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).expect("a new size");
    }

    pub fn signal(&self, signal: i32) {
        let pid = self.child.process_id().expect("the program has a process id");
        // SAFETY: kill touches no memory; the process is our own child and has not been waited for.
        assert_eq!(unsafe { libc::kill(pid as i32, signal) }, 0);
    }

    /// Wait for the end of the program: its exit status.
    pub fn wait_exit(&mut self) -> u32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the program can be waited for") {
                // What was written last may still be on its way.
                std::thread::sleep(Duration::from_millis(200));
                return status.exit_code();
            }
            assert!(start.elapsed() < PATIENCE, "still running:\n{}", self.contents());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The terminal is as it was: main screen, cursor visible, no attributes, modes as before.
    pub fn assert_restored(&self) {
        let output = self.output.lock().expect("no reader panics");
        let screen = output.screen.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is still shown");
        assert!(!screen.hide_cursor(), "the cursor is still hidden");
        assert!(!screen.bold() && screen.fgcolor() == vt100::Color::Default, "the pen is not plain");
        assert_eq!(modes(&*self.master), self.modes_before, "the terminal's modes differ");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        if let Some(pid) = engine(&self.folder.join("run")) {
            // SAFETY: kill touches no memory; the process holds the lock of a run that this test made.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
    }
}

/// The process that works on a run.
pub fn engine(run: &Path) -> Option<i32> {
    lock_state(run)?.split_whitespace().nth(1)?.parse().ok()
}

/// The line discipline's settings, as text.
fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("a terminal has modes"))
}

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
    // The measurements settle; then nothing changes, and nothing is sent.
    std::thread::sleep(Duration::from_secs(7));
    let sent = terminal.sent();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(terminal.sent(), sent, "bytes were sent while nothing changed");
    terminal.keys(" ");
    terminal.wait_for("RUNNING");

    terminal.resize(120, 40);
    terminal.wait_until("footer in the new last row", |contents| contents.lines().nth(39).is_some_and(|row| row.contains("quit")));
    terminal.resize(40, 10);
    terminal.wait_for("needs 60 x 15");
    terminal.resize(80, 24);
    terminal.wait_for("DNA child 1");

    terminal.keys("?");
    terminal.wait_for("pause or resume (the search");
    terminal.keys("\x1b");
    terminal.wait_until("panels without help", |contents| !contents.contains("pause or resume (the search"));

    terminal.keys("q");
    terminal.wait_for("Leave the screen?");
    terminal.keys("c");
    terminal.wait_until("panels without a question", |contents| !contents.contains("Leave the screen?"));

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
    // 50 ms on a quiet machine, with training on every core; the machine that runs all tests at once is not quiet.
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
}

#[test]
fn signals_leave_the_terminal_as_it_was_and_the_search_at_work() {
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
        let folder = folder();
        let mut terminal = Terminal::search(folder.path());
        terminal.wait_for("RUNNING");
        terminal.signal(signal);
        assert_eq!(terminal.wait_exit(), 130, "after signal {signal}");
        terminal.assert_restored();
        terminal.wait_for("the search goes on (pid ");
        assert!(engine(&folder.path().join("run")).is_some(), "after signal {signal}");
    }
}

#[test]
fn suspending_gives_the_terminal_back_and_continuing_takes_it_again() {
    let folder = folder();
    let mut terminal = Terminal::search(folder.path());
    terminal.wait_for("RUNNING");
    // The program leads its own session here, so that no shell could continue it: Ctrl-Z must not stop it for good.
    terminal.keys("\x1a");
    terminal.wait_for("RUNNING");
    // A stop from outside, after which a shell has reset the terminal's modes.
    terminal.signal(libc::SIGSTOP);
    terminal.signal(libc::SIGCONT);
    terminal.keys("q");
    terminal.wait_for("Leave the screen?");
    terminal.keys("s");
    assert_eq!(terminal.wait_exit(), 130);
    terminal.assert_restored();
}

#[test]
fn an_error_before_the_first_frame_leaves_the_terminal_alone() {
    let folder = folder();
    let mut terminal = Terminal::start(&["search", "--set", "child.epochs=never"], folder.path(), 80, 24);
    assert_eq!(terminal.wait_exit(), 2);
    terminal.assert_restored();
    terminal.wait_for("child.epochs");
}
