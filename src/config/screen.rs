//! Settings of the screen. They change nothing of a search, and may differ each time that it is
//! looked at.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How the screen looks and which keys it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct ScreenConfig {
    /// The arrangement of panels to begin with.
    pub layout: LayoutName,
    /// Colours of meaning.
    pub theme: ThemeName,
    /// How many colours the terminal is sent.
    pub colours: Colours,
    /// Lines and symbols that the terminal is sent.
    pub characters: Characters,
    /// Frames a second for progress, clock and measurements. (News come at once, at most four times
    /// as often.)
    pub refresh_rate: f64,
    /// What draws attention to news.
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

/// A set of colours by meaning.
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
    /// None at all.
    #[serde(rename = "none")]
    None,
    /// The 16 that every terminal has.
    #[serde(rename = "16")]
    Sixteen,
    /// The palette of 256.
    #[serde(rename = "256")]
    Indexed,
    /// 24 bits.
    #[serde(rename = "true")]
    True,
}

/// Lines and symbols that the terminal is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Characters {
    /// Unicode where the locale is UTF-8.
    #[default]
    Auto,
    /// Boxes, blocks and Braille.
    Unicode,
    /// ASCII alone.
    Ascii,
}

/// What the terminal is sent on a new best child, a failed child and the end of the run.
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
