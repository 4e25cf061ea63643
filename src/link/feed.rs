//! Sends a journal's records to one client in a separate thread, so that only that thread waits for
//! a slow client.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, WeakSender, channel};

use crate::event::{Event, Level, Record, VERSION};
use crate::journal::{JournalError, Place, Reader};
use crate::state::RunStatus;

/// Maximum number of records on their way to a client.
pub(super) const CAPACITY: usize = 4096;
/// Bytes that a client is far behind by: reading them takes noticeable time.
const FAR: u64 = 1 << 20;
/// Number of records sent to a client that is far behind between two looks at how far.
const STEP: u64 = 4096;
/// A client that takes records has room again after a few of these; any other is waited for without looking.
const BETWEEN_LOOKS: Duration = Duration::from_micros(500);
const MOST_LOOKS: usize = 40;

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
        Feed::after(path, Place::default(), RunStatus::default())
    }

    /// The same for a client that knows the journal up to `place`, where the run has this status.
    pub fn after(
        path: &Path,
        place: Place,
        status: RunStatus,
    ) -> Result<(Feed, Receiver<Arc<Record>>), JournalError> {
        let (sender, receiver) = channel(CAPACITY);
        Ok((
            Feed {
                reader: Reader::after(path, place)?.without_choices(),
                sender,
                sent: place.lines,
                status,
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
            self.wait_for_room();
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

    /// If the client has no room, wait until there is some for many records: to wake both threads for each
    /// one takes longer than the record itself.
    fn wait_for_room(&self) {
        let is_full = |least| self.sender.capacity() < least && !self.is_gone();
        if is_full(1) {
            let looks = (0..MOST_LOOKS).take_while(|_| is_full(CAPACITY / 2));
            looks.for_each(|_| std::thread::sleep(BETWEEN_LOOKS));
        }
    }

    /// How much of the journal has been sent, in percent, if much is left.
    pub fn reading(&self) -> Option<u8> {
        let (done, length) = (self.reader.place().bytes, self.reader.length().ok()?);
        (length.saturating_sub(done) > FAR).then(|| (done.saturating_mul(100) / length) as u8)
    }

    /// Send most of what a client is far behind by, and call `on_the_way` with the percentage so far now
    /// and then. Blocks while the client is slow.
    pub fn catch_up(&mut self, mut on_the_way: impl FnMut(u8)) -> Result<(), FeedEnd> {
        while let Some(percent) = self.reading() {
            on_the_way(percent);
            let before = self.sent;
            self.deliver(Some(before + STEP))?;
            if self.sent == before {
                break;
            }
        }
        Ok(())
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
        // A client that has gone is noticed with the next record.
        let _ = self.sender.blocking_send(notice(level, message));
    }

    /// A way for another thread to say something to this client.
    pub fn voice(&self) -> Voice {
        Voice(self.sender.downgrade())
    }

    /// Bytes of the journal that have been read.
    pub fn length_read(&self) -> u64 {
        self.reader.place().bytes
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

/// Says something to the client of a feed, as long as that feed exists.
#[derive(Debug)]
pub(super) struct Voice(WeakSender<Arc<Record>>);

impl Voice {
    /// Send the client a notice that is not in the journal.
    pub fn say(&self, level: Level, message: String) {
        if let Some(sender) = self.0.upgrade() {
            let _ = sender.blocking_send(notice(level, message));
        }
    }
}

fn notice(level: Level, message: String) -> Arc<Record> {
    Arc::new(Record {
        v: VERSION,
        seq: None,
        time: jiff::Timestamp::now(),
        event: Event::Notice { level, message },
    })
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
    fn a_client_that_is_far_behind_is_told_how_far() {
        let (_folder, path, mut journal) = journal();
        let notice = || Event::Notice {
            level: Level::Info,
            message: "x".repeat(1_000),
        };
        (0..5_000).for_each(|_| drop(journal.append(notice()).unwrap()));
        let (mut feed, mut records) = Feed::open(&path).unwrap();
        let taken =
            std::thread::spawn(move || std::iter::from_fn(|| records.blocking_recv()).count());
        assert_eq!(feed.reading(), Some(0));
        let mut percents = Vec::new();
        feed.catch_up(|percent| percents.push(percent)).unwrap();
        assert_eq!(percents, [0], "more than 1 MB of 5 was left once");
        assert_eq!((feed.reading(), feed.sent()), (None, STEP));
        feed.deliver(None).unwrap();
        drop(feed);
        assert_eq!(taken.join().unwrap(), 5_000);
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
