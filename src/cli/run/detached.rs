//! The run's own process, as seen by the program that starts it.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::Prepared;
use super::engine::Word;
use crate::cli::config::SettingsArgs;
#[cfg(feature = "torch")]
use crate::cli::train;
#[cfg(feature = "torch")]
use crate::event::RunKind;
use crate::foundation::messages;
use crate::foundation::spawning::in_own_session;
use crate::runs::directory::{log_of, resume_command};

/// A run that continues after this value, this process and its terminal are gone.
pub struct Detached {
    child: Child,
    words: Receiver<Word>,
}

/// The process died without a message: it was killed.
#[derive(Debug, thiserror::Error)]
#[error("the run's process (pid {pid}) has died ({how}); see {log}, then continue with: {resume}")]
pub struct Died {
    pid: u32,
    how: String,
    log: String,
    resume: String,
}

impl Detached {
    /// Start the process of a run and hand it the run's lock.
    pub fn start(prepared: Prepared, settings: &SettingsArgs) -> io::Result<Detached> {
        let directory = prepared.directory;
        let path = directory.path().to_owned();
        if prepared.is_new {
            directory.write_config(&prepared.config.to_toml())?;
        }
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log_of(&path))?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("engine").arg(&path);
        if prepared.is_new {
            command.arg("--new");
        } else {
            command.args(settings.set.iter().flat_map(|setting| ["--set", setting]));
            let seeds = settings.seed.iter();
            command.args(seeds.flat_map(|seed| ["--seed".to_owned(), seed.to_string()]));
        }
        #[cfg(feature = "torch")]
        if prepared.kind == RunKind::Training {
            train::environment(&mut command, &prepared.config);
        }
        command
            .stdin(Stdio::from(directory.into_lock()))
            .stdout(Stdio::piped())
            .stderr(Stdio::from(log));
        in_own_session(&mut command);
        let mut child = command.spawn()?;
        let stdout = child.stdout.take();
        let stdout =
            stdout.ok_or_else(|| io::Error::other("a pipe of the run's process is missing"))?;
        let words = messages::receive_all("nas-words", stdout)?;
        Ok(Detached { child, words })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The process's next message, within `time`.
    pub fn hear(&mut self, time: Duration, run: &Path) -> Result<Option<Word>, Died> {
        match self.words.recv_timeout(time) {
            Ok(word) => Ok(Some(word)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(self.died(run)),
        }
    }

    /// Ask the run to stop at a checkpoint.
    pub fn stop(&self) {
        let process = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
    }

    /// Wait for the end of the process and describe it.
    fn died(&mut self, run: &Path) -> Died {
        let how = match self
            .child
            .wait()
            .map(|status| (status.code(), status.signal()))
        {
            Ok((_, Some(signal))) => format!("signal {signal}"),
            Ok((Some(code), _)) => format!("exit status {code}"),
            _ => "in an unknown way".to_owned(),
        };
        let log = log_of(run).display().to_string();
        Died {
            pid: self.pid(),
            how,
            log,
            resume: resume_command(run),
        }
    }
}
