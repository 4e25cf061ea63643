//! Parts of an SVG drawing, which is the same text in the page and in the image file. Lengths are
//! CSS pixels.

use maud::{Markup, PreEscaped, html};

use super::ink::Ink;
use crate::foundation::text::line;

/// The medium of a figure: a page or a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// 760 pixels: a page or an image file.
    Wide,
    /// 340 pixels: a phone.
    Narrow,
}

impl Form {
    /// Width of the drawing.
    pub fn width(self) -> f64 {
        match self {
            Form::Wide => 760.0,
            Form::Narrow => 340.0,
        }
    }

    /// Height of a plot.
    pub fn height(self) -> f64 {
        match self {
            Form::Wide => 340.0,
            Form::Narrow => 270.0,
        }
    }

    /// Size of normal text.
    pub fn text_size(self) -> f64 {
        match self {
            Form::Wide => 12.5,
            Form::Narrow => 11.5,
        }
    }
}

/// A complete drawing: `content` on paper of `size`, with `description` for those who cannot see
/// it.
pub fn document(size: (f64, f64), description: &str, content: &Markup) -> String {
    let (width, height) = (number(size.0), number(size.1));
    let svg = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height)
            role="img" aria-label=(line(description)) font-family="Inter, DejaVu Sans, Verdana, sans-serif" {
            rect width=(width) height=(height) fill=(Ink::Paper.colour()) class=(Ink::Paper.fill()) {}
            (content)
        }
    };
    svg.into_string()
}

/// A number as SVG accepts it: at most two decimals; 0 if it is not finite.
pub fn number(value: f64) -> String {
    let value = if value.is_finite() { value } else { 0.0 };
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// The point of a text that is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextAnchor {
    Start,
    Middle,
    End,
}

impl TextAnchor {
    fn name(self) -> Option<&'static str> {
        match self {
            TextAnchor::Start => None,
            TextAnchor::Middle => Some("middle"),
            TextAnchor::End => Some("end"),
        }
    }
}

/// A text with its baseline at `at`.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    at: (f64, f64),
    size: f64,
    anchor: TextAnchor,
    ink: Ink,
    bold: bool,
    text: &'a str,
}

impl<'a> Text<'a> {
    /// Text that is not bold.
    pub fn new(at: (f64, f64), size: f64, anchor: TextAnchor, ink: Ink, text: &'a str) -> Text<'a> {
        Text {
            at,
            size,
            anchor,
            ink,
            bold: false,
            text,
        }
    }

    /// The same text, bold or not.
    pub fn bold(self, bold: bool) -> Text<'a> {
        Text { bold, ..self }
    }

    /// The text as an element.
    pub fn draw(&self) -> Markup {
        self.draw_turned(0.0)
    }

    /// With paper around its letters, so that it is readable over lines.
    pub fn draw_over(&self) -> Markup {
        let (x, y) = (number(self.at.0), number(self.at.1));
        let halo = html! {
            text x=(x) y=(y) font-size=(number(self.size)) text-anchor=[self.anchor.name()] font-weight=[self.bold.then_some("600")]
                fill=(Ink::Paper.colour()) stroke=(Ink::Paper.colour()) stroke-width="4" stroke-linejoin="round"
                class={ (Ink::Paper.fill()) " " (Ink::Paper.stroke()) } aria-hidden="true" { (line(self.text)) }
        };
        html! { (halo) (self.draw()) }
    }

    /// Rotated by this many degrees about its position.
    pub fn draw_turned(&self, degrees: f64) -> Markup {
        let (x, y) = (number(self.at.0), number(self.at.1));
        let turn = (degrees != 0.0).then(|| format!("rotate({} {x} {y})", number(degrees)));
        html! {
            text x=(x) y=(y) font-size=(number(self.size)) text-anchor=[self.anchor.name()] font-weight=[self.bold.then_some("600")]
                transform=[turn] fill=(self.ink.colour()) class=(self.ink.fill()) { (line(self.text)) }
        }
    }
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Pen {
    /// Colour of the line.
    pub ink: Ink,
    /// Its width.
    pub width: f64,
    /// Lengths of dashes and gaps.
    pub dash: Option<&'static str>,
}

impl Pen {
    /// A solid line.
    pub fn solid(ink: Ink, width: f64) -> Pen {
        Pen {
            ink,
            width,
            dash: None,
        }
    }

    /// A dashed line; `dash` gives the lengths of dashes and gaps.
    pub fn dashed(ink: Ink, width: f64, dash: &'static str) -> Pen {
        Pen {
            ink,
            width,
            dash: Some(dash),
        }
    }

    /// A line along the commands `path`.
    pub fn draw(&self, path: &str) -> Markup {
        html! {
            path d=(path) fill="none" stroke=(self.ink.colour()) class=(self.ink.stroke()) stroke-width=(number(self.width))
                stroke-linecap="round" stroke-linejoin="round" stroke-dasharray=[self.dash] {}
        }
    }

    /// A straight line.
    pub fn line(&self, from: (f64, f64), to: (f64, f64)) -> Markup {
        self.draw(&polyline(&[from, to]))
    }
}

/// Path commands for straight lines through `points`.
pub fn polyline(points: &[(f64, f64)]) -> String {
    let command = |(place, (x, y)): (usize, &(f64, f64))| {
        format!(
            "{}{} {}",
            if place == 0 { "M" } else { "L" },
            number(*x),
            number(*y)
        )
    };
    points.iter().enumerate().map(command).collect()
}

/// Dots of one size as a single path, so that thousands of them stay small: each is a line of zero
/// length with a round cap. Dots that would cover each other exactly are drawn once.
pub fn dots(
    points: impl Iterator<Item = (f64, f64)>,
    diameter: f64,
    ink: Ink,
    opacity: f64,
) -> Markup {
    let mut seen = std::collections::HashSet::new();
    let tenth = |value: f64| (value * 10.0).round() as i64;
    let places: Vec<(i64, i64)> = points
        .map(|(x, y)| (tenth(x), tenth(y)))
        .filter(|place| seen.insert(*place))
        .collect();
    let path: String = places
        .iter()
        .map(|(x, y)| {
            format!(
                "M{} {}h.01",
                number(*x as f64 / 10.0),
                number(*y as f64 / 10.0)
            )
        })
        .collect();
    html! {
        path d=(path) fill="none" stroke=(ink.colour()) class=(ink.stroke()) stroke-width=(number(diameter)) stroke-linecap="round"
            stroke-opacity=(number(opacity)) {}
    }
}

/// Crosses of one size as a single path.
pub fn crosses(points: impl Iterator<Item = (f64, f64)>, size: f64, ink: Ink) -> Markup {
    let half = size / 2.0;
    let cross = |(x, y): (f64, f64)| {
        polyline(&[(x - half, y - half), (x + half, y + half)])
            + &polyline(&[(x - half, y + half), (x + half, y - half)])
    };
    Pen::solid(ink, 1.6).draw(&points.map(cross).collect::<String>())
}

/// A circle with a rim of paper, so that it stands out from its surroundings.
pub fn disc((x, y): (f64, f64), radius: f64, ink: Ink) -> Markup {
    html! {
        circle cx=(number(x)) cy=(number(y)) r=(number(radius)) fill=(ink.colour()) stroke=(Ink::Paper.colour()) stroke-width="1.5"
            class={ (ink.fill()) " " (Ink::Paper.stroke()) } {}
    }
}

/// Circles of one size that are not filled, as a single path of pairs of half circles.
pub fn rings(points: impl Iterator<Item = (f64, f64)>, radius: f64, ink: Ink) -> Markup {
    let (r, across) = (number(radius), number(2.0 * radius));
    let ring = |(x, y): (f64, f64)| {
        let (left, y) = (number(x - radius), number(y));
        format!("M{left} {y}a{r} {r} 0 1 0 {across} 0a{r} {r} 0 1 0 -{across} 0")
    };
    Pen::solid(ink, 1.6).draw(&points.map(ring).collect::<String>())
}

/// A filled rectangle.
pub fn area((x, y): (f64, f64), (width, height): (f64, f64), ink: Ink, opacity: f64) -> Markup {
    html! {
        rect x=(number(x)) y=(number(y)) width=(number(width.max(0.0))) height=(number(height.max(0.0))) fill=(ink.colour())
            class=(ink.fill()) fill-opacity=[(opacity < 1.0).then(|| number(opacity))] {}
    }
}

/// A filled polygon.
pub fn polygon(corners: &[(f64, f64)], ink: Ink, opacity: f64) -> Markup {
    html! {
        path d={ (polyline(corners)) "Z" } fill=(ink.colour()) class=(ink.fill()) fill-opacity=(number(opacity)) {}
    }
}

/// Several parts on top of each other.
pub fn all(parts: impl IntoIterator<Item = Markup>) -> Markup {
    PreEscaped(parts.into_iter().map(Markup::into_string).collect())
}

/// Approximate width of `text`, by the wider of DejaVu Sans and Verdana: what fits by this measure fits in
/// any common sans-serif typeface.
pub fn text_width(text: &str, size: f64) -> f64 {
    let share = |character: char| match character {
        'i' | 'j' | 'l' | 'I' | 'J' | '.' | ',' | '\'' | '|' | ' ' | '·' => 0.36,
        'f' | 't' | 'r' | ':' | ';' | '!' | '(' | ')' | '/' | '-' => 0.45,
        'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' => 0.59,
        'w' | '+' | '=' | '<' | '>' | '~' | '×' | '±' => 0.84,
        'm' | 'M' | 'W' | '@' | '—' => 1.0,
        '%' => 1.08,
        character if character.is_uppercase() => 0.79,
        character if character.is_ascii() => 0.64,
        _ => 1.0,
    };
    text.chars().map(share).sum::<f64>() * size
}

/// Width of the widest of `texts`.
pub fn widest<'a>(texts: impl Iterator<Item = &'a str>, size: f64) -> f64 {
    let widths = texts.map(|text| text_width(text, size));
    widths.fold(0.0, f64::max)
}

/// `text`, or its beginning with an ellipsis, so that it is at most `width` wide.
pub fn shortened(text: &str, width: f64, size: f64) -> String {
    let text = line(text);
    if text_width(&text, size) <= width {
        return text.into_owned();
    }
    let mut short = String::new();
    for character in text.chars() {
        if text_width(&short, size) + text_width(&character.to_string(), size) + size > width {
            break;
        }
        short.push(character);
    }
    short.trim_end().to_owned() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_always_finite() {
        let texts: Vec<String> = [1.0, 2.5, -0.001, 2.71999, f64::NAN, f64::INFINITY]
            .into_iter()
            .map(number)
            .collect();
        assert_eq!(texts, ["1", "2.5", "0", "2.72", "0", "0"]);
    }

    #[test]
    fn text_from_a_run_is_escaped_and_the_result_can_be_parsed() {
        let nasty = "<b>&\"' ]]> \u{1} \u{1b}[0m";
        let text = Text::new((1.0, 2.0), 12.0, TextAnchor::Start, Ink::Text, nasty);
        let svg = document((10.0, 10.0), nasty, &text.draw());
        let parsed = roxmltree::Document::parse(&svg).unwrap();
        let found = parsed
            .descendants()
            .find(|node| node.has_tag_name("text"))
            .unwrap();
        assert_eq!(found.text(), Some("<b>&\"' ]]> \u{fffd} "));
    }

    #[test]
    fn dots_at_the_same_position_are_drawn_once() {
        let svg = dots(
            [(1.0, 1.0), (1.01, 1.0), (2.0, 1.0)].into_iter(),
            3.0,
            Ink::Blue,
            0.5,
        )
        .into_string();
        assert_eq!(svg.matches("h.01").count(), 2, "{svg}");
    }

    #[test]
    fn a_text_that_is_too_wide_is_shortened() {
        assert_eq!(shortened("Ankle boot", 100.0, 12.0), "Ankle boot");
        let short = shortened("a very long class name", 60.0, 12.0);
        assert!(
            short.ends_with('…') && text_width(&short, 12.0) < 66.0,
            "{short}"
        );
    }

    /// Widths in DejaVu Sans 2.37 by Pillow's `ImageFont.getlength`, at size 1.
    #[test]
    fn texts_of_legends_fit_in_their_width_in_the_widest_common_typeface_and_do_not_waste_it() {
        for (text, width) in [
            ("middle half of the episode", 13.078),
            ("training, smoothed loss", 11.754),
            ("validation, averaged weights", 14.498),
            ("Pareto front: nothing cheaper is as accurate", 22.003),
            ("best so far", 5.308),
            ("cosine, 30 epochs", 9.002),
            ("1,024.5 M", 4.998),
            ("automobile", 5.642),
        ] {
            let estimate = text_width(text, 1.0);
            assert!(
                (width..1.1 * width).contains(&estimate),
                "{text}: {estimate} for {width}"
            );
        }
    }
}
