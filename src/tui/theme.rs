//! Colours and characters: what the terminal can show, and what each part of the screen looks like in it.
//!
//! The palette is Okabe and Ito's (2008), told apart by all common forms of colour blindness. Nothing is said by
//! colour alone: series differ in shape, levels and phases in words.

use ratatui::style::{Color, Modifier, Style};

/// How many colours a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColourDepth {
    None,
    Sixteen,
    Indexed,
    True,
}

impl ColourDepth {
    /// By NO_COLOR (any value but the empty one: none), COLORTERM and TERM, as `variable` reads them.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> ColourDepth {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        if set("NO_COLOR").is_some() || term.is_empty() || term == "dumb" || term.starts_with("vt") {
            ColourDepth::None
        } else if set("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit") || term.ends_with("-direct") {
            ColourDepth::True
        } else if term.contains("256") || ["alacritty", "xterm-kitty", "foot", "wezterm", "xterm-ghostty"].contains(&term.as_str())
        {
            ColourDepth::Indexed
        } else {
            ColourDepth::Sixteen
        }
    }
}

/// Whether the locale (the first of LC_ALL, LC_CTYPE and LANG that is set) writes UTF-8.
pub fn locale_is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()))
        .is_some_and(|value| value.to_ascii_lowercase().replace('-', "").contains("utf8"))
}

/// What a piece of the screen is, so that the theme can say how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Text,
    /// Units, labels, rules: there, but not what one looks for.
    Dim,
    /// A number that one looks for.
    Strong,
    Title,
    /// The title and rule of the focused panel.
    Focus,
    /// The name of a key.
    Key,
    /// Something chosen out of several.
    Selected,
    Child,
    Mean,
    Baseline,
    Best,
    Gauge,
    Good,
    Warning,
    Error,
}

/// Characters that differ between a UTF-8 and an ASCII terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    pub braille: bool,
    pub ellipsis: &'static str,
    pub separator: &'static str,
    pub rule: &'static str,
    pub heavy_rule: &'static str,
    pub vertical: &'static str,
    pub bar_full: &'static str,
    pub bar_empty: &'static str,
    pub marker: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub left_right: &'static str,
    pub times: &'static str,
    pub about: &'static str,
    pub degree: &'static str,
    pub power: &'static str,
    pub axis: &'static str,
    pub axis_tick: &'static str,
    pub axis_corner: &'static str,
    pub floor: &'static str,
    pub floor_tick: &'static str,
    pub failed: &'static str,
    /// In a legend: one child, the mean of an episode, the baseline, the best so far.
    pub child: &'static str,
    pub mean: &'static str,
    pub baseline: &'static str,
    pub best: &'static str,
    /// From empty to full, for a history in one row.
    pub levels: [&'static str; 9],
    pub corners: [&'static str; 4],
    /// Where rules meet a vertical line: from both sides at its top, from the left, from the right, from both.
    pub junctions: [&'static str; 4],
}

const UNICODE: Glyphs = Glyphs {
    braille: true,
    ellipsis: "…",
    separator: "·",
    rule: "─",
    heavy_rule: "━",
    vertical: "│",
    bar_full: "━",
    bar_empty: "─",
    marker: "▸",
    up: "↑",
    down: "↓",
    left_right: "←→",
    times: "×",
    about: "≈",
    degree: "°C",
    power: "³",
    axis: "│",
    axis_tick: "┤",
    axis_corner: "└",
    floor: "─",
    floor_tick: "┴",
    failed: "×",
    child: "⠂",
    mean: "●",
    baseline: "╌",
    best: "─",
    levels: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    corners: ["┌", "┐", "└", "┘"],
    junctions: ["┬", "┤", "├", "┼"],
};

const ASCII: Glyphs = Glyphs {
    braille: false,
    ellipsis: "...",
    separator: "-",
    rule: "-",
    heavy_rule: "=",
    vertical: "|",
    bar_full: "#",
    bar_empty: ".",
    marker: ">",
    up: "^",
    down: "v",
    left_right: "<>",
    times: "x",
    about: "~",
    degree: "C",
    power: "^3",
    axis: "|",
    axis_tick: "+",
    axis_corner: "+",
    floor: "-",
    floor_tick: "+",
    failed: "x",
    child: ".",
    mean: "o",
    baseline: "-",
    best: "=",
    levels: [" ", ".", ".", ":", ":", "-", "=", "#", "#"],
    corners: ["+", "+", "+", "+"],
    junctions: ["+", "+", "+", "+"],
};

/// Colours and characters of one terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    pub depth: ColourDepth,
    pub glyphs: Glyphs,
}

/// One colour at every depth: `(red, green, blue)`, index of 256, index of 16.
struct Shade((u8, u8, u8), u8, Color);

const ORANGE: Shade = Shade((0xE6, 0x9F, 0x00), 214, Color::Yellow);
const SKY_BLUE: Shade = Shade((0x56, 0xB4, 0xE9), 74, Color::Cyan);
const GREEN: Shade = Shade((0x00, 0x9E, 0x73), 36, Color::Green);
const VERMILLION: Shade = Shade((0xD5, 0x5E, 0x00), 166, Color::Red);
const PURPLE: Shade = Shade((0xCC, 0x79, 0xA7), 175, Color::Magenta);
const GREY: Shade = Shade((0x8A, 0x8A, 0x8A), 245, Color::DarkGray);

impl Theme {
    pub fn new(depth: ColourDepth, ascii: bool) -> Theme {
        Theme { depth, glyphs: if ascii { ASCII } else { UNICODE } }
    }

    pub fn style(&self, role: Role) -> Style {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        match role {
            Role::Text => plain,
            Role::Strong | Role::Title => bold,
            Role::Dim if self.depth == ColourDepth::None => plain.add_modifier(Modifier::DIM),
            Role::Dim => self.paint(plain, &GREY),
            Role::Focus => self.paint(bold, &SKY_BLUE),
            Role::Key => self.paint(bold, &SKY_BLUE),
            Role::Selected => plain.add_modifier(Modifier::REVERSED),
            Role::Child => self.paint(plain, &SKY_BLUE),
            Role::Mean => self.paint(bold, &ORANGE),
            Role::Baseline => self.paint(plain, &PURPLE),
            Role::Best | Role::Good => self.paint(bold, &GREEN),
            Role::Gauge => self.paint(plain, &SKY_BLUE),
            Role::Warning => self.paint(bold, &ORANGE),
            Role::Error => self.paint(bold, &VERMILLION),
        }
    }

    fn paint(&self, style: Style, shade: &Shade) -> Style {
        let &Shade((red, green, blue), indexed, sixteen) = shade;
        match self.depth {
            ColourDepth::None => style,
            ColourDepth::Sixteen => style.fg(sixteen),
            ColourDepth::Indexed => style.fg(Color::Indexed(indexed)),
            // Grey is the same colour there and shorter to send.
            ColourDepth::True if indexed == GREY.1 => style.fg(Color::Indexed(indexed)),
            ColourDepth::True => style.fg(Color::Rgb(red, green, blue)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn colour_depth_follows_the_environment() {
        let cases: [(&[(&str, &str)], ColourDepth); 7] = [
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], ColourDepth::True),
            (&[("TERM", "xterm-256color")], ColourDepth::Indexed),
            (&[("TERM", "xterm")], ColourDepth::Sixteen),
            (&[("TERM", "vt100")], ColourDepth::None),
            (&[("TERM", "dumb"), ("COLORTERM", "truecolor")], ColourDepth::None),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "1")], ColourDepth::None),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "")], ColourDepth::Indexed),
        ];
        for (pairs, depth) in cases {
            assert_eq!(ColourDepth::detect(environment(pairs)), depth, "{pairs:?}");
        }
    }

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        assert!(locale_is_utf8(environment(&[("LANG", "C.UTF-8")])));
        assert!(locale_is_utf8(environment(&[("LC_ALL", "de_DE.utf8"), ("LANG", "C")])));
        assert!(!locale_is_utf8(environment(&[("LC_ALL", "C"), ("LANG", "C.UTF-8")])));
        assert!(!locale_is_utf8(environment(&[])));
    }

    #[test]
    fn without_colour_no_style_has_a_colour() {
        let theme = Theme::new(ColourDepth::None, true);
        for role in [Role::Dim, Role::Focus, Role::Child, Role::Mean, Role::Baseline, Role::Best, Role::Warning, Role::Error] {
            assert_eq!((theme.style(role).fg, theme.style(role).bg), (None, None), "{role:?}");
        }
    }

    #[test]
    fn an_ascii_theme_has_only_ascii() {
        assert!(format!("{:?}", Theme::new(ColourDepth::True, true).glyphs).is_ascii());
    }
}
