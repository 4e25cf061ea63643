//! One worker process and the threads that read its output.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGABRT, SIGBUS, SIGILL, SIGKILL, SIGSEGV, SIGTERM};

use super::environment;
use super::protocol::{FromWorker, ToWorker};
use crate::foundation::fault;
use crate::foundation::spawning;
use crate::foundation::thread::spawn;

/// Number of lines of standard error kept to explain a death.
const LAST_LINES: usize = 5;
/// Maximum length in bytes of a line of standard error that is kept.
const LONGEST_LINE: usize = 500;
/// Maximum length in bytes of a message. What is longer is none.
const LONGEST_MESSAGE: u64 = 1 << 20;
/// Time for a process to end after its output has, and for the rest of its standard error to be
/// read.
const ENDING: Duration = Duration::from_secs(1);
/// Time for the system to kill a process: it may hold much memory, or a GPU.
const KILLING: Duration = Duration::from_secs(30);

/// What the threads of a process report to their owner.
#[derive(Debug)]
pub enum FromProcess {
    Said(FromWorker),
    /// A line of standard output that is not a message: the process can no longer be trusted.
    Nonsense(String),
    /// A line of its standard error.
    Printed(String),
    /// Standard output has ended: the process is dead or dying.
    Ended,
}

/// A running `nas-tui worker`. Killed when dropped.
pub struct Process {
    child: Child,
    /// Messages for its standard input, written by a thread: a stopped process reads nothing, and
    /// must not stop its owner as well.
    messages: Option<Sender<Vec<u8>>>,
    last_lines: Arc<Mutex<VecDeque<String>>>,
    printing: Option<JoinHandle<()>>,
}

impl Process {
    /// Start `program worker` with `threads` CPU threads, one of `sharing` workers on its device;
    /// `tell` is called from the threads that read its output.
    pub fn spawn(
        program: &Path,
        threads: usize,
        sharing: usize,
        tell: impl Fn(FromProcess) + Send + Clone + 'static,
    ) -> std::io::Result<Process> {
        let mut command = Command::new(program);
        command
            .arg("worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        environment::of_training(&mut command, threads, sharing);
        spawning::die_with_this_process(&mut command);
        spawning::leave_terminal_signals(&mut command);
        let mut child = command.spawn()?;
        let missing = || std::io::Error::other("a pipe of the worker is missing");
        let (mut stdin, stdout) = (
            child.stdin.take().ok_or_else(missing)?,
            child.stdout.take().ok_or_else(missing)?,
        );
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let last_lines = Arc::new(Mutex::new(VecDeque::new()));
        let (messages, lines): (_, Receiver<Vec<u8>>) = channel();
        let mut process = Process {
            child,
            messages: Some(messages),
            last_lines: last_lines.clone(),
            printing: None,
        };
        let tell_lines = tell.clone();
        let print = move || read_lines(stderr, |line| keep_line(&last_lines, &line, &tell_lines));
        process.printing = Some(spawn("nas-worker-err", print)?);
        spawn("nas-worker-in", move || {
            let mut lines = lines.into_iter();
            // An error means that the process is dying.
            let _ = lines.try_for_each(|line| stdin.write_all(&line));
        })?;
        spawn("nas-worker-out", move || {
            read_lines(stdout, |line| match serde_json::from_str(&line) {
                Ok(message) => tell(FromProcess::Said(message)),
                Err(_) => tell(FromProcess::Nonsense(shortened(&line).to_owned())),
            });
            tell(FromProcess::Ended);
        })?;
        Ok(process)
    }

    /// Send a message. If the process is dying, [`FromProcess::Ended`] follows.
    pub fn send(&mut self, message: &ToWorker) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        let sent = self.messages.as_ref().map(|messages| messages.send(line));
        match sent {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err(std::io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Make sure that the process is dead, and describe how it ended, with its last output.
    pub fn reap(mut self) -> String {
        // If it exits by itself, its last output tells why; it is killed only if it lingers.
        let status = self.wait(ENDING).or_else(|| self.kill());
        if let Some(printing) = self.printing.take() {
            // Its standard error has ended with it, and so does the thread, unless a process that it
            // has started holds on to it.
            let deadline = Instant::now() + ENDING;
            while !printing.is_finished() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        let lines = self
            .last_lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let words: Vec<&str> = lines.iter().map(String::as_str).collect();
        let ending = status.map_or("ended in an unknown way".to_owned(), describe);
        if words.is_empty() {
            ending
        } else {
            format!("{ending}; its last output: {}", words.join(" | "))
        }
    }

    fn wait(&mut self, time: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + time;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(2))
                }
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// Kill the process now and wait for its end; `None` if it does not end, as a process in an
    /// uninterruptible system call.
    fn kill(&mut self) -> Option<ExitStatus> {
        self.messages = None;
        let _ = self.child.kill();
        self.wait(KILLING)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn read_lines(stream: impl Read, mut take: impl FnMut(String)) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    let mut next = |line: &mut Vec<u8>| {
        let mut limited = (&mut reader).take(LONGEST_MESSAGE);
        limited.read_until(b'\n', line)
    };
    while matches!(next(&mut line), Ok(1..)) {
        take(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
}

fn keep_line(last_lines: &Mutex<VecDeque<String>>, line: &str, tell: &impl Fn(FromProcess)) {
    if line.trim().is_empty() || fault::is_of_a_stack(line) {
        return;
    }
    let line = shortened(fault::without_stack(line)).to_owned();
    let mut lines = last_lines.lock().unwrap_or_else(PoisonError::into_inner);
    if lines.len() == LAST_LINES {
        lines.pop_front();
    }
    lines.push_back(line.clone());
    drop(lines);
    tell(FromProcess::Printed(line));
}

/// The beginning of a line, cut at a character.
fn shortened(line: &str) -> &str {
    let mut end = line.len().min(LONGEST_LINE);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    &line[..end]
}

/// `exit status 1`, `signal 9 (SIGKILL: ...)`.
fn describe(status: ExitStatus) -> String {
    let meaning = |signal| match signal {
        SIGKILL => " (SIGKILL: killed by hand or, when memory runs out, by the system)",
        SIGSEGV => " (SIGSEGV: invalid memory access)",
        SIGBUS => " (SIGBUS: invalid memory access)",
        SIGABRT => " (SIGABRT: aborted itself)",
        SIGILL => " (SIGILL: illegal instruction)",
        SIGTERM => " (SIGTERM)",
        _ => "",
    };
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}{}", meaning(signal)),
        (None, None) => "ended in an unknown way".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_death_is_reported_with_its_cause() {
        assert_eq!(describe(ExitStatus::from_raw(3 << 8)), "exit status 3");
        assert!(describe(ExitStatus::from_raw(SIGKILL)).starts_with("signal 9 (SIGKILL"));
    }

    #[test]
    fn libtorchs_stack_trace_is_not_part_of_the_last_output() {
        let lines = Mutex::new(VecDeque::new());
        for line in [
            "what():  CUDA error: misaligned address",
            "frame #0: c10::Error::Error + 0x9f (0x7f in libc10.so)",
            " ",
        ] {
            keep_line(&lines, line, &|_| {});
        }
        assert_eq!(
            *lines.lock().unwrap(),
            ["what():  CUDA error: misaligned address"]
        );
    }

    #[test]
    fn a_long_line_is_cut_at_a_character() {
        let lines = Mutex::new(VecDeque::new());
        keep_line(&lines, &"é".repeat(400), &|_| {});
        assert_eq!(lines.lock().unwrap()[0].len(), LONGEST_LINE);
        keep_line(&lines, &format!("x{}", "é".repeat(400)), &|_| {});
        assert_eq!(lines.lock().unwrap()[1].len(), LONGEST_LINE - 1);
    }
}
