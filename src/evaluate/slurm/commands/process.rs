//! One call of a command, ended if it takes too long.

use std::io::Read;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::foundation::spawning;
use crate::foundation::thread::spawn;

/// Time after which a command is killed.
const TIME_OUT: Duration = Duration::from_secs(60);

/// What a command printed, and how it ended.
#[derive(Debug)]
pub(super) struct Printed {
    pub(super) status: ExitStatus,
    pub(super) output: String,
    pub(super) errors: String,
}

/// Whether this variable of a user's environment changes what is listed or cancelled, and how.
fn is_filter(variable: &str) -> bool {
    ["SQUEUE_", "SCANCEL_"]
        .iter()
        .any(|start| variable.starts_with(start))
}

/// Run a command for at most [`TIME_OUT`].
pub(super) fn run(program: &str, arguments: &[String]) -> Result<Printed, String> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (variable, _) in std::env::vars_os() {
        if is_filter(&variable.to_string_lossy()) {
            command.env_remove(variable);
        }
    }
    spawning::leave_terminal_signals(&mut command);
    let mut child = command
        .spawn()
        .map_err(|error| format!("{program} cannot be run: {error}"))?;
    let collect = |stream: Option<Box<dyn Read + Send>>| {
        spawn("nas-slurm-read", move || {
            let mut bytes = Vec::new();
            if let Some(stream) = stream {
                // What was read before an error is what there is.
                let _ = stream.take(64 << 20).read_to_end(&mut bytes);
            }
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let output = collect(child.stdout.take().map(|stream| Box::new(stream) as _));
    let errors = collect(child.stderr.take().map(|stream| Box::new(stream) as _));
    let began = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if began.elapsed() < TIME_OUT => std::thread::sleep(Duration::from_millis(20)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!(
                    "{program} has not answered within {} s",
                    TIME_OUT.as_secs()
                ));
            }
            Err(error) => return Err(format!("{program}: {error}")),
        }
    };
    let text = |thread: std::io::Result<std::thread::JoinHandle<String>>| {
        thread
            .ok()
            .and_then(|thread| thread.join().ok())
            .unwrap_or_default()
    };
    Ok(Printed {
        status,
        output: text(output),
        errors: text(errors),
    })
}

#[cfg(test)]
mod tests {
    use super::is_filter;

    #[test]
    fn what_a_user_has_set_for_squeue_and_scancel_does_not_change_what_is_listed_or_cancelled() {
        for variable in ["SQUEUE_STATES", "SQUEUE_FORMAT", "SCANCEL_INTERACTIVE"] {
            assert!(is_filter(variable), "{variable}");
        }
        for variable in ["SBATCH_PARTITION", "SLURM_CONF", "PATH"] {
            assert!(!is_filter(variable), "{variable}");
        }
    }
}
