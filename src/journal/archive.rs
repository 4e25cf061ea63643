//! Random access to a journal that may still grow: one record, one child, or the run as it stood at
//! any moment.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::line_index::LineIndex;
use super::reader::{JournalError, Reader};
use crate::event::{Event, Record};
use crate::state::{Candidate, ChildDetail, RunState};

/// States kept along the journal; a replay starts from the nearest one before.
const MOST_SNAPSHOTS: usize = 8;
/// Records between two of them while the journal is short.
const FIRST_INTERVAL: u64 = 512;

/// A journal opened for reading here and there. Every method looks at what has been appended when
/// it needs to.
///
/// Errors are those of [`Reader`]. An unfinished last line counts as not there.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    index: LineIndex,
    snapshots: Snapshots,
}

impl Archive {
    /// Open the journal at `path` and find its lines. Nothing is parsed: 500 MB take a fraction of
    /// a second.
    pub fn open(path: &Path) -> Result<Archive, JournalError> {
        let mut archive = Archive {
            path: path.to_owned(),
            index: LineIndex::default(),
            snapshots: Snapshots::default(),
        };
        archive.refresh()?;
        Ok(archive)
    }

    /// Take in what has been appended; the number of whole lines now.
    pub fn refresh(&mut self) -> Result<u64, JournalError> {
        let extend = |index: &mut LineIndex| index.extend(&mut File::open(&self.path)?);
        extend(&mut self.index).map_err(|source| JournalError::Io {
            path: self.path.clone(),
            source,
        })?;
        Ok(self.index.lines())
    }

    /// The record with this number; none where the journal does not reach so far.
    pub fn record(&mut self, seq: u64) -> Result<Option<Record>, JournalError> {
        match self.reader_from(seq)? {
            Some(mut reader) => reader.next().transpose(),
            None => Ok(None),
        }
    }

    /// All that the journal tells of `child`, which was sampled or queued in record `sampled_seq`
    /// and came to its end in `ended_seq`. Without an end the rest of the journal is searched. None
    /// where that record does not tell of the child.
    pub fn child(
        &mut self,
        child: u64,
        sampled_seq: u64,
        ended_seq: Option<u64>,
    ) -> Result<Option<ChildDetail>, JournalError> {
        let Some(mut reader) = self.reader_from(sampled_seq)? else {
            return Ok(None);
        };
        let last = ended_seq.unwrap_or(u64::MAX);
        let Some(first) = reader.find(sampled_seq, |line| names_child(line, child))? else {
            return Ok(None);
        };
        let candidate = match &first.event {
            Event::ChildSampled(sampled) => Candidate::sampled(sampled, sampled_seq),
            Event::ChildQueued(queued) => Candidate::queued(queued, sampled_seq),
            _ => return Ok(None),
        };
        // The row is made by the reducer that makes all rows.
        let mut state = RunState::default();
        state.apply(&first);
        let mut epochs = Vec::new();
        while state.search().children.is_empty()
            && let Some(record) = reader.find(last, |line| names_child(line, child))?
        {
            match &record.event {
                Event::ChildStarted { .. } => epochs.clear(),
                Event::ChildEpoch(epoch) => epochs.push(epoch.clone()),
                _ => {}
            }
            state.apply(&record);
        }
        Ok(Some(ChildDetail {
            candidate,
            epochs,
            row: state.search_mut().and_then(|search| search.children.pop()),
        }))
    }

    /// The run as it stood after the first `seq` records, or after all of them where there are
    /// fewer.
    ///
    /// Stepping forward reads only the records between; stepping back reads at most an eighth of
    /// the journal.
    pub fn state_at(&mut self, seq: u64) -> Result<RunState, JournalError> {
        let mut state = self.snapshots.nearest(seq).cloned().unwrap_or_default();
        if state.last_seq < seq
            && let Some(mut reader) = self.reader_from(state.last_seq + 1)?
        {
            while let Some(record) = reader.find(seq, |_| true)? {
                state.apply(&record);
                self.snapshots.offer(&state);
            }
        }
        self.snapshots.latest = Some(state.clone());
        Ok(state)
    }

    /// A reader whose next line is record `seq`.
    fn reader_from(&mut self, seq: u64) -> Result<Option<Reader>, JournalError> {
        if seq > self.index.lines() {
            self.refresh()?;
        }
        if seq == 0 || seq > self.index.lines() {
            return Ok(None);
        }
        let (lines, position) = self.index.near(seq);
        let mut reader = Reader::after(&self.path, lines, position)?;
        reader.find(seq - 1, |_| false)?;
        Ok(Some(reader))
    }
}

/// Whether a line of the journal is about this child. Far quicker than parsing: most lines are
/// about others.
fn names_child(line: &[u8], child: u64) -> bool {
    const KEY: &str = "\"child\":";
    let Ok(text) = std::str::from_utf8(line) else {
        return false;
    };
    let Some(start) = text.find(KEY) else {
        return false;
    };
    let value = text[start + KEY.len()..].trim_start();
    let digits = value
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(value.len());
    value[..digits].parse() == Ok(child)
}

/// States at even distances along the journal, and the one asked for last.
#[derive(Debug)]
struct Snapshots {
    interval: u64,
    /// In the order of the journal.
    kept: Vec<RunState>,
    latest: Option<RunState>,
}

impl Default for Snapshots {
    fn default() -> Snapshots {
        Snapshots {
            interval: FIRST_INTERVAL,
            kept: Vec::new(),
            latest: None,
        }
    }
}

impl Snapshots {
    /// The latest state that is not after record `seq`.
    fn nearest(&self, seq: u64) -> Option<&RunState> {
        let states = self.kept.iter().chain(&self.latest);
        states
            .filter(|state| state.last_seq <= seq)
            .max_by_key(|state| state.last_seq)
    }

    /// Keep `state` if it stands at one of the distances. When there are too many, every other one
    /// goes.
    fn offer(&mut self, state: &RunState) {
        let known = self.kept.last().map_or(0, |last| last.last_seq);
        if !state.last_seq.is_multiple_of(self.interval) || state.last_seq <= known {
            return;
        }
        self.kept.push(state.clone());
        if self.kept.len() > MOST_SNAPSHOTS {
            self.interval *= 2;
            self.kept
                .retain(|state| state.last_seq.is_multiple_of(self.interval));
        }
    }
}

#[cfg(test)]
mod tests {
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

    /// The demo's journal `times` times over, as one journal with gapless numbers.
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
    fn a_state_is_that_of_a_fresh_replay_in_whatever_order_it_is_asked_for() {
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
        assert!(archive.snapshots.kept.len() <= MOST_SNAPSHOTS);
        let distances: Vec<u64> = archive
            .snapshots
            .kept
            .iter()
            .map(|state| state.last_seq)
            .collect();
        assert!(
            distances
                .windows(2)
                .all(|pair| pair[1] - pair[0] == archive.snapshots.interval),
            "{distances:?}"
        );
    }

    #[test]
    fn a_child_has_its_candidate_its_epochs_and_the_row_that_the_run_has_of_it() {
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
        let [sampled, started, epoch] =
            ["child_sampled", "child_started", "child_epoch"].map(about);
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
    fn what_is_appended_later_is_found_and_a_torn_end_is_not_there_yet() {
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
    fn a_damaged_last_line_counts_as_not_there() {
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
}
