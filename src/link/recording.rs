//! The search recorded in the program itself (assets/sample-run), for `nas-tui replay --sample`: its
//! journal as a file in memory, which is read like any other and of which nothing remains.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use flate2::bufread::GzDecoder;
use rustix::fs::{MemfdFlags, memfd_create};

use super::error::AttachError;
use crate::journal::JournalError;

/// Speed at which the whole recorded search takes about a minute.
pub const SAMPLE_SPEED: f64 = 4.0;

/// How much of it is over at the beginning: every panel has something to show.
pub const SAMPLE_FROM: f64 = 0.66;

/// The journal, compressed with gzip.
const JOURNAL: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/assets/sample-run/journal.jsonl.gz"
));

/// The recorded search, unpacked.
#[derive(Debug)]
pub(super) struct Recording {
    file: File,
}

impl Recording {
    /// Unpack the journal into memory.
    pub fn unpack() -> Result<Recording, AttachError> {
        let unpack = || -> io::Result<Recording> {
            let mut file = File::from(memfd_create("nas-tui-sample", MemfdFlags::CLOEXEC)?);
            io::copy(&mut GzDecoder::new(JOURNAL), &mut file)?;
            Ok(Recording { file })
        };
        unpack().map_err(|error| JournalError::at("the recorded search".as_ref())(error).into())
    }

    /// Where this process can open the journal, any number of times, as long as this value exists.
    pub fn journal(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.file.as_raw_fd()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{RunSummary, Summary};
    use crate::event::{Event, FinishReason};
    use crate::journal::{self, Archive};
    use crate::link::{Pace, replay_sample};

    #[test]
    fn its_journal_adds_up_to_the_summary_that_the_recorded_search_wrote() {
        let summary = Summary::of_journal(&Recording::unpack().unwrap().journal()).unwrap();
        let written = include_str!("../../assets/sample-run/summary.json");
        let written: Summary = serde_json::from_str(written).unwrap();
        assert_eq!(summary.reason, Some(FinishReason::Completed));
        assert_eq!((summary.seed, summary.children_evaluated), (5, 160));
        assert_eq!(summary.episodes.len(), 10);
        assert_eq!(summary.best, written.best);
        assert_eq!(summary.episodes, written.episodes);
        assert_eq!(summary.policy_lift, written.policy_lift);
        assert_eq!(summary.wall_seconds, written.wall_seconds);
    }

    #[test]
    fn its_records_are_those_of_one_undisturbed_session() {
        let records = journal::read(&Recording::unpack().unwrap().journal()).unwrap();
        let count = |is_one: fn(&Event) -> bool| {
            let events = records.iter().map(|record| &record.event);
            events.filter(|event| is_one(event)).count()
        };
        assert!(matches!(records[0].event, Event::RunStarted(_)));
        assert_eq!(count(|event| matches!(event, Event::ChildFinished(_))), 170);
        assert_eq!(count(|event| matches!(event, Event::RunResumed { .. })), 0);
        assert_eq!(count(|event| matches!(event, Event::Notice { .. })), 0);
        assert_eq!(count(|event| matches!(event, Event::RunFinished { .. })), 1);
    }

    #[test]
    fn a_client_receives_every_record_and_can_read_each_child_again() {
        let mut connection = replay_sample(Pace::Recorded, 1e9, 0.0).unwrap();
        let mut archive = Archive::open(&connection.journal).unwrap();
        let length = archive.refresh().unwrap();
        for seq in 1..=length {
            let received = connection.records.blocking_recv().unwrap();
            assert_eq!(received.seq, Some(seq));
        }
        let state = archive.state_at(length).unwrap();
        for row in &state.search().children {
            let place = (row.sampled_seq, Some(row.ended_seq));
            let detail = archive.child(row.child, place.0, place.1).unwrap();
            assert_eq!(detail.unwrap().epochs.len(), 2);
        }
    }
}
