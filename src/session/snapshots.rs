//! Keeps the snapshot of a long journal up to date, in a thread that the run never waits for until its end.
//! Nothing depends on a snapshot, so what fails is tried again only when the journal has grown further.

use std::fs::File;
use std::io;
use std::thread::JoinHandle;

use crate::analysis::history::History;
use crate::foundation::thread::spawn;
use crate::journal::snapshot::{Draft, SHARE, is_due};
use crate::journal::{Journal, Snapshot};

/// At the end a snapshot is written even if the journal has grown by this little since the last.
const SHARE_AT_END: u64 = 64;

/// The snapshots of one journal.
#[derive(Debug)]
pub(super) struct Snapshots {
    /// Bytes of the journal that the last one covers, or was to cover.
    covered: u64,
    writing: Option<JoinHandle<io::Result<Draft>>>,
}

impl Snapshots {
    pub fn of(journal: &Journal) -> Snapshots {
        let snapshot = Snapshot::of(journal.path());
        Snapshots {
            covered: snapshot.map_or(0, |snapshot| snapshot.place().bytes),
            writing: None,
        }
    }

    /// Put a snapshot that is ready in its place, or begin one if it is due. To be called when `written`
    /// records are written and the run directory has been found in place; `folder` opens it.
    pub fn look(
        &mut self,
        journal: &Journal,
        written: u64,
        folder: impl FnOnce() -> io::Result<File>,
    ) {
        if self.writing.as_ref().is_some_and(JoinHandle::is_finished) {
            self.put_in_place();
        }
        if self.writing.is_none() && is_due(journal.length(), self.covered, SHARE) {
            self.begin(journal, written, folder);
        }
    }

    /// Wait for a last snapshot, if one is due.
    pub fn finish(
        &mut self,
        journal: &Journal,
        written: u64,
        folder: impl FnOnce() -> io::Result<File>,
    ) {
        self.put_in_place();
        if is_due(journal.length(), self.covered, SHARE_AT_END) {
            self.begin(journal, written, folder);
            self.put_in_place();
        }
    }

    fn begin(
        &mut self,
        journal: &Journal,
        written: u64,
        folder: impl FnOnce() -> io::Result<File>,
    ) {
        self.covered = journal.length();
        let path = journal.path().to_owned();
        let write = |folder| {
            spawn("nas-snapshot", move || {
                Draft::write::<History>(&path, written, folder)
            })
        };
        self.writing = folder().and_then(write).ok();
    }

    /// Wait for the snapshot that is being written, if there is one.
    fn put_in_place(&mut self) {
        let draft = self.writing.take().and_then(|thread| thread.join().ok());
        if let Some(Ok(draft)) = draft {
            self.covered = draft.covered();
            let _ = draft.put_in_place();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::storage::Storage;
    use super::*;
    use crate::event::{Event, Level};
    use crate::runs::RunDirectory;

    /// Add `megabytes` to the journal.
    fn grow(storage: &mut Storage, megabytes: usize) {
        for _ in 0..10 * megabytes {
            let message = "x".repeat(100 << 10);
            let level = Level::Info;
            storage.add(Event::Notice { level, message }).unwrap();
            storage.write(|_| {}).unwrap();
        }
    }

    #[test]
    fn a_journal_that_grows_long_gets_a_snapshot_and_a_last_one_at_the_end() {
        let root = tempfile::tempdir().unwrap();
        let directory = RunDirectory::create(&root.path().join("run")).unwrap();
        let path = directory.journal_path();
        let journal = Journal::create(&path).unwrap();
        let mut storage = Storage::new(directory, journal, true);
        let covered = || Snapshot::of(&path).map(|snapshot| snapshot.place().lines);
        grow(&mut storage, 3);
        storage.finish_snapshot();
        assert_eq!(covered(), None, "it is short");
        grow(&mut storage, 2);
        let begin = Instant::now();
        while covered().is_none() {
            assert!(begin.elapsed() < Duration::from_secs(60), "no snapshot");
            std::thread::sleep(Duration::from_millis(5));
            storage.write(|_| {}).unwrap();
        }
        assert!((41..=50).contains(&covered().unwrap()), "{:?}", covered());
        grow(&mut storage, 1);
        storage.finish_snapshot();
        assert_eq!(covered(), Some(60));
    }

    #[test]
    fn nothing_is_written_into_a_folder_in_the_place_of_the_run_directory() {
        let root = tempfile::tempdir().unwrap();
        let (place, elsewhere) = (root.path().join("run"), root.path().join("moved"));
        let directory = RunDirectory::create(&place).unwrap();
        let journal = Journal::create(&directory.journal_path()).unwrap();
        let mut storage = Storage::new(directory, journal, true);
        grow(&mut storage, 5);
        std::fs::rename(&place, &elsewhere).unwrap();
        std::fs::create_dir(&place).unwrap();
        storage.finish_snapshot();
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0);
    }
}
