//! The children in training, one per worker: their progress and results so far.

mod cluster;
mod outcome;
mod place;
mod seats;

use ratatui::layout::Rect;

use super::panel::{About, Hint, PANELS, Panel, Response, SEARCH, hints};
use super::scroll::Scroll;
use super::{
    Content, PanelId, Row, join_fitting, join_ranked, labelled, pieces_width, words, wrapped,
};
use crate::state::{Candidate, ClusterPlace, RunState, TrainedChild};
use crate::tui::format;
use crate::tui::keymap::Action;
use crate::tui::paint::{Painter, bar};
use crate::tui::panels::scene::Scene;
use crate::tui::target::Target;
use crate::tui::theme::{Glyphs, Role};
pub use cluster::cluster_counts;
use outcome::outcome;
use place::{Place, remaining};
use seats::{Seat, seats};

/// Narrowest and widest progress bar.
const BAR: std::ops::RangeInclusive<usize> = 7..=12;

/// The panel.
#[derive(Debug, Clone, Default)]
pub struct WorkersView;

#[linkme::distributed_slice(PANELS)]
static ABOUT: About = About {
    need,
    ..About::of::<WorkersView>(ID.0, "Training", 30, SEARCH)
};

/// The panel's id.
pub const ID: PanelId = PanelId("workers");

/// Columns from which on a child in training surely takes one row.
const WIDE: usize = 120;

/// Rows for a child on each worker, so that nothing moves when a child ends, or for the result once the
/// run has ended.
fn need(scene: &Scene<'_>, width: usize) -> Option<usize> {
    let search = scene.live.search();
    let workers = search.started.as_ref()?.workers;
    if scene.state.status.is_over() && scene.state.search().by_worker.is_empty() {
        return Some(outcome::ROWS);
    }
    if let Some(reason) = scene.why_abandoned() {
        let reason = wrapped(Role::Warning, &reason, width);
        return Some(reason.len() + scene.state.search().by_worker.len());
    }
    let has_cluster = search.queue().is_some();
    let rows_each = if width >= WIDE && !has_cluster { 1 } else { 2 };
    Some(workers * rows_each + usize::from(has_cluster))
}

impl Panel for WorkersView {
    fn draw(&self, scene: &Scene<'_>, focused: bool, painter: &mut Painter<'_>) {
        let area = super::inside(painter.area());
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        let content = content(scene, width);
        let seats = seats(scene);
        let is_shown = |seat: &Seat<'_>| {
            seat.child()
                .is_some_and(|child| Some(child) == scene.shown_child())
        };
        let shown = seats.iter().position(is_shown);
        let selected = || seats.iter().position(|seat| seat.worker == scene.worker);
        let chosen = shown.or_else(selected);
        // The child shown elsewhere stays in view, or else the selected worker.
        let (workers, chosen) = (seats.len(), chosen.unwrap_or(0));
        let rows_each = content.body.len() / workers.max(1);
        let rows = content.head.len() + content.body.len();
        // So does the queue, below the children.
        let queue = cluster::queue_rows(scene, width, height.saturating_sub(rows));
        let room = height.saturating_sub(queue.len());
        let bottom = ((chosen + 1) * rows_each).min(content.body.len());
        let top = bottom.saturating_sub(room);
        let position = content.position(room, top);
        let counts = || {
            let workers =
                (workers > 0).then(|| labelled("workers", Role::Text, workers.to_string()));
            cluster::counts_with_nodes(scene.state).or(workers)
        };
        let is_live = !scene.state.status.is_over() && scene.why_abandoned().is_none();
        let beside = is_live.then(counts).flatten().unwrap_or_default();
        super::title(painter, focused, "Training", &beside, position.as_deref());
        for (place, row) in queue.iter().enumerate() {
            let y = rows.min(room) + place;
            painter.part(area).pieces(0, y, row);
        }
        let mut inside = painter.part(Rect {
            height: room as u16,
            ..area
        });
        content.draw(&mut inside, top);
        content.mark(&mut inside, top, |row| {
            let seat = seats.get(row / rows_each.max(1));
            let seat = seat.filter(|seat| seat.training.is_some());
            seat.map(|seat| Target::Worker(seat.worker))
        });
    }

    fn act(&mut self, action: Action, _scene: &Scene<'_>, _area: Rect) -> Option<Response> {
        Some(match Scroll::of(action)? {
            Scroll::By(rows) | Scroll::Pages(rows) => Response::StepWorker { forward: rows > 0 },
            Scroll::Top | Scroll::Bottom => Response::Draw,
        })
    }

    fn hints(&self) -> &'static [Hint] {
        hints!["worker": Up, Down]
    }

    fn offers(&self, action: Action, scene: &Scene<'_>) -> bool {
        Scroll::of(action).is_none() || scene.workers().len() > 1
    }
}

fn content(scene: &Scene<'_>, width: usize) -> Content {
    let state = scene.state;
    let seats = seats(scene);
    if seats.is_empty() {
        let nothing = || vec![words(Role::Dim, "no child in training".to_owned())];
        return outcome(scene, width).unwrap_or_else(nothing).into();
    }
    let shown = scene.shown_child();
    if let Some(reason) = scene.why_abandoned() {
        let head = wrapped(Role::Warning, &reason, width);
        let row = |training: &TrainedChild| {
            let child = labelled("child", Role::Text, training.child.to_string());
            [
                child,
                vec![(Role::Dim, "  ".to_owned())],
                abandoned_row(state, training, width.saturating_sub(12)),
            ]
            .concat()
        };
        return Content {
            head,
            body: state.search().by_worker.values().map(row).collect(),
        };
    }
    let told = |seat: Seat<'_>| match seat.training {
        None => Told::idle(state, seat.worker),
        Some(training) => {
            let is_shown = shown == Some(training.child);
            Told::of(
                state,
                seat.worker,
                training,
                is_shown,
                scene.glyphs(),
                width,
            )
        }
    };
    rows_of(seats.into_iter().map(told).collect(), scene.glyphs(), width).into()
}

/// What is told of a worker and its child.
struct Told {
    name: Row,
    /// `None` without a child.
    fraction: Option<f64>,
    epoch: String,
    /// With the rank of each.
    figures: Vec<(usize, Row)>,
}

/// Columns of the figures, with the gaps before them, once all are known: those that come later must not move
/// what is shown.
const FIGURES: usize = "  loss 1.440  valid 50.5 %  15.4 k img/s  left 12 min".len();

impl Told {
    fn of(
        state: &RunState,
        worker: usize,
        training: &TrainedChild,
        shown: bool,
        glyphs: &Glyphs,
        width: usize,
    ) -> Told {
        let marker = if shown { glyphs.marker } else { " " };
        let role = if shown { Role::Strong } else { Role::Text };
        let place = Place::of(state, training);
        let mut name = vec![(Role::Focus, format!("{marker} "))];
        if training.place.is_none() {
            name.push((Role::Dim, format!("{worker} ")));
        }
        name.push((role, format!("child {:<3} ", training.child)));
        let epoch = format!(" {}", place.words());
        let mut figures = figures(state, training);
        let least = pieces_width(&name) + epoch.len() + *BAR.start();
        let on = training.place.as_ref().map(on);
        if let Some(on) = on.filter(|on| least + pieces_width(on) < width) {
            name.push((Role::Dim, " ".to_owned()));
            name.extend(on);
            name.push((Role::Dim, " ".to_owned()));
            figures.retain(|(rank, _)| *rank != PLACE);
        }
        Told {
            name,
            fraction: Some(place.fraction()),
            epoch,
            figures,
        }
    }

    /// A worker without a child, in as many columns as one with a child.
    fn idle(state: &RunState, worker: usize) -> Told {
        let epochs = state.search().child_epochs().max(1);
        let epoch = format!(" {}", Place::first_of(epochs).words());
        Told {
            name: vec![(Role::Dim, format!("  {worker} {:<10}", "idle"))],
            fraction: None,
            epoch: " ".repeat(epoch.len()),
            figures: Vec::new(),
        }
    }

    /// Columns of its figures.
    fn wanted(&self) -> usize {
        let figures = self.figures.iter().map(|(_, figure)| figure);
        let known = figures.filter(|figure| !figure.is_empty());
        let columns: usize = known.map(|figure| 2 + pieces_width(figure)).sum();
        columns.max(FIGURES)
    }
}

/// Each worker in one row if all fit, otherwise each in two.
fn rows_of(all: Vec<Told>, glyphs: &Glyphs, width: usize) -> Vec<Row> {
    let widest = |of: fn(&Told) -> usize| all.iter().map(of).max().unwrap_or(0);
    let name = widest(|told| pieces_width(&told.name));
    let wanted = widest(Told::wanted);
    let room = width.saturating_sub(name + widest(|told| told.epoch.len()));
    let one_row = room >= wanted + *BAR.start();
    let columns = if one_row { room - wanted } else { room }.min(*BAR.end());
    let rows = |told: Told| {
        let pad = " ".repeat(name - pieces_width(&told.name));
        let mut first = told.name;
        first.push((Role::Text, pad));
        first.extend(match told.fraction {
            Some(fraction) => bar(glyphs, columns, fraction, Role::Gauge),
            None => words(Role::Dim, " ".repeat(columns)),
        });
        first.push((Role::Text, told.epoch));
        let (indent, left) = match one_row {
            true => ("  ", wanted),
            false => ("    ", width.saturating_sub(4)),
        };
        let figures = join_ranked(told.figures, "  ", left);
        let figures = [vec![(Role::Text, indent.to_owned())], figures].concat();
        match one_row {
            true => vec![[first, figures].concat()],
            false => vec![first, figures],
        }
    };
    all.into_iter().flat_map(rows).collect()
}

/// The child in rows for a panel that shows only it: progress, and results so far.
pub fn progress_rows(
    state: &RunState,
    training: &TrainedChild,
    glyphs: &Glyphs,
    width: usize,
) -> Vec<Row> {
    let place = Place::of(state, training);
    let label = format!(" {}", place.words());
    let mut first = bar(
        glyphs,
        width.saturating_sub(label.len()).min(16),
        place.fraction(),
        Role::Gauge,
    );
    first.push((Role::Text, label));
    // The list of children in training has the place too; loss and accuracy matter more here.
    let figures = figures(state, training).into_iter();
    let figures = figures.map(|(rank, figure)| (if rank == PLACE { SPEED } else { rank }, figure));
    let figures: Vec<(usize, Row)> = figures.collect();
    let mut second = join_ranked(figures.clone(), "  ", width);
    if second
        .iter()
        .filter(|(role, _)| *role == Role::Text)
        .count()
        < 3
    {
        second = join_ranked(figures, " ", width);
    }
    vec![first, second]
}

/// How far a child had progressed before its training was abandoned.
pub fn abandoned_row(state: &RunState, training: &TrainedChild, width: usize) -> Row {
    let place = Place::of(state, training);
    let groups = vec![
        labelled("not in training:", Role::Text, place.words().trim_end()),
        training.epochs.last().map_or(Row::new(), |epoch| {
            labelled(
                "valid",
                Role::Text,
                format!("{:.1} %", epoch.valid_accuracy * 100.0),
            )
        }),
    ];
    join_fitting(groups, "  ", width)
}

/// The ranks of where a cluster trains a child, and of its speed.
const PLACE: usize = 1;
const SPEED: usize = 5;

/// `on n2 attempt 1`: the node without its domain.
fn on(place: &ClusterPlace) -> Row {
    let name = place.host.split('.').next();
    let is_address = |name: &&str| name.bytes().all(|byte| byte.is_ascii_digit());
    let name = name.filter(|name| !is_address(name));
    let mut row = labelled("on", Role::Text, name.unwrap_or(&place.host));
    row.push((Role::Dim, " ".to_owned()));
    row.extend(labelled("attempt", Role::Text, place.attempt.to_string()));
    row
}

/// Where it is trained, loss, validation accuracy, speed and time left, most informative first, with the
/// rank of each.
fn figures(state: &RunState, training: &TrainedChild) -> Vec<(usize, Row)> {
    let last = training.epochs.last();
    let progress = training.progress.as_ref();
    let loss = progress
        .map(|progress| progress.loss)
        .or(last.map(|epoch| epoch.train_loss));
    let speed = progress
        .map(|progress| progress.images_per_second)
        .or(last.map(|epoch| epoch.images_per_second));
    let figure = |label: &str, value: Option<String>| {
        value.map_or(Row::new(), |value| labelled(label, Role::Text, value))
    };
    let images = speed.map_or(Row::new(), |speed| {
        vec![
            (Role::Text, speed_text(speed)),
            (Role::Dim, " img/s".to_owned()),
        ]
    });
    let origin = training.candidate.as_ref().and_then(Candidate::parent);
    let is_in_training = state.search().in_training(training.child).is_some();
    let left = remaining(state, training).filter(|_| is_in_training);
    let is_control = (training.candidate.as_ref()).is_some_and(Candidate::is_control);
    let control = vec![(Role::Text, "control".to_owned())];
    let figures = [
        if is_control { control } else { Row::new() },
        training.place.as_ref().map_or(Row::new(), on),
        figure("edited from child", origin.map(|parent| parent.to_string())),
        figure("loss", loss.map(|loss| format::decimal(loss, 3))),
        figure(
            "valid",
            last.map(|epoch| format!("{:.1} %", epoch.valid_accuracy * 100.0)),
        ),
        images,
        figure("left", left.map(format::estimate)),
    ];
    figures.into_iter().enumerate().collect()
}

/// Images per second in at most six columns.
pub fn speed_text(speed: f64) -> String {
    let speed = speed.max(0.0).round() as u64;
    if speed < 10_000 {
        format::count(speed)
    } else {
        format::compact(speed)
    }
}
