//! A program of the user that has the terminal instead of the screen, until it ends.
//!
//! It is in the process group of this program, as with other programs that start a pager: Ctrl-C
//! reaches both, and Ctrl-Z stops both, to be continued together by the shell.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_current_process_group, kill_process, waitid,
};
use tokio::sync::oneshot;

use super::private_file::PrivateFile;
use crate::foundation::thread::spawn;

/// A program that ends within this time has shown its text and is gone: `cat`, or `less -F` with a
/// short text.
const AT_ONCE: Duration = Duration::from_millis(500);
/// Time in which a program must end after a signal to end.
const PATIENCE: Duration = Duration::from_secs(2);
/// Time until all processes of a group have stopped, or continued.
const MOMENT: Duration = Duration::from_millis(50);

/// The program. It is ended if this value is dropped before its end.
#[derive(Debug)]
pub struct Foreground {
    name: String,
    child: Child,
    begun: Instant,
    ended: oneshot::Receiver<()>,
    /// What it shows, if that is removed after its end.
    _shown: Option<PrivateFile>,
}

/// How a program has ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Ending {
    /// It was so fast that no one can have read what it showed.
    pub at_once: bool,
    /// What went wrong, according to its exit status.
    pub problem: Option<String>,
}

impl Foreground {
    /// Start a program (its name, then its first arguments) on `path` in this terminal.
    ///
    /// # Errors
    /// If it cannot be started; the message names it.
    pub fn start(
        program: &[String],
        path: &Path,
        shown: Option<PrivateFile>,
        terminal: &File,
    ) -> io::Result<Foreground> {
        let Some((name, arguments)) = program.split_first() else {
            return Err(io::Error::other("there is no program to start"));
        };
        let mut command = Command::new(name);
        command.args(arguments).arg(path);
        command.stdin(keyboard());
        command.stdout(terminal.try_clone()?);
        command.stderr(terminal.try_clone()?);
        let child = command.spawn().map_err(|error| {
            io::Error::new(error.kind(), format!("cannot start {name}: {error}"))
        })?;
        let pid = Pid::from_child(&child);
        let (sender, ended) = oneshot::channel();
        let program = Foreground {
            name: name.clone(),
            child,
            begun: Instant::now(),
            ended,
            _shown: shown,
        };
        spawn("screen-program", move || {
            wait_for_end(pid);
            // A closed channel means that the program was ended by this process.
            let _ = sender.send(());
        })?;
        Ok(program)
    }

    /// Wait for its end.
    pub async fn ended(&mut self) {
        // The thread sends or is gone, which means the same.
        let _ = (&mut self.ended).await;
    }

    /// How it ended, after [`Foreground::ended`].
    pub fn ending(&mut self) -> Ending {
        let at_once = self.begun.elapsed() < AT_ONCE;
        let name = &self.name;
        let problem = match self.child.wait() {
            Ok(status) if status.success() => None,
            Ok(status) => Some(match (status.code(), status.signal()) {
                (Some(code), _) => format!("{name} ended with status {code}"),
                (None, Some(signal)) => format!("{name} was ended by signal {signal}"),
                (None, None) => format!("{name} ended in an unknown way"),
            }),
            Err(error) => Some(format!("{name}: {error}")),
        };
        Ending { at_once, problem }
    }

    /// End it with a signal, so that it can restore the terminal; by force if it does not end.
    pub fn end_by(&mut self, signal: Signal) {
        let begin = Instant::now();
        let pid = Pid::from_child(&self.child);
        if self.has_ended() {
            return;
        }
        // A process that has stopped must continue to notice the other signal.
        for signal in [signal, Signal::CONT] {
            let _ = kill_process(pid, signal);
        }
        while begin.elapsed() < PATIENCE {
            if self.has_ended() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        self.end_by(Signal::TERM);
    }
}

/// Where keys come from: standard input or, if that is something else, the terminal.
fn keyboard() -> Stdio {
    if io::stdin().is_terminal() {
        return Stdio::inherit();
    }
    File::open("/dev/tty").map_or_else(|_| Stdio::inherit(), Stdio::from)
}

/// Wait until the process has ended, without collecting its status.
fn wait_for_end(pid: Pid) {
    let wait = |options| waitid(WaitId::Pid(pid), options | WaitIdOptions::NOWAIT);
    loop {
        match wait(WaitIdOptions::EXITED | WaitIdOptions::STOPPED) {
            Ok(Some(status)) if status.stopped() => {
                // Usually all processes of the group were stopped together and have been continued
                // together since.
                std::thread::sleep(MOMENT);
                let now = wait(WaitIdOptions::STOPPED | WaitIdOptions::NOHANG);
                if matches!(now, Ok(Some(status)) if status.stopped()) {
                    stop_with(pid);
                }
            }
            Err(rustix::io::Errno::INTR) => {}
            _ => return,
        }
    }
}

/// Return to the shell, since the process that has the terminal has stopped itself; it is continued
/// with this one, or at once if there is no shell.
fn stop_with(pid: Pid) {
    let _ = kill_current_process_group(Signal::TSTP);
    std::thread::sleep(MOMENT);
    let _ = kill_process(pid, Signal::CONT);
}

#[cfg(test)]
mod tests {
    use rustix::process::test_kill_process;

    use super::*;

    /// A shell command in place of a pager.
    fn start(command: &str, shown: Option<PrivateFile>) -> Foreground {
        let program = ["sh", "-c", command].map(str::to_owned);
        let path = shown
            .as_ref()
            .map_or(Path::new("/"), PrivateFile::path)
            .to_owned();
        let sink = File::options().write(true).open("/dev/null").unwrap();
        Foreground::start(&program, &path, shown, &sink).unwrap()
    }

    fn wait_for(program: &mut Foreground) {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(program.ended());
    }

    fn ending(mut program: Foreground) -> Ending {
        wait_for(&mut program);
        program.ending()
    }

    #[test]
    fn a_program_that_ends_at_once_is_told_apart_from_one_that_was_read() {
        let fast = Ending {
            at_once: true,
            problem: None,
        };
        assert_eq!(ending(start("exit 0", None)), fast);
        assert!(!ending(start("sleep 0.6", None)).at_once);
    }

    #[test]
    fn how_it_failed_is_told() {
        let problem = |command: &str| ending(start(command, None)).problem.unwrap();
        assert_eq!(problem("exit 3"), "sh ended with status 3");
        assert_eq!(problem("kill -9 $$"), "sh was ended by signal 9");
    }

    #[test]
    fn what_it_shows_is_there_until_its_end() {
        let file = PrivateFile::with("a.txt", "text").unwrap();
        let path = file.path().to_owned();
        // The path is the argument after the command, which a shell calls $0.
        let mut program = start("sleep 0.1; grep -q text \"$0\"", Some(file));
        wait_for(&mut program);
        assert_eq!(program.ending().problem, None);
        drop(program);
        assert!(!path.exists());
    }

    #[test]
    fn dropping_it_ends_it_by_force_if_it_must() {
        let folder = tempfile::tempdir().unwrap();
        for (number, trap) in ["true", "trap '' TERM"].into_iter().enumerate() {
            let ready = folder.path().join(number.to_string());
            let command = format!("{trap}; : > '{}'; exec sleep 600", ready.display());
            let program = start(&command, None);
            let pid = Pid::from_child(&program.child);
            let begin = Instant::now();
            while !ready.exists() {
                assert!(begin.elapsed() < Duration::from_secs(60), "{command}");
                std::thread::sleep(Duration::from_millis(5));
            }
            drop(program);
            assert!(test_kill_process(pid).is_err(), "{command}");
        }
    }

    #[test]
    fn a_program_that_cannot_be_started_is_named() {
        let terminal = File::options().write(true).open("/dev/null").unwrap();
        let name = "/no/such/program".to_owned();
        let error = Foreground::start(&[name], Path::new("/"), None, &terminal).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("cannot start /no/such/program"),
            "{error}"
        );
    }
}
