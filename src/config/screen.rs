//! Settings of the screen. They change nothing of a search, and may differ each time that it is
//! looked at.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How the screen looks and which keys it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct ScreenConfig {
    /// The arrangement of panels to begin with.
    pub layout: LayoutName,
    pub theme: ThemeName,
    pub colours: Colours,
    pub characters: Characters,
    /// Frames a second for progress, clock and measurements. (News come at once, at most four times
    /// as often.)
    pub refresh_rate: f64,
    pub alerts: Alerts,
    /// Keys by the name of their action, instead of its own.
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
            keys: BTreeMap::new(),
        }
    }
}

/// An arrangement of panels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayoutName {
    /// Everything that the size allows.
    #[default]
    Overview,
    /// Chart and controller: does it learn? Of a training: curves and progress.
    Learning,
    /// The list of all children. Of a training: the test.
    Children,
    /// The children in training, layer by layer. Of a training: the network's graph and layers.
    Network,
    /// GPUs and host.
    Machine,
    /// The log.
    Log,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThemeName {
    /// Okabe and Ito's palette, told apart by all common forms of colour blindness, for a dark
    /// background.
    #[default]
    ColourBlind,
    /// The same hues, darker, for a light background.
    Light,
    /// The terminal's own bright colours.
    HighContrast,
    /// No colour: bold, dim and reverse.
    Monochrome,
}

/// Colours that the terminal is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Colours {
    /// What NO_COLOR, COLORTERM and TERM say.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    #[serde(rename = "none")]
    None,
    #[serde(rename = "16")]
    Sixteen,
    #[serde(rename = "256")]
    Indexed,
    #[serde(rename = "true")]
    True,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Characters {
    /// Unicode where the locale is UTF-8.
    #[default]
    Auto,
    Unicode,
    Ascii,
}

/// What the terminal is sent on a new best child, a failed child and the end of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alerts {
    #[default]
    Off,
    /// BEL.
    Bell,
    /// A desktop notification (OSC 9), which some terminals show.
    Notification,
    Both,
}
