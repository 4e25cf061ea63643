//! The screen as an SVG picture: one cell per column, so that borders and Braille line up in any
//! viewer.

use std::fmt::Write as _;

use maud::{PreEscaped, html};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use crate::foundation::text::line;

const CELL_WIDTH: f64 = 8.4;
const CELL_HEIGHT: u32 = 17;
const MARGIN: u32 = 12;
/// From the top of a cell to the baseline of its text.
const BASELINE: u32 = 13;
/// Side of a Braille dot.
const DOT: f64 = 2.2;

/// A colour, as red, green and blue.
type Rgb = [u8; 3];

/// What a terminal shows where no colour is set.
struct Defaults {
    foreground: Rgb,
    background: Rgb,
}

const DARK: Defaults = Defaults {
    foreground: [0xd8, 0xde, 0xe9],
    background: [0x11, 0x15, 0x1c],
};
const LIGHT: Defaults = Defaults {
    foreground: [0x1d, 0x1f, 0x21],
    background: [0xff, 0xff, 0xff],
};

/// The 16 colours that terminals have names for.
const NAMED: [Rgb; 16] = [
    [0x1d, 0x1f, 0x21],
    [0xcc, 0x66, 0x66],
    [0x7f, 0xb5, 0x6a],
    [0xd9, 0xa4, 0x41],
    [0x5f, 0x9e, 0xd1],
    [0xb2, 0x94, 0xbb],
    [0x56, 0xb4, 0xa9],
    [0xc5, 0xc8, 0xc6],
    [0x6b, 0x72, 0x80],
    [0xe0, 0x80, 0x80],
    [0x9f, 0xd0, 0x88],
    [0xf0, 0xc6, 0x74],
    [0x81, 0xb7, 0xe6],
    [0xc9, 0xa8, 0xd4],
    [0x7f, 0xd1, 0xc7],
    [0xff, 0xff, 0xff],
];

/// The picture of a frame, with `title` for those who cannot see it. A theme for light terminals is
/// drawn on white.
pub fn svg(frame: &Buffer, title: &str, is_light: bool) -> String {
    let defaults = if is_light { &LIGHT } else { &DARK };
    let runs = (0..frame.area.height).flat_map(|y| runs(frame, y, defaults));
    let shapes: String = runs.map(|run| run.draw()).collect();
    let width = f64::from(frame.area.width) * CELL_WIDTH + 2.0 * f64::from(MARGIN);
    let width = format!("{width:.0}");
    let height = u32::from(frame.area.height) * CELL_HEIGHT + 2 * MARGIN;
    let svg = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height) role="img" {
            "\n" title { (line(title)) }
            "\n" rect width="100%" height="100%" rx="8" fill=(hex(defaults.background)) {}
            // Chromium ignores an inherited xml:space.
            "\n" style { "text{white-space:pre}" }
            "\n" g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" xml:space="preserve" {
                "\n" (PreEscaped(shapes))
            }
        }
    };
    svg.into_string() + "\n"
}

/// The appearance of a cell, apart from its character.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Look {
    foreground: Rgb,
    /// `None` if it is the picture's.
    background: Option<Rgb>,
    modifier: Modifier,
}

impl Look {
    fn of(cell: &Cell, defaults: &Defaults) -> Look {
        let foreground = rgb(cell.fg).unwrap_or(defaults.foreground);
        let background = rgb(cell.bg);
        let (foreground, background) = match cell.modifier.contains(Modifier::REVERSED) {
            true => (background.unwrap_or(defaults.background), Some(foreground)),
            false => (foreground, background),
        };
        let visible = Modifier::BOLD | Modifier::DIM | Modifier::UNDERLINED;
        Look {
            foreground,
            background,
            modifier: cell.modifier & visible,
        }
    }
}

/// Neighbouring cells of the same look and kind, text or Braille.
struct Run {
    look: Look,
    is_braille: bool,
    /// Its place, in columns and rows.
    start: u16,
    end: u16,
    y: u16,
    text: String,
}

/// The runs of a row.
fn runs(frame: &Buffer, y: u16, defaults: &Defaults) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut x = 0;
    while x < frame.area.width {
        let cell = &frame[(x, y)];
        let (look, is_braille) = (Look::of(cell, defaults), braille(cell.symbol()).is_some());
        // A wide character covers the next cell too.
        let end = x + cell.symbol().width().clamp(1, 2) as u16;
        match runs.last_mut() {
            Some(run) if run.look == look && run.is_braille == is_braille => {
                run.text.push_str(cell.symbol());
                run.end = end;
            }
            _ => runs.push(Run {
                look,
                is_braille,
                start: x,
                end,
                y,
                text: cell.symbol().to_owned(),
            }),
        }
        x = end;
    }
    runs
}

impl Run {
    /// Its elements, one a line; none for a blank.
    fn draw(&self) -> String {
        let x = f64::from(MARGIN) + f64::from(self.start) * CELL_WIDTH;
        let y = MARGIN + u32::from(self.y) * CELL_HEIGHT;
        let length = format!("{:.1}", f64::from(self.end - self.start) * CELL_WIDTH);
        let colour = hex(self.look.foreground);
        let has = |modifier| self.look.modifier.contains(modifier);
        let left = format!("{x:.1}");
        let markup = html! {
            @if let Some(background) = self.look.background {
                rect x=(left) y=(y) width=(length) height=(CELL_HEIGHT) fill=(hex(background)) {} "\n"
            }
            @if self.is_braille {
                @let dots = self.dots(x, f64::from(y));
                @if !dots.is_empty() {
                    path d=(dots) fill=(colour) {} "\n"
                }
            } @else if !self.text.trim().is_empty() {
                text x=(left) y=(y + BASELINE) textLength=(length) lengthAdjust="spacingAndGlyphs" fill=(colour)
                    font-weight=[has(Modifier::BOLD).then_some("bold")] opacity=[has(Modifier::DIM).then_some("0.65")]
                    text-decoration=[has(Modifier::UNDERLINED).then_some("underline")] { (line(&self.text)) }
                "\n"
            }
        };
        markup.into_string()
    }

    /// The dots of its Braille characters as a path: drawn and not written, because fonts disagree on
    /// their width.
    fn dots(&self, x: f64, y: f64) -> String {
        const PLACES: [(u8, u8); 8] = [
            (0, 0),
            (0, 1),
            (0, 2),
            (1, 0),
            (1, 1),
            (1, 2),
            (0, 3),
            (1, 3),
        ];
        let mut path = String::new();
        for (index, character) in self.text.chars().enumerate() {
            let bits = u32::from(character) - 0x2800;
            let left = x + index as f64 * CELL_WIDTH;
            for (bit, (column, row)) in PLACES.into_iter().enumerate() {
                if (bits >> bit) & 1 == 1 {
                    let x = left + (0.27 + 0.46 * f64::from(column)) * CELL_WIDTH - DOT / 2.0;
                    let y = y + (f64::from(row) + 0.5) * f64::from(CELL_HEIGHT) / 4.0 - DOT / 2.0;
                    // Writing to a string cannot fail.
                    let _ = write!(path, "M{x:.1} {y:.1}h{DOT}v{DOT}h-{DOT}z");
                }
            }
        }
        path
    }
}

/// The Braille character that a cell contains.
fn braille(symbol: &str) -> Option<char> {
    let mut characters = symbol.chars();
    let only = characters.next().filter(|_| characters.next().is_none())?;
    ('\u{2800}'..='\u{28ff}').contains(&only).then_some(only)
}

fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// A terminal's colour; `None` is the one where none is set.
fn rgb(colour: Color) -> Option<Rgb> {
    let named = |index: usize| Some(NAMED[index]);
    match colour {
        Color::Reset => None,
        Color::Black => named(0),
        Color::Red => named(1),
        Color::Green => named(2),
        Color::Yellow => named(3),
        Color::Blue => named(4),
        Color::Magenta => named(5),
        Color::Cyan => named(6),
        Color::Gray => named(7),
        Color::DarkGray => named(8),
        Color::LightRed => named(9),
        Color::LightGreen => named(10),
        Color::LightYellow => named(11),
        Color::LightBlue => named(12),
        Color::LightMagenta => named(13),
        Color::LightCyan => named(14),
        Color::White => named(15),
        Color::Indexed(index) => Some(indexed(index)),
        Color::Rgb(red, green, blue) => Some([red, green, blue]),
    }
}

/// One of the 256 colours: the named ones, a cube, and greys.
fn indexed(index: u8) -> Rgb {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    match index {
        0..16 => NAMED[usize::from(index)],
        16..232 => {
            let place = usize::from(index - 16);
            [STEPS[place / 36], STEPS[place / 6 % 6], STEPS[place % 6]]
        }
        232.. => [8 + 10 * (index - 232); 3],
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    fn picture(texts: &[(u16, u16, &str, Style)], is_light: bool) -> String {
        let mut frame = Buffer::empty(Rect::new(0, 0, 20, 2));
        for (x, y, text, style) in texts {
            frame.set_string(*x, *y, text, *style);
        }
        svg(&frame, "a <title>", is_light)
    }

    /// Name, attributes and text.
    type Shape = (String, Vec<(String, String)>, String);

    /// Name, attributes and text of each shape after the background.
    fn shapes(svg: &str) -> Vec<Shape> {
        let parsed = roxmltree::Document::parse(svg).unwrap();
        let group = parsed.descendants().find(|node| node.has_tag_name("g"));
        let elements = group.unwrap().children().filter(|node| node.is_element());
        let owned = |node: roxmltree::Node<'_, '_>| {
            let attributes = node
                .attributes()
                .map(|attribute| (attribute.name().to_owned(), attribute.value().to_owned()));
            let name = node.tag_name().name().to_owned();
            (
                name,
                attributes.collect(),
                node.text().unwrap_or("").to_owned(),
            )
        };
        elements.map(owned).collect()
    }

    #[test]
    fn text_stands_in_its_columns_with_its_colours_and_attributes() {
        let style = Style::new()
            .fg(Color::Indexed(74))
            .add_modifier(Modifier::BOLD);
        let reversed = Style::new().add_modifier(Modifier::REVERSED);
        let svg = picture(&[(2, 1, "a & b", style), (10, 1, "ok", reversed)], false);
        let shapes = shapes(&svg);
        let value = |shape: usize, name: &str| {
            let mut attributes = shapes[shape].1.iter();
            let found = attributes.find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        assert_eq!(
            (shapes[0].0.as_str(), shapes[0].2.as_str()),
            ("text", "a & b")
        );
        assert_eq!((value(0, "x"), value(0, "y")), ("28.8".into(), "42".into()));
        assert_eq!(value(0, "textLength"), "42.0");
        assert_eq!(
            (value(0, "fill"), value(0, "font-weight")),
            ("#5fafd7".into(), "bold".into())
        );
        assert_eq!(
            (shapes[1].0.as_str(), value(1, "fill")),
            ("rect", "#d8dee9".into())
        );
        assert_eq!(
            (shapes[2].2.as_str(), value(2, "fill")),
            ("ok", "#11151c".into())
        );
        assert_eq!(shapes.len(), 3, "blanks are not drawn");
    }

    #[test]
    fn braille_is_drawn_as_dots() {
        let svg = picture(&[(0, 0, "\u{2801}\u{2800}\u{28ff}", Style::new())], false);
        let shapes = shapes(&svg);
        assert_eq!((shapes.len(), shapes[0].0.as_str()), (1, "path"));
        let path = &shapes[0].1[0].1;
        assert_eq!(path.matches('z').count(), 9);
        assert!(path.starts_with("M13.2 13.0h2.2v2.2h-2.2z"), "{path}");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let svg = picture(&[(0, 0, "日本x", Style::new())], false);
        let text = &shapes(&svg)[0];
        assert_eq!(text.2.trim_end(), "日本x");
    }

    #[test]
    fn the_title_is_escaped_and_a_light_theme_is_drawn_on_white() {
        let (dark, light) = (picture(&[], false), picture(&[], true));
        assert!(dark.contains("<title>a &lt;title&gt;</title>"), "{dark}");
        assert!(dark.contains("fill=\"#11151c\"") && light.contains("fill=\"#ffffff\""));
    }

    #[test]
    fn every_one_of_the_256_colours_exists() {
        assert_eq!(indexed(15), [255; 3]);
        assert_eq!(indexed(16), [0; 3]);
        assert_eq!(indexed(231), [255; 3]);
        assert_eq!((indexed(232), indexed(255)), ([8; 3], [238; 3]));
    }
}
