//! What the user looks at, apart from what is known of the run: focus, scrolling, overlays, and
//! measurements.

use ratatui::layout::Size;

use super::machine_view::MachineView;
use super::panels::chart::ChartView;
use super::panels::inspector::InspectorView;
use super::panels::list::ListView;
use super::panels::training_run::TrainingView;
use super::text_line::TextLine;
use crate::config::LayoutName;
use crate::event::Level;
use crate::event::RunKind;
use crate::state::LogLine;
use crate::telemetry::{GpuStatus, HostStatus};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Panel {
    #[default]
    Chart,
    Controller,
    /// Of a search: the children in training.
    Training,
    Dna,
    Children,
    Curves,
    /// Of a training: how far it is.
    Progress,
    Network,
    Layers,
    Test,
    Machine,
    Log,
}

impl Panel {
    pub const ALL: [Panel; 12] = [
        Panel::Chart,
        Panel::Controller,
        Panel::Training,
        Panel::Dna,
        Panel::Children,
        Panel::Curves,
        Panel::Progress,
        Panel::Network,
        Panel::Layers,
        Panel::Test,
        Panel::Machine,
        Panel::Log,
    ];

    /// The panels of a run, in the order of Tab.
    pub fn of(kind: RunKind) -> &'static [Panel] {
        match kind {
            RunKind::Search => &[
                Panel::Chart,
                Panel::Controller,
                Panel::Training,
                Panel::Dna,
                Panel::Children,
                Panel::Machine,
                Panel::Log,
            ],
            RunKind::Training => &[
                Panel::Curves,
                Panel::Progress,
                Panel::Network,
                Panel::Layers,
                Panel::Test,
                Panel::Machine,
                Panel::Log,
            ],
        }
    }

    pub fn next(self, kind: RunKind) -> Panel {
        self.after(kind, 1)
    }

    pub fn previous(self, kind: RunKind) -> Panel {
        self.after(kind, Panel::of(kind).len() - 1)
    }

    fn after(self, kind: RunKind, steps: usize) -> Panel {
        let panels = Panel::of(kind);
        let index = panels.iter().position(|panel| *panel == self).unwrap_or(0);
        panels[(index + steps) % panels.len()]
    }

    /// As tabs and titles name it.
    pub fn name(self) -> &'static str {
        match self {
            Panel::Chart => "Chart",
            Panel::Controller => "Controller",
            Panel::Training | Panel::Progress => "Training",
            Panel::Dna => "DNA",
            Panel::Children => "Children",
            Panel::Curves => "Curves",
            Panel::Network => "Network",
            Panel::Layers => "Layers",
            Panel::Test => "Test",
            Panel::Machine => "Machine",
            Panel::Log => "Log",
        }
    }
}

/// A question that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Leave the screen: and the search?
    Leave,
    /// End this child's training?
    Skip(u64),
    /// Nobody works on the run, which is not over: resume it?
    Resume,
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
    /// Lines without this text are left out.
    pub filter: String,
    /// This text is marked.
    pub query: String,
}

impl LogView {
    /// Whether a line is among those that are shown.
    pub fn shows(&self, line: &LogLine) -> bool {
        line.level >= self.least && (self.filter.is_empty() || line.contains(&self.filter))
    }
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
    pub inspector: Option<InspectorView>,
    pub question: Option<Question>,
    pub answer: Answer,
    pub text: Option<TextLine>,
    pub message: Option<Message>,
    pub chart: ChartView,
    /// The worker whose child is shown; the first one with a child if it has none.
    pub worker: usize,
    /// A child to show instead.
    pub chosen: Option<u64>,
    /// The moment that is shown: after so many finished episodes, or epochs of a training. None is
    /// the present.
    pub moment: Option<usize>,
    pub dna_columns: DnaColumns,
    /// First line shown.
    pub dna_top: usize,
    pub controller_top: usize,
    pub machine_top: usize,
    pub list: ListView,
    /// Of a run that trains one network.
    pub training: TrainingView,
    pub log: LogView,
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
            chart: ChartView::default(),
            worker: 0,
            chosen: None,
            moment: None,
            dna_columns: DnaColumns::default(),
            dna_top: 0,
            controller_top: 0,
            machine_top: 0,
            list: ListView::default(),
            training: TrainingView::default(),
            log: LogView {
                end: None,
                least: Level::Info,
                filter: String::new(),
                query: String::new(),
            },
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
