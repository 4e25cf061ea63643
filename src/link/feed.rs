//! Sends a journal's records to one client in a separate thread, so that only that thread waits for
//! a slow client.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::event::{Event, Level, Record, VERSION};
use crate::journal::{JournalError, Reader};
use crate::state::RunStatus;

/// Maximum number of records on their way to a client.
const CAPACITY: usize = 1024;

/// Reads a journal for one client.
#[derive(Debug)]
pub(super) struct Feed {
    reader: Reader,
    sender: Sender<Arc<Record>>,
    /// Number of the last record sent.
    sent: u64,
    /// The status of the run after the last record sent.
    status: RunStatus,
}

/// Why nothing more can be sent.
#[derive(Debug)]
pub(super) enum FeedEnd {
    /// The client has gone.
    Gone,
    Damaged(JournalError),
}

impl Feed {
    /// A feed of the journal at `path`, and the client's end of it. Nothing is sent yet.
    pub fn open(path: &Path) -> Result<(Feed, Receiver<Arc<Record>>), JournalError> {
        let (sender, receiver) = channel(CAPACITY);
        Ok((
            Feed {
                reader: Reader::open(path)?,
                sender,
                sent: 0,
                status: RunStatus::default(),
            },
            receiver,
        ))
    }

    /// Send the journal's records after the last one sent, up to number `last` (or all complete
    /// lines). Blocks while the client is slow.
    pub fn deliver(&mut self, last: Option<u64>) -> Result<(), FeedEnd> {
        while last.is_none_or(|last| self.sent < last) {
            // An unfinished last line is not a record yet; it will be complete when the next news
            // arrives.
            let Some(record) = self.reader.next().transpose().map_err(FeedEnd::Damaged)? else {
                break;
            };
            self.status.apply(&record.event);
            self.sent += 1;
            self.sender
                .blocking_send(Arc::new(record))
                .map_err(|_| FeedEnd::Gone)?;
        }
        if self.is_gone() {
            Err(FeedEnd::Gone)
        } else {
            Ok(())
        }
    }

    /// Send a tick, or drop it if the client is behind.
    pub fn tick(&self, record: Arc<Record>) -> Result<(), FeedEnd> {
        match self.sender.try_send(record) {
            Err(TrySendError::Closed(_)) => Err(FeedEnd::Gone),
            Ok(()) | Err(TrySendError::Full(_)) => Ok(()),
        }
    }

    /// Send this client a notice that is not in the journal.
    pub fn say(&self, level: Level, message: String) {
        let event = Event::Notice { level, message };
        let record = Record {
            v: VERSION,
            seq: None,
            time: jiff::Timestamp::now(),
            event,
        };
        // A client that has gone is noticed with the next record.
        let _ = self.sender.blocking_send(Arc::new(record));
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// The status of the run after the last record sent.
    pub fn status(&self) -> RunStatus {
        self.status
    }

    pub(super) fn is_gone(&self) -> bool {
        self.sender.is_closed()
    }

    /// Resolves when the client goes.
    pub fn gone(&self) -> impl Future<Output = ()> + use<'_> {
        self.sender.closed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Journal;

    fn journal() -> (tempfile::TempDir, std::path::PathBuf, Journal) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let journal = Journal::create(&path).unwrap();
        (folder, path, journal)
    }

    #[test]
    fn a_record_is_sent_once_it_is_announced_and_not_before() {
        let (_folder, path, mut journal) = journal();
        (0..3).for_each(|_| drop(journal.append(Event::Paused).unwrap()));
        let (mut feed, mut records) = Feed::open(&path).unwrap();
        feed.deliver(Some(2)).unwrap();
        assert_eq!((records.len(), feed.sent()), (2, 2));
        feed.deliver(None).unwrap();
        assert_eq!(records.len(), 3);
        assert_eq!(records.try_recv().unwrap().seq, Some(1));
    }

    #[test]
    fn a_half_written_line_is_waited_for() {
        let (_folder, path, mut journal) = journal();
        (0..2).for_each(|_| drop(journal.append(Event::Paused).unwrap()));
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 7]).unwrap();
        let (mut feed, records) = Feed::open(&path).unwrap();
        feed.deliver(None).unwrap();
        assert_eq!(records.len(), 1);
        std::fs::write(&path, &whole).unwrap();
        feed.deliver(None).unwrap();
        assert_eq!(records.len(), 2);
    }

    #[test]
    fn ticks_for_a_client_that_is_behind_are_dropped() {
        let (_folder, path, _journal) = journal();
        let (feed, mut records) = Feed::open(&path).unwrap();
        let tick = || {
            Arc::new(Record {
                v: VERSION,
                seq: None,
                time: jiff::Timestamp::now(),
                event: Event::Paused,
            })
        };
        (0..CAPACITY + 50).for_each(|_| feed.tick(tick()).unwrap());
        assert_eq!(records.len(), CAPACITY);
        records.close();
        assert!(matches!(feed.tick(tick()), Err(FeedEnd::Gone)));
    }
}
