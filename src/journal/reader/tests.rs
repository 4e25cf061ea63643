//! Journals that are whole, torn, damaged, growing, and long.

use proptest::prelude::*;

use super::*;

fn line(seq: u64) -> String {
    format!(r#"{{"v":1,"seq":{seq},"time":"2026-11-24T10:15:00Z","event":"paused"}}"#) + "\n"
}

fn read_text(text: &str) -> Result<Vec<Record>, JournalError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    std::fs::write(&path, text).unwrap();
    read(&path)
}

/// Line and column that the error names, and its text.
fn position(text: &str) -> (u64, usize, String) {
    match read_text(text).unwrap_err() {
        JournalError::Corrupt {
            line,
            column,
            problem,
            ..
        } => (line, column, problem),
        other => panic!("{other}"),
    }
}

#[test]
fn damage_before_the_last_line_is_an_error_with_line_column_and_remedy() {
    let text = line(1) + &line(2).replace("\"time\"", "time") + &line(3);
    assert_eq!(position(&text), (2, 16, "key must be a string".to_owned()));
    let message = read_text(&text).unwrap_err().to_string();
    assert!(
        message.contains("journal.jsonl, line 2, column 16")
            && message.contains("keep its first 1 line and remove"),
        "{message}"
    );
    let nothing = read_text(&(line(1).replace("\"time\"", "time") + &line(2))).unwrap_err();
    assert!(
        nothing
            .to_string()
            .ends_with("from a copy; nothing of it can be kept"),
        "{nothing}"
    );
}

#[test]
fn a_missing_line_and_a_repeated_line_are_errors() {
    assert_eq!(position(&(line(1) + &line(3))).0, 2);
    assert_eq!(
        position(&(line(1) + &line(1))).2,
        "its number (seq) is 1 where 2 must come"
    );
}

#[test]
fn an_unknown_event_and_a_missing_field_are_errors_even_in_the_last_line() {
    let unknown = line(1).replace("paused", "teleported");
    assert!(
        position(&unknown)
            .2
            .contains("unknown variant `teleported`")
    );
    let incomplete = line(1).replace("paused", "worker_died");
    assert!(position(&incomplete).2.contains("missing field"));
}

#[test]
fn a_newer_version_is_refused_as_such_whatever_it_contains() {
    let newer = line(1)
        .replace("\"v\":1", "\"v\":2")
        .replace("paused", "teleported");
    let error = read_text(&newer).unwrap_err();
    assert!(
        matches!(
            error,
            JournalError::Newer {
                line: 1,
                found: 2,
                ..
            }
        ),
        "{error}"
    );
    let known = line(1).replace("\"v\":1", "\"v\":2");
    assert!(matches!(
        read_text(&known).unwrap_err(),
        JournalError::Newer { .. }
    ));
}

#[test]
fn fields_of_a_later_program_of_the_same_version_are_ignored() {
    let richer = line(1).replace("\"event\"", "\"colour\":\"blue\",\"event\"");
    assert_eq!(read_text(&richer).unwrap().len(), 1);
}

#[test]
fn the_error_for_a_missing_file_names_it() {
    let error = read(Path::new("/nonexistent/journal.jsonl")).unwrap_err();
    assert!(
        error.to_string().contains("/nonexistent/journal.jsonl"),
        "{error}"
    );
}

#[test]
fn a_journal_that_grows_can_be_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let (first, second) = (line(1), line(2));
    std::fs::write(&path, first.clone() + &second[..20]).unwrap();
    let mut reader = Reader::open(&path).unwrap();
    assert_eq!(reader.by_ref().count(), 1);
    assert!(reader.torn().is_some());
    std::fs::write(&path, first + &second).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().seq, Some(2));
    assert!(reader.next().is_none() && reader.torn().is_none());
}

const DEMO: &str = include_str!("../../../tests/fixtures/journal-demo.jsonl");

/// The recorded run with `damage` in place of the byte at this position of this line, if there is one.
fn recorded(line: usize, position: usize, damage: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let mut lines: Vec<Vec<u8>> = DEMO
        .lines()
        .map(|line| format!("{line}\n").into_bytes())
        .collect();
    let line = &mut lines[line];
    let position = position % line.len();
    line.splice(
        position..position + damage.len().min(1),
        damage.iter().copied(),
    );
    std::fs::write(&path, lines.concat()).unwrap();
    (folder, path)
}

/// What a reader finds, with its position at the end.
fn found(mut reader: Reader) -> (Vec<Record>, Option<String>, Option<Torn>, u64) {
    let mut records = Vec::new();
    for record in reader.by_ref() {
        match record {
            Ok(record) => records.push(record),
            Err(error) => return (records, Some(error.to_string()), None, reader.place().bytes),
        }
    }
    let torn = reader.torn().cloned();
    (records, None, torn, reader.place().bytes)
}

fn line_by_line(path: &Path) -> Reader {
    Reader {
        alone: u64::MAX,
        ..Reader::open(path).unwrap()
    }
}

fn read_ahead(path: &Path) -> Reader {
    let mut reader = Reader::open(path).unwrap();
    reader.start_ahead().unwrap();
    assert!(reader.ahead.is_some(), "it is long");
    reader
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_long_journal_read_ahead_has_the_records_and_the_damage_of_one_read_line_by_line(
        line in 0..DEMO.lines().count(),
        position in 0usize..400,
        damage in proptest::collection::vec(any::<u8>(), 0..3),
    ) {
        let (_folder, path) = recorded(line, position, &damage);
        prop_assert_eq!(found(read_ahead(&path)), found(line_by_line(&path)));
        let without = |reader: Reader| found(reader.without(&["child_epoch"]));
        let mut ahead = Reader::open(&path).unwrap().without(&["child_epoch"]);
        ahead.start_ahead().unwrap();
        prop_assert_eq!(found(ahead), without(line_by_line(&path)));
    }
}

#[test]
fn a_selection_has_the_same_records_ahead_as_line_by_line() {
    const LEFT_OUT: [&str; 2] = ["child_epoch", "child_started"];
    let (_folder, path) = recorded(0, 0, b"");
    let expected = found(line_by_line(&path).without(&LEFT_OUT));
    let mut ahead = Reader::open(&path).unwrap().without(&LEFT_OUT);
    ahead.start_ahead().unwrap();
    assert_eq!(found(ahead), expected);
    assert_eq!(expected.0.len(), 222);
    assert_eq!(expected.3, DEMO.len() as u64, "the skipped lines count");
}

#[test]
fn choices_that_no_one_reads_are_left_out_ahead_and_nothing_else() {
    let (_folder, path) = recorded(0, 0, b"");
    let mut ahead = Reader::open(&path).unwrap().without_choices();
    ahead.start_ahead().unwrap();
    let mut expected = found(line_by_line(&path)).0;
    for record in &mut expected {
        if let crate::event::Event::ChildSampled(sampled) = &mut record.event {
            assert!(!sampled.choices.is_empty());
            sampled.choices.clear();
        }
    }
    assert_eq!(found(ahead).0, expected);
}

#[test]
fn what_is_appended_after_a_long_journal_was_read_is_followed() {
    let (_folder, path) = recorded(0, 0, b"");
    let count = DEMO.lines().count() as u64;
    let mut reader = read_ahead(&path);
    assert_eq!(reader.by_ref().count() as u64, count);
    std::fs::write(&path, DEMO.to_owned() + &line(count + 1)).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().seq, Some(count + 1));
    assert!(reader.next().is_none());
}
