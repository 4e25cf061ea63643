//! The title of the panel and the legend of its series.

use super::canvas::look;
use super::curves::Curves;
use super::view::{ChartView, Scale};
use crate::analysis::series::{Children, Quantity};
use crate::event::Reference;
use crate::state::RunState;
use crate::tui::panels::{Row, join_ranked};
use crate::tui::plot::{PlotSeries, Span};
use crate::tui::theme::{Glyphs, Role};

/// Names of what is shown, longest first.
pub fn names(state: &RunState, view: &ChartView, children: &Children, span: Span) -> Vec<String> {
    let power = state
        .search()
        .started
        .as_ref()
        .map_or(3.0, |run| run.reward_power);
    let (long, short) = match view.quantity {
        Quantity::Accuracy => ("Validation accuracy".to_owned(), "Accuracy"),
        Quantity::Reward if power == 1.0 => ("Reward = accuracy".to_owned(), "Reward"),
        Quantity::Reward => (format!("Reward = accuracy^{power}"), "Reward"),
    };
    if view.scale == Scale::Linear {
        return vec![long, short.to_owned()];
    }
    let zeros = children
        .within(span.range())
        .iter()
        .any(|point| point.value <= 0.0);
    let floor = if zeros { ", 0 at the bottom" } else { "" };
    vec![
        format!("{long} (log{floor})"),
        format!("{short} (log{floor})"),
        format!("{short} (log)"),
    ]
}

/// Every sign in the chart: its role, its character, and its meaning.
pub fn signs(glyphs: &Glyphs) -> impl Iterator<Item = (Role, &'static str, &'static str)> + use<> {
    let failed = (
        Role::Error,
        glyphs.failed,
        "on the axis: a child that failed",
    );
    let of = |(series, text): (PlotSeries, &'static str)| {
        let (role, glyph) = look(series, glyphs);
        (role, glyph, text)
    };
    let series = [
        (PlotSeries::Child, "a child"),
        (
            PlotSeries::Control,
            "a control: drawn at random, at the depth of its episode",
        ),
        (
            PlotSeries::ControlMean,
            "running mean of the controls, smoothed as the children are",
        ),
        (PlotSeries::Mean, "mean of an episode"),
        (PlotSeries::Smooth, "smoothed over all children"),
        (
            PlotSeries::Baseline,
            "baseline that rewards are compared with",
        ),
        (PlotSeries::Best, "best so far"),
        (PlotSeries::Band, "between the quartiles of an episode"),
        (
            PlotSeries::Reference,
            "mean of the run compared with this one",
        ),
    ];
    series.map(of).into_iter().chain([failed])
}

/// Names of the series, some of which can be shortened.
struct Names {
    smooth: &'static str,
    baseline: &'static str,
    band: &'static str,
}

const LONG: Names = Names {
    smooth: "smoothed",
    baseline: "baseline",
    band: "quartiles",
};
const SHORT: Names = Names {
    smooth: "smooth",
    baseline: "base",
    band: "band",
};

/// The series in view, as many as fit into `width`, with names and gaps as long as possible. The
/// most important ones are kept longest, in an order that reads well.
pub fn legend(
    children: &Children,
    curves: &Curves,
    reference: Option<&Reference>,
    glyphs: &Glyphs,
    width: usize,
) -> Row {
    let forms = [(LONG, "   "), (LONG, "  "), (SHORT, "  "), (SHORT, " ")];
    let rows = forms.map(|(names, gap)| {
        join_ranked(
            entries(children, curves, reference, glyphs, &names),
            gap,
            width,
        )
    });
    // All entries have the same number of pieces. Among rows with equally many, the first one reads
    // best.
    rows.into_iter()
        .rev()
        .max_by_key(Vec::len)
        .unwrap_or_default()
}

/// The series in view with their ranks.
fn entries(
    children: &Children,
    curves: &Curves,
    reference: Option<&Reference>,
    glyphs: &Glyphs,
    names: &Names,
) -> Vec<(usize, Row)> {
    let entry = |series: PlotSeries, label: &str| {
        let (role, glyph) = look(series, glyphs);
        vec![(role, glyph.to_owned()), (Role::Dim, format!(" {label}"))]
    };
    let strategy = reference.map(|reference| reference.strategy.as_str());
    let mut groups = Vec::new();
    let mut add =
        |present: bool, rank: usize, row: Row| groups.extend(present.then_some((rank, row)));
    // Only a control makes it necessary to say which children are the policy's.
    let has_controls = !children.controls.is_empty();
    add(
        !children.points.is_empty(),
        1,
        entry(
            PlotSeries::Child,
            if has_controls { "policy" } else { "child" },
        ),
    );
    let mut controls = entry(PlotSeries::Control, "controls");
    controls[0].1 += look(PlotSeries::ControlMean, glyphs).1;
    add(has_controls, 1, controls);
    add(!curves.mean.is_empty(), 0, entry(PlotSeries::Mean, "mean"));
    add(
        !curves.smooth.is_empty(),
        4,
        entry(PlotSeries::Smooth, names.smooth),
    );
    add(
        !curves.baseline.is_empty(),
        3,
        entry(PlotSeries::Baseline, names.baseline),
    );
    add(!curves.best.is_empty(), 2, entry(PlotSeries::Best, "best"));
    add(
        !curves.low.is_empty(),
        7,
        entry(PlotSeries::Band, names.band),
    );
    add(
        !curves.reference.is_empty(),
        5,
        entry(PlotSeries::Reference, strategy.unwrap_or("reference")),
    );
    let incomparable = reference.is_some_and(|reference| reference.not_comparable.is_some());
    let missing = vec![
        (Role::Warning, strategy.unwrap_or("reference").to_owned()),
        (Role::Warning, " not comparable".to_owned()),
    ];
    add(incomparable, 0, missing);
    let failed = vec![
        (Role::Error, glyphs.failed.to_owned()),
        (Role::Dim, " failed".to_owned()),
    ];
    add(!children.failed.is_empty(), 6, failed);
    groups
}
