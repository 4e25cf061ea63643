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

#[test]
fn a_control_file_that_cannot_be_read_is_not_taken_for_one_that_asks_for_nothing() {
    let run = tempfile::tempdir().unwrap();
    let folder = begun(run.path());
    assert_eq!(folder.control(), None);
    let asked = Control {
        pause: Some(3),
        skip: vec![7],
    };
    folder.write_control(&asked).unwrap();
    assert_eq!(folder.control(), Some(asked));
    fs::write(folder.path().join("control.json"), "{").unwrap();
    assert_eq!(folder.control(), None);
}
