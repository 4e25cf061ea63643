//! The confusion matrix in compact form: classes down, predictions across by number; and the most
//! confused pairs.

use super::classes::name_width;
use crate::classification::ClassificationReport;
use crate::tui::format;
use crate::tui::panels::{Row, words};
use crate::tui::theme::Role;
use unicode_width::UnicodeWidthStr;

/// Columns of the matrix.
pub fn width(report: &ClassificationReport, in_percent: bool) -> usize {
    label_width(report) + report.per_class.len() * cell_width(report, in_percent)
}

/// Number and name of a class.
fn label_width(report: &ClassificationReport) -> usize {
    number_width(report) + 1 + name_width(report)
}

fn number_width(report: &ClassificationReport) -> usize {
    report.per_class.len().saturating_sub(1).to_string().len()
}

/// A gap and the widest number.
fn cell_width(report: &ClassificationReport, in_percent: bool) -> usize {
    let widest = if in_percent {
        100
    } else {
        report
            .confusion
            .iter()
            .flatten()
            .copied()
            .max()
            .unwrap_or(0)
    };
    1 + widest.to_string().len().max(number_width(report))
}

/// The matrix in `width` columns, or a note that it is too wide.
pub fn rows(report: &ClassificationReport, in_percent: bool, width: usize) -> Vec<Row> {
    let what = if in_percent {
        "percent of the class"
    } else {
        "images"
    };
    let title = format!("{what}: classes down, predictions across");
    let dim = |text: String| vec![(Role::Dim, format::fit(&text, width, ""))];
    if self::width(report, in_percent) > width {
        let text = format!(
            "the confusion matrix of {} classes needs {} columns",
            report.per_class.len(),
            self::width(report, in_percent)
        );
        return format::wrap(&text, width).into_iter().map(dim).collect();
    }
    let (label, cell) = (label_width(report), cell_width(report, in_percent));
    let heads: String = (0..report.per_class.len())
        .map(|class| format!("{class:>cell$}"))
        .collect();
    let body = (0..report.per_class.len()).map(|class| matrix_row(report, class, in_percent));
    [dim(title), dim(format!("{:label$}{heads}", ""))]
        .into_iter()
        .chain(body)
        .collect()
}

fn matrix_row(report: &ClassificationReport, class: usize, in_percent: bool) -> Row {
    let (number, names, cell) = (
        number_width(report),
        name_width(report),
        cell_width(report, in_percent),
    );
    let name = format::fit(&report.per_class[class].class, names, "");
    let padding = " ".repeat(names.saturating_sub(name.width()));
    let mut row = vec![
        (Role::Dim, format!("{class:>number$} ")),
        (Role::Text, format!("{name}{padding}")),
    ];
    let counts = &report.confusion[class];
    let images: usize = counts.iter().sum();
    for (prediction, &count) in counts.iter().enumerate() {
        let share = count as f64 / images.max(1) as f64;
        let text = match (count, in_percent) {
            // Most cells are empty: a dot keeps the others visible.
            (0, _) => ".".to_owned(),
            (_, false) => count.to_string(),
            (_, true) => format!("{:.0}", share * 100.0),
        };
        let role = match () {
            () if prediction == class => Role::Strong,
            () if count == 0 => Role::Dim,
            () if is_often(report, share) => Role::Warning,
            () => Role::Text,
        };
        row.push((role, format!("{text:>cell$}")));
    }
    row
}

/// Whether a class is mistaken for another at least three times as often as an even spread of the
/// mean class's mistakes over the other classes would give.
fn is_often(report: &ClassificationReport, share: f64) -> bool {
    let others = report.per_class.len().saturating_sub(1).max(1) as f64;
    share >= 3.0 * (1.0 - report.accuracy) / others
}

/// The most confused pairs in descending order.
pub fn pairs(report: &ClassificationReport, width: usize) -> Vec<Row> {
    let mut rows = vec![vec![(Role::Dim, "most confused".to_owned())]];
    if report.most_confused.is_empty() {
        rows.push(words(Role::Text, "no image was misclassified"));
    }
    for pair in &report.most_confused {
        let share = 100.0 * report.share_of_class(pair);
        let text = format!(
            "{:>5}  {:>4.1} %  {} taken for {}",
            pair.images, share, pair.class, pair.taken_for
        );
        rows.push(vec![(Role::Text, format::fit(&text, width, ""))]);
    }
    rows
}
