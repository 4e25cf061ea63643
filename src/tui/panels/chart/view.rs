//! What the user looks at in the chart: quantity, scale, the children in view, and the crosshair.

use crate::state::RunState;
use crate::tui::keymap::Action;

/// Children that a window holds at least, where the run has as many.
const FEWEST: u64 = 8;

/// What the vertical axis means. The two are different things: reward = accuracy^power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quantity {
    #[default]
    Reward,
    Accuracy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    #[default]
    Linear,
    Log,
}

/// What a key does to the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChartAction {
    ToggleQuantity,
    ToggleScale,
    ZoomIn,
    ZoomOut,
    ZoomReset,
    PanLeft,
    PanRight,
    CrosshairLeft,
    CrosshairRight,
    CrosshairPreviousEpisode,
    CrosshairNextEpisode,
    CrosshairFirst,
    CrosshairLast,
    CrosshairOff,
}

impl ChartAction {
    /// What an action means for any chart; none where it means nothing.
    pub fn of(action: Action) -> Option<ChartAction> {
        Some(match action {
            Action::ToggleScale => ChartAction::ToggleScale,
            Action::More => ChartAction::ZoomIn,
            Action::Less => ChartAction::ZoomOut,
            Action::Reset => ChartAction::ZoomReset,
            Action::PanLeft => ChartAction::PanLeft,
            Action::PanRight => ChartAction::PanRight,
            Action::Left => ChartAction::CrosshairLeft,
            Action::Right => ChartAction::CrosshairRight,
            Action::PageUp => ChartAction::CrosshairPreviousEpisode,
            Action::PageDown => ChartAction::CrosshairNextEpisode,
            Action::Top => ChartAction::CrosshairFirst,
            Action::Bottom | Action::Live => ChartAction::CrosshairLast,
            _ => return None,
        })
    }
}

/// The state of the chart's view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChartView {
    pub quantity: Quantity,
    pub scale: Scale,
    window: Window,
    /// A child number.
    crosshair: Option<u64>,
}

/// Which children are in view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Window {
    #[default]
    All,
    /// So many up to `last`; one that holds the newest child follows it.
    Part {
        count: u64,
        last: u64,
        follows: bool,
    },
}

/// A range of children, both ends included; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub first: u64,
    pub last: u64,
}

impl Span {
    /// Children in it.
    pub fn count(self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }

    pub fn contains(self, child: u64) -> bool {
        (self.first..=self.last).contains(&child)
    }

    /// The column of `child` among `width`; none outside the span.
    pub fn column(self, child: u64, width: usize) -> Option<usize> {
        (self.contains(child) && width > 0).then(|| {
            let middle = ((child - self.first) as f64 + 0.5) / self.count() as f64;
            ((middle * width as f64) as usize).min(width - 1)
        })
    }

    /// The part of `first..=last` that lies in it.
    pub fn clip(self, first: u64, last: u64) -> Option<Span> {
        let (first, last) = (first.max(self.first), last.min(self.last));
        (first <= last).then_some(Span { first, last })
    }
}

/// How far the children of a run reach. Children whose network a user edited are numbered apart and
/// not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The highest child that has ended; 0 for none.
    pub newest: u64,
    /// Children per episode, at least 1.
    pub per_episode: u64,
    /// Children that the run will have, as far as is known.
    total: u64,
}

impl Extent {
    pub fn of(state: &RunState) -> Extent {
        let sampled = state.children.iter().filter(|row| row.parent.is_none());
        Extent::new(state, sampled.map(|row| row.child).max().unwrap_or(0))
    }

    /// The extent of a run whose newest child is known.
    pub fn new(state: &RunState, newest: u64) -> Extent {
        let run = state.run.as_ref();
        let per_episode = run.map_or(16, |run| run.children_per_episode.max(1)) as u64;
        let total = run
            .map_or(u64::MAX, |run| {
                (run.episodes as u64).saturating_mul(per_episode)
            })
            .max(1);
        Extent {
            newest,
            per_episode,
            total,
        }
    }

    /// How far the epochs of a training reach: `done` of at most `planned`. Each stands for itself,
    /// as a child would.
    pub fn of_epochs(done: u64, planned: u64) -> Extent {
        Extent {
            newest: done,
            per_episode: 1,
            total: planned.max(1),
        }
    }

    /// Episode of a child, from 1.
    pub fn episode(&self, child: u64) -> u64 {
        child.saturating_sub(1) / self.per_episode + 1
    }

    /// The children of an episode.
    pub fn children(&self, episode: u64) -> Span {
        let before = episode.saturating_sub(1).saturating_mul(self.per_episode);
        let first = before.saturating_add(1);
        Span {
            first,
            last: before.saturating_add(self.per_episode).max(first),
        }
    }

    /// The last child of the newest episode: an edge that stays while the episode's children end.
    fn end(&self) -> u64 {
        self.children(self.episode(self.newest))
            .last
            .min(self.total)
            .max(self.newest)
            .max(1)
    }

    /// All children, with room for some that are to come: as many episodes as a round number tells.
    fn whole(&self) -> Span {
        let episodes = crate::tui::plot::round_step(self.episode(self.newest) as f64).ceil() as u64;
        let last = episodes
            .saturating_mul(self.per_episode)
            .min(self.total)
            .max(self.newest);
        Span {
            first: 1,
            last: last.max(1),
        }
    }
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
            // By a quarter at a time: a chart that moves with every child redraws all of itself.
            () if follows && newest > last => last.saturating_add(
                (newest - last)
                    .div_ceil(quarter(count))
                    .saturating_mul(quarter(count)),
            ),
            // The run is seen at an earlier moment.
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

    /// Do what a key asks for, in a plot of `columns` characters.
    pub fn act(&mut self, action: ChartAction, state: &RunState, columns: usize) {
        self.act_within(action, &Extent::of(state), columns);
    }

    /// Do what a key asks for, of what reaches as far as `extent`.
    pub fn act_within(&mut self, action: ChartAction, extent: &Extent, columns: usize) {
        match action {
            ChartAction::ToggleQuantity => {
                self.quantity = if self.quantity == Quantity::Reward {
                    Quantity::Accuracy
                } else {
                    Quantity::Reward
                };
            }
            ChartAction::ToggleScale => {
                self.scale = if self.scale == Scale::Linear {
                    Scale::Log
                } else {
                    Scale::Linear
                }
            }
            ChartAction::ZoomIn => self.zoom(extent, |count| count / 2),
            ChartAction::ZoomOut => self.zoom(extent, |count| count.saturating_mul(2)),
            ChartAction::ZoomReset => self.window = Window::All,
            ChartAction::PanLeft => self.pan(extent, false),
            ChartAction::PanRight => self.pan(extent, true),
            ChartAction::CrosshairOff => self.crosshair = None,
            _ => self.move_crosshair(action, extent, columns),
        }
    }

    /// Show `of(count)` children instead of `count`, with the crosshair (else the newest child,
    /// else the middle) where it is.
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

    /// Move by a quarter of what is in view.
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
                .min(extent.newest.max(1))
        });
    }

    /// The window of `count` children from `first` on, moved into the run; one that holds the
    /// newest child follows it.
    fn show(&mut self, extent: &Extent, first: u64, count: u64) {
        let end = extent.end();
        if count >= end {
            self.window = Window::All;
            return;
        }
        let first = first.clamp(1, (end - count + 1).min(extent.newest.max(1)));
        let last = first + (count - 1);
        self.window = Window::Part {
            count,
            last,
            follows: extent.newest <= last,
        };
    }

    fn move_crosshair(&mut self, action: ChartAction, extent: &Extent, columns: usize) {
        if extent.newest == 0 {
            self.crosshair = None;
            return;
        }
        let visible = self.visible(extent);
        // The first key shows the crosshair at the newest child in view; the next ones move it.
        let Some(child) = self.crosshair else {
            let child = if action == ChartAction::CrosshairFirst {
                1
            } else {
                visible.last
            };
            return self.put_crosshair(child, extent);
        };
        let child = child.min(extent.newest);
        let step = visible.count().div_ceil(columns.max(1) as u64);
        let start = extent.children(extent.episode(child)).first;
        let target = match action {
            ChartAction::CrosshairLeft => child.saturating_sub(step),
            ChartAction::CrosshairRight => child.saturating_add(step),
            ChartAction::CrosshairPreviousEpisode if child > start => start,
            ChartAction::CrosshairPreviousEpisode => start.saturating_sub(extent.per_episode),
            ChartAction::CrosshairNextEpisode => start.saturating_add(extent.per_episode),
            ChartAction::CrosshairFirst => 1,
            ChartAction::CrosshairLast => extent.newest,
            _ => child,
        };
        self.put_crosshair(target, extent);
    }

    /// Put the crosshair on a child that has ended or precedes one that has, and move the window to
    /// it.
    fn put_crosshair(&mut self, child: u64, extent: &Extent) {
        let child = child.clamp(1, extent.newest.max(1));
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
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{self, action};
    use super::*;

    fn acted(state: &RunState, actions: &[ChartAction]) -> (ChartView, Span) {
        let mut view = ChartView::default();
        actions
            .iter()
            .for_each(|action| view.act(*action, state, 40));
        let visible = view.visible(&Extent::of(state));
        (view, visible)
    }

    #[test]
    fn zooming_in_keeps_the_newest_child_in_view_and_follows_it() {
        use ChartAction::ZoomIn;
        let (view, visible) = acted(&samples::run(100), &[ZoomIn]);
        assert!(
            visible.contains(100) && visible.count() == 80,
            "{visible:?}"
        );
        let later = view.visible(&Extent::of(&samples::run(150)));
        assert!(later.contains(150) && later.count() == 80, "{later:?}");
    }

    #[test]
    fn zooming_keeps_the_crosshair_where_it_is() {
        use ChartAction::{CrosshairFirst, CrosshairNextEpisode, ZoomIn, ZoomOut};
        let (view, visible) = acted(
            &samples::run(100),
            &[
                CrosshairFirst,
                CrosshairNextEpisode,
                CrosshairNextEpisode,
                ZoomIn,
                ZoomIn,
            ],
        );
        assert_eq!(view.crosshair(), Some(33));
        assert_eq!(
            visible,
            Span {
                first: 25,
                last: 64
            }
        );
        assert_eq!(
            acted(&samples::run(100), &[ZoomIn, ZoomOut]).0,
            ChartView::default()
        );
    }

    #[test]
    fn a_window_that_leaves_the_newest_child_stays_and_follows_again_once_it_is_back() {
        use ChartAction::{PanLeft, PanRight, ZoomIn};
        let (view, before) = acted(&samples::run(100), &[ZoomIn, ZoomIn, PanLeft]);
        assert!(!before.contains(100), "{before:?}");
        assert_eq!(view.visible(&Extent::of(&samples::run(150))), before);
        let (view, _) = acted(
            &samples::run(100),
            &[ZoomIn, ZoomIn, PanLeft, PanRight, PanRight],
        );
        assert!(view.visible(&Extent::of(&samples::run(150))).contains(150));
    }

    #[test]
    fn the_crosshair_moves_by_a_column_and_pans_past_the_edge() {
        use ChartAction::{CrosshairFirst, CrosshairLast, CrosshairLeft, CrosshairRight, ZoomIn};
        let (view, _) = acted(&samples::run(100), &[CrosshairFirst, CrosshairRight]);
        assert_eq!(view.crosshair(), Some(1 + 160 / 40));
        let (view, visible) = acted(
            &samples::run(100),
            &[
                CrosshairLast,
                ZoomIn,
                ZoomIn,
                ZoomIn,
                CrosshairFirst,
                CrosshairLeft,
            ],
        );
        assert_eq!((view.crosshair(), visible.first), (Some(1), 1));
        let (view, visible) = acted(
            &samples::run(100),
            &[
                CrosshairFirst,
                ZoomIn,
                ZoomIn,
                ZoomIn,
                ZoomIn,
                CrosshairLast,
            ],
        );
        assert!(
            view.crosshair() == Some(100) && visible.contains(100),
            "{visible:?}"
        );
    }

    #[test]
    fn the_crosshair_jumps_to_the_first_child_of_an_episode() {
        use ChartAction::{
            CrosshairFirst, CrosshairLast, CrosshairNextEpisode, CrosshairPreviousEpisode,
        };
        let child = |actions: &[ChartAction]| acted(&samples::run(40), actions).0.crosshair();
        assert_eq!(child(&[CrosshairFirst, CrosshairNextEpisode]), Some(17));
        assert_eq!(child(&[CrosshairLast, CrosshairPreviousEpisode]), Some(33));
        assert_eq!(
            child(&[
                CrosshairLast,
                CrosshairPreviousEpisode,
                CrosshairPreviousEpisode
            ]),
            Some(17)
        );
        assert_eq!(child(&[CrosshairLast, CrosshairNextEpisode]), Some(40));
    }

    #[test]
    fn an_empty_run_has_no_crosshair() {
        assert_eq!(
            acted(&RunState::default(), &[ChartAction::CrosshairLast])
                .0
                .crosshair(),
            None
        );
    }

    proptest! {
        #[test]
        fn no_keys_leave_the_run(
            children in prop::collection::vec(prop_oneof![0u64..200, Just(100_000), Just(u64::MAX)], 0..6),
            moves in prop::collection::vec((action(), 0usize..100, 0u64..400), 0..40),
        ) {
            let mut view = ChartView::default();
            let mut state = samples::run(0);
            children.iter().for_each(|child| state.children.push(samples::row(*child, Some(0.5))));
            for (action, columns, child) in moves {
                if child < 200 {
                    state.children.push(samples::row(child, Some(0.5)));
                }
                let before = view.visible(&Extent::of(&state));
                view.act(action, &state, columns);
                let extent = Extent::of(&state);
                let visible = view.visible(&extent);
                prop_assert!(visible.first >= 1 && visible.first <= visible.last && visible.last <= extent.whole().last.max(extent.end()));
                if view.is_zoomed() {
                    prop_assert!(visible.last <= extent.end(), "{visible:?} {extent:?}");
                    let follows = matches!(view.window, Window::Part { follows: true, .. });
                    prop_assert!(!follows || visible.contains(extent.newest.max(1)), "{visible:?} {extent:?}");
                }
                if let Some(child) = view.crosshair() {
                    prop_assert!(child >= 1 && child <= extent.newest.max(1));
                    if !matches!(action, ChartAction::CrosshairOff | ChartAction::ToggleScale | ChartAction::ToggleQuantity) && before.contains(child) {
                        prop_assert!(visible.contains(child), "{child} left {visible:?} by {action:?}");
                    }
                }
            }
        }
    }
}
