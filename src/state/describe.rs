//! Events in words.

use super::RunStatus;
use crate::event::{ChildFinished, Event, FinishReason, Level};
use crate::foundation::numbers::learning_rate;

/// One plain line about an event, for logs and headless output; none for ticks and samples.
pub fn describe(event: &Event) -> Option<(Level, String)> {
    let info = |text: String| Some((Level::Info, text));
    let warning = |text: String| Some((Level::Warning, text));
    match event {
        Event::RunStarted(run) => info(format!(
            "run {}: preset {}, strategy {}, seed {}, {} episodes of {} children, {}{}",
            run.run,
            run.preset,
            run.strategy,
            run.seed,
            run.episodes,
            run.children_per_episode,
            run.data.spec,
            match (&run.device, run.threads) {
                (Some(device), Some(threads)) => format!(
                    " on {device} with {} worker(s) x {threads} thread(s)",
                    run.workers
                ),
                _ => String::new(),
            }
        )),
        Event::RunResumed {
            host,
            pid,
            next_child,
            epoch,
            ..
        } => {
            let place = match (next_child, epoch) {
                (Some(child), _) => format!(" at child {child}"),
                (None, Some(0 | 1)) => " from its first epoch on".to_owned(),
                (None, Some(2)) => " after 1 epoch".to_owned(),
                (None, Some(epoch)) => format!(" after {} epochs", epoch - 1),
                (None, None) => String::new(),
            };
            info(format!("resumed on {host} (pid {pid}){place}"))
        }
        Event::TrainingStarted(training) => info(format!(
            "training {} ({} parameters) in {}: recipe {}, at most {} epochs, seed {}, {} on {} with {} thread(s)",
            training.architecture.name,
            training.params,
            training.run,
            training.recipe,
            training.settings.epochs,
            training.seed,
            training.data.spec,
            training.device,
            training.threads
        )),
        Event::TrainingProgress(_) => None,
        Event::TrainingEpoch(e) => info(format!(
            "epoch {}: loss {:.4} train, {:.4} validation; accuracy {:.4} train, {:.4} validation; learning rate {}, {:.0} images/s",
            e.epoch,
            e.train_loss,
            e.valid_loss,
            e.train_accuracy,
            e.valid_accuracy,
            learning_rate(e.learning_rate),
            e.images_per_second
        )),
        Event::TrainingSaved { epoch, batch } => {
            info(format!("checkpoint after batch {batch} of epoch {epoch}"))
        }
        Event::MicroBatchReduced {
            micro_batch,
            reason,
        } => warning(format!(
            "batches are computed {micro_batch} images at a time from here on: {reason}"
        )),
        Event::TestFinished(test) => info(format!(
            "test: accuracy {:.4} (95 % {:.4} to {:.4}) on {} images, with the weights of epoch {} (validation {:.4})",
            test.report.accuracy,
            test.report.accuracy_ci95[0],
            test.report.accuracy_ci95[1],
            test.report.images,
            test.epoch,
            test.valid_accuracy
        )),
        Event::WorkerStarted {
            worker,
            pid,
            device,
            host,
        } => {
            let host = host
                .as_ref()
                .map_or(String::new(), |host| format!(" of {host}"));
            info(format!(
                "worker {worker} started on {device}{host} (pid {pid})"
            ))
        }
        Event::WorkerDied { worker, reason } => warning(format!("worker {worker} died: {reason}")),
        Event::EpisodeStarted {
            episode,
            depth,
            baseline,
        } => info(format!(
            "episode {episode}: children of {depth} layers, baseline {}",
            baseline.map_or("none yet".to_owned(), |baseline| format!("{baseline:.4}"))
        )),
        Event::ChildSampled(_) | Event::ChildProgress(_) => None,
        Event::ChildStarted {
            child,
            worker,
            device,
            attempt,
            ..
        } => {
            let again = if *attempt > 1 {
                format!(", attempt {attempt}")
            } else {
                String::new()
            };
            info(format!(
                "child {child}: training on worker {worker} ({device}{again})"
            ))
        }
        Event::ChildEpoch(e) => info(format!(
            "child {}: epoch {}/{}: loss {:.4}, accuracy {:.4} train, {:.4} validation, {:.0} images/s",
            e.child,
            e.epoch,
            e.epochs,
            e.train_loss,
            e.train_accuracy,
            e.valid_accuracy,
            e.images_per_second
        )),
        Event::ChildFinished(child) => info(describe_finished(child)),
        Event::ChildFailed { child, reason, .. } => {
            warning(format!("child {child}: failed, reward 0: {reason}"))
        }
        Event::ChildExcluded { child, reason, .. } => warning(format!(
            "child {child}: excluded, nothing is learned from it: {reason}"
        )),
        // Its reason was told with the worker's death.
        Event::ChildRetried { child, .. } => warning(format!(
            "child {child}: trying once more, with a new worker"
        )),
        Event::EpisodeFinished(e) => info(format!(
            "episode {}: mean reward {:.4}, mean accuracy {}, best accuracy {}, {}{}{} repeat(s), {} failure(s), {}{:.1} s",
            e.episode,
            e.mean_reward,
            or_none(e.mean_accuracy),
            or_none(e.best_accuracy),
            e.next_baseline.map_or(String::new(), |baseline| format!(
                "next baseline {baseline:.4}, "
            )),
            e.entropy
                .zip(e.max_entropy)
                .map_or(String::new(), |(entropy, most)| format!(
                    "entropy {entropy:.2}/{most:.2}, "
                )),
            e.repeats,
            e.failures,
            if e.excluded > 0 {
                format!("{} excluded, ", e.excluded)
            } else {
                String::new()
            },
            e.seconds
        )),
        Event::EpisodeExcluded {
            episode, children, ..
        } => warning(format!(
            "episode {episode}: all {children} children were excluded: nothing is learned from it"
        )),
        Event::CheckpointSaved {
            episode,
            next_child,
        } => info(format!(
            "checkpoint after episode {episode}; next child {next_child}"
        )),
        Event::PauseRequested => info("pausing at the next batch".to_owned()),
        Event::Paused => info("paused".to_owned()),
        Event::Resumed => info("resumed".to_owned()),
        Event::StopRequested => info("stopping: what has come to an end is kept".to_owned()),
        Event::EpisodeStopRequested => info("the run will stop after this episode".to_owned()),
        Event::EpisodeStopWithdrawn => info("the run will go on after this episode".to_owned()),
        Event::SkipRequested { child } => {
            info(format!("child {child}: its training is to end here"))
        }
        Event::ChildQueued(queued) => info(format!(
            "child {}: queued, edited from child {}: {} parameters",
            queued.child, queued.parent, queued.params
        )),
        Event::Notice { level, message } => Some((*level, message.clone())),
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
                || format!("{children} children"),
                |epochs| format!("{epochs} epoch(s)"),
            );
            info(format!("run {word}{advice}: {work} in {wall_seconds:.1} s"))
        }
    }
}

fn describe_finished(child: &ChildFinished) -> String {
    let repeat = child.repeat_of.map_or(String::new(), |earlier| {
        format!(" (repeat of child {earlier})")
    });
    let skipped = if child.skipped {
        " (ended early by a user)"
    } else {
        ""
    };
    format!(
        "child {}: accuracy {:.4}, reward {:.4}, {} parameters, {:.1} s{repeat}{skipped}",
        child.child, child.accuracy, child.reward, child.params, child.seconds
    )
}

fn or_none(value: Option<f64>) -> String {
    value.map_or("none".to_owned(), |value| format!("{value:.4}"))
}
