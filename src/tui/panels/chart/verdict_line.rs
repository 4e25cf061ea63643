//! Does it learn? The verdict on the run as one or two lines of the screen.

use crate::analysis::verdict::{Finding, Verdict};
use crate::state::RunState;
use crate::tui::format::wrap;
use crate::tui::panels::{Row, wrapped};
use crate::tui::theme::{Glyphs, Role};

/// Width of a brief verdict in columns: enough for every number.
const BRIEF: usize = 52;

/// The verdict in `width` columns: in one row, or in at most `rows` if every number fits only then.
/// It is in a colour only once nothing can change it.
pub fn rows(state: &RunState, glyphs: &Glyphs, width: usize, rows: usize) -> Vec<Row> {
    let verdict = Verdict::of(state);
    let role = match verdict.finding {
        Finding::Open => Role::Text,
        Finding::Above => Role::Good,
        Finding::Below => Role::Warning,
    };
    let sign = glyphs.plus_minus;
    let within = |most| verdict.complete_text(sign, |text| wrap(text, width).len() <= most);
    match within(1).or_else(|| within(rows)) {
        Some(text) => wrapped(role, &text, width),
        None => vec![vec![(role, verdict.text(width, sign))]],
    }
}

/// The verdict in a few words, once there is one: `policy +0.21±0.06 (p <0.001, 9 controls) so far`.
pub fn brief(state: &RunState, glyphs: &Glyphs) -> Row {
    if state.search().episodes.len() < 3 {
        Row::new()
    } else {
        rows(state, glyphs, BRIEF, 1).swap_remove(0)
    }
}
