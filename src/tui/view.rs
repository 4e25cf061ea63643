//! The state of the interface, as opposed to that of the run: focus, scrolling, overlays, and
//! measurements.

use std::collections::BTreeMap;

use ratatui::layout::{Rect, Size};

use super::machine_view::MachineView;
use super::panels::footer::Remark;
use super::panels::inspector::InspectorView;
use super::panels::question::{Answer, Question};
use super::panels::runs::RunsView;
use super::panels::{PanelId, Panels};
use super::text_line::{Purpose, TextLine};
use crate::config::LayoutName;
use crate::event::RunKind;
use crate::link::LinkStatus;
use crate::state::RunState;
use crate::telemetry::{GpuStatus, HostStatus};

/// Everything that keys and measurements change.
#[derive(Debug)]
pub struct View {
    /// Size of the terminal, in cells.
    pub size: Size,
    /// The time of the frame, for clocks and estimates.
    pub now: jiff::Timestamp,
    /// The arrangement chosen by the user.
    pub layout: LayoutName,
    /// The panel that keys go to.
    pub focus: PanelId,
    /// Whether only the focused panel is shown.
    pub maximised: bool,
    /// First row of the help, if it is open.
    pub help: Option<usize>,
    /// The inspector, if it is open.
    pub inspector: Option<InspectorView>,
    /// The list of runs, if it is open.
    pub runs: Option<RunsView>,
    /// A question that is waiting for its answer.
    pub question: Option<Question>,
    /// The selected answer.
    pub answer: Answer,
    /// A line of text being typed.
    pub text: Option<TextLine>,
    /// Texts typed before, in the order of typing.
    pub typed: BTreeMap<Purpose, Vec<String>>,
    /// The selected entry of the palette.
    pub entry: usize,
    /// A message in the footer until the next key.
    pub message: Option<Remark>,
    /// The plot in which the mouse button was pressed and is still held down.
    pub plot_held: Option<Rect>,
    /// The panels with their state.
    pub panels: Panels,
    /// The worker whose child is shown; the first one with a child if it has none.
    pub worker: usize,
    /// A child to show instead.
    pub chosen: Option<u64>,
    /// The moment shown: after this many finished episodes, or epochs of a training. `None` is the
    /// present.
    pub moment: Option<usize>,
    /// The latest measurements and their histories.
    pub machine: MachineView,
}

impl View {
    /// Nothing open, the main panel of `layout` in focus, at the present.
    pub fn new(size: Size, layout: LayoutName, now: jiff::Timestamp) -> View {
        View {
            size,
            now,
            layout,
            focus: super::layout::main_panel(layout, RunKind::default()),
            maximised: false,
            help: None,
            inspector: None,
            runs: None,
            question: None,
            answer: Answer::Cancel,
            text: None,
            typed: BTreeMap::new(),
            entry: 0,
            message: None,
            plot_held: None,
            panels: Panels::new(),
            worker: 0,
            chosen: None,
            moment: None,
            machine: MachineView::new(now),
        }
    }

    /// As soon as the journal of a run at work on this machine has been read: look up how busy the machine was
    /// before this screen was opened.
    pub fn recall(&mut self, run: &RunState, link: &LinkStatus) {
        if matches!(link, LinkStatus::Live { .. }) {
            self.machine.recall(&run.load, self.now);
        }
    }

    /// Process NVML's report at `time`.
    pub fn take_gpu(&mut self, status: GpuStatus, time: jiff::Timestamp) {
        self.machine.take_gpu(status, time);
    }

    /// Process a measurement of the host.
    pub fn take_host(&mut self, status: HostStatus) {
        self.machine.take_host(status);
    }
}
