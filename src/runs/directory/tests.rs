use super::*;
use crate::foundation::host::host_name;

#[test]
fn a_run_is_named_by_utc_time_and_preset_and_a_taken_name_gets_a_number() {
    let root = tempfile::tempdir().unwrap();
    let runs: Vec<RunDirectory> = (0..5)
        .map(|_| RunDirectory::create_in(&root.path().join("runs"), "demo").unwrap())
        .collect();
    let names: std::collections::HashSet<String> = runs.iter().map(RunDirectory::name).collect();
    assert_eq!(names.len(), 5);
    let first = runs[0].name();
    assert_eq!(
        (first.len(), &first[4..5], &first[10..11], &first[19..]),
        (25, "-", "T", "Z-demo"),
        "{first}"
    );
}

#[test]
fn a_second_search_on_one_folder_is_refused_with_pid_and_host_of_the_first() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let first = RunDirectory::create(&path).unwrap();
    first.write_config("# ours\n").unwrap();
    let message = RunDirectory::open(&path).unwrap_err().to_string();
    assert!(
        message.contains(&format!("pid {} on {}", std::process::id(), host_name())),
        "{message}"
    );
    drop(first);
    RunDirectory::open(&path).unwrap();
}

#[test]
fn a_lock_is_handed_over_without_a_gap_and_only_to_its_own_run() {
    let root = tempfile::tempdir().unwrap();
    let (path, other) = (root.path().join("run"), root.path().join("other"));
    let lock = RunDirectory::create(&path).unwrap().into_lock();
    assert!(lock_state(&path).unwrap().starts_with("pid "));
    let stranger = RunDirectory::create(&other).unwrap().into_lock();
    assert!(matches!(
        RunDirectory::adopt(&path, stranger),
        Err(DirectoryError::NotItsLock { .. })
    ));
    let adopted = RunDirectory::adopt(&path, lock).unwrap();
    assert!(matches!(
        RunDirectory::create(&path),
        Err(DirectoryError::InUse { .. })
    ));
    drop(adopted);
    assert_eq!(lock_state(&path), None);
}

#[test]
fn a_new_run_does_not_overwrite_existing_files() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("precious"), "data").unwrap();
    assert!(matches!(
        RunDirectory::create(root.path()),
        Err(DirectoryError::NotEmpty { .. })
    ));
}

#[test]
fn a_folder_of_a_search_killed_before_it_began_can_be_used() {
    let root = tempfile::tempdir().unwrap();
    drop(RunDirectory::create(root.path()).unwrap());
    fs::write(root.path().join("config.toml.tmp"), "pre").unwrap();
    RunDirectory::create(root.path()).unwrap();
}

#[test]
fn an_empty_folder_is_what_a_run_leaves_that_was_killed_at_once() {
    let root = tempfile::tempdir().unwrap();
    for folder in ["", "checkpoint"] {
        fs::create_dir_all(root.path().join(folder)).unwrap();
        assert!(matches!(
            RunDirectory::open(root.path()),
            Err(DirectoryError::NothingBegun { .. })
        ));
    }
}

#[test]
fn a_folder_without_settings_is_not_a_run() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("something"), "").unwrap();
    assert!(matches!(
        RunDirectory::open(root.path()),
        Err(DirectoryError::NotARun { .. })
    ));
}

#[test]
fn a_folder_that_is_no_longer_there_is_noticed_and_found_again_where_it_is() {
    let root = tempfile::tempdir().unwrap();
    let (path, elsewhere) = (root.path().join("run"), root.path().join("elsewhere"));
    let mut run = RunDirectory::create(&path).unwrap();
    run.check().unwrap();
    fs::rename(&path, &elsewhere).unwrap();
    let problem = run.check().unwrap_err().to_string();
    assert!(problem.contains("elsewhere"), "{problem}");
    // Another folder in its place is not the run's.
    fs::create_dir(&path).unwrap();
    assert!(run.check().is_err());
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    assert!(run.follow() && run.path() == elsewhere);
    run.check().unwrap();
    fs::remove_dir_all(&elsewhere).unwrap();
    let problem = run.check().unwrap_err().to_string();
    assert!(problem.contains("deleted"), "{problem}");
    assert_eq!(run.place(), None);
}

#[test]
fn a_removed_lock_is_made_again_unless_another_process_holds_it() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let mut run = RunDirectory::create(&path).unwrap();
    run.write_config("# ours\n").unwrap();
    fs::write(run.journal_path(), "").unwrap();
    fs::remove_file(path.join("lock")).unwrap();
    assert_eq!(lock_state(&path), None);
    run.check().unwrap();
    assert!(lock_state(&path).is_some());
    fs::remove_file(path.join("lock")).unwrap();
    let other = RunDirectory::open(&path).unwrap();
    let problem = run.check().unwrap_err().to_string();
    assert!(
        problem.contains("another process uses the run"),
        "{problem}"
    );
    drop(other);
    run.check().unwrap();
}

#[test]
fn what_a_run_leaves_that_was_killed_before_its_settings_is_no_run_and_says_how_to_begin_one() {
    let root = tempfile::tempdir().unwrap();
    drop(RunDirectory::create(root.path()).unwrap());
    fs::write(root.path().join("architecture.json"), "{}").unwrap();
    fs::write(root.path().join("origin.txt"), "nascnn15").unwrap();
    let message = RunDirectory::open(root.path()).unwrap_err().to_string();
    assert!(message.contains("nas-tui train --run"), "{message}");
    RunDirectory::create(root.path()).unwrap();
    fs::write(root.path().join("notes"), "").unwrap();
    assert!(matches!(
        RunDirectory::open(root.path()),
        Err(DirectoryError::NotARun { .. })
    ));
}

#[test]
fn nothing_is_made_anew_in_a_folder_that_is_being_deleted() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let mut directory = RunDirectory::create(&path).unwrap();
    fs::write(directory.journal_path(), "").unwrap();
    directory.make_checkpoint_folder().unwrap();
    fs::remove_dir_all(path.join("checkpoint")).unwrap();
    fs::remove_file(directory.journal_path()).unwrap();
    fs::remove_file(path.join(LOCK)).unwrap();
    directory.check().unwrap_err();
    directory.keep_checkpoint_folder().unwrap_err();
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    directory.check_at_the_end().unwrap();
    assert!(path.join(LOCK).is_file(), "it was not deleted after all");
}
