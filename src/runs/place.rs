//! What is found where the journal of a run belongs.

use std::path::Path;

use crate::foundation::input;
use crate::journal;
use crate::runs::directory::{SEARCH_CHECKPOINT, TRAINING_CHECKPOINT};

/// Name of a run's journal.
pub(super) const JOURNAL: &str = "journal.jsonl";

/// What is found in a folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A file, which is a journal by its name.
    Journal,
    /// The folder is a run's, but its journal is not in its place: why, in words.
    Displaced(String),
    /// Neither a journal nor anything in its place.
    Nothing,
}

/// What is found in the folder `run`. Nothing is opened.
pub(super) fn journal_in(run: &Path) -> Found {
    if let Some(reason) = rescued_in(run) {
        return Found::Displaced(reason);
    }
    let journal = run.join(JOURNAL);
    match input::instead_of_file(&journal) {
        Some(what) => Found::Displaced(format!("{JOURNAL} is not a file: it is {what}")),
        None if journal.is_file() => Found::Journal,
        None if has_lost_its_journal(run) => Found::Displaced(format!(
            "{JOURNAL} is missing, and the checkpoint is of no use without it. Put it back if there is a copy; otherwise only \
             the files in {} are left",
            run.display()
        )),
        None => Found::Nothing,
    }
}

/// Whether there are settings and a checkpoint, which a run has only once it has a journal.
fn has_lost_its_journal(run: &Path) -> bool {
    let has = |file: &str| run.join(file).is_file();
    has("config.toml") && (has(SEARCH_CHECKPOINT) || has(TRAINING_CHECKPOINT))
}

/// If a session has saved the journal of the run in `run` beside something that had taken its place: what has
/// happened, and how to put it back.
pub(super) fn rescued_in(run: &Path) -> Option<String> {
    let journal = run.join(JOURNAL);
    let rescued = journal::rescued(&journal);
    if !rescued.exists() {
        return None;
    }
    // Somebody may have removed the other file since.
    let is_free = journal.symlink_metadata().is_err();
    let (journal, rescued) = (journal.display(), rescued.display());
    let aside = match is_free {
        true => String::new(),
        false => format!("mv {journal} {journal}.other && "),
    };
    Some(format!(
        "the journal of this run is {rescued}: while the run was at work, {journal} was replaced by another file. \
         {PUT_BACK}{aside}mv {rescued} {journal}"
    ))
}

/// What stands before the command that puts a journal back.
const PUT_BACK: &str = "Put it back with: ";

/// What is wrong with a run, without the command that mends it if there is one, and that command: it is to be
/// shown so that it can be copied.
pub fn remedy(reason: &str) -> (&str, Option<&str>) {
    match reason.split_once(PUT_BACK) {
        Some((before, command)) => {
            let words = &reason[..before.len() + PUT_BACK.len()];
            (words.trim_end(), Some(command))
        }
        None => (reason, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn displaced(run: &Path) -> String {
        match journal_in(run) {
            Found::Displaced(reason) => reason,
            found => panic!("{found:?}"),
        }
    }

    #[test]
    fn what_is_no_file_is_told_from_no_journal_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let (run, journal) = (folder.path(), folder.path().join(JOURNAL));
        assert_eq!(journal_in(run), Found::Nothing);
        std::fs::create_dir(&journal).unwrap();
        assert_eq!(
            displaced(run),
            "journal.jsonl is not a file: it is a folder"
        );
        std::fs::remove_dir(&journal).unwrap();
        for (to, what) in [
            ("/dev/zero", "a device"),
            ("nowhere", "a link that leads nowhere"),
        ] {
            std::os::unix::fs::symlink(to, &journal).unwrap();
            let expected = format!("journal.jsonl is not a file: it is {what}");
            assert_eq!(displaced(run), expected);
            std::fs::remove_file(&journal).unwrap();
        }
        std::fs::write(&journal, "").unwrap();
        assert_eq!(journal_in(run), Found::Journal);
    }

    #[test]
    fn a_run_whose_journal_was_removed_is_told_from_a_folder_that_never_had_one() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path();
        std::fs::write(run.join("config.toml"), "").unwrap();
        assert_eq!(journal_in(run), Found::Nothing);
        std::fs::create_dir(run.join("checkpoint")).unwrap();
        assert_eq!(journal_in(run), Found::Nothing);
        for checkpoint in [SEARCH_CHECKPOINT, TRAINING_CHECKPOINT] {
            std::fs::write(run.join(checkpoint), "").unwrap();
            assert!(displaced(run).starts_with("journal.jsonl is missing"));
            std::fs::remove_file(run.join(checkpoint)).unwrap();
        }
    }

    #[test]
    fn only_what_is_in_the_way_of_a_saved_journal_is_to_be_moved() {
        let folder = tempfile::tempdir().unwrap();
        let (run, journal) = (folder.path(), folder.path().join(JOURNAL));
        std::fs::write(journal::rescued(&journal), "").unwrap();
        let place = journal.display();
        let back = format!("mv {place}.rescued {place}");
        assert!(displaced(run).ends_with(&format!("with: {back}")));
        std::fs::write(&journal, "").unwrap();
        let aside = format!("with: mv {place} {place}.other && {back}");
        assert!(displaced(run).ends_with(&aside), "{}", displaced(run));
    }
}
