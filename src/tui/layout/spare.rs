//! The heights of parts one below the other: their shares, except that rows which a panel does not need
//! go where they are of use.

use ratatui::layout::Size;

use super::{Division, Needs, SHORTEST, lengths};

/// What a part can use.
#[derive(Clone, Copy)]
struct Wish {
    /// Number of rows without which something in it is cut, as far as this is known.
    need: u16,
    /// What it does with more.
    more: More,
}

/// What a part does with more rows than it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum More {
    /// It leaves them empty.
    Wastes,
    /// It shows something that it can do without.
    Fills,
    /// It uses any number, so that it gives none away.
    Takes,
}

const NOTHING_KNOWN: Wish = Wish {
    need: 0,
    more: More::Takes,
};

impl Wish {
    fn of(part: &Division, width: u16, needs: Needs<'_>) -> Wish {
        match part {
            Division::One(panel) => needs(*panel, width).map_or(NOTHING_KNOWN, |need| Wish {
                need: need.max(SHORTEST),
                more: match panel.about().fills_more {
                    true => More::Fills,
                    false => More::Wastes,
                },
            }),
            Division::Columns(parts) => {
                let shares: Vec<u16> = parts.iter().map(|(share, _)| *share).collect();
                let widths = lengths(&shares, width, 1);
                let parts = parts.iter().zip(widths);
                let wishes = parts.map(|((_, part), width)| Wish::of(part, width, needs));
                let both = |one: Wish, other: Wish| Wish {
                    need: one.need.max(other.need),
                    more: match (one.more, other.more) {
                        (More::Takes, _) | (_, More::Takes) => More::Takes,
                        (More::Fills, _) | (_, More::Fills) => More::Fills,
                        _ => More::Wastes,
                    },
                };
                wishes.reduce(both).unwrap_or(NOTHING_KNOWN)
            }
            // A row more for all of them is not one for the panel that lacks it.
            Division::Rows(_) => NOTHING_KNOWN,
        }
    }
}

/// The heights of `parts` in an area of this size. Rows that a part does not need go to those that are
/// cut, first to the one that lacks fewest; what is left goes to those that use any number of rows, or
/// else to those that can fill them.
pub fn heights(parts: &[(u16, Division)], size: Size, needs: Needs<'_>) -> Vec<u16> {
    let shares: Vec<u16> = parts.iter().map(|(share, _)| *share).collect();
    let parts = parts.iter().zip(lengths(&shares, size.height, 0));
    let parts = parts.map(|((share, part), height)| Part {
        share: *share,
        wish: Wish::of(part, size.width, needs),
        height,
        surplus: 0,
    });
    let mut exchange = Exchange {
        parts: parts.collect(),
        spare: 0,
    };
    exchange.collect();
    exchange.give_to_cut();
    exchange.give_the_rest();
    exchange.parts.iter().map(|part| part.height).collect()
}

struct Part {
    share: u16,
    wish: Wish,
    height: u16,
    /// Rows that it has given away.
    surplus: u16,
}

/// Rows on their way from parts to others.
struct Exchange {
    parts: Vec<Part>,
    spare: u16,
}

impl Exchange {
    /// Take the rows that are not needed.
    fn collect(&mut self) {
        let givers = self.parts.iter_mut();
        for part in givers.filter(|part| part.wish.more != More::Takes) {
            part.surplus = part.height.saturating_sub(part.wish.need);
            part.height -= part.surplus;
            self.spare += part.surplus;
        }
    }

    fn give(&mut self, place: usize, most: u16) {
        let given = most.min(self.spare);
        self.parts[place].height += given;
        self.spare -= given;
    }

    fn give_to_cut(&mut self) {
        let parts = self.parts.iter().enumerate();
        let lacking =
            parts.map(|(place, part)| (part.wish.need.saturating_sub(part.height), place));
        let mut lacking: Vec<(u16, usize)> = lacking.collect();
        lacking.sort_unstable();
        for (rows, place) in lacking {
            self.give(place, rows);
        }
    }

    fn give_the_rest(&mut self) {
        let takers = self.those_that(More::Takes);
        let claims: Vec<u16> = takers
            .iter()
            .map(|place| self.parts[*place].share)
            .collect();
        for (place, rows) in takers.into_iter().zip(lengths(&claims, self.spare, 0)) {
            self.give(place, rows);
        }
        // If there are none, those that can fill rows have theirs back, and the largest has all others.
        let fillers = self.those_that(More::Fills);
        for place in &fillers {
            self.give(*place, self.parts[*place].surplus);
        }
        let all: Vec<usize> = (0..self.parts.len()).collect();
        let largest = self.largest(&fillers).or(self.largest(&all));
        if let Some(place) = largest {
            self.give(place, u16::MAX);
        }
    }

    fn those_that(&self, more: More) -> Vec<usize> {
        let parts = self.parts.iter().enumerate();
        let those = parts.filter(|(_, part)| part.wish.more == more);
        those.map(|(place, _)| place).collect()
    }

    /// The first of those with the largest share.
    fn largest(&self, places: &[usize]) -> Option<usize> {
        let places = places.iter().rev().copied();
        places.max_by_key(|place| self.parts[*place].share)
    }
}
