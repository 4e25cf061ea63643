//! What a search tells of itself, to any number of clients in any thread: how far the journal is
//! written, ticks, the end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{broadcast, watch};

use super::feed::Feed;
use super::{Command, Connection, LinkStatus};
use crate::event::Record;
use crate::journal::JournalError;

/// Ticks that wait for a client; older ones are dropped.
const TICKS: usize = 64;

/// Connects clients to a search, from any thread. Clones share the same search. Nothing that a
/// client does or fails to do holds up the search.
#[derive(Debug, Clone)]
pub struct Hub {
    journal: PathBuf,
    commands: UnboundedSender<Command>,
    written: Arc<watch::Sender<Written>>,
    ticks: broadcast::Sender<Arc<Record>>,
}

/// How far a journal is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Written {
    seq: u64,
    /// Nothing will follow.
    ended: bool,
}

/// What a search tells.
#[derive(Debug)]
pub(super) enum News {
    /// The journal holds the records up to this number.
    Written(u64),
    Tick(Arc<Record>),
    /// The search is over, after this many records.
    Ended(u64),
}

/// One listener to a search.
pub(super) struct Listener {
    written: watch::Receiver<Written>,
    ticks: broadcast::Receiver<Arc<Record>>,
    runtime: Runtime,
}

impl Hub {
    /// A hub of the run whose journal is at `journal` and already holds `last_seq` records; what
    /// its clients command comes out of the receiver.
    pub fn new(journal: PathBuf, last_seq: u64) -> (Hub, UnboundedReceiver<Command>) {
        let (commands, inbox) = unbounded_channel();
        let (written, _) = watch::channel(Written {
            seq: last_seq,
            ended: false,
        });
        let (ticks, _) = broadcast::channel(TICKS);
        (
            Hub {
                journal,
                commands,
                written: Arc::new(written),
                ticks,
            },
            inbox,
        )
    }

    /// A new client in this process. Its records end with the search.
    ///
    /// # Errors
    /// If the journal cannot be opened, or no thread can be started.
    pub fn connect(&self) -> Result<Connection, JournalError> {
        let (feed, records) = Feed::open(&self.journal)?;
        let at_journal = |source| JournalError::Io {
            path: self.journal.clone(),
            source,
        };
        let listener = self.listen().map_err(at_journal)?;
        let (status, watched) = watch::channel(LinkStatus::Live { watch_only: false });
        let follow = move || {
            follow(feed, listener);
            status.send_replace(LinkStatus::Ended);
        };
        thread::Builder::new()
            .name("nas-feed".to_owned())
            .spawn(follow)
            .map_err(at_journal)?;
        Ok(Connection {
            records,
            commands: self.commands(),
            status: watched,
            run: self.run().to_owned(),
        })
    }

    /// A way to command the search without watching it.
    pub fn commands(&self) -> UnboundedSender<Command> {
        self.commands.clone()
    }

    /// The run directory.
    pub fn run(&self) -> &Path {
        self.journal.parent().unwrap_or(Path::new("."))
    }

    /// Tell every client of a record that the journal holds, or of a tick.
    pub fn publish(&self, record: &Arc<Record>) {
        match record.seq {
            Some(seq) => self.written.send_modify(|written| written.seq = seq),
            // Without listeners, nothing is lost.
            None => drop(self.ticks.send(record.clone())),
        }
    }

    /// The search is over: every client's records end here.
    pub fn close(&self) {
        self.written.send_modify(|written| written.ended = true);
    }

    pub(super) fn listen(&self) -> std::io::Result<Listener> {
        let mut written = self.written.subscribe();
        // What is written already is news to whoever comes now.
        written.mark_changed();
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        Ok(Listener {
            written,
            ticks: self.ticks.subscribe(),
            runtime,
        })
    }
}

impl Listener {
    /// Wait for the next news; none once `gone` has ended.
    pub fn next(&mut self, gone: impl Future<Output = ()>) -> Option<News> {
        let Listener {
            written,
            ticks,
            runtime,
        } = self;
        runtime.block_on(async {
            tokio::pin!(gone);
            loop {
                tokio::select! {
                    biased;
                    () = &mut gone => return None,
                    changed = written.changed() => {
                        let Written { seq, ended } = *written.borrow_and_update();
                        return Some(if ended || changed.is_err() { News::Ended(seq) } else { News::Written(seq) });
                    }
                    tick = ticks.recv() => match tick {
                        Ok(tick) => return Some(News::Tick(tick)),
                        Err(broadcast::error::RecvError::Lagged(_)) => {}
                        // The hub is gone, and `written` says so.
                        Err(broadcast::error::RecvError::Closed) => return Some(News::Ended(written.borrow().seq)),
                    }
                }
            }
        })
    }
}

/// Send a client what the search tells, until one of the two ends.
fn follow(mut feed: Feed, mut listener: Listener) {
    while let Some(news) = listener.next(feed.gone()) {
        let (sent, over) = match news {
            News::Written(seq) => (feed.deliver(Some(seq)), false),
            News::Tick(record) => (feed.tick(record), false),
            News::Ended(seq) => (feed.deliver(Some(seq)), true),
        };
        // This process wrote the journal: where it cannot be read, the search itself ends with the
        // reason.
        if over || sent.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::SampleRun;
    use super::*;
    use crate::event::Event;

    fn numbers(mut connection: Connection) -> Vec<u64> {
        std::iter::from_fn(|| connection.records.blocking_recv())
            .filter_map(|record| record.seq)
            .collect()
    }

    #[test]
    fn a_late_client_gets_every_record_once_and_in_order() {
        let mut run = SampleRun::new();
        let early = run.hub.connect().unwrap();
        run.tell(1);
        run.tell(2);
        let late = run.hub.connect().unwrap();
        run.tell(3);
        run.hub.close();
        assert_eq!(numbers(early), [1, 2, 3]);
        assert_eq!(numbers(late), [1, 2, 3]);
        assert_eq!(
            numbers(run.hub.connect().unwrap()),
            [1, 2, 3],
            "after the end too"
        );
    }

    #[test]
    fn a_record_that_is_written_but_not_yet_told_is_sent_once_it_is_told() {
        let mut run = SampleRun::new();
        run.tell(1);
        let record = run.journal.append(Event::Paused).unwrap();
        let mut client = run.hub.connect().unwrap();
        assert_eq!(client.records.blocking_recv().unwrap().seq, Some(1));
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(client.records.try_recv().is_err());
        run.hub.publish(&record);
        run.hub.close();
        assert_eq!(numbers(client), [2]);
    }

    #[test]
    fn a_client_that_has_gone_is_forgotten() {
        let mut run = SampleRun::new();
        let (gone, stays) = (run.hub.connect().unwrap(), run.hub.connect().unwrap());
        drop(gone);
        run.tell(1);
        let begin = std::time::Instant::now();
        while run.hub.written.receiver_count() > 1 {
            assert!(
                begin.elapsed().as_secs() < 10,
                "the client that has gone is still listened for"
            );
            std::thread::yield_now();
        }
        run.hub.close();
        assert_eq!(numbers(stays), [1]);
    }

    #[test]
    fn a_client_that_never_takes_its_records_holds_up_nobody() {
        let mut run = SampleRun::new();
        let (_lazy, eager) = (run.hub.connect().unwrap(), run.hub.connect().unwrap());
        let taken = std::thread::spawn(move || numbers(eager));
        (1..=3_000).for_each(|number| run.tell(number));
        run.hub.close();
        assert_eq!(taken.join().unwrap().len(), 3_000);
    }

    #[test]
    fn clients_that_join_while_records_are_told_miss_none() {
        let mut run = SampleRun::new();
        let hub = run.hub.clone();
        let joiner =
            std::thread::spawn(move || (0..50).map(|_| hub.connect().unwrap()).collect::<Vec<_>>());
        (1..=500).for_each(|number| run.tell(number));
        let clients = joiner.join().unwrap();
        run.hub.close();
        for client in clients {
            assert_eq!(numbers(client), (1..=500).collect::<Vec<_>>());
        }
    }
}
