//! The title of the panel and the legend of its series.

use super::canvas::{have_markers, look};
use super::curves::Curves;
use super::view::{ChartView, Scale};
use crate::analysis::series::{Children, Quantity};
use crate::event::{Reference, RunStarted};
use crate::state::RunState;
use crate::tui::paint::pieces_width;
use crate::tui::panels::{Row, fitting, join_ranked};
use crate::tui::plot::{PlotSeries, Span};
use crate::tui::theme::{Glyphs, Role};

/// Names of what is shown, longest first.
pub fn names(state: &RunState, view: &ChartView, children: &Children, span: Span) -> Vec<String> {
    let (long, short) = match view.quantity {
        Quantity::Accuracy => ("Validation accuracy".to_owned(), "Accuracy"),
        Quantity::Reward => {
            let started = state.search().started.as_ref();
            let formula = started.map_or_else(String::new, formula);
            (format!("Reward{formula}"), "Reward")
        }
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

/// ` = accuracy`, ` = accuracy^3`, ` = accuracy^3 (MACs/600000)^-0.07`
fn formula(run: &RunStarted) -> String {
    let power = match run.reward_power {
        1.0 => String::new(),
        power => format!("^{power}"),
    };
    let penalty = run.reward_penalty.map_or_else(String::new, |penalty| {
        format!(" (MACs/{})^{}", penalty.target, penalty.exponent)
    });
    format!(" = accuracy{power}{penalty}")
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
    let others = (
        Role::OtherRun(0),
        "1 2 3 4",
        "other runs: mean of an episode (see the list of runs)",
    );
    let differs = (
        Role::Warning,
        glyphs.differs,
        "beside a run: settings that affect rewards differ",
    );
    let beside = [others, differs, failed];
    series.map(of).into_iter().chain(beside)
}

/// Names of the series, some of which can be shortened.
struct Names {
    smooth: &'static str,
    baseline: &'static str,
    band: &'static str,
    controls: &'static str,
    /// Between a sign and its name.
    space: &'static str,
    /// The highest rank that is named.
    most: usize,
}

const LONG: Names = Names {
    smooth: "smoothed",
    baseline: "baseline",
    band: "quartiles",
    controls: "controls",
    space: " ",
    most: usize::MAX,
};
const SHORT: Names = Names {
    smooth: "smooth",
    baseline: "base",
    band: "band",
    ..LONG
};
const BRIEF: Names = Names {
    controls: "ctrl",
    ..SHORT
};
/// Denser, and only for what must not be missing.
const TIGHT: Names = Names {
    space: "",
    most: IMPORTANT,
    ..BRIEF
};

/// A line of dots, as the means are drawn where each has no room for a marker.
const MEAN_LINE: &str = "⠒";

/// The highest rank of what must not be missing: means, children, controls and the best so far.
const IMPORTANT: usize = 2;

/// The legend, and the series that it has room to name.
#[derive(Default)]
pub struct Legend {
    /// As a row beside the title.
    pub row: Row,
    /// Only these are drawn.
    pub named: Vec<PlotSeries>,
}

/// The series in view, as many as fit into `width`, with names and gaps as long as possible. The
/// most important ones are kept longest, in an order that reads well.
pub fn legend(
    children: &Children,
    curves: &Curves,
    reference: Option<&Reference>,
    glyphs: &Glyphs,
    width: usize,
) -> Legend {
    let forms = [
        (LONG, "   "),
        (LONG, "  "),
        (SHORT, "  "),
        (SHORT, " "),
        (BRIEF, " "),
        (TIGHT, " "),
    ];
    // Letters that are signs cannot be told from the name right after them.
    let forms = forms
        .into_iter()
        .filter(|(names, _)| !names.space.is_empty() || !glyphs.ascii);
    let legends = forms.map(|(names, gap)| {
        let mut entries = entries(children, curves, reference, glyphs, &names);
        entries.retain(|(rank, ..)| *rank <= names.most);
        let ranked = entries
            .iter()
            .map(|(rank, _, row)| (*rank, pieces_width(row)));
        let fits = fitting(ranked.collect(), gap.len(), width);
        let kept = entries.into_iter().zip(fits).filter(|(_, fits)| *fits);
        let (named, rows): (Vec<Option<PlotSeries>>, Vec<(usize, Row)>) = kept
            .map(|((rank, series, row), _)| (series, (rank, row)))
            .unzip();
        let up_to = |most: usize| rows.iter().filter(|(rank, _)| *rank <= most).count();
        // What differs between two that name equally many are the less important ones.
        let counts = [up_to(IMPORTANT - 1), up_to(IMPORTANT), rows.len()];
        let legend = Legend {
            row: join_ranked(rows, gap, width),
            named: named.into_iter().flatten().collect(),
        };
        (counts, legend)
    });
    // Among legends that name equally many, the first one reads best.
    let legends: Vec<([usize; 3], Legend)> = legends.collect();
    let best = legends.into_iter().rev().max_by_key(|(counts, _)| *counts);
    let (_, legend) = best.unwrap_or_default();
    legend
}

/// The series in view with their ranks; what is no series has none.
fn entries(
    children: &Children,
    curves: &Curves,
    reference: Option<&Reference>,
    glyphs: &Glyphs,
    names: &Names,
) -> Vec<(usize, Option<PlotSeries>, Row)> {
    let entry = |series: PlotSeries, label: &str| {
        let (role, glyph) = look(series, glyphs);
        let label = format!("{}{label}", names.space);
        vec![(role, glyph.to_owned()), (Role::Dim, label)]
    };
    let strategy = reference.map(|reference| reference.strategy.as_str());
    let mut groups = Vec::new();
    let mut add = |present: bool, rank: usize, series: Option<PlotSeries>, row: Row| {
        groups.extend(present.then_some((rank, series, row)));
    };
    // Only a control makes it necessary to say which children are the policy's.
    let has_controls = !children.controls.is_empty();
    let child = if has_controls { "policy" } else { "child" };
    let mut controls = entry(PlotSeries::Control, names.controls);
    controls[0].1 += look(PlotSeries::ControlMean, glyphs).1;
    add(
        !children.points.is_empty(),
        1,
        Some(PlotSeries::Child),
        entry(PlotSeries::Child, child),
    );
    add(has_controls, 1, Some(PlotSeries::Control), controls);
    let reference_name = strategy.unwrap_or("reference");
    let is_line = glyphs.braille && !have_markers(&curves.mean, 2);
    for (series, rank, name, is_absent) in lines(curves, reference_name, names) {
        let mut entry = entry(series, name);
        if series == PlotSeries::Mean && is_line {
            MEAN_LINE.clone_into(&mut entry[0].1);
        }
        add(!is_absent, rank, Some(series), entry);
    }
    let incomparable = reference.is_some_and(|reference| reference.not_comparable.is_some());
    let missing = vec![
        (Role::Warning, reference_name.to_owned()),
        (Role::Warning, " not comparable".to_owned()),
    ];
    add(incomparable, 0, None, missing);
    let failed = vec![
        (Role::Error, glyphs.failed.to_owned()),
        (Role::Dim, " failed".to_owned()),
    ];
    add(!children.failed.is_empty(), 6, None, failed);
    groups
}

/// The curves of the run and its reference: rank, name, and whether it is out of view.
fn lines<'a>(
    curves: &Curves,
    reference: &'a str,
    names: &Names,
) -> [(PlotSeries, usize, &'a str, bool); 6] {
    [
        (PlotSeries::Mean, 0, "mean", curves.mean.is_empty()),
        (
            PlotSeries::Smooth,
            4,
            names.smooth,
            curves.smooth.is_empty(),
        ),
        (
            PlotSeries::Baseline,
            3,
            names.baseline,
            curves.baseline.is_empty(),
        ),
        (PlotSeries::Best, 2, "best", curves.best.is_empty()),
        (PlotSeries::Band, 7, names.band, curves.low.is_empty()),
        (
            PlotSeries::Reference,
            5,
            reference,
            curves.reference.is_empty(),
        ),
    ]
}
