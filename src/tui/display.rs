//! What the terminal shows, frame by frame: only differences from the previous frame are sent.

use std::io;
use std::ops::Range;
use std::time::Instant;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Rect, Size};
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthStr;

use super::ansi::{AnsiWriter, Change, Tty, erasure};
use super::title::TitleBar;
use crate::foundation::text::line;

/// A terminal and the frame it shows.
pub struct Display<T: Tty> {
    writer: AnsiWriter<T>,
    shown: Buffer,
    /// The title, which is sent with the frames.
    pub title: TitleBar,
}

impl<T: Tty> Display<T> {
    /// With `ascii`, only ASCII characters are ever sent.
    pub fn new(tty: T, ascii: bool) -> Display<T> {
        Display {
            writer: AnsiWriter::new(tty, ascii),
            shown: Buffer::default(),
            title: TitleBar::default(),
        }
    }

    /// Current size of the terminal, in cells.
    pub fn size(&self) -> io::Result<Size> {
        self.writer.size()
    }

    /// Redraw every cell with the next frame: the terminal may show something else.
    pub fn forget(&mut self) {
        self.shown = Buffer::default();
        self.title.forget();
    }

    /// Ring the bell, and have the terminal notify the user (OSC 9).
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn alert(&mut self, bell: bool, notification: Option<&str>) -> io::Result<()> {
        let bell = if bell { "\x07" } else { "" };
        let notification = notification.map_or(String::new(), |text| {
            let plain: String = line(text).chars().take(200).collect();
            format!("\x1b]9;{plain}\x07")
        });
        self.writer.raw(&format!("{bell}{notification}"))
    }

    /// Send `sequence` unchanged; it must not affect the frame.
    pub fn raw(&mut self, sequence: &str) -> io::Result<()> {
        self.writer.raw(sequence)
    }

    /// Show `frame`. If `scrolling` rows are given, they are first searched for further down in the
    /// previous frame: a log that moved up by a line then costs that line, not all of its rows.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn show(&mut self, mut frame: Buffer, scrolling: Option<Range<u16>>) -> io::Result<()> {
        normalise_blanks(&mut frame);
        if frame.area != self.shown.area {
            self.writer.clear();
            self.shown = Buffer::empty(frame.area);
        }
        if let Some(rows) =
            scrolling.filter(|rows| rows.start < rows.end && rows.end <= frame.area.height)
        {
            self.scroll(&frame, rows);
        }
        let mut changes = Vec::new();
        for y in 0..frame.area.height {
            self.find_changes(&frame, y, &mut changes);
        }
        self.writer.write(&frame, &changes);
        self.shown = frame;
        if let Some(sequence) = self.title.due(Instant::now()) {
            self.writer.append(&sequence);
        }
        self.writer.flush()
    }

    /// Add where a row differs from what the terminal shows.
    fn find_changes(&self, frame: &Buffer, y: u16, changes: &mut Vec<Change>) {
        // Up to here a wide character of the previous frame has been partly overwritten: what is
        // left of it is unknown.
        let mut stale = 0;
        let mut x = 0;
        while x < frame.area.width {
            let mut width = columns(&frame[(x, y)]);
            if x < stale || frame[(x, y)] != self.shown[(x, y)] {
                let erased = self.blanks(frame, x, y);
                changes.push(Change { x, y, erased });
                width = erased.map_or(width, |(blanks, _)| blanks);
                let covered = x..(x + width).min(frame.area.width);
                stale = covered
                    .map(|column| column + columns(&self.shown[(column, y)]))
                    .fold(stale, u16::max);
            }
            x += width;
        }
    }

    /// How many cells from here on become blank, if erasing them is cheaper than writing blanks, and
    /// whether they are the rest of the row.
    fn blanks(&self, frame: &Buffer, x: u16, y: u16) -> Option<(u16, bool)> {
        let is_blank = |column: &u16| frame[(*column, y)] == Cell::EMPTY;
        let run = (x..frame.area.width).take_while(is_blank).count() as u16;
        let to_end = x + run == frame.area.width;
        let mut changed =
            (x..x + run).filter(|&column| frame[(column, y)] != self.shown[(column, y)]);
        let last = changed.next_back()?;
        let blanks = last + 1 - x;
        let written = changed.count() + 1;
        (erasure(blanks, to_end).len() < written)
            .then_some((if to_end { run } else { blanks }, to_end))
    }

    /// Let the terminal move rows of `frame` that were some rows further down before.
    fn scroll(&mut self, frame: &Buffer, rows: Range<u16>) {
        let in_place = changed_rows(&self.shown, frame, rows.clone(), 0);
        let best = (1..rows.end - rows.start)
            .map(|by| (changed_rows(&self.shown, frame, rows.clone(), by), by))
            .min();
        // A row that stays is worth more than the few bytes that moving it saves.
        let Some((_, by)) = best.filter(|(changed, _)| *changed < in_place) else {
            return;
        };
        self.writer.scroll_up(rows.start, rows.end, by);
        for y in rows.clone() {
            for x in 0..frame.area.width {
                let from = (y + by < rows.end).then(|| self.shown[(x, y + by)].clone());
                self.shown[(x, y)] = from.unwrap_or_default();
            }
        }
    }
}

/// Number of columns that a cell occupies.
fn columns(cell: &Cell) -> u16 {
    cell.symbol().width().clamp(1, 2) as u16
}

/// Number of rows of `next` that differ from those `by` rows further down in `before` (blank ones
/// beyond the end).
fn changed_rows(before: &Buffer, next: &Buffer, rows: Range<u16>, by: u16) -> usize {
    let blank = Cell::EMPTY;
    let differs = |y: &u16| {
        (0..next.area.width).any(|x| {
            let old = if y + by < rows.end {
                &before[(x, y + by)]
            } else {
                &blank
            };
            next[(x, *y)] != *old
        })
    };
    rows.clone().filter(differs).count()
}

/// Make blanks that look the same equal, because a blank has no visible foreground colour.
fn normalise_blanks(frame: &mut Buffer) {
    let visible = Modifier::REVERSED | Modifier::UNDERLINED;
    for cell in frame
        .content
        .iter_mut()
        .filter(|cell| cell.symbol() == " " && !cell.modifier.intersects(visible))
    {
        cell.set_style(Style::reset());
    }
}

/// An empty frame of the size of a terminal.
pub fn blank(size: Size) -> Buffer {
    Buffer::empty(Rect::new(0, 0, size.width, size.height))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::Write;
    use std::rc::Rc;

    use proptest::prelude::*;
    use ratatui::style::Color;

    use super::*;

    const WIDTH: u16 = 40;
    const HEIGHT: u16 = 8;

    /// A terminal that records what it was sent.
    #[derive(Clone, Default)]
    struct SentBytes(Rc<RefCell<Vec<u8>>>);

    impl Write for SentBytes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Tty for SentBytes {
        fn size(&self) -> io::Result<Size> {
            Ok(Size::new(WIDTH, HEIGHT))
        }
    }

    type PlacedText<'a> = (u16, u16, &'a str, Style);

    struct ShownScreen {
        display: Display<SentBytes>,
        sent: SentBytes,
        screen: vt100::Parser,
    }

    impl ShownScreen {
        fn new(ascii: bool) -> ShownScreen {
            let sent = SentBytes::default();
            ShownScreen {
                display: Display::new(sent.clone(), ascii),
                sent,
                screen: vt100::Parser::new(HEIGHT, WIDTH, 0),
            }
        }

        /// Draw the texts on a blank frame; returns the bytes sent.
        fn show(&mut self, texts: &[PlacedText<'_>], scrolling: Option<Range<u16>>) -> String {
            let mut frame = blank(Size::new(WIDTH, HEIGHT));
            for (x, y, text, style) in texts {
                frame.set_stringn(*x, *y, text, usize::from(WIDTH - x), *style);
            }
            self.sent.0.borrow_mut().clear();
            self.display
                .show(frame, scrolling)
                .expect("a recorder never fails");
            let sent = String::from_utf8(self.sent.0.borrow().clone()).expect("only UTF-8 is sent");
            self.screen.process(sent.as_bytes());
            sent
        }
    }

    #[test]
    fn an_unchanged_frame_sends_no_byte() {
        let mut session = ShownScreen::new(false);
        let texts = [(3, 2, "hello", Style::new().fg(Color::Indexed(74)))];
        assert!(!session.show(&texts, None).is_empty());
        assert_eq!(session.show(&texts, None), "");
    }

    #[test]
    fn a_changed_digit_costs_a_move_and_the_digit() {
        let mut session = ShownScreen::new(false);
        let style = Style::new().fg(Color::Indexed(74));
        session.show(&[(3, 2, "17", style)], None);
        assert_eq!(session.show(&[(3, 2, "18", style)], None), "\x088");
    }

    #[test]
    fn blanks_of_another_colour_are_not_sent() {
        let mut session = ShownScreen::new(false);
        session.show(&[(0, 0, "a b", Style::new())], None);
        let red = Style::new().fg(Color::Red);
        let coloured = [
            (0, 0, "a", Style::new()),
            (1, 0, " ", red),
            (2, 0, "b", Style::new()),
            (3, 0, "  ", red),
        ];
        assert_eq!(session.show(&coloured, None), "");
    }

    #[test]
    fn a_text_that_goes_costs_one_erasure_and_leaves_what_stands_beside_it() {
        let mut session = ShownScreen::new(false);
        let beside = (30, 2, "beside", Style::new());
        let text = (3, 2, "a text of some length", Style::new());
        let below = (3, 3, "another one below", Style::new());
        session.show(&[text, beside, below], None);
        let sent = session.show(&[beside], None);
        assert_eq!(sent, "\x1b[3;4H\x1b[21X\n\x1b[K");
        let row = session.screen.screen().contents();
        assert_eq!(row.trim(), "beside");
    }

    #[test]
    fn words_of_two_colours_by_turns_cost_two_pens() {
        let mut session = ShownScreen::new(false);
        let (label, value) = (Style::new().fg(Color::Rgb(1, 2, 3)), Style::new());
        let sent = session.show(
            &[
                (0, 0, "loss", label),
                (5, 0, "1.698", value),
                (11, 0, "valid", label),
                (17, 0, "43.1 %", value),
                (0, 1, "left", label),
                (5, 1, "3 s", value),
            ],
            None,
        );
        assert_eq!(sent.matches("38;2;1;2;3").count(), 1, "{sent:?}");
        let shown = session.screen.screen().contents();
        assert_eq!(shown.trim(), "loss 1.698 valid 43.1 %\nleft 3 s");
    }

    #[test]
    fn a_log_that_moves_up_costs_only_its_new_line() {
        let mut session = ShownScreen::new(false);
        let lines = [
            "first line of the log",
            "second thing",
            "a third one",
            "the fourth event",
        ];
        let rows = |from: usize| {
            (0..3)
                .map(|row| (0, 4 + row as u16, lines[from + row], Style::new()))
                .collect::<Vec<_>>()
        };
        session.show(&rows(0), Some(4..7));
        let sent = session.show(&rows(1), Some(4..7));
        assert_eq!(
            session.screen.screen().contents().trim(),
            "second thing\na third one\nthe fourth event"
        );
        assert!(sent.len() < lines[3].len() + 24, "{sent:?}");
    }

    #[test]
    fn an_ascii_terminal_gets_only_ascii() {
        let sent = ShownScreen::new(true).show(&[(0, 0, "é 日本 ok", Style::new())], None);
        assert!(sent.is_ascii() && sent.contains("? ???? ok"), "{sent:?}");
    }

    fn style() -> impl Strategy<Value = Style> {
        let colours = prop_oneof![
            Just(Color::Reset),
            Just(Color::Red),
            Just(Color::Indexed(74)),
            Just(Color::Rgb(1, 2, 3))
        ];
        let modifiers = prop_oneof![
            Just(Modifier::empty()),
            Just(Modifier::BOLD),
            Just(Modifier::REVERSED)
        ];
        (colours, modifiers)
            .prop_map(|(colour, modifier)| Style::new().fg(colour).add_modifier(modifier))
    }

    fn frame() -> impl Strategy<Value = Vec<(u16, u16, String, Style)>> {
        let text = prop_oneof!["[a-c ]{1,12}", "[a-c日本─━⠂ ]{1,8}"];
        proptest::collection::vec((0..WIDTH, 0..HEIGHT, text, style()), 0..12)
    }

    proptest! {
        /// Whatever was shown before, the terminal ends up as if the last frame had been drawn on a
        /// blank screen.
        #[test]
        fn what_arrives_is_what_was_drawn(frames in proptest::collection::vec(frame(), 1..6), top in 0..HEIGHT, rows in 1..HEIGHT) {
            let scrolling = Some(top..(top + rows).min(HEIGHT));
            let texts = |frame: &Vec<(u16, u16, String, Style)>| -> Vec<(u16, u16, String, Style)> { frame.clone() };
            let mut session = ShownScreen::new(false);
            for frame in &frames {
                let owned = texts(frame);
                let borrowed: Vec<PlacedText<'_>> = owned.iter().map(|(x, y, text, style)| (*x, *y, text.as_str(), *style)).collect();
                session.show(&borrowed, scrolling.clone());
            }
            let last = frames.last().cloned().unwrap_or_default();
            let borrowed: Vec<PlacedText<'_>> = last.iter().map(|(x, y, text, style)| (*x, *y, text.as_str(), *style)).collect();
            let mut fresh = ShownScreen::new(false);
            fresh.show(&borrowed, None);
            for (x, y) in (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y))) {
                let (one, other) = (session.screen.screen().cell(y, x), fresh.screen.screen().cell(y, x));
                let look = |cell: Option<&vt100::Cell>| cell.map(|cell| {
                    let text = if cell.has_contents() { cell.contents().to_owned() } else { " ".to_owned() };
                    let visible = text != " " || cell.inverse();
                    (text, visible.then(|| (cell.fgcolor(), cell.bold(), cell.inverse())))
                });
                prop_assert_eq!(look(one), look(other), "at {}, {}", x, y);
            }
        }
    }
}
