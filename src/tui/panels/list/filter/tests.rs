//! Valid and invalid expressions.

use proptest::prelude::*;

use super::*;
use crate::event::Event;
use crate::tui::panels::list::tests::row;

/// Child 3 has a note.
fn notes() -> Notes {
    let mut notes = Notes::default();
    let text = "Odd: the loss rises (2.5) #keep #Odd-loss".to_owned();
    notes.apply(&Event::ChildNoted { child: 3, text });
    notes
}

fn admits(text: &str, row: &ChildRow) -> bool {
    let notes = notes();
    let surroundings = Surroundings {
        best: Some(7),
        marks: &[9, 12],
        notes: Some(&notes),
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
fn flags_tell_how_a_child_ended() {
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
fn notes_are_searched_for_words_and_tags_without_regard_to_capitals() {
    for text in [
        "note",
        "note:odd",
        "note : ODD & #keep",
        "note:\"the loss rises (\"",
        "#keep",
        "#odd-loss",
        "acc>=0 & (#no | #Keep)",
        "note:#keep",
    ] {
        assert!(admits(text, &row(3)), "{text}");
        assert!(!admits(text, &row(4)), "{text}");
    }
    assert!(!admits("#kee | note:falls | #loss", &row(3)));
    assert!(admits("!note", &row(4)) && admits("!#odd", &row(3)));
}

#[test]
fn what_is_wrong_with_a_condition_about_notes_is_said_where_it_is() {
    assert_eq!(error("best & #"), (7, "expected a tag, as in #keep".into()));
    assert_eq!(
        error("note: & best"),
        (6, "expected a word, or words in quotes".into())
    );
    assert_eq!(
        error("note:\"odd"),
        (5, "expected another \" after the words".into())
    );
    assert_eq!(error("note>3"), (4, "expected & or |".into()));
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
        (0, "there is no `size`; Tab lists the names".into())
    );
    assert_eq!(
        error("best & aacc>0.5"),
        (7, "there is no `aacc`; did you mean acc?".into())
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
fn numbers_that_make_no_sense_are_refused() {
    assert_eq!(error("params<1e999"), (7, "`1e999` is too large".into()));
    assert_eq!(
        error("params<1m"),
        (7, "`1m` is not a number (like 0.8, 80%, 1e6, 100k)".into())
    );
    assert_eq!(
        error("acc>80"),
        (4, "an accuracy is from 0 to 1, or in %".into())
    );
}

#[test]
fn endless_nesting_is_refused_before_the_stack_overflows() {
    for opening in ["(", "!", "not "] {
        let (position, problem) = error(&opening.repeat(100_000));
        assert!(
            position < 1_000 && problem.contains("nested"),
            "{position} {problem}"
        );
    }
}

fn expression() -> impl Strategy<Value = Filter> {
    let property = proptest::sample::select(PROPERTIES.map(|(property, _)| property).to_vec());
    let comparator =
        proptest::sample::select(COMPARATORS.map(|(comparator, _)| comparator).to_vec());
    let value = prop_oneof![0.0..1.0f64, Just(0.0), Just(1.0)];
    let flag = proptest::sample::select(FLAGS.map(|(flag, _)| flag).to_vec());
    let leaf = prop_oneof![
        (property, comparator, value).prop_map(|(property, comparator, value)| Filter::Compare {
            property,
            comparator,
            value
        }),
        flag.prop_map(Filter::Flag),
        "#[a-zß0-9_-]{1,8}".prop_map(Filter::Tag),
        "[a-z!#:.,]{1,8}".prop_map(Filter::Note),
        "[a-z&|()#]{1,5} [ a-z&|()!]{0,5}x".prop_map(Filter::Note),
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
    fn an_expression_written_out_parses_to_itself(filter in expression()) {
        prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(Some(filter)));
    }

    #[test]
    fn a_number_written_out_parses_to_itself(value in proptest::num::f64::NORMAL) {
        let filter = Filter::Compare { property: Property::Reward, comparator: Comparator::Less, value };
        prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(Some(filter)));
    }

    #[test]
    fn any_text_is_parsed_or_refused_at_a_position_in_it(text in "([ -~äß…]|acc|and|>|1e|%|best|note:|#){0,20}") {
        if let Err(error) = Filter::parse(&text) {
            prop_assert!(error.position <= text.chars().count());
        }
    }
}
