//! Turns cells into as few terminal bytes (ECMA-48) as possible: the user may be behind a slow
//! line.
//!
//! The pen and the cursor are remembered across frames, moves use the shortest sequence, the cells of
//! a frame are written in the order that takes the fewest bytes, and a frame is one write.

use std::io::{self, Write};

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// Longer frames are sent as one synchronised update (mode 2026); for shorter ones a single write
/// is as good.
const SYNCHRONISED_FROM: usize = 2_048;

/// A terminal: bytes go out, the size comes in.
pub trait Tty: Write {
    /// Columns and rows.
    fn size(&self) -> io::Result<Size>;
}

/// Collects a frame and sends it. The terminal's cursor is hidden and its pen plain when it starts.
pub struct AnsiWriter<T: Tty> {
    tty: T,
    frame: Encoder,
}

/// A place of a screen that differs from what the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Column, from 0.
    pub x: u16,
    /// Row, from 0.
    pub y: u16,
    /// So many cells from here on become blank and plain, instead of one cell that is written; and
    /// whether they are the rest of the row.
    pub erased: Option<(u16, bool)>,
}

/// A frame as bytes, with what they leave the terminal's cursor and pen at.
#[derive(Debug, Clone)]
struct Encoder {
    ascii: bool,
    bytes: Vec<u8>,
    /// Position of the terminal's cursor, if known.
    cursor: Option<Position>,
    pen: Attributes,
}

/// Colour and attributes of the next characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Attributes {
    foreground: Color,
    background: Color,
    modifier: Modifier,
}

impl Attributes {
    fn of(cell: &Cell) -> Attributes {
        Attributes {
            foreground: cell.fg,
            background: cell.bg,
            modifier: cell.modifier,
        }
    }

    /// Whether a blank looks the same with both pens.
    fn blank_like(self, other: Attributes) -> bool {
        let visible = Modifier::REVERSED | Modifier::UNDERLINED;
        self.background == other.background && !(self.modifier | other.modifier).intersects(visible)
    }
}

impl<T: Tty> AnsiWriter<T> {
    /// With `ascii`, only ASCII characters are ever sent.
    pub fn new(tty: T, ascii: bool) -> AnsiWriter<T> {
        let frame = Encoder {
            ascii,
            bytes: Vec::new(),
            cursor: None,
            pen: Attributes::default(),
        };
        AnsiWriter { tty, frame }
    }

    /// Current size of the terminal, in cells.
    pub fn size(&self) -> io::Result<Size> {
        self.tty.size()
    }

    /// Send a sequence immediately that changes neither cells nor cursor nor pen.
    pub fn raw(&mut self, sequence: &str) -> io::Result<()> {
        self.tty.write_all(sequence.as_bytes())?;
        self.tty.flush()
    }

    /// Send a sequence with the frame that changes neither cells nor cursor nor pen.
    pub fn append(&mut self, sequence: &str) {
        if self.frame.ascii && !sequence.is_ascii() {
            let ascii = |character: char| if character.is_ascii() { character } else { '?' };
            self.frame
                .push(&sequence.chars().map(ascii).collect::<String>());
        } else {
            self.frame.push(sequence);
        }
    }

    /// Blank the screen, whatever it shows, and discard what has not been sent.
    pub fn clear(&mut self) {
        let frame = &mut self.frame;
        frame.bytes.clear();
        frame.push("\x1b[0m\x1b[2J");
        (frame.cursor, frame.pen) = (None, Attributes::default());
    }

    /// Move the rows `top..bottom` up by `rows`; blank rows come in at the bottom.
    pub fn scroll_up(&mut self, top: u16, bottom: u16, rows: u16) {
        let frame = &mut self.frame;
        frame.set_pen_for_blanks();
        // Setting the margins also moves the cursor to the upper left corner.
        let sequence = format!("\x1b[{};{bottom}r\x1b[{rows}S\x1b[r", u32::from(top) + 1);
        frame.push(&sequence);
        frame.cursor = Some(Position::ORIGIN);
    }

    /// Write all cells of `screen` that differ from what the terminal shows, given in reading order.
    /// The order in which they are written makes no difference to what is shown at the end.
    pub fn write(&mut self, screen: &Buffer, changes: &[Change]) {
        let pens = self.frame.pens(screen, changes);
        let in_order = |key: fn(usize, u16) -> (u16, usize)| {
            let mut ordered: Vec<(&usize, &Change)> = pens.iter().zip(changes).collect();
            ordered.sort_by_key(|(pen, change)| key(**pen, change.y));
            let mut frame = self.frame.clone();
            for (_, change) in ordered {
                frame.change(screen, *change);
            }
            frame
        };
        let frames = [
            in_order(|_, row| (row, 0)),
            in_order(|pen, row| (row, pen)),
            in_order(|pen, _| (0, pen)),
        ];
        if let Some(shortest) = frames.into_iter().min_by_key(|frame| frame.bytes.len()) {
            self.frame = shortest;
        }
    }

    /// Send what has been written, if anything.
    pub fn flush(&mut self) -> io::Result<()> {
        let frame = std::mem::take(&mut self.frame.bytes);
        match frame.len() {
            0 => return Ok(()),
            1..SYNCHRONISED_FROM => self.tty.write_all(&frame)?,
            _ => {
                let (begin, end) = (b"\x1b[?2026h".as_slice(), b"\x1b[?2026l".as_slice());
                self.tty.write_all(&[begin, &frame, end].concat())?;
            }
        }
        self.tty.flush()
    }
}

impl Encoder {
    fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Which pen each change needs, by number in the order in which they are first needed; the present
    /// one is 0. A blank that looks the same with the pen before it keeps that.
    fn pens(&self, screen: &Buffer, changes: &[Change]) -> Vec<usize> {
        let mut known = vec![self.pen];
        let mut pen = 0;
        let needed = changes.iter().map(|change| {
            let cell = &screen[(change.x, change.y)];
            let attributes = Attributes::of(cell);
            let is_blank = change.erased.is_some() || cell.symbol() == " ";
            if !is_blank || !attributes.blank_like(known[pen]) {
                let found = known.iter().position(|known| *known == attributes);
                pen = found.unwrap_or_else(|| {
                    known.push(attributes);
                    known.len() - 1
                });
            }
            pen
        });
        needed.collect()
    }

    fn change(&mut self, screen: &Buffer, change: Change) {
        let Change { x, y, erased } = change;
        self.move_to(screen, x, y);
        match erased {
            Some((columns, to_end)) => {
                self.set_pen_for_blanks();
                self.push(&erasure(columns, to_end));
            }
            None => {
                let cell = &screen[(x, y)];
                self.write(cell);
                let after = x.saturating_add(cell.symbol().width() as u16);
                // After the last column, terminals differ in where the cursor is.
                self.cursor = (after < screen.area.right()).then_some(Position { x: after, y });
            }
        }
    }

    fn write(&mut self, cell: &Cell) {
        let pen = Attributes::of(cell);
        if cell.symbol() != " " || !pen.blank_like(self.pen) {
            self.set_pen(pen);
        }
        if self.ascii && !cell.symbol().is_ascii() {
            // A wide character keeps its width.
            self.push(&"?".repeat(cell.symbol().width().max(1)));
        } else {
            self.push(cell.symbol());
        }
    }

    /// Move by the shortest sequence there is, or by writing again the cells in between.
    fn move_to(&mut self, screen: &Buffer, x: u16, y: u16) {
        let target = Position { x, y };
        if self.cursor == Some(target) {
            return;
        }
        let absolute = format!("\x1b[{};{}H", u32::from(y) + 1, u32::from(x) + 1);
        let relative = self.cursor.map(|cursor| relative(cursor, target));
        let shorter = relative.filter(|relative| relative.len() < absolute.len());
        let sequence = shorter.unwrap_or(absolute);
        let again = self
            .cursor
            .filter(|cursor| cursor.y == y && cursor.x < x)
            .and_then(|cursor| self.in_between(screen, cursor, x, sequence.len()));
        self.push(&again.unwrap_or(sequence));
        self.cursor = Some(target);
    }

    /// The cells up to column `x`, if they need no other pen and at most so many bytes.
    fn in_between(&self, screen: &Buffer, from: Position, x: u16, bytes: usize) -> Option<String> {
        let mut text = String::new();
        for column in from.x..x {
            let cell = screen.cell((column, from.y))?;
            let pen = Attributes::of(cell);
            let same = pen == self.pen || cell.symbol() == " " && pen.blank_like(self.pen);
            if !same || cell.symbol().width() != 1 || self.ascii && !cell.symbol().is_ascii() {
                return None;
            }
            text.push_str(cell.symbol());
            if text.len() > bytes {
                return None;
            }
        }
        Some(text)
    }

    /// Blanks that the terminal makes have the pen's background.
    fn set_pen_for_blanks(&mut self) {
        if !self.pen.blank_like(Attributes::default()) {
            self.set_pen(Attributes::default());
        }
    }

    fn set_pen(&mut self, pen: Attributes) {
        if pen == self.pen {
            return;
        }
        let mut codes: Vec<String> = Vec::new();
        let mut current = self.pen;
        if !(current.modifier - pen.modifier).is_empty() {
            codes.push(String::new());
            current = Attributes::default();
        }
        let added = pen.modifier - current.modifier;
        codes.extend(
            ATTRIBUTES
                .iter()
                .filter(|(flag, _)| added.contains(*flag))
                .map(|(_, code)| (*code).to_owned()),
        );
        if pen.foreground != current.foreground {
            codes.push(colour(pen.foreground, 30));
        }
        if pen.background != current.background {
            codes.push(colour(pen.background, 40));
        }
        let sequence = format!("\x1b[{}m", codes.join(";"));
        self.push(&sequence);
        self.pen = pen;
    }
}

/// The attributes that the theme uses.
const ATTRIBUTES: [(Modifier, &str); 4] = [
    (Modifier::BOLD, "1"),
    (Modifier::DIM, "2"),
    (Modifier::UNDERLINED, "4"),
    (Modifier::REVERSED, "7"),
];

/// What blanks so many cells, or the rest of a row, and leaves the cursor where it is.
pub fn erasure(columns: u16, to_end: bool) -> String {
    match to_end {
        true => "\x1b[K".to_owned(),
        false => format!("\x1b[{columns}X"),
    }
}

/// The shortest moves from one place to another by rows and columns.
fn relative(from: Position, to: Position) -> String {
    let rows = match to.y.checked_sub(from.y) {
        Some(down @ 0..=3) => "\n".repeat(usize::from(down)),
        Some(down) => moved(down, 'B'),
        None => moved(from.y - to.y, 'A'),
    };
    let from_start = match to.x {
        0 => "\r".to_owned(),
        columns => format!("\r{}", moved(columns, 'C')),
    };
    let columns = match to.x.checked_sub(from.x) {
        Some(0) => String::new(),
        Some(right) => moved(right, 'C'),
        None if from.x - to.x <= 3 => "\x08".repeat(usize::from(from.x - to.x)),
        None => moved(from.x - to.x, 'D'),
    };
    let columns = std::cmp::min_by_key(columns, from_start, String::len);
    rows + &columns
}

/// A move of the cursor by a number of places.
fn moved(places: u16, direction: char) -> String {
    match places {
        1 => format!("\x1b[{direction}"),
        _ => format!("\x1b[{places}{direction}"),
    }
}

/// Parameters that select `colour`; `base` is 30 for the foreground, 40 for the background.
fn colour(colour: Color, base: u8) -> String {
    let named = |index: u8| (base + index).to_string();
    let bright = |index: u8| (base + 60 + index).to_string();
    match colour {
        Color::Reset => named(9),
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
