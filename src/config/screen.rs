//! Settings of the screen. They do not affect a search and may differ each time it is watched.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The appearance of the screen and its keys.
#[derive(Debug, Clone, PartialEq)]
pub struct ScreenConfig {
    /// The initial arrangement of panels.
    pub layout: LayoutName,
    /// The colour theme.
    pub theme: ThemeName,
    /// Number of colours to use.
    pub colours: Colours,
    /// Character set for lines and symbols.
    pub characters: Characters,
    /// Frames per second for progress, clock and measurements. (News is drawn at once, at most four
    /// times as often.)
    pub refresh_rate: f64,
    /// How news is announced.
    pub alerts: Alerts,
    /// Whether the mouse is used. (Text is then selected with Shift, as terminals do.)
    pub mouse: bool,
    /// Whether the title of the terminal says how the run stands.
    pub title: bool,
    /// Columns of the list of children, after that of their numbers; if empty, as many as fit.
    pub columns: Vec<Column>,
    /// Keys by the name of their action, which replace its default keys.
    pub keys: BTreeMap<String, Vec<String>>,
}

impl Default for ScreenConfig {
    fn default() -> ScreenConfig {
        ScreenConfig {
            layout: LayoutName::default(),
            theme: ThemeName::default(),
            colours: Colours::default(),
            characters: Characters::default(),
            refresh_rate: 1.0,
            alerts: Alerts::default(),
            mouse: true,
            title: true,
            columns: Vec::new(),
            keys: BTreeMap::new(),
        }
    }
}

/// A column of the list of children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// Number of the child.
    Child,
    /// Number of its episode.
    Episode,
    /// Validation accuracy.
    Accuracy,
    /// Its reward.
    Reward,
    /// Trainable parameters.
    Params,
    /// Multiply-accumulates for one image.
    Macs,
    /// Number of layers.
    #[serde(alias = "depth")]
    Layers,
    /// Duration of its training.
    Time,
    /// Energy of its GPU, if that is known.
    Energy,
    /// Entropy of its choices.
    Entropy,
}

impl Column {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Column; 10] = [
        Column::Child,
        Column::Episode,
        Column::Accuracy,
        Column::Reward,
        Column::Params,
        Column::Macs,
        Column::Layers,
        Column::Time,
        Column::Energy,
        Column::Entropy,
    ];

    /// Its name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Column::Child => "child",
            Column::Episode => "episode",
            Column::Accuracy => "accuracy",
            Column::Reward => "reward",
            Column::Params => "params",
            Column::Macs => "macs",
            Column::Layers => "layers",
            Column::Time => "time",
            Column::Energy => "energy",
            Column::Entropy => "entropy",
        }
    }
}

/// An arrangement of panels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayoutName {
    /// Everything that fits.
    #[default]
    Overview,
    /// Chart and controller: is it learning? For a training: curves and progress.
    Learning,
    /// The list of all children. For a training: the test result.
    Children,
    /// The children in training, layer by layer. For a training: the network's graph and layers.
    Network,
    /// GPUs and host.
    Machine,
    /// The log.
    Log,
}

/// A colour theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThemeName {
    /// Okabe and Ito's palette, distinguishable with all common forms of colour blindness, for a
    /// dark background.
    #[default]
    ColourBlind,
    /// The same hues, darker, for a light background.
    Light,
    /// The terminal's bright colours.
    HighContrast,
    /// No colours, only bold, dim and reverse.
    Monochrome,
}

/// Number of colours to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Colours {
    /// According to NO_COLOR, COLORTERM and TERM.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// No colours.
    #[serde(rename = "none")]
    None,
    /// The 16 basic colours that every terminal has.
    #[serde(rename = "16")]
    Sixteen,
    /// The 256-colour palette.
    #[serde(rename = "256")]
    Indexed,
    /// 24-bit colours.
    #[serde(rename = "true")]
    True,
}

/// Character set for lines and symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Characters {
    /// Unicode if the locale is UTF-8, otherwise ASCII.
    #[default]
    Auto,
    /// Box-drawing, block and Braille characters.
    Unicode,
    /// ASCII only.
    Ascii,
}

/// What is sent to the terminal on a new best child, a failed child and the end of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alerts {
    /// Nothing.
    #[default]
    Off,
    /// BEL.
    Bell,
    /// A desktop notification (OSC 9), which some terminals show.
    Notification,
    /// BEL and a notification.
    Both,
}
