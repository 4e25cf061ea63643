//! The status of a run: decided and named here, for the screen, the list of runs, reports and lines
//! of text.

use serde::{Deserialize, Serialize};

use crate::event::{Event, FinishReason};

/// The status of a run according to its events, and whether a process is working on it. The
/// serialised values are those of `status` in `nas-tui list --json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// There is no event yet, or a process has taken over the run but has not written an event.
    #[default]
    Starting,
    /// In progress.
    Running,
    /// A pause was requested, but not every worker has confirmed it.
    Pausing,
    /// Paused because nothing can be written to the run directory. (No event in the journal tells that;
    /// see [`RunState::blocked`](super::RunState::blocked).)
    Blocked,
    /// Every worker has stopped; the run will be resumed or end.
    Paused,
    /// An immediate stop was requested.
    Stopping,
    /// Completed as planned.
    #[serde(rename = "finished")]
    Completed,
    /// A user or a signal stopped it; it can be resumed.
    Stopped,
    /// An error ended it; it can be resumed once the cause is fixed.
    Failed,
    /// Not ended, but no process is working on it. (No event tells that; see
    /// [`with_process`](RunStatus::with_process).)
    Dead,
    /// Its journal is damaged: what has become of it cannot be read. (No event tells that; whoever reads the
    /// journal finds it.)
    Unreadable,
}

impl RunStatus {
    /// Process the next event of the run.
    pub fn apply(&mut self, event: &Event) {
        *self = match event {
            begin if begin.begins_run() => RunStatus::Running,
            Event::RunResumed { .. } | Event::Resumed => RunStatus::Running,
            Event::PauseRequested => RunStatus::Pausing,
            Event::Paused => RunStatus::Paused,
            Event::StopRequested => RunStatus::Stopping,
            Event::RunFinished { reason, .. } => RunStatus::from(*reason),
            _ => return,
        };
    }

    /// The status of a run with this status according to its events, given whether a process is
    /// working on it. (A process that continues a run that had ended has not written anything yet.)
    pub fn with_process(self, works: bool) -> RunStatus {
        match (works, self.is_over()) {
            _ if self == RunStatus::Unreadable => self,
            (true, true) => RunStatus::Starting,
            (false, false) => RunStatus::Dead,
            (true, false) | (false, true) => self,
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            RunStatus::Starting => "starting",
            RunStatus::Running => "running",
            RunStatus::Pausing => "pausing",
            RunStatus::Blocked => "blocked",
            RunStatus::Paused => "paused",
            RunStatus::Stopping => "stopping",
            RunStatus::Completed => "completed",
            RunStatus::Stopped => "stopped",
            RunStatus::Failed => "failed",
            RunStatus::Dead => "dead",
            RunStatus::Unreadable => "unreadable",
        }
    }

    /// Why the latest session ended; `None` while one is in progress, and after a crash.
    pub fn reason(self) -> Option<FinishReason> {
        match self {
            RunStatus::Completed => Some(FinishReason::Completed),
            RunStatus::Stopped => Some(FinishReason::Stopped),
            RunStatus::Failed => Some(FinishReason::Failed),
            _ => None,
        }
    }

    /// Whether the latest session has recorded its end.
    pub fn is_over(self) -> bool {
        self.reason().is_some()
    }

    /// Whether the run can be paused or resumed.
    pub fn can_pause(self) -> bool {
        use RunStatus::{Paused, Pausing, Running};
        matches!(self, Running | Pausing | Paused)
    }

    /// Whether a process is working on the run, as far as can be told.
    pub fn is_live(self) -> bool {
        !self.is_over() && !matches!(self, RunStatus::Dead | RunStatus::Unreadable)
    }
}

/// The line for a run that is blocked.
pub fn paused_because(reason: &str) -> String {
    format!("paused until it can save: {reason}")
}

impl From<FinishReason> for RunStatus {
    fn from(reason: FinishReason) -> RunStatus {
        match reason {
            FinishReason::Completed => RunStatus::Completed,
            FinishReason::Stopped => RunStatus::Stopped,
            FinishReason::Failed => RunStatus::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [RunStatus; 11] = [
        RunStatus::Blocked,
        RunStatus::Starting,
        RunStatus::Running,
        RunStatus::Pausing,
        RunStatus::Paused,
        RunStatus::Stopping,
        RunStatus::Completed,
        RunStatus::Stopped,
        RunStatus::Failed,
        RunStatus::Dead,
        RunStatus::Unreadable,
    ];

    #[test]
    fn a_reason_and_its_status_have_the_same_word() {
        for reason in ALL.into_iter().filter_map(RunStatus::reason) {
            let word = serde_json::to_value(reason).unwrap();
            assert_eq!(word, RunStatus::from(reason).word());
        }
    }

    #[test]
    fn the_list_in_json_keeps_its_values() {
        let values = ALL.map(|status| serde_json::to_value(status).unwrap());
        assert_eq!(
            values,
            [
                "blocked",
                "starting",
                "running",
                "pausing",
                "paused",
                "stopping",
                "finished",
                "stopped",
                "failed",
                "dead",
                "unreadable"
            ]
        );
    }

    #[test]
    fn a_run_is_dead_without_a_process_unless_it_is_over() {
        for status in ALL {
            let is_known = !matches!(status, RunStatus::Dead | RunStatus::Unreadable);
            assert!(status.with_process(true).is_live() || !is_known);
            assert!(!status.with_process(false).is_live());
            assert_eq!(status.with_process(false).reason(), status.reason());
        }
    }
}
