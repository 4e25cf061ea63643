//! The connections to the runs that the one shown is compared with: each is followed as any screen
//! follows a run, without commands.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;

use super::errands::{Attached, Errand, Errands, News, Reason};
use super::{Neighbours, Others};
use crate::event::Record;
use crate::link::Connection;

/// Number of records of one run that are processed at once.
const RECORDS_AT_ONCE: usize = 5_000;

/// A run that is followed.
#[derive(Debug)]
struct Followed {
    folder: PathBuf,
    connection: Connection,
    /// Whether records may follow.
    is_open: bool,
}

/// The runs that are followed, and the threads that find out about runs.
#[derive(Debug)]
pub struct Company {
    errands: Errands,
    /// Whether the runs that exist are being looked for.
    is_listing: bool,
    followed: Vec<Followed>,
}

/// What the company has to say.
#[derive(Debug)]
pub enum Heard {
    /// An errand has been done.
    News(News),
    /// A run that is followed, by its place in the list of these, has a record; `None` is its last word.
    Record(usize, Option<Arc<Record>>),
}

impl Company {
    /// No company yet.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start() -> io::Result<Company> {
        Ok(Company {
            errands: Errands::start()?,
            is_listing: false,
            followed: Vec::new(),
        })
    }

    /// Have something found out.
    pub fn send(&self, errand: Errand) {
        self.errands.send(errand);
    }

    /// Ask for what is wanted, and let go of the runs that no longer are.
    pub fn keep_up_with(&mut self, neighbours: &mut Neighbours) {
        self.followed
            .retain(|followed| neighbours.others.of(&followed.folder).is_some());
        for run in neighbours.others.take_wanted() {
            self.errands.send(Errand::Attach {
                run,
                reason: Reason::Compare,
                watch: true,
            });
        }
        // One list at a time: each takes a moment for every run at work.
        if std::mem::take(&mut neighbours.is_list_wanted) && !self.is_listing {
            self.is_listing = true;
            self.errands.send(Errand::List);
        }
    }

    /// Let go of all runs: another one is shown.
    pub fn leave(&mut self) {
        self.followed.clear();
    }

    /// Whether any run is followed.
    #[cfg(test)]
    pub fn follows_any(&self) -> bool {
        !self.followed.is_empty()
    }

    /// The next thing that any of them has to say.
    pub async fn hear(&mut self) -> Heard {
        let heard = tokio::select! {
            biased;
            news = self.errands.news() => Heard::News(news),
            (place, record) = next_record(&mut self.followed) => Heard::Record(place, record),
        };
        if matches!(heard, Heard::News(News::Listed(_))) {
            self.is_listing = false;
        }
        heard
    }

    /// Follow a run that has been attached to, if it is still wanted.
    pub fn follow(&mut self, attached: Attached, others: &mut Others) {
        let Some(run) = others.of_mut(&attached.folder) else {
            return;
        };
        let Attached {
            mut connection,
            folder,
            settings,
            ..
        } = attached;
        run.begin(connection.state.take().as_deref(), settings);
        let status = connection.status_after(|record| {
            run.take(record);
        });
        run.take_link(status);
        self.followed.retain(|followed| followed.folder != folder);
        self.followed.push(Followed {
            folder,
            connection,
            is_open: true,
        });
    }

    /// Process a record and those that wait behind it; returns whether something that is drawn has
    /// changed.
    pub fn take(&mut self, place: usize, record: Option<Arc<Record>>, others: &mut Others) -> bool {
        let Some(followed) = self.followed.get_mut(place) else {
            return false;
        };
        let Some(run) = others.of_mut(&followed.folder) else {
            return false;
        };
        followed.is_open = record.is_some();
        let mut has_changed = false;
        let mut next = record;
        for _ in 0..RECORDS_AT_ONCE {
            let Some(record) = next else { break };
            has_changed |= run.take(&record);
            next = followed.connection.records.try_recv().ok();
        }
        if let Some(record) = next {
            has_changed |= run.take(&record);
        }
        has_changed
    }

    /// Look whether the other end of a connection has changed; returns whether one has.
    pub fn look(&mut self, others: &mut Others) -> bool {
        let mut has_changed = false;
        for followed in &mut self.followed {
            let connection = &mut followed.connection;
            // A thread that has nothing more to report has closed its channel: its last report still
            // counts.
            if !connection.status.has_changed().unwrap_or(true) {
                continue;
            }
            if let Some(run) = others.of_mut(&followed.folder) {
                let status = connection.status_after(|record| has_changed |= run.take(record));
                has_changed |= run.take_link(status);
            }
        }
        has_changed
    }
}

/// The next record of any of these runs. Never resolves if none can have one.
async fn next_record(followed: &mut [Followed]) -> (usize, Option<Arc<Record>>) {
    std::future::poll_fn(|context| {
        let open = followed.iter_mut().enumerate();
        for (place, one) in open.filter(|(_, one)| one.is_open) {
            if let Poll::Ready(record) = one.connection.records.poll_recv(context) {
                return Poll::Ready((place, record));
            }
        }
        Poll::Pending
    })
    .await
}
