//! Events that call for the user's attention.

use super::App;
use crate::event::{Event, Record};
use crate::link::LinkStatus;
use crate::tui::format;

/// A text that calls for the user's attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert(pub String);

impl Alert {
    /// As the alert of a run of this name, which is not the one shown.
    pub fn of(self, run: &str) -> Alert {
        Alert(format!("{run}: {}", self.0))
    }
}

impl App {
    /// The log line for a change at the other end; `None` if the screen shows it anyway.
    pub fn words_of(&self, link: &LinkStatus) -> Option<String> {
        let noun = self.kind().noun();
        match link {
            LinkStatus::Dead { .. } => Some(format!(
                "no process is working on this run; continue it with: {}",
                self.resume_command
            )),
            LinkStatus::Lost { what } => Some(format!(
                "no process is working on this run, and {what}: it cannot be continued as it is"
            )),
            LinkStatus::Journal { holder } => Some(format!(
                "the {noun} cannot be reached ({holder}): reading its journal, without commands"
            )),
            LinkStatus::Live { .. } => Some(format!("connected to the {noun}")),
            // Where the journal is damaged, its reader has told.
            LinkStatus::Damaged { .. } => None,
            LinkStatus::Reading { .. } | LinkStatus::Ended | LinkStatus::Replay { .. } => None,
        }
    }

    /// Number of the best child, or of a training's best epoch.
    pub(super) fn best_number(&self) -> Option<u64> {
        match self.live.training_run() {
            Some(run) => run.best().map(|best| best.epoch as u64),
            None => self.live.search().best_child(),
        }
    }

    /// The alert for a record, if it calls for one.
    pub(super) fn alert(&self, record: &Record, best_before: Option<u64>) -> Option<Alert> {
        let text = match &record.event {
            Event::ChildFinished(finished) => {
                let best = self.live.search().outcomes.best.as_ref().filter(|best| {
                    best.child == finished.child && best_before != Some(best.child)
                })?;
                format!(
                    "new best child {}: accuracy {}",
                    best.child,
                    format::accuracy(best.accuracy)
                )
            }
            Event::ChildFailed { child, reason, .. } => format!("child {child} failed: {reason}"),
            Event::ChildExcluded { child, reason, .. } => {
                format!("child {child} is excluded: {reason}")
            }
            Event::TrainingEpoch(epoch)
                if self.best_number() == Some(epoch.epoch as u64) && best_before.is_some() =>
            {
                format!(
                    "new best epoch {}: validation accuracy {}",
                    epoch.epoch,
                    format::accuracy(epoch.valid_accuracy)
                )
            }
            Event::RunFinished { .. } => {
                format!("the run is over: {}", self.status().word().to_uppercase())
            }
            _ => return None,
        };
        Some(Alert(text))
    }

    /// The oldest pending alert.
    pub fn next_alert(&mut self) -> Option<Alert> {
        self.alerts.pop_front()
    }
}
