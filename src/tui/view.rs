//! What the user looks at, apart from what is known of the run: focus, scrolling, overlays, and measurements.

use ratatui::layout::Size;

use super::machine_view::MachineView;
use crate::state::Training;
use crate::telemetry::{GpuStatus, HostStatus};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Panel {
    #[default]
    Chart,
    Dna,
    Gpu,
    Log,
}

impl Panel {
    pub const ALL: [Panel; 4] = [Panel::Chart, Panel::Dna, Panel::Gpu, Panel::Log];

    pub fn next(self) -> Panel {
        Panel::ALL[(self.index() + 1) % Panel::ALL.len()]
    }

    pub fn previous(self) -> Panel {
        Panel::ALL[(self.index() + Panel::ALL.len() - 1) % Panel::ALL.len()]
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// What the chart's vertical axis means. The two are different things: reward = accuracy^power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quantity {
    #[default]
    Reward,
    Accuracy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlay {
    Help,
    Best,
}

/// A question that `q` asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Stop after a checkpoint?
    Stop,
    /// The stop is under way: leave without waiting for it?
    Leave,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Stop,
    Cancel,
}

/// Everything that keys and measurements change.
#[derive(Debug, Clone)]
pub struct View {
    pub size: Size,
    pub now: jiff::Timestamp,
    pub focus: Panel,
    pub maximised: bool,
    pub overlay: Option<Overlay>,
    pub question: Option<Question>,
    pub answer: Answer,
    pub quantity: Quantity,
    /// The worker whose child is shown; the first one with a child if it has none.
    pub worker: usize,
    /// The child shown while none is in training.
    pub last_training: Option<(usize, Training)>,
    /// First line shown.
    pub dna_top: usize,
    pub gpu_top: usize,
    pub overlay_top: usize,
    /// Number (from the start of the run) of the last log line shown; none follows the newest.
    pub log_end: Option<u64>,
    pub machine: MachineView,
}

impl View {
    pub fn new(size: Size, now: jiff::Timestamp) -> View {
        View {
            size,
            now,
            focus: Panel::default(),
            maximised: false,
            overlay: None,
            question: None,
            answer: Answer::Cancel,
            quantity: Quantity::default(),
            worker: 0,
            last_training: None,
            dna_top: 0,
            gpu_top: 0,
            overlay_top: 0,
            log_end: None,
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
