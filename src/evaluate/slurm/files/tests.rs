use super::*;
use crate::config::{Options, resolve};
use crate::evaluate::EarlyStop;
use crate::reward::{Outcome, SKIPPED};
use crate::space::{Architecture, Layer};

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
    folder.remove_checkpoints(|_| true);
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

/// Epochs of a whole training.
const EPOCHS: usize = 3;

fn job() -> ChildJob {
    let layer = Layer {
        kind: Default::default(),
        kernel: [3, 3],
        filters: 6,
        stride: [1, 1],
        padding: [1, 1],
        inputs: vec![0],
    };
    ChildJob {
        child: 12,
        seed: 7,
        architecture: Architecture {
            name: "one".to_owned(),
            input: [1, 8, 8],
            classes: 4,
            layers: vec![layer],
            output: vec![1],
        },
        stop: None,
    }
}

fn trained(epochs: usize) -> Outcome {
    Outcome::Trained {
        valid_accuracies: vec![0.5; epochs],
    }
}

fn failed() -> Outcome {
    Outcome::Failed {
        reason: "diverged".to_owned(),
    }
}

fn result_with(outcome: Outcome) -> ResultFile {
    ResultFile {
        v: VERSION,
        child: 12,
        digest: "c0ffee".to_owned(),
        attempt: "a".to_owned(),
        node: "n1".to_owned(),
        outcome,
        skipped: false,
        doubtful: false,
        seconds: 1.0,
        energy_wh: None,
    }
}

fn skipped(outcome: Outcome) -> ResultFile {
    ResultFile {
        skipped: true,
        ..result_with(outcome)
    }
}

/// The child has its result in `results/`.
fn taken(result: &ResultFile) -> (tempfile::TempDir, Folder) {
    let run = tempfile::tempdir().unwrap();
    let folder = Folder::open(run.path()).unwrap();
    folder.write_result(result).unwrap();
    let arrivals = folder.arrivals().unwrap();
    let [Arrival::Result(path)] = &arrivals[..] else {
        panic!("{arrivals:?}")
    };
    folder.take(path, Some(12)).unwrap();
    (run, folder)
}

#[test]
fn a_result_of_an_earlier_session_is_the_childs_only_if_its_training_was_whole() {
    let whole = result_with(trained(EPOCHS));
    let (_run, folder) = taken(&whole);
    assert!(folder.has_result(&job(), "c0ffee", EPOCHS));
    assert!(!folder.has_result(&job(), "other", EPOCHS));
    let found = folder.earlier_result(&job(), "c0ffee", EPOCHS);
    assert_eq!(found, Some(whole));
    assert!(folder.result(12).is_file());
}

#[test]
fn a_failure_that_the_search_asks_for_again_is_put_aside_and_the_child_can_be_trained() {
    let excluded = Outcome::Excluded {
        reason: SKIPPED.to_owned(),
    };
    for disbelieved in [
        result_with(failed()),
        skipped(excluded),
        skipped(trained(1)),
        result_with(trained(1)),
    ] {
        let (_run, folder) = taken(&disbelieved);
        assert!(!folder.has_result(&job(), "c0ffee", EPOCHS));
        let found = folder.earlier_result(&job(), "c0ffee", EPOCHS);
        assert_eq!(found, None, "{disbelieved:?}");
        assert!(!folder.result(12).exists());
        assert_eq!(names(&folder.path().join("results")).unwrap().len(), 1);
    }
}

#[test]
fn a_short_training_is_whole_if_it_could_be_stopped_early_and_no_user_ended_it() {
    let stopped = ChildJob {
        stop: Some(EarlyStop {
            after: 1,
            below: 0.6,
        }),
        ..job()
    };
    let short = result_with(trained(1));
    assert!(short.is_whole(&stopped, EPOCHS) && !short.is_whole(&job(), EPOCHS));
    assert!(!skipped(trained(1)).is_whole(&stopped, EPOCHS));
}

#[test]
fn a_child_ends_with_a_short_training_only_if_the_user_asked_for_it_in_this_session() {
    let short = skipped(trained(1));
    assert!(short.is_end(&job(), EPOCHS, true, true));
    assert!(!short.is_end(&job(), EPOCHS, false, true));
    let whole = result_with(trained(EPOCHS));
    assert!(whole.is_end(&job(), EPOCHS, false, false));
}

#[test]
fn a_failure_for_which_a_machine_may_be_to_blame_is_believed_as_the_last_one() {
    let doubtful = ResultFile {
        doubtful: true,
        ..result_with(failed())
    };
    assert!(!doubtful.is_end(&job(), EPOCHS, false, false));
    assert!(doubtful.is_end(&job(), EPOCHS, false, true));
    assert!(result_with(failed()).is_end(&job(), EPOCHS, false, false));
}

#[test]
fn a_result_of_an_older_version_says_nothing_of_skips_and_doubts() {
    let text = r#"{"v":1,"child":12,"digest":"c0ffee","attempt":"a","node":"n1",
        "outcome":{"outcome":"trained","valid_accuracies":[0.5,0.5,0.5]},"seconds":1.0}"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("12.json");
    fs::write(&path, text).unwrap();
    let result = read_result(&path, EPOCHS).unwrap();
    assert_eq!(result, result_with(trained(EPOCHS)));
}
