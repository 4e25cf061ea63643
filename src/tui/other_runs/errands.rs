//! Whatever takes a disk or another process to find out about other runs, in threads of its own: the
//! screen never waits for it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Listed, RunSettings};
use crate::event::RunKind;
use crate::foundation::thread::spawn;
use crate::link::{self, Connection};
use crate::runs::directory::{kind_of, name_of};

/// What a run is attached to for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// To take the place of the run shown.
    Show,
    /// To be compared with it.
    Compare,
}

/// What is to be found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    /// The runs that exist.
    List,
    /// Attach to a run.
    Attach {
        /// The run directory.
        run: PathBuf,
        /// What for.
        reason: Reason,
        /// Whether no command may be sent to it.
        watch: bool,
    },
}

/// A run that has been attached to.
#[derive(Debug)]
pub struct Attached {
    /// The connection to it.
    pub connection: Connection,
    /// Its folder, without links in its path.
    pub folder: PathBuf,
    /// Name of the folder.
    pub name: String,
    /// Its kind, judging by its folder.
    pub kind: RunKind,
    /// Its settings.
    pub settings: RunSettings,
}

impl Attached {
    /// What else must be known of a run with this connection.
    pub fn new(connection: Connection) -> Attached {
        let run = &connection.run;
        Attached {
            folder: run.canonicalize().unwrap_or_default(),
            name: name_of(run),
            kind: kind_of(run),
            settings: RunSettings::of(run),
            connection,
        }
    }
}

/// What an errand has brought.
#[derive(Debug)]
pub enum News {
    /// The runs that exist.
    Listed(Listed),
    /// A run that has been attached to.
    Attached {
        /// What for.
        reason: Reason,
        /// The run.
        attached: Box<Attached>,
    },
    /// A run that cannot be attached to.
    Failed {
        /// The run directory as given.
        run: PathBuf,
        /// What it was to be attached to for.
        reason: Reason,
        /// Why it cannot, for the user.
        problem: String,
    },
}

/// The threads, as seen by the event loop. They end when this is dropped.
#[derive(Debug)]
pub struct Errands {
    /// Runs to attach to: whoever has chosen one does not wait for a list.
    attachments: mpsc::Sender<Errand>,
    lists: mpsc::Sender<Errand>,
    news: UnboundedReceiver<News>,
}

impl Errands {
    /// Start the threads.
    pub fn start() -> io::Result<Errands> {
        let (outbox, news) = unbounded_channel();
        let start = |name: &str| {
            let ((errands, inbox), outbox) = (mpsc::channel(), outbox.clone());
            spawn(name, move || run(&inbox, &outbox)).map(|_| errands)
        };
        Ok(Errands {
            attachments: start("nas-attach")?,
            lists: start("nas-list")?,
            news,
        })
    }

    /// Have something found out; the answers come in the order of the errands of each kind.
    pub fn send(&self, errand: Errand) {
        let thread = match errand {
            Errand::List => &self.lists,
            Errand::Attach { .. } => &self.attachments,
        };
        // It lives as long as this value.
        let _ = thread.send(errand);
    }

    /// The next answer. Never resolves while nothing is to be found out.
    pub async fn news(&mut self) -> News {
        match self.news.recv().await {
            Some(news) => news,
            None => std::future::pending().await,
        }
    }
}

fn run(inbox: &mpsc::Receiver<Errand>, outbox: &UnboundedSender<News>) {
    for errand in inbox {
        let news = match errand {
            Errand::List => News::Listed(list()),
            Errand::Attach { run, reason, watch } => attach(run, reason, watch),
        };
        if outbox.send(news).is_err() {
            return;
        }
    }
}

fn list() -> Listed {
    let runs = link::survey();
    let folder = |run: &Path| run.canonicalize().unwrap_or_else(|_| run.to_owned());
    let folders = runs.iter().map(|run| folder(&run.path)).collect();
    Listed {
        time: Timestamp::now(),
        runs,
        folders,
    }
}

fn attach(run: PathBuf, reason: Reason, watch: bool) -> News {
    match link::attach(&run, watch) {
        Ok(connection) => News::Attached {
            reason,
            attached: Box::new(Attached::new(connection)),
        },
        Err(error) => News::Failed {
            run,
            reason,
            problem: error.to_string(),
        },
    }
}
