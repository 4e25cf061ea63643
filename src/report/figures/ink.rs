//! Colours of a report: each has a value on white paper and one on a dark screen.
//!
//! The hues are those of Okabe and Ito (2008), which colour-blind people can tell apart; on a dark
//! background they are lighter where necessary.

use std::fmt::Write as _;

/// The colour of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// The background.
    Paper,
    /// Words and numbers.
    Text,
    /// Less important words, and axes.
    Muted,
    /// Lines behind the marks.
    Grid,
    /// First colour of series.
    Blue,
    /// A lighter blue, beside `Blue`.
    Sky,
    /// Second colour of series.
    Orange,
    /// Third colour of series.
    Green,
    /// Fifth colour of series; also marks failures.
    Vermilion,
    /// Fourth colour of series.
    Purple,
}

/// Name in style sheets, colour on white, colour on dark.
const INKS: [(Ink, &str, &str, &str); 10] = [
    (Ink::Paper, "paper", "#ffffff", "#15181c"),
    (Ink::Text, "text", "#1b1f24", "#e6e8eb"),
    (Ink::Muted, "muted", "#5b6470", "#a2abb6"),
    (Ink::Grid, "grid", "#dde1e6", "#2f353d"),
    (Ink::Blue, "blue", "#0072b2", "#56a8e0"),
    (Ink::Sky, "sky", "#56b4e9", "#7cc7f2"),
    (Ink::Orange, "orange", "#c77800", "#f0b03c"),
    (Ink::Green, "green", "#00805f", "#2fc29a"),
    (Ink::Vermilion, "vermilion", "#d55e00", "#f2803a"),
    (Ink::Purple, "purple", "#b0558a", "#d98bb9"),
];

/// Colours for things that must be told apart, in order; they repeat if more are needed.
pub const SERIES: [Ink; 5] = [
    Ink::Blue,
    Ink::Orange,
    Ink::Green,
    Ink::Purple,
    Ink::Vermilion,
];

impl Ink {
    fn entry(self) -> &'static (Ink, &'static str, &'static str, &'static str) {
        &INKS[self as usize]
    }

    /// `#rrggbb` on white paper, as used in image files.
    pub fn colour(self) -> &'static str {
        self.entry().2
    }

    /// Class of elements filled with it. A style sheet takes precedence over the attributes of an
    /// element, so that a page can change the colours of the same drawing.
    pub fn fill(self) -> String {
        format!("f-{}", self.entry().1)
    }

    /// Class of elements outlined with it.
    pub fn stroke(self) -> String {
        format!("s-{}", self.entry().1)
    }
}

/// The CSS rules of a page: a variable for each ink, light and dark (always light when printed),
/// and the classes that use it.
pub fn stylesheet() -> String {
    let variables = |dark: bool| {
        let pair = |(_, name, light, on_dark): &(Ink, &str, &str, &str)| {
            format!("--{name}:{};", if dark { on_dark } else { light })
        };
        INKS.iter().map(pair).collect::<String>()
    };
    let mut rules = format!(
        ":root{{color-scheme:light dark;{}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{}}}}}\n",
        variables(false),
        variables(true)
    );
    for (_, name, ..) in &INKS {
        // Writing to a string cannot fail.
        let _ = writeln!(
            rules,
            ".f-{name}{{fill:var(--{name})}}.s-{name}{{stroke:var(--{name})}}"
        );
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ink_finds_its_own_colour() {
        assert!(
            INKS.iter()
                .enumerate()
                .all(|(place, (ink, ..))| *ink as usize == place)
        );
        assert_eq!(
            (
                Ink::Blue.colour(),
                Ink::Blue.fill().as_str(),
                Ink::Purple.stroke().as_str()
            ),
            ("#0072b2", "f-blue", "s-purple")
        );
    }

    /// Relative luminance of WCAG 2.
    fn luminance(colour: &str) -> f64 {
        let channel = |from: usize| {
            let value = f64::from(u8::from_str_radix(&colour[from..from + 2], 16).unwrap()) / 255.0;
            if value <= 0.03928 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn text_is_readable_on_its_background_in_light_and_dark() {
        let (_, _, light, dark) = INKS[Ink::Paper as usize];
        for ink in [Ink::Text, Ink::Muted] {
            let (_, name, on_light, on_dark) = INKS[ink as usize];
            assert!(
                contrast(on_light, light) > 4.5 && contrast(on_dark, dark) > 4.5,
                "{name}"
            );
        }
    }

    #[test]
    fn marks_stand_out_from_their_background_in_light_and_dark() {
        let (_, _, light, dark) = INKS[Ink::Paper as usize];
        for ink in SERIES {
            let (_, name, on_light, on_dark) = INKS[ink as usize];
            assert!(
                contrast(on_light, light) > 3.0 && contrast(on_dark, dark) > 4.5,
                "{name}"
            );
        }
    }
}
