//! The child in training: how far it is, its layers, and its epochs so far.

use super::{Content, Row, join_fitting, labelled, layers};
use crate::event::ChildEpoch;
use crate::state::{RunState, Training};
use crate::tui::app::App;
use crate::tui::format;
use crate::tui::paint::{Painter, bar};
use crate::tui::theme::Role;
use crate::tui::view::{Panel, View};

/// The child to show and its worker, and whether it is in training now.
pub fn shown<'a>(state: &'a RunState, view: &'a View) -> Option<(usize, &'a Training, bool)> {
    let chosen = state.training.get_key_value(&view.worker).or_else(|| state.training.first_key_value());
    if let Some((worker, training)) = chosen {
        return Some((*worker, training, true));
    }
    view.last_training.as_ref().map(|(worker, training)| (*worker, training, false))
}

/// Rows, with the title, that the panel needs to show everything.
pub fn rows(state: &RunState) -> u16 {
    let layers = state.training.values().filter_map(|training| training.candidate.as_ref()).map(|child| child.dna.depth()).max();
    let epochs = state.run.as_ref().map_or(0, |run| run.child_epochs).min(6);
    let rows = 1 + 3 + state.training.len() + layers.unwrap_or(state.depth) + 2 + epochs;
    rows.min(usize::from(u16::MAX)) as u16
}

pub fn draw(app: &App, painter: &mut Painter<'_>) {
    let area = super::inside(painter.area());
    let height = usize::from(area.height);
    let content = content(app, usize::from(area.width), height);
    let position = content.position(height, app.view.dna_top);
    super::title(painter, app.view.focus == Panel::Dna, "DNA", &name(app), position.as_deref());
    content.draw(&mut painter.part(area), app.view.dna_top);
}

/// Which child, beside the title.
fn name(app: &App) -> Row {
    let Some((worker, training, live)) = shown(&app.state, &app.view) else { return Row::new() };
    let mut row = labelled("child", Role::Strong, training.child.to_string());
    let workers = app.state.training.len();
    if !live {
        row.push((Role::Dim, " has ended".to_owned()));
    } else if workers > 1 {
        row.extend(labelled(" worker", Role::Text, format!("{worker} {}", app.theme.glyphs.left_right)));
    }
    row
}

/// What the panel shows in `width` x `height`, below its title.
pub fn content(app: &App, width: usize, height: usize) -> Content {
    let Some((worker, training, live)) = shown(&app.state, &app.view) else {
        return Content { head: vec![Row::new(), vec![(Role::Dim, "no child in training yet".to_owned())]], body: Vec::new() };
    };
    let glyphs = &app.theme.glyphs;
    let table =
        training.candidate.as_ref().map(|candidate| layers::table(&candidate.architecture, width, glyphs)).unwrap_or_default();
    let mut head = if live && app.state.training.len() > 1 && height >= 16 {
        let rows = |(number, other): (&usize, &Training)| worker_rows(app, *number, other, *number == worker, width);
        app.state.training.iter().flat_map(rows).collect()
    } else {
        progress_rows(app, training, width)
    };
    if height >= 16 {
        head.push(Row::new());
    }
    head.extend(table.head);
    let mut body = table.body;
    let spare = height.saturating_sub(head.len() + body.len());
    if spare >= 4 && !training.epochs.is_empty() {
        body.push(Row::new());
        body.extend(epoch_rows(&training.epochs, spare - 1));
    }
    Content { head, body }
}

/// The chosen child in two rows: progress of the epoch, and what it has reached.
fn progress_rows(app: &App, training: &Training, width: usize) -> Vec<Row> {
    let (epoch, epochs, fraction) = epoch(app, training);
    let label = format!(" epoch {epoch}/{epochs}");
    let mut first = bar(&app.theme.glyphs, width.saturating_sub(label.len()).min(40), fraction, Role::Gauge);
    first.push((Role::Text, label));
    let mut second = join_fitting(figures(training), "  ", width);
    if second.iter().filter(|(role, _)| *role == Role::Text).count() < 3 {
        second = join_fitting(figures(training), " ", width);
    }
    vec![first, second]
}

/// One worker of several, in one row where it fits, else in two.
fn worker_rows(app: &App, worker: usize, training: &Training, chosen: bool, width: usize) -> Vec<Row> {
    let glyphs = &app.theme.glyphs;
    let marker = if chosen { glyphs.marker } else { " " };
    let (epoch, epochs, fraction) = epoch(app, training);
    let role = if chosen { Role::Strong } else { Role::Text };
    let mut first = vec![
        (Role::Focus, format!("{marker} ")),
        (Role::Dim, format!("worker {worker} ")),
        (role, format!("child {:<4} ", training.child)),
    ];
    first.extend(bar(glyphs, 8, fraction, Role::Gauge));
    first.push((Role::Text, format!(" epoch {epoch}/{epochs}")));
    let taken = super::pieces_width(&first);
    let figures = join_fitting(
        figures(training),
        "  ",
        width.saturating_sub(taken + 2).max(width.saturating_sub(4) * usize::from(taken + 24 > width)),
    );
    if taken + 2 + super::pieces_width(&figures) <= width {
        first.push((Role::Text, "  ".to_owned()));
        first.extend(figures);
        return vec![first];
    }
    let mut second = vec![(Role::Text, "  ".to_owned())];
    second.extend(figures);
    vec![first, second]
}

/// Loss, validation accuracy and speed, the most telling first.
fn figures(training: &Training) -> Vec<Row> {
    let last = training.epochs.last();
    let progress = training.progress.as_ref();
    let loss = progress.map(|progress| progress.loss).or(last.map(|epoch| epoch.train_loss));
    let speed = progress.map(|progress| progress.images_per_second).or(last.map(|epoch| epoch.images_per_second));
    let figure = |label: &str, value: Option<String>| value.map_or(Row::new(), |value| labelled(label, Role::Text, value));
    let speed = speed.map_or(Row::new(), |speed| vec![(Role::Text, speed_text(speed)), (Role::Dim, " img/s".to_owned())]);
    vec![
        figure("loss", loss.map(|loss| format!("{loss:.3}"))),
        figure("valid", last.map(|epoch| format!("{:.1} %", epoch.valid_accuracy * 100.0))),
        speed,
    ]
}

/// Images per second in at most six columns.
fn speed_text(speed: f64) -> String {
    let speed = speed.max(0.0).round() as u64;
    if speed < 10_000 { format::count(speed) } else { format::compact(speed) }
}

/// Epoch under way, of how many, and the share of it that is done.
fn epoch(app: &App, training: &Training) -> (usize, usize, f64) {
    match (&training.progress, training.epochs.last()) {
        (Some(progress), last) if last.is_none_or(|last| last.epoch < progress.epoch) => {
            (progress.epoch, progress.epochs, progress.batch as f64 / progress.batches.max(1) as f64)
        }
        (_, Some(last)) => (last.epoch, last.epochs, 1.0),
        _ => (1, app.state.run.as_ref().map_or(1, |run| run.child_epochs), 0.0),
    }
}

/// The last epochs of a child in at most `rows` rows, with their heading.
fn epoch_rows(epochs: &[ChildEpoch], rows: usize) -> Vec<Row> {
    let heading = vec![(Role::Dim, "epoch    loss     train  validation".to_owned())];
    let last = &epochs[epochs.len().saturating_sub(rows.saturating_sub(1))..];
    let row = |epoch: &ChildEpoch| {
        let (train, valid) = (format::accuracy(epoch.train_accuracy), format::accuracy(epoch.valid_accuracy));
        vec![(Role::Text, format!("{:>5}  {:>6.3}  {train:>8}    {valid:>8}", epoch.epoch, epoch.train_loss))]
    };
    std::iter::once(heading).chain(last.iter().map(row)).collect()
}
