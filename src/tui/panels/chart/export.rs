//! The series of the chart as a table for a file.

use super::extent::Extent;
use super::view::ChartView;
use super::{Beside, others};
use crate::analysis::series::{self, Children, Point, Quantity};
use crate::foundation::numbers;
use crate::report::page::CsvTable;
use crate::state::RunState;
use crate::tui::plot::Span;

/// A value of a series for each row: of the children in view and their episodes. A value of an episode
/// has no child; nor has a control, whose place on the axis is not its number. Where other runs are drawn, the
/// first column has the name of the run.
pub fn table(state: &RunState, view: &ChartView, beside: Beside<'_>) -> CsvTable {
    let Beside { own, others } = beside;
    let children = Children::of(state, view.quantity);
    let extent = Extent::new(state, children.newest).beside(others::end(others, view.quantity));
    let span = view.visible(&extent);
    let mut rows = Rows(Vec::new());
    of_children(&mut rows, &children, &extent, span);
    of_controls(&mut rows, state, &children, span);
    let (first, last) = (extent.episode(span.first), extent.episode(span.last));
    of_episodes(&mut rows, state, view.quantity, &children, |episode| {
        (first..=last).contains(&(episode as u64))
    });
    let value = match view.quantity {
        Quantity::Reward => "reward",
        Quantity::Accuracy => "validation_accuracy",
    };
    let mut head = vec!["series", "episode", "child", value];
    if others::any_drawn(others, view.quantity) {
        head.insert(0, "run");
        rows.name(0, own);
        for (run, means) in others::means_in(own, others, view.quantity, span) {
            let own_rows = rows.0.len();
            for (episode, mean) in means {
                rows.add("mean", episode, None, mean);
            }
            rows.name(own_rows, &run);
        }
    }
    CsvTable {
        name: "chart",
        head,
        rows: rows.0,
    }
}

/// The rows so far.
struct Rows(Vec<Vec<String>>);

impl Rows {
    fn add(&mut self, series: &str, episode: usize, child: Option<u64>, value: f64) {
        let child = child.map_or_else(String::new, |child| child.to_string());
        let cells = [series.to_owned(), episode.to_string(), child];
        let value = numbers::exact(value);
        self.0.push(cells.into_iter().chain([value]).collect());
    }

    /// Put the name of the run before the rows from number `first` on.
    fn name(&mut self, first: usize, run: &str) {
        for row in &mut self.0[first..] {
            row.insert(0, run.to_owned());
        }
    }
}

fn of_children(rows: &mut Rows, children: &Children, extent: &Extent, span: Span) {
    for point in children.within(span.range()) {
        let series = if point.failed { "failed" } else { "child" };
        rows.add(series, point.episode, Some(point.child), point.value);
    }
    let in_view = |(point, _): &(&Point, f64)| span.contains(point.child);
    for (point, smooth) in children.smoothed(extent.per_episode).filter(in_view) {
        rows.add("smoothed", point.episode, Some(point.child), smooth);
    }
    for (child, best) in children.improvements() {
        if span.contains(child) {
            rows.add(
                "best_so_far",
                extent.episode(child) as usize,
                Some(child),
                best,
            );
        }
    }
}

fn of_controls(rows: &mut Rows, state: &RunState, children: &Children, span: Span) {
    let started = state.search().started.as_ref();
    let controls = started.map_or(1, |run| run.controls as u64);
    for (point, mean) in children.smoothed_controls(controls) {
        if span.contains(point.child) {
            let series = if point.failed {
                "failed_control"
            } else {
                "control"
            };
            rows.add(series, point.episode, None, point.value);
            rows.add("smoothed_controls", point.episode, None, mean);
        }
    }
}

fn of_episodes(
    rows: &mut Rows,
    state: &RunState,
    quantity: Quantity,
    children: &Children,
    is_in_view: impl Fn(usize) -> bool,
) {
    let finished = state.search().episodes.last();
    let finished = finished.map_or(0, |episode| episode.episode);
    for (episode, mean) in series::means(state, quantity) {
        if let Some(mean) = mean.filter(|_| is_in_view(episode)) {
            rows.add("mean", episode, None, mean);
        }
    }
    for (episode, [low, _, high]) in series::bands(&children.points) {
        if is_in_view(episode) && episode <= finished {
            rows.add("first_quartile", episode, None, low);
            rows.add("third_quartile", episode, None, high);
        }
    }
    if quantity == Quantity::Reward {
        for (episode, baseline) in series::baselines(state) {
            if is_in_view(episode) {
                rows.add("baseline", episode, None, baseline);
            }
        }
    }
    for (episode, mean) in series::reference_means(state, quantity) {
        if let Some(mean) = mean.filter(|_| is_in_view(episode)) {
            rows.add("reference", episode, None, mean);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keymap::Action;
    use crate::tui::sample;

    const ALONE: Beside<'static> = Beside {
        own: "demo",
        others: &[],
    };

    fn of_series<'a>(table: &'a CsvTable, series: &str) -> Vec<&'a Vec<String>> {
        table.rows.iter().filter(|row| row[0] == series).collect()
    }

    #[test]
    fn every_series_that_is_drawn_has_its_values() {
        let state = sample::state_of(&sample::records());
        let mut view = ChartView::default();
        let rewards = table(&state, &view, ALONE);
        assert_eq!(rewards.head, ["series", "episode", "child", "reward"]);
        let children = Children::of(&state, Quantity::Reward);
        let drawn = of_series(&rewards, "child").len() + of_series(&rewards, "failed").len();
        assert_eq!(drawn, children.points.len());
        assert_eq!(of_series(&rewards, "smoothed").len(), children.points.len());
        let episodes = state.search().episodes.len();
        for series in ["mean", "first_quartile", "third_quartile"] {
            assert_eq!(of_series(&rewards, series).len(), episodes, "{series}");
        }
        assert!(!of_series(&rewards, "baseline").is_empty());
        assert!(rewards.to_csv().is_ok());
        view.quantity = Quantity::Accuracy;
        let accuracies = table(&state, &view, ALONE);
        assert_eq!(accuracies.head[3], "validation_accuracy");
        assert!(of_series(&accuracies, "baseline").is_empty());
    }

    #[test]
    fn a_table_of_a_zoomed_chart_has_only_what_is_in_view() {
        let state = sample::state_of(&sample::records());
        let mut view = ChartView::default();
        let all = table(&state, &view, ALONE).rows.len();
        view.perform(Action::More, || Extent::of(&state), 80);
        let span = view.visible(&Extent::of(&state));
        let zoomed = table(&state, &view, ALONE);
        assert!(zoomed.rows.len() < all);
        let mut children = zoomed.rows.iter().filter_map(|row| row[2].parse().ok());
        assert!(children.all(|child| span.contains(child)));
    }
}
