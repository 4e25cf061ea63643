//! Snapshots: what the beginning of a journal adds up to, in a file beside it, so that a reader need not
//! begin at the first line (docs/JOURNAL.md). The journal alone is authoritative: a snapshot that does not
//! belong to it is as good as none.

mod writing;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread::{self, available_parallelism};

use md5::{Digest, Md5};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::line_index::LineIndex;
use super::reader::Place;
use crate::event::{Record, checked_json};
use crate::foundation::input;
use crate::state::{Outcomes, RunState, WorkState};
pub use writing::{Draft, SHARE, is_due};

/// Name of the file.
const NAME: &str = "journal.snapshot";
/// What a state is and how it follows from records: a hash of the sources (build.rs). Another program's
/// state could mean something else.
const PROGRAM: &str = env!("NAS_TUI_READERS");
/// Longest first line.
const LONGEST_HEADER: u64 = 1 << 20;
/// Maximum number of threads that parse.
const MOST_THREADS: usize = 8;

/// Bytes at the beginning of a journal and before the place of a snapshot that are compared, and size and number
/// of the pieces between.
const END: u64 = 1 << 16;
const PIECE: u64 = 1 << 10;
const PIECES: u64 = 64;

/// What a snapshot holds besides the state of the run.
pub trait Beside: Default + Serialize + DeserializeOwned {
    /// Name of its part.
    const NAME: &'static str;

    /// Process the next record of the run.
    fn apply(&mut self, record: &Record);
}

/// The parts of every snapshot.
mod part {
    /// The state without the next two.
    pub const STATE: &str = "state";
    pub const OUTCOMES: &str = "outcomes";
    /// Children that have ended, in several parts, which are read on several cores.
    pub const CHILDREN: &str = "children";
    /// Where lines are.
    pub const INDEX: &str = "lines";
}

/// The first line of the file; the parts follow without anything in between.
#[derive(Debug, Serialize, Deserialize)]
struct FirstLine {
    /// Holds together the header and the journal.
    proof: String,
    header: Header,
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    program: String,
    place: Place,
    parts: Vec<Part>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Part {
    name: String,
    bytes: u64,
    crc32: u32,
}

impl Header {
    /// A hash of the header and of the journal's beginning, end and pieces between, up to the place. `None` if
    /// the journal cannot be read or is shorter.
    fn proof(&self, journal: &Path) -> Option<String> {
        let file = input::open(journal).ok()?;
        let end = self.place.bytes;
        let mut digest = Md5::new();
        digest.update(serde_json::to_vec(self).ok()?);
        let pieces = (1..PIECES).map(|number| (end / PIECES * number, PIECE));
        for (from, length) in [(0, END), (end.saturating_sub(END), END)]
            .into_iter()
            .chain(pieces)
        {
            let mut bytes = vec![0; length.min(end - from) as usize];
            file.read_exact_at(&mut bytes, from).ok()?;
            digest.update(bytes);
        }
        let hash = digest.finalize();
        Some(hash.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// A snapshot of the beginning of a journal.
#[derive(Debug)]
pub struct Snapshot {
    file: File,
    header: Header,
    /// Position of the first part.
    parts_at: u64,
}

impl Snapshot {
    /// The snapshot beside `journal`; `None` if there is none, or if it is of another journal, of what this
    /// journal no longer contains, or by another program.
    pub fn of(journal: &Path) -> Option<Snapshot> {
        let file = input::open(&journal.with_file_name(NAME)).ok()?;
        let length = file.metadata().ok()?.len();
        let mut line = Vec::new();
        let mut first = BufReader::new(&file).take(LONGEST_HEADER);
        first.read_until(b'\n', &mut line).ok()?;
        let FirstLine { proof, header } = serde_json::from_slice(&line).ok()?;
        let parts_at = line.len() as u64;
        let mut sizes = header.parts.iter().map(|part| part.bytes);
        let end = sizes.try_fold(parts_at, u64::checked_add);
        let is_valid = header.program == PROGRAM
            && end == Some(length)
            && header.proof(journal).as_ref() == Some(&proof);
        is_valid.then_some(Snapshot {
            file,
            header,
            parts_at,
        })
    }

    /// The end of the last line that is part of it.
    pub fn place(&self) -> Place {
        self.header.place
    }

    /// The state of the run there; `None` if the file is damaged.
    pub fn state(&self) -> Option<RunState> {
        let mut state = self.overview()?;
        if let Some(search) = state.search_mut() {
            search.children = self.children()?;
            let counts = search.outcomes.counts;
            let ended = counts.sampled + counts.edited + counts.controls;
            (search.children.len() == ended).then_some(())?;
        }
        Some(state)
    }

    /// The same without the children that have ended.
    pub fn overview(&self) -> Option<RunState> {
        let mut state: RunState = self.part(part::STATE)?;
        if let WorkState::Search(search) = &mut state.work {
            search.outcomes = self.part::<Outcomes>(part::OUTCOMES)?;
        }
        let is_here = state.last_seq == self.place().lines;
        (is_here && state.is_sound()).then_some(state)
    }

    /// What it holds besides; `None` if the file is damaged.
    pub fn beside<B: Beside>(&self) -> Option<B> {
        self.part(B::NAME)
    }

    /// Where the lines before the place are.
    pub(super) fn index(&self) -> Option<LineIndex> {
        let index: LineIndex = self.part(part::INDEX)?;
        (index.end() == self.place()).then_some(index)
    }

    fn part<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let (at, part) = self.parts().find(|(_, part)| part.name == name)?;
        self.read(at, part)
    }

    /// The parts and their positions.
    fn parts(&self) -> impl Iterator<Item = (u64, &Part)> {
        self.header.parts.iter().scan(self.parts_at, |next, part| {
            let at = *next;
            *next += part.bytes;
            Some((at, part))
        })
    }

    fn read<T: DeserializeOwned>(&self, at: u64, part: &Part) -> Option<T> {
        let mut bytes = vec![0; usize::try_from(part.bytes).ok()?];
        self.file.read_exact_at(&mut bytes, at).ok()?;
        let is_whole = crc32fast::hash(&bytes) == part.crc32;
        is_whole.then(|| checked_json(&bytes)).flatten()
    }

    fn children<T: DeserializeOwned + Send>(&self) -> Option<Vec<T>> {
        let parts: Vec<_> = self.parts().collect();
        let parts: Vec<_> = parts
            .into_iter()
            .filter(|(_, part)| part.name == part::CHILDREN)
            .collect();
        let cores = available_parallelism().map_or(1, usize::from);
        let each = parts.len().div_ceil(cores.min(MOST_THREADS)).max(1);
        let read = |parts: &[(u64, &Part)]| -> Option<Vec<Vec<T>>> {
            let rows = parts.iter().map(|(at, part)| self.read(*at, part));
            rows.collect()
        };
        thread::scope(|scope| {
            let threads: Vec<_> = parts
                .chunks(each)
                .map(|parts| {
                    let name = "nas-parsing".to_owned();
                    let thread = thread::Builder::new().name(name);
                    thread.spawn_scoped(scope, move || read(parts)).ok()
                })
                .collect();
            let mut rows = Vec::new();
            for thread in threads {
                rows.extend(thread?.join().ok()??.into_iter().flatten());
            }
            Some(rows)
        })
    }
}

#[cfg(test)]
mod tests;
