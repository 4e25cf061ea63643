//! The result of a run that has ended.

use crate::analysis::selection::Selection;
use crate::state::Counts;
use crate::tui::format;
use crate::tui::keymap::Action;
use crate::tui::panels::scene::Scene;
use crate::tui::panels::{Row, join_fitting, labelled, words};
use crate::tui::theme::Role;

/// Most rows of it.
pub const ROWS: usize = 4;

/// The result of a run that has ended; `None` while it is in progress.
pub fn outcome(scene: &Scene<'_>, width: usize) -> Option<Vec<Row>> {
    let state = scene.state;
    if !state.status.is_over() {
        return None;
    }
    let Counts {
        sampled,
        edited,
        controls,
        failures,
        excluded,
        stopped,
        ..
    } = state.search().outcomes.counts;
    let count = |label, count: usize| {
        if count > 0 {
            labelled(label, Role::Text, count.to_string())
        } else {
            Row::new()
        }
    };
    let worked = format::duration(state.clock.seconds());
    let worked = if state.clock.is_cut_off() {
        format!("at least {worked}")
    } else {
        worked
    };
    let groups = vec![
        vec![(Role::Strong, format!("run {}", state.status.word()))],
        count("children", sampled),
        count("failed", failures),
        count("excluded", excluded),
        count("stopped early", stopped),
        count("edited", edited),
        count("controls", controls),
        labelled("in", Role::Text, worked),
    ];
    let mut rows = vec![join_fitting(groups, "  ", width)];
    if let Some(best) = &state.search().outcomes.best {
        let name = labelled("best child", Role::Strong, best.child.to_string());
        let figures = vec![
            labelled("accuracy", Role::Best, format::accuracy(best.accuracy)),
            labelled("reward", Role::Strong, format::reward(best.reward)),
            labelled("episode", Role::Text, best.episode.to_string()),
            labelled("params", Role::Text, format::count(best.params)),
            labelled("MACs", Role::Text, format::compact(best.macs)),
        ];
        rows.push(join_fitting([vec![name], figures].concat(), "  ", width));
        let selection = Selection::of(&state.search().outcomes.counts).words();
        rows.extend(selection.map(|text| words(Role::Dim, text)));
        let key = scene.keymap.key_of(Action::InspectBest);
        rows.push(vec![
            (Role::Key, key),
            (
                Role::Dim,
                " opens it: graph, costs, curves, relatives".to_owned(),
            ),
        ]);
    }
    Some(rows)
}
