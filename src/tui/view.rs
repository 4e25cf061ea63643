//! What the user looks at, apart from what is known of the run: focus, scrolling, overlays, and
//! measurements.

use ratatui::layout::Size;

use super::machine_view::MachineView;
use super::panels::footer::Message;
use super::panels::inspector::InspectorView;
use super::panels::question::{Answer, Question};
use super::panels::{PanelId, Panels};
use super::text_line::TextLine;
use crate::config::LayoutName;
use crate::event::RunKind;
use crate::telemetry::{GpuStatus, HostStatus};

/// Everything that keys and measurements change.
#[derive(Debug, Clone)]
pub struct View {
    pub size: Size,
    pub now: jiff::Timestamp,
    pub layout: LayoutName,
    pub focus: PanelId,
    pub maximised: bool,
    /// First row of the help, where it is open.
    pub help: Option<usize>,
    pub inspector: Option<InspectorView>,
    pub question: Option<Question>,
    pub answer: Answer,
    pub text: Option<TextLine>,
    pub message: Option<Message>,
    pub panels: Panels,
    /// The worker whose child is shown; the first one with a child if it has none.
    pub worker: usize,
    /// A child to show instead.
    pub chosen: Option<u64>,
    /// The moment that is shown: after so many finished episodes, or epochs of a training. None is
    /// the present.
    pub moment: Option<usize>,
    pub machine: MachineView,
}

impl View {
    pub fn new(size: Size, layout: LayoutName, now: jiff::Timestamp) -> View {
        View {
            size,
            now,
            layout,
            focus: super::layout::main_panel(layout, RunKind::default()),
            maximised: false,
            help: None,
            inspector: None,
            question: None,
            answer: Answer::Cancel,
            text: None,
            message: None,
            panels: Panels::default(),
            worker: 0,
            chosen: None,
            moment: None,
            machine: MachineView::new(now),
        }
    }

    pub fn take_gpu(&mut self, status: GpuStatus, time: jiff::Timestamp) {
        self.machine.take_gpu(status, time);
    }

    pub fn take_host(&mut self, status: HostStatus) {
        self.machine.take_host(status);
    }
}
