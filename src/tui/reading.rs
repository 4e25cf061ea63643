//! Reads what the screen needs from the run's journal in a separate thread, so that drawing never
//! waits for a disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::app::{Past, Wanted};
use crate::foundation::thread::spawn;
use crate::journal::{Archive, JournalError};
use crate::state::ChildDetail;

/// The answer from the journal.
#[derive(Debug)]
pub enum JournalAnswer {
    Child(Box<ChildDetail>),
    State(Past),
    /// The request failed; `problem` is for the user.
    Failed {
        wanted: Wanted,
        problem: String,
    },
}

/// The reading thread, as seen by the event loop. The thread ends when this is dropped.
#[derive(Debug)]
pub struct JournalReading {
    requests: mpsc::Sender<Wanted>,
    answers: UnboundedReceiver<JournalAnswer>,
    in_flight: bool,
}

impl JournalReading {
    /// Start serving from the journal at this path. It is opened at the first request; without a
    /// path, every request fails.
    pub fn start(journal: Option<PathBuf>) -> io::Result<JournalReading> {
        let (requests, inbox) = mpsc::channel();
        let (outbox, answers) = unbounded_channel();
        spawn("nas-reading", move || {
            serve(journal.as_deref(), &inbox, &outbox)
        })?;
        Ok(JournalReading {
            requests,
            answers,
            in_flight: false,
        })
    }

    /// Send a request, unless an answer is pending: by then something else may be wanted.
    pub fn ask(&mut self, wanted: Option<Wanted>) {
        if let Some(wanted) = wanted.filter(|_| !self.in_flight) {
            self.in_flight = self.requests.send(wanted).is_ok();
        }
    }

    /// The next answer. Never resolves while nothing has been requested.
    pub async fn answer(&mut self) -> JournalAnswer {
        match self.answers.recv().await {
            Some(answer) => {
                self.in_flight = false;
                answer
            }
            None => std::future::pending().await,
        }
    }
}

fn serve(
    journal: Option<&Path>,
    inbox: &mpsc::Receiver<Wanted>,
    outbox: &UnboundedSender<JournalAnswer>,
) {
    let mut archive = None;
    for wanted in inbox {
        let answer = match journal {
            Some(path) => answer_from(path, &mut archive, wanted),
            None => Err("this screen has no journal to read that from".to_owned()),
        };
        let answer = answer.unwrap_or_else(|problem| {
            // A file that was damaged or removed may be back later.
            archive = None;
            JournalAnswer::Failed { wanted, problem }
        });
        if outbox.send(answer).is_err() {
            return;
        }
    }
}

fn answer_from(
    path: &Path,
    archive: &mut Option<Archive>,
    wanted: Wanted,
) -> Result<JournalAnswer, String> {
    let text = |error: JournalError| error.to_string();
    let archive = match archive {
        Some(archive) => archive,
        None => archive.insert(Archive::open(path).map_err(text)?),
    };
    match wanted {
        Wanted::Child {
            child,
            sampled_seq,
            ended_seq,
        } => {
            let detail = archive.child(child, sampled_seq, ended_seq).map_err(text)?;
            detail
                .map(Box::new)
                .map(JournalAnswer::Child)
                .ok_or_else(|| {
                    format!(
                        "{}, line {sampled_seq}: nothing about child {child}",
                        path.display()
                    )
                })
        }
        Wanted::State { seq } => {
            let state = Box::new(archive.state_at(seq).map_err(text)?);
            Ok(JournalAnswer::State(Past { seq, state }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample;

    const CHILD: Wanted = Wanted::Child {
        child: 1,
        sampled_seq: 5,
        ended_seq: None,
    };

    fn next(reading: &mut JournalReading, wanted: Wanted) -> JournalAnswer {
        reading.ask(Some(wanted));
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(reading.answer())
    }

    #[test]
    fn children_and_states_are_read_from_the_journal() {
        let mut reading = JournalReading::start(Some(sample::journal())).unwrap();
        let JournalAnswer::Child(detail) = next(&mut reading, CHILD) else {
            panic!("no child")
        };
        assert_eq!(detail.candidate.child, 1);
        let JournalAnswer::State(past) = next(&mut reading, Wanted::State { seq: 100 }) else {
            panic!("no state")
        };
        assert_eq!((past.seq, past.state.last_seq), (100, 100));
    }

    #[test]
    fn a_missing_journal_is_an_error_with_its_path_until_it_is_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut reading = JournalReading::start(Some(path.clone())).unwrap();
        let JournalAnswer::Failed { wanted, problem } = next(&mut reading, CHILD) else {
            panic!("read from nothing")
        };
        assert!(
            wanted == CHILD && problem.contains("journal.jsonl"),
            "{problem}"
        );
        std::fs::copy(sample::journal(), &path).unwrap();
        assert!(matches!(next(&mut reading, CHILD), JournalAnswer::Child(_)));
        let JournalAnswer::Failed { problem, .. } = next(
            &mut reading,
            Wanted::Child {
                child: 7,
                sampled_seq: 5,
                ended_seq: None,
            },
        ) else {
            panic!("child 7 is not in record 5")
        };
        assert!(
            problem.ends_with("line 5: nothing about child 7"),
            "{problem}"
        );
    }

    #[test]
    fn without_a_journal_every_request_fails() {
        assert!(matches!(
            next(&mut JournalReading::start(None).unwrap(), CHILD),
            JournalAnswer::Failed { .. }
        ));
    }
}
