//! What on the screen can be clicked. The code that draws a thing also marks its place, so a click
//! means what the user sees, and no place is computed twice.

use ratatui::layout::{Position, Rect};

use super::keymap::Action;
use super::panels::PanelId;
use super::plot::Span;

/// What a place on the screen stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Nothing, whatever is behind it.
    Nothing,
    /// A panel, or its name in the tabs.
    Panel(PanelId),
    /// What the key of this action does.
    Action(Action),
    /// The worker with this number, and so its child.
    Worker(usize),
    /// The columns of a plot, which stand for these numbers of children or epochs.
    Numbers(Span),
    /// A part of the panel there, or of the inspector.
    Part(Part),
}

/// A part of a panel or of the inspector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The child with this number.
    Child(u64),
    /// The heading of a column; its place among those that the panel can be sorted by.
    Heading(usize),
    /// A row of the content.
    Row(usize),
    /// A page.
    Page(usize),
    /// The child or epoch with this number, in a plot.
    Number(u64),
}

/// The targets of a frame, in the order in which they were drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets(Vec<(Rect, Target)>);

impl Targets {
    /// Mark an area; it covers what was marked there before.
    pub fn mark(&mut self, area: Rect, target: Target) {
        if !area.is_empty() {
            self.0.push((area, target));
        }
    }

    /// The topmost target at a position, with its area.
    pub fn at(&self, position: Position) -> Option<(Rect, Target)> {
        let mut from_top = self.0.iter().rev();
        from_top.find(|(area, _)| area.contains(position)).copied()
    }

    /// The panel at a position.
    pub fn panel_at(&self, position: Position) -> Option<PanelId> {
        let here = self
            .0
            .iter()
            .rev()
            .filter(|(area, _)| area.contains(position));
        here.map_while(|(_, target)| (*target != Target::Nothing).then_some(target))
            .find_map(|target| match target {
                Target::Panel(panel) => Some(*panel),
                _ => None,
            })
    }

    /// The numbers that the plot in this area stands for.
    pub fn numbers_in(&self, plot: Rect) -> Option<Span> {
        self.0.iter().rev().find_map(|(area, target)| match target {
            Target::Numbers(span) if *area == plot => Some(*span),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_drawn_last_is_what_is_clicked() {
        let (panel, part) = (Target::Panel(PanelId("log")), Target::Part(Part::Row(3)));
        let mut targets = Targets::default();
        targets.mark(Rect::new(0, 0, 9, 9), panel);
        targets.mark(Rect::new(2, 2, 5, 1), part);
        let at =
            |targets: &Targets, x, y| targets.at(Position::new(x, y)).map(|(_, target)| target);
        assert_eq!(at(&targets, 3, 2), Some(part));
        assert_eq!(at(&targets, 3, 3), Some(panel));
        assert_eq!(at(&targets, 9, 3), None);
        assert_eq!(targets.panel_at(Position::new(3, 2)), Some(PanelId("log")));
        targets.mark(Rect::new(0, 0, 20, 20), Target::Nothing);
        assert_eq!(at(&targets, 3, 2), Some(Target::Nothing));
        assert_eq!(targets.panel_at(Position::new(3, 2)), None);
    }
}
