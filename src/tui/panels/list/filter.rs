//! Which children a list shows: expressions such as `acc > 80% & params < 1M & !repeat`, or
//! `note:odd | #keep` about the notes on them.
//!
//! If a child does not have a value (a failed one has no accuracy), any comparison with it is
//! false.

mod parser;

use std::fmt;

use crate::event::tags;
use crate::state::{ChildRow, Notes};

/// A filter expression. `And` and `Or` have at least two parts.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    Compare {
        property: Property,
        comparator: Comparator,
        value: f64,
    },
    Flag(Flag),
    /// The note on the child has this tag, which begins with `#`; capitals make no difference.
    Tag(String),
    /// The note on the child contains this text; capitals make no difference.
    Note(String),
    Not(Box<Filter>),
    And(Vec<Filter>),
    Or(Vec<Filter>),
}

/// A numerical property of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property {
    /// Accuracy, 0..=1.
    Accuracy,
    Reward,
    Params,
    Macs,
    /// Training time, in seconds.
    Time,
    Episode,
    Child,
    Layers,
    /// Entropy of its choices, nats.
    Entropy,
    /// Energy, in watt-hours.
    Energy,
}

/// How a child's property compares with the number in the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    Less,
    AtMost,
    Equal,
    NotEqual,
    AtLeast,
    Greater,
}

/// A yes/no property of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    Repeat,
    Failed,
    Excluded,
    Skipped,
    Edited,
    Control,
    Best,
    Marked,
    Noted,
}

/// What a child's flags depend on besides the child.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// The best child of the run.
    pub best: Option<u64>,
    /// The children marked by the user.
    pub marks: &'a [u64],
    /// The notes on children.
    pub notes: Option<&'a Notes>,
}

impl<'a> Surroundings<'a> {
    fn note_on(self, row: &ChildRow) -> Option<&'a str> {
        self.notes?.of(row.child)
    }
}

/// The position of an error in an expression, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at {}: {problem}", position + 1)]
pub struct FilterError {
    /// Number of characters before it.
    pub position: usize,
    /// What was expected there.
    pub problem: String,
}

/// The names of a property: the first is the one used for output.
const PROPERTIES: [(Property, &[&str]); 10] = [
    (Property::Accuracy, &["acc", "accuracy"]),
    (Property::Reward, &["reward"]),
    (Property::Params, &["params", "parameters"]),
    (Property::Macs, &["macs"]),
    (Property::Time, &["time", "seconds"]),
    (Property::Episode, &["episode", "ep"]),
    (Property::Child, &["child"]),
    (Property::Layers, &["layers", "depth"]),
    (Property::Entropy, &["entropy"]),
    (Property::Energy, &["energy"]),
];

const FLAGS: [(Flag, &str); 9] = [
    (Flag::Repeat, "repeat"),
    (Flag::Failed, "failed"),
    (Flag::Excluded, "excluded"),
    (Flag::Skipped, "skipped"),
    (Flag::Edited, "edited"),
    (Flag::Control, "control"),
    (Flag::Best, "best"),
    (Flag::Marked, "marked"),
    (Flag::Noted, "note"),
];

/// The names of everything that an expression can be about.
pub fn words() -> Vec<&'static str> {
    words_of_properties()
        .chain(FLAGS.iter().map(|(_, name)| *name))
        .collect()
}

/// The names of the properties.
pub fn words_of_properties() -> impl Iterator<Item = &'static str> {
    let names = PROPERTIES.iter().map(|(_, names)| names);
    names.flat_map(|names| names.iter().copied())
}

/// Longer signs first, so that `<=` is not read as `<`.
const COMPARATORS: [(Comparator, &str); 7] = [
    (Comparator::AtMost, "<="),
    (Comparator::AtLeast, ">="),
    (Comparator::NotEqual, "!="),
    (Comparator::Equal, "=="),
    (Comparator::Less, "<"),
    (Comparator::Greater, ">"),
    (Comparator::Equal, "="),
];

impl Filter {
    /// Parse an expression; `None` if it is empty.
    pub fn parse(text: &str) -> Result<Option<Filter>, FilterError> {
        parser::parse(text)
    }

    /// Whether the child passes the filter.
    pub fn admits(&self, row: &ChildRow, surroundings: Surroundings<'_>) -> bool {
        match self {
            Filter::Compare {
                property,
                comparator,
                value,
            } => property
                .of(row)
                .is_some_and(|found| comparator.holds(found, *value)),
            Filter::Flag(flag) => flag.holds(row, surroundings),
            Filter::Tag(tag) => {
                let is_it = |other: &str| other.to_lowercase() == tag.to_lowercase();
                surroundings
                    .note_on(row)
                    .is_some_and(|note| tags(note).any(is_it))
            }
            Filter::Note(text) => surroundings
                .note_on(row)
                .is_some_and(|note| note.to_lowercase().contains(&text.to_lowercase())),
            Filter::Not(inner) => !inner.admits(row, surroundings),
            Filter::And(parts) => parts.iter().all(|part| part.admits(row, surroundings)),
            Filter::Or(parts) => parts.iter().any(|part| part.admits(row, surroundings)),
        }
    }

    /// Whether the answer for a child can change because of other children or the user: through the
    /// best one, the marks or the notes.
    pub fn depends_on(&self, wanted: Flag) -> bool {
        match self {
            Filter::Compare { .. } => false,
            Filter::Flag(flag) => *flag == wanted,
            Filter::Tag(_) | Filter::Note(_) => wanted == Flag::Noted,
            Filter::Not(inner) => inner.depends_on(wanted),
            Filter::And(parts) | Filter::Or(parts) => {
                parts.iter().any(|part| part.depends_on(wanted))
            }
        }
    }
}

impl Property {
    /// The property of this name.
    pub fn named(name: &str) -> Option<Property> {
        let mut all = PROPERTIES.iter();
        all.find(|(_, names)| names.contains(&name))
            .map(|(property, _)| *property)
    }

    /// This property of a child; `None` if the child does not have it.
    pub fn of(self, row: &ChildRow) -> Option<f64> {
        match self {
            Property::Accuracy => row.accuracy,
            Property::Reward => row.reward,
            Property::Params => Some(row.params as f64),
            Property::Macs => Some(row.macs as f64),
            Property::Time => Some(row.seconds),
            Property::Episode => Some(row.episode as f64),
            Property::Child => Some(row.child as f64),
            Property::Layers => Some(row.genes.depth() as f64),
            Property::Entropy => row.entropy,
            Property::Energy => row.energy_wh,
        }
    }
}

impl Comparator {
    fn holds(self, found: f64, value: f64) -> bool {
        match self {
            Comparator::Less => found < value,
            Comparator::AtMost => found <= value,
            Comparator::Equal => found == value,
            Comparator::NotEqual => found != value,
            Comparator::AtLeast => found >= value,
            Comparator::Greater => found > value,
        }
    }
}

impl Flag {
    fn holds(self, row: &ChildRow, surroundings: Surroundings<'_>) -> bool {
        match self {
            Flag::Repeat => row.repeat_of.is_some(),
            Flag::Failed => row.is_failed(),
            Flag::Excluded => row.is_excluded(),
            Flag::Skipped => row.skipped,
            Flag::Edited => row.is_edited(),
            Flag::Control => row.control,
            Flag::Best => surroundings.best == Some(row.child),
            Flag::Marked => surroundings.marks.contains(&row.child),
            Flag::Noted => surroundings.note_on(row).is_some(),
        }
    }
}

impl fmt::Display for Filter {
    /// In a form that parses to the same expression.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Filter::Compare {
                property,
                comparator,
                value,
            } => write!(f, "{}{}{value}", property.name(), comparator.sign()),
            Filter::Flag(flag) => f.write_str(flag.name()),
            Filter::Tag(tag) => f.write_str(tag),
            Filter::Note(text) if text.contains(parser::ends_word) => {
                write!(f, "note:\"{text}\"")
            }
            Filter::Note(text) => write!(f, "note:{text}"),
            Filter::Not(inner) => write!(f, "!{}", Parenthesised(inner, false)),
            Filter::And(parts) => write_joined(f, parts, " & ", false),
            Filter::Or(parts) => write_joined(f, parts, " | ", true),
        }
    }
}

/// A part of a larger expression, in parentheses unless it binds more tightly.
struct Parenthesised<'a>(&'a Filter, /* whether the whole is an `or` */ bool);

impl fmt::Display for Parenthesised<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Filter::Or(_), _) | (Filter::And(_), false) => write!(f, "({})", self.0),
            _ => write!(f, "{}", self.0),
        }
    }
}

fn write_joined(
    f: &mut fmt::Formatter<'_>,
    parts: &[Filter],
    sign: &str,
    in_or: bool,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        f.write_str(if index > 0 { sign } else { "" })?;
        write!(f, "{}", Parenthesised(part, in_or))?;
    }
    Ok(())
}

impl Property {
    fn name(self) -> &'static str {
        PROPERTIES
            .iter()
            .find(|(property, _)| *property == self)
            .and_then(|(_, names)| names.first())
            .copied()
            .unwrap_or("")
    }
}

impl Comparator {
    fn sign(self) -> &'static str {
        COMPARATORS
            .iter()
            .rfind(|(comparator, _)| *comparator == self)
            .map_or("", |(_, sign)| sign)
    }
}

impl Flag {
    fn name(self) -> &'static str {
        FLAGS
            .iter()
            .find(|(flag, _)| *flag == self)
            .map_or("", |(_, name)| name)
    }
}

#[cfg(test)]
mod tests;
