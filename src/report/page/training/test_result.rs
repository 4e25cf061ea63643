//! The results on the test images: confusions, classes, calibration.

use maud::{Markup, html};

use super::figures::TrainingFigures;
use crate::classification::{ClassAccuracy, ClassificationReport, ConfusedPair};
use crate::foundation::numbers::{accuracy, count};
use crate::report::page::html::{HtmlColumn, Section, figure, table_of};
use crate::report::page::parts;
use crate::state::TrainingRun;

/// The section; it says so if there was no test.
pub fn section(run: &TrainingRun, figures: &TrainingFigures) -> Section {
    let body = match (&run.test, &figures.test) {
        (Some(test), Some(figures)) => html! {
            p {
                (count(test.report.images as u64)) " test images of " (test.data) ", classified once with the " (if test.averaged { "averaged " } else { "" }) "weights of epoch " (test.epoch) ": "
                strong { (count(test.report.correct as u64)) " right" } ", accuracy " (parts::whole(&accuracy(test.report.accuracy)))
                " (95 %: " (parts::whole(&parts::bounds(test.report.accuracy_ci95))) ")."
            }
            @if let Some(both) = &test.mirrored {
                p {
                    "With the mean of the logits of each image and its mirror image: " (count(both.correct as u64)) " right, accuracy "
                    (parts::whole(&accuracy(both.accuracy))) " (95 % " (parts::whole(&parts::bounds(both.accuracy_ci95))) "). This is a figure of its own: it decides nothing, and everything else on this page is of the images alone."
                }
            }
            (figure(&figures.confusion))
            (confused(&test.report))
            (figure(&figures.per_class))
            (classes(&test.report))
            (figure(&figures.reliability))
        },
        _ if run.started.without_test => {
            html! { p { "Test accuracy: not measured. Test images not used: the training was begun with " code { "train.test = false" } "." } }
        }
        _ => html! { p { "Test accuracy: not measured." } },
    };
    Section::new("test", "Test", body)
}

fn confused(report: &ClassificationReport) -> Markup {
    if report.most_confused.is_empty() {
        return html! { p { "No image was misclassified." } };
    }
    let percent = |pair: &ConfusedPair| format!("{:.1} %", 100.0 * report.share_of_class(pair));
    let columns: &[HtmlColumn<'_, ConfusedPair>] = &[
        ("class", false, &|pair| pair.class.clone()),
        ("taken for", false, &|pair| pair.taken_for.clone()),
        ("images", true, &|pair| count(pair.images as u64)),
        ("of the class", true, &percent),
    ];
    table_of("Most confused pairs", columns, &report.most_confused)
}

fn classes(report: &ClassificationReport) -> Markup {
    let unknown = || "–".to_owned();
    let columns: &[HtmlColumn<'_, ClassAccuracy>] = &[
        ("class", false, &|class| class.class.clone()),
        ("images", true, &|class| count(class.images as u64)),
        ("right", true, &|class| count(class.correct as u64)),
        ("accuracy", true, &|class| {
            class.accuracy.map_or_else(unknown, accuracy)
        }),
        ("95 %", true, &|class| {
            class.ci95.map_or_else(unknown, parts::bounds)
        }),
    ];
    table_of("Accuracy on each class", columns, &report.per_class)
}
