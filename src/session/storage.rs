//! What a session writes to its run directory: the records of the journal, and files. What cannot be
//! written (the disk is full, the directory has been moved) waits here, in order, until it can be.

use std::collections::{BTreeSet, VecDeque};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::snapshots::Snapshots;
use crate::event::{Event, FinishReason, Record};
use crate::foundation::durable::write_atomically;
use crate::journal::{Journal, Line};
use crate::runs::RunDirectory;
use crate::runs::directory::Essentials;

/// Time between two attempts to write.
const RETRY: Duration = Duration::from_secs(1);
/// Time after which the run directory is looked at even if there is nothing to write.
const LOOK: Duration = Duration::from_secs(60);

/// The run directory and the journal in it.
#[derive(Debug)]
pub(super) struct Storage {
    directory: RunDirectory,
    essentials: Essentials,
    /// When these were last looked for.
    sought: Instant,
    journal: Journal,
    waiting: VecDeque<Piece>,
    blocked: Option<Blocked>,
    /// When the run directory was last found in place.
    looked: Instant,
    /// Whether the journal tells that the run has begun.
    pub has_begun: bool,
    /// Number of the last record written.
    written: u64,
    snapshots: Snapshots,
}

/// Something to write.
#[derive(Debug)]
enum Piece {
    Line(Line),
    /// A file to replace: its path in the run directory, and its contents. It may refer to all records
    /// before it, which are therefore synced first.
    File(&'static str, Vec<u8>),
    /// Void the files of the best epoch.
    VoidBest,
}

impl Piece {
    /// Whether it tells that the run is completed.
    fn completes(&self) -> bool {
        let Piece::Line(line) = self else {
            return false;
        };
        let completed = FinishReason::Completed;
        matches!(line.record.event, Event::RunFinished { reason, .. } if reason == completed)
    }
}

/// Why nothing can be written.
#[derive(Debug)]
struct Blocked {
    reason: String,
    tried: Instant,
}

impl Storage {
    pub fn new(directory: RunDirectory, journal: Journal, has_begun: bool) -> Storage {
        Storage {
            essentials: Essentials::of(&directory),
            sought: Instant::now(),
            directory,
            written: journal.last_seq(),
            snapshots: Snapshots::of(&journal),
            journal,
            waiting: VecDeque::new(),
            blocked: None,
            looked: Instant::now(),
            has_begun,
        }
    }

    pub fn directory(&self) -> &RunDirectory {
        &self.directory
    }

    /// Remove the directory of a run that has not begun.
    pub fn discard(&mut self) -> io::Result<()> {
        self.directory.discard_unstarted()
    }

    /// Number of the last record, written or not.
    pub fn last_seq(&self) -> u64 {
        self.journal.last_seq()
    }

    /// Number of the last record written.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Why something waits; `None` if all is written.
    pub fn blocked(&self) -> Option<&str> {
        self.blocked.as_ref().map(|blocked| &*blocked.reason)
    }

    /// Make `event` the next record of the journal.
    pub fn add(&mut self, event: Event) -> io::Result<Arc<Record>> {
        let line = self.journal.line(event)?;
        let record = line.record.clone();
        if record.seq.is_some() {
            self.waiting.push_back(Piece::Line(line));
        }
        Ok(record)
    }

    /// Replace the file `name` of the run directory.
    pub fn replace(&mut self, name: &'static str, contents: Vec<u8>) {
        self.waiting.push_back(Piece::File(name, contents));
    }

    pub fn void_best(&mut self) {
        self.waiting.push_back(Piece::VoidBest);
    }

    /// Time until [`Storage::write`] should be called even if nothing has been added.
    pub fn idle(&self) -> Duration {
        match &self.blocked {
            Some(blocked) => RETRY.saturating_sub(blocked.tried.elapsed()),
            None => LOOK.saturating_sub(self.looked.elapsed()),
        }
    }

    /// Write what waits, once the run directory is found in place. `tell` receives each record that has
    /// been written. After a failure nothing is tried for a while.
    ///
    /// # Errors
    /// What fails, or has failed before. It is tried again with the next call.
    pub fn write(&mut self, tell: impl FnMut(&Arc<Record>)) -> Result<(), &str> {
        if self.blocked.is_none() || self.idle().is_zero() {
            self.write_now(tell);
        }
        self.blocked().map_or(Ok(()), Err)
    }

    /// Write what waits, even if it has just failed.
    pub fn write_now(&mut self, tell: impl FnMut(&Arc<Record>)) {
        // Not at once: somebody may be deleting the directory, one file after the other.
        if self.sought.elapsed() >= LOOK || self.blocked.is_some() {
            self.keep_essentials();
        }
        let written = self.check().and_then(|()| self.write_pieces(tell));
        if written.is_ok() {
            let folder = || File::open(self.directory.path());
            self.snapshots.look(&self.journal, self.written, folder);
        }
        // A write may have failed because the directory was moved at that moment.
        let written = written.map_err(|error| self.check().err().unwrap_or(error));
        // The run directory is known to whoever reads this, and room is short on a screen.
        let within = format!("{}/", self.directory.path().display());
        self.blocked = written.err().map(|error| Blocked {
            reason: error.to_string().replace(&within, ""),
            tried: Instant::now(),
        });
    }

    /// Write the pieces in order. A file that cannot be written holds up later files, but no records (without
    /// it a resume recomputes what they tell) except that the run is completed: then nothing would be recomputed.
    fn write_pieces(&mut self, mut tell: impl FnMut(&Arc<Record>)) -> io::Result<()> {
        let (mut kept, mut failed) = (VecDeque::new(), None);
        while let Some(piece) = self.waiting.pop_front() {
            let is_line = matches!(piece, Piece::Line(_));
            if failed.is_some() && piece.completes() {
                kept.push_back(piece);
                break;
            }
            let written = match failed {
                Some(_) if !is_line => Ok(false),
                _ => write_piece(&piece, &mut self.journal, &mut self.directory).map(|()| true),
            };
            match (written, piece) {
                (Ok(true), Piece::Line(line)) => {
                    self.has_begun |= line.record.event.begins_run();
                    self.written = line.record.seq.unwrap_or(self.written);
                    tell(&line.record);
                }
                (Ok(true), _) => {}
                (Ok(false), piece) => kept.push_back(piece),
                (Err(error), piece) => {
                    kept.push_back(piece);
                    failed.get_or_insert(error);
                    if is_line {
                        break;
                    }
                }
            }
        }
        kept.append(&mut self.waiting);
        self.waiting = kept;
        failed.map_or(Ok(()), Err)
    }

    /// Write the files again without which the run could not be resumed, if they are missing in a directory that
    /// is in its place. What fails is tried again.
    pub fn keep_essentials(&mut self) {
        self.sought = Instant::now();
        if self.directory.check().is_ok() {
            let _ = self.essentials.restore(&self.directory);
        }
    }

    /// At the end: bring the snapshot of a long journal up to date.
    pub fn finish_snapshot(&mut self) {
        if self.blocked.is_none() && self.check().is_ok() {
            let folder = || File::open(self.directory.path());
            self.snapshots.finish(&self.journal, self.written, folder);
        }
    }

    fn check(&mut self) -> io::Result<()> {
        self.directory.check()?;
        self.journal.check()?;
        self.looked = Instant::now();
        Ok(())
    }

    /// At the end of a run whose directory is not in place: save what can be saved. A directory that
    /// was moved is used where it is, and a journal that was removed or replaced is written again. Returns
    /// what has been done, for the user.
    pub fn rescue(&mut self, tell: impl FnMut(&Arc<Record>)) -> Option<String> {
        let before = self.directory.path().to_owned();
        let is_moved = self.directory.follow();
        if is_moved {
            self.journal.follow(self.directory.journal_path());
        }
        let is_in_place = self.directory.check_at_the_end().is_ok();
        self.keep_essentials();
        let is_put_back = is_in_place && self.journal.put_back().is_ok();
        self.write_now(tell);
        let place = self.directory.path().display();
        let (usual, own) = (self.directory.journal_path(), self.journal.path());
        match self.blocked {
            Some(_) => None,
            None if is_put_back && own != usual => Some(replaced_journal(&usual, own)),
            None if is_put_back => Some(format!(
                "the journal in {place} had been removed while the run was at work, and has been written again"
            )),
            None if is_moved => Some(format!(
                "{} had been moved to {place} while the run was at work",
                before.display()
            )),
            None => None,
        }
    }

    /// The journal, wherever it is.
    pub fn journal_path(&self) -> &Path {
        self.journal.path()
    }

    /// What waits, in words.
    pub fn unwritten(&self) -> String {
        let lines = self.waiting.iter().filter_map(|piece| match piece {
            Piece::Line(line) => Some(&line.record.event),
            _ => None,
        });
        let records = lines.clone().count();
        let (mut children, mut epochs) = (Vec::new(), Vec::new());
        for event in lines {
            match event {
                Event::ChildFinished(finished) => children.push(finished.child),
                Event::ChildFailed { child, .. } | Event::ChildExcluded { child, .. } => {
                    children.push(*child);
                }
                Event::TrainingEpoch(epoch) => epochs.push(epoch.epoch as u64),
                _ => {}
            }
        }
        let names = self.waiting.iter().filter_map(|piece| match piece {
            Piece::File(name, _) => Some((*name).to_owned()),
            _ => None,
        });
        // A file can wait in several versions.
        let files: BTreeSet<String> = names.collect();
        let mut parts = Vec::new();
        if records > 0 {
            parts.push(format!("{records} records"));
        }
        parts.extend(listed("the ends of children", &children));
        parts.extend(listed("epochs", &epochs));
        parts.extend(files);
        parts.join(", ")
    }

    /// Whether the journal lacks records that had been written.
    pub fn is_cut_off(&self) -> bool {
        self.journal.is_cut_off()
    }

    /// Where the files of the run are; `None` if they have been deleted.
    pub fn place(&self) -> Option<PathBuf> {
        self.directory.place()
    }
}

fn write_piece(
    piece: &Piece,
    journal: &mut Journal,
    directory: &mut RunDirectory,
) -> io::Result<()> {
    match piece {
        Piece::Line(line) => journal.write(line),
        Piece::File(name, contents) => {
            journal.sync()?;
            if Path::new(name).parent() != Some(Path::new("")) {
                directory.keep_checkpoint_folder()?;
            }
            write_atomically(&directory.path().join(name), contents)
        }
        Piece::VoidBest => directory.void_best(),
    }
}

/// That the journal `own` belongs in the place of what is at `usual`, and how it gets there.
fn replaced_journal(usual: &Path, own: &Path) -> String {
    let (usual, own) = (usual.display(), own.display());
    format!(
        "{usual} had been replaced by another file while the run was at work; the run's own is {own}. Put it back with: \
         mv {usual} {usual}.other && mv {own} {usual}"
    )
}

/// `WHAT 1, 2, 3`; `None` if there are no numbers.
fn listed(what: &str, numbers: &[u64]) -> Option<String> {
    let texts: Vec<String> = numbers.iter().map(u64::to_string).collect();
    (!texts.is_empty()).then(|| format!("{what} {}", texts.join(", ")))
}
