//! The real program in a pseudo-terminal, for tests that look at its screen and type.

// Without libtorch there is no search to watch, and there are fewer tests.
#![cfg_attr(not(feature = "torch"), allow(dead_code))]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nas_tui::runs::directory::lock_state;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// Generous: the machine that runs the tests may be busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// A program in its own terminal. A search that it began in the folder `run` ends with it.
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
    /// What the screen shows.
    bytes: Vec<u8>,
    /// What came after it and is not shown yet: part of a frame.
    held: Vec<u8>,
}

/// Begin and end of an update that is shown as a whole (mode 2026).
const UPDATE: [&[u8]; 2] = [b"\x1b[?2026h", b"\x1b[?2026l"];

impl Output {
    /// Like a terminal that knows synchronised updates, which are never seen half drawn.
    fn take(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
        loop {
            let shown: Vec<u8> = self.held.drain(..to_show(&self.held)).collect();
            if shown.is_empty() {
                return;
            }
            self.screen.process(&shown);
            self.bytes.extend_from_slice(&shown);
        }
    }
}

/// How many of these bytes can be shown: a whole update, or what comes before the next one.
fn to_show(bytes: &[u8]) -> usize {
    let [begin, end] = UPDATE;
    let find = |sought: &[u8]| bytes.windows(sought.len()).position(|part| part == sought);
    if bytes.starts_with(begin) {
        return find(end).map_or(0, |at| at + end.len());
    }
    let begun = (1..begin.len()).find(|cut| bytes.ends_with(&begin[..*cut]));
    find(begin).unwrap_or(bytes.len() - begun.unwrap_or(0))
}

impl Terminal {
    /// Start `nas-tui` with `arguments` in `folder`.
    pub fn start(arguments: &[&str], folder: &Path, columns: u16, rows: u16) -> Terminal {
        Terminal::start_with(&[], arguments, folder, columns, rows)
    }

    /// The same with these variables in the environment.
    pub fn start_with(
        variables: &[(&str, &str)],
        arguments: &[&str],
        folder: &Path,
        columns: u16,
        rows: u16,
    ) -> Terminal {
        let program = env!("CARGO_BIN_EXE_nas-tui");
        Terminal::start_program(program, variables, arguments, folder, columns, rows)
    }

    /// The same with another program, such as a shell.
    pub fn start_program(
        program: &str,
        variables: &[(&str, &str)],
        arguments: &[&str],
        folder: &Path,
        columns: u16,
        rows: u16,
    ) -> Terminal {
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system()
            .openpty(size)
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.cwd(folder);
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        command.env("XDG_STATE_HOME", folder.join("state"));
        command.env_remove("NO_COLOR");
        variables
            .iter()
            .for_each(|(name, value)| command.env(name, value));
        let modes_before = modes(&*pair.master);
        let child = pair
            .slave
            .spawn_command(command)
            .expect("the program starts");
        let mut reader = pair
            .master
            .try_clone_reader()
            .expect("the output can be read");
        let output = Arc::new(Mutex::new(Output {
            screen: vt100::Parser::new(rows, columns, 0),
            bytes: Vec::new(),
            held: Vec::new(),
        }));
        let writer = Arc::clone(&output);
        std::thread::spawn(move || {
            let mut bytes = [0; 65_536];
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                writer
                    .lock()
                    .expect("no reader panics")
                    .take(&bytes[..length]);
            }
        });
        let keyboard = pair.master.take_writer().expect("keys can be typed");
        Terminal {
            folder: folder.to_owned(),
            child,
            master: pair.master,
            keyboard,
            output,
            modes_before,
        }
    }

    /// The arguments of a search that lasts longer than any test.
    pub const SEARCH: [&str; 9] = [
        "search",
        "--preset",
        "demo",
        "--run",
        "run",
        "--set",
        "workers.count=1",
        "--set",
        "child.epochs=200",
    ];

    /// This search in a terminal of 80 x 24.
    pub fn search(folder: &Path) -> Terminal {
        Terminal::start(&Terminal::SEARCH, folder, 80, 24)
    }

    pub fn keys(&mut self, keys: &str) {
        self.keyboard
            .write_all(keys.as_bytes())
            .expect("the terminal takes keys");
    }

    pub fn contents(&self) -> String {
        self.output
            .lock()
            .expect("no reader panics")
            .screen
            .screen()
            .contents()
    }

    /// Whether it has written `text`, as bytes.
    pub fn has_sent(&self, text: &str) -> bool {
        let output = self.output.lock().expect("no reader panics");
        String::from_utf8_lossy(&output.bytes).contains(text)
    }

    /// What of the mouse is reported.
    pub fn mouse_mode(&self) -> vt100::MouseProtocolMode {
        let output = self.output.lock().expect("no reader panics");
        output.screen.screen().mouse_protocol_mode()
    }

    /// Whether pasted text comes between marks.
    pub fn pastes_between_marks(&self) -> bool {
        let output = self.output.lock().expect("no reader panics");
        output.screen.screen().bracketed_paste()
    }

    pub fn sent(&self) -> usize {
        self.output.lock().expect("no reader panics").bytes.len()
    }

    /// Wait until the screen shows `text`.
    pub fn wait_for(&self, text: &str) {
        self.wait_until(&format!("{text:?} on the screen"), |contents| {
            contents.contains(text)
        });
    }

    pub fn wait_until(&self, what: &str, holds: impl Fn(&str) -> bool) {
        let start = Instant::now();
        while !holds(&self.contents()) {
            assert!(
                start.elapsed() < PATIENCE,
                "no {what} in:\n{}",
                self.contents()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.output
            .lock()
            .expect("no reader panics")
            .screen
            .screen_mut()
            .set_size(rows, columns);
        self.master
            .resize(PtySize {
                rows,
                cols: columns,
                pixel_width: 0,
                pixel_height: 0,
            })
            .expect("a new size");
    }

    pub fn signal(&self, signal: Signal) {
        let pid = self
            .child
            .process_id()
            .expect("the program has a process id");
        kill_process(Pid::from_raw(pid as i32).unwrap(), signal).unwrap();
    }

    /// Wait for the end of the program and return its exit status.
    pub fn wait_exit(&mut self) -> u32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self
                .child
                .try_wait()
                .expect("the program can be waited for")
            {
                // The last output may still be on its way.
                std::thread::sleep(Duration::from_millis(200));
                return status.exit_code();
            }
            assert!(
                start.elapsed() < PATIENCE,
                "still running:\n{}",
                self.contents()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Check that the terminal is restored: main screen, cursor visible, no attributes, modes as
    /// before.
    pub fn assert_restored(&self) {
        let output = self.output.lock().expect("no reader panics");
        let screen = output.screen.screen();
        assert!(
            !screen.alternate_screen(),
            "the alternate screen is still shown"
        );
        assert!(!screen.hide_cursor(), "the cursor is still hidden");
        assert_eq!(
            screen.mouse_protocol_mode(),
            vt100::MouseProtocolMode::None,
            "the mouse is still reported"
        );
        assert!(
            !screen.bracketed_paste(),
            "marks still come around pasted text"
        );
        let sent = String::from_utf8_lossy(&output.bytes);
        let count = |sequence| sent.matches(sequence).count();
        assert_eq!(
            count("\x1b[22;2t"),
            count("\x1b[23;2t"),
            "the title is not restored"
        );
        assert!(
            !screen.bold() && screen.fgcolor() == vt100::Color::Default,
            "the pen is not plain"
        );
        assert_eq!(
            modes(&*self.master),
            self.modes_before,
            "the terminal's modes differ"
        );
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        // The process that holds the lock of a run made by this test.
        if let Some(pid) = engine(&self.folder.join("run")).and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
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
