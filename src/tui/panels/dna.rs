//! The layers of a child: of the one in training, or of any child of the run.

use super::{Content, Row, join_fitting, labelled, layers, training};
use crate::event::ChildEpoch;
use crate::state::{Candidate, ChildDetail, Origin, Training};
use crate::tui::app::App;
use crate::tui::format;
use crate::tui::paint::Painter;
use crate::tui::theme::Role;
use crate::tui::view::{DnaColumns, Panel};

pub fn draw(app: &App, painter: &mut Painter<'_>) {
    let area = super::inside(painter.area());
    let height = usize::from(area.height);
    let content = content(app, usize::from(area.width), height);
    let position = content.position(height, app.view.dna_top);
    super::title(
        painter,
        app.view.focus == Panel::Dna,
        "DNA",
        &name(app),
        position.as_deref(),
    );
    content.draw(&mut painter.part(area), app.view.dna_top);
}

/// Which child, beside the title.
fn name(app: &App) -> Row {
    let Some(child) = app.shown_child() else {
        return Row::new();
    };
    let mut row = labelled(
        "child",
        Role::Strong,
        format!("{child} {}", app.theme.glyphs.left_right),
    );
    let state = app.state();
    if state
        .search()
        .outcomes
        .best
        .as_ref()
        .is_some_and(|best| best.child == child)
    {
        row.push((Role::Best, " best".to_owned()));
    } else if let Some((worker, _)) = trained(app, child) {
        row.push((Role::Dim, format!(" worker {worker}")));
    } else if app.row(child).is_some() {
        row.push((Role::Dim, " has ended".to_owned()));
    } else if state
        .search()
        .training
        .values()
        .any(|training| training.child == child)
    {
        row.push((Role::Warning, " not in training".to_owned()));
    } else {
        row.push((Role::Dim, " waits".to_owned()));
    }
    row
}

/// What the panel shows in `width` x `height`, below its title.
pub fn content(app: &App, width: usize, height: usize) -> Content {
    let dim = |text: &str| Content {
        head: vec![vec![(Role::Dim, text.to_owned())]],
        body: Vec::new(),
    };
    let Some(child) = app.shown_child() else {
        return dim("no child has been sampled yet");
    };
    let Some(detail) = app.detail(child) else {
        return dim("reading the journal");
    };
    let mut head = facts(app, &detail, width);
    if height >= 16 {
        head.push(Row::new());
    }
    let table = layers::table(
        &detail.candidate.architecture,
        &columns(app, &detail.candidate),
        width,
        &app.theme.glyphs,
    );
    head.extend(table.head);
    let mut body = table.body;
    let spare = height.saturating_sub(head.len() + body.len());
    if spare >= 4 && !detail.epochs.is_empty() {
        body.push(Row::new());
        body.extend(epoch_rows(&detail.epochs, spare - 1));
    }
    Content { head, body }
}

/// The worker that trains a child, and how far it is; none where nobody does.
fn trained(app: &App, child: u64) -> Option<(&usize, &Training)> {
    app.state()
        .search()
        .training
        .iter()
        .find(|(_, training)| training.child == child && app.forsaken().is_none())
}

/// What stands above the layers: progress while it trains, what came of it afterwards.
fn facts(app: &App, detail: &ChildDetail, width: usize) -> Vec<Row> {
    let (state, candidate) = (app.state(), &detail.candidate);
    if let Some((_, training)) = trained(app, candidate.child) {
        return training::progress_rows(state, training, &app.theme.glyphs, width);
    }
    let first = match app.row(candidate.child) {
        Some(row) => vec![
            row.accuracy.map_or_else(
                || vec![(Role::Error, row.trouble().unwrap_or_default().to_owned())],
                |accuracy| labelled("accuracy", Role::Strong, format::accuracy(accuracy)),
            ),
            labelled(
                "reward",
                Role::Text,
                format::or_none(row.reward, format::reward),
            ),
        ],
        None => match state
            .search()
            .training
            .values()
            .find(|training| training.child == candidate.child)
        {
            Some(training) => vec![training::forsaken_row(state, training, width)],
            None => vec![vec![(Role::Dim, "waits for a worker".to_owned())]],
        },
    };
    let origin = match &candidate.origin {
        Origin::Sampled {
            log_prob, entropy, ..
        } => {
            vec![
                labelled("log p", Role::Text, format!("{log_prob:.2}")),
                labelled("H", Role::Text, format!("{entropy:.2}")),
            ]
        }
        Origin::Edited { parent } => vec![labelled(
            "edited from child",
            Role::Text,
            parent.to_string(),
        )],
    };
    vec![
        join_fitting([first, origin].concat(), "  ", width),
        join_fitting(
            vec![
                labelled("params", Role::Text, format::count(candidate.params)),
                labelled("MACs", Role::Text, format::compact(candidate.macs)),
                labelled("episode", Role::Text, candidate.episode.to_string()),
            ],
            "  ",
            width,
        ),
    ]
}

/// What the table shows besides the layers themselves.
fn columns(app: &App, candidate: &Candidate) -> layers::Options {
    let state = app.state();
    let best = state
        .search()
        .outcomes
        .best
        .as_ref()
        .filter(|best| best.child != candidate.child);
    layers::Options {
        choices: candidate.choices().to_vec(),
        choices_first: app.view.dna_columns == DnaColumns::Choices,
        compared: best.and(state.search().best_architecture.clone()),
    }
}

/// The last epochs of a child in at most `rows` rows, with their heading.
fn epoch_rows(epochs: &[ChildEpoch], rows: usize) -> Vec<Row> {
    let heading = vec![(Role::Dim, "epoch    loss     train  validation".to_owned())];
    let last = &epochs[epochs.len().saturating_sub(rows.saturating_sub(1))..];
    let row = |epoch: &ChildEpoch| {
        let (train, valid) = (
            format::accuracy(epoch.train_accuracy),
            format::accuracy(epoch.valid_accuracy),
        );
        vec![(
            Role::Text,
            format!(
                "{:>5}  {:>6.3}  {train:>8}    {valid:>8}",
                epoch.epoch, epoch.train_loss
            ),
        )]
    };
    std::iter::once(heading)
        .chain(last.iter().map(row))
        .collect()
}
