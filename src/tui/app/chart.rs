//! Keys in the chart.

use super::App;
use crate::tui::keymap::Action;
use crate::tui::panels::chart::{self, ChartAction};
use crate::tui::view::Panel;

impl App {
    /// What an action means in the chart; false where it means nothing there.
    pub(super) fn perform_in_chart(&mut self, action: Action) -> bool {
        let action = chart_action(action);
        action
            .into_iter()
            .for_each(|action| self.change_chart(action));
        action.is_some()
    }

    /// Take the crosshair away, if there is one to be seen and moved.
    pub(super) fn leave_crosshair(&mut self) -> bool {
        let has_crosshair =
            self.view.focus == Panel::Chart && self.view.chart.crosshair().is_some();
        if has_crosshair {
            self.change_chart(ChartAction::CrosshairOff);
        }
        has_crosshair || self.leave_crosshair_of_curves()
    }

    /// Change what the chart shows. The other panels show the child under the crosshair.
    pub(super) fn change_chart(&mut self, action: ChartAction) {
        let area = self.areas().and_then(|areas| areas.of(Panel::Chart));
        let columns = area.map_or(1, |area| chart::columns(area.width.into()));
        let before = self.view.chart.crosshair();
        let mut view = self.view.chart.clone();
        view.act(action, self.state(), columns);
        self.view.chart = view;
        if self.view.chart.crosshair() != before {
            self.view.chosen = self.view.chart.crosshair();
            self.view.dna_top = 0;
        }
    }
}

/// What an action means for any chart.
pub(super) fn chart_action(action: Action) -> Option<ChartAction> {
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
