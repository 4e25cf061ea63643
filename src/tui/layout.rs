//! Where each panel lies on a screen of a given size.

use ratatui::layout::{Rect, Size};

use super::view::Panel;

/// The smallest screen on which the panels are drawn.
pub const SMALLEST: Size = Size { width: 60, height: 15 };

const HEADER_ROWS: u16 = 2;
const FOOTER_ROWS: u16 = 1;

/// The parts of the screen. A panel's area includes its title row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Areas {
    pub header: Rect,
    /// A row that names all panels, where only one is shown.
    pub tabs: Option<Rect>,
    pub panels: Vec<(Panel, Rect)>,
    /// Columns between panels.
    pub separators: Vec<Rect>,
    pub footer: Rect,
}

impl Areas {
    /// Area of `panel`, if it is shown.
    pub fn of(&self, panel: Panel) -> Option<Rect> {
        self.panels.iter().find(|(shown, _)| *shown == panel).map(|(_, area)| *area)
    }
}

/// Split a screen of `size`; none if it is too small. `dna_rows` is what the DNA panel needs to show all it has.
pub fn areas(size: Size, focus: Panel, maximised: bool, dna_rows: u16) -> Option<Areas> {
    if size.width < SMALLEST.width || size.height < SMALLEST.height {
        return None;
    }
    let header = Rect::new(0, 0, size.width, HEADER_ROWS);
    let footer = Rect::new(0, size.height - FOOTER_ROWS, size.width, FOOTER_ROWS);
    let middle = Rect::new(0, HEADER_ROWS, size.width, size.height - HEADER_ROWS - FOOTER_ROWS);
    let mut areas = Areas { header, tabs: None, panels: Vec::new(), separators: Vec::new(), footer };
    if maximised || middle.height < 18 || (middle.width < 76 && middle.height < 30) {
        areas.tabs = Some(Rect { height: 1, ..middle });
        areas.panels.push((focus, Rect { y: middle.y + 1, height: middle.height - 1, ..middle }));
    } else if middle.width < 76 {
        areas.panels = stacked(middle, dna_rows);
    } else if middle.width < 100 {
        compact(middle, &mut areas);
    } else {
        wide(middle, dna_rows, &mut areas);
    }
    Some(areas)
}

/// All panels below one another.
fn stacked(area: Rect, dna_rows: u16) -> Vec<(Panel, Rect)> {
    let (chart, rest) = cut_rows(area, area.height * 3 / 10);
    let (dna, rest) = cut_rows(rest, dna_rows.clamp(rest.height / 3, rest.height / 2));
    let (gpu, log) = cut_rows(rest, rest.height / 3);
    vec![(Panel::Chart, chart), (Panel::Dna, dna), (Panel::Gpu, gpu), (Panel::Log, log)]
}

/// Chart beside DNA; GPU and log below, over the whole width.
fn compact(area: Rect, areas: &mut Areas) {
    let gpu_rows = 4 + (area.height - 18) / 8;
    let log_rows = 6 + (area.height - 18) / 4;
    let (top, rest) = cut_rows(area, area.height - gpu_rows - log_rows);
    let (chart, dna) = columns(top, areas);
    let (gpu, log) = cut_rows(rest, gpu_rows);
    areas.panels = vec![(Panel::Chart, chart), (Panel::Dna, dna), (Panel::Gpu, gpu), (Panel::Log, log)];
}

/// Chart beside DNA over GPU; the log below, over the whole width: its lines are long.
fn wide(area: Rect, dna_rows: u16, areas: &mut Areas) {
    let (top, log) = cut_rows(area, area.height * 7 / 10);
    let (chart, right) = columns(top, areas);
    let (dna, gpu) = cut_rows(right, dna_rows.clamp(top.height * 5 / 10, top.height - (top.height * 3 / 10).max(4)));
    areas.panels = vec![(Panel::Chart, chart), (Panel::Dna, dna), (Panel::Gpu, gpu), (Panel::Log, log)];
}

fn columns(area: Rect, areas: &mut Areas) -> (Rect, Rect) {
    let left = (u32::from(area.width) * 54 / 100) as u16;
    areas.separators.push(Rect { x: area.x + left, width: 1, ..area });
    (Rect { width: left, ..area }, Rect { x: area.x + left + 1, width: area.width - left - 1, ..area })
}

fn cut_rows(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    (Rect { height: rows, ..area }, Rect { y: area.y + rows, height: area.height - rows, ..area })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_screen_too_small_has_no_panels() {
        assert_eq!(areas(Size::new(59, 15), Panel::Chart, false, 10), None);
        assert!(areas(SMALLEST, Panel::Chart, false, 10).is_some());
    }

    #[test]
    fn an_ordinary_terminal_shows_all_panels_at_once() {
        let shown = areas(Size::new(80, 24), Panel::Log, false, 12).map(|areas| areas.panels.len());
        assert_eq!(shown, Some(4));
    }

    proptest! {
        #[test]
        fn panels_never_overlap_and_fill_the_middle(width in 60u16..300, height in 15u16..120, maximised: bool, dna_rows in 0u16..200) {
            let areas = areas(Size::new(width, height), Panel::Dna, maximised, dna_rows).expect("large enough");
            let all: Vec<Rect> = areas.panels.iter().map(|(_, area)| *area)
                .chain(areas.separators.iter().copied())
                .chain(areas.tabs).collect();
            for (index, one) in all.iter().enumerate() {
                prop_assert!(one.height >= 1 && one.right() <= width && one.bottom() < height);
                prop_assert!(all[..index].iter().all(|other| one.intersection(*other).is_empty()), "{:?}", areas);
            }
            let least = if maximised { 9 } else { 3 };
            prop_assert!(areas.panels.iter().all(|(_, area)| area.height >= least), "{:?}", areas);
        }
    }
}
