//! The results on the test images: confusions, classes, calibration.

use maud::{Markup, html};

use super::figures::TrainingFigures;
use crate::classification::ClassificationReport;
use crate::foundation::numbers::{accuracy, count};
use crate::report::page::html::{Heading, Section, figure, table, text};
use crate::report::page::parts;
use crate::state::TrainingRun;

/// The section; it says so if there was no test.
pub fn section(run: &TrainingRun, figures: &TrainingFigures) -> Section {
    let body = match (&run.test, &figures.test) {
        (Some(test), Some(figures)) => html! {
            p {
                (count(test.report.images as u64)) " test images of " (test.data) ", classified once with the weights of epoch " (test.epoch) ": "
                strong { (count(test.report.correct as u64)) " right" } ", accuracy " (parts::whole(&accuracy(test.report.accuracy)))
                " (95 %: " (parts::whole(&parts::bounds(test.report.accuracy_ci95))) ")."
            }
            (figure(&figures.confusion))
            (confused(&test.report))
            (figure(&figures.per_class))
            (classes(&test.report))
            (figure(&figures.reliability))
        },
        _ => html! { p { "Test accuracy: not measured." } },
    };
    Section::new("test", "Test", body)
}

fn confused(report: &ClassificationReport) -> Markup {
    if report.most_confused.is_empty() {
        return html! { p { "No image was misclassified." } };
    }
    let columns: [Heading; 4] = [
        ("class", false),
        ("taken for", false),
        ("images", true),
        ("of the class", true),
    ];
    let row = |pair: &crate::classification::ConfusedPair| {
        let of_class = report
            .per_class
            .iter()
            .find(|class| class.class == pair.class)
            .map_or(0, |class| class.images);
        let share = format!(
            "{:.1} %",
            100.0 * pair.images as f64 / of_class.max(1) as f64
        );
        vec![
            text(&pair.class),
            text(&pair.taken_for),
            text(count(pair.images as u64)),
            text(share),
        ]
    };
    table(
        "Most confused pairs",
        &columns,
        report.most_confused.iter().map(row),
    )
}

fn classes(report: &ClassificationReport) -> Markup {
    let columns: [Heading; 5] = [
        ("class", false),
        ("images", true),
        ("right", true),
        ("accuracy", true),
        ("95 %", true),
    ];
    let row = |class: &crate::classification::ClassAccuracy| {
        let accuracy = class.accuracy.map_or_else(|| "–".to_owned(), accuracy);
        let interval = class.ci95.map_or_else(|| "–".to_owned(), parts::bounds);
        vec![
            text(&class.class),
            text(count(class.images as u64)),
            text(count(class.correct as u64)),
            text(accuracy),
            text(interval),
        ]
    };
    table(
        "Accuracy on each class",
        &columns,
        report.per_class.iter().map(row),
    )
}
