//! Descriptions of events.

mod training;

use super::log::of_epoch;
use super::{RunStatus, child};
use crate::event::{ChildFinished, EpisodeFinished, Event, FinishReason, Level, RunStarted};
use crate::foundation::numbers::{accuracy, counted, decimal, or_none, reward};

/// One plain line about an event, for logs and headless output; `None` for ticks, samples and
/// heartbeats.
pub fn describe(event: &Event) -> Option<(Level, String)> {
    let info = |text: Option<String>| Some((Level::Info, text?));
    match event {
        Event::TrainingProgress(_)
        | Event::Measuring(_)
        | Event::Heartbeat { .. }
        | Event::ChildSampled(_)
        | Event::ChildProgress(_)
        | Event::StorageBlocked { .. } => None,
        Event::Notice { level, message } => Some((*level, message.clone())),
        Event::WorkerDied { .. }
        | Event::MicroBatchReduced { .. }
        | Event::ChildFailed { .. }
        | Event::ChildExcluded { .. }
        | Event::ChildRetried { .. }
        | Event::EpisodeExcluded { .. } => Some((Level::Warning, trouble(event)?)),
        Event::RunStarted(_)
        | Event::RunResumed { .. }
        | Event::WorkerStarted { .. }
        | Event::RunFinished { .. } => info(of_run(event)),
        Event::TrainingStarted(_)
        | Event::StageEntered(_)
        | Event::TrainingEpoch(_)
        | Event::TrainingSaved { .. }
        | Event::TestFinished(_) => info(training::of_training(event)),
        Event::EpisodeStarted { .. }
        | Event::EpisodeFinished(_)
        | Event::CheckpointSaved { .. } => info(of_episode(event)),
        Event::BatchIntended { .. }
        | Event::ChildStarted { .. }
        | Event::ChildEpoch(_)
        | Event::ChildFinished(_)
        | Event::ChildQueued(_) => info(of_child(event)),
        Event::PauseRequested
        | Event::Paused
        | Event::Resumed
        | Event::StopRequested
        | Event::EpisodeStopRequested
        | Event::EpisodeStopWithdrawn
        | Event::SkipRequested { .. }
        | Event::ChildNoted { .. } => info(of_command(event)),
    }
}

/// Problems that the user may want to fix.
fn trouble(event: &Event) -> Option<String> {
    let text = match event {
        Event::WorkerDied { worker, reason } => format!("worker {worker} died: {reason}"),
        Event::MicroBatchReduced {
            micro_batch,
            reason,
        } => format!("batches are computed {micro_batch} images at a time from here on: {reason}"),
        Event::ChildFailed {
            child,
            reason,
            control,
            ..
        } => {
            let control = mark(*control);
            format!("child {child}{control}: failed, reward 0: {reason}")
        }
        Event::ChildExcluded {
            child,
            reason,
            control,
            ..
        } => {
            let control = mark(*control);
            format!("child {child}{control}: excluded, nothing is learned from it: {reason}")
        }
        Event::ChildRetried { child, reason } if reason.starts_with("its Slurm task") => {
            format!("child {child}: tried again: {reason}")
        }
        // The reason was reported with the worker's death.
        Event::ChildRetried { child, .. } => {
            format!("child {child}: trying once more, with a new worker")
        }
        Event::EpisodeExcluded {
            episode, children, ..
        } => format!(
            "episode {episode}: all {children} children were excluded: nothing is learned from it"
        ),
        _ => return None,
    };
    Some(text)
}

/// Beginning and end of a run, of its sessions and workers.
fn of_run(event: &Event) -> Option<String> {
    let text = match event {
        Event::RunStarted(run) => describe_start(run),
        Event::RunResumed {
            host,
            pid,
            next_child,
            epoch,
            ..
        } => {
            let place = place(*next_child, *epoch);
            format!("resumed on {host} (pid {pid}){place}")
        }
        Event::WorkerStarted {
            worker,
            pid,
            device,
            host,
        } => {
            let of_host = |host: &String| format!(" of {host}");
            let host = host.as_ref().map_or(String::new(), of_host);
            let process = pid.map_or(String::new(), |pid| format!(" (pid {pid})"));
            format!("worker {worker} started on {device}{host}{process}")
        }
        Event::RunFinished {
            reason,
            children,
            epochs,
            wall_seconds,
        } => {
            let word = RunStatus::from(*reason).word();
            let advice = match reason {
                FinishReason::Stopped => " (resume it with --resume)",
                FinishReason::Completed | FinishReason::Failed => "",
            };
            let work = epochs.map_or_else(
                || counted(*children, "child"),
                |epochs| counted(epochs as u64, "epoch"),
            );
            let seconds = decimal(*wall_seconds, 1);
            format!("run {word}{advice}: {work} in {seconds} s")
        }
        _ => return None,
    };
    Some(text)
}

fn describe_start(run: &RunStarted) -> String {
    let compute = match (&run.device, run.threads) {
        (Some(device), Some(threads)) => format!(
            " on {device} with {} x {}",
            counted(run.workers as u64, "worker"),
            counted(threads as u64, "thread")
        ),
        _ => String::new(),
    };
    format!(
        "run {}: preset {}, strategy {}, seed {}, {} of {}, {}{compute}",
        run.run,
        run.preset,
        run.strategy,
        run.seed,
        counted(run.episodes as u64, "episode"),
        counted(run.children_per_episode as u64, "child"),
        run.data.spec
    )
}

/// Where a resumed run continues: a search at `next_child`, a training in `epoch`.
fn place(next_child: Option<u64>, epoch: Option<usize>) -> String {
    match (next_child, epoch) {
        (Some(child), _) => format!(" at child {child}"),
        (None, Some(0 | 1)) => " from its first epoch on".to_owned(),
        (None, Some(epoch)) => format!(" after {}", counted(epoch as u64 - 1, "epoch")),
        (None, None) => String::new(),
    }
}

/// Beginning and end of an episode.
fn of_episode(event: &Event) -> Option<String> {
    let text = match event {
        Event::EpisodeStarted {
            episode,
            depth,
            baseline,
        } => format!(
            "episode {episode}: children of {}{}",
            counted(*depth as u64, "layer"),
            baseline.map_or(String::new(), |baseline| format!(
                ", baseline {}",
                reward(baseline)
            ))
        ),
        Event::EpisodeFinished(episode) => describe_episode(episode),
        Event::CheckpointSaved {
            episode,
            next_child,
        } => format!("checkpoint after episode {episode}; next child {next_child}"),
        _ => return None,
    };
    Some(text)
}

/// What an episode has brought. Nothing is said of what did not happen.
fn describe_episode(e: &EpisodeFinished) -> String {
    let happened = |count: u64, noun: &str| (count > 0).then(|| counted(count, noun));
    let mean_staleness = |staleness: f64| format!("mean staleness {staleness:.2}");
    let parts = [
        Some(format!("mean reward {}", reward(e.mean_reward))),
        Some(format!(
            "mean accuracy {}",
            or_none(e.mean_accuracy, accuracy)
        )),
        Some(format!(
            "best accuracy {}",
            or_none(e.best_accuracy, accuracy)
        )),
        e.next_baseline
            .map(|baseline| format!("next baseline {}", reward(baseline))),
        e.entropy
            .zip(e.max_entropy)
            .map(|(entropy, most)| format!("entropy {entropy:.2}/{most:.2}")),
        happened(e.repeats as u64, "repeat"),
        happened(e.failures as u64, "failure"),
        (e.excluded > 0).then(|| format!("{} excluded", e.excluded)),
        e.staleness.map(mean_staleness),
        Some(format!("{} s", decimal(e.seconds, 1))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("episode {}: {}", e.episode, parts.join(", "))
}

/// Events of a child.
fn of_child(event: &Event) -> Option<String> {
    let text = match event {
        Event::BatchIntended {
            batch,
            job,
            tasks,
            children,
        } => {
            let verb = if children.len() == 1 { "goes" } else { "go" };
            let children = counted(children.len() as u64, "child");
            let tasks = counted(*tasks as u64, "task");
            format!("batch {batch}: {children} {verb} to Slurm in {tasks}, as job {job}")
        }
        Event::ChildStarted { .. } => child::start_in_words(event)?,
        Event::ChildEpoch(epoch) => of_epoch(epoch),
        Event::ChildFinished(child) => describe_finished(child),
        Event::ChildQueued(queued) => format!(
            "child {}: queued, edited from child {}: {} parameters",
            queued.child, queued.parent, queued.params
        ),
        _ => return None,
    };
    Some(text)
}

/// Commands of clients, and their effects.
fn of_command(event: &Event) -> Option<String> {
    let text = match event {
        Event::PauseRequested => "pausing at the next batch".to_owned(),
        Event::Paused => "paused".to_owned(),
        Event::Resumed => "resumed".to_owned(),
        Event::StopRequested => "stopping: what has finished is kept".to_owned(),
        Event::EpisodeStopRequested => "the run will stop after this episode".to_owned(),
        Event::EpisodeStopWithdrawn => "the run will continue after this episode".to_owned(),
        Event::SkipRequested { child } => {
            format!("child {child}: its training will end here")
        }
        Event::ChildNoted { child, text } if text.is_empty() => {
            format!("child {child}: its note is removed")
        }
        Event::ChildNoted { child, text } => format!("child {child}: note: {text}"),
        _ => return None,
    };
    Some(text)
}

fn describe_finished(child: &ChildFinished) -> String {
    let repeat = child.repeat_of.map_or(String::new(), |earlier| {
        format!(" (repeat of child {earlier})")
    });
    let mean = child.mean.as_deref().map_or(String::new(), |mean| {
        let own = mean.own_accuracy.map_or(String::new(), |own| {
            format!(", its own accuracy {}", accuracy(own))
        });
        format!(" (mean of {} trainings{own})", child.trainings())
    });
    let skipped = if child.skipped {
        " (skipped by a user)"
    } else if child.stopped_early {
        " (stopped early)"
    } else {
        ""
    };
    format!(
        "child {}{}: accuracy {}, reward {}, {} parameters, {} s{repeat}{mean}{skipped}",
        child.child,
        mark(child.control),
        accuracy(child.accuracy),
        reward(child.reward),
        child.params,
        decimal(child.seconds, 1)
    )
}

/// What follows the number of a control.
fn mark(is_control: bool) -> &'static str {
    if is_control { " (control)" } else { "" }
}
