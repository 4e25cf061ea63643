//! The figures of a training.

use crate::analysis::series::Measure;
use crate::classification::ClassificationReport;
use crate::config::{Schedule, StageSpan};
use crate::foundation::numbers;
use crate::report::figures::curves::{LineFigure, Noted, Trace, Unit};
use crate::report::figures::ink::Ink;
use crate::report::figures::{Figure, confusion, curves, network, per_class, reliability};
use crate::state::TrainingRun;

/// The figures with their captions.
pub struct TrainingFigures {
    pub(super) loss: Figure,
    pub(super) accuracy: Figure,
    pub(super) learning_rate: Figure,
    pub(super) network: Figure,
    /// `None` before the test.
    pub test: Option<Test>,
}

/// The figures of the test.
pub struct Test {
    pub(super) confusion: Figure,
    pub(super) per_class: Figure,
    pub(super) reliability: Figure,
}

impl TrainingFigures {
    pub(super) fn of(run: &TrainingRun) -> TrainingFigures {
        TrainingFigures {
            loss: loss(run),
            accuracy: accuracy(run),
            learning_rate: learning_rate(run),
            network: network::figure(&run.started.architecture),
            test: run.test.as_ref().map(|test| Test::of(&test.report)),
        }
    }

    /// In the order of the page.
    pub fn into_list(self) -> Vec<Figure> {
        let mut list = vec![self.loss, self.accuracy, self.learning_rate];
        if let Some(test) = self.test {
            list.extend([test.confusion, test.per_class, test.reliability]);
        }
        list.push(self.network);
        list
    }
}

impl Test {
    fn of(report: &ClassificationReport) -> Test {
        Test {
            confusion: Figure::new(
                "confusion",
                "Confusion matrix",
                "Test images of each class (rows) by what they were taken for (columns). Right answers are blue; wrong ones are orange, \
                 stronger than their share so that rare ones show.",
                |form, title| confusion::draw(report, form, title),
            ),
            per_class: Figure::new(
                "per-class",
                "Accuracy on each class",
                "With 95 % intervals (Wilson). The dashed line is the accuracy on all test images.",
                |form, title| per_class::draw(report, form, title),
            ),
            reliability: Figure::new(
                "reliability",
                "Calibration",
                "Test images by how sure the network was of its answer. Points below the dashed line: surer than right. Bars: how many \
                 images, the fullest bin a third of the height.",
                |form, title| reliability::draw(&report.calibration, form, title),
            ),
        }
    }
}

fn loss(run: &TrainingRun) -> Figure {
    let curves = pair(run, Measure::Loss, Unit::Plain);
    Figure::new(
        "loss",
        "Loss",
        format!(
            "Mean cross-entropy in nats.{}{}",
            on_smoothing(run),
            on_stages(run)
        ),
        |form, title| curves::draw(&curves, form, title),
    )
}

fn accuracy(run: &TrainingRun) -> Figure {
    let curves = pair(run, Measure::Accuracy, Unit::Share);
    let best = run.best().map(|best| Noted {
        at: (best.epoch as u64, best.valid_accuracy),
        text: numbers::accuracy(best.valid_accuracy),
    });
    let curves = LineFigure {
        noted: best,
        ..curves
    };
    let caption = format!(
        "The ring is the epoch whose weights are kept.{}{}{}",
        on_average(run),
        on_mixing(run),
        on_stages(run)
    );
    Figure::new("accuracy", "Accuracy", caption, |form, title| {
        curves::draw(&curves, form, title)
    })
}

fn learning_rate(run: &TrainingRun) -> Figure {
    let curves = rates(run);
    let caption = "The learning rate of the last batch of each epoch.";
    Figure::new("learning-rate", "Learning rate", caption, |form, title| {
        curves::draw(&curves, form, title)
    })
}

/// The epochs at which images of another size begin, with that size.
fn changes(run: &TrainingRun) -> Vec<(u64, String)> {
    let change = |span: StageSpan| (span.first as u64, format!("{0}×{0}", span.stage.size));
    run.started.settings.stage_spans().map(change).collect()
}

/// What the caption of the loss says about smoothed labels and mixed images.
fn on_smoothing(run: &TrainingRun) -> String {
    let settings = &run.started.settings;
    if !settings.smooths() {
        return on_mixing(run).to_owned();
    }
    let mixed = if settings.mixes() {
        "of mixed images and "
    } else {
        ""
    };
    format!(
        " The training loss is {mixed}with labels smoothed by {}, the validation loss without: the two curves cannot be compared.",
        settings.label_smoothing
    )
}

/// What a caption says about mixed images.
fn on_mixing(run: &TrainingRun) -> &'static str {
    match run.started.settings.mixes() {
        true => " Training is on mixed images: the two curves cannot be compared.",
        false => "",
    }
}

/// What a caption says about averaged weights.
fn on_average(run: &TrainingRun) -> &'static str {
    if run.started.settings.averages() {
        " Validation is of averaged weights, training of the weights in training."
    } else {
        ""
    }
}

/// What a caption says about stages.
fn on_stages(run: &TrainingRun) -> &'static str {
    if run.started.settings.stages.len() < 2 {
        ""
    } else {
        " Dashed upright lines: from there on the images have another size; values before and after are not comparable."
    }
}

/// A line for the training images and one for the validation images.
fn pair(run: &TrainingRun, measure: Measure, unit: Unit) -> LineFigure {
    let [training, validation] = measure.curves(&run.epochs);
    let settings = &run.started.settings;
    let is_smoothed = matches!(measure, Measure::Loss) && settings.smooths();
    let train_is = match (settings.mixes(), is_smoothed) {
        (true, true) => "training, mixed images, smoothed loss",
        (true, false) => "training, mixed images",
        (false, true) => "training, smoothed loss",
        (false, false) => "training",
    };
    let valid_is = if settings.averages() {
        "validation, averaged weights"
    } else {
        "validation"
    };
    LineFigure {
        along: "epoch",
        up: measure.name(),
        unit,
        series: vec![
            Trace::dashed(train_is, Ink::Orange, training),
            Trace::solid(valid_is, Ink::Blue, validation),
        ],
        noted: None,
        changes: changes(run),
        nothing: "No epoch is done yet.",
    }
}

fn rates(run: &TrainingRun) -> LineFigure {
    // Step schedules multiply by factors; a cosine ends at 0, which has no logarithm.
    let unit = match run.started.settings.schedule {
        Schedule::Steps { .. } | Schedule::Plateau { .. } => Unit::Logarithmic,
        Schedule::Constant | Schedule::Cosine { .. } | Schedule::OneCycle { .. } => Unit::FromZero,
    };
    let points = run
        .epochs
        .iter()
        .map(|epoch| (epoch.epoch as u64, epoch.learning_rate))
        .collect();
    let series = vec![Trace::solid("learning rate", Ink::Green, points)];
    LineFigure {
        along: "epoch",
        up: "learning rate",
        unit,
        series,
        noted: None,
        changes: Vec::new(),
        nothing: "No epoch is done yet.",
    }
}
