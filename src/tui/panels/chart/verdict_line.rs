//! Does it learn? The verdict on the run as a line of the screen.

use crate::report::verdict::{Finding, Verdict};
use crate::state::RunState;
use crate::tui::panels::Row;
use crate::tui::theme::Role;

/// The verdict in `width` columns, the words after the numbers in a role of their own.
pub fn pieces(state: &RunState, width: usize) -> Row {
    let verdict = Verdict::of(state);
    let role = match verdict.finding {
        Finding::TooEarly | Finding::NoEvidence | Finding::CannotLearn => Role::Text,
        Finding::Learning => Role::Good,
        Finding::Worse => Role::Warning,
    };
    let text = verdict.text(width);
    match text.rsplit_once(": ") {
        Some((numbers, words)) => vec![(Role::Dim, format!("{numbers}: ")), (role, words.to_owned())],
        None => vec![(role, text)],
    }
}
