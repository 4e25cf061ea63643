//! A sparse index of line positions in a growing file: enough to find any line with one seek and a
//! short read.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

use serde::{Deserialize, Serialize};

use super::reader::Place;

/// Number of lines between two stored positions.
const STRIDE: u64 = 256;
/// Bytes read at once.
const BUFFER: usize = 1 << 18;
const BLOCK: usize = 1 << 12;

/// The position of every 256th line. Only complete lines count, because text after the last newline
/// may still change.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LineIndex {
    /// Start positions of the lines after the first 256, 512, ...
    positions: Vec<u64>,
    lines: u64,
    /// End of the last complete line.
    end: u64,
}

impl LineIndex {
    /// Number of complete lines seen so far.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The end of the last complete line seen so far.
    pub fn end(&self) -> Place {
        Place {
            lines: self.lines,
            bytes: self.end,
        }
    }

    /// A position at most 255 lines before line `number` (from 1): the place before it.
    pub fn near(&self, number: u64) -> Place {
        let marks = (number.saturating_sub(1) / STRIDE).min(self.positions.len() as u64);
        let position = (marks as usize)
            .checked_sub(1)
            .and_then(|index| self.positions.get(index));
        Place {
            lines: marks * STRIDE,
            bytes: position.copied().unwrap_or(0),
        }
    }

    /// Read what has been appended to `file`. If lines that were indexed have disappeared (a repair
    /// cuts off a damaged end), the file is read again from its beginning.
    pub fn extend(&mut self, file: &mut File) -> io::Result<()> {
        self.extend_to(u64::MAX, file)
    }

    /// The same up to the byte `end`, which is the end of a line.
    pub fn extend_to(&mut self, end: u64, file: &mut File) -> io::Result<()> {
        if !self.still_holds(file)? {
            *self = LineIndex::default();
        }
        let mut position = file.seek(SeekFrom::Start(self.end))?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let room = usize::try_from(end.saturating_sub(position)).unwrap_or(usize::MAX);
            let read = match file.read(&mut buffer[..room.min(BUFFER)]) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            for block in buffer[..read].chunks(BLOCK) {
                self.scan(block, position);
                position += block.len() as u64;
            }
        }
    }

    /// Whether the last indexed line still ends where it did.
    fn still_holds(&self, file: &mut File) -> io::Result<bool> {
        if self.end == 0 {
            return Ok(true);
        }
        file.seek(SeekFrom::Start(self.end - 1))?;
        let mut byte = [0];
        match file.read_exact(&mut byte) {
            Ok(()) => Ok(byte == *b"\n"),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Index the bytes that start at `position`. Counting newlines is much faster than locating
    /// each one, which few blocks require.
    fn scan(&mut self, block: &[u8], position: u64) {
        // Few at a time, so that a byte can hold the count and the compiler can vectorise the
        // comparison.
        let newlines: u64 = block
            .chunks(192)
            .map(|few| u64::from(few.iter().map(|byte| u8::from(*byte == b'\n')).sum::<u8>()))
            .sum();
        let Some(last) = block.iter().rposition(|byte| *byte == b'\n') else {
            return;
        };
        let to_mark = STRIDE - self.lines % STRIDE;
        if newlines >= to_mark {
            let ends = block
                .iter()
                .enumerate()
                .filter(|(_, byte)| **byte == b'\n')
                .map(|(index, _)| position + index as u64 + 1);
            self.positions
                .extend(ends.skip(to_mark as usize - 1).step_by(STRIDE as usize));
        }
        self.lines += newlines;
        self.end = position + last as u64 + 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::io::Write;

    use super::*;

    proptest! {
        #[test]
        fn a_place_near_a_line_is_where_that_many_lines_have_ended(
            lengths in proptest::collection::vec(0usize..40, 0..1500),
            wanted in 1u64..1500,
        ) {
            let text: String = lengths.iter().map(|length| "x".repeat(*length) + "\n").collect();
            let mut file = tempfile::tempfile().unwrap();
            let mut index = LineIndex::default();
            // In two steps, the first of which ends at an arbitrary position.
            let (first, second) = text.split_at(text.len() / 3);
            for part in [first, second] {
                file.seek(SeekFrom::End(0)).unwrap();
                file.write_all(part.as_bytes()).unwrap();
                index.extend(&mut file).unwrap();
            }
            prop_assert_eq!(index.lines(), lengths.len() as u64);
            let Place { lines: before, bytes } = index.near(wanted.min(index.lines().max(1)));
            let expected = lengths.iter().take(before as usize).map(|length| *length as u64 + 1).sum::<u64>();
            prop_assert_eq!(bytes, expected);
            prop_assert!(wanted.min(index.lines().max(1)) - before <= STRIDE);
        }
    }

    #[test]
    fn a_file_cut_shorter_is_read_again() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"one\ntwo\n\0\0\0\n").unwrap();
        let mut index = LineIndex::default();
        index.extend(&mut file).unwrap();
        file.set_len(8).unwrap();
        file.seek(SeekFrom::End(0)).unwrap();
        file.write_all(b"three and more\n").unwrap();
        index.extend(&mut file).unwrap();
        assert_eq!((index.lines(), index.end), (3, 23));
    }
}
