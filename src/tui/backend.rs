//! Cells to terminal bytes, as few as possible: the watcher may sit behind a slow line.
//!
//! Ratatui's own backends set and reset every attribute in every frame. This one remembers the pen and the cursor
//! across frames, moves the cursor by the shortest sequence, sends a frame in one write, and nothing for no change.

use std::io::{self, Write};

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// Frames longer than this are sent as one synchronised update (mode 2026); below, one write is as good.
const SYNCHRONISED_FROM: usize = 2_048;

/// Somewhere to draw: bytes go out, the size comes in.
pub trait Tty: Write {
    /// Columns and rows.
    fn size(&self) -> io::Result<Size>;
}

/// Draws on a terminal that understands ECMA-48 control sequences.
pub struct TerminalBackend<T: Tty> {
    tty: T,
    ascii: bool,
    frame: Vec<u8>,
    /// Where the terminal's cursor is, if that is certain.
    cursor: Option<Position>,
    pen: Pen,
    cursor_hidden: bool,
}

/// Colour and attributes of what is written next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Pen {
    foreground: Color,
    background: Color,
    modifier: Modifier,
}

impl<T: Tty> TerminalBackend<T> {
    /// `tty` must be in its initial state (no attributes set). With `ascii`, no other character is ever sent.
    pub fn new(tty: T, ascii: bool) -> TerminalBackend<T> {
        TerminalBackend { tty, ascii, frame: Vec::new(), cursor: None, pen: Pen::default(), cursor_hidden: false }
    }

    /// Forget what the terminal shows: someone else has written to it.
    pub fn forget(&mut self) {
        self.frame.clear();
        self.frame.extend_from_slice(b"\x1b[0m");
        (self.cursor, self.pen, self.cursor_hidden) = (None, Pen::default(), false);
    }

    fn push(&mut self, text: &str) {
        self.frame.extend_from_slice(text.as_bytes());
    }

    fn move_to(&mut self, x: u16, y: u16) {
        let target = Position { x, y };
        if self.cursor == Some(target) {
            return;
        }
        let absolute = format!("\x1b[{};{}H", u32::from(y) + 1, u32::from(x) + 1);
        let relative = self.cursor.and_then(|cursor| shortcut(cursor, target));
        match relative {
            Some(relative) if relative.len() < absolute.len() => self.push(&relative),
            _ => self.push(&absolute),
        }
        self.cursor = Some(target);
    }

    fn set_pen(&mut self, pen: Pen) {
        if pen == self.pen {
            return;
        }
        let mut codes: Vec<String> = Vec::new();
        let removed = self.pen.modifier - pen.modifier;
        let mut current = self.pen;
        if !removed.is_empty() {
            codes.push("0".to_owned());
            current = Pen::default();
        }
        for (flag, code) in ATTRIBUTES {
            if (pen.modifier - current.modifier).contains(flag) {
                codes.push(code.to_owned());
            }
        }
        if pen.foreground != current.foreground {
            codes.push(colour(pen.foreground, 30));
        }
        if pen.background != current.background {
            codes.push(colour(pen.background, 40));
        }
        // Attributes outside ATTRIBUTES are never drawn.
        if !codes.is_empty() {
            let sequence = format!("\x1b[{}m", if codes == ["0"] { String::new() } else { codes.join(";") });
            self.push(&sequence);
        }
        self.pen = pen;
    }

    fn put(&mut self, symbol: &str) {
        if self.ascii && !symbol.is_ascii() {
            self.push("?");
            // A wide character keeps its columns.
            for _ in 1..symbol.width() {
                self.push(" ");
            }
        } else {
            self.push(symbol);
        }
    }
}

const ATTRIBUTES: [(Modifier, &str); 4] =
    [(Modifier::BOLD, "1"), (Modifier::DIM, "2"), (Modifier::UNDERLINED, "4"), (Modifier::REVERSED, "7")];

/// A move shorter than an absolute one: along the row, or to the start of a later one.
fn shortcut(from: Position, to: Position) -> Option<String> {
    if from.y == to.y && to.x > from.x {
        let columns = to.x - from.x;
        return Some(if columns == 1 { "\x1b[C".to_owned() } else { format!("\x1b[{columns}C") });
    }
    if from.y == to.y && from.x - to.x <= 4 {
        return Some("\x08".repeat(usize::from(from.x - to.x)));
    }
    (to.x == 0 && to.y > from.y && to.y - from.y <= 4).then(|| format!("\r{}", "\n".repeat(usize::from(to.y - from.y))))
}

/// Parameters that select `colour`; `base` is 30 for the foreground, 40 for the background.
fn colour(colour: Color, base: u8) -> String {
    let named = |index: u8| (base + index).to_string();
    let bright = |index: u8| (base + 60 + index).to_string();
    match colour {
        Color::Reset => (base + 9).to_string(),
        Color::Black => named(0),
        Color::Red => named(1),
        Color::Green => named(2),
        Color::Yellow => named(3),
        Color::Blue => named(4),
        Color::Magenta => named(5),
        Color::Cyan => named(6),
        Color::Gray => named(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(index) => format!("{};5;{index}", base + 8),
        Color::Rgb(red, green, blue) => format!("{};2;{red};{green};{blue}", base + 8),
    }
}

impl<T: Tty> Backend for TerminalBackend<T> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let columns = self.size()?.width;
        for (x, y, cell) in content {
            self.move_to(x, y);
            self.set_pen(Pen { foreground: cell.fg, background: cell.bg, modifier: cell.modifier });
            self.put(cell.symbol());
            let after = x.saturating_add(cell.symbol().width() as u16);
            // At the last column terminals differ in where the cursor is.
            self.cursor = (after < columns).then_some(Position { x: after, y });
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if !self.cursor_hidden {
            self.push("\x1b[?25l");
            self.cursor_hidden = true;
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if self.cursor_hidden {
            self.push("\x1b[?25h");
            self.cursor_hidden = false;
        }
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let Position { x, y } = position.into();
        self.move_to(x, y);
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.set_pen(Pen::default());
        self.push("\x1b[2J");
        Ok(())
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.set_pen(Pen::default());
        self.push(match clear_type {
            ClearType::All => "\x1b[2J",
            ClearType::AfterCursor => "\x1b[J",
            ClearType::BeforeCursor => "\x1b[1J",
            ClearType::CurrentLine => "\x1b[2K",
            ClearType::UntilNewLine => "\x1b[K",
        });
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        self.tty.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size()?, pixels: Size::default() })
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        if self.frame.len() >= SYNCHRONISED_FROM {
            let body = std::mem::take(&mut self.frame);
            self.frame = [b"\x1b[?2026h".as_slice(), &body, b"\x1b[?2026l"].concat();
        }
        self.tty.write_all(&self.frame)?;
        self.frame.clear();
        self.tty.flush()
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::style::Style;

    use super::*;

    /// A terminal that keeps what it was sent.
    #[derive(Default)]
    struct Recorder(Vec<u8>);

    impl Write for Recorder {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Tty for Recorder {
        fn size(&self) -> io::Result<Size> {
            Ok(Size::new(40, 8))
        }
    }

    fn terminal(ascii: bool) -> Terminal<TerminalBackend<Recorder>> {
        Terminal::new(TerminalBackend::new(Recorder::default(), ascii)).expect("a recorder never fails")
    }

    fn draw(terminal: &mut Terminal<TerminalBackend<Recorder>>, texts: &[(u16, u16, &str, Style)]) -> String {
        terminal.backend_mut().tty.0.clear();
        terminal
            .draw(|frame| {
                for (x, y, text, style) in texts {
                    frame.buffer_mut().set_string(*x, *y, text, *style);
                }
            })
            .expect("a recorder never fails");
        String::from_utf8(terminal.backend().tty.0.clone()).expect("only UTF-8 is sent")
    }

    #[test]
    fn an_unchanged_frame_sends_no_byte() {
        let mut terminal = terminal(false);
        let texts = [(3, 2, "hello", Style::new().fg(Color::Indexed(74)))];
        assert!(!draw(&mut terminal, &texts).is_empty());
        assert_eq!(draw(&mut terminal, &texts), "");
    }

    #[test]
    fn a_changed_digit_costs_a_move_and_the_digit() {
        let mut terminal = terminal(false);
        let style = Style::new().fg(Color::Indexed(74));
        draw(&mut terminal, &[(3, 2, "17", style)]);
        assert_eq!(draw(&mut terminal, &[(3, 2, "18", style)]), "\x1b[C8".replace("\x1b[C", "\x08"));
    }

    #[test]
    fn what_arrives_is_what_was_drawn() {
        let mut terminal = terminal(false);
        let bold = Style::new().add_modifier(Modifier::BOLD).fg(Color::Rgb(1, 2, 3));
        let mut screen = vt100::Parser::new(8, 40, 0);
        for texts in [
            vec![(0, 0, "first", bold), (35, 3, "edges", Style::new()), (0, 7, "last", bold)],
            vec![(0, 0, "f.r", Style::new()), (2, 5, "日本 x", bold), (39, 7, "z", Style::new().fg(Color::Red))],
            vec![(0, 1, "a", bold), (0, 2, "b", bold), (3, 2, "c", bold), (1, 2, "d", Style::new())],
        ] {
            screen.process(draw(&mut terminal, &texts).as_bytes());
            for (x, y, text, style) in texts {
                let cell = screen.screen().cell(y, x).expect("inside the screen");
                assert!(text.starts_with(cell.contents()), "{text:?} starts with {:?}", cell.contents());
                assert_eq!(cell.bold(), style.add_modifier.contains(Modifier::BOLD));
            }
        }
        assert_eq!(screen.screen().contents(), "\na\nbd c");
    }

    #[test]
    fn an_ascii_terminal_gets_only_ascii() {
        let sent = draw(&mut terminal(true), &[(0, 0, "é 日本 ok", Style::new())]);
        assert!(sent.is_ascii() && sent.contains("? ") && sent.contains("ok"), "{sent:?}");
    }
}
