//! The file `lock` of a run directory: whoever has locked it writes to the run. It names the process.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::foundation::host::host_name;
use crate::foundation::{input, text};

/// Maximum time that a process which only checks the lock can delay a search.
const LOOKED_AT: Duration = Duration::from_millis(200);

/// Longest name of a process in a lock.
const LONGEST_HOLDER: u64 = 1 << 10;

/// Why a run cannot be locked.
pub(super) enum LockProblem {
    /// The holder, as far as it is known.
    Held(String),
    Io(io::Error),
}

/// Open the file of a lock, which is created if it is missing.
///
/// # Errors
/// I/O errors.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = options.open(path)?;
    // A pipe could be locked, but not written to.
    input::open(path)?;
    Ok(file)
}

/// Lock a file for as long as it stays open, and write the holder into it.
pub(super) fn lock_file(mut file: File) -> Result<File, LockProblem> {
    let begin = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            // Another process may only be checking it (`lock_state`), which takes no time.
            Err(TryLockError::WouldBlock) if begin.elapsed() < LOOKED_AT => {
                std::thread::sleep(LOOKED_AT / 10)
            }
            Err(TryLockError::WouldBlock) => return Err(LockProblem::Held(holder_in(&mut file))),
            Err(TryLockError::Error(error)) => return Err(LockProblem::Io(error)),
        }
    }
    let holder = format!("pid {} on {}\n", std::process::id(), host_name());
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(holder.as_bytes()));
    written.map(|()| file).map_err(LockProblem::Io)
}

/// The process writing to the run in `path` now, as `pid P on HOST`; `None` if there is none.
pub fn lock_state(path: &Path) -> Option<String> {
    let lock = path.join("lock");
    lock.symlink_metadata().ok()?;
    let Ok(mut file) = input::open(&lock) else {
        // Something else is in its place. The journal is locked too.
        let journal = input::open(&path.join("journal.jsonl")).ok()?;
        let is_held = matches!(journal.try_lock_shared(), Err(TryLockError::WouldBlock));
        return is_held.then(|| "a process that has lost its lock".to_owned());
    };
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(holder_in(&mut file)),
        // The lock is released as soon as the file is closed, here.
        _ => None,
    }
}

fn holder_in(file: &mut File) -> String {
    let mut holder = String::new();
    let _ = file.take(LONGEST_HOLDER).read_to_string(&mut holder);
    match text::line(holder.trim()) {
        holder if holder.is_empty() => "which has just begun".to_owned(),
        holder => holder.into_owned(),
    }
}
