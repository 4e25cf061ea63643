//! The archive compared with a replay of the whole journal.

use std::fs::File;
use std::io::Write;

use super::*;

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-demo.jsonl")
}

fn replayed(records: &[Record]) -> String {
    let mut state = RunState::default();
    records.iter().for_each(|record| state.apply(record));
    format!("{state:?}")
}

/// The demo's journal repeated `times` times, as one journal with consecutive numbers.
fn long_journal(times: u64) -> (tempfile::TempDir, PathBuf) {
    let text = std::fs::read_to_string(demo()).unwrap();
    let lines = text.lines().count() as u64;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let mut file = File::create(&path).unwrap();
    for round in 0..times {
        for (line, number) in text.lines().zip(1..) {
            let old = format!("\"seq\":{number},");
            writeln!(
                file,
                "{}",
                line.replacen(&old, &format!("\"seq\":{},", round * lines + number), 1)
            )
            .unwrap();
        }
    }
    (folder, path)
}

#[test]
fn any_record_is_found_by_its_number() {
    let records = super::super::read(&demo()).unwrap();
    let mut archive = Archive::open(&demo()).unwrap();
    for seq in [1, 2, 255, 256, 257, 258, 512, 513, records.len() as u64] {
        assert_eq!(
            archive.record(seq).unwrap().as_ref(),
            records.get(seq as usize - 1)
        );
    }
    assert_eq!(archive.record(0).unwrap(), None);
    assert_eq!(archive.record(records.len() as u64 + 1).unwrap(), None);
}

#[test]
fn a_state_equals_that_of_a_fresh_replay_in_whatever_order_it_is_requested() {
    let (_folder, path) = long_journal(12);
    let records = super::super::read(&path).unwrap();
    let mut archive = Archive::open(&path).unwrap();
    for seq in [
        6_780, 0, 1, 100, 101, 5_000, 4_999, 512, 511, 6_000, 3_072, 9_999,
    ] {
        let expected = replayed(&records[..records.len().min(seq)]);
        assert!(
            format!("{:?}", archive.state_at(seq as u64).unwrap()) == expected,
            "after {seq} records"
        );
    }
    assert!(archive.states.kept.len() <= MOST_STATES);
    let distances: Vec<u64> = archive
        .states
        .kept
        .iter()
        .map(|state| state.last_seq)
        .collect();
    assert!(
        distances
            .windows(2)
            .all(|pair| pair[1] - pair[0] == archive.states.interval),
        "{distances:?}"
    );
}

#[test]
fn a_child_has_its_candidate_its_epochs_and_its_row_in_the_run() {
    let mut archive = Archive::open(&demo()).unwrap();
    let state = archive.state_at(u64::MAX).unwrap();
    for row in &state.search().children {
        let detail = archive
            .child(row.child, row.sampled_seq, Some(row.ended_seq))
            .unwrap()
            .unwrap();
        assert_eq!(
            (detail.row.as_ref(), detail.candidate.child),
            (Some(row), row.child)
        );
        assert_eq!(
            detail.candidate.design.network().unwrap().layers.len(),
            row.genes.depth()
        );
        if row.repeat_of.is_none() && row.accuracy.is_some() {
            assert_eq!(detail.epochs.len(), 3, "child {}", row.child);
        }
        assert_eq!(
            archive.child(row.child, row.sampled_seq, None).unwrap(),
            Some(detail)
        );
    }
    assert_eq!(archive.child(5, 4, None).unwrap(), None);
    assert_eq!(archive.child(5, 0, None).unwrap(), None);
}

#[test]
fn a_child_still_in_training_has_no_row() {
    let text = std::fs::read_to_string(demo()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    std::fs::write(
        &path,
        text.split_inclusive('\n').take(25).collect::<String>(),
    )
    .unwrap();
    let detail = Archive::open(&path)
        .unwrap()
        .child(1, 5, None)
        .unwrap()
        .unwrap();
    assert_eq!((detail.candidate.seq, detail.row), (5, None));
    assert!(!detail.epochs.is_empty());
}

#[test]
fn only_the_epochs_of_the_last_attempt_are_kept() {
    let text = std::fs::read_to_string(demo()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let about = |kind: &str| {
        *lines
            .iter()
            .find(|line| line.contains(kind) && names_child(line.as_bytes(), 1))
            .unwrap()
    };
    let [sampled, started, epoch] = ["child_sampled", "child_started", "child_epoch"].map(about);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let mut file = File::create(&path).unwrap();
    for (line, seq) in [sampled, started, epoch, epoch, started, epoch]
        .into_iter()
        .zip(1..)
    {
        let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
        value["seq"] = seq.into();
        writeln!(file, "{value}").unwrap();
    }
    assert_eq!(
        Archive::open(&path)
            .unwrap()
            .child(1, 1, None)
            .unwrap()
            .unwrap()
            .epochs
            .len(),
        1
    );
}

#[test]
fn appended_records_are_found_and_a_torn_end_is_ignored() {
    let text = std::fs::read_to_string(demo()).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    std::fs::write(&path, lines[..300].concat() + &lines[300][..40]).unwrap();
    let mut archive = Archive::open(&path).unwrap();
    assert_eq!(archive.record(301).unwrap(), None);
    assert_eq!(archive.state_at(400).unwrap().last_seq, 300);
    std::fs::write(&path, lines[..310].concat()).unwrap();
    assert_eq!(archive.record(301).unwrap().unwrap().seq, Some(301));
    assert_eq!(archive.state_at(400).unwrap().last_seq, 310);
}

#[test]
fn a_damaged_last_line_is_ignored() {
    let text = std::fs::read_to_string(demo()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    std::fs::write(
        &path,
        text.split_inclusive('\n').take(10).collect::<String>() + "\0\0\0\0\n",
    )
    .unwrap();
    let mut archive = Archive::open(&path).unwrap();
    assert_eq!(
        (
            archive.record(11).unwrap(),
            archive.state_at(11).unwrap().last_seq
        ),
        (None, 10)
    );
}

#[test]
fn a_line_names_a_child_only_by_its_own_number() {
    assert!(names_child(
        br#"{"v":1,"event":"child_epoch","child":12,"worker":0}"#,
        12
    ));
    assert!(names_child(
        br#"{"event":"skip_requested","child": 12}"#,
        12
    ));
    for other in [
        r#"{"child":123}"#,
        r#"{"next_child":12}"#,
        r#"{"parent":12}"#,
        r#"{"message":"\"child\":12"}"#,
        "{}",
    ] {
        assert!(!names_child(other.as_bytes(), 12), "{other}");
    }
}
