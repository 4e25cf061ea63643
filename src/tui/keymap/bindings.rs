//! The keys that do not belong to a particular panel, in the order of the help.

use super::Scope::{Everywhere, Help, Inspector, Panels, Question, Runs, Screens, Text, Views};
use super::{Action, Binding, Scope, TrainingMeaning};
use crate::tui::panels::PanelId;

/// The names are those of `panels::list::filter`.
const FIND: &str = "children: filter by acc, reward, params, macs, time, episode, child, depth, entropy, energy, repeat, failed, \
                    excluded, skipped, edited, control, best, marked, note, as in acc>0.8 & params<1e6, note:odd or #keep; log: find";

/// Bindings, one per line: scope, keys, action and text in the help; optionally followed by the
/// word in the footer and by the meaning in a training.
macro_rules! keys {
    ($($scope:ident [$($key:literal),+] $action:ident $help:tt $(($short:literal))?
        $(.$method:ident($($text:literal)?))?;)+) => {
        &[$($crate::tui::keymap::binding(
            $scope,
            &[$($key),+],
            $crate::tui::keymap::Action::$action,
            $help,
            keys!(@ $($short)?),
        )$(.$method($($text)?))?),+]
    };
    (@) => { None };
    (@ $short:literal) => { Some($short) };
}
pub(crate) use keys;

/// The keys of an action in a scope, with its line in the help and its word in the footer.
pub const fn binding(
    scope: Scope,
    keys: &'static [&'static str],
    action: Action,
    help: &'static str,
    short: Option<&'static str>,
) -> Binding {
    // The inspector shows children, which a training does not have.
    let in_training = if matches!(scope, Inspector) {
        TrainingMeaning::Nothing
    } else {
        TrainingMeaning::Same
    };
    Binding {
        action,
        scope,
        keys,
        help,
        in_training,
        short,
    }
}

/// Every default binding in the order of the help. The keys of a single panel are listed with the
/// panel.
pub fn bindings() -> impl Iterator<Item = &'static Binding> {
    let panels = PanelId::all().into_iter();
    let of_panels = panels.flat_map(|panel| panel.about().keys);
    VIEWS.iter().chain(CHARTS).chain(of_panels).chain(OVERLAYS)
}

/// Controlling the run, arrangements, and moving among the panels.
const VIEWS: &[Binding] = keys! {
    Screens ["space"] TogglePause "pause or resume the run, or a replay" ("pause");
    Panels ["q"] Quit "leave: detach, stop, or cancel" ("quit");
    Screens ["ctrl-c"] Quit "leave, from anywhere";
    Screens ["?", "f1"] Help "this help" ("help");
    Panels ["x"] Skip "end the training of the child shown (asks)" .of_search();
    Panels ["e"] StopAfterEpisode "stop after this episode, or cancel that (asks)" .of_search();
    Panels ["1"] LayoutOverview "overview: everything that fits" ("overview");
    Panels ["2"] LayoutLearning "chart and controller: does it learn?"
        .in_training("curves and progress");
    Panels ["3"] LayoutChildren "the list of all children" .in_training("the test");
    Panels ["4"] LayoutNetwork "the children in training, layer by layer"
        .in_training("the network: its graph and its layers");
    Panels ["5"] LayoutMachine "GPUs and host";
    Panels ["6"] LayoutLog "the log";
    Panels ["tab"] FocusNext "focus the next panel" ("focus");
    Panels ["shift-tab"] FocusPrevious "focus the previous panel";
    Panels ["f"] Maximise "maximise the focused panel, or all panels again" ("maximise");
    Panels ["enter"] Inspect "open the child shown in the inspector" ("inspect") .of_search();
    Views ["b"] InspectBest "open the best child in the inspector" ("best") .of_search();
    Panels ["["] PreviousEpisode "the run one episode earlier"
        .in_training("the training one epoch earlier");
    Panels ["]"] NextEpisode "one episode later" .in_training("one epoch later");
    Screens ["end"] Live "back to the present; else to the end";
    Screens ["up", "k"] Up "up";
    Screens ["down", "j"] Down "down";
    Screens ["pgup", "ctrl-b"] PageUp "up a page; chart: crosshair to the previous episode"
        .in_training("up a page; curves: crosshair to the previous epoch");
    Screens ["pgdn", "ctrl-f"] PageDown "down a page; chart: crosshair to the next episode"
        .in_training("down a page; curves: crosshair to the next epoch");
    Screens ["g", "home"] Top "to the top";
    Screens ["G"] Bottom "to the end (the log follows again)";
    Views ["left", "h"] Left "left: previous child (DNA, controller); crosshair (chart)"
        .in_training("left: crosshair (curves)");
    Views ["right", "l"] Right "right: next child; crosshair"
        .in_training("right: crosshair (curves)");
    Panels ["/"] Search FIND ("find") .in_training("find in the log");
    Screens [":"] Palette "everything by name: actions, panels, children, filters, settings, runs" ("by name")
        .in_training("everything by name: actions, panels, settings, runs");
    Screens ["R"] Runs "runs: show another one here, or compare it with this one" ("runs")
        .in_training("runs: show another one here, or compare its settings");
    Screens ["D"] Differences "settings in which the runs compared differ";
};

/// Keys of the panels with charts, which work in any panel.
const CHARTS: &[Binding] = keys! {
    Panels ["a"] ToggleQuantity "chart: reward or accuracy" ("accuracy")
        .in_training("curves: accuracy or loss, if only one of them fits");
};

/// Copying, the inspector, replays, and overlays.
const OVERLAYS: &[Binding] = keys! {
    Views ["y"] Copy "copy the child's DNA to the clipboard" .of_search();
    Views ["Y"] CopyJson "copy the network as JSON";
    Views ["C"] CopyCode "copy the network as PyTorch code";
    Inspector ["w"] Save "inspector: save the network to files" ("save");
    Inspector ["n"] Note "inspector: write a note on the child, with #tags if you like" ("note");
    Views ["V"] ViewLog "the log in $PAGER";
    Views ["O"] ViewConfig "the settings (config.toml) in $PAGER; changing the file does not affect a run in progress";
    Views ["P"] ViewCode "the network as PyTorch code in $PAGER";
    Views ["E"] EditCode "save the network as PyTorch code here, and open the file in $VISUAL or $EDITOR";
    Views ["W"] SaveTable "save what the focused panel shows as CSV, in exports/ of the run directory";
    Views ["I"] SavePicture "save the screen as an SVG picture, in exports/ too";
    Inspector ["tab"] NextTab "inspector: next page" ("page");
    Inspector ["shift-tab"] PreviousTab "inspector: previous page";
    Inspector ["enter"] Inspect "inspector, relatives: open the selected child";
    Inspector ["+", "="] More "what-if: a larger value";
    Inspector ["-"] Less "what-if: a smaller value";
    Inspector ["0"] Reset "what-if: undo all changes";
    Inspector ["t"] Queue "what-if: train the edited child in this run";
    Runs ["enter"] OpenRun "runs: show this one here" ("show");
    Runs ["m"] Mark "runs: compare this one (its curve is drawn over the chart), or no longer" ("compare")
        .in_training("runs: compare this one, or no longer");
    Runs ["M"] ClearMarks "runs: compare none";
    Runs ["r"] LookAgain "runs: look again which there are" ("look again");
    Runs ["esc", "q"] Back "close the list of runs" ("close");
    Panels [">"] Faster "replay: twice as fast";
    Panels ["<"] Slower "replay: half as fast";
    Panels ["esc"] Back "back: no filter, the present, all panels, the child in training"
        .in_training("back: no crosshair, the present, all panels");
    Inspector ["esc", "q"] Back "close the inspector" ("close");
    Help ["esc", "q"] Back "close the help" ("close");
    Everywhere ["ctrl-l"] Repaint "redraw everything";
    Everywhere ["ctrl-z"] Suspend "suspend to the shell (fg brings it back)";
    Question ["y"] AnswerYes "in a question: yes";
    Question ["d", "ctrl-c"] AnswerDetach "in a question: detach";
    Question ["s"] AnswerStop "in a question: stop";
    Question ["c", "q", "n", "esc"] AnswerCancel "in a question: cancel" ("cancel");
    Question ["tab", "shift-tab", "down", "up", "j", "k"] NextAnswer
        "in a question: select another answer" ("other");
    Question ["enter"] Answer "in a question: give the selected answer" ("answer");
    Text ["enter"] Accept "in a line of text: accept it" ("accept");
    Text ["esc", "ctrl-c"] Discard "in a line of text: discard it" ("discard");
    Text ["up"] OlderText "in a line of text: the one typed before; in a list: up";
    Text ["down"] NewerText "in a line of text: the one typed after; in a list: down";
    Text ["tab"] Complete "in a line of text: complete the word; in a list: down";
};
