//! The actions that keys ask for.

use serde::{Deserialize, Serialize};

/// What a key asks for. Its effect is determined in `app`. Its name in settings is its name here in
/// snake_case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Pause or resume the run or the replay.
    TogglePause,
    /// Ask whether to end the training of the child shown.
    Skip,
    /// Stop after the current episode, or withdraw that.
    StopAfterEpisode,
    /// Leave the screen; asks first while the run is in progress.
    Quit,
    /// Open or close the help.
    Help,
    /// Find an action, a panel, a child, a filter or a setting by its name.
    Palette,
    /// The list of runs: show another one, or compare it with the one shown.
    Runs,
    /// The settings in which the runs compared differ.
    Differences,
    /// Show the selected run in place of the present one.
    OpenRun,
    /// Look again which runs there are.
    LookAgain,
    /// Everything that fits.
    LayoutOverview,
    /// Chart and controller, or the curves of a training.
    LayoutLearning,
    /// The list of children, or the test of a training.
    LayoutChildren,
    /// The children in training, or the network of a training.
    LayoutNetwork,
    /// GPUs and host.
    LayoutMachine,
    /// The log.
    LayoutLog,
    /// Focus the next panel of the arrangement.
    FocusNext,
    /// Focus the previous panel.
    FocusPrevious,
    /// Show the focused panel alone, or all of them again.
    Maximise,
    /// Leave what is on top: an overlay, a filter, an earlier moment, a maximised panel.
    Back,
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// To the previous child, or the crosshair to the left.
    Left,
    /// To the next child, or the crosshair to the right.
    Right,
    /// A page up; in a chart, the crosshair an episode or epoch back.
    PageUp,
    /// A page down; in a chart, the crosshair an episode or epoch forward.
    PageDown,
    /// To the first row.
    Top,
    /// To the last row; the log follows new lines again.
    Bottom,
    /// To the bottom, or from an earlier moment back to the present.
    Live,
    /// Open the child at the cursor in the inspector.
    Inspect,
    /// Open the most accurate child in the inspector.
    InspectBest,
    /// Show the run an episode (or epoch) earlier.
    PreviousEpisode,
    /// Show the run an episode (or epoch) later.
    NextEpisode,
    /// Type a filter for the children, or a text to find in the log.
    Search,
    /// Type a text that lines of the log must contain.
    FilterLog,
    /// The next match in the log.
    NextMatch,
    /// The previous match in the log.
    PreviousMatch,
    /// Zoom in, or a larger value.
    More,
    /// Zoom out, or a smaller value.
    Less,
    /// Show the whole run, or undo all edits of the child.
    Reset,
    /// Copy the child's DNA to the clipboard.
    Copy,
    /// Copy the network to the clipboard as JSON.
    CopyJson,
    /// Copy the network to the clipboard as PyTorch code.
    CopyCode,
    /// Save the network to files in the current folder.
    Save,
    /// Show the log in the user's pager.
    ViewLog,
    /// Show the settings of the run, its config.toml, in the user's pager.
    ViewConfig,
    /// Show the network as PyTorch code in the user's pager.
    ViewCode,
    /// Save the network as PyTorch code in the current folder, and open it in the user's editor.
    EditCode,
    /// Write what the focused panel shows to a file, as a table.
    SaveTable,
    /// Write the screen to a file, as a picture.
    SavePicture,
    /// Show the other quantity: reward or accuracy, accuracy or loss.
    ToggleQuantity,
    /// Linear or logarithmic scale.
    ToggleScale,
    /// When zoomed in: earlier children or epochs. In the list: columns further left.
    PanLeft,
    /// When zoomed in: later children or epochs. In the list: columns further right.
    PanRight,
    /// Show the panel's other set of columns.
    ToggleColumns,
    /// Type the names of the columns of the list.
    ChooseColumns,
    /// Sort the list by the next column.
    SortNext,
    /// Sort the list by the previous column.
    SortPrevious,
    /// Ascending or descending order.
    ReverseSort,
    /// Mark the child at the cursor, or remove its mark; the same for a run to compare with.
    Mark,
    /// Remove all marks.
    ClearMarks,
    /// Show two children side by side.
    Compare,
    /// Show accuracy against MACs, with the Pareto front, in place of the table.
    TogglePareto,
    /// Show the log from the next higher level up.
    NextLevel,
    /// The next page of the inspector.
    NextTab,
    /// The previous page of the inspector.
    PreviousTab,
    /// Train the edited child in this run.
    Queue,
    /// Type a note on the child at the cursor or in the inspector.
    Note,
    /// Replay at twice the speed.
    Faster,
    /// Replay at half the speed.
    Slower,
    /// Redraw every cell.
    Repaint,
    /// Hand the terminal back to the shell.
    Suspend,
    /// Give the selected answer to a question.
    Answer,
    /// Select another answer.
    NextAnswer,
    /// Yes.
    AnswerYes,
    /// Leave the screen; the run continues.
    AnswerDetach,
    /// Stop the run.
    AnswerStop,
    /// Close the question without an answer.
    AnswerCancel,
    /// Accept the line of text as typed.
    Accept,
    /// Close the line of text and discard it.
    Discard,
    /// The text typed before this one, or the entry above.
    OlderText,
    /// The text typed after this one, or the entry below.
    NewerText,
    /// Complete the word at the cursor, or the entry below.
    Complete,
}

impl Action {
    /// Whether it shows something elsewhere: in a program of the user, or in a file about the run.
    pub fn leaves_the_screen(self) -> bool {
        matches!(
            self,
            Action::ViewLog
                | Action::ViewConfig
                | Action::ViewCode
                | Action::EditCode
                | Action::SaveTable
                | Action::SavePicture
        )
    }

    /// The name used in settings.
    pub fn name(self) -> String {
        // A unit variant is a JSON string by construction.
        serde_json::to_value(self)
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}
