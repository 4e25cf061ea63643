//! The keys that do not belong to a particular panel, in the order of the help.

mod overlays;

use super::Scope::{Inspector, Panels, Screens, Views};
use super::{Action, Binding, InTraining, Scope};
use crate::tui::panels::PanelId;
use overlays::OVERLAYS;

/// The names are those of `panels::list::filter`.
const FIND: &str = "children: filter by acc, reward, params, macs, time, episode, child, depth, entropy, energy, repeat, failed, \
                    excluded, skipped, edited, control, best, marked, as in acc>0.8 & params<1e6; log: find";

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
        InTraining::Nothing
    } else {
        InTraining::Same
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
/// panel; those of the log come after the search, which works there too.
pub fn bindings() -> impl Iterator<Item = &'static Binding> {
    let panels = PanelId::ALL.iter().filter(|panel| **panel != PanelId::Log);
    let of_panels = panels.flat_map(|panel| panel.about().keys);
    VIEWS
        .iter()
        .chain(PanelId::Log.about().keys)
        .chain(CHARTS)
        .chain(of_panels)
        .chain(OVERLAYS)
}

/// Controlling the run, arrangements, and moving among the panels.
const VIEWS: &[Binding] = &[
    binding(
        Screens,
        &["space"],
        Action::TogglePause,
        "pause or resume the run, or a replay",
        Some("pause"),
    ),
    binding(
        Panels,
        &["q"],
        Action::Quit,
        "leave: detach, stop, or cancel",
        Some("quit"),
    ),
    binding(
        Screens,
        &["ctrl-c"],
        Action::Quit,
        "leave, from anywhere",
        None,
    ),
    binding(
        Screens,
        &["?", "f1"],
        Action::Help,
        "this help",
        Some("help"),
    ),
    binding(
        Panels,
        &["x"],
        Action::Skip,
        "end the training of the child shown (asks)",
        None,
    )
    .of_search(),
    binding(
        Panels,
        &["e"],
        Action::StopAfterEpisode,
        "stop after this episode, or go on after all",
        None,
    )
    .of_search(),
    binding(
        Panels,
        &["1"],
        Action::LayoutOverview,
        "overview: everything that fits",
        Some("overview"),
    ),
    binding(
        Panels,
        &["2"],
        Action::LayoutLearning,
        "chart and controller: does it learn?",
        None,
    )
    .in_training("curves and progress"),
    binding(
        Panels,
        &["3"],
        Action::LayoutChildren,
        "the list of all children",
        None,
    )
    .in_training("the test"),
    binding(
        Panels,
        &["4"],
        Action::LayoutNetwork,
        "the children in training, layer by layer",
        None,
    )
    .in_training("the network: its graph and its layers"),
    binding(Panels, &["5"], Action::LayoutMachine, "GPUs and host", None),
    binding(Panels, &["6"], Action::LayoutLog, "the log", None),
    binding(
        Panels,
        &["tab"],
        Action::FocusNext,
        "focus the next panel",
        Some("focus"),
    ),
    binding(
        Panels,
        &["shift-tab"],
        Action::FocusPrevious,
        "focus the previous panel",
        None,
    ),
    binding(
        Panels,
        &["f"],
        Action::Maximise,
        "maximise the focused panel, or all panels again",
        Some("maximise"),
    ),
    binding(
        Panels,
        &["enter"],
        Action::Inspect,
        "open the child shown in the inspector",
        Some("inspect"),
    )
    .of_search(),
    binding(
        Views,
        &["b"],
        Action::InspectBest,
        "open the best child in the inspector",
        Some("best"),
    )
    .of_search(),
    binding(
        Panels,
        &["["],
        Action::PreviousEpisode,
        "the run as it was an episode earlier",
        None,
    )
    .in_training("the training as it was an epoch earlier"),
    binding(
        Panels,
        &["]"],
        Action::NextEpisode,
        "an episode later",
        None,
    )
    .in_training("an epoch later"),
    binding(
        Screens,
        &["end"],
        Action::Live,
        "back to the present; else to the end",
        None,
    ),
    binding(Screens, &["up", "k"], Action::Up, "up", None),
    binding(Screens, &["down", "j"], Action::Down, "down", None),
    binding(
        Screens,
        &["pgup", "ctrl-b"],
        Action::PageUp,
        "up a page; chart: crosshair to the episode before",
        None,
    )
    .in_training("up a page; curves: crosshair to the epoch before"),
    binding(
        Screens,
        &["pgdn", "ctrl-f"],
        Action::PageDown,
        "down a page; chart: crosshair to the next episode",
        None,
    )
    .in_training("down a page; curves: crosshair to the next epoch"),
    binding(Screens, &["g", "home"], Action::Top, "to the top", None),
    binding(
        Screens,
        &["G"],
        Action::Bottom,
        "to the end (the log follows again)",
        None,
    ),
    binding(
        Views,
        &["left", "h"],
        Action::Left,
        "left: the child before (DNA, controller); crosshair (chart)",
        None,
    )
    .in_training("left: crosshair (curves)"),
    binding(
        Views,
        &["right", "l"],
        Action::Right,
        "right: the child after; crosshair",
        None,
    )
    .in_training("right: crosshair (curves)"),
    binding(Panels, &["/"], Action::Search, FIND, Some("find")).in_training("find in the log"),
];

/// Keys of the panels with charts, which work in any panel.
const CHARTS: &[Binding] = &[binding(
    Panels,
    &["a"],
    Action::ToggleQuantity,
    "chart: reward or accuracy",
    Some("accuracy"),
)
.in_training("curves: accuracy or loss, where only one of them fits")];
