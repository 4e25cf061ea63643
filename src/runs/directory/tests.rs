use super::*;

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
    first.write_config("").unwrap();
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
fn a_folder_without_settings_is_not_a_run() {
    let root = tempfile::tempdir().unwrap();
    assert!(matches!(
        RunDirectory::open(root.path()),
        Err(DirectoryError::NotARun { .. })
    ));
}
