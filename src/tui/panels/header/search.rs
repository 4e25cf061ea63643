//! The header's second row for a search: its progress, and the best so far.

use crate::analysis::selection::Selection;
use crate::event::RunStarted;
use crate::state::{Counts, RunState};
use crate::tui::format;
use crate::tui::panels::chart::verdict_line;
use crate::tui::panels::scene::Scene;
use crate::tui::panels::{Row, join_ranked, labelled, training, words};
use crate::tui::theme::{Glyphs, Role};

/// Columns below which the word for episodes is short: episode, child and the best one are to stand side by
/// side in 80 columns.
const NARROW: usize = 90;

/// The row in `width` columns; the least important parts are left out first.
pub fn row(scene: &Scene<'_>, run: &RunStarted, glyphs: &Glyphs, width: usize) -> Row {
    let label = if width < NARROW { "ep. " } else { "episode " };
    let number = scene.state.search().episode;
    let join = |episode: Row| {
        let gap = format!(" {} ", glyphs.separator);
        join_ranked(groups(scene, run, glyphs, episode), &gap, width)
    };
    let episode = part(label, number as u64, run.episodes);
    let row = join(episode.clone());
    // Without the number of all, which the bar tells, it takes no more columns than what would take its place.
    match row.starts_with(&episode) {
        true => row,
        false => join(labelled(label.trim_end(), Role::Text, number.to_string())),
    }
}

/// The parts of the row with their ranks.
fn groups(scene: &Scene<'_>, run: &RunStarted, glyphs: &Glyphs, episode: Row) -> Vec<(usize, Row)> {
    let state = scene.state;
    let preset = vec![
        (Role::Text, run.preset.clone()),
        (Role::Dim, format!(" preset, {} strategy", run.strategy)),
    ];
    let data = vec![(Role::Text, run.data.spec.clone())];
    let cluster = training::cluster_counts(state).filter(|_| !state.status.is_over());
    let is_cluster = cluster.is_some();
    let mut groups = vec![
        (2, episode),
        // The bar says it too.
        (
            if is_cluster { 3 } else { 1 },
            part("child ", current_child(state, run), run.children()),
        ),
        (1, cluster.unwrap_or_default()),
        (0, queued_children(scene.live)),
        (3, edited_child(state)),
        (0, best(state)),
        (4, best_child(state)),
        (
            3,
            labelled("depth", Role::Text, state.search().depth.to_string()),
        ),
    ];
    groups.extend(counts(state).map(|row| (4, row)));
    groups.extend([
        (5, verdict_line::brief(state, glyphs)),
        (6, preset),
        (7, data),
    ]);
    groups
}

/// The progress of something that is counted up to `total`.
fn part(label: &str, number: u64, total: usize) -> Row {
    vec![
        (Role::Dim, label.to_owned()),
        (Role::Text, number.to_string()),
        (Role::Dim, format!("/{total}")),
    ]
}

/// The children that a user queued and that still wait for a worker; empty if there are none.
fn queued_children(live: &RunState) -> Row {
    let search = live.search();
    let waits = |child: u64| search.in_training(child).is_none();
    let queued: Vec<String> = search
        .waiting
        .values()
        .filter(|candidate| candidate.parent().is_some() && waits(candidate.child))
        .map(|candidate| candidate.child.to_string())
        .collect();
    match queued.as_slice() {
        [] => Row::new(),
        [child] => words(Role::Warning, format!("child {child} queued")),
        several => words(Role::Warning, format!("{} children queued", several.len())),
    }
}

/// A child in training that the user edited, with its parent; empty if there is none.
fn edited_child(state: &RunState) -> Row {
    let mut training = state.search().by_worker.values();
    let edited = training
        .find_map(|training| Some((training.child, training.candidate.as_ref()?.parent()?)));
    edited.map_or(Row::new(), |(child, parent)| {
        labelled(
            &format!("child {child}"),
            Role::Text,
            format!("edited from child {parent}"),
        )
    })
}

/// The accuracy of the best child, of how many it is the best, and its reward.
fn best(state: &RunState) -> Row {
    let Some(child) = &state.search().outcomes.best else {
        return labelled("best", Role::Dim, "none yet");
    };
    let of = Selection::of(&state.search().outcomes.counts).briefest();
    let label = of.map_or("best accuracy".to_owned(), |of| format!("best {of}"));
    let mut best = labelled(&label, Role::Best, format::accuracy(child.accuracy));
    best.extend(labelled(
        ", reward",
        Role::Strong,
        format::reward(child.reward),
    ));
    best
}

/// The number of the best child; empty if there is none.
fn best_child(state: &RunState) -> Row {
    let best = state.search().best_child();
    best.map_or(Row::new(), |child| {
        labelled("best child", Role::Text, child.to_string())
    })
}

/// Numbers of children that were not simply trained; an empty row for what has not happened.
fn counts(state: &RunState) -> impl Iterator<Item = Row> {
    let Counts {
        repeats,
        failures,
        excluded,
        stopped,
        edited,
        controls,
        ..
    } = state.search().outcomes.counts;
    let counts = [
        (repeats, "repeats", Role::Text),
        (failures, "failed", Role::Warning),
        (excluded, "excluded", Role::Warning),
        (stopped, "stopped early", Role::Text),
        (edited, "edited", Role::Text),
        (controls, "controls", Role::Text),
    ];
    counts.into_iter().map(|(count, label, role)| {
        if count > 0 {
            labelled(label, role, count.to_string())
        } else {
            Row::new()
        }
    })
}

/// The newest child that the search sampled and that is or was in training. Of a run that has ended, how many
/// have ended: as in its panels and in the list of runs, those that were in training then do not count.
fn current_child(state: &RunState, run: &RunStarted) -> u64 {
    let search = state.search();
    if state.status.is_over() {
        return search.outcomes.counts.sampled as u64;
    }
    let training = search.by_worker.values().map(|training| training.child);
    let ended = search.children.iter().rev().take(256);
    training
        .chain(ended.map(|row| row.child))
        // Controls and edited children are numbered after them.
        .filter(|child| *child <= run.children() as u64)
        .max()
        .unwrap_or(0)
}
