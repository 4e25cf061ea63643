//! Why a run cannot save: it is told over the second row of the screen.

use crate::state::RunStatus;
use crate::tui::format;
use crate::tui::paint::Painter;
use crate::tui::panels::scene::Scene;
use crate::tui::theme::Role;

/// Why the run cannot save, in words; `None` if it can.
pub fn why_blocked(scene: &Scene<'_>) -> Option<String> {
    let blocked = scene.status() == RunStatus::Blocked;
    let reason = scene.live.blocked.as_ref().filter(|_| blocked)?;
    let reason = format::without_error_number(reason);
    let says_so = reason.starts_with("cannot ");
    Some(if says_so {
        reason
    } else {
        format!("cannot save: {reason}")
    })
}

/// Write why the run cannot save into the second row of the screen, and over the rows below it if it is
/// longer: its remedy is at its end.
pub fn draw_blocked(scene: &Scene<'_>, screen: &mut Painter<'_>) {
    let Some(reason) = why_blocked(scene) else {
        return;
    };
    let width = screen.width();
    for (y, line) in format::wrap(&reason, width.saturating_sub(2))
        .iter()
        .enumerate()
    {
        screen.text(
            0,
            1 + y,
            Role::Error,
            &format!(" {line:<0$}", width.saturating_sub(1)),
        );
    }
}
