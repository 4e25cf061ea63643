//! What keys ask for.

use serde::{Deserialize, Serialize};

/// What a key asks for. What it does is decided in `app`. Its name in settings is its name here, in
/// snake_case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    TogglePause,
    Skip,
    StopAfterEpisode,
    Quit,
    Help,
    LayoutOverview,
    LayoutLearning,
    LayoutChildren,
    LayoutNetwork,
    LayoutMachine,
    LayoutLog,
    FocusNext,
    FocusPrevious,
    Maximise,
    Back,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Top,
    Bottom,
    /// To the bottom, or from an earlier moment back to the present.
    Live,
    Inspect,
    InspectBest,
    PreviousEpisode,
    NextEpisode,
    Search,
    FilterLog,
    NextMatch,
    PreviousMatch,
    /// Zoom in; a larger value; and their opposites.
    More,
    Less,
    Reset,
    Copy,
    CopyJson,
    CopyCode,
    Save,
    ToggleQuantity,
    ToggleScale,
    PanLeft,
    PanRight,
    ToggleColumns,
    SortNext,
    SortPrevious,
    ReverseSort,
    Mark,
    ClearMarks,
    Compare,
    TogglePareto,
    NextLevel,
    NextTab,
    PreviousTab,
    Queue,
    Faster,
    Slower,
    Repaint,
    Suspend,
    /// In a question: the marked answer, the next one, or one by its letter.
    Answer,
    NextAnswer,
    AnswerYes,
    AnswerDetach,
    AnswerStop,
    AnswerCancel,
    /// In a line of text: take it, or leave it.
    Accept,
    Discard,
}

impl Action {
    /// As settings name it.
    pub fn name(self) -> String {
        // A unit variant is a JSON string by construction.
        serde_json::to_value(self)
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}
