//! What a child process does between fork and exec.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal, setsid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTSTP};

/// Have `action` run in the process that `command` starts. It must only make plain system calls
/// and not allocate.
fn before_exec(
    command: &mut Command,
    action: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
) {
    // SAFETY: the three actions below make async-signal-safe calls only and allocate nothing.
    unsafe { command.pre_exec(action) };
}

/// Start the process in its own session, so that nothing that happens to the terminal affects it.
pub fn in_own_session(command: &mut Command) {
    before_exec(command, || {
        setsid()?;
        Ok(())
    });
}

/// Have the process that `command` starts killed when this one ends, for whatever reason.
pub fn die_with_this_process(command: &mut Command) {
    let parent = getpid();
    before_exec(command, move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // The parent may have died before the request took effect.
        match getppid() {
            Some(pid) if pid == parent => Ok(()),
            _ => Err(rustix::io::Errno::SRCH.into()),
        }
    });
}

/// Have the process ignore the terminal's signals, which are for this one.
pub fn leave_terminal_signals(command: &mut Command) {
    before_exec(command, || {
        for signal in [SIGINT, SIGTSTP, SIGHUP] {
            // SAFETY: a plain system call; ignoring a signal runs no handler.
            unsafe { libc::signal(signal, libc::SIG_IGN) };
        }
        Ok(())
    });
}
