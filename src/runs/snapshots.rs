//! The snapshot of a long journal, written by those who read it: for runs that no process is working on. (A
//! run at work writes its own.)

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::directory::lock_state;
use crate::analysis::history::History;
use crate::foundation::input;
use crate::journal::Snapshot;
use crate::journal::snapshot::{Draft, SHARE, is_due};

/// A run whose snapshot is missing, from another version of the program, or covers too little of its journal.
#[derive(Debug)]
pub struct Stale {
    run: PathBuf,
    journal: PathBuf,
    /// Bytes of the journal that no snapshot covers.
    pub uncovered: u64,
}

impl Stale {
    /// Whether `run` is one. Runs of other users, runs at work and short journals are not.
    pub fn of(run: &Path) -> Option<Stale> {
        let journal = run.join("journal.jsonl");
        let file = input::open(&journal).ok()?.metadata().ok()?;
        let is_own = file.uid() == rustix::process::geteuid().as_raw();
        // What costs most comes last.
        if !is_own || !is_due(file.len(), 0, SHARE) || lock_state(run).is_some() {
            return None;
        }
        let covered = Snapshot::of(&journal).map_or(0, |snapshot| snapshot.place().bytes);
        is_due(file.len(), covered, SHARE).then(|| Stale {
            run: run.to_owned(),
            journal,
            uncovered: file.len().saturating_sub(covered),
        })
    }

    /// Write the snapshot.
    ///
    /// # Errors
    /// If the journal cannot be read or is damaged, or the snapshot cannot be written. Nothing depends on it.
    pub fn renew(&self) -> io::Result<()> {
        let folder = File::open(&self.run)?;
        Draft::write::<History>(&self.journal, u64::MAX, folder)?.put_in_place()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Level};
    use crate::journal::Journal;
    use crate::runs::RunDirectory;

    /// The directory of a run with a journal of 5 MB, held by nobody.
    fn long_run(root: &Path) -> PathBuf {
        let run = root.join("run");
        drop(run_at_work(&run));
        run
    }

    /// The same, held by this process.
    fn run_at_work(run: &Path) -> RunDirectory {
        let directory = RunDirectory::create(run).unwrap();
        let mut journal = Journal::create(&directory.journal_path()).unwrap();
        for _ in 0..50 {
            let (level, message) = (Level::Info, "x".repeat(100 << 10));
            journal.append(Event::Notice { level, message }).unwrap();
        }
        directory
    }

    fn covered(run: &Path) -> Option<u64> {
        let snapshot = Snapshot::of(&run.join("journal.jsonl"))?;
        Some(snapshot.place().lines)
    }

    #[test]
    fn a_long_journal_without_a_snapshot_gets_one_and_needs_no_other() {
        let root = tempfile::tempdir().unwrap();
        let run = long_run(root.path());
        let stale = Stale::of(&run).expect("it has none");
        assert!(stale.uncovered > 4 << 20);
        stale.renew().unwrap();
        assert_eq!(covered(&run), Some(50));
        assert!(Stale::of(&run).is_none());
    }

    #[test]
    fn a_run_at_work_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let run = root.path().join("run");
        let held = run_at_work(&run);
        assert!(Stale::of(&run).is_none());
        drop(held);
        assert!(Stale::of(&run).is_some());
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_costs_nothing() {
        let root = tempfile::tempdir().unwrap();
        let run = long_run(root.path());
        // In the way even of root, whom permissions do not stop.
        std::fs::create_dir(run.join("journal.snapshot.tmp")).unwrap();
        let stale = Stale::of(&run).unwrap();
        stale.renew().unwrap_err();
        assert_eq!(covered(&run), None);
    }
}
