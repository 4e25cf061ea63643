//! Bars for how far a training has progressed.

use unicode_width::UnicodeWidthStr;

use crate::event::Measured;
use crate::state::{RunStatus, TrainingRun};
use crate::tui::format;
use crate::tui::paint::bar;
use crate::tui::panels::Row;
use crate::tui::panels::scene::Scene;
use crate::tui::theme::Role;

/// Narrowest and widest progress bar.
const BAR: std::ops::RangeInclusive<usize> = 6..=40;

/// Bars for the current epoch and for the whole training.
pub fn gauges(scene: &Scene<'_>, training: &TrainingRun, width: usize) -> Vec<Row> {
    let planned = training.started.settings.epochs;
    if scene.state.status == RunStatus::Completed {
        let after = format!(" {} of {planned} epochs", training.epochs.len());
        return vec![gauge(scene, "done", &[&after], 1.0, width)];
    }
    let epoch = current(scene, training, width);
    let short = format!(" of {planned} epochs");
    let left = training
        .time_left()
        .filter(|_| !scene.in_the_past() && !scene.is_over() && scene.why_abandoned().is_none());
    let long = left.map_or(short.clone(), |left| {
        format!(
            " of {planned}, {} {} left",
            scene.theme.glyphs.about,
            format::estimate(left.seconds)
        )
    });
    vec![
        epoch,
        gauge(scene, "all", &[&long, &short], training.fraction(), width),
    ]
}

/// A bar for the batches of the current epoch, or for the images of what is measured after them.
fn current(scene: &Scene<'_>, training: &TrainingRun, width: usize) -> Row {
    let label = format!("epoch {}", training.epoch());
    if let Some(measuring) = &training.measuring {
        let is_test = matches!(measuring.what, Measured::Test | Measured::MirroredTest);
        let label = if is_test { "test" } else { label.as_str() };
        let texts = [measuring.text(), measuring.brief()].map(|text| format!(" {text}"));
        let fraction = measuring.images as f64 / measuring.of.max(1) as f64;
        return gauge(
            scene,
            label,
            &texts.each_ref().map(String::as_str),
            fraction,
            width,
        );
    }
    let progress = training.progress.as_ref();
    let (batch, batches) = progress.map_or((0, 0), |progress| (progress.batch, progress.batches));
    let batch_of = match batches {
        0 => String::new(),
        _ => format!(" batch {batch}/{batches}"),
    };
    let fraction = batch as f64 / batches.max(1) as f64;
    gauge(scene, &label, &[&batch_of], fraction, width)
}

/// A bar between a label and the first of the texts that leaves room for it.
fn gauge(scene: &Scene<'_>, label: &str, texts: &[&str], fraction: f64, width: usize) -> Row {
    let label = format!("{label:<9} ");
    let room = |text: &str| width.saturating_sub(label.len() + text.width());
    let fitting = texts.iter().find(|text| room(text) >= *BAR.start());
    let text = fitting.or(texts.last()).copied().unwrap_or_default();
    let bar_width = if fitting.is_some() {
        room(text).min(*BAR.end())
    } else {
        0
    };
    let mut row = vec![(Role::Dim, label)];
    row.extend(bar(scene.glyphs(), bar_width, fraction, Role::Gauge));
    row.push((Role::Text, text.to_owned()));
    row
}
