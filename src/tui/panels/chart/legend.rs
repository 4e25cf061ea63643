//! What is shown: the title of the panel and the legend of its series.

use super::canvas::look;
use super::data::{Children, Curves};
use super::view::{ChartView, Quantity, Scale, Span};
use crate::state::RunState;
use crate::tui::paint::pieces_width;
use crate::tui::panels::{Row, join_ranked};
use crate::tui::plot::Series;
use crate::tui::theme::{Glyphs, Role};

/// Names of what is shown, the longest first.
pub fn names(state: &RunState, view: &ChartView, children: &Children, span: Span) -> Vec<String> {
    let power = state.run.as_ref().map_or(3.0, |run| run.reward_power);
    let (long, short) = match view.quantity {
        Quantity::Accuracy => ("Validation accuracy".to_owned(), "Accuracy"),
        Quantity::Reward if power == 1.0 => ("Reward = accuracy".to_owned(), "Reward"),
        Quantity::Reward => (format!("Reward = accuracy^{power}"), "Reward"),
    };
    if view.scale == Scale::Linear {
        return vec![long, short.to_owned()];
    }
    let zeros = children.within(span).iter().any(|point| point.value <= 0.0);
    let floor = if zeros { ", 0 at the bottom" } else { "" };
    vec![format!("{long} (log{floor})"), format!("{short} (log{floor})"), format!("{short} (log)")]
}

/// The series in view, as many as fit into `width`: the most important stay longest, in an order that reads well.
pub fn legend(children: &Children, curves: &Curves, strategy: Option<&str>, glyphs: &Glyphs, width: usize) -> Row {
    let entry = |series: Series, label: &str| {
        let (role, glyph) = look(series, glyphs);
        vec![(role, glyph.to_owned()), (Role::Dim, format!(" {label}"))]
    };
    let mut groups = vec![(1, entry(Series::Child, "child")), (0, entry(Series::Mean, "mean"))];
    let mut add = |present: bool, rank: usize, row: Row| groups.extend(present.then_some((rank, row)));
    add(!curves.smooth.is_empty(), 4, entry(Series::Smooth, "smoothed"));
    add(!curves.baseline.is_empty(), 3, entry(Series::Baseline, "baseline"));
    add(!curves.best.is_empty(), 2, entry(Series::Best, "best"));
    add(!curves.low.is_empty(), 7, entry(Series::Band, "quartiles"));
    add(!curves.reference.is_empty(), 5, entry(Series::Reference, strategy.unwrap_or("reference")));
    let failed = vec![(Role::Error, glyphs.failed.to_owned()), (Role::Dim, " failed".to_owned())];
    add(!children.failed.is_empty(), 6, failed);
    let wide = join_ranked(groups.clone(), "   ", width);
    // A gap is worth less than an entry.
    let narrow = join_ranked(groups, "  ", width);
    if pieces_width(&narrow) > pieces_width(&wide) { narrow } else { wide }
}
