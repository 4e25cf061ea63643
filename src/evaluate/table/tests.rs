//! Usable and unusable tables, and the reports of look-ups.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::config::Decode;

fn corpus(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tables");
    let entries = std::fs::read_dir(root.join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/tables")
        .join(name)
}

fn config() -> SpaceConfig {
    SpaceConfig {
        layer: "nasbench201".to_owned(),
        kernels: vec![],
        filters: vec![],
        strides: vec![],
        paddings: vec![],
        decode: Decode::Literal,
    }
}

const CELL: &str = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|";

#[test]
fn good_tables_are_read_whatever_else_they_contain() {
    let tables = corpus("good");
    assert!(tables.len() >= 2);
    for path in tables {
        let found = Table::read(&path).unwrap().get(CELL).unwrap();
        let expected = Accuracies {
            validation: 0.835,
            test: 0.9325,
        };
        assert_eq!(found, expected, "{}", path.display());
    }
}

/// Name of a bad table, the faulty line, the problem, and the remedy.
const BAD: [(&str, usize, &str, &str); 11] = [
    ("empty", 1, "the file is empty", "must name the columns"),
    (
        "no-validation-column",
        1,
        "no column valid_accuracy_12ep",
        "must name the columns",
    ),
    ("column-twice", 1, "arch is named twice", "each once"),
    (
        "duplicate",
        4,
        "twice, first in line 2",
        "remove one of the two lines",
    ),
    (
        "above-100",
        3,
        "valid_accuracy_12ep is \"183.5\"",
        "a number from 0 to 100",
    ),
    (
        "negative",
        2,
        "valid_accuracy_12ep is \"-1\"",
        "a number from 0 to 100",
    ),
    (
        "not-finite",
        2,
        "valid_accuracy_12ep is \"nan\"",
        "a number from 0 to 100",
    ),
    (
        "word",
        2,
        "valid_accuracy_12ep is \"good\"",
        "a number from 0 to 100",
    ),
    (
        "after-a-blank-line",
        3,
        "valid_accuracy_12ep is \"good\"",
        "a number from 0 to 100",
    ),
    ("short-line", 2, "has 2 fields", "one field per column"),
    (
        "no-key",
        2,
        "the field arch is empty",
        "name the architecture",
    ),
];

#[test]
fn a_bad_table_is_an_error_with_file_line_and_remedy() {
    assert_eq!(corpus("bad").len(), BAD.len());
    for (name, line, what, remedy) in BAD {
        let error = Table::read(&fixture(&format!("bad/{name}.csv")))
            .unwrap_err()
            .to_string();
        let place = format!("{name}.csv:{line}: ");
        for part in [place.as_str(), what, remedy] {
            assert!(error.contains(part), "{error:?} does not contain {part:?}");
        }
    }
}

#[test]
fn a_table_that_lacks_architectures_names_one_and_the_remedy() {
    let table = Table::read(&fixture("good/minimal.csv")).unwrap();
    let space = Space::new(&config(), [0, 0, 0], 0).unwrap();
    let error = table.check_complete(&space).unwrap_err().to_string();
    for part in [
        "minimal.csv:3: ",
        "15623 of the space's 15625",
        "among them",
        "complete benchmark",
    ] {
        assert!(error.contains(part), "{error:?} does not contain {part:?}");
    }
}

#[test]
fn the_error_for_a_missing_table_names_it() {
    let error = Table::read(Path::new("/nowhere/table.csv")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("/nowhere/table.csv: cannot read")
    );
}

/// A look-up in the two rows of the smallest table, and its reports.
fn lookup() -> (TableLookup, Rc<RefCell<Vec<Report>>>) {
    let reports = Rc::new(RefCell::new(Vec::new()));
    let told = Rc::clone(&reports);
    let lookup = TableLookup {
        table: Some(Table::read(&fixture("good/minimal.csv")).unwrap()),
        report: Box::new(move |report| told.borrow_mut().push(report)),
        held: Vec::new(),
        paused: false,
    };
    (lookup, reports)
}

fn job(child: u64, key: &str) -> Job {
    Job {
        child,
        seed: child,
        design: Design::Key(key.to_owned()),
        stop: None,
    }
}

#[test]
fn a_child_gets_its_rows_accuracies_whatever_its_seed() {
    let (mut lookup, reports) = lookup();
    lookup.submit(job(1, CELL));
    lookup.submit(job(2, CELL));
    lookup.submit(job(3, "no such cell"));
    let reports = reports.borrow();
    for (child, report) in (1..=2).zip(reports.iter()) {
        let expected = Report::Finished {
            child,
            outcome: Outcome::Trained {
                valid_accuracies: vec![0.835],
            },
            seconds: 0.0,
            energy_wh: None,
            test_accuracy: Some(0.9325),
        };
        assert_eq!(*report, expected);
    }
    let Report::Finished {
        outcome: Outcome::Failed { reason },
        test_accuracy: None,
        ..
    } = &reports[2]
    else {
        panic!("{:?}", reports[2]);
    };
    assert!(reason.contains("no such cell"));
}

#[test]
fn a_pause_holds_children_back_and_a_skip_releases_one() {
    let (mut lookup, reports) = lookup();
    lookup.pause(4);
    lookup.submit(job(1, CELL));
    lookup.submit(job(2, CELL));
    lookup.skip(1);
    lookup.resume();
    let reports = reports.borrow();
    assert_eq!(reports[0], Report::Paused { number: 4 });
    let ends: Vec<(u64, bool)> = reports[1..]
        .iter()
        .map(|report| match report {
            Report::Finished { child, outcome, .. } => {
                (*child, matches!(outcome, Outcome::Trained { .. }))
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ends, [(1, false), (2, true)]);
}

#[test]
fn a_table_that_cannot_be_used_ends_the_search_before_it_begins() {
    let reports = Rc::new(RefCell::new(Vec::new()));
    let told = Rc::clone(&reports);
    let path = fixture("good/minimal.csv");
    TableLookup::start(&path, &config(), move |report| {
        told.borrow_mut().push(report)
    });
    assert!(
        matches!(&reports.borrow()[..], [Report::Fatal { message }] if message.contains("minimal.csv:3"))
    );
}
