//! What a cluster trains, where, and what waits in its queue.

use std::collections::BTreeSet;

use crate::state::RunState;
use crate::tui::format;
use crate::tui::panels::scene::Scene;
use crate::tui::panels::{Row, labelled, words, wrapped};
use crate::tui::theme::Role;

/// How many children a cluster trains, and how many wait in its queue; `None` without one.
pub fn cluster_counts(state: &RunState) -> Option<Row> {
    let search = state.search();
    let waiting = search.queue()?.count().to_string();
    let running = search.by_worker.len().to_string();
    let gap = vec![(Role::Dim, "  ".to_owned())];
    let counts = [
        labelled("running", Role::Text, running),
        gap,
        labelled("queue", Role::Text, waiting),
    ];
    Some(counts.concat())
}

/// The same, with the number of nodes at work.
pub fn counts_with_nodes(state: &RunState) -> Option<Row> {
    let places = state.search().by_worker.values();
    let places = places.filter_map(|training| training.place.as_ref());
    let nodes: BTreeSet<&str> = places.map(|place| place.host.as_str()).collect();
    let mut row = cluster_counts(state)?;
    if !nodes.is_empty() {
        row.push((Role::Dim, "  ".to_owned()));
        row.extend(labelled("nodes", Role::Text, nodes.len().to_string()));
    }
    Some(row)
}

/// The children in a cluster's queue in at most `most` rows, but at least one.
pub fn queue_rows(scene: &Scene<'_>, width: usize, most: usize) -> Vec<Row> {
    let is_live = !scene.state.status.is_over() && scene.why_abandoned().is_none();
    let queue = scene.state.search().queue().filter(|_| is_live);
    let children: Vec<u64> = queue.into_iter().flatten().collect();
    if children.is_empty() {
        return Vec::new();
    }
    let text = format!("in the queue: child {}", format::ranges(&children, ", "));
    let rows = wrapped(Role::Dim, &text, width);
    if rows.len() <= most.max(1) {
        return rows;
    }
    let text = format::fit(&text, width, scene.glyphs().ellipsis);
    vec![words(Role::Dim, text)]
}
