//! Drawing text into a part of the screen, clipped to it: no panel can write outside its own area.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use super::target::{Target, Targets};
use super::theme::{Glyphs, Role, Theme};
use crate::foundation::text::line;

/// A piece of a line: its role and its text.
pub type Piece = (Role, String);

/// A part of the screen to draw in; positions are relative to its upper left corner.
pub struct Painter<'a> {
    buffer: &'a mut Buffer,
    area: Rect,
    theme: &'a Theme,
    targets: Option<&'a mut Targets>,
}

impl<'a> Painter<'a> {
    /// A painter for the part of `area` that lies in `buffer`.
    pub fn new(buffer: &'a mut Buffer, area: Rect, theme: &'a Theme) -> Painter<'a> {
        let area = area.intersection(buffer.area);
        Painter {
            buffer,
            area,
            theme,
            targets: None,
        }
    }

    /// The same painter, which also notes what can be clicked.
    pub fn marking(self, targets: &'a mut Targets) -> Painter<'a> {
        Painter {
            targets: Some(targets),
            ..self
        }
    }

    /// Mark the cells from column `x` of row `y` on as something that can be clicked.
    pub fn target(
        &mut self,
        (x, y): (usize, usize),
        (width, height): (usize, usize),
        target: Target,
    ) {
        let area = self.area;
        let Some(targets) = self.targets.as_deref_mut() else {
            return;
        };
        if x < usize::from(area.width) && y < usize::from(area.height) {
            // What lies outside the area is cut off.
            let within = |length: usize, room: u16| length.min(usize::from(room)) as u16;
            let marked = Rect {
                x: area.x + x as u16,
                y: area.y + y as u16,
                width: within(width, area.width - x as u16),
                height: within(height, area.height - y as u16),
            };
            targets.mark(marked, target);
        }
    }

    /// Mark the whole area.
    pub fn target_all(&mut self, target: Target) {
        let size = (self.width(), self.height());
        self.target((0, 0), size, target);
    }

    /// The part of this area covered by `area` (in screen positions).
    pub fn part(&mut self, area: Rect) -> Painter<'_> {
        Painter {
            area: area.intersection(self.area),
            buffer: self.buffer,
            theme: self.theme,
            targets: self.targets.as_deref_mut(),
        }
    }

    /// The area in screen positions.
    pub fn area(&self) -> Rect {
        self.area
    }

    /// Width in columns.
    pub fn width(&self) -> usize {
        usize::from(self.area.width)
    }

    /// Height in rows.
    pub fn height(&self) -> usize {
        usize::from(self.area.height)
    }

    /// The characters that this terminal can show.
    pub fn glyphs(&self) -> &'a Glyphs {
        &self.theme.glyphs
    }

    /// Write `text` from column `x` of row `y`; returns the column after it.
    pub fn text(&mut self, x: usize, y: usize, role: Role, text: &str) -> usize {
        self.styled(x, y, self.theme.style(role), text)
    }

    fn styled(&mut self, x: usize, y: usize, style: Style, text: &str) -> usize {
        let end = x + text.width();
        if y < self.height() && x < self.width() {
            // Both fit into u16 because they are inside the area.
            let (column, row) = (self.area.x + x as u16, self.area.y + y as u16);
            self.buffer
                .set_stringn(column, row, line(text), self.width() - x, style);
        }
        end
    }

    /// Write the pieces one after another; returns the column after them.
    pub fn pieces(&mut self, x: usize, y: usize, pieces: &[Piece]) -> usize {
        pieces
            .iter()
            .fold(x, |x, (role, text)| self.text(x, y, *role, text))
    }

    /// Write `text` so that it ends before column `end`.
    pub fn right(&mut self, end: usize, y: usize, role: Role, text: &str) {
        self.text(end.saturating_sub(text.width()), y, role, text);
    }

    /// Blank the area.
    pub fn clear(&mut self) {
        for position in self.area.positions() {
            self.buffer[position].reset();
        }
    }
}

/// A horizontal bar of `width` columns, filled to `fraction`.
pub fn bar(glyphs: &Glyphs, width: usize, fraction: f64, role: Role) -> Vec<Piece> {
    let full = filled(width, fraction);
    vec![
        (role, glyphs.bar_full.repeat(full)),
        (Role::Dim, glyphs.bar_empty.repeat(width - full)),
    ]
}

/// Blank the painter's area and draw a frame with a title around it.
pub fn frame(painter: &mut Painter<'_>, title: &str) {
    painter.clear();
    let (width, height) = (painter.width(), painter.height());
    if width < 2 || height < 2 {
        return;
    }
    let glyphs = painter.glyphs();
    let [upper_left, upper_right, lower_left, lower_right] = glyphs.corners;
    let rule = glyphs.rule.repeat(width - 2);
    painter.text(
        0,
        0,
        Role::Focus,
        &format!("{upper_left}{rule}{upper_right}"),
    );
    for y in 1..height - 1 {
        painter.text(0, y, Role::Focus, glyphs.vertical);
        painter.text(width - 1, y, Role::Focus, glyphs.vertical);
    }
    painter.text(
        0,
        height - 1,
        Role::Focus,
        &format!("{lower_left}{rule}{lower_right}"),
    );
    painter.text(2, 0, Role::Focus, &format!(" {title} "));
}

/// Number of columns filled in a bar of `width`: all of them only when it is complete.
fn filled(width: usize, fraction: f64) -> usize {
    match fraction {
        fraction if !fraction.is_finite() || fraction <= 0.0 => 0,
        fraction if fraction >= 1.0 => width,
        fraction => ((width as f64 * fraction).round() as usize).min(width.saturating_sub(1)),
    }
}

/// Number of columns that the pieces occupy.
pub fn pieces_width(pieces: &[Piece]) -> usize {
    pieces.iter().map(|(_, text)| text.width()).sum()
}

#[cfg(test)]
mod tests {
    use super::super::theme::ColourDepth;
    use super::*;
    use crate::config::ThemeName;

    #[test]
    fn nothing_is_drawn_outside_the_area() {
        let theme = Theme::new(ThemeName::default(), ColourDepth::None, false);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 6, 3));
        let mut painter = Painter::new(&mut buffer, Rect::new(1, 1, 3, 1), &theme);
        painter.text(0, 0, Role::Text, "abcdef");
        painter.text(9, 0, Role::Text, "x");
        painter.text(0, 5, Role::Text, "x");
        painter.right(1, 0, Role::Text, "long");
        let rows: Vec<String> = (0..3)
            .map(|y| (0..6).map(|x| buffer[(x, y)].symbol().to_owned()).collect())
            .collect();
        assert_eq!(rows, ["      ", " lon  ", "      "]);
    }

    #[test]
    fn a_bar_is_full_only_when_everything_is_done() {
        assert_eq!(
            (
                filled(10, 0.999),
                filled(10, 1.0),
                filled(10, f64::NAN),
                filled(0, 1.0)
            ),
            (9, 10, 0, 0)
        );
    }
}
