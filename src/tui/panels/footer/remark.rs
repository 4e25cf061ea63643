//! A message to the user.

use crate::event::Level;
use crate::tui::format;
use crate::tui::paint::Painter;
use crate::tui::theme::Role;

/// Most rows of a message.
const MOST_ROWS: usize = 4;

/// A message in the last row until the next key; a long one covers some rows above it too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Determines the colour.
    pub level: Level,
    /// The text, without line breaks.
    pub text: String,
}

impl Remark {
    /// Its colour.
    pub fn role(&self) -> Role {
        match self.level {
            Level::Info => Role::Text,
            Level::Warning => Role::Warning,
            Level::Error => Role::Error,
        }
    }

    /// The text in as many rows of a screen of this width as it needs.
    fn lines(&self, width: usize, ellipsis: &str) -> Vec<String> {
        let width = width.saturating_sub(2);
        let mut lines = format::wrap(&self.text, width);
        if lines.len() > MOST_ROWS {
            let rest = lines.split_off(MOST_ROWS - 1).join(" ");
            lines.push(format::fit(&rest, width, ellipsis));
        }
        lines
    }

    /// All of them but the last.
    pub fn beginning(&self, width: usize, ellipsis: &str) -> Vec<String> {
        let mut lines = self.lines(width, ellipsis);
        lines.pop();
        lines
    }

    /// Write the last one into the one row of `painter`.
    pub fn draw_end(&self, painter: &mut Painter<'_>) {
        let lines = self.lines(painter.width(), painter.glyphs().ellipsis);
        if let Some(last) = lines.last() {
            painter.text(1, 0, self.role(), last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::panels::footer::Footer;
    use crate::tui::sample;

    #[test]
    fn a_message_is_whole_in_as_many_rows_as_it_needs_up_to_four() {
        let told = |text: &str| {
            let message = Remark {
                level: Level::Info,
                text: text.to_owned(),
            };
            sample::drawn((40, 6), false, |painter| {
                let mut last = painter.area();
                (last.y, last.height) = (5, 1);
                message.draw_end(&mut painter.part(last));
                Footer::Told(&message).draw_above(painter);
            })
        };
        let text = "the run is stopped; continue it with: nas-tui search --resume runs/first";
        let drawn = told(text);
        let rows: Vec<&str> = drawn.lines().map(str::trim).collect();
        assert_eq!(rows[4..].join(" "), text, "{drawn}");
        assert!(rows[..4].iter().all(|row| row.is_empty()), "{drawn}");
        assert_eq!(told("short").trim(), "short");
        let long = told(&"words ".repeat(60));
        assert!(
            long.starts_with("\n\n words") && long.ends_with('…'),
            "{long}"
        );
    }
}
