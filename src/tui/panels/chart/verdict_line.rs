//! Does it learn? The verdict on the run as a line of the screen.

use crate::analysis::verdict::{Finding, Verdict};
use crate::state::RunState;
use crate::tui::panels::Row;
use crate::tui::theme::{Glyphs, Role};

/// Width of a brief verdict in columns.
const BRIEF: usize = 41;

/// The verdict in `width` columns, in a colour only once nothing can change it.
pub fn pieces(state: &RunState, glyphs: &Glyphs, width: usize) -> Row {
    let verdict = Verdict::of(state);
    let role = match verdict.finding {
        Finding::Open => Role::Text,
        Finding::Above => Role::Good,
        Finding::Below => Role::Warning,
    };
    vec![(role, verdict.text(width, glyphs.plus_minus))]
}

/// The verdict in a few words, once there is one: `policy +0.21±0.06 (p <0.001) so far`.
pub fn brief(state: &RunState, glyphs: &Glyphs) -> Row {
    if state.search().episodes.len() < 3 {
        Row::new()
    } else {
        pieces(state, glyphs, BRIEF)
    }
}
