//! Descriptions of the events of a training.

use crate::config::{Optimizer, Recipe};
use crate::event::{Event, StageEntered, TestFinished, TrainingEpoch};
use crate::foundation::numbers::{accuracy, counted, decimal, learning_rate, loss};

/// Events of a training.
pub(super) fn of_training(event: &Event) -> Option<String> {
    let text = match event {
        Event::TrainingStarted(training) => format!(
            "training {} ({} parameters) in {}: recipe {}{}, at most {}, seed {}, {} on {} with {}{}{}",
            training.architecture.name,
            training.params,
            training.run,
            training.recipe,
            beside_recipe(&training.settings),
            counted(training.settings.epochs as u64, "epoch"),
            training.seed,
            training.data.spec,
            training.device,
            counted(training.threads as u64, "thread"),
            training
                .initial
                .as_ref()
                .map_or(String::new(), |initial| format!("; begins with {initial}")),
            if training.without_test {
                "; test images not used"
            } else {
                ""
            }
        ),
        Event::StageEntered(stage) => of_stage(stage),
        Event::TrainingEpoch(epoch) => of_training_epoch(epoch),
        Event::TrainingSaved { epoch, batch } => {
            format!("checkpoint after batch {batch} of epoch {epoch}")
        }
        Event::TestFinished(test) => of_test(test),
        _ => return None,
    };
    Some(text)
}

/// What is said of a recipe beside its name.
fn beside_recipe(settings: &Recipe) -> String {
    let muon = matches!(settings.optimizer, Optimizer::Muon { .. });
    let muon = muon.then(|| "kernels by Muon".to_owned());
    let mixing = settings.mixes().then(|| settings.mixing());
    let said: Vec<String> = muon.into_iter().chain(mixing).collect();
    match said.is_empty() {
        true => String::new(),
        false => format!(" ({})", said.join(", ")),
    }
}

fn of_stage(entered: &StageEntered) -> String {
    let StageEntered {
        stage,
        stages,
        size,
        first_epoch,
        last_epoch,
        statistics_batches,
        ..
    } = entered;
    let epochs = if first_epoch == last_epoch {
        format!("epoch {first_epoch}")
    } else {
        format!("epochs {first_epoch} to {last_epoch}")
    };
    let statistics = statistics_batches.map_or_else(String::new, |batches| {
        format!("; batch norm statistics are estimated anew on {batches} batches of them")
    });
    format!("stage {stage} of {stages}, {epochs}: images of {size}x{size} pixels{statistics}")
}

/// Says which weights and which losses these are, so that nobody compares what cannot be compared.
fn of_training_epoch(e: &TrainingEpoch) -> String {
    let (is_smoothed, is_mixed) = (e.label_smoothing > 0.0, e.cutmix > 0.0);
    let smoothed = if is_smoothed { "smoothed loss" } else { "loss" };
    let mixed = if is_mixed { " (mixed images)" } else { "" };
    let averaged = if e.averaged {
        " (averaged weights)"
    } else {
        ""
    };
    format!(
        "epoch {}: {smoothed} {} train{mixed}, {}{} validation; accuracy {} train{mixed}, {} validation{averaged}; learning rate {}, {} images/s",
        e.epoch,
        loss(e.train_loss),
        if is_smoothed { "loss " } else { "" },
        loss(e.valid_loss),
        accuracy(e.train_accuracy),
        accuracy(e.valid_accuracy),
        learning_rate(e.learning_rate),
        decimal(e.images_per_second, 0)
    )
}

fn of_test(test: &TestFinished) -> String {
    let [low, high] = test.report.accuracy_ci95.map(accuracy);
    let averaged = if test.averaged { "averaged " } else { "" };
    let mirrored = test.mirrored.as_ref().map_or_else(String::new, |both| {
        let [low, high] = both.accuracy_ci95.map(accuracy);
        format!(
            "; with mirror images, a figure of its own: {} (95 % {low} to {high})",
            accuracy(both.accuracy)
        )
    });
    format!(
        "test: accuracy {} (95 % {low} to {high}) on {} images, with the {averaged}weights of epoch {} (validation {}){mirrored}",
        accuracy(test.report.accuracy),
        test.report.images,
        test.epoch,
        accuracy(test.valid_accuracy)
    )
}
