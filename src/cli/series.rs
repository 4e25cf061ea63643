//! Several trainings or searches, one after the other: each is a `nas-tui train` or `nas-tui search` of
//! a run directory.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;

use super::{Interrupted, say};
use crate::foundation::spawning::die_with_this_process;
use crate::runs::directory::{kind_of, name_of, subcommand_of};
use crate::study::series::is_complete;

/// Interval for checking whether a training has ended, and whether a signal has arrived.
const LOOK: Duration = Duration::from_millis(100);

/// Carry out the runs in the directories `paths` that are not complete yet, in order. The output of
/// each goes to standard error.
///
/// # Errors
/// A signal, after the current run has saved its checkpoint; or failed runs, once all others are
/// over. Both errors say that `command` continues.
pub fn carry_out(paths: &[PathBuf], command: &str) -> anyhow::Result<()> {
    let interrupted = super::interrupted()?;
    let mut failed = Vec::new();
    for (place, path) in paths.iter().enumerate() {
        if is_complete(path) {
            continue;
        }
        let name = name_of(path);
        say(&format!(
            "{} {} of {}: {name}",
            kind_of(path).noun(),
            place + 1,
            paths.len()
        ));
        match wait_for(start(path)?, &interrupted)?.code() {
            Some(0) => {}
            _ if interrupted.load(Ordering::Relaxed) => return Err(stopped(paths, command)),
            // Someone has stopped it from its screen.
            Some(130) => return Err(stopped(paths, command)),
            _ => failed.push(name),
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(anyhow::anyhow!(
            "failed: {} (see above); try again with: {command}",
            failed.join(", ")
        )),
    }
}

fn stopped(paths: &[PathBuf], command: &str) -> anyhow::Error {
    let done = paths.iter().filter(|path| is_complete(path)).count();
    let all = paths.len();
    Interrupted(format!(
        "stopped: {done} of {all} are completed; continue with: {command}"
    ))
    .into()
}

/// Start the process that carries out the run in `run`, whether or not it has begun before.
fn start(run: &Path) -> anyhow::Result<Child> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut command = Command::new(program);
    command
        .args([subcommand_of(run), "--headless", "--resume"])
        .arg(run)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // The terminal's Ctrl-C reaches only this process, which passes it on once.
        .process_group(0);
    die_with_this_process(&mut command);
    command
        .spawn()
        .with_context(|| format!("cannot start the {}", kind_of(run).noun()))
}

/// Wait until the run has ended, passing on signals.
fn wait_for(mut process: Child, interrupted: &AtomicBool) -> anyhow::Result<ExitStatus> {
    let mut is_told = false;
    loop {
        if let Some(status) = process.try_wait().context("waiting for the run")? {
            return Ok(status);
        }
        if interrupted.load(Ordering::Relaxed) && !is_told {
            let pid = rustix::process::Pid::from_child(&process);
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            is_told = true;
        }
        std::thread::sleep(LOOK);
    }
}
