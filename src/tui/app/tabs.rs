//! The row with the names of all panels, if only one is shown.

use std::ops::Range;

use super::App;
use crate::tui::paint::Painter;
use crate::tui::panels::PanelId;
use crate::tui::target::Target;
use crate::tui::theme::Role;

/// Columns of the mark for names that are left out before the others, with the space after it, and of
/// the one for those after them.
const MARKS: [usize; 2] = [2, 1];

impl App {
    /// Names are left out at either end if there is no room for all of them, but not that of the panel in
    /// focus. A click on a name shows its panel, one on a mark the nearest that is left out.
    pub(super) fn draw_tabs(&self, painter: &mut Painter<'_>) {
        let panels = PanelId::of(self.kind());
        let focus = self.view.focus;
        let widths = |spaces: usize| -> Vec<usize> {
            let names = panels.iter().map(|panel| panel.name());
            names.map(|name| name.len() + spaces).collect()
        };
        let is_wide = widths(2).iter().sum::<usize>() <= painter.width();
        let (lead, widths) = if is_wide {
            (" ", widths(2))
        } else {
            ("", widths(1))
        };
        let focused = panels.iter().position(|panel| *panel == focus);
        let shown = in_view(&widths, focused.unwrap_or(0), painter.width());
        let [before, after] = painter.glyphs().left_out;
        let mut x = 0;
        let mut write = |panel: PanelId, role, text: &str| {
            let start = x;
            x = painter.text(x, 0, role, text);
            painter.target((start, 0), (x - start, 1), Target::Panel(panel));
        };
        if let Some(panel) = panels[..shown.start].last() {
            write(*panel, Role::Dim, &format!("{before} "));
        }
        for panel in &panels[shown.clone()] {
            let is_focused = *panel == focus;
            let role = if is_focused {
                Role::Selected
            } else {
                Role::Text
            };
            write(*panel, role, &format!("{lead}{} ", panel.name()));
        }
        if let Some(panel) = panels.get(shown.end) {
            write(*panel, Role::Dim, after);
        }
    }
}

/// Which of the names of these widths are shown in `room` columns: the first ones, or if the focused one is
/// not among them, those that end with it.
fn in_view(widths: &[usize], focused: usize, room: usize) -> Range<usize> {
    let fits = |range: &Range<usize>| {
        let before = if range.start > 0 { MARKS[0] } else { 0 };
        let after = if range.end < widths.len() {
            MARKS[1]
        } else {
            0
        };
        before + widths[range.clone()].iter().sum::<usize>() + after <= room
    };
    let mut starts = (0..focused).map(|start| start..focused + 1);
    let least = starts.find(fits).unwrap_or(focused..focused + 1);
    let mut ends = (least.end..=widths.len()).rev();
    let end = ends.find(|end| fits(&(least.start..*end)));
    least.start..end.unwrap_or(least.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_left_out_at_the_ends_and_never_the_focused_one() {
        let widths = [6, 11, 9, 4, 9, 8, 12, 8, 4];
        let shown = |focused| in_view(&widths, focused, 60);
        assert_eq!(in_view(&widths, 3, 80), 0..9);
        assert_eq!((shown(0), shown(6)), (0..7, 0..7));
        assert_eq!((shown(7), shown(8)), (2..9, 2..9));
        for room in 0..90 {
            for focused in 0..widths.len() {
                let shown = in_view(&widths, focused, room);
                assert!(shown.contains(&focused));
                let used = widths[shown.clone()].iter().sum::<usize>();
                assert!(used <= room || shown.len() == 1, "{room}: {shown:?}");
            }
        }
    }
}
