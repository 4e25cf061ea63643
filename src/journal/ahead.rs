//! Reads a long journal ahead of its reader and parses it on several cores.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;

use super::reader::Selection;
use crate::event::Record;
use crate::foundation::thread::spawn;

/// Bytes of whole lines that are parsed as one part.
const PART: usize = 1 << 20;
/// Maximum number of threads that parse.
const MOST_THREADS: usize = 8;

/// A record and its place: it ends this many lines and bytes after the one before. Without a record, they
/// are lines that are left out.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub lines: u64,
    pub bytes: u64,
    /// Number (seq) of the record in its last line.
    pub last: Option<u64>,
    pub record: Option<Record>,
}

/// The lines of a part up to the first that cannot be parsed or does not follow the one before.
#[derive(Debug, Default)]
struct Part {
    lines: VecDeque<Parsed>,
    is_whole: bool,
}

#[derive(Debug)]
struct Job {
    text: Vec<u8>,
    answer: Sender<Part>,
}

/// A journal that is read ahead of its reader.
#[derive(Debug)]
pub(super) struct Ahead {
    file: File,
    /// The beginning of the next part, read with the one before.
    rest: Vec<u8>,
    at_end: bool,
    jobs: Sender<Job>,
    threads: usize,
    /// Parts in the order of the journal.
    parts: VecDeque<Receiver<Part>>,
    current: Part,
}

impl Ahead {
    /// Read on in `file` from where it stands.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start(file: File, selection: Selection) -> io::Result<Ahead> {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let inbox = Arc::new(Mutex::new(inbox));
        let threads = available_parallelism()
            .map_or(1, usize::from)
            .min(MOST_THREADS);
        for _ in 0..threads {
            let inbox = inbox.clone();
            spawn("nas-parsing", move || work(&inbox, selection))?;
        }
        Ok(Ahead {
            file,
            rest: Vec::new(),
            at_end: false,
            jobs,
            threads,
            parts: VecDeque::new(),
            current: Part {
                lines: VecDeque::new(),
                is_whole: true,
            },
        })
    }

    /// What comes next. `None` at the end of the whole lines, and before a line that cannot be parsed.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn next(&mut self) -> io::Result<Option<Parsed>> {
        loop {
            if let Some(parsed) = self.current.lines.pop_front() {
                return Ok(Some(parsed));
            }
            // One part for each thread, and as many to choose from when one is done.
            while !self.at_end && self.parts.len() < 2 * self.threads {
                self.read_part()?;
            }
            let next = self.parts.pop_front().filter(|_| self.current.is_whole);
            match next.and_then(|part| part.recv().ok()) {
                Some(part) => self.current = part,
                None => return Ok(None),
            }
        }
    }

    fn read_part(&mut self) -> io::Result<()> {
        let mut text = Vec::with_capacity(PART + PART / 4);
        text.append(&mut self.rest);
        let wanted = PART.saturating_sub(text.len()).max(PART / 4) as u64;
        self.at_end = Read::take(&mut self.file, wanted).read_to_end(&mut text)? == 0;
        let end = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |last| last + 1);
        self.rest = text.split_off(end);
        if !text.is_empty() {
            let (answer, part) = mpsc::channel();
            // The threads last as long as this value.
            let _ = self.jobs.send(Job { text, answer });
            self.parts.push_back(part);
        }
        Ok(())
    }
}

/// Parse parts until no one wants any.
fn work(inbox: &Mutex<Receiver<Job>>, selection: Selection) {
    loop {
        let job = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { text, answer }) = job else {
            return;
        };
        // A reader that has gone needs no answer.
        let _ = answer.send(parse(&text, selection));
    }
}

fn parse(text: &[u8], selection: Selection) -> Part {
    let (mut part, mut next) = (Part::default(), Parsed::default());
    let mut rest = text;
    while !rest.is_empty() {
        let before = rest;
        // Much faster than a closure that looks at each byte. Reading from memory cannot fail.
        let length = rest.skip_until(b'\n').unwrap_or(before.len());
        let line = &before[..length];
        let left_out = selection.leaves_out(line);
        if left_out.is_none() {
            let Ok(record) = selection.parse(line) else {
                return part;
            };
            next.record = Some(record);
        }
        let number = left_out.or(next.record.as_ref().and_then(|record| record.seq));
        if next.lines > 0 && next.last.map(|last| last.wrapping_add(1)) != number {
            return part;
        }
        next.last = number;
        next.lines += 1;
        next.bytes += line.len() as u64;
        if next.record.is_some() {
            part.lines.push_back(std::mem::take(&mut next));
        }
    }
    if next.lines > 0 {
        part.lines.push_back(next);
    }
    part.is_whole = true;
    part
}
