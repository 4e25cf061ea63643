//! What a run lacks whose process is gone.

use std::io;
use std::path::Path;

use crate::journal::rescued;

/// What a run lacks without which it cannot be resumed: its journal had at least `read` bytes. `None` if
/// all seems to be there, or was saved beside it: a resume says how to put it back.
pub fn what_is_lost(run: &Path, read: u64) -> Option<String> {
    let is_missing = |path: &Path| {
        let error = path.metadata().err()?;
        (error.kind() == io::ErrorKind::NotFound).then_some(())
    };
    let journal = run.join("journal.jsonl");
    if is_missing(run).is_some() {
        Some("its directory is no longer there".to_owned())
    } else if rescued(&journal).exists() {
        None
    } else if is_missing(&journal).is_some() {
        Some("its journal has been removed".to_owned())
    } else if journal.metadata().is_ok_and(|file| file.len() < read) || is_emptied(run, &journal) {
        Some("its journal has been truncated".to_owned())
    } else {
        None
    }
}

/// Whether nothing is in the journal of a run that has a checkpoint, which is made after many records.
fn is_emptied(run: &Path, journal: &Path) -> bool {
    let is_empty = journal.metadata().is_ok_and(|file| file.len() == 0);
    let mut checkpoints = run.join("checkpoint").read_dir().into_iter().flatten();
    is_empty && checkpoints.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_journal_is_truncated_if_there_is_a_checkpoint_and_otherwise_not_begun() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path();
        std::fs::write(run.join("journal.jsonl"), "").unwrap();
        std::fs::create_dir(run.join("checkpoint")).unwrap();
        assert_eq!(what_is_lost(run, 0), None);
        std::fs::write(run.join("checkpoint/search.safetensors"), "").unwrap();
        let truncated = Some("its journal has been truncated".to_owned());
        assert_eq!(what_is_lost(run, 0), truncated);
    }
}
