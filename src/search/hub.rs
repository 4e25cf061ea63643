//! Whoever watches a search: every client gets the whole run, from its first record to its last.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::event::Record;
use crate::journal::{JournalError, Reader};
use crate::link::{Command, Connection};

/// Connects clients to a search, from any thread. Clones share the same search.
#[derive(Debug, Clone)]
pub struct Hub {
    journal: PathBuf,
    commands: UnboundedSender<Command>,
    clients: Arc<Mutex<Clients>>,
}

#[derive(Debug, Default)]
struct Clients {
    senders: Vec<UnboundedSender<Arc<Record>>>,
    /// Last record that has been told; those after it may be in the journal already.
    last_seq: u64,
    closed: bool,
}

impl Hub {
    /// A hub of the run whose journal is at `journal` and already holds `last_seq` records; what its clients command
    /// comes out of the receiver.
    pub fn new(journal: PathBuf, last_seq: u64) -> (Hub, UnboundedReceiver<Command>) {
        let (commands, inbox) = unbounded_channel();
        let clients = Clients { last_seq, ..Clients::default() };
        (Hub { journal, commands, clients: Arc::new(Mutex::new(clients)) }, inbox)
    }

    /// A new client: the records so far come from the journal, those to come as they are told.
    ///
    /// The search is held up only while the few records are read that came in during the reading of the others.
    pub fn connect(&self) -> Result<Connection, JournalError> {
        let (sender, records) = unbounded_channel();
        let mut history = Reader::open(&self.journal)?;
        let mut sent = 0;
        let known = self.lock().last_seq;
        send_until(&mut history, known, &mut sent, &sender)?;
        let mut clients = self.lock();
        send_until(&mut history, clients.last_seq, &mut sent, &sender)?;
        if !clients.closed {
            clients.senders.push(sender);
        }
        Ok(Connection { records, commands: self.commands.clone() })
    }

    /// A way to command the search without watching it.
    pub fn commands(&self) -> UnboundedSender<Command> {
        self.commands.clone()
    }

    /// Tell every client. Those that have gone are forgotten; none can hold up the search.
    pub fn publish(&self, record: &Arc<Record>) {
        let mut clients = self.lock();
        if let Some(seq) = record.seq {
            clients.last_seq = seq;
        }
        clients.senders.retain(|client| client.send(record.clone()).is_ok());
    }

    /// The search is over: every client's records end here.
    pub fn close(&self) {
        let mut clients = self.lock();
        clients.closed = true;
        clients.senders.clear();
    }

    /// The list is whole at every moment, also after a panic of another thread that held it.
    fn lock(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Send the records after `sent` up to number `last`.
fn send_until(history: &mut Reader, last: u64, sent: &mut u64, client: &UnboundedSender<Arc<Record>>) -> Result<(), JournalError> {
    while *sent < last {
        let Some(record) = history.next().transpose()? else { break };
        *sent += 1;
        // A client that has gone already is noticed when it is told the next record.
        let _ = client.send(Arc::new(record));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Level};
    use crate::journal::Journal;

    struct Run {
        _folder: tempfile::TempDir,
        journal: Journal,
        hub: Hub,
        _inbox: UnboundedReceiver<Command>,
    }

    impl Run {
        fn new() -> Run {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("journal.jsonl");
            let journal = Journal::create(&path).unwrap();
            let (hub, inbox) = Hub::new(path, 0);
            Run { _folder: folder, journal, hub, _inbox: inbox }
        }

        fn tell(&mut self, number: u64) {
            let event = Event::Notice { level: Level::Info, message: number.to_string() };
            self.hub.publish(&self.journal.append(event).unwrap());
        }
    }

    fn numbers(mut connection: Connection) -> Vec<u64> {
        std::iter::from_fn(|| connection.records.blocking_recv()).filter_map(|record| record.seq).collect()
    }

    #[test]
    fn a_late_client_gets_every_record_once_and_in_order() {
        let mut run = Run::new();
        let early = run.hub.connect().unwrap();
        run.tell(1);
        run.tell(2);
        let late = run.hub.connect().unwrap();
        run.tell(3);
        run.hub.close();
        assert_eq!(numbers(early), [1, 2, 3]);
        assert_eq!(numbers(late), [1, 2, 3]);
        assert_eq!(numbers(run.hub.connect().unwrap()), [1, 2, 3], "after the end too");
    }

    #[test]
    fn a_record_that_is_written_but_not_yet_told_is_not_sent_twice() {
        let mut run = Run::new();
        run.tell(1);
        let record = run.journal.append(Event::Paused).unwrap();
        let client = run.hub.connect().unwrap();
        run.hub.publish(&record);
        run.hub.close();
        assert_eq!(numbers(client), [1, 2]);
    }

    #[test]
    fn a_client_that_has_gone_does_not_hold_up_the_others() {
        let mut run = Run::new();
        let (gone, stays) = (run.hub.connect().unwrap(), run.hub.connect().unwrap());
        drop(gone);
        run.tell(1);
        assert_eq!(run.hub.lock().senders.len(), 1);
        run.hub.close();
        assert_eq!(numbers(stays), [1]);
    }

    #[test]
    fn clients_that_join_while_records_are_told_miss_none() {
        let mut run = Run::new();
        let hub = run.hub.clone();
        let joiner = std::thread::spawn(move || (0..50).map(|_| hub.connect().unwrap()).collect::<Vec<_>>());
        (1..=500).for_each(|number| run.tell(number));
        let clients = joiner.join().unwrap();
        run.hub.close();
        for client in clients {
            assert_eq!(numbers(client), (1..=500).collect::<Vec<_>>());
        }
    }
}
