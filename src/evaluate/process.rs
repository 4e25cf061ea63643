//! One worker process and the threads that read its output.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use signal_hook::consts::{SIGABRT, SIGBUS, SIGILL, SIGKILL, SIGSEGV, SIGTERM};

use super::environment;
use super::protocol::{FromWorker, ToWorker};
use crate::foundation::fault;
use crate::foundation::messages;
use crate::foundation::spawning;
use crate::foundation::thread::spawn;

/// Number of lines of standard error kept to explain a death.
const LAST_LINES: usize = 5;
/// Maximum length in bytes of a line of standard error that is kept.
const LONGEST_LINE: usize = 500;

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
    stdin: Option<ChildStdin>,
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
        let (stdin, stdout) = (
            child.stdin.take().ok_or_else(missing)?,
            child.stdout.take().ok_or_else(missing)?,
        );
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let last_lines = Arc::new(Mutex::new(VecDeque::new()));
        let mut process = Process {
            child,
            stdin: Some(stdin),
            last_lines: last_lines.clone(),
            printing: None,
        };
        let tell_lines = tell.clone();
        let print = move || read_lines(stderr, |line| keep_line(&last_lines, &line, &tell_lines));
        process.printing = Some(spawn("nas-worker-err", print)?);
        spawn("nas-worker-out", move || {
            read_lines(stdout, |line| match serde_json::from_str(&line) {
                Ok(message) => tell(FromProcess::Said(message)),
                Err(_) => tell(FromProcess::Nonsense(line)),
            });
            tell(FromProcess::Ended);
        })?;
        Ok(process)
    }

    /// Send a message. An error means that the process is dying; [`FromProcess::Ended`] follows.
    pub fn send(&mut self, message: &ToWorker) -> std::io::Result<()> {
        match &mut self.stdin {
            Some(stdin) => messages::send(stdin, message),
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Make sure that the process is dead, and describe how it ended, with its last output.
    pub fn reap(mut self) -> String {
        // If it exits by itself, its last output tells why; it is killed only if it lingers.
        let status = self.wait_briefly().or_else(|| self.kill());
        if let Some(printing) = self.printing.take() {
            // Its standard error has ended with it, so the thread ends too.
            let _ = printing.join();
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

    fn wait_briefly(&mut self) -> Option<ExitStatus> {
        for _ in 0..100 {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        None
    }

    /// Kill the process now and wait for its end.
    pub fn kill(&mut self) -> Option<ExitStatus> {
        self.stdin = None;
        let _ = self.child.kill();
        self.child.wait().ok()
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
    while matches!(reader.read_until(b'\n', &mut line), Ok(1..)) {
        take(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
}

fn keep_line(last_lines: &Mutex<VecDeque<String>>, line: &str, tell: &impl Fn(FromProcess)) {
    if line.trim().is_empty() || fault::is_of_a_stack(line) {
        return;
    }
    let line = fault::without_stack(line);
    let mut end = line.len().min(LONGEST_LINE);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    let line = line[..end].to_owned();
    let mut lines = last_lines.lock().unwrap_or_else(PoisonError::into_inner);
    if lines.len() == LAST_LINES {
        lines.pop_front();
    }
    lines.push_back(line.clone());
    drop(lines);
    tell(FromProcess::Printed(line));
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
