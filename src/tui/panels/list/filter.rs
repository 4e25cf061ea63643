//! Which children a list shows: expressions such as `acc > 80% & params < 1M & !repeat`.
//!
//! A value that a child does not have (a failed one has no accuracy) makes a comparison with it
//! false.

mod parser;

use std::fmt;

use crate::state::ChildRow;

/// A filter expression. `And` and `Or` have at least two parts.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    Compare {
        quantity: Quantity,
        relation: Relation,
        value: f64,
    },
    Flag(Flag),
    Not(Box<Filter>),
    And(Vec<Filter>),
    Or(Vec<Filter>),
}

/// A number that a child has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// From 0 to 1.
    Accuracy,
    Reward,
    Params,
    Macs,
    /// Training time, seconds.
    Time,
    Episode,
    Child,
    Layers,
    /// Of its decisions, nats.
    Entropy,
    /// Watt-hours.
    Energy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    Less,
    AtMost,
    Equal,
    NotEqual,
    AtLeast,
    Greater,
}

/// Something that a child is or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    Repeat,
    Failed,
    Excluded,
    Skipped,
    Edited,
    Best,
    Marked,
}

/// What a child's flags depend on beside the child.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// The best child of the run.
    pub best: Option<u64>,
    /// The children that the user marked.
    pub marks: &'a [u64],
}

/// Where an expression stops making sense, and what would have made sense there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at {}: {problem}", position + 1)]
pub struct FilterError {
    /// Characters before it.
    pub position: usize,
    pub problem: String,
}

/// The names of a quantity: the first is the one that is written back.
const QUANTITIES: [(Quantity, &[&str]); 10] = [
    (Quantity::Accuracy, &["acc", "accuracy"]),
    (Quantity::Reward, &["reward"]),
    (Quantity::Params, &["params", "parameters"]),
    (Quantity::Macs, &["macs"]),
    (Quantity::Time, &["time", "seconds"]),
    (Quantity::Episode, &["episode", "ep"]),
    (Quantity::Child, &["child"]),
    (Quantity::Layers, &["layers", "depth"]),
    (Quantity::Entropy, &["entropy"]),
    (Quantity::Energy, &["energy"]),
];

const FLAGS: [(Flag, &str); 7] = [
    (Flag::Repeat, "repeat"),
    (Flag::Failed, "failed"),
    (Flag::Excluded, "excluded"),
    (Flag::Skipped, "skipped"),
    (Flag::Edited, "edited"),
    (Flag::Best, "best"),
    (Flag::Marked, "marked"),
];

/// The longer signs first, so that `<=` is not read as `<`.
const RELATIONS: [(Relation, &str); 7] = [
    (Relation::AtMost, "<="),
    (Relation::AtLeast, ">="),
    (Relation::NotEqual, "!="),
    (Relation::Equal, "=="),
    (Relation::Less, "<"),
    (Relation::Greater, ">"),
    (Relation::Equal, "="),
];

impl Filter {
    /// The expression that `text` says; none where it says nothing.
    pub fn parse(text: &str) -> Result<Option<Filter>, FilterError> {
        parser::parse(text)
    }

    /// Whether the child is one of those asked for.
    pub fn admits(&self, row: &ChildRow, surroundings: Surroundings<'_>) -> bool {
        match self {
            Filter::Compare {
                quantity,
                relation,
                value,
            } => quantity
                .of(row)
                .is_some_and(|found| relation.holds(found, *value)),
            Filter::Flag(flag) => flag.holds(row, surroundings),
            Filter::Not(inner) => !inner.admits(row, surroundings),
            Filter::And(parts) => parts.iter().all(|part| part.admits(row, surroundings)),
            Filter::Or(parts) => parts.iter().any(|part| part.admits(row, surroundings)),
        }
    }

    /// Whether the answer for a child can change because of other children or the user: by the best
    /// one or the marks.
    pub fn depends_on(&self, wanted: Flag) -> bool {
        match self {
            Filter::Compare { .. } => false,
            Filter::Flag(flag) => *flag == wanted,
            Filter::Not(inner) => inner.depends_on(wanted),
            Filter::And(parts) | Filter::Or(parts) => {
                parts.iter().any(|part| part.depends_on(wanted))
            }
        }
    }
}

impl Quantity {
    /// This quantity of a child; none where the child has none.
    pub fn of(self, row: &ChildRow) -> Option<f64> {
        match self {
            Quantity::Accuracy => row.accuracy,
            Quantity::Reward => row.reward,
            Quantity::Params => Some(row.params as f64),
            Quantity::Macs => Some(row.macs as f64),
            Quantity::Time => Some(row.seconds),
            Quantity::Episode => Some(row.episode as f64),
            Quantity::Child => Some(row.child as f64),
            Quantity::Layers => Some(row.genes.depth() as f64),
            Quantity::Entropy => row.entropy,
            Quantity::Energy => row.energy_wh,
        }
    }
}

impl Relation {
    fn holds(self, found: f64, value: f64) -> bool {
        match self {
            Relation::Less => found < value,
            Relation::AtMost => found <= value,
            Relation::Equal => found == value,
            Relation::NotEqual => found != value,
            Relation::AtLeast => found >= value,
            Relation::Greater => found > value,
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
            Flag::Best => surroundings.best == Some(row.child),
            Flag::Marked => surroundings.marks.contains(&row.child),
        }
    }
}

impl fmt::Display for Filter {
    /// In a form that is parsed to the same expression.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Filter::Compare {
                quantity,
                relation,
                value,
            } => write!(f, "{}{}{value}", quantity.name(), relation.sign()),
            Filter::Flag(flag) => f.write_str(flag.name()),
            Filter::Not(inner) => write!(f, "!{}", Part(inner, false)),
            Filter::And(parts) => write_joined(f, parts, " & ", false),
            Filter::Or(parts) => write_joined(f, parts, " | ", true),
        }
    }
}

/// A part of a larger expression, in parentheses unless it binds more tightly.
struct Part<'a>(&'a Filter, /* whether the whole is an `or` */ bool);

impl fmt::Display for Part<'_> {
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
        write!(f, "{}", Part(part, in_or))?;
    }
    Ok(())
}

impl Quantity {
    fn name(self) -> &'static str {
        QUANTITIES
            .iter()
            .find(|(quantity, _)| *quantity == self)
            .and_then(|(_, names)| names.first())
            .copied()
            .unwrap_or("")
    }
}

impl Relation {
    fn sign(self) -> &'static str {
        RELATIONS
            .iter()
            .rfind(|(relation, _)| *relation == self)
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tui::panels::list::tests::row;

    fn admits(text: &str, row: &ChildRow) -> bool {
        let surroundings = Surroundings {
            best: Some(7),
            marks: &[9, 12],
        };
        Filter::parse(text)
            .unwrap()
            .unwrap()
            .admits(row, surroundings)
    }

    fn error(text: &str) -> (usize, String) {
        let error = Filter::parse(text).unwrap_err();
        (error.position, error.problem)
    }

    #[test]
    fn numbers_are_compared_by_every_relation() {
        let row = ChildRow {
            params: 1_000_000,
            accuracy: Some(0.8),
            ..row(3)
        };
        for text in [
            "params<=1e6",
            "params = 1_000_000",
            "params==1M",
            "params >= 1000k",
            "params<0.1G",
            "params>-5",
            "params!=2M",
        ] {
            assert!(admits(text, &row), "{text}");
        }
        for text in [
            "params<1M",
            "params>1M",
            "params!=1e6",
            "acc>80%",
            "acc<0.8",
            "accuracy != 0.8",
        ] {
            assert!(!admits(text, &row), "{text}");
        }
    }

    #[test]
    fn every_quantity_has_its_names() {
        let row = ChildRow {
            reward: Some(0.5),
            macs: 7,
            seconds: 3.0,
            episode: 4,
            entropy: Some(2.5),
            energy_wh: Some(1.5),
            ..row(12)
        };
        let texts = "reward=0.5 macs=7 time=3 seconds=3 ep=4 episode=4 child=12 layers=0 depth=0 entropy=2.5 energy=1.5 PARAMS>=0";
        for text in texts.split(' ') {
            assert!(admits(text, &row), "{text}");
        }
    }

    #[test]
    fn flags_tell_what_became_of_a_child() {
        assert!(admits(
            "repeat & !failed",
            &ChildRow {
                repeat_of: Some(1),
                ..row(3)
            }
        ));
        assert!(admits(
            "failed",
            &ChildRow {
                accuracy: None,
                ..row(3)
            }
        ));
        assert!(admits(
            "skipped and not edited",
            &ChildRow {
                skipped: true,
                ..row(3)
            }
        ));
        assert!(admits(
            "edited",
            &ChildRow {
                parent: Some(1),
                ..row(3)
            }
        ));
        assert!(admits("best & !marked", &row(7)) && admits("marked & !best", &row(9)));
    }

    #[test]
    fn a_missing_value_makes_a_comparison_false() {
        let failed = ChildRow {
            accuracy: None,
            entropy: None,
            energy_wh: None,
            ..row(3)
        };
        for text in ["acc>=0", "acc<1", "acc!=0.5", "entropy>=0", "energy>=0"] {
            assert!(!admits(text, &failed), "{text}");
        }
        assert!(admits("!(acc>=0)", &failed));
    }

    #[test]
    fn and_binds_more_tightly_than_or_and_not_more_tightly_than_both() {
        let row = row(7);
        assert!(admits("best | failed & failed", &row));
        assert!(!admits("(best | failed) & failed", &row));
        assert!(!admits("!best | failed", &row));
        assert!(admits("not failed and best OR failed", &row));
    }

    #[test]
    fn nothing_asks_for_nothing() {
        assert_eq!(Filter::parse("   "), Ok(None));
    }

    #[test]
    fn an_error_says_where_and_what_was_expected() {
        assert_eq!(error("acc>"), (4, "expected a number".into()));
        assert_eq!(error("acc > x"), (6, "expected a number".into()));
        assert_eq!(error("acc 5"), (4, "expected < <= = != >= or >".into()));
        assert_eq!(error("best best"), (5, "expected & or |".into()));
        assert_eq!(error("(best"), (5, "expected )".into()));
        assert_eq!(
            error("best &"),
            (6, "expected a comparison or a flag".into())
        );
        assert_eq!(
            error("size>3"),
            (0, "there is no `size`; the help (?) has the names".into())
        );
        assert_eq!(error("ä&best").0, 0);
        assert_eq!(
            Filter::parse("best & x")
                .unwrap_err()
                .to_string()
                .split(": ")
                .next(),
            Some("at 8")
        );
    }

    #[test]
    fn numbers_that_cannot_be_meant_are_refused() {
        assert_eq!(error("params<1e999"), (7, "`1e999` is too large".into()));
        assert_eq!(
            error("params<1m"),
            (7, "`1m` is no number (as 0.8, 80%, 1e6, 100k)".into())
        );
        assert_eq!(
            error("acc>80"),
            (4, "an accuracy is from 0 to 1, or in %".into())
        );
    }

    #[test]
    fn nesting_without_end_is_refused_before_the_stack_ends() {
        for opening in ["(", "!", "not "] {
            let (position, problem) = error(&opening.repeat(100_000));
            assert!(
                position < 1_000 && problem.contains("nested"),
                "{position} {problem}"
            );
        }
    }

    fn expression() -> impl Strategy<Value = Filter> {
        let quantity = proptest::sample::select(QUANTITIES.map(|(quantity, _)| quantity).to_vec());
        let relation = proptest::sample::select(RELATIONS.map(|(relation, _)| relation).to_vec());
        let value = prop_oneof![0.0..1.0f64, Just(0.0), Just(1.0)];
        let flag = proptest::sample::select(FLAGS.map(|(flag, _)| flag).to_vec());
        let leaf = prop_oneof![
            (quantity, relation, value).prop_map(|(quantity, relation, value)| Filter::Compare {
                quantity,
                relation,
                value
            }),
            flag.prop_map(Filter::Flag),
        ];
        leaf.prop_recursive(5, 40, 4, |inner| {
            let parts = proptest::collection::vec(inner.clone(), 2..4);
            prop_oneof![
                inner.prop_map(|inner| Filter::Not(Box::new(inner))),
                parts.clone().prop_map(Filter::And),
                parts.prop_map(Filter::Or),
            ]
        })
    }

    proptest! {
        #[test]
        fn an_expression_written_out_is_parsed_to_itself(filter in expression()) {
            prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(Some(filter)));
        }

        #[test]
        fn a_number_written_out_is_parsed_to_itself(value in proptest::num::f64::NORMAL) {
            let filter = Filter::Compare { quantity: Quantity::Reward, relation: Relation::Less, value };
            prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(Some(filter)));
        }

        #[test]
        fn any_text_is_parsed_or_refused_at_a_place_in_it(text in "([ -~äß…]|acc|and|>|1e|%|best){0,20}") {
            if let Err(error) = Filter::parse(&text) {
                prop_assert!(error.position <= text.chars().count());
            }
        }
    }
}
