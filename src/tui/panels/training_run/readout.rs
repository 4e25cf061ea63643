//! The exact values of the epoch under the crosshair: beside the title and, where that is short, below
//! the chart.

use crate::analysis::series::Measure;
use crate::event::TrainingEpoch;
use crate::tui::format;
use crate::tui::paint::pieces_width;
use crate::tui::panels::{Row, join_fitting, labelled, words};
use crate::tui::theme::Role;

/// Columns between the values.
const GAP: &str = "  ";

/// The values of an epoch in `room` columns, those of the `first` chart first, and those that do not fit
/// there in a row of `width` columns; empty if all fit. They are named in brief where both of the first
/// chart would otherwise not be shown.
pub fn rows(
    number: u64,
    epoch: Option<&TrainingEpoch>,
    first: Measure,
    (room, width): (usize, usize),
) -> (Row, Row) {
    let name = words(Role::Strong, format!("epoch {number}"));
    let Some(epoch) = epoch else {
        let not_done = words(Role::Dim, "not done");
        return (join_fitting(vec![name, not_done], GAP, room), Row::new());
    };
    let place = |is_brief: bool| {
        let own = values(epoch, first, room >= 60, is_brief);
        let other = values(epoch, first.other(), true, is_brief);
        let all = [vec![name.clone()], own.to_vec(), other.to_vec()].concat();
        let (beside, below) = split(all, room);
        (beside, split(below, width).0)
    };
    let (mut beside, mut below) = place(false);
    // The name of the epoch, and both values of the first chart.
    if beside.len() + below.len() < 3 {
        (beside, below) = place(true);
    }
    let rate = format::learning_rate(epoch.learning_rate);
    let rate = labelled("rate", Role::Text, rate);
    let is_beside = columns(&beside) + GAP.len() + pieces_width(&rate) <= room;
    let row = if is_beside { &mut beside } else { &mut below };
    row.push(rate);
    let join = |groups, width| join_fitting(groups, GAP, width);
    (join(beside, room), join(below, width))
}

/// The first of these values, as many as fit into `width`, and the rest: a later one that is shorter must not
/// seem to be the first one.
fn split(mut values: Vec<Row>, width: usize) -> (Vec<Row>, Vec<Row>) {
    let counts = (0..=values.len()).rev();
    let mut fitting = counts.filter(|count| columns(&values[..*count]) <= width);
    let rest = values.split_off(fitting.next().unwrap_or(0));
    (values, rest)
}

/// Columns of these values with gaps between them.
fn columns(values: &[Row]) -> usize {
    let columns = values.iter().map(|value| pieces_width(value) + GAP.len());
    columns.sum::<usize>().saturating_sub(GAP.len())
}

/// The values of validation and training.
fn values(epoch: &TrainingEpoch, measure: Measure, is_named: bool, is_brief: bool) -> [Row; 2] {
    let [train, valid] = match measure {
        Measure::Accuracy => measure.of(epoch).map(format::accuracy),
        Measure::Loss => measure.of(epoch).map(format::loss),
    };
    let is_smoothed = measure == Measure::Loss && epoch.label_smoothing > 0.0;
    // Where there is little room only the panel Training says whether the loss is smoothed too.
    let train_is = match (epoch.cutmix > 0.0, is_smoothed, is_brief) {
        (true, _, true) => " mixed",
        (true, true, false) => " train, mixed, smoothed",
        (true, false, false) => " train, mixed",
        (false, true, true) => " smoothed",
        (false, true, false) => " train, smoothed",
        (false, false, _) => " train",
    };
    let valid_is = match (epoch.averaged, is_brief) {
        (true, true) => " valid. avg.",
        (true, false) => " valid., averaged",
        (false, _) => " valid.",
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
