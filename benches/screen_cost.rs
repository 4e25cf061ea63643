//! The cost of watching the screen: bytes sent to the terminal, processor time, and how soon a key
//! is answered.
//!
//! ```text
//! cargo bench --bench screen_cost                      # a replay of the recorded demo run, one
//! record a second, from beginning to end: ten minutes
//! cargo bench --bench screen_cost -- htop -d 10        # any other program, measured the same way
//! ```
//!
//! The real program runs in a pseudo-terminal. Keys are timed while a real search trains on every
//! core.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

const PROGRAM: &str = env!("CARGO_BIN_EXE_nas-tui");
/// Sizes of the terminal, and the most bytes per second.
const SIZES: [(u16, u16, f64); 2] = [(80, 24, 200.0), (200, 50, 400.0)];
/// Seconds of warm-up (the first frame, the first measurements) and of measuring: of another program for a minute,
/// of a replay until shortly before the recorded search ends.
const WARM_UP: u64 = 15;
const SECONDS: u64 = 60;
const REPLAY_SECONDS: u64 = 580;
const STILL_SECONDS: u64 = 10;
const KEYS: usize = 200;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    println!(
        "{:<34} {:>7} {:>9} {:>12} {:>10}",
        "", "size", "bytes/s", "% of a core", "resident"
    );
    if let Some((program, rest)) = arguments.split_first() {
        for (columns, rows, _) in SIZES {
            let mut screen = Screen::start(
                program,
                &rest.iter().map(String::as_str).collect::<Vec<_>>(),
                columns,
                rows,
            );
            report(&arguments.join(" "), &mut screen, SECONDS, None);
        }
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = folder.path().join("run");
    copy_run(&run);
    let run = run.to_string_lossy().into_owned();
    let measured = SIZES.map(|(columns, rows, budget)| {
        let run = run.clone();
        thread::spawn(move || replay(&run, (columns, rows), budget))
    });
    let mut within = true;
    for size in measured {
        within &= size.join().expect("a replay");
    }
    within &= keys(folder.path(), &run);
    if !within {
        println!("OVER BUDGET");
        std::process::exit(1);
    }
}

/// Measure a replay of the recorded search, and its screen while it is paused; returns whether both are within the budget.
fn replay(run: &str, (columns, rows): (u16, u16), budget: f64) -> bool {
    let mut screen = Screen::start(PROGRAM, &["replay", run, "--rate", "1"], columns, rows);
    let name = "replay, one record a second";
    let is_within = report(name, &mut screen, REPLAY_SECONDS, Some(budget));
    screen.key(" ");
    screen.read_for(Duration::from_secs(8));
    let still = screen.read_for(Duration::from_secs(STILL_SECONDS));
    println!("{:<34} {:>7} {:>9}", "  the same, paused", "", still);
    is_within && still == 0
}

/// Measure bytes and processor time for so many seconds; returns whether they are within the budget
/// (bytes per second, half a percent of a core).
fn report(name: &str, screen: &mut Screen, seconds: u64, budget: Option<f64>) -> bool {
    screen.read_for(Duration::from_secs(WARM_UP));
    let (before, start) = (screen.processor_seconds(), Instant::now());
    let bytes = screen.read_for(Duration::from_secs(seconds));
    let seconds = start.elapsed().as_secs_f64();
    let share = (screen.processor_seconds() - before) / seconds;
    let rate = bytes as f64 / seconds;
    let (columns, rows) = screen.size;
    let size = format!("{columns}x{rows}");
    println!(
        "{name:<34} {size:>7} {rate:>9.0} {:>12.2} {:>6.0} MiB",
        share * 100.0,
        screen.resident_mebibytes()
    );
    budget.is_none_or(|budget| rate <= budget && share < 0.005)
}

/// How soon a key is answered while a search trains on every core.
fn keys(folder: &Path, run: &str) -> bool {
    let mut search = Command::new(PROGRAM)
        .args([
            "search",
            "--headless",
            "--run",
            "busy",
            "--set",
            "child.epochs=500",
        ])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the search starts");
    let mut screen = Screen::start(PROGRAM, &["replay", run, "--rate", "1"], 120, 40);
    screen.read_for(Duration::from_secs(WARM_UP));
    let mut times: Vec<f64> = (0..KEYS)
        .filter_map(|index| screen.answer_time(index))
        .collect();
    let _ = search.kill();
    let _ = search.wait();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize] * 1e3;
    println!(
        "a key is answered, every core training: median {:.1} ms, 99 % {:.1} ms, longest {:.1} ms, {} of {KEYS} keys",
        at(0.5),
        at(0.99),
        at(1.0),
        times.len()
    );
    times.len() == KEYS && at(0.99) <= 10.0
}

fn copy_run(run: &Path) {
    std::fs::create_dir(run).expect("a folder for the run");
    let journal = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-demo.jsonl");
    std::fs::copy(journal, run.join("journal.jsonl")).expect("the recorded journal");
    std::fs::copy(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("config.toml"),
        run.join("config.toml"),
    )
    .expect("settings");
}

/// A program in its own terminal.
struct Screen {
    child: Box<dyn Child + Send + Sync>,
    _master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    /// Lengths of its writes, with the times at which they arrived.
    output: Receiver<(Instant, usize)>,
    size: (u16, u16),
}

impl Screen {
    fn start(program: &str, arguments: &[&str], columns: u16, rows: u16) -> Screen {
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
        command.cwd(std::env::temp_dir());
        for (name, value) in [
            ("TERM", "xterm-256color"),
            ("COLORTERM", "truecolor"),
            ("LC_ALL", "C.UTF-8"),
        ] {
            command.env(name, value);
        }
        let child = pair
            .slave
            .spawn_command(command)
            .expect("the program starts");
        let mut reader = pair.master.try_clone_reader().expect("its output");
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 65_536];
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                if sender.send((Instant::now(), length)).is_err() {
                    return;
                }
            }
        });
        let keyboard = pair.master.take_writer().expect("its keyboard");
        Screen {
            child,
            _master: pair.master,
            keyboard,
            output,
            size: (columns, rows),
        }
    }

    fn key(&mut self, key: &str) {
        self.keyboard
            .write_all(key.as_bytes())
            .expect("the terminal takes keys");
        self.keyboard.flush().expect("the terminal takes keys");
    }

    /// Bytes written within `time`.
    fn read_for(&mut self, time: Duration) -> usize {
        let end = Instant::now() + time;
        let mut bytes = 0;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            bytes += self
                .output
                .recv_timeout(left)
                .map_or(0, |(_, length)| length);
        }
        bytes
    }

    /// Seconds until the screen changes after a key that always changes it, pressed when the screen
    /// is quiet.
    fn answer_time(&mut self, index: usize) -> Option<f64> {
        // Neither in step with the screen's clock nor always at the same distance from it.
        self.read_for(Duration::from_millis(97 + (index as u64 * 61) % 190));
        let pressed = Instant::now();
        self.key("\t");
        let (answered, _) = self.output.recv_timeout(Duration::from_secs(5)).ok()?;
        Some(answered.saturating_duration_since(pressed).as_secs_f64())
    }

    /// User and system time of the program so far, all threads.
    fn processor_seconds(&self) -> f64 {
        let pid = self.child.process_id().unwrap_or(0);
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap_or("")
            .split_whitespace()
            .collect();
        let ticks: f64 = [11, 12]
            .iter()
            .filter_map(|index| fields.get(*index)?.parse::<f64>().ok())
            .sum();
        ticks / rustix::param::clock_ticks_per_second() as f64
    }

    fn resident_mebibytes(&self) -> f64 {
        let pid = self.child.process_id().unwrap_or(0);
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok())
            .unwrap_or(0.0)
            / 1024.0
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
