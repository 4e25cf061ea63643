//! What the user looks at, apart from what is known of the run: focus, scrolling, overlays, and measurements.

use std::collections::VecDeque;

use ratatui::layout::Size;

use super::panels::list::ListView;
use super::text_line::TextLine;
use crate::config::LayoutName;
use crate::event::Level;
use crate::telemetry::{GpuStatus, HostStatus};

/// Points kept of a history: more than the widest panel shows.
const HISTORY: usize = 240;
/// Measurements that make one point of a history: a column that moves seldom costs few bytes.
pub const MEASUREMENTS_PER_POINT: usize = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Panel {
    #[default]
    Chart,
    Controller,
    Training,
    Dna,
    Children,
    Machine,
    Log,
}

impl Panel {
    pub const ALL: [Panel; 7] =
        [Panel::Chart, Panel::Controller, Panel::Training, Panel::Dna, Panel::Children, Panel::Machine, Panel::Log];

    pub fn next(self) -> Panel {
        Panel::ALL[(self.index() + 1) % Panel::ALL.len()]
    }

    pub fn previous(self) -> Panel {
        Panel::ALL[(self.index() + Panel::ALL.len() - 1) % Panel::ALL.len()]
    }

    fn index(self) -> usize {
        Panel::ALL.iter().position(|panel| *panel == self).unwrap_or(0)
    }

    /// As tabs and titles name it.
    pub fn name(self) -> &'static str {
        match self {
            Panel::Chart => "Chart",
            Panel::Controller => "Controller",
            Panel::Training => "Training",
            Panel::Dna => "DNA",
            Panel::Children => "Children",
            Panel::Machine => "Machine",
            Panel::Log => "Log",
        }
    }
}

/// What the chart's vertical axis means. The two are different things: reward = accuracy^power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quantity {
    #[default]
    Reward,
    Accuracy,
}

/// A question that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Leave the screen: and the search?
    Leave,
    /// End this child's training?
    Skip(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Yes,
    Detach,
    Stop,
    Cancel,
}

/// What is told in the last row until the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub level: Level,
    pub text: String,
}

/// Which columns the DNA table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DnaColumns {
    #[default]
    Shapes,
    Choices,
}

/// What of the log is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogView {
    /// Number (from the start of the run) of the last line shown; none follows the newest.
    pub end: Option<u64>,
    /// Lines of a lower level are left out.
    pub least: Level,
    /// Lines with this text are marked.
    pub query: String,
}

/// Everything that keys and measurements change.
#[derive(Debug, Clone)]
pub struct View {
    pub size: Size,
    pub now: jiff::Timestamp,
    pub layout: LayoutName,
    pub focus: Panel,
    pub maximised: bool,
    /// First row of the help, where it is open.
    pub help: Option<usize>,
    /// The child in the inspector, where it is open.
    pub inspector: Option<u64>,
    pub question: Option<Question>,
    pub answer: Answer,
    pub text: Option<TextLine>,
    pub message: Option<Message>,
    pub quantity: Quantity,
    /// The worker whose child is shown; the first one with a child if it has none.
    pub worker: usize,
    /// A child to show instead.
    pub chosen: Option<u64>,
    /// The moment that is shown: after so many finished episodes. None is the present.
    pub moment: Option<usize>,
    pub dna_columns: DnaColumns,
    /// First line shown.
    pub dna_top: usize,
    pub controller_top: usize,
    pub machine_top: usize,
    pub list: ListView,
    pub log: LogView,
    pub gpu: GpuStatus,
    /// When NVML answered last.
    pub gpu_time: jiff::Timestamp,
    pub host: HostStatus,
    /// Mean utilisation of the GPUs, and busy share of the processors.
    pub gpu_history: History,
    pub host_history: History,
}

/// Means of a few measurements each, newest last.
#[derive(Debug, Clone, Default)]
pub struct History {
    pub points: VecDeque<f64>,
    pending: Vec<f64>,
}

impl History {
    fn push(&mut self, value: f64) {
        self.pending.push(value);
        if self.pending.len() < MEASUREMENTS_PER_POINT {
            return;
        }
        let mean = self.pending.iter().sum::<f64>() / self.pending.len() as f64;
        self.pending.clear();
        if self.points.len() == HISTORY {
            self.points.pop_front();
        }
        self.points.push_back(mean);
    }
}

impl View {
    pub fn new(size: Size, layout: LayoutName, now: jiff::Timestamp) -> View {
        View {
            size,
            now,
            layout,
            focus: super::layout::main_panel(layout),
            maximised: false,
            help: None,
            inspector: None,
            question: None,
            answer: Answer::Cancel,
            text: None,
            message: None,
            quantity: Quantity::default(),
            worker: 0,
            chosen: None,
            moment: None,
            dna_columns: DnaColumns::default(),
            dna_top: 0,
            controller_top: 0,
            machine_top: 0,
            list: ListView::default(),
            log: LogView { end: None, least: Level::Info, query: String::new() },
            gpu: GpuStatus::Starting,
            gpu_time: now,
            host: HostStatus::Starting,
            gpu_history: History::default(),
            host_history: History::default(),
        }
    }

    pub fn take_gpu(&mut self, status: GpuStatus, time: jiff::Timestamp) {
        self.gpu_time = time;
        if let GpuStatus::Present(gpus) = &status {
            let known: Vec<f64> = gpus.iter().filter_map(|gpu| gpu.utilization).collect();
            if !known.is_empty() {
                self.gpu_history.push(known.iter().sum::<f64>() / known.len() as f64);
            }
        }
        self.gpu = status;
    }

    pub fn take_host(&mut self, status: HostStatus) {
        if let HostStatus::Present(host) = &status {
            self.host_history.push(host.busy());
        }
        self.host = status;
    }
}
