//! The header's second row for a training: its progress, and the best so far.

use crate::state::TrainingRun;
use crate::tui::format;
use crate::tui::paint::pieces_width;
use crate::tui::panels::{Row, join_ranked, labelled};
use crate::tui::theme::{Glyphs, Role};
use unicode_width::UnicodeWidthStr;

/// Width in columns below which short names are used.
const NARROW: usize = 72;

/// Why there is no best epoch: none is done, or none is on whole images.
fn none_yet(training: &TrainingRun) -> String {
    training.whole_images_from().map_or_else(
        || "none yet".to_owned(),
        |epoch| format!("from epoch {epoch} on"),
    )
}

/// Number of the stage and size of its images.
fn stage(training: &TrainingRun, glyphs: &Glyphs) -> Row {
    let Some(span) = training.stage() else {
        return Row::new();
    };
    let (size, times) = (span.stage.size, glyphs.times);
    let stages = training.started.settings.stages.len();
    [
        labelled("stage", Role::Text, span.number.to_string()),
        vec![
            (Role::Dim, format!("/{stages} ")),
            (Role::Text, format!("{size}{times}{size}")),
        ],
    ]
    .concat()
}

/// The best epoch and its accuracy, under this name; `averaged` says which weights it is of.
fn best(training: &TrainingRun, label: &str, averaged: &str) -> Row {
    let averaged = if training.started.settings.averages() {
        averaged
    } else {
        ""
    };
    match training.best() {
        Some(best) => [
            labelled(label, Role::Best, format::accuracy(best.valid_accuracy)),
            vec![(Role::Dim, format!(" (epoch {}{averaged})", best.epoch))],
        ]
        .concat(),
        None => labelled(label, Role::Dim, none_yet(training)),
    }
}

/// The test accuracy, or that there will be none.
fn test(training: &TrainingRun) -> Row {
    match &training.test {
        Some(test) => labelled("test", Role::Best, format::accuracy(test.report.accuracy)),
        None if training.started.without_test => {
            labelled("test images", Role::Dim, "not used".to_owned())
        }
        None => Row::new(),
    }
}

/// The row in `width` columns; the least important parts are left out first.
pub fn row(training: &TrainingRun, is_over: bool, glyphs: &Glyphs, width: usize) -> Row {
    let started = &training.started;
    let number = training.latest_epoch(is_over);
    let epoch = [
        vec![
            (Role::Dim, "epoch ".to_owned()),
            (Role::Text, number.to_string()),
        ],
        vec![(Role::Dim, format!("/{}", started.settings.epochs))],
    ]
    .concat();
    let test = test(training);
    let gap = format!(" {} ", glyphs.separator);
    let stage = if is_over {
        Row::new()
    } else {
        stage(training, glyphs)
    };
    let measuring = training.measuring.map_or(Row::new(), |measuring| {
        vec![(Role::Text, measuring.brief())]
    });
    let long = best(training, "best validation accuracy", ", averaged weights");
    let parts = [&epoch, &stage, &measuring, &test, &long];
    let needed: usize = parts
        .map(|part| pieces_width(part) + gap.width())
        .iter()
        .sum();
    let best = if width < NARROW || needed > width + gap.width() {
        best(training, "best valid.", ", avg.")
    } else {
        long
    };
    let mirrored = training
        .test
        .as_ref()
        .and_then(|test| test.mirrored.as_ref());
    let mirrored = mirrored.map_or(Row::new(), |both| {
        labelled("mirrored", Role::Text, format::accuracy(both.accuracy))
    });
    let network = vec![(Role::Text, started.architecture.name.clone())];
    let recipe = labelled("recipe", Role::Text, started.recipe.clone());
    let device = vec![(Role::Text, started.device.clone())];
    let data = vec![(Role::Text, started.data.spec.clone())];
    join_ranked(
        vec![
            (0, epoch),
            (if measuring.is_empty() { 1 } else { 2 }, stage),
            (1, measuring),
            (1, best),
            (0, test),
            (3, mirrored),
            (3, network),
            (2, recipe),
            (4, device),
            (5, data),
        ],
        &gap,
        width,
    )
}
