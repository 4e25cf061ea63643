//! Announces the state of a run to any number of clients in any thread: how far the journal is
//! written, ticks, the end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Runtime;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::sync::{broadcast, watch};

use super::feed::Feed;
use super::orders::{self, CommandSender, Orders, StopRequest};
use super::{Connection, LinkStatus};
use crate::event::{Event, Level, Record, VERSION};
use crate::foundation::thread::spawn;
use crate::journal::JournalError;

/// Maximum number of ticks waiting for a client; older ones are dropped.
const TICKS: usize = 64;
/// Maximum number of refusals waiting for a client; further ones are dropped.
const REFUSALS: usize = 16;

/// Connects clients to a search, from any thread. Clones share the same search. No client can delay
/// the search.
#[derive(Debug, Clone)]
pub struct Hub {
    journal: PathBuf,
    commands: CommandSender,
    written: Arc<watch::Sender<Written>>,
    ticks: broadcast::Sender<Arc<Record>>,
    latest: Arc<Mutex<LatestProgress>>,
}

/// The last tick of the training on each worker (`None`: the run itself is a training), for clients
/// that connect between two ticks: they can be many seconds apart.
type LatestProgress = BTreeMap<Option<usize>, Arc<Record>>;

/// How far a journal has been written.
#[derive(Debug, Clone, Default)]
struct Written {
    seq: u64,
    /// Why nothing more can be written at the moment: an event of that kind.
    blocked: Option<Arc<Record>>,
    /// Whether the search has ended.
    ended: bool,
}

/// What a search announces.
#[derive(Debug)]
pub(super) enum HubNews {
    /// The journal contains the records up to this number, and nothing more can be written for the
    /// reason given by the tick, if there is one.
    Written(u64, Option<Arc<Record>>),
    Tick(Arc<Record>),
    /// A command of this client has no effect, for the reason given.
    Refused(String),
    /// The search has ended after this many records.
    Ended(u64),
}

/// One listener to a search.
pub(super) struct Listener {
    written: watch::Receiver<Written>,
    ticks: broadcast::Receiver<Arc<Record>>,
    /// Ticks from before it connected, to be passed on after what was written.
    earlier: Vec<Arc<Record>>,
    refusals: Receiver<String>,
    runtime: Runtime,
}

impl Hub {
    /// A hub for the run whose journal is at `journal` and already contains `last_seq` records, and
    /// the receiver of its clients' commands.
    pub fn new(journal: PathBuf, last_seq: u64) -> (Hub, Orders) {
        let (commands, inbox) = orders::queue();
        let (written, _) = watch::channel(Written {
            seq: last_seq,
            ..Written::default()
        });
        let (ticks, _) = broadcast::channel(TICKS);
        (
            Hub {
                journal,
                commands,
                written: Arc::new(written),
                ticks,
                latest: Arc::default(),
            },
            inbox,
        )
    }

    /// Connect a new client in this process. Its records end with the search.
    ///
    /// # Errors
    /// If the journal cannot be opened, or no thread can be started.
    pub fn connect(&self) -> Result<Connection, JournalError> {
        let (feed, records) = Feed::open(&self.journal)?;
        let at_journal = JournalError::at(&self.journal);
        let (listener, commands) = self.listen().map_err(&at_journal)?;
        let (status, watched) = watch::channel(LinkStatus::Live { watch_only: false });
        let follow = move || {
            follow(feed, listener);
            status.send_replace(LinkStatus::Ended);
        };
        spawn("nas-feed", follow).map_err(at_journal)?;
        Ok(Connection {
            state: None,
            records,
            commands,
            status: watched,
            run: self.run().to_owned(),
            journal: self.journal.clone(),
        })
    }

    /// A sender of commands to the search, for use without watching it.
    pub fn commands(&self) -> CommandSender {
        self.commands.clone()
    }

    /// The request to stop the run, for signals and for whoever loops or waits on its behalf.
    pub fn stop_request(&self) -> &StopRequest {
        self.commands.stop_request()
    }

    /// The run directory.
    pub fn run(&self) -> &Path {
        self.journal.parent().unwrap_or(Path::new("."))
    }

    /// Announce to every client a record that the journal contains, or a tick.
    pub fn publish(&self, record: &Arc<Record>) {
        match record.seq {
            Some(seq) => self.written.send_modify(|written| {
                (written.seq, written.blocked) = (seq, None);
            }),
            None => {
                let worker = match &record.event {
                    Event::TrainingProgress(_) => Some(None),
                    Event::ChildProgress(progress) => Some(Some(progress.worker)),
                    _ => None,
                };
                if let Some(worker) = worker {
                    self.latest().insert(worker, record.clone());
                }
                // Without listeners, nothing is lost.
                drop(self.ticks.send(record.clone()));
            }
        }
    }

    /// Announce that nothing can be written to the journal after record `after`, and why. To be repeated
    /// as long as that is so; the next record ends it.
    pub fn block(&self, after: u64, reason: &str) {
        let reason = reason.to_owned();
        let record = Arc::new(Record {
            v: VERSION,
            seq: None,
            time: jiff::Timestamp::now(),
            event: Event::StorageBlocked { after, reason },
        });
        self.written
            .send_modify(|written| written.blocked = Some(record));
    }

    /// Why nothing can be written to the journal at the moment, if so.
    pub fn blocked(&self) -> Option<String> {
        match &self.written.borrow().blocked.as_ref()?.event {
            Event::StorageBlocked { reason, .. } => Some(reason.clone()),
            _ => None,
        }
    }

    /// End the search: every client's records end here.
    pub fn close(&self) {
        self.written.send_modify(|written| written.ended = true);
    }

    fn latest(&self) -> MutexGuard<'_, LatestProgress> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a new client hears and sends commands through.
    pub(super) fn listen(&self) -> std::io::Result<(Listener, CommandSender)> {
        let mut written = self.written.subscribe();
        // What has already been written is news to clients that connect now.
        written.mark_changed();
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let (sender, refusals) = channel(REFUSALS);
        let listener = Listener {
            written,
            ticks: self.ticks.subscribe(),
            earlier: self.latest().values().cloned().collect(),
            refusals,
            runtime,
        };
        Ok((listener, self.commands.answered_by(sender)))
    }
}

impl Listener {
    /// Wait for the next news; `None` once `gone` has resolved.
    pub fn next(&mut self, gone: impl Future<Output = ()>) -> Option<HubNews> {
        let Listener {
            written,
            ticks,
            earlier,
            refusals,
            runtime,
        } = self;
        runtime.block_on(async {
            tokio::pin!(gone);
            loop {
                tokio::select! {
                    biased;
                    () = &mut gone => return None,
                    changed = written.changed() => {
                        let Written { seq, blocked, ended } = written.borrow_and_update().clone();
                        if !ended && changed.is_ok() {
                            return Some(HubNews::Written(seq, blocked));
                        }
                        // All answers come before the end.
                        let Ok(reason) = refusals.try_recv() else { return Some(HubNews::Ended(seq)) };
                        written.mark_changed();
                        return Some(HubNews::Refused(reason));
                    }
                    Some(reason) = refusals.recv() => return Some(HubNews::Refused(reason)),
                    () = std::future::ready(()), if !earlier.is_empty() => return earlier.pop().map(HubNews::Tick),
                    tick = ticks.recv() => match tick {
                        Ok(tick) => return Some(HubNews::Tick(tick)),
                        Err(broadcast::error::RecvError::Lagged(_)) => {}
                        // The hub is gone, and `written` says so.
                        Err(broadcast::error::RecvError::Closed) => return Some(HubNews::Ended(written.borrow().seq)),
                    }
                }
            }
        })
    }
}

/// Pass a client what the search announces, until one of the two ends.
fn follow(mut feed: Feed, mut listener: Listener) {
    while let Some(news) = listener.next(feed.gone()) {
        let (sent, over) = match news {
            HubNews::Written(seq, blocked) => {
                let delivered = feed.deliver(Some(seq));
                let sent = delivered.and_then(|()| blocked.map_or(Ok(()), |tick| feed.tick(tick)));
                (sent, false)
            }
            HubNews::Tick(record) => (feed.tick(record), false),
            HubNews::Refused(reason) => {
                feed.say(Level::Warning, reason);
                (Ok(()), false)
            }
            HubNews::Ended(seq) => (feed.deliver(Some(seq)), true),
        };
        // This process wrote the journal: if it cannot be read, the search itself ends with the
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
    fn a_written_record_is_sent_only_once_it_is_announced() {
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
    fn a_late_client_hears_that_nothing_can_be_written_until_something_is() {
        let mut run = SampleRun::new();
        run.tell(1);
        run.hub.block(1, "full");
        assert_eq!(run.hub.blocked().as_deref(), Some("full"));
        let mut late = run.hub.connect().unwrap();
        let mut next = || late.records.blocking_recv().unwrap();
        assert_eq!(next().seq, Some(1));
        let reason = "full".to_owned();
        assert_eq!(next().event, Event::StorageBlocked { after: 1, reason });
        run.tell(2);
        assert_eq!(next().seq, Some(2));
        assert_eq!(run.hub.blocked(), None);
    }

    #[test]
    fn a_client_that_connects_between_two_ticks_hears_the_last_one_of_each_worker() {
        let mut run = SampleRun::new();
        run.tell(1);
        for (worker, batch) in [(0, 7), (1, 3), (1, 4)] {
            run.hub.publish(&SampleRun::progress(worker, batch));
        }
        let late = run.hub.connect().unwrap();
        let mut records = late.records;
        assert_eq!(records.blocking_recv().unwrap().seq, Some(1));
        let mut heard: Vec<_> = (0..2)
            .filter_map(|_| match &records.blocking_recv()?.event {
                Event::ChildProgress(progress) => Some((progress.worker, progress.batch)),
                _ => None,
            })
            .collect();
        heard.sort_unstable();
        assert_eq!(heard, [(0, 7), (1, 4)]);
    }

    #[test]
    fn a_client_hears_what_is_refused_before_the_end() {
        let SampleRun { hub, inbox, .. } = SampleRun::new();
        let (mut listener, commands) = hub.listen().unwrap();
        commands.send(super::super::Command::Resume).unwrap();
        drop(inbox);
        hub.close();
        let mut next = || listener.next(std::future::pending());
        assert!(matches!(next(), Some(HubNews::Refused(_))));
        assert!(matches!(next(), Some(HubNews::Ended(0))));
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
    fn a_client_that_never_takes_its_records_delays_no_one() {
        let mut run = SampleRun::new();
        let (_lazy, eager) = (run.hub.connect().unwrap(), run.hub.connect().unwrap());
        let taken = std::thread::spawn(move || numbers(eager));
        (1..=3_000).for_each(|number| run.tell(number));
        run.hub.close();
        assert_eq!(taken.join().unwrap().len(), 3_000);
    }

    #[test]
    fn clients_that_join_during_announcements_miss_nothing() {
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
