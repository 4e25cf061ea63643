//! The side of the nodes: what `nas-tui slurm-task` does. It trains the children of its array index as a
//! search on this machine would, with worker processes, and writes what they report into files.

mod devices;
mod diary;
mod pauses;
mod shift;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use self::diary::Diary;
use self::shift::{Shift, Signals};
use super::files::{Folder, Settings, digest};
use super::scheduler::{Sign, TaskId};
use crate::evaluate::actor::Doubt;

/// How a task ends.
enum Ending {
    /// Every child has a result.
    Done,
    /// Its time limit is near. The children in training are saved.
    Warned,
    /// Slurm ends it. The children in training are saved.
    Terminated,
    /// The workers of a child died here, although others could be trained: it is left to another task.
    Left(String),
    /// Nothing can be trained here.
    Unusable(String),
}

impl Ending {
    /// How an attempt ends when no child is left. One that could not be trained here is left to another
    /// task: what is known of it is no result. If none was trained, and a machine is known to be to blame,
    /// it is this one.
    fn with_none_left(doubts: &[(Doubt, String)], has_trained: bool) -> Ending {
        let is_of_machine = |doubt: &&(Doubt, String)| doubt.0 == Doubt::Machine;
        match (doubts.iter().find(is_of_machine), doubts.first()) {
            (Some((_, reason)), _) if !has_trained => Ending::Unusable(reason.clone()),
            (_, Some((_, reason))) => Ending::Left(reason.clone()),
            (_, None) => Ending::Done,
        }
    }
}

/// Train the children of the task that this process is, by its environment. Those in training are saved
/// each time that `between_saves` has passed, in case the node dies.
///
/// # Errors
/// If it is no task of an array, or the run's files cannot be read or written.
pub fn run(root: &Path, batch: u64, between_saves: Duration) -> anyhow::Result<()> {
    let signals = Signals::listen().context("cannot listen for Slurm's signals")?;
    let index = number_of("SLURM_ARRAY_TASK_ID")?;
    let id = TaskId { batch, index };
    let folder = Folder::at(root);
    if folder.is_closed(batch) {
        return Ok(());
    }
    let (settings, jobs) = folder.read_task(id)?;
    let mut diary = Diary::begin(&folder, id)?;
    let mut left = Vec::new();
    for job in jobs {
        let digest = digest(&job, &settings.child, &settings.fingerprint)?;
        if !folder.has_result(&job, &digest, settings.child.epochs) {
            left.push((job, digest));
        }
    }
    if left.is_empty() {
        return Ok(());
    }
    let mut shift = Shift::new(
        &folder,
        &settings,
        &mut diary,
        &signals,
        left,
        between_saves,
    );
    let ending = shift.work()?;
    match ending {
        Ending::Done => Ok(()),
        Ending::Unusable(reason) => {
            diary.write(&Sign::Unusable {
                reason: reason.clone(),
            });
            bail!("nothing can be trained here: {reason}")
        }
        Ending::Left(reason) => {
            diary.write(&Sign::Ended {
                reason: reason.clone(),
            });
            bail!(reason)
        }
        Ending::Terminated => bail!("Slurm has ended the task"),
        Ending::Warned => requeue(&folder, id, &settings, &mut diary, &signals),
    }
}

fn number_of(variable: &str) -> anyhow::Result<usize> {
    let value = std::env::var(variable)
        .ok()
        .and_then(|value| value.parse().ok());
    value.with_context(|| {
        format!("{variable} is not set: this command is for tasks of a Slurm array")
    })
}

/// Ask Slurm to start the task again, unless that was asked too often. Slurm's own count is not used: it
/// also counts lost nodes, and some versions start it anew.
fn requeue(
    folder: &Folder,
    id: TaskId,
    settings: &Settings,
    diary: &mut Diary,
    signals: &Signals,
) -> anyhow::Result<()> {
    let path = folder
        .batch(id.batch)
        .join(format!("requeues-{}", id.index));
    let before = std::fs::read(&path).map_or(0, |bytes| {
        bytes.iter().filter(|byte| **byte == b'\n').count()
    });
    if before >= settings.requeues as usize {
        let reason = format!(
            "its time limit came before its children were trained, {} times",
            before + 1
        );
        diary.write(&Sign::Ended {
            reason: reason.clone(),
        });
        bail!(reason);
    }
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    writeln!(file, "{}", diary.attempt)?;
    file.sync_all()?;
    diary.write(&Sign::Requeued);
    let task = task_name();
    let status = Command::new("scontrol").args(["requeue", &task]).status();
    if !status.as_ref().is_ok_and(std::process::ExitStatus::success) {
        let reason = "its time limit is near, and Slurm did not start it again".to_owned();
        diary.write(&Sign::Ended {
            reason: reason.clone(),
        });
        bail!("{reason}: {status:?}");
    }
    // Slurm ends this process now.
    let asked = Instant::now();
    while !signals.is_ended() && asked.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// `4711_3`.
fn task_name() -> String {
    let variable = |name| std::env::var(name).unwrap_or_default();
    format!(
        "{}_{}",
        variable("SLURM_ARRAY_JOB_ID"),
        variable("SLURM_ARRAY_TASK_ID")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_could_not_be_trained_is_left_to_another_task() {
        let doubts = [(Doubt::Either, "child 1: killed".to_owned())];
        for has_trained in [false, true] {
            let ending = Ending::with_none_left(&doubts, has_trained);
            assert!(matches!(ending, Ending::Left(reason) if reason == "child 1: killed"));
        }
        let ending = Ending::with_none_left(&[], true);
        assert!(matches!(ending, Ending::Done));
    }

    #[test]
    fn a_node_on_which_another_child_was_trained_is_not_to_blame() {
        let killed = (Doubt::Either, "killed".to_owned());
        let doubts = [killed, (Doubt::Machine, "lost".to_owned())];
        let ending = Ending::with_none_left(&doubts, false);
        assert!(matches!(ending, Ending::Unusable(reason) if reason == "lost"));
        let ending = Ending::with_none_left(&doubts, true);
        assert!(matches!(ending, Ending::Left(_)));
    }
}
