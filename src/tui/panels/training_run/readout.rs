//! The exact values of the epoch under the crosshair: beside the title and, where that is short, below
//! the chart.

use crate::analysis::series::Measure;
use crate::event::TrainingEpoch;
use crate::tui::format;
use crate::tui::paint::pieces_width;
use crate::tui::panels::{Row, fitting, join_fitting, labelled, words};
use crate::tui::theme::Role;

/// Columns between the values.
const GAP: &str = "  ";

/// The values of an epoch in `room` columns, those of the `first` chart first, and those that do not fit
/// there in a row of `width` columns; empty if all fit.
pub fn rows(
    number: u64,
    epoch: Option<&TrainingEpoch>,
    first: Measure,
    (room, width): (usize, usize),
) -> (Row, Row) {
    let mut groups = vec![words(Role::Strong, format!("epoch {number}"))];
    if let Some(epoch) = epoch {
        groups.extend(values(epoch, first, room >= 60));
        groups.extend(values(epoch, first.other(), true));
        let rate = format::learning_rate(epoch.learning_rate);
        groups.push(labelled("rate", Role::Text, rate));
    } else {
        groups.push(words(Role::Dim, "not done"));
    }
    let parts = groups.iter().map(|group| pieces_width(group)).enumerate();
    let mut fits = fitting(parts.collect(), GAP.len(), room).into_iter();
    let (beside, below) = groups
        .into_iter()
        .partition(|_| fits.next().unwrap_or(false));
    let join = |groups, width| join_fitting(groups, GAP, width);
    (join(beside, room), join(below, width))
}

/// The values of validation and training.
fn values(epoch: &TrainingEpoch, measure: Measure, is_named: bool) -> [Row; 2] {
    let [train, valid] = match measure {
        Measure::Accuracy => measure.of(epoch).map(format::accuracy),
        Measure::Loss => measure.of(epoch).map(format::loss),
    };
    let is_smoothed = measure == Measure::Loss && epoch.label_smoothing > 0.0;
    let train_is = match is_smoothed {
        true => " train, smoothed",
        false => " train",
    };
    let valid_is = match epoch.averaged {
        true => " valid., averaged",
        false => " valid.",
    };
    let name = match is_named {
        true => format!("{} ", measure.name()),
        false => String::new(),
    };
    [
        vec![
            (Role::Dim, name),
            (Role::Mean, valid),
            (Role::Dim, valid_is.to_owned()),
        ],
        vec![(Role::Child, train), (Role::Dim, train_is.to_owned())],
    ]
}
