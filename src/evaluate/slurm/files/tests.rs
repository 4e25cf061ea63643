use super::*;
use crate::config::{Options, resolve};

fn settings(batch: u64) -> Settings {
    let config = resolve(&Options::default()).unwrap();
    Settings {
        v: VERSION,
        batch,
        name: "nas-r.1".to_owned(),
        data: config.data,
        fingerprint: "c0ffee".to_owned(),
        child: config.child,
        device: config.workers.device,
        threads: 1,
        gpus: 0,
        requeues: 3,
        signal_seconds: 120,
    }
}

/// Everything that the engine writes.
fn write_all(folder: &Folder) -> Vec<io::Result<()>> {
    let arrival = folder.path().join("inbox/result-1.a.json");
    vec![
        folder.write_batch(&settings(2), &[Vec::new()], "#!/bin/sh\n"),
        folder.write_job(1, "4711"),
        folder.close(1),
        folder.write_control(&Control::default()),
        folder.probe(),
        folder.take(&arrival, Some(1)),
    ]
}

fn begun(run: &Path) -> Folder {
    let folder = Folder::open(run).unwrap();
    folder.write_batch(&settings(1), &[Vec::new()], "").unwrap();
    fs::write(folder.path().join("inbox/result-1.a.json"), "{}").unwrap();
    folder
}

#[test]
fn a_run_directory_that_is_there_is_written_to() {
    let run = tempfile::tempdir().unwrap();
    let folder = begun(run.path());
    assert!(write_all(&folder).iter().all(io::Result::is_ok));
    assert!(folder.is_closed(1) && folder.batch(2).join("manifest.jsonl").is_file());
}

#[test]
fn a_run_directory_that_has_been_moved_or_deleted_is_never_made_anew() {
    let place = tempfile::tempdir().unwrap();
    let (run, elsewhere) = (place.path().join("run"), place.path().join("elsewhere"));
    assert!(Folder::open(&run).is_err(), "nor at the beginning");
    fs::create_dir(&run).unwrap();
    let folder = begun(&run);
    fs::rename(&run, &elsewhere).unwrap();
    for written in write_all(&folder) {
        let error = written.unwrap_err().to_string();
        assert!(error.ends_with("has been moved or deleted"), "{error}");
    }
    assert!(folder.arrivals().is_err() && !run.exists());
    fs::remove_dir_all(&elsewhere).unwrap();
    assert!(write_all(&folder).iter().all(io::Result::is_err));
    assert!(!run.exists() && !elsewhere.exists());
}

#[test]
fn a_copy_of_a_run_gets_a_name_of_its_own_and_a_run_that_is_moved_keeps_its_name() {
    let place = tempfile::tempdir().unwrap();
    let (run, moved, copy) = (
        place.path().join("run"),
        place.path().join("moved"),
        place.path().join("copy"),
    );
    fs::create_dir(&run).unwrap();
    let (name, is_copy) = Folder::open(&run).unwrap().run_name().unwrap();
    assert!(name.starts_with("nas-run-") && !is_copy, "{name}");
    fs::rename(&run, &moved).unwrap();
    let folder = Folder::open(&moved).unwrap();
    assert_eq!(folder.run_name().unwrap(), (name.clone(), false));
    fs::create_dir(&copy).unwrap();
    let other = Folder::open(&copy).unwrap();
    fs::copy(moved.join("slurm/run"), copy.join("slurm/run")).unwrap();
    let (another, is_copy) = other.run_name().unwrap();
    assert!(is_copy && another != name, "{another}");
    assert_eq!(
        other.run_name().unwrap(),
        (another, false),
        "it is told once"
    );
    assert_eq!(folder.run_name().unwrap(), (name, false));
}

#[test]
fn a_result_that_was_taken_although_the_file_server_denies_it_is_taken() {
    let run = tempfile::tempdir().unwrap();
    let folder = begun(run.path());
    let arrival = folder.path().join("inbox/result-1.a.json");
    assert!(folder.take(&arrival, Some(1)).is_ok());
    assert!(folder.take(&arrival, Some(1)).is_ok(), "asked again");
    assert!(folder.take(&arrival, Some(2)).is_err());
}

#[test]
fn a_name_that_an_older_version_has_written_is_kept() {
    let run = tempfile::tempdir().unwrap();
    let folder = Folder::open(run.path()).unwrap();
    fs::write(folder.path().join("run"), "nas-r-01234567").unwrap();
    let expected = ("nas-r-01234567".to_owned(), false);
    assert_eq!(folder.run_name().unwrap(), expected);
    assert_eq!(folder.run_name().unwrap(), expected);
}

#[test]
fn a_folder_that_has_taken_the_place_of_the_runs_gets_nothing() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    fs::create_dir(&run).unwrap();
    let folder = begun(&run);
    fs::rename(&run, place.path().join("elsewhere")).unwrap();
    fs::create_dir(&run).unwrap();
    let other = Folder::open(&run).unwrap();
    other.write_batch(&settings(1), &[Vec::new()], "").unwrap();
    fs::write(saving::path(&other.checkpoints(), 1), "").unwrap();
    assert!(write_all(&folder).iter().all(io::Result::is_err));
    folder.remove_checkpoints();
    assert!(!other.is_closed(1) && !other.batch(2).exists());
    assert!(saving::path(&other.checkpoints(), 1).is_file());
}
