//! Bars for how far a training has progressed.

use unicode_width::UnicodeWidthStr;

use crate::event::Measured;
use crate::state::{RunStatus, TimeLeft, TrainingRun};
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
    let left = shown_time_left(scene, training);
    let left = left.map(|left| {
        let (about, time) = (scene.theme.glyphs.about, format::estimate(left.seconds));
        format!(", {about} {time} left")
    });
    // Where epochs take different times, their number would not explain the bar.
    let (label, texts) = match training.stage() {
        Some(_) => (
            format!("of {planned}"),
            of_the_time(training.fraction(), left),
        ),
        None => ("all".to_owned(), of_the_epochs(planned, left)),
    };
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let all = gauge(scene, &label, &texts, training.fraction(), width);
    vec![epoch, all]
}

/// The time left, except where nothing or another moment is going on.
pub fn shown_time_left(scene: &Scene<'_>, training: &TrainingRun) -> Option<TimeLeft> {
    let goes_on = !scene.in_the_past() && !scene.is_over() && scene.why_abandoned().is_none();
    training.time_left().filter(|_| goes_on)
}

/// The texts beside the bar of a training whose epochs take equally long, the longest one first.
fn of_the_epochs(planned: usize, left: Option<String>) -> Vec<String> {
    let long = left.map(|left| format!(" of {planned}{left}"));
    let short = format!(" of {planned} epochs");
    long.into_iter().chain([short]).collect()
}

/// The same of a training in stages.
fn of_the_time(fraction: f64, left: Option<String>) -> Vec<String> {
    let percent = format!(" {:.0} %", (fraction.min(1.0) * 100.0).floor());
    let words = format!("{percent} of the time");
    let with_left = |text: &String| left.as_ref().map(|left| format!("{text}{left}"));
    let texts = [
        with_left(&words),
        with_left(&percent),
        Some(words.clone()),
        Some(percent.clone()),
    ];
    texts.into_iter().flatten().collect()
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
