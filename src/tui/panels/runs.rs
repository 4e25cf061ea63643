//! The list of runs over the screen: which one to show, which ones to compare with the one shown, and
//! the settings in which these differ.

mod settings;

use std::path::Path;

use ratatui::layout::Rect;

use super::chart::others::number;
use super::scene::Scene;
use super::scroll::Scroll;
use super::{Row, wrapped};
use crate::tui::format;
use crate::tui::other_runs::Listed;
use crate::tui::paint::{self, Painter};
use crate::tui::picker;
use crate::tui::target::{Part, Target};
use crate::tui::theme::Role;

/// Columns before the name of a run: the cursor, and its sign on the chart.
const SIGNS: usize = 4;

/// What of the runs is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// All of them.
    List,
    /// The settings in which those that are compared differ.
    Differences,
}

/// The list of runs, as the user sees it.
#[derive(Debug, Clone)]
pub struct RunsView {
    /// The page shown.
    pub page: Page,
    /// The selected run; `None` until there is a list.
    pub selected: Option<usize>,
    /// First row shown of the settings.
    pub top: usize,
}

impl RunsView {
    /// Opened at this page.
    pub fn new(page: Page) -> RunsView {
        RunsView {
            page,
            selected: None,
            top: 0,
        }
    }

    /// Select a run that is not shown: the one that closing the present one leads back to, or else the
    /// first one.
    pub fn select_another(&mut self, listed: &Listed, shown: usize, home: Option<&Path>) {
        let home = home.and_then(|home| listed.place_of(home));
        let other = (0..listed.runs.len()).find(|place| *place != shown);
        self.selected = home.or(other).or(self.selected);
    }

    /// Whether there is more of the settings than is in view in this area.
    pub fn is_longer(&self, scene: &Scene<'_>, area: Rect) -> bool {
        let inside = inside(area);
        let content = || settings::content(scene, inside.width.into());
        self.page == Page::Differences && content().last_top(inside.height.into()) > 0
    }

    /// Scroll the settings, or select another run of `count`, in this area.
    pub fn scroll(&mut self, scroll: Scroll, scene: &Scene<'_>, area: Rect) {
        let inside = inside(area);
        let (width, height) = (usize::from(inside.width), usize::from(inside.height));
        match self.page {
            Page::Differences => {
                self.top = scroll.apply(self.top, &settings::content(scene, width), height);
            }
            Page::List => {
                let listed = scene.neighbours.listed.as_ref();
                let count = listed.map_or(0, |listed| listed.runs.len());
                let page = height.saturating_sub(2).max(1);
                let selected = self.selected.unwrap_or(0);
                self.selected = (count > 0).then(|| scroll.among(selected, page, count - 1));
            }
        }
    }
}

/// What is inside the frame.
fn inside(area: Rect) -> Rect {
    Rect::new(
        area.x + area.width.min(2),
        area.y + area.height.min(1),
        area.width.saturating_sub(4),
        area.height.saturating_sub(2),
    )
}

/// Draw the page in a frame.
pub fn draw(view: &RunsView, scene: &Scene<'_>, painter: &mut Painter<'_>) {
    painter.target_all(Target::Nothing);
    let title = match view.page {
        Page::List => "Runs",
        Page::Differences => "Settings that differ",
    };
    paint::frame(painter, title);
    let area = inside(painter.area());
    let position = match view.page {
        Page::List => draw_list(view, scene, &mut painter.part(area)),
        Page::Differences => {
            let content = settings::content(scene, area.width.into());
            content.draw(&mut painter.part(area), view.top);
            content.position(area.height.into(), view.top)
        }
    };
    if let Some(position) = position {
        let (width, height) = (painter.width(), painter.height());
        let (end, bottom) = (width.saturating_sub(2), height.saturating_sub(1));
        painter.right(end, bottom, Role::Focus, &format!(" {position} "));
    }
}

/// The heading, and as many runs as there is room for; returns which one is selected.
fn draw_list(view: &RunsView, scene: &Scene<'_>, painter: &mut Painter<'_>) -> Option<String> {
    let Some(listed) = &scene.neighbours.listed else {
        painter.text(0, 0, Role::Dim, "looking for runs");
        return None;
    };
    if listed.runs.is_empty() {
        painter.text(
            0,
            0,
            Role::Text,
            "none in ./runs, and none you began elsewhere",
        );
        return None;
    }
    let (width, ellipsis) = (painter.width(), painter.glyphs().ellipsis);
    let lines = picker::lines(
        &listed.runs,
        scene.now,
        width.saturating_sub(SIGNS),
        ellipsis,
    );
    let mut lines = lines.into_iter();
    let heading = lines.next().unwrap_or_default();
    painter.text(SIGNS, 0, Role::Dim, &heading);
    let problem = problem(view, listed, width);
    let height = painter.height().saturating_sub(1 + problem.len());
    let selected = view.selected.unwrap_or(0);
    let top = (selected + 1).saturating_sub(height);
    for (y, (place, line)) in lines.enumerate().skip(top).take(height).enumerate() {
        let row = run_row(scene, listed, place, view.selected == Some(place), line);
        painter.pieces(0, 1 + y, &row);
        painter.target((0, 1 + y), (width, 1), Target::Part(Part::Row(place)));
    }
    let below = painter.height().saturating_sub(problem.len());
    for (y, row) in problem.iter().enumerate() {
        painter.pieces(0, below + y, row);
    }
    Some(format!("{}/{}", selected + 1, listed.runs.len()))
}

/// Why the selected run cannot be read.
fn problem(view: &RunsView, listed: &Listed, width: usize) -> Vec<Row> {
    let selected = view.selected.and_then(|place| listed.runs.get(place));
    let reason = selected.and_then(|run| run.unreadable.as_deref());
    reason.map_or_else(Vec::new, |reason| {
        wrapped(Role::Warning, &format::without_error_number(reason), width)
    })
}

/// A run: the cursor, its sign on the chart, and its line.
fn run_row(
    scene: &Scene<'_>,
    listed: &Listed,
    place: usize,
    is_selected: bool,
    line: String,
) -> Row {
    let glyphs = scene.glyphs();
    let role = match (is_selected, listed.runs[place].status.is_live()) {
        (true, _) => Role::Selected,
        (false, true) => Role::Text,
        (false, false) => Role::Dim,
    };
    let folder = &listed.folders[place];
    let sign = match scene.neighbours.others.of(folder) {
        Some(run) => (Role::OtherRun(run.place), number(run.place)),
        None if *folder == scene.neighbours.folder => (Role::Mean, glyphs.mean),
        None => (Role::Text, " "),
    };
    let cursor = if is_selected { glyphs.marker } else { " " };
    vec![
        (Role::Key, format!("{cursor} ")),
        (sign.0, format!("{} ", sign.1)),
        (role, line),
    ]
}
