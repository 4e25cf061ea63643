use proptest::prelude::*;

use super::*;
use crate::event::Level;

fn notice(message: &str) -> Event {
    Event::Notice {
        level: Level::Info,
        message: message.to_owned(),
    }
}

/// A journal of three notices in a new folder.
fn three() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let mut journal = Journal::create(&path).unwrap();
    for message in ["one", "two", "three"] {
        journal.append(notice(message)).unwrap();
    }
    (folder, path)
}

fn messages(records: &[Record]) -> Vec<&str> {
    records.iter().filter_map(message_of).collect()
}

fn message_of(record: &Record) -> Option<&str> {
    if let Event::Notice { message, .. } = &record.event {
        Some(message)
    } else {
        None
    }
}

#[test]
fn appended_records_are_read_back_with_consecutive_numbers() {
    let (_folder, path) = three();
    let records = read(&path).unwrap();
    assert_eq!(messages(&records), ["one", "two", "three"]);
    assert_eq!(
        records.iter().map(|record| record.seq).collect::<Vec<_>>(),
        [Some(1), Some(2), Some(3)]
    );
}

#[test]
fn a_journal_opened_at_its_end_continues_like_one_that_was_read() {
    let (_folder, path) = three();
    let mut journal = Journal::open_at_end(&path).unwrap();
    assert_eq!(journal.append(notice("four")).unwrap().seq, Some(4));
    let other = Journal::open_at_end(&path).unwrap_err();
    assert!(matches!(other, JournalError::InUse { .. }), "{other}");
    drop(journal);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
    let mut journal = Journal::open_at_end(&path).unwrap();
    assert_eq!(journal.append(notice("again")).unwrap().seq, Some(4));
    let records = read(&path).unwrap();
    assert_eq!(messages(&records), ["one", "two", "three", "again"]);
    assert!(path.with_file_name("journal.jsonl.torn").is_file());
}

#[test]
fn a_line_has_version_number_utc_time_and_event() {
    let (_folder, path) = three();
    let text = std::fs::read_to_string(path).unwrap();
    let line: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&line["v"], &line["seq"], &line["event"]),
        (&1.into(), &1.into(), &"notice".into())
    );
    assert!(line["time"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn a_tick_gets_a_time_but_no_number_and_is_not_written() {
    let (_folder, path) = three();
    let mut journal = Journal::open(&path).unwrap().journal;
    let progress = crate::event::ChildProgress {
        child: 1,
        worker: 0,
        epoch: 1,
        epochs: 2,
        batch: 3,
        batches: 4,
        loss: 0.5,
        images_per_second: 100.0,
    };
    assert_eq!(
        journal.append(Event::ChildProgress(progress)).unwrap().seq,
        None
    );
    assert_eq!(journal.append(notice("four")).unwrap().seq, Some(4));
    assert_eq!(read(&path).unwrap().len(), 4);
}

#[test]
fn a_torn_last_line_is_cut_off_and_saved_and_numbering_continues() {
    let (_folder, path) = three();
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&whole[..], br#"{"v":1,"seq":4,"ti"#].concat()).unwrap();
    let mut opened = Journal::open(&path).unwrap();
    assert_eq!(opened.repaired.as_ref().unwrap().line, 4);
    assert_eq!(std::fs::read(&path).unwrap(), whole);
    assert_eq!(
        std::fs::read(path.with_extension("jsonl.torn")).unwrap(),
        b"{\"v\":1,\"seq\":4,\"ti\n"
    );
    opened.journal.append(notice("four")).unwrap();
    assert_eq!(
        messages(&read(&path).unwrap()),
        ["one", "two", "three", "four"]
    );
}

#[test]
fn zeros_in_place_of_the_last_line_are_a_torn_line_even_with_a_newline() {
    let (_folder, path) = three();
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&whole[..], &[0; 100], b"\n"].concat()).unwrap();
    assert_eq!(Journal::open(&path).unwrap().records.len(), 3);
    assert_eq!(std::fs::read(&path).unwrap(), whole);
}

#[test]
fn a_complete_line_without_its_newline_was_never_announced_and_is_cut_off() {
    let (_folder, path) = three();
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let opened = Journal::open(&path).unwrap();
    assert_eq!(messages(&opened.records), ["one", "two"]);
    assert!(opened.repaired.is_some());
}

#[test]
fn a_number_that_is_not_finite_is_refused_and_the_journal_stays_whole() {
    let (_folder, path) = three();
    let mut journal = Journal::open(&path).unwrap().journal;
    let event = Event::ChildFailed {
        child: 1,
        episode: 1,
        reason: "x".into(),
        reward: f64::NAN,
        seconds: 1.0,
        control: false,
    };
    assert_eq!(
        journal.append(event).unwrap_err().kind(),
        io::ErrorKind::InvalidData
    );
    journal.append(notice("four")).unwrap();
    assert_eq!(read(&path).unwrap().len(), 4);
}

#[test]
fn a_second_writer_is_refused_and_readers_are_not() {
    let (_folder, path) = three();
    let first = Journal::open(&path).unwrap();
    assert!(matches!(
        Journal::open(&path),
        Err(JournalError::InUse { .. })
    ));
    assert_eq!(read(&path).unwrap().len(), 3);
    drop(first);
    Journal::open(&path).unwrap();
}

#[test]
fn a_line_that_could_not_be_written_is_written_later_without_a_trace() {
    let (_folder, path) = three();
    let mut journal = Journal::open(&path).unwrap().journal;
    let line = journal.line(notice("four")).unwrap();
    // A handle that cannot write stands for a disk that cannot.
    let able = std::mem::replace(&mut journal.file, File::open(&path).unwrap());
    assert!(journal.write(&line).is_err());
    let next = journal.line(notice("five")).unwrap();
    journal.file = able;
    journal.write(&line).unwrap();
    journal.write(&next).unwrap();
    assert_eq!(
        messages(&read(&path).unwrap()),
        ["one", "two", "three", "four", "five"]
    );
}

#[test]
fn lines_that_a_failed_sync_may_have_lost_are_written_again() {
    let (_folder, path) = three();
    let mut journal = Journal::open(&path).unwrap().journal;
    journal.append(notice("four")).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let lost = whole.len() - 20;
    let zeros = [&whole[..lost], &[0; 20]].concat();
    std::fs::write(&path, zeros).unwrap();
    journal.is_doubtful = true;
    journal.append(notice("five")).unwrap();
    assert_eq!(
        messages(&read(&path).unwrap()),
        ["one", "two", "three", "four", "five"]
    );
}

#[test]
fn a_journal_that_is_not_what_was_written_is_noticed() {
    let (_folder, path) = three();
    let mut journal = Journal::open(&path).unwrap().journal;
    let whole = std::fs::read(&path).unwrap();
    let problem = |journal: &Journal| journal.check().unwrap_err().to_string();
    journal.check().unwrap();
    std::fs::write(&path, &whole[..10]).unwrap();
    assert!(problem(&journal).contains("truncated"));
    std::fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
    assert!(problem(&journal).contains("something else has written"));
    std::fs::write(&path, &whole).unwrap();
    journal.check().unwrap();
    let away = path.with_extension("away");
    std::fs::rename(&path, &away).unwrap();
    assert!(problem(&journal).contains("removed"));
    std::fs::write(&path, &whole).unwrap();
    assert!(problem(&journal).contains("replaced"));
    std::fs::remove_file(&path).unwrap();
    std::fs::remove_file(&away).unwrap();
    journal.put_back().unwrap();
    journal.append(notice("four")).unwrap();
    assert_eq!(
        messages(&read(&path).unwrap()),
        ["one", "two", "three", "four"]
    );
}

#[test]
fn creating_a_journal_over_an_existing_one_is_refused() {
    let (_folder, path) = three();
    assert_eq!(
        Journal::create(&path).unwrap_err().kind(),
        io::ErrorKind::AlreadyExists
    );
}

proptest! {
    #[test]
    fn a_journal_cut_anywhere_opens_with_its_complete_lines(cut in 0usize..1000) {
        let (_folder, path) = three();
        let whole = std::fs::read(&path).unwrap();
        let cut = cut % (whole.len() + 1);
        std::fs::write(&path, &whole[..cut]).unwrap();
        let opened = Journal::open(&path).unwrap();
        let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
        prop_assert_eq!(opened.records.len(), lines);
        prop_assert_eq!(opened.repaired.is_some(), cut > 0 && whole[cut - 1] != b'\n');
    }
}
