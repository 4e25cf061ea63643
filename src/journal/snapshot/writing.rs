//! How a snapshot is written: from the one before and what has been appended to the journal since.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, fstatvfs, openat, renameat, unlinkat};
use serde::Serialize;

use super::{Beside, FirstLine, Header, NAME, PROGRAM, Part, Snapshot, part};
use crate::foundation::input;
use crate::journal::Reader;
use crate::journal::line_index::LineIndex;
use crate::state::RunState;

/// Bytes of a journal that are read so fast that no snapshot is worth it.
const SHORT: u64 = 4 << 20;
/// A new snapshot is written when a journal has grown by an eighth since the last.
pub const SHARE: u64 = 8;
/// Children in one part of the file.
const CHILDREN: usize = 4096;
/// A snapshot must not fill the disk of a run at work: there must be room for this many.
const ROOM: u64 = 8;
/// Name of the file until it is whole.
const UNFINISHED: &str = "journal.snapshot.tmp";

/// Whether a journal of `length` bytes, whose snapshot covers `covered` bytes, has grown by one part in
/// `share` or more since. The work of writing snapshots is then in proportion to what the journal grows by.
pub fn is_due(length: u64, covered: u64, share: u64) -> bool {
    length >= SHORT && length.saturating_sub(covered) > covered / share
}

/// A snapshot that is written but not in its place yet. It is removed if it is not put there.
#[derive(Debug)]
pub struct Draft {
    /// The folder of the journal, wherever it is.
    folder: File,
    covered: u64,
    is_in_place: bool,
}

impl Draft {
    /// Write a snapshot of the first `last` records of `journal` (all of them, if there are fewer) into its
    /// `folder`.
    ///
    /// # Errors
    /// If the journal cannot be read or is damaged, or the file cannot be written.
    pub fn write<B: Beside>(journal: &Path, last: u64, folder: File) -> io::Result<Draft> {
        let (state, beside, index) = reduced::<B>(journal, last)?;
        let bytes = encode(&state, &beside, &index, journal)?;
        let draft = Draft {
            folder,
            covered: index.end().bytes,
            is_in_place: false,
        };
        let space = fstatvfs(&draft.folder)?;
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        if free / ROOM < bytes.len() as u64 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        // Not synced: after a power failure a damaged snapshot is ignored.
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
        // Whatever else has this name must not be followed or waited for.
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mode = Mode::from_raw_mode(0o666);
        let file = openat(&draft.folder, UNFINISHED, flags, mode)?;
        File::from(file).write_all(&bytes)?;
        Ok(draft)
    }

    /// Bytes of the journal that it covers.
    pub fn covered(&self) -> u64 {
        self.covered
    }

    /// Replace the snapshot by this one.
    ///
    /// # Errors
    /// I/O errors.
    pub fn put_in_place(mut self) -> io::Result<()> {
        renameat(&self.folder, UNFINISHED, &self.folder, NAME)?;
        self.is_in_place = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_in_place {
            // The next one overwrites what is left.
            let _ = unlinkat(&self.folder, UNFINISHED, AtFlags::empty());
        }
    }
}

/// What the first `last` records add up to, and where their lines are.
fn reduced<B: Beside>(journal: &Path, last: u64) -> io::Result<(RunState, B, LineIndex)> {
    let earlier = Snapshot::of(journal).filter(|snapshot| snapshot.place().lines <= last);
    let earlier = earlier
        .and_then(|snapshot| Some((snapshot.state()?, snapshot.beside()?, snapshot.index()?)));
    let (mut state, mut beside, mut index): (_, B, _) = earlier.unwrap_or_default();
    let reader = Reader::after(journal, index.end()).map_err(io::Error::other)?;
    let mut reader = reader.without_choices().one_by_one();
    while state.last_seq < last
        && let Some(record) = reader.next().transpose().map_err(io::Error::other)?
    {
        state.apply(&record);
        beside.apply(&record);
    }
    index.extend_to(reader.place().bytes, &mut input::open(journal)?)?;
    if index.end() != reader.place() {
        return Err(io::Error::other("the journal has changed meanwhile"));
    }
    Ok((state, beside, index))
}

/// The bytes of the file.
pub(super) fn encode<B: Beside>(
    state: &RunState,
    beside: &B,
    index: &LineIndex,
    journal: &Path,
) -> io::Result<Vec<u8>> {
    let search = state.search();
    let mut parts = Parts::default();
    parts.add(part::STATE, state)?;
    parts.add(part::OUTCOMES, &search.outcomes)?;
    for children in search.children.chunks(CHILDREN) {
        parts.add(part::CHILDREN, &children)?;
    }
    parts.add(B::NAME, beside)?;
    parts.add(part::INDEX, index)?;
    let header = Header {
        program: PROGRAM.to_owned(),
        place: index.end(),
        parts: parts.list,
    };
    let proof = header.proof(journal);
    let proof = proof.ok_or_else(|| io::Error::other("the journal has changed meanwhile"))?;
    let mut bytes = serde_json::to_vec(&FirstLine { proof, header })?;
    bytes.push(b'\n');
    bytes.append(&mut parts.bytes);
    Ok(bytes)
}

/// Parts one after the other.
#[derive(Default)]
struct Parts {
    list: Vec<Part>,
    bytes: Vec<u8>,
}

impl Parts {
    fn add(&mut self, name: &str, value: &impl Serialize) -> io::Result<()> {
        let begin = self.bytes.len();
        serde_json::to_writer(&mut self.bytes, value)?;
        let part = &self.bytes[begin..];
        self.list.push(Part {
            name: name.to_owned(),
            bytes: part.len() as u64,
            crc32: crc32fast::hash(part),
        });
        Ok(())
    }
}
