//! The progress of the training, its results so far, and when it will end.

use std::borrow::Cow;

use super::gauges::{gauges, shown_time_left};
use crate::config::{Precision, Schedule, whole_epochs};
use crate::event::{InitialWeights, TrainingStarted};
use crate::state::TrainingRun;
use crate::tui::format;
use crate::tui::paint::pieces_width;
use crate::tui::panels::inspector::table::{RankedColumn, table};
use crate::tui::panels::panel::{About, PANELS, Scrolled, TRAINING, TextPanel};
use crate::tui::panels::scene::Scene;
use crate::tui::panels::training::speed_text;
use crate::tui::panels::{self, Content, PanelId, Row, join_fitting, labelled, words};
use crate::tui::theme::Role;

/// The panel.
#[derive(Debug, Clone, Default)]
pub struct ProgressView;

#[linkme::distributed_slice(PANELS)]
static ABOUT: About = About {
    after_test: Some(PanelId("test")),
    need,
    ..About::of::<Scrolled<ProgressView>>("progress", "Training", 80, TRAINING)
};

impl TextPanel for ProgressView {
    fn title(&self, scene: &Scene<'_>, _width: usize) -> (Cow<'static, str>, Row) {
        ("Training".into(), beside(scene))
    }

    fn content(&self, scene: &Scene<'_>, width: usize, _height: usize) -> Content {
        content(scene, width)
    }
}

/// Rows for all that can be shown at any time of the training: gauges, stages, figures of three epochs
/// below their headings, what they are of, speed, and how it ends.
fn need(scene: &Scene<'_>, width: usize) -> Option<usize> {
    let training = scene.live.training_run()?;
    let settings = &training.started.settings;
    let stages = if settings.stages.is_empty() { 0 } else { 3 };
    let explained = explained(&training.started).into_iter();
    let explained = explained.map(|text| panels::wrapped(Role::Dim, &text, width).len());
    let falls = !matches!(settings.schedule, Schedule::Constant);
    let ends = usize::from(falls) + usize::from(settings.early_stopping > 0);
    let shortage = shortage(training).map(|text| panels::wrapped(Role::Warning, &text, width));
    let shortage = shortage.map_or(0, |rows| rows.len());
    Some(2 + stages + 4 + explained.sum::<usize>() + 1 + shortage + ends)
}

/// The network and recipe, beside the title.
fn beside(scene: &Scene<'_>) -> Row {
    let Some(training) = scene.state.training_run() else {
        return Row::new();
    };
    vec![
        (Role::Strong, training.started.architecture.name.clone()),
        (Role::Dim, format!(" by {}", training.started.recipe)),
    ]
}

/// The panel's content in `width` columns.
fn content(scene: &Scene<'_>, width: usize) -> Content {
    let Some(training) = scene.state.training_run() else {
        return vec![words(Role::Dim, "images and network are being prepared")].into();
    };
    let gone = scene
        .why_abandoned()
        .filter(|_| !scene.is_over())
        .map(|reason| panels::wrapped(Role::Error, &reason, width));
    let mut body: Vec<Row> = gone.unwrap_or_default();
    body.extend(gauges(scene, training, width));
    body.extend(stages(scene, training, width));
    body.extend(figures(training, width));
    body.extend(
        explained(&training.started)
            .into_iter()
            .flat_map(|text| panels::wrapped(Role::Dim, &text, width)),
    );
    let facts = [speed(training, width), ends(scene, training, width)].concat();
    body.extend(facts.into_iter().flat_map(|fact| wrapped(fact, width)));
    body.into()
}

/// The plan of the stages, with the current one emphasised, and what the smaller images mean for
/// other figures.
fn stages(scene: &Scene<'_>, training: &TrainingRun, width: usize) -> Vec<Row> {
    let Some(current) = training.stage() else {
        return Vec::new();
    };
    let (times, settings) = (scene.glyphs().times, &training.started.settings);
    let size = |size: usize| format!("{size}{times}{size}");
    let number = [
        labelled("stage", Role::Strong, current.number.to_string()),
        vec![(Role::Dim, format!("/{}", settings.stages.len()))],
    ]
    .concat();
    let mut plan = vec![number.clone()];
    plan.extend(settings.stage_spans().map(|span| {
        let role = if span == current {
            Role::Strong
        } else {
            Role::Dim
        };
        let epochs = match span.first == span.last {
            true => format!(" {}", span.last),
            false => format!(" {}-{}", span.first, span.last),
        };
        vec![(role, size(span.stage.size)), (Role::Dim, epochs)]
    }));
    let brief = vec![
        number,
        vec![(Role::Strong, size(current.stage.size))],
        vec![(Role::Dim, format!("until epoch {}", current.last))],
    ];
    let whole = join_fitting(plan.clone(), "  ", usize::MAX);
    let mut rows = vec![if pieces_width(&whole) <= width {
        whole
    } else {
        join_fitting(brief, "  ", width)
    }];
    if scene.is_over() {
        return rows;
    }
    if let Some(epoch) = training.whole_images_from() {
        let whole = settings.stages.last().map_or(0, |stage| stage.size);
        let text = format!("best epoch: from {epoch} on ({})", size(whole));
        rows.push(words(Role::Dim, text));
    }
    let left = shown_time_left(scene, training);
    if let Some(from) = left.and_then(|left| left.extrapolated_from) {
        let text = format!("time left: extrapolated from {}", size(from));
        let how = [words(Role::Dim, text), words(Role::Dim, "by MACs")];
        rows.push(join_fitting(how.to_vec(), " ", width));
    }
    rows
}

/// Loss and accuracy of the current epoch, of the last one, and of the best one.
fn figures(training: &TrainingRun, width: usize) -> Vec<Row> {
    let loss = format::loss;
    let mut rows: Vec<[String; 5]> = Vec::new();
    if let Some(progress) = &training.progress {
        let name = format!("in {}", progress.epoch);
        rows.push([
            name,
            loss(progress.loss),
            String::new(),
            format::accuracy(progress.accuracy),
            String::new(),
        ]);
    }
    let done = |name: String, epoch: &crate::event::TrainingEpoch| {
        let accuracies = [epoch.train_accuracy, epoch.valid_accuracy].map(format::accuracy);
        let [train, valid] = accuracies;
        [
            name,
            loss(epoch.train_loss),
            loss(epoch.valid_loss),
            train,
            valid,
        ]
    };
    let (last, best) = (training.epochs.last(), training.best());
    rows.extend(last.map(|epoch| done(format!("after {}", epoch.epoch), epoch)));
    rows.extend(best.map(|epoch| done(format!("best {}", epoch.epoch), epoch)));
    if rows.is_empty() {
        return vec![words(Role::Dim, "the first batches are under way")];
    }
    let settings = &training.started.settings;
    let cells = |column: usize| rows.iter().map(move |row| row[column].clone());
    let of_training = match (settings.mixes(), settings.smooths()) {
        (true, _) => ["mixed", "mixed acc"],
        (false, true) => ["smoothed", "accuracy"],
        (false, false) => ["loss", "accuracy"],
    };
    let columns = vec![
        RankedColumn::texts("epoch", 0, cells(0)),
        RankedColumn::numbers(of_training[0], 1, cells(1)),
        RankedColumn::numbers("val loss", 2, cells(2)),
        RankedColumn::numbers(of_training[1], 3, cells(3)),
        RankedColumn::numbers("val acc", 0, cells(4)),
    ];
    let content = table(columns, width);
    let last = content.body.len() - 1;
    // The weights of the best epoch are kept, so its row is highlighted.
    let emphasised = content.body.into_iter().enumerate().map(|(index, row)| {
        match index == last && !training.epochs.is_empty() {
            true => row
                .into_iter()
                .map(|(_, text)| (Role::Best, text))
                .collect(),
            false => row,
        }
    });
    content.head.into_iter().chain(emphasised).collect()
}

/// What the figures are of and what the training began with, where that is not what one would expect.
fn explained(started: &TrainingStarted) -> Vec<String> {
    let settings = &started.settings;
    let smoothed = format!(
        "loss in training: labels smoothed by {}",
        settings.label_smoothing
    );
    let averaged = "val: of averaged weights".to_owned();
    let of = |is: bool, text: String| is.then_some(text);
    [
        of(settings.smooths(), smoothed),
        of(settings.mixes(), format!("training: {}", settings.mixing())),
        of(settings.averages(), averaged),
        started.initial.as_ref().map(begun_with),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `begun with night2: 34 epochs, val 89.72 %`, `begun with the mean of 2 weight files: up to 36 epochs`
fn begun_with(initial: &InitialWeights) -> String {
    let averaged = initial.mean_with.len() + 1;
    if averaged > 1 {
        let most = if initial.is_known() { "up to " } else { "" };
        let epochs = initial.epochs_in_words();
        return format!("begun with the mean of {averaged} weight files: {most}{epochs}");
    }
    let Some(earlier) = &initial.training else {
        return "begun with weights of unknown training".to_owned();
    };
    let epochs = initial.epochs_in_words();
    let accuracy = format::accuracy(earlier.valid_accuracy);
    format!("begun with {}: {epochs}, val {accuracy}", earlier.run)
}

/// Learning rate and speed, and how the batches are computed.
fn speed(training: &TrainingRun, width: usize) -> Vec<Row> {
    let (last, progress, started) = (
        training.epochs.last(),
        training.progress.as_ref(),
        &training.started,
    );
    let learning_rate = progress
        .map(|progress| progress.learning_rate)
        .or(last.map(|epoch| epoch.learning_rate));
    let speed = progress
        .map(|progress| progress.images_per_second)
        .or(last.map(|epoch| epoch.images_per_second));
    let precision = if started.precision == Precision::Bf16 {
        "bf16"
    } else {
        "float32"
    };
    let facts = vec![
        learning_rate.map_or(Row::new(), |value| {
            labelled("rate", Role::Text, format::learning_rate(value))
        }),
        speed.map_or(Row::new(), |speed| {
            vec![
                (Role::Text, speed_text(speed)),
                (Role::Dim, " images/s".to_owned()),
            ]
        }),
        vec![(Role::Dim, format!("{precision} on {}", started.device))],
    ];
    let mut rows = vec![join_fitting(facts, "  ", width)];
    rows.extend(shortage(training).map(|text| words(Role::Warning, text)));
    rows
}

/// That less than a batch fits into memory, if so.
fn shortage(training: &TrainingRun) -> Option<String> {
    let (micro, batch) = (training.micro_batch, training.started.settings.batch_size);
    let text = format!("{micro} images at a time (batch {batch}): memory was short");
    (micro < batch).then_some(text)
}

/// When the rate falls, and when the training ends early.
fn ends(scene: &Scene<'_>, training: &TrainingRun, width: usize) -> Vec<Row> {
    let settings = &training.started.settings;
    let status = scene.state.status;
    if status.is_over() {
        let ended_early = training.stopped_early(status);
        let text = format!(
            "ended early: {} epochs in a row without a better one",
            training.epochs_without_gain()
        );
        return Vec::from_iter(ended_early.then(|| words(Role::Text, text)));
    }
    let patience = |epochs: usize| labelled("patience", Role::Dim, epochs.to_string());
    let mut rows = Vec::new();
    if let Some(epochs) = training.epochs_until_stop() {
        let role = if epochs <= settings.early_stopping / 4 {
            Role::Warning
        } else {
            Role::Strong
        };
        let stops = [
            labelled("stops after", role, epochs.to_string()),
            vec![(Role::Dim, " more without gain".to_owned())],
        ];
        rows.push(join_fitting(
            vec![stops.concat(), patience(settings.early_stopping)],
            "  ",
            width,
        ));
    }
    let next = next_fall(training).map(|text| labelled("rate", Role::Text, text));
    let patience = training.patience().map_or(Row::new(), patience);
    rows.extend(next.map(|next| join_fitting(vec![next, patience], "  ", width)));
    rows
}

/// The next step of the schedule.
fn next_fall(training: &TrainingRun) -> Option<String> {
    let (settings, done) = (&training.started.settings, training.epochs.len());
    match &settings.schedule {
        Schedule::Constant => None,
        Schedule::Steps { at, factor } => {
            let falls = at.iter().map(|part| whole_epochs(*part, settings.epochs));
            let next = falls.filter(|epoch| *epoch > done).min()?;
            Some(format!("{} after epoch {next}", by(*factor)))
        }
        Schedule::Plateau { factor, .. } => Some(format!(
            "{} after {} more without gain",
            by(*factor),
            training.epochs_until_rate_falls()?
        )),
        Schedule::Cosine { warmup_epochs } if done < *warmup_epochs => {
            Some(format!("rises until epoch {warmup_epochs}"))
        }
        Schedule::Cosine { .. } => Some(format!("falls to 0 until epoch {}", settings.epochs)),
        Schedule::OneCycle {
            peak_at,
            final_rate,
            ..
        } => {
            let peak = peak_at * settings.epochs as f64;
            let (verb, rate, until) = if (done as f64) < peak.floor() {
                ("rises", settings.learning_rate, peak.ceil() as usize)
            } else {
                ("falls", *final_rate, settings.epochs)
            };
            let rate = format::learning_rate(rate);
            Some(format!("{verb} to {rate} until epoch {until}"))
        }
    }
}

/// `/10` for 0.1, `x0.3` for 0.3.
fn by(factor: f64) -> String {
    let divisor = 1.0 / factor;
    if divisor >= 1.5 && (divisor - divisor.round()).abs() < 1e-6 {
        format!("/{divisor:.0}")
    } else {
        format!("x{factor}")
    }
}

/// A row in as many lines as necessary; only the first keeps the roles of its pieces.
fn wrapped(row: Row, width: usize) -> Vec<Row> {
    if pieces_width(&row) <= width {
        return vec![row];
    }
    let role = row.last().map_or(Role::Text, |(role, _)| *role);
    let text: String = row.into_iter().map(|(_, text)| text).collect();
    panels::wrapped(role, &text, width)
}
