//! A client of a run in another process, or of one that has ended: reads the journal, and listens
//! to the run's socket if there is one.

use std::io::{self, BufReader};
use std::net::Shutdown;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::error::AttachError;
use super::feed::{Feed, FeedEnd, Voice};
use super::lost::what_is_lost;
use super::notes::write_note;
use super::orders::{self, Orders};
use super::protocol::{self, ClientHello, PROTOCOL, ToClient, ToServer, VERSION};
use super::{Command, Connection, LinkStatus, asking, peer, place};
use crate::event::Level;
use crate::foundation::host::host_name;
use crate::foundation::thread::spawn;
use crate::foundation::{input, messages, text};
use crate::journal::{JournalError, Snapshot};
use crate::runs::directory::lock_state;
use crate::runs::journal_of;
use crate::runs::snapshots::Stale;

/// Interval at which the journal and the lock are checked if there is no socket.
const POLL: Duration = Duration::from_millis(500);
/// Time within which a search that has hung up usually releases its lock.
const DYING: Duration = Duration::from_millis(200);
/// Time limit for a search's greeting.
const GREETING: Duration = Duration::from_secs(2);
/// If a lock cannot be seen from this machine, the journal counts as abandoned when it has not
/// grown for this long. A search writes a heartbeat a minute.
const STALE: Duration = Duration::from_secs(180);

/// Why there is nothing to show of a run without a journal on which a process works.
fn blocked(run: &Path) -> Option<AttachError> {
    let holder = lock_state(run)?;
    let reason = asking::blocked(run);
    Some(AttachError::Blocked {
        path: run.to_owned(),
        holder,
        reason: reason.unwrap_or_else(|| "journal.jsonl has been removed".to_owned()),
    })
}

/// Watch the run in the directory `run`, whatever its state. With `watch` the client cannot send
/// commands. Of a long journal only what its snapshot does not cover is read.
///
/// The connection lasts until it is dropped; if another process takes over the run, it follows that
/// one.
///
/// # Errors
/// [`AttachError`]: the folder contains no run, the journal cannot be read, or no thread can be
/// started.
pub fn attach(run: &Path, watch: bool) -> Result<Connection, AttachError> {
    let journal = journal_of(run).map_err(|none| blocked(run).unwrap_or_else(|| none.into()))?;
    let at_journal = JournalError::at(&journal);
    let snapshot = Snapshot::of(&journal);
    let known = snapshot.and_then(|snapshot| Some((snapshot.place(), snapshot.state()?)));
    let (feed, records) = match &known {
        Some((place, state)) => Feed::after(&journal, *place, state.status)?,
        None => Feed::open(&journal)?,
    };
    let (commands, inbox) = orders::queue();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(&at_journal)?;
    let call = dial(run, watch).ok();
    // This comes before the status says that a search is listening: commands sent at once must
    // reach it.
    let line = Line(Arc::new(Mutex::new(
        call.as_ref()
            .and_then(|call| call.get_ref().try_clone().ok()),
    )));
    // What is known of a run before its records is not true of it: one that has ended would look as if it
    // were in progress.
    let first = LinkStatus::Reading {
        percent: feed.reading().unwrap_or(0),
    };
    let (status, watched) = watch::channel(first);
    let alone = Alone {
        run: run.to_owned(),
        watch,
        voice: feed.voice(),
    };
    let follower = Follower {
        run: run.to_owned(),
        watch,
        saves_snapshot: true,
        feed,
        status,
        line: line.clone(),
        grown: None,
    };
    spawn("nas-feed", move || follower.follow(call)).map_err(&at_journal)?;
    spawn("nas-orders", move || {
        pass_on(inbox, &runtime, &line, &alone)
    })
    .map_err(at_journal)?;
    Ok(Connection {
        state: known.map(|(_, state)| Box::new(state)),
        records,
        commands,
        status: watched,
        run: run.to_owned(),
        journal,
    })
}

/// A connection to a search that has sent its greeting.
pub(super) type Call = BufReader<UnixStream>;

/// Connect to the search of a run.
pub(super) fn dial(run: &Path, watch: bool) -> io::Result<Call> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for path in place::candidates(run) {
        match UnixStream::connect(&path).and_then(|stream| greet(stream, run, watch)) {
            Ok(call) => return Ok(call),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn greet(stream: UnixStream, run: &Path, watch: bool) -> io::Result<Call> {
    let refused = |reason: String| io::Error::new(io::ErrorKind::PermissionDenied, reason);
    let trusted = peer::is_trusted(&stream) || (peer::own_uid() == 0 && owns(&stream, run));
    if !trusted {
        return Err(refused("the socket belongs to another user".to_owned()));
    }
    stream.set_read_timeout(Some(GREETING))?;
    stream.set_write_timeout(Some(GREETING))?;
    let mut call = BufReader::new(stream);
    match protocol::receive(&mut call)? {
        Some(ToClient::Hello(hello)) => {
            protocol::check_greeting(&hello.protocol, hello.version).map_err(refused)?
        }
        Some(ToClient::Refused(reason)) => return Err(refused(reason)),
        _ => return Err(io::ErrorKind::UnexpectedEof.into()),
    }
    messages::send(
        call.get_mut(),
        &ToServer::Hello(ClientHello {
            protocol: PROTOCOL.to_owned(),
            version: VERSION,
            watch,
        }),
    )?;
    call.get_ref().set_read_timeout(None)?;
    Ok(call)
}

/// Whether the socket's other side may be the run's search: root may connect to a search of the
/// run's owner.
fn owns(stream: &UnixStream, run: &Path) -> bool {
    let owner = std::fs::metadata(run).map(|run| run.uid());
    peer::uid_of(stream).is_ok_and(|uid| owner.is_ok_and(|owner| owner == uid))
}

/// Where commands go: the search connected at the moment, if any.
#[derive(Debug, Clone)]
struct Line(Arc<Mutex<Option<UnixStream>>>);

impl Line {
    fn lock(&self) -> MutexGuard<'_, Option<UnixStream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a client does itself while no search is connected.
struct Alone {
    run: PathBuf,
    watch: bool,
    voice: Voice,
}

impl Alone {
    /// Write a note. Nobody takes any other command; the status says so.
    fn take(&self, command: Command) {
        let Command::Note { child, text } = command else {
            return;
        };
        let refused = if self.watch {
            Err("this screen only watches (--watch): the note is not written".to_owned())
        } else {
            write_note(&self.run, child, &text).map_err(|error| error.to_string())
        };
        if let Err(reason) = refused {
            self.voice.say(Level::Warning, reason);
        }
    }
}

/// Pass commands on until the client goes; then hang up, which ends the other thread.
fn pass_on(mut inbox: Orders, runtime: &Runtime, line: &Line, alone: &Alone) {
    while let Some(order) = runtime.block_on(inbox.next()) {
        let command = ToServer::Command(order.command.clone());
        let send = |stream: &mut UnixStream| messages::send(stream, &command).is_ok();
        // The line is free again before a note is written.
        let is_sent = line.lock().as_mut().is_some_and(send);
        if !is_sent {
            alone.take(order.command);
        }
    }
    if let Some(stream) = line.lock().as_ref() {
        let _ = stream.shutdown(Shutdown::Both);
    }
}

/// Keeps one client's connection up to date.
struct Follower {
    run: PathBuf,
    watch: bool,
    feed: Feed,
    status: watch::Sender<LinkStatus>,
    line: Line,
    /// When the journal was last seen to grow.
    grown: Option<Instant>,
    /// Until it is decided whether to write a snapshot.
    saves_snapshot: bool,
}

impl Follower {
    fn follow(mut self, mut call: Option<Call>) {
        let ended = loop {
            let over = self.catch_up().and_then(|()| match call.take() {
                Some(call) => self.listen(call),
                None => self.read_on().map(|()| self.save_snapshot()),
            });
            if let Err(stop) = over {
                break stop;
            }
            self.judge();
            thread::sleep(POLL);
            if self.feed.is_gone() {
                break FeedEnd::Gone;
            }
            call = dial(&self.run, self.watch).ok();
        };
        if let FeedEnd::Damaged(error) = ended {
            self.feed.say(Level::Error, error.to_string());
            self.set(LinkStatus::Damaged {
                place: error.place(),
            });
        }
    }

    /// Send what the journal holds already. Until then the client does not know the run as it is.
    fn catch_up(&mut self) -> Result<(), FeedEnd> {
        let status = &self.status;
        self.feed
            .catch_up(|percent| set(status, LinkStatus::Reading { percent }))?;
        self.read_on()
    }

    /// Listen to a search until it ends.
    fn listen(&mut self, mut call: Call) -> Result<(), FeedEnd> {
        *self.line.lock() = call.get_ref().try_clone().ok();
        self.set(LinkStatus::Live {
            watch_only: self.watch,
        });
        // A client that left before the line existed could not hang up.
        let over = if self.feed.is_gone() {
            Err(FeedEnd::Gone)
        } else {
            self.hear(&mut call)
        };
        *self.line.lock() = None;
        thread::sleep(DYING);
        over
    }

    fn hear(&mut self, call: &mut Call) -> Result<(), FeedEnd> {
        // An unreadable line ends the call like a lost connection; the journal still contains
        // everything.
        while let Ok(Some(message)) = protocol::receive(call) {
            match message {
                ToClient::Written(seq) => self.feed.deliver(Some(seq))?,
                ToClient::Tick(record) => self.feed.tick(Arc::from(record))?,
                ToClient::Refused(reason) => self.feed.say(Level::Warning, reason),
                ToClient::Hello(_) => {}
                ToClient::Ended(_) => break,
            }
        }
        self.read_on()
    }

    /// Send what has been written since the last call.
    fn read_on(&mut self) -> Result<(), FeedEnd> {
        let before = self.feed.sent();
        self.feed.deliver(None)?;
        if before > 0 && self.feed.sent() > before {
            self.grown = Some(Instant::now());
        }
        Ok(())
    }

    /// Write the snapshot of a run that no process is working on, if it lacks one: it may be from an older
    /// program.
    fn save_snapshot(&mut self) {
        if std::mem::take(&mut self.saves_snapshot)
            && let Some(stale) = Stale::of(&self.run)
        {
            // A screen shows the same without it.
            let _ = spawn("nas-snapshot", move || stale.renew());
        }
    }

    /// Determine the status of a run without a socket.
    fn judge(&mut self) {
        let status = if self.feed.status().is_over() {
            LinkStatus::Ended
        } else if let Some(holder) = self.holder() {
            LinkStatus::Journal { holder }
        } else if let Some(what) = what_is_lost(&self.run, self.feed.length_read()) {
            LinkStatus::Lost { what }
        } else {
            LinkStatus::Dead {
                watch_only: self.watch,
            }
        };
        self.set(status);
    }

    /// The process that works on the run, as far as this machine can see.
    fn holder(&self) -> Option<String> {
        let was_dead = matches!(*self.status.borrow(), LinkStatus::Dead { .. });
        let is_growing = self.grown.is_some_and(|grown| grown.elapsed() < STALE);
        // Some shared file systems do not show the locks of other machines.
        let elsewhere = || last_holder_elsewhere(&self.run).filter(|_| is_growing);
        lasting_holder(was_dead, || lock_state(&self.run)).or_else(elsewhere)
    }

    fn set(&self, status: LinkStatus) {
        set(&self.status, status);
    }
}

fn set(status: &watch::Sender<LinkStatus>, new: LinkStatus) {
    status.send_if_modified(|now| {
        let changed = *now != new;
        *now = new;
        changed
    });
}

/// The process that holds a lock, if it is to work on the run: whoever adds a note to a dead one holds its
/// lock for a moment.
fn lasting_holder(was_dead: bool, look: impl Fn() -> Option<String>) -> Option<String> {
    let holder = look()?;
    if !was_dead {
        return Some(holder);
    }
    thread::sleep(DYING);
    look()
}

/// Who held the lock last, as `pid P on HOST`, if that was on another machine.
pub(super) fn last_holder_elsewhere(run: &Path) -> Option<String> {
    let holder = input::text(&run.join("lock"), input::SETTINGS).ok()?;
    let holder = text::line(holder.trim()).into_owned();
    let is_here = holder.ends_with(&format!(" on {}", host_name()));
    (!holder.is_empty() && !is_here).then_some(holder)
}

#[cfg(test)]
mod tests;
