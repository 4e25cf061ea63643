//! Colours and characters: what the terminal can show, and the appearance of each part of the
//! screen.
//!
//! The default palette is Okabe and Ito's (2008), distinguishable with all common forms of colour
//! blindness. Colour is never the only cue: series differ in shape, and levels and phases in words.

mod glyphs;

use ratatui::style::{Color, Modifier, Style};

use crate::config::ThemeName;
pub use glyphs::{Glyphs, Rails};

/// Number of colours that a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColourDepth {
    /// No colours, only bold, dim and reversed.
    None,
    /// The 16 named colours, whose shades the terminal determines.
    Sixteen,
    /// The 256-colour palette.
    Indexed,
    /// 24-bit red, green and blue.
    True,
}

impl ColourDepth {
    /// Determined from NO_COLOR (any value except the empty one means none), COLORTERM and TERM, as
    /// read by `variable`.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> ColourDepth {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        if set("NO_COLOR").is_some() || term.is_empty() || term == "dumb" || term.starts_with("vt")
        {
            ColourDepth::None
        } else if set("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit")
            || term.ends_with("-direct")
        {
            ColourDepth::True
        } else if term.contains("256")
            || [
                "alacritty",
                "xterm-kitty",
                "foot",
                "wezterm",
                "xterm-ghostty",
            ]
            .contains(&term.as_str())
        {
            ColourDepth::Indexed
        } else {
            ColourDepth::Sixteen
        }
    }
}

/// Whether the locale (the first of LC_ALL, LC_CTYPE and LANG that is set) uses UTF-8.
pub fn locale_is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()))
        .is_some_and(|value| value.to_ascii_lowercase().replace('-', "").contains("utf8"))
}

/// Whether the terminal is the Linux console, whose fonts have few characters.
pub fn is_console(variable: impl Fn(&str) -> Option<String>) -> bool {
    variable("TERM").as_deref() == Some("linux")
}

/// The role of a piece of the screen, from which the theme determines its appearance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Text without emphasis.
    Text,
    /// Units, labels and rules, which should not attract attention.
    Dim,
    /// A figure that should attract attention.
    Strong,
    /// The title of a panel.
    Title,
    /// The title and rule of the focused panel.
    Focus,
    /// The name of a key.
    Key,
    /// Something selected out of several.
    Selected,
    /// A single child in a chart.
    Child,
    /// The mean of an episode.
    Mean,
    /// The controller's baseline.
    Baseline,
    /// The best so far.
    Best,
    /// The smoothed curve of all children.
    Smooth,
    /// Between the quartiles of an episode.
    Band,
    /// What the search is compared with: its controls, another run.
    Reference,
    /// One of the runs drawn over the chart, by its place among them from 0.
    OtherRun(u8),
    /// The filled part of a bar.
    Gauge,
    /// Something that is going well.
    Good,
    /// Something that needs attention.
    Warning,
    /// Something that failed.
    Error,
}

/// Colours and characters of one terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// The name chosen in the settings.
    pub name: ThemeName,
    /// The number of colours that may be used.
    pub depth: ColourDepth,
    /// Characters that the terminal can show.
    pub glyphs: Glyphs,
}

/// One colour at every depth: `(red, green, blue)`, index of 256, one of 16.
struct Shade((u8, u8, u8), u8, Color);

/// The colours of a theme by purpose.
struct Palette {
    mean: Shade,
    child: Shade,
    good: Shade,
    error: Shade,
    baseline: Shade,
    smooth: Shade,
    dim: Shade,
}

/// Okabe and Ito's orange, sky blue, bluish green, vermilion, reddish purple and yellow, on a dark
/// background.
const COLOUR_BLIND: Palette = Palette {
    mean: Shade((0xE6, 0x9F, 0x00), 214, Color::Yellow),
    child: Shade((0x56, 0xB4, 0xE9), 74, Color::Cyan),
    good: Shade((0x00, 0x9E, 0x73), 36, Color::Green),
    error: Shade((0xD5, 0x5E, 0x00), 166, Color::Red),
    baseline: Shade((0xCC, 0x79, 0xA7), 175, Color::Magenta),
    smooth: Shade((0xF0, 0xE4, 0x42), 227, Color::LightYellow),
    dim: Shade((0x8A, 0x8A, 0x8A), 245, Color::DarkGray),
};

/// The same hues, dark enough to be readable on white.
const LIGHT: Palette = Palette {
    mean: Shade((0x9A, 0x5B, 0x00), 130, Color::Yellow),
    child: Shade((0x00, 0x5F, 0x9E), 25, Color::Blue),
    good: Shade((0x00, 0x6B, 0x4E), 23, Color::Green),
    error: Shade((0xA8, 0x3C, 0x00), 124, Color::Red),
    baseline: Shade((0x8F, 0x3F, 0x70), 96, Color::Magenta),
    smooth: Shade((0x5C, 0x54, 0x00), 58, Color::Black),
    dim: Shade((0x5F, 0x5F, 0x5F), 59, Color::DarkGray),
};

const HIGH_CONTRAST: Palette = Palette {
    mean: Shade((0xFF, 0xD7, 0x00), 220, Color::LightYellow),
    child: Shade((0x5F, 0xFF, 0xFF), 87, Color::LightCyan),
    good: Shade((0x5F, 0xFF, 0x87), 84, Color::LightGreen),
    error: Shade((0xFF, 0x87, 0x5F), 209, Color::LightRed),
    baseline: Shade((0xFF, 0xAF, 0xFF), 219, Color::LightMagenta),
    smooth: Shade((0xFF, 0xFF, 0xFF), 231, Color::White),
    dim: Shade((0xD0, 0xD0, 0xD0), 252, Color::Gray),
};

impl Theme {
    /// A theme for a terminal; monochrome uses no colour, whatever `depth` allows.
    pub fn new(name: ThemeName, depth: ColourDepth, ascii: bool) -> Theme {
        let depth = if name == ThemeName::Monochrome {
            ColourDepth::None
        } else {
            depth
        };
        Theme {
            name,
            depth,
            glyphs: if ascii {
                Glyphs::ASCII
            } else {
                Glyphs::UNICODE
            },
        }
    }

    /// The same theme with the characters of the Linux console.
    pub fn for_console(self) -> Theme {
        Theme {
            glyphs: Glyphs::CONSOLE,
            ..self
        }
    }

    fn palette(&self) -> &'static Palette {
        match self.name {
            ThemeName::ColourBlind | ThemeName::Monochrome => &COLOUR_BLIND,
            ThemeName::Light => &LIGHT,
            ThemeName::HighContrast => &HIGH_CONTRAST,
        }
    }

    /// The style of a piece of the screen with this role.
    pub fn style(&self, role: Role) -> Style {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let palette = self.palette();
        match role {
            Role::Text | Role::Reference => plain,
            Role::OtherRun(0) => self.paint(plain, &palette.good),
            Role::OtherRun(1) => self.paint(plain, &palette.smooth),
            Role::OtherRun(2) => self.paint(plain, &palette.baseline),
            Role::OtherRun(_) => bold,
            Role::Strong | Role::Title => bold,
            Role::Dim | Role::Band if self.depth == ColourDepth::None => {
                plain.add_modifier(Modifier::DIM)
            }
            Role::Dim | Role::Band => self.paint(plain, &palette.dim),
            Role::Focus => self.paint(bold, &palette.child),
            Role::Key => self.paint(bold, &palette.child),
            Role::Selected => plain.add_modifier(Modifier::REVERSED),
            Role::Child => self.paint(plain, &palette.child),
            Role::Mean => self.paint(bold, &palette.mean),
            Role::Baseline => self.paint(plain, &palette.baseline),
            Role::Smooth => self.paint(plain, &palette.smooth),
            Role::Best | Role::Good => self.paint(bold, &palette.good),
            Role::Gauge => self.paint(plain, &palette.child),
            Role::Warning => self.paint(bold, &palette.mean),
            Role::Error => self.paint(bold, &palette.error),
        }
    }

    fn paint(&self, style: Style, shade: &Shade) -> Style {
        let &Shade((red, green, blue), indexed, sixteen) = shade;
        match self.depth {
            ColourDepth::None => style,
            ColourDepth::Sixteen => style.fg(sixteen),
            ColourDepth::Indexed => style.fg(Color::Indexed(indexed)),
            // Grey is the same colour there, with a shorter sequence.
            ColourDepth::True if red == green && green == blue => style.fg(Color::Indexed(indexed)),
            ColourDepth::True => style.fg(Color::Rgb(red, green, blue)),
        }
    }
}

#[cfg(test)]
mod tests;
