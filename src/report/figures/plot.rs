//! The frame of a plot: a horizontal scale with round ticks, a vertical scale or named rows, a
//! grid, titles, a legend, and the position of a value.

use maud::{Markup, html};

use super::ink::Ink;
use super::svg::{self, Form, Pen, Text, TextAnchor, shortened, text_width};
pub use super::titled_axis::TitledAxis;

/// An entry of a legend.
#[derive(Debug, Clone, PartialEq)]
pub struct LegendKey {
    mark: Mark,
    ink: Ink,
    text: String,
}

/// The appearance of an element in a plot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Dot,
    Cross,
    Ring,
    Line,
    Dashes,
    Band,
}

impl LegendKey {
    /// The entry for elements with this mark and colour.
    pub fn new(mark: Mark, ink: Ink, text: impl Into<String>) -> LegendKey {
        LegendKey {
            mark,
            ink,
            text: text.into(),
        }
    }

    fn draw(&self, (x, y): (f64, f64), size: f64) -> Markup {
        let middle = y - size * 0.35;
        let sample = match self.mark {
            Mark::Dot => svg::disc((x + 9.0, middle), 4.0, self.ink),
            Mark::Cross => svg::crosses([(x + 9.0, middle)].into_iter(), 7.0, self.ink),
            Mark::Ring => svg::rings([(x + 9.0, middle)].into_iter(), 3.5, self.ink),
            Mark::Line => Pen::solid(self.ink, 2.2).line((x, middle), (x + SAMPLE, middle)),
            Mark::Dashes => {
                Pen::dashed(self.ink, 1.8, DASH).line((x, middle), (x + SAMPLE, middle))
            }
            Mark::Band => svg::area((x, middle - 5.0), (SAMPLE, 10.0), self.ink, BAND),
        };
        let text = Text::new(
            (x + SAMPLE + 6.0, y),
            size,
            TextAnchor::Start,
            Ink::Text,
            &self.text,
        );
        html! { (sample) (text.draw()) }
    }
}

/// Dashes and gaps of a dashed line.
pub const DASH: &str = "5 4";
/// Opacity of a band.
pub const BAND: f64 = 0.18;
/// Width of the sample in a legend.
const SAMPLE: f64 = 18.0;

/// Height of a named row.
const ROW: f64 = 24.0;

/// What is at the left of a plot.
#[derive(Debug, Clone)]
enum Side {
    Values(TitledAxis),
    /// Names, from the top. The value of a row is its number, from 0.
    Rows(Vec<String>),
}

/// A plot without its content.
#[derive(Debug, Clone)]
pub struct Plot {
    form: Form,
    size: (f64, f64),
    /// Corners of the area in which values are drawn.
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: TitledAxis,
    y: Side,
    legend: Vec<PlacedKey>,
}

impl Plot {
    /// An empty plot of values over values, with its legend above it.
    pub fn new(form: Form, x: TitledAxis, y: TitledAxis, keys: Vec<LegendKey>) -> Plot {
        let (width, text) = (form.width(), form.text_size());
        let labels = y.ticks.iter().map(|(_, label)| label.as_str());
        let left = svg::widest(labels, text) + 16.0;
        // The last label is centred on its tick.
        let beyond = x
            .ticks
            .last()
            .map_or(0.0, |(_, label)| text_width(label, text) / 2.0);
        let (legend, rows) = place(keys, width, text);
        let top = rows as f64 * text * 1.65 + text * 2.6;
        let height = form.height() + rows.saturating_sub(1) as f64 * text * 1.65;
        Plot {
            form,
            size: (width, height),
            left,
            right: width - beyond.max(14.0),
            top,
            bottom: height - text * 3.4,
            x,
            y: Side::Values(y),
            legend,
        }
    }

    /// Named rows from top to bottom over the values of `x`, with space for a text of width
    /// `beside` at the end of each, and for one line above them.
    pub fn of_rows<'a>(
        form: Form,
        x: TitledAxis,
        names: impl Iterator<Item = &'a str> + Clone,
        beside: f64,
    ) -> Plot {
        let (width, text) = (form.width(), form.text_size());
        let widest = if form == Form::Wide { 190.0 } else { 108.0 };
        let room = svg::widest(names.clone(), text).min(widest);
        let names: Vec<String> = names.map(|name| shortened(name, room, text)).collect();
        let top = 30.0;
        let bottom = top + ROW * names.len() as f64;
        Plot {
            form,
            size: (width, bottom + 28.0),
            left: room + 18.0,
            right: width - beside,
            top,
            bottom,
            x,
            y: Side::Rows(names),
            legend: Vec::new(),
        }
    }

    /// Horizontal position of a value.
    pub fn x(&self, value: f64) -> f64 {
        self.left + self.x.fraction(value) * (self.right - self.left)
    }

    /// Vertical position of a value.
    pub fn y(&self, value: f64) -> f64 {
        match &self.y {
            Side::Values(y) => self.bottom - y.fraction(value) * (self.bottom - self.top),
            Side::Rows(_) => self.top + (value + 0.5) * ROW,
        }
    }

    /// Position of the point with these values.
    pub fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.x(x), self.y(y))
    }

    /// The bottom of the area, below all values.
    pub fn floor(&self) -> f64 {
        self.bottom
    }

    /// Size of normal text.
    pub fn text_size(&self) -> f64 {
        self.form.text_size()
    }

    /// Left edge of the area.
    pub fn left(&self) -> f64 {
        self.left
    }

    /// Right edge of the area.
    pub fn right(&self) -> f64 {
        self.right
    }

    /// Upper edge of the area.
    pub fn top(&self) -> f64 {
        self.top
    }

    /// A line through values.
    pub fn line(&self, points: &[(f64, f64)], pen: Pen) -> Markup {
        pen.draw(&svg::polyline(
            &points
                .iter()
                .map(|point| self.at(*point))
                .collect::<Vec<_>>(),
        ))
    }

    /// The whole drawing, with `content` on top of the grid.
    pub fn document(&self, description: &str, content: &Markup) -> String {
        svg::document(
            self.size,
            description,
            &html! { (self.grid()) (content) (self.titles()) },
        )
    }

    fn grid(&self) -> Markup {
        match &self.y {
            Side::Values(y) => self.values_grid(y),
            Side::Rows(names) => self.rows_grid(names),
        }
    }

    fn values_grid(&self, y: &TitledAxis) -> Markup {
        let size = self.form.text_size();
        let rows = y.ticks.iter().map(|(value, text)| {
            let y = self.y(*value);
            html! {
                (Pen::solid(Ink::Grid, 1.0).line((self.left, y), (self.right, y)))
                (self.muted((self.left - 8.0, y + size * 0.35), TextAnchor::End, text))
            }
        });
        let columns = self.x.ticks.iter().map(|(value, text)| {
            let (x, below) = (self.x(*value), self.bottom + 6.0 + size);
            let tick = Pen::solid(Ink::Muted, 1.0);
            html! {
                (tick.line((x, self.bottom), (x, self.bottom + 4.0)))
                (self.muted((x, below), TextAnchor::Middle, text))
            }
        });
        let floor =
            Pen::solid(Ink::Muted, 1.0).line((self.left, self.bottom), (self.right, self.bottom));
        svg::all(rows.chain(columns).chain([floor]))
    }

    /// The vertical lines of the values cross all rows: there is no floor.
    fn rows_grid(&self, names: &[String]) -> Markup {
        let size = self.form.text_size();
        let columns = self.x.ticks.iter().map(|(value, text)| {
            let x = self.x(*value);
            html! {
                (Pen::solid(Ink::Grid, 1.0).line((x, self.top - 4.0), (x, self.bottom)))
                (self.muted((x, self.bottom + 18.0), TextAnchor::Middle, text))
            }
        });
        let names = names.iter().enumerate().map(|(number, name)| {
            let at = (self.left - 10.0, self.y(number as f64) + size * 0.35);
            Text::new(at, size, TextAnchor::End, Ink::Text, name).draw()
        });
        svg::all(columns.chain(names))
    }

    fn titles(&self) -> Markup {
        let size = self.form.text_size();
        html! {
            @if let Side::Values(y) = &self.y {
                (self.muted((6.0, self.top - size * 0.9), TextAnchor::Start, &y.title))
                (self.muted((self.right, self.size.1 - 6.0), TextAnchor::End, &self.x.title))
            }
            @for (key, at) in &self.legend { (key.draw(*at, size)) }
        }
    }

    fn muted(&self, at: (f64, f64), anchor: TextAnchor, text: &str) -> Markup {
        Text::new(at, self.form.text_size(), anchor, Ink::Muted, text).draw()
    }
}

/// An entry of a legend and its position.
type PlacedKey = (LegendKey, (f64, f64));

/// Place legend entries from left to right in as many rows as necessary: returns each with its
/// position, and the number of rows.
fn place(keys: Vec<LegendKey>, width: f64, size: f64) -> (Vec<PlacedKey>, usize) {
    let (mut x, mut row) = (6.0, 1);
    let mut placed = Vec::with_capacity(keys.len());
    for key in keys {
        let taken = SAMPLE + 6.0 + text_width(&key.text, size) + 14.0;
        if x > 6.0 && x + taken > width {
            (x, row) = (6.0, row + 1);
        }
        placed.push((key, (x, row as f64 * size * 1.65)));
        x += taken;
    }
    let rows = if placed.is_empty() { 0 } else { row };
    (placed, rows)
}

/// A drawing that explains why there is nothing to draw.
pub fn empty(form: Form, reason: &str) -> String {
    let size = (form.width(), 96.0);
    let at = (size.0 / 2.0, 52.0);
    let text = Text::new(at, form.text_size(), TextAnchor::Middle, Ink::Muted, reason);
    svg::document(size, reason, &text.draw())
}

#[cfg(test)]
mod tests;
