//! The accuracy on each class's test images: a bar, the figure, and its interval.

use crate::classification::{ClassAccuracy, ClassificationReport};
use crate::tui::format;
use crate::tui::paint::bar;
use crate::tui::panels::{Row, words};
use crate::tui::theme::{Glyphs, Role};
use unicode_width::UnicodeWidthStr;

/// Maximum length of a class name; longer ones are cut.
pub const LONGEST_NAME: usize = 12;
/// Columns of the accuracy and of its interval, each including the gap before it.
const ACCURACY: usize = 10;
const INTERVAL: usize = 18;
/// Narrowest and widest bar.
const BAR: std::ops::RangeInclusive<usize> = 6..=30;

/// Columns that the names take.
pub fn name_width(report: &ClassificationReport) -> usize {
    report
        .per_class
        .iter()
        .map(|class| class.class.width())
        .max()
        .unwrap_or(0)
        .clamp("class".len(), LONGEST_NAME)
}

/// A heading and a row for each class, in `width` columns.
pub fn rows(report: &ClassificationReport, width: usize, glyphs: &Glyphs) -> Vec<Row> {
    let names = name_width(report);
    let room = width.saturating_sub(names + 1 + ACCURACY);
    let with_interval = room >= INTERVAL + BAR.start();
    let room = room - if with_interval { INTERVAL } else { 0 };
    let bar_width = if room >= *BAR.start() {
        room.min(*BAR.end())
    } else {
        0
    };
    let interval = if with_interval { "  95 % interval" } else { "" };
    let heading = format!(
        "{:<names$} {:bar_width$}{:>ACCURACY$}{interval}",
        "class", "", "accuracy"
    );
    let row = |class: &ClassAccuracy| {
        let name = format::fit(&class.class, names, glyphs.ellipsis);
        let mut row = words(
            Role::Text,
            format!("{name}{} ", " ".repeat(names.saturating_sub(name.width()))),
        );
        let (Some(accuracy), Some([low, high])) = (class.accuracy, class.ci95) else {
            row.push((Role::Dim, "no images".to_owned()));
            return row;
        };
        row.extend(bar(glyphs, bar_width, accuracy, Role::Gauge));
        row.push((
            Role::Text,
            format!("{:>ACCURACY$}", format::accuracy(accuracy)),
        ));
        if with_interval {
            row.push((
                Role::Dim,
                format!("{:>7.1} to {:.1} %", low * 100.0, high * 100.0),
            ));
        }
        row
    };
    std::iter::once(vec![(Role::Dim, heading)])
        .chain(report.per_class.iter().map(row))
        .collect()
}
