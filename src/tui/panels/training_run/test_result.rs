//! The best weights' results on the test images: figures, classes, confusion matrix, and the most
//! confused pairs.

use std::borrow::Cow;

use super::{classes, confusion};
use crate::config::LayoutName;
use crate::event::TestFinished;
use crate::report::page::tables;
use crate::state::{RunStatus, TrainingRun};
use crate::tui::format;
use crate::tui::keymap::{Action, Binding, Scope, keys};
use crate::tui::paint::pieces_width;
use crate::tui::panels::panel::{
    About, LazyTable, PANELS, Response, Scrolled, TRAINING, TextPanel,
};
use crate::tui::panels::scene::Scene;
use crate::tui::panels::{self, Content, PanelId, Row, labelled, words, wrapped};
use crate::tui::theme::{Glyphs, Role};

/// Between two columns of blocks.
const GAP: usize = 3;
/// Columns of the left one.
const LEFT: usize = 52;

/// The panel.
#[derive(Debug, Clone, Default)]
pub struct TestResult {
    /// Whether the confusion matrix is in percent of each class instead of images.
    in_percent: bool,
}

const HERE: Scope = Scope::Panel(PanelId("test"));

/// The keys of this panel only.
const KEYS: &[Binding] = keys! {
    HERE ["v"] ToggleColumns "test: confusion matrix in images or in percent" ("percent");
};

#[linkme::distributed_slice(PANELS)]
static ABOUT: About = About {
    keys: KEYS,
    leads: &[LayoutName::Children],
    need,
    ..About::of::<Scrolled<TestResult>>("test", "Test", 110, TRAINING)
};

impl TextPanel for TestResult {
    fn title(&self, scene: &Scene<'_>, _width: usize) -> (Cow<'static, str>, Row) {
        ("Test".into(), beside(scene))
    }

    fn content(&self, scene: &Scene<'_>, width: usize, _height: usize) -> Content {
        content(scene, self.in_percent, width)
    }

    fn table<'a>(&'a self, scene: &'a Scene<'_>) -> Option<LazyTable<'a>> {
        let test = scene.state.training_run()?.test.as_ref()?;
        Some(Box::new(move || tables::per_class(&test.report)))
    }

    fn act(&mut self, action: Action) -> Option<Response> {
        (action == Action::ToggleColumns).then(|| {
            self.in_percent = !self.in_percent;
            Response::Draw
        })
    }

    fn offers(&self, action: Action, scene: &Scene<'_>) -> bool {
        let training = scene.state.training_run();
        let is_tested = training.is_some_and(|training| training.test.is_some());
        action != Action::ToggleColumns || is_tested
    }

    fn word(&self, action: Action) -> Option<&'static str> {
        (action == Action::ToggleColumns && self.in_percent).then_some("images")
    }
}

/// The rows of the results once they are known, whether in images or in percent.
fn need(scene: &Scene<'_>, width: usize) -> Option<usize> {
    let test = scene.live.training_run()?.test.as_ref()?;
    let rows = |in_percent| report(test, in_percent, width, scene.glyphs()).len();
    Some(rows(false).max(rows(true)))
}

fn beside(scene: &Scene<'_>) -> Row {
    let Some(test) = scene.state.training_run().and_then(|run| run.test.as_ref()) else {
        return Row::new();
    };
    let averaged = if test.averaged { "averaged " } else { "" };
    let weights = format!("  {averaged}weights of epoch {}", test.epoch);
    vec![
        (Role::Best, format::accuracy(test.report.accuracy)),
        (Role::Dim, weights),
    ]
}

/// The panel's content in `width` columns.
fn content(scene: &Scene<'_>, in_percent: bool, width: usize) -> Content {
    let Some(training) = scene.state.training_run() else {
        return Content::default();
    };
    match &training.test {
        Some(test) => report(test, in_percent, width, scene.glyphs()).into(),
        None => {
            let text = still_to_come(training, scene.state.status);
            wrapped(Role::Dim, &text, width).into()
        }
    }
}

/// Why there are no results yet.
fn still_to_come(training: &TrainingRun, status: RunStatus) -> String {
    if training.started.without_test {
        return "Test images not used: this training was begun with train.test = false.".to_owned();
    }
    let kept = match training.best() {
        Some(best) => format!(" So far those are the weights of epoch {}.", best.epoch),
        None => training
            .whole_images_from()
            .map_or_else(String::new, |epoch| {
                format!(" They are chosen from epoch {epoch} on.")
            }),
    };
    if status.is_over() {
        "The test images were not classified: the training did not finish.".to_owned()
    } else {
        format!(
            "The test images are classified once, after the last epoch, by the best weights.{kept}"
        )
    }
}

/// The blocks, one below the other, or in two columns if there is room.
fn report(test: &TestFinished, in_percent: bool, width: usize, glyphs: &Glyphs) -> Vec<Row> {
    let report = &test.report;
    let right_width = confusion::width(report, in_percent);
    if width >= LEFT + GAP + right_width {
        let left = [
            figures(test, LEFT),
            vec![Row::new()],
            classes::rows(report, LEFT, glyphs),
        ]
        .concat();
        let room = width - LEFT - GAP;
        let right = [
            confusion::rows(report, in_percent, room),
            vec![Row::new()],
            confusion::pairs(report, room),
        ]
        .concat();
        return beside_each_other(left, right);
    }
    let matrix = confusion::rows(report, in_percent, width);
    let (classes, pairs) = (
        classes::rows(report, width, glyphs),
        confusion::pairs(report, width),
    );
    // A note that the matrix does not fit is the least important block.
    let blocks = if right_width <= width {
        [matrix, classes, pairs]
    } else {
        [classes, pairs, matrix]
    };
    [figures(test, width)]
        .into_iter()
        .chain(blocks)
        .collect::<Vec<_>>()
        .join(&Row::new())
}

fn beside_each_other(left: Vec<Row>, right: Vec<Row>) -> Vec<Row> {
    let rows = left.len().max(right.len());
    let row = |index: usize| {
        let mut row = left.get(index).cloned().unwrap_or_default();
        if let Some(right) = right.get(index) {
            row.push((
                Role::Text,
                " ".repeat((LEFT + GAP).saturating_sub(pieces_width(&row))),
            ));
            row.extend(right.clone());
        }
        row
    };
    (0..rows).map(row).collect()
}

/// Accuracy, top 5, loss and calibration error, one per row, with 95 % intervals if there is room.
fn figures(test: &TestFinished, width: usize) -> Vec<Row> {
    let report = &test.report;
    let percent = |[low, high]: [f64; 2]| format!("{:.2} to {:.2} %", low * 100.0, high * 100.0);
    let mut rows = vec![figure(
        "accuracy",
        Role::Best,
        format::accuracy(report.accuracy),
        Some(percent(report.accuracy_ci95)),
        width,
    )];
    rows.extend(mirrored(test, width));
    if let Some(top) = &report.top5 {
        rows.push(figure(
            "top 5",
            Role::Text,
            format::accuracy(top.accuracy),
            Some(percent(top.ci95)),
            width,
        ));
    }
    let [low, high] = report.calibration.ci95;
    let error = format!("{:.4}", report.calibration.error);
    rows.push(figure(
        "calibration error",
        Role::Text,
        error,
        Some(format!("{low:.4} to {high:.4}")),
        width,
    ));
    rows.push(figure(
        "loss",
        Role::Text,
        format::loss(report.loss),
        None,
        width,
    ));
    rows.extend(right_and_validation(test, width));
    rows
}

/// The number of images classified correctly, the validation accuracy of these weights and how far the test
/// accuracy is from it: in one row, or in two where the difference would not fit otherwise.
fn right_and_validation(test: &TestFinished, width: usize) -> Vec<Row> {
    let report = &test.report;
    let [correct, images] = [report.correct, report.images].map(|n| format::count(n as u64));
    let right = words(Role::Text, format!("{correct} of {images} right"));
    let validation = labelled(
        "validation",
        Role::Text,
        format::accuracy(test.valid_accuracy),
    );
    let difference = format::points(report.accuracy - test.valid_accuracy);
    let difference = labelled("difference", Role::Text, difference);
    let join = |groups: &[&Row], width| {
        let groups = groups.iter().map(|group| (*group).clone()).collect();
        panels::join_fitting(groups, "  ", width)
    };
    let row = join(&[&right, &validation, &difference], width);
    let two = join(&[&validation, &difference], usize::from(u16::MAX));
    match row.ends_with(&difference) || pieces_width(&two) > width {
        true => vec![row],
        false => vec![right, two],
    }
}

/// The accuracy with mirror images, if it was measured.
fn mirrored(test: &TestFinished, width: usize) -> Option<Row> {
    let both = test.mirrored.as_ref()?;
    let [low, high] = both.accuracy_ci95.map(|bound| bound * 100.0);
    Some(figure(
        "with mirror images",
        Role::Text,
        format::accuracy(both.accuracy),
        Some(format!("{low:.2} to {high:.2} %")),
        width,
    ))
}

/// `accuracy           90.40 %  95 %: 88.42 to 92.07 %`.
fn figure(label: &str, role: Role, value: String, interval: Option<String>, width: usize) -> Row {
    let row = vec![
        (Role::Dim, format!("{label:<18}")),
        (role, format!("{value:>8}")),
    ];
    let wide = interval.map_or(Row::new(), |interval| {
        labelled("95 %:", Role::Text, interval)
    });
    panels::join_fitting(vec![row, wide], "  ", width)
}
