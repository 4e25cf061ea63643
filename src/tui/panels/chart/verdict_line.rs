//! Does it learn? The verdict on the run as a line of the screen.

use crate::analysis::verdict::{Finding, Verdict};
use crate::state::RunState;
use crate::tui::panels::Row;
use crate::tui::theme::{Glyphs, Role};

/// Width of a brief verdict in columns.
const BRIEF: usize = 41;

/// The verdict in `width` columns, with a separate role for the words after the numbers.
pub fn pieces(state: &RunState, glyphs: &Glyphs, width: usize) -> Row {
    let verdict = Verdict::of(state);
    let role = match verdict.finding {
        Finding::TooEarly | Finding::NoEvidence | Finding::CannotLearn => Role::Text,
        Finding::Learning => Role::Good,
        Finding::Worse => Role::Warning,
    };
    let text = verdict.text(width, glyphs.plus_minus);
    match text.split_once(": ") {
        Some((numbers, words)) => vec![
            (Role::Dim, format!("{numbers}: ")),
            (role, words.to_owned()),
        ],
        None => vec![(role, text)],
    }
}

/// The verdict in a few words, once there is one: `slope +0.025±0.023 p 0.036: learning`.
pub fn brief(state: &RunState, glyphs: &Glyphs) -> Row {
    if state.search().episodes.len() < 3 {
        Row::new()
    } else {
        pieces(state, glyphs, BRIEF)
    }
}
