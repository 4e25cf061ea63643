//! What the user sees in the chart: quantity, scale, the children in view, and the crosshair.

use super::extent::Extent;
use crate::analysis::series::Quantity;
use crate::tui::keymap::Action;
use crate::tui::plot::Span;

/// Minimum number of children in a window, if the run has as many.
const FEWEST: u64 = 8;

/// The spacing of values along their axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    #[default]
    Linear,
    Log,
}

/// The state of the chart's view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChartView {
    /// The quantity drawn for each child.
    pub quantity: Quantity,
    /// Scale of that quantity.
    pub scale: Scale,
    window: Window,
    /// The number of the child under the crosshair.
    crosshair: Option<u64>,
}

/// Which children are in view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Window {
    #[default]
    All,
    /// This many children up to `last`; if the newest child is among them, the window follows it.
    Part {
        count: u64,
        last: u64,
        follows: bool,
    },
}

/// How far a window of `count` children moves.
fn quarter(count: u64) -> u64 {
    count.div_ceil(4).max(1)
}

impl ChartView {
    /// The children in view.
    pub fn visible(&self, extent: &Extent) -> Span {
        let Window::Part {
            count,
            last,
            follows,
        } = self.window
        else {
            return extent.whole();
        };
        let newest = extent.newest.max(1);
        let (least, end) = (count.min(extent.end()), extent.end());
        let last = match () {
            // A quarter at a time: a chart that moves with every child would redraw completely.
            () if follows && newest > last => last.saturating_add(
                (newest - last)
                    .div_ceil(quarter(count))
                    .saturating_mul(quarter(count)),
            ),
            // The run is shown at an earlier moment.
            () if follows && newest <= last.saturating_sub(count) => newest,
            () => last,
        };
        let last = last.clamp(least, end);
        Span {
            first: last.saturating_sub(count - 1).max(1),
            last,
        }
    }

    /// Whether some children are out of view.
    pub fn is_zoomed(&self) -> bool {
        self.window != Window::All
    }

    /// The child under the crosshair.
    pub fn crosshair(&self) -> Option<u64> {
        self.crosshair
    }

    /// Put the crosshair on a child, or on the nearest one of which something is known; false if it is
    /// there already, or if nothing is known.
    pub fn point_at(&mut self, child: u64, extent: &Extent) -> bool {
        let before = self.crosshair;
        if extent.reach() > 0 {
            self.put_crosshair(child, extent);
        }
        self.crosshair != before
    }

    /// Handle a key, in a plot of `columns` characters, for content that reaches as far as `extent`;
    /// false if the action means nothing here.
    pub fn perform(
        &mut self,
        action: Action,
        extent: impl FnOnce() -> Extent,
        columns: usize,
    ) -> bool {
        match action {
            Action::ToggleQuantity => {
                self.quantity = if self.quantity == Quantity::Reward {
                    Quantity::Accuracy
                } else {
                    Quantity::Reward
                };
            }
            Action::ToggleScale => {
                self.scale = if self.scale == Scale::Linear {
                    Scale::Log
                } else {
                    Scale::Linear
                }
            }
            Action::More => self.zoom(&extent(), |count| count / 2),
            Action::Less => self.zoom(&extent(), |count| count.saturating_mul(2)),
            Action::Reset => self.window = Window::All,
            Action::PanLeft => self.pan(&extent(), false),
            Action::PanRight => self.pan(&extent(), true),
            Action::Back => return self.crosshair.take().is_some(),
            Action::Left
            | Action::Right
            | Action::PageUp
            | Action::PageDown
            | Action::Top
            | Action::Bottom
            | Action::Live => self.move_crosshair(action, &extent(), columns),
            _ => return false,
        }
        true
    }

    /// Show `of(count)` children instead of `count`, keeping the crosshair (or the newest child, or
    /// the middle) in place.
    fn zoom(&mut self, extent: &Extent, of: impl Fn(u64) -> u64) {
        let visible = self.visible(extent);
        let anchors = [self.crosshair, Some(extent.newest)];
        let anchor = anchors
            .into_iter()
            .flatten()
            .find(|child| visible.contains(*child));
        let anchor = anchor
            .unwrap_or(visible.first + (visible.count() - 1) / 2)
            .min(extent.end());
        let count = of(visible.count()).max(FEWEST.min(visible.count()));
        let share = (anchor - visible.first.min(anchor)) as f64 / visible.count() as f64;
        let before = ((share * count as f64) as u64).min(count - 1);
        self.show(extent, anchor.saturating_sub(before).max(1), count);
    }

    /// Move by a quarter of the view.
    fn pan(&mut self, extent: &Extent, right: bool) {
        if !self.is_zoomed() {
            return;
        }
        let visible = self.visible(extent);
        let step = quarter(visible.count());
        let first = if right {
            visible.first.saturating_add(step)
        } else {
            visible.first.saturating_sub(step)
        };
        self.show(extent, first, visible.count());
        let visible = self.visible(extent);
        self.crosshair = self.crosshair.map(|child| {
            child
                .clamp(visible.first, visible.last)
                .min(extent.reach().max(1))
        });
    }

    /// Show the window of `count` children from `first` on, moved inside the run; if the newest
    /// child is in it, the window follows the newest child.
    fn show(&mut self, extent: &Extent, first: u64, count: u64) {
        let end = extent.end();
        if count >= end {
            self.window = Window::All;
            return;
        }
        let first = first.clamp(1, (end - count + 1).min(extent.reach().max(1)));
        let last = first + (count - 1);
        self.window = Window::Part {
            count,
            last,
            follows: (first..=last).contains(&extent.newest.max(1)),
        };
    }

    fn move_crosshair(&mut self, action: Action, extent: &Extent, columns: usize) {
        if extent.reach() == 0 {
            self.crosshair = None;
            return;
        }
        let visible = self.visible(extent);
        // The first key shows the crosshair at the run's newest child or, if that is out of view, at the
        // nearest place to it; further keys move it. The first and the last child are always gone to.
        let Some(child) = self.crosshair else {
            let child = match action {
                Action::Top => 1,
                Action::Bottom => extent.reach(),
                _ => extent.newest.clamp(visible.first, visible.last),
            };
            return self.put_crosshair(child, extent);
        };
        let child = child.min(extent.reach());
        let step = visible.count().div_ceil(columns.max(1) as u64);
        let start = extent.children(extent.episode(child)).first;
        let target = match action {
            Action::Left => child.saturating_sub(step),
            Action::Right => child.saturating_add(step),
            Action::PageUp if child > start => start,
            Action::PageUp => start.saturating_sub(extent.per_episode),
            Action::PageDown => start.saturating_add(extent.per_episode),
            Action::Top => 1,
            Action::Bottom => extent.reach(),
            _ => extent.newest,
        };
        self.put_crosshair(target, extent);
    }

    /// Put the crosshair on a child that has ended or precedes one that has, in this run or in one beside
    /// it, and move the window to it.
    fn put_crosshair(&mut self, child: u64, extent: &Extent) {
        let child = child.clamp(1, extent.reach().max(1));
        self.crosshair = Some(child);
        let visible = self.visible(extent);
        if child < visible.first {
            self.show(extent, child, visible.count());
        } else if child > visible.last {
            self.show(
                extent,
                child - (visible.count() - 1).min(child - 1),
                visible.count(),
            );
        }
    }
}

#[cfg(test)]
mod tests;
