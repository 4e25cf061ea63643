//! What a panel may see: the run at the moment shown, its status, and the appearance of the screen.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use super::PanelId;
use super::training_run::curves;
use crate::event::RunKind;
use crate::link::LinkStatus;
use crate::state::{ChildDetail, ChildRow, RunState, RunStatus};
use crate::tui::details::{Details, detail_in, newest_child, row_in};
use crate::tui::keymap::{Action, Keymap};
use crate::tui::layout::{Areas, Arrangement};
use crate::tui::machine_view::MachineView;
use crate::tui::other_runs::Neighbours;
use crate::tui::theme::{Glyphs, Theme};

/// Everything that panels are drawn from, besides what each keeps itself.
pub struct Scene<'a> {
    /// The run at the moment shown.
    pub state: &'a RunState,
    /// The run as it is now.
    pub live: &'a RunState,
    /// The kind of the run, even before its first event.
    pub kind: RunKind,
    /// Name of its folder, if it is shown from one.
    pub folder_name: Option<&'a str>,
    /// The process working on the run, and whether commands reach it.
    pub link: &'a LinkStatus,
    /// The moment shown: after this many finished episodes, or epochs of a training. `None` is the
    /// present.
    pub moment: Option<usize>,
    /// The command that continues the run if no process is working on it.
    pub resume_command: &'a str,
    /// The worker whose child is shown, unless a child is selected.
    pub worker: usize,
    /// A child to show instead.
    pub chosen: Option<u64>,
    /// The children that were read from the journal.
    pub details: &'a Details,
    /// Measurements of this machine.
    pub machine: &'a MachineView,
    /// The time of the frame.
    pub now: Timestamp,
    /// The zone in which times of day are shown.
    pub time_zone: &'a TimeZone,
    /// Colours and characters of this terminal.
    pub theme: &'a Theme,
    /// Keys of this session.
    pub keymap: &'a Keymap,
    /// What determines the areas of the panels.
    pub arrangement: Arrangement,
    /// What is known of other runs.
    pub neighbours: &'a Neighbours,
}

impl<'a> Scene<'a> {
    /// The characters that this terminal can show.
    pub fn glyphs(&self) -> &'a Glyphs {
        &self.theme.glyphs
    }

    /// Name of the run: that of its folder, as in the list of runs, even if the folder had another name
    /// when the run began.
    pub fn run_name(&self) -> &'a str {
        let name = self.folder_name.or_else(|| self.live.name());
        name.unwrap_or("nas-tui")
    }

    /// Whether a panel is visible.
    pub fn shows(&self, panel: PanelId) -> bool {
        self.areas().is_some_and(|areas| areas.of(panel).is_some())
    }

    /// The parts of the screen; `None` if it is too small.
    pub fn areas(&self) -> Option<Areas> {
        self.arrangement
            .areas(&|panel, width| self.need(panel, width))
    }

    /// The rows that a panel of this width needs for all of its content, including its title; `None` if
    /// it uses any number.
    pub fn need(&self, panel: PanelId, width: u16) -> Option<u16> {
        let inside = super::inside(Rect::new(0, 0, width, 1));
        let rows = (panel.about().need)(self, inside.width.into())?;
        let rows = u16::try_from(rows).unwrap_or(u16::MAX);
        Some(rows.saturating_add(1))
    }

    /// Whether the moment shown is not the present.
    pub fn in_the_past(&self) -> bool {
        self.moment.is_some()
    }

    /// What a moment is the end of: `episode` or `epoch`.
    pub fn step_name(&self) -> &'static str {
        if self.kind == RunKind::Training {
            "epoch"
        } else {
            "episode"
        }
    }

    /// The current status of the run, according to its events and the link.
    pub fn status(&self) -> RunStatus {
        self.link.run_status(self.live.status_now())
    }

    /// Whether the run has ended at present.
    pub fn is_over(&self) -> bool {
        self.status().is_over()
    }

    /// Whether the workers of the run are at work, as far as is known: it is neither over nor abandoned.
    pub fn is_at_work(&self) -> bool {
        !self.is_over() && self.why_abandoned().is_none()
    }

    /// The workers whose child can be shown, in order.
    pub fn workers(&self) -> BTreeSet<usize> {
        let search = self.state.search();
        match self.is_at_work() {
            true => search.workers(),
            false => search.by_worker.keys().copied().collect(),
        }
    }

    /// The child shown in the panels: the selected one; otherwise the one in training on the
    /// selected worker, or the last one until its next one begins; otherwise one in training on another; once
    /// the run is over the best one; otherwise the last one that ended.
    pub fn shown_child(&self) -> Option<u64> {
        let search = self.state.search();
        let is_known = self.workers().contains(&self.worker);
        let of_worker = search.of_worker(self.worker).filter(|_| is_known);
        let training = of_worker.or_else(|| search.by_worker.values().next());
        self.chosen
            .filter(|child| *child <= newest_child(self.state))
            .or_else(|| training.map(|training| training.child))
            .or_else(|| search.best_child().filter(|_| self.is_over()))
            .or_else(|| search.children.last().map(|row| row.child))
            .or_else(|| search.waiting.keys().next().copied())
    }

    /// Everything known about a child at the moment shown; `None` if the journal must be read
    /// first, and for a child of a later moment.
    pub fn detail(&self, child: u64) -> Option<ChildDetail> {
        match detail_in(self.state, child) {
            Some(detail) => self.details.with_choices(detail),
            None => self.row(child).and(self.details.of(child)).cloned(),
        }
    }

    /// The row of a child that has ended by the moment shown.
    pub fn row(&self, child: u64) -> Option<&'a ChildRow> {
        row_in(self.state, child)
    }

    /// Why no commands can be sent to the run from here; `None` if they can.
    pub fn read_only_reason(&self) -> Option<String> {
        Some(match self.link {
            LinkStatus::Reading { .. } => "the journal is still being read".to_owned(),
            LinkStatus::Live { watch_only: false } if !self.is_over() => return None,
            LinkStatus::Live { watch_only: true } => "this screen only watches".to_owned(),
            LinkStatus::Live { .. } => "the run is over".to_owned(),
            LinkStatus::Ended => self.how_it_ended(),
            LinkStatus::Journal { .. } => format!(
                "the {} cannot be reached from this machine: this screen only watches",
                self.kind.noun()
            ),
            LinkStatus::Dead { .. } => format!("continue it with: {}", self.resume_command),
            LinkStatus::Lost { what } => format!("{what}: it cannot be continued as it is"),
            LinkStatus::Damaged { place } => {
                format!("the journal is damaged ({place}): see the log")
            }
            LinkStatus::Replay { .. } => "this is a replay".to_owned(),
        })
    }

    /// That the run has ended; if it can be continued, how.
    fn how_it_ended(&self) -> String {
        let resume = self.resume_command;
        match self.status() {
            RunStatus::Stopped => format!("the run is stopped; continue it with: {resume}"),
            RunStatus::Failed => {
                format!("the run has failed (the log says why); continue it with: {resume}")
            }
            _ => "the run is over".to_owned(),
        }
    }

    /// Why an action that steers the run or leaves it, or changes a chart, would do nothing now; `None` if it
    /// would work, or does none of that.
    pub fn why_not(&self, action: Action) -> Option<String> {
        match action {
            Action::Note => return self.why_no_note(),
            Action::OpenRun => return self.neighbours.switching.obstacle().map(str::to_owned),
            Action::ToggleQuantity => return self.why_no_other_quantity(),
            _ => {}
        }
        let replayed =
            matches!(self.link, LinkStatus::Replay { .. }) && action == Action::TogglePause;
        let steers = matches!(
            action,
            Action::TogglePause | Action::Skip | Action::StopAfterEpisode | Action::Queue
        );
        self.read_only_reason().filter(|_| steers && !replayed)
    }

    /// The panel whose chart shows one of two quantities.
    pub fn chart_panel(&self) -> PanelId {
        match self.kind {
            RunKind::Search => PanelId("chart"),
            RunKind::Training => PanelId("curves"),
        }
    }

    /// Why no chart can show another quantity; `None` if one can.
    fn why_no_other_quantity(&self) -> Option<String> {
        let areas = self.areas();
        match areas.and_then(|areas| areas.of(self.chart_panel())) {
            None => {
                let key = self.keymap.key_of(Action::LayoutOverview);
                Some(format!("no chart is shown here: {key} shows one"))
            }
            Some(area) if self.kind == RunKind::Training && curves::are_both_shown(area) => {
                Some("loss and accuracy are both shown".to_owned())
            }
            Some(_) => None,
        }
    }

    /// What must be done before a key of the inspector means something.
    pub fn inspector_first(&self) -> String {
        let key = self.keymap.key_of(Action::Inspect);
        format!("open a child in the inspector first: {key}")
    }

    /// Why no note can be written; `None` if one can. Without a process at work, the client writes it.
    fn why_no_note(&self) -> Option<String> {
        match self.link {
            LinkStatus::Ended | LinkStatus::Dead { watch_only: false } => None,
            LinkStatus::Dead { watch_only: true } => Some("this screen only watches".to_owned()),
            LinkStatus::Live { watch_only: false }
                if self.is_over() || self.status() == RunStatus::Stopping =>
            {
                Some("the run is just ending: try again in a moment".to_owned())
            }
            _ => self.read_only_reason(),
        }
    }

    /// Why the children that were last in training are no longer being trained; `None` while they
    /// are.
    pub fn why_abandoned(&self) -> Option<String> {
        match self.link {
            LinkStatus::Dead { .. } => Some(format!(
                "its process is gone: training has stopped; {} continues it",
                self.resume_command
            )),
            LinkStatus::Lost { what } => Some(format!(
                "its process is gone, and {what}: training has stopped"
            )),
            LinkStatus::Damaged { place } => Some(format!(
                "the journal is damaged ({place}): what has become of them cannot be read"
            )),
            LinkStatus::Replay { ended: true, .. } => Some("the recording ends here".to_owned()),
            _ => None,
        }
    }
}
