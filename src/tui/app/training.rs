//! A run that trains one network: its panels' keys, and what of the screen it has not.

use super::chart::chart_action;
use super::{App, Effect, Scroll};
use crate::event::RunKind;
use crate::event::{Event, Level, Record};
use crate::tui::keymap::{Action, Key};
use crate::tui::layout::Stage;
use crate::tui::panels::chart::ChartAction;
use crate::tui::panels::training_run::{curves, network};
use crate::tui::view::Panel;

impl App {
    /// What the run does; before its first event, what its folder tells.
    pub fn kind(&self) -> RunKind {
        if self.live.has_begun() {
            self.live.kind()
        } else {
            self.expected
        }
    }

    /// Show the panels of this kind of run until the run itself tells of one.
    pub fn expect(&mut self, kind: RunKind) {
        self.expected = kind;
        self.show_layout(self.view.layout);
    }

    /// What the panels are arranged for.
    pub fn stage(&self) -> Stage {
        match self.live.training_run() {
            None if self.kind() == RunKind::Training => Stage::Training,
            None => Stage::Search,
            Some(run) if run.test.is_some() => Stage::Tested,
            Some(_) => Stage::Training,
        }
    }

    /// Show the panels of the kind of run that a record tells of; and the test, once there is one,
    /// where the overview has no room any more for the panel in focus.
    pub(super) fn fit_to(&mut self, record: &Record) {
        match &record.event {
            Event::TrainingStarted(_) => self.show_layout(self.view.layout),
            Event::TestFinished(_) if self.view.focus == Panel::Progress => {
                self.view.focus = Panel::Test
            }
            _ => {}
        }
    }

    /// Say that a key means nothing in this kind of run.
    pub(super) fn refuse(&mut self, action: Action, key: Key) -> Effect {
        let (own, other) = match self.kind() {
            RunKind::Search => (RunKind::Search, RunKind::Training),
            RunKind::Training => (RunKind::Training, RunKind::Search),
        };
        let does = self.keymap.help_of(action, other).unwrap_or_default();
        self.tell(
            Level::Info,
            format!(
                "this is a {}; in a {} {} means: {does}",
                own.noun(),
                other.noun(),
                key.name()
            ),
        );
        Effect::Draw
    }

    /// What an action means in the curves; false where it means nothing there.
    pub(super) fn perform_in_curves(&mut self, action: Action) -> bool {
        let action = chart_action(action);
        action
            .into_iter()
            .for_each(|action| self.change_curves(action));
        action.is_some()
    }

    fn change_curves(&mut self, action: ChartAction) {
        let Some(training) = self.state().training_run() else {
            return;
        };
        let area = self.areas().and_then(|areas| areas.of(Panel::Curves));
        let columns = area.map_or(1, |area| curves::columns(area.width.into()));
        let extent = curves::extent(training);
        self.view
            .training
            .curves
            .act_within(action, &extent, columns);
    }

    /// Take the crosshair of the curves away, if there is one to be seen and moved.
    pub(super) fn leave_crosshair_of_curves(&mut self) -> bool {
        let has_crosshair =
            self.view.focus == Panel::Curves && self.view.training.curves.crosshair().is_some();
        if has_crosshair {
            self.change_curves(ChartAction::CrosshairOff);
        }
        has_crosshair
    }

    /// Choose another row of the network's graph.
    pub(super) fn perform_in_network(&mut self, action: Action) -> bool {
        let Some(scroll) = Scroll::of(action) else {
            return false;
        };
        let Some(training) = self.state().training_run() else {
            return false;
        };
        let last = network::last_row(&training.started.architecture);
        let row = self.view.training.network_row.min(last);
        let page = self
            .areas()
            .and_then(|areas| areas.of(Panel::Network))
            .map_or(1, |area| isize::from(area.height.max(5) as i16 - 4));
        let row = match scroll {
            Scroll::By(rows) => row.saturating_add_signed(rows),
            Scroll::Pages(pages) => row.saturating_add_signed(pages * page),
            Scroll::Top => 0,
            Scroll::Bottom => last,
        };
        self.view.training.network_row = row.min(last);
        true
    }
}
