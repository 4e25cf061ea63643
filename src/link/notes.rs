//! Notes on children, from outside of a run's process: the search that is at work records them; without
//! one, they are written into the journal under the run's lock, so that a journal never has two writers.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::client::{dial, last_holder_elsewhere};
use super::protocol::{self, ToClient, ToServer};
use super::{AttachError, Command};
use crate::event::{Event, NoteError, checked_note};
use crate::foundation::messages;
use crate::journal::{Archive, Journal, JournalError, Reader, Snapshot};
use crate::runs::{DirectoryError, RunDirectory, journal_of};
use crate::state::{RunState, RunStatus};

/// Time within which a search has recorded a note, unless it is held up.
const ANSWER: Duration = Duration::from_secs(10);
/// A search on another machine, whose lock may not be seen from this one, may be at work until it has not
/// written for this long.
const QUIET: Duration = Duration::from_secs(300);

/// Why a note is not written.
#[derive(Debug, thiserror::Error)]
pub enum NotingError {
    /// The text cannot be a note.
    #[error(transparent)]
    Text(#[from] NoteError),
    /// The run directory cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The journal cannot be read, or another process writes to it.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The system refuses.
    #[error("the note is not written: {0}")]
    Write(io::Error),
    /// A process uses the run, but takes no commands from here.
    #[error(
        "the note is not written: another process uses the run ({holder}) and cannot be reached ({cause}): \
         try again in a moment, or on its machine"
    )]
    OutOfReach {
        /// The process named in the lock.
        holder: String,
        /// Why it cannot be reached.
        cause: io::Error,
    },
    /// The search refuses, for this reason.
    #[error("the note is not written: {0}")]
    Refused(String),
    /// The search has ended meanwhile.
    #[error("the note is not written: the run has just ended; try again")]
    Ended,
    /// The search has taken the note, and then said nothing for a while.
    #[error(
        "the run has not recorded the note within {} s; it does so as soon as it can, unless it ends before that",
        ANSWER.as_secs()
    )]
    Unanswered,
}

impl NotingError {
    /// Whether the user's input (text, run, child) is the cause.
    pub fn is_bad_input(&self) -> bool {
        match self {
            NotingError::Text(_) | NotingError::Refused(_) => true,
            NotingError::Directory(error) => !matches!(error, DirectoryError::Io { .. }),
            NotingError::Journal(error) => !matches!(error, JournalError::Io { .. }),
            NotingError::Write(_)
            | NotingError::OutOfReach { .. }
            | NotingError::Ended
            | NotingError::Unanswered => false,
        }
    }
}

/// The state of the run in the directory `run` after the last record of its journal.
///
/// # Errors
/// [`AttachError`]: the folder contains no run, or the journal cannot be read.
pub fn state_of(run: &Path) -> Result<RunState, AttachError> {
    let journal = journal_of(run)?;
    let known = Snapshot::of(&journal).and_then(|kept| Some((kept.place(), kept.state()?)));
    let (place, mut state) = known.unwrap_or_default();
    for record in Reader::after(&journal, place)?.without_choices() {
        state.apply(&record?);
    }
    Ok(state)
}

/// Write `text` as the note on `child`, a child of the search in the directory `run`, in place of the one
/// that it has; an empty text removes that. The note is recorded when this returns.
///
/// # Errors
/// [`NotingError`].
pub fn write_note(run: &Path, child: u64, text: &str) -> Result<(), NotingError> {
    let text = checked_note(text)?.to_owned();
    if let Some((holder, cause)) = at_work_elsewhere(run) {
        return Err(NotingError::OutOfReach { holder, cause });
    }
    match RunDirectory::open(run) {
        Ok(directory) => {
            let mut journal = Journal::open_at_end(&directory.journal_path())?;
            let note = Event::ChildNoted { child, text };
            journal.append(note).map_err(NotingError::Write)?;
            Ok(())
        }
        Err(DirectoryError::InUse { holder, .. }) => have_recorded(run, (child, text), holder),
        Err(error) => Err(error.into()),
    }
}

/// The process on another machine that may be at work on the run, and why it cannot be reached. Some shared
/// file systems do not show the locks of other machines: a second writer would stop its search.
fn at_work_elsewhere(run: &Path) -> Option<(String, io::Error)> {
    let holder = last_holder_elsewhere(run)?;
    let status = state_of(run).ok()?.status;
    let written = |name: &str| run.join(name).metadata().and_then(|file| file.modified());
    // Who has just taken over the run has only written to the lock.
    let written = written("journal.jsonl").ok().max(written("lock").ok())?;
    // A time to come is that of another clock.
    let is_quiet = written.elapsed().is_ok_and(|elapsed| elapsed >= QUIET);
    let cause = match status {
        status if status.is_over() => return None,
        // Nothing is written meanwhile.
        RunStatus::Pausing | RunStatus::Paused => "the run is paused there".to_owned(),
        _ if is_quiet => return None,
        _ => {
            let minutes = QUIET.as_secs() / 60;
            format!("it has written to the run less than {minutes} minutes ago")
        }
    };
    Some((holder, io::Error::other(cause)))
}

/// Have the search that works on the run (`holder`) record a note, and wait until it has.
fn have_recorded(
    run: &Path,
    (child, text): (u64, String),
    holder: String,
) -> Result<(), NotingError> {
    // What is recorded from here on may be the note.
    let mut archive = Archive::open(&run.join("journal.jsonl"))?;
    let mut seen = archive.refresh()?;
    let called = dial(run, false);
    let mut call = called.map_err(|cause| NotingError::OutOfReach { holder, cause })?;
    let note = Event::ChildNoted {
        child,
        text: text.clone(),
    };
    let command = ToServer::Command(Command::Note { child, text });
    messages::send(call.get_mut(), &command).map_err(NotingError::Write)?;
    let begin = Instant::now();
    loop {
        let left = ANSWER.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return Err(NotingError::Unanswered);
        }
        let stream = call.get_ref();
        (stream.set_read_timeout(Some(left))).map_err(NotingError::Write)?;
        match protocol::receive(&mut call) {
            Ok(Some(ToClient::Written(_))) => {
                if is_recorded(&note, &mut archive, &mut seen)? {
                    return Ok(());
                }
            }
            Ok(Some(ToClient::Refused(reason))) => return Err(NotingError::Refused(reason)),
            Ok(Some(ToClient::Hello(_) | ToClient::Tick(_))) => {}
            Ok(Some(ToClient::Ended(_)) | None) => {
                // It may have been the last that the search recorded.
                let is_last = is_recorded(&note, &mut archive, &mut seen)?;
                return is_last.then_some(()).ok_or(NotingError::Ended);
            }
            Err(_) => return Err(NotingError::Unanswered),
        }
    }
}

/// Whether `event` is among the records after number `seen`, which becomes the last one compared that is another.
fn is_recorded(event: &Event, archive: &mut Archive, seen: &mut u64) -> Result<bool, JournalError> {
    let last = archive.refresh()?;
    while *seen < last
        && let Some(record) = archive.record(*seen + 1)?
    {
        if record.event == *event {
            return Ok(true);
        }
        *seen += 1;
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::event::FinishReason;
    use crate::journal;
    use crate::link::sample::SampleRun;
    use crate::link::{LinkStatus, Server, attach};

    const DEMO: &str = include_str!("../../tests/fixtures/journal-demo.jsonl");

    /// The recorded run, which is complete, in a directory of its own.
    fn finished() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        std::fs::create_dir(&run).unwrap();
        std::fs::write(run.join("config.toml"), "preset = \"demo\"\n").unwrap();
        std::fs::write(run.join("journal.jsonl"), DEMO).unwrap();
        (folder, run)
    }

    fn note_in(run: &Path, child: u64) -> Option<String> {
        let state = state_of(run).unwrap();
        state.search().notes.of(child).map(str::to_owned)
    }

    #[test]
    fn a_note_on_a_finished_run_is_added_to_its_journal_and_changes_nothing_else() {
        let (_folder, run) = finished();
        let before = state_of(&run).unwrap();
        write_note(&run, 23, "  #keep: größer \n").unwrap();
        write_note(&run, 24, "odd").unwrap();
        write_note(&run, 24, "").unwrap();
        let text = std::fs::read_to_string(run.join("journal.jsonl")).unwrap();
        assert!(text.starts_with(DEMO) && text.lines().count() == DEMO.lines().count() + 3);
        let after = state_of(&run).unwrap();
        assert_eq!(after.search().notes.of(23), Some("#keep: größer"));
        assert_eq!(after.search().notes.of(24), None);
        assert_eq!(after.status, RunStatus::Completed);
        assert_eq!(after.clock.seconds(), before.clock.seconds());
        assert_eq!(after.search().children, before.search().children);
    }

    #[test]
    fn a_torn_line_is_kept_before_a_note_is_written_after_the_last_whole_one() {
        let (_folder, run) = finished();
        let journal = run.join("journal.jsonl");
        std::fs::write(&journal, &DEMO[..DEMO.len() - 7]).unwrap();
        write_note(&run, 23, "#keep").unwrap();
        assert_eq!(note_in(&run, 23).as_deref(), Some("#keep"));
        assert!(run.join("journal.jsonl.torn").is_file());
        assert_eq!(journal::read(&journal).unwrap().len(), DEMO.lines().count());
    }

    #[test]
    fn a_text_that_is_no_note_and_a_folder_that_is_no_run_are_refused() {
        let (_folder, run) = finished();
        let long = "x".repeat(501);
        for text in ["two\nlines", long.as_str()] {
            let error = write_note(&run, 23, text).unwrap_err();
            assert!(error.is_bad_input(), "{error}");
        }
        assert!(
            write_note(&run.join("no"), 23, "#keep")
                .unwrap_err()
                .is_bad_input()
        );
        let text = std::fs::read_to_string(run.join("journal.jsonl")).unwrap();
        assert_eq!(text, DEMO);
    }

    /// A run at work, whose process takes notes if `takes` and at once `ends`, and refuses them otherwise.
    fn ask(takes: bool, ends: bool) -> (Result<(), NotingError>, SampleRun) {
        let mut sample = SampleRun::new();
        let run = sample.folder.path().to_owned();
        std::fs::write(run.join("config.toml"), "# ours\n").unwrap();
        let _lock = RunDirectory::open(&run).unwrap();
        let _server = Server::start(sample.hub.clone()).unwrap();
        sample.tell("before");
        let asking = std::thread::spawn(move || write_note(&run, 3, "#keep"));
        let order = loop {
            match sample.inbox.poll() {
                Some(order) => break order,
                None => {
                    assert!(!asking.is_finished(), "it does not ask");
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        };
        match order.command {
            Command::Note { child, text } if takes => {
                sample.tell("something else");
                let note = Event::ChildNoted { child, text };
                sample.hub.publish(&sample.journal.append(note).unwrap());
                ends.then(|| sample.hub.close());
            }
            _ => order.client.refuse("there is no child 3".to_owned()),
        }
        let asked = asking.join().unwrap();
        (asked, sample)
    }

    #[test]
    fn the_search_at_work_records_a_note_or_says_why_not() {
        for ends in [false, true] {
            let (recorded, sample) = ask(true, ends);
            recorded.unwrap();
            assert_eq!(note_in(sample.folder.path(), 3).as_deref(), Some("#keep"));
        }
        let (refused, sample) = ask(false, false);
        let error = refused.unwrap_err();
        assert!(error.is_bad_input(), "{error}");
        assert!(error.to_string().contains("there is no child 3"), "{error}");
        assert_eq!(note_in(sample.folder.path(), 3), None);
    }

    #[test]
    fn nothing_is_written_into_a_run_whose_process_cannot_be_reached() {
        let (_folder, run) = finished();
        let _elsewhere = RunDirectory::open(&run).unwrap();
        let error = write_note(&run, 23, "#keep").unwrap_err();
        assert!(matches!(error, NotingError::OutOfReach { .. }), "{error}");
        assert_eq!(note_in(&run, 23), None);
    }

    #[test]
    fn nothing_is_written_while_a_search_on_another_machine_may_be_at_work() {
        let (_folder, run) = finished();
        let (lock, journal) = (run.join("lock"), run.join("journal.jsonl"));
        let begun: String = DEMO.split_inclusive('\n').take(40).collect();
        let paused = r#"{"v":1,"seq":41,"time":"2026-11-28T00:00:00Z","event":"paused"}"#;
        let note_after = |text: &str, quiet: Duration| {
            std::fs::write(&lock, "pid 1 on elsewhere\n").unwrap();
            std::fs::write(&journal, text).unwrap();
            for path in [&lock, &journal] {
                let file = std::fs::File::options().append(true).open(path);
                let time = std::time::SystemTime::now() - quiet;
                file.unwrap().set_modified(time).unwrap();
            }
            write_note(&run, 1, "#keep")
        };
        let (short, long) = (Duration::from_secs(60), 2 * QUIET);
        for (text, quiet) in [(&begun, short), (&format!("{begun}{paused}\n"), long)] {
            let error = note_after(text, quiet).unwrap_err();
            assert!(matches!(error, NotingError::OutOfReach { .. }), "{error}");
            assert!(error.to_string().contains("pid 1 on elsewhere"), "{error}");
            assert_eq!(std::fs::read_to_string(&journal).unwrap(), *text);
            let holder = std::fs::read_to_string(&lock).unwrap();
            assert_eq!(holder, "pid 1 on elsewhere\n", "its lock is left alone");
        }
        note_after(&begun, long).unwrap();
        note_after(DEMO, short).unwrap();
        assert_eq!(note_in(&run, 1).as_deref(), Some("#keep"));
    }

    /// A client of a finished run that sends a note.
    fn noting_client(watch: bool) -> (PathBuf, tempfile::TempDir, Vec<Event>) {
        let (folder, run) = finished();
        let mut client = attach(&run, watch).unwrap();
        let begin = Instant::now();
        while *client.status.borrow() != LinkStatus::Ended {
            assert!(begin.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(2));
        }
        let note = Command::Note {
            child: 23,
            text: "#keep".to_owned(),
        };
        client.commands.send(note).unwrap();
        let mut after_the_end = Vec::new();
        while after_the_end.len() < 2 {
            let record = client.records.blocking_recv().expect("it lasts");
            let is_end = matches!(
                record.event,
                Event::RunFinished {
                    reason: FinishReason::Completed,
                    ..
                }
            );
            if is_end || !after_the_end.is_empty() {
                after_the_end.push(record.event.clone());
            }
        }
        (run, folder, after_the_end)
    }

    #[test]
    fn a_client_of_a_finished_run_writes_notes_itself_unless_it_only_watches() {
        let (run, _folder, events) = noting_client(false);
        assert!(
            matches!(&events[1], Event::ChildNoted { child: 23, text } if text == "#keep"),
            "{events:?}"
        );
        assert_eq!(note_in(&run, 23).as_deref(), Some("#keep"));
        let (run, _folder, events) = noting_client(true);
        assert!(
            matches!(&events[1], Event::Notice { message, .. } if message.contains("only watches")),
            "{events:?}"
        );
        assert_eq!(note_in(&run, 23), None);
    }
}
