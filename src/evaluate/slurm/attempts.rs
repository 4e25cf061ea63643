//! Files of attempts, read as they grow: each line is a [`Sign`]. Few are looked at in one go, in turns,
//! so that a thousand tasks do not make a thousand requests a second to a file server.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::scheduler::{Sign, TaskId};

/// Most files looked at in one pass, and the time between two passes.
pub const FILES_PER_PASS: usize = 40;
/// Most arrivals taken out of the inbox in one pass; each costs up to three requests.
pub const ARRIVALS_PER_PASS: usize = 75;
/// See [`FILES_PER_PASS`].
pub const BETWEEN_PASSES: Duration = Duration::from_secs(2);
/// Most bytes read from one file in one pass.
const MOST_BYTES: u64 = 256 * 1024;

/// Who takes turns: each key is looked at again when all others have been.
#[derive(Debug)]
pub struct Turns<K> {
    order: BTreeMap<u64, K>,
    next: u64,
}

impl<K: Clone + Ord> Turns<K> {
    /// No one.
    pub fn new() -> Turns<K> {
        Turns {
            order: BTreeMap::new(),
            next: 0,
        }
    }

    /// Someone new, whose turn is last.
    pub fn add(&mut self, key: K) {
        self.order.insert(self.next, key);
        self.next += 1;
    }

    /// Those whose turn it is, at most `most`. Those that `keep` refuses are dropped.
    pub fn take(&mut self, most: usize, keep: impl Fn(&K) -> bool) -> Vec<K> {
        let mut taken = Vec::new();
        let before = self.next;
        while taken.len() < most {
            let Some((number, key)) = self.order.pop_first() else {
                break;
            };
            if number >= before {
                self.order.insert(number, key);
                break;
            }
            if keep(&key) {
                self.add(key.clone());
                taken.push(key);
            }
        }
        taken
    }
}

/// One attempt's file, and how far it has been read.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    offset: u64,
    /// What begins before it was there when this session began.
    past: u64,
    /// The task that writes it.
    pub task: TaskId,
    /// The machine that writes it, from its first line.
    pub node: Option<String>,
}

/// The first line of an attempt.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Began {
    /// Its machine.
    pub node: String,
    /// Its process there.
    pub pid: u32,
    /// Slurm's name of the task.
    pub task: String,
    /// When it began, in milliseconds since 1970; 0 in files of older versions.
    #[serde(default)]
    pub time_ms: u64,
}

impl Began {
    /// The first line of the attempt in this file.
    ///
    /// # Errors
    /// If it cannot be read, or says something else.
    fn read(path: &Path) -> io::Result<Began> {
        let mut line = String::new();
        BufReader::new(File::open(path)?.take(MOST_BYTES)).read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}

/// What the order of attempts follows from: when they began, and if that is not known, when they last said
/// something.
pub fn order(path: &Path) -> (u64, Option<SystemTime>) {
    let modified = fs::metadata(path).and_then(|file| file.modified());
    let began = Began::read(path).map_or(0, |began| began.time_ms);
    (began, modified.ok())
}

/// A line of an attempt's file.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What it says.
    pub sign: Sign,
    /// Whether it was there when this session began.
    pub is_past: bool,
}

impl Tail {
    /// A file of which nothing has been read.
    pub fn new(path: PathBuf, task: TaskId) -> Tail {
        Tail {
            path,
            offset: 0,
            past: 0,
            task,
            node: None,
        }
    }

    /// A file that an earlier session may have read. The last attempt of a task says again, as past, what it
    /// has said; of an earlier one only news is read.
    pub fn taken_over(path: PathBuf, task: TaskId, is_last: bool) -> Tail {
        let past = fs::metadata(&path).map_or(0, |file| file.len());
        let (offset, node) = match is_last {
            true => (0, None),
            false => (past, Began::read(&path).ok().map(|began| began.node)),
        };
        Tail {
            path,
            offset,
            past,
            task,
            node,
        }
    }

    /// The signs since the last call. A line that is not complete yet is left for the next one; a line
    /// that says nothing known is passed over.
    ///
    /// # Errors
    /// I/O errors.
    pub fn read(&mut self) -> io::Result<Vec<Line>> {
        let mut file = File::open(&self.path)?;
        if file.metadata()?.len() <= self.offset {
            return Ok(Vec::new());
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        file.take(MOST_BYTES).read_to_end(&mut bytes)?;
        let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else {
            // A line longer than any of ours is no line of ours.
            if bytes.len() as u64 == MOST_BYTES {
                self.offset += MOST_BYTES;
            }
            return Ok(Vec::new());
        };
        let mut lines = Vec::new();
        for line in bytes[..end].split(|byte| *byte == b'\n') {
            let is_past = self.offset < self.past;
            self.offset += line.len() as u64 + 1;
            if self.node.is_none()
                && let Ok(began) = serde_json::from_slice::<Began>(line)
            {
                self.node = Some(began.node);
                let sign = Sign::Alive;
                lines.push(Line { sign, is_past });
            } else if let Ok(sign) = serde_json::from_slice(line) {
                lines.push(Line { sign, is_past });
            }
        }
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    #[test]
    fn everyone_gets_a_turn_before_anyone_gets_a_second_one() {
        let mut turns = Turns::new();
        (0..5).for_each(|key| turns.add(key));
        assert_eq!(turns.take(3, |_| true), [0, 1, 2]);
        assert_eq!(turns.take(3, |_| true), [3, 4, 0]);
        assert_eq!(
            turns.take(9, |key| *key != 1),
            [2, 3, 4, 0],
            "1 has left, and no one comes twice"
        );
    }

    /// What a file says now.
    fn signs(tail: &mut Tail) -> Vec<Sign> {
        let lines = tail.read().unwrap().into_iter();
        lines.map(|line| line.sign).collect()
    }

    #[test]
    fn what_an_earlier_session_may_have_read_is_past_and_of_an_earlier_attempt_only_news_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        let line = |number| serde_json::to_string(&Sign::Paused { number }).unwrap();
        let began = r#"{"node":"n1","pid":1,"task":"4_0"}"#;
        fs::write(&path, format!("{began}\n{}\n", line(1))).unwrap();
        let id = TaskId { batch: 1, index: 0 };
        let mut last = Tail::taken_over(path.clone(), id, true);
        let mut earlier = Tail::taken_over(path.clone(), id, false);
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        writeln!(file, "{}", line(2)).unwrap();
        let said = |number, is_past| Line {
            sign: Sign::Paused { number },
            is_past,
        };
        assert_eq!(last.read().unwrap()[1..], [said(1, true), said(2, false)]);
        assert_eq!(earlier.read().unwrap(), [said(2, false)]);
        assert_eq!(earlier.node.as_deref(), Some("n1"));
    }

    #[test]
    fn attempts_are_in_the_order_in_which_they_began_whatever_their_files_say_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, time: &str| {
            let path = folder.path().join(name);
            let began = format!("{{\"node\":\"n1\",\"pid\":1,\"task\":\"4_0\"{time}}}\n");
            fs::write(&path, began).unwrap();
            path
        };
        let later = write("a", ",\"time_ms\":200");
        let earlier = write("b", ",\"time_ms\":100");
        let of_an_older_version = write("c", "");
        assert!(order(&of_an_older_version) < order(&earlier));
        assert!(order(&earlier) < order(&later));
    }

    #[test]
    fn a_file_is_read_as_it_grows_and_a_torn_line_waits_for_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        let line = serde_json::to_string(&Sign::Paused { number: 3 }).unwrap();
        let began = r#"{"node":"n1","pid":1,"task":"4_0"}"#;
        fs::write(&path, format!("{began}\nnonsense\n{line}\n{}", &line[..4])).unwrap();
        let mut tail = Tail::new(path.clone(), TaskId { batch: 1, index: 0 });
        assert_eq!(signs(&mut tail), [Sign::Alive, Sign::Paused { number: 3 }]);
        assert_eq!(tail.node.as_deref(), Some("n1"));
        assert_eq!(signs(&mut tail), []);
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        writeln!(file, "{}", &line[4..]).unwrap();
        assert_eq!(signs(&mut tail), [Sign::Paused { number: 3 }]);
    }
}
