use super::*;
use crate::config::{Options, resolve};

fn config(set: &[&str]) -> Config {
    resolve(&Options {
        set: set.iter().map(|text| (*text).to_owned()).collect(),
        ..Options::default()
    })
    .unwrap()
}

fn trial(group: &str, seed: u64) -> Trial {
    Trial {
        group: group.to_owned(),
        depth: 1,
        dna: Dna(vec![vec![1, 2, 1, 0]]),
        design: Design::Key("row".to_owned()),
        seed,
        end: None,
    }
}

fn plan(trials: Vec<Trial>) -> TrialsPlan {
    TrialsPlan {
        purpose: "verify".to_owned(),
        config: config(&[]),
        data: None,
        trials,
    }
}

fn end(accuracy: f64) -> End {
    let outcome = Outcome::Trained {
        valid_accuracies: vec![accuracy],
    };
    End::new(outcome, 1, 1.5, &config(&[]).reward)
}

#[test]
fn completed_trainings_are_taken_over_and_only_the_rest_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let both = vec![trial("policy", 1), trial("uniform", 2)];
    let mut trials = Trials::open(folder.path(), plan(both.clone())).unwrap();
    trials.end(1, end(0.5)).unwrap();
    drop(trials);
    let trials = Trials::open(folder.path(), plan(both)).unwrap();
    assert_eq!(trials.left(), [0]);
    assert_eq!(trials.all()[1].accuracy(), Some(0.5));
}

#[test]
fn a_larger_plan_continues_a_smaller_one_and_remembers_the_earlier_look() {
    let folder = tempfile::tempdir().unwrap();
    let mut trials = Trials::open(folder.path(), plan(vec![trial("policy", 1)])).unwrap();
    trials.end(0, end(0.5)).unwrap();
    trials.conclude(&"result").unwrap();
    assert_eq!(trials.earlier_looks(), Vec::<usize>::new());
    drop(trials);
    let larger = plan(vec![trial("policy", 1), trial("policy", 2)]);
    let trials = Trials::open(folder.path(), larger).unwrap();
    assert_eq!((trials.left(), trials.earlier_looks()), (vec![1], vec![1]));
    drop(trials);
    let error = Trials::open(folder.path(), plan(vec![trial("policy", 1)])).unwrap_err();
    assert!(error.to_string().contains("2 trainings, but"), "{error}");
}

#[test]
fn a_training_whose_worker_failed_is_repeated_and_a_failed_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut trials = Trials::open(folder.path(), plan(vec![trial("a", 1), trial("a", 2)])).unwrap();
    let reward = config(&[]).reward;
    let reason = "why".to_owned();
    let excluded = End::new(Outcome::Excluded { reason }, 1, 0.0, &reward);
    let reason = "why".to_owned();
    let failed = End::new(Outcome::Failed { reason }, 1, 0.0, &reward);
    trials.end(0, excluded).unwrap();
    trials.end(1, failed).unwrap();
    assert_eq!(trials.left(), [0]);
    assert_eq!(trials.all()[1].reward(), Some(0.0));
}

#[test]
fn other_settings_networks_or_data_are_refused_and_named() {
    let folder = tempfile::tempdir().unwrap();
    drop(Trials::open(folder.path(), plan(vec![trial("a", 1)])).unwrap());
    let other = TrialsPlan {
        config: config(&["child.epochs=7"]),
        ..plan(vec![trial("a", 1)])
    };
    let error = Trials::open(folder.path(), other).unwrap_err().to_string();
    assert!(error.contains("child.epochs was 2 and is 7"), "{error}");
    let error = Trials::open(folder.path(), plan(vec![trial("b", 1)])).unwrap_err();
    assert!(matches!(error, StudyError::OtherPlan { .. }), "{error}");
    let elsewhere = TrialsPlan {
        config: config(&["workers.count=3"]),
        ..plan(vec![trial("a", 1)])
    };
    let mut trials = Trials::open(folder.path(), elsewhere).unwrap();
    let mut data = DataDescription {
        spec: String::new(),
        images: None,
        fingerprint: "one".to_owned(),
    };
    trials.check_data(&data).unwrap();
    data.fingerprint = "other".to_owned();
    assert!(matches!(
        trials.check_data(&data),
        Err(StudyError::OtherData { .. })
    ));
}

#[test]
fn two_processes_never_work_in_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let _held = Trials::open(folder.path(), plan(vec![trial("a", 1)])).unwrap();
    let error = Trials::open(folder.path(), plan(vec![trial("a", 1)])).unwrap_err();
    assert!(matches!(error, StudyError::InUse { .. }), "{error}");
}

#[test]
fn a_damaged_file_is_named_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    drop(Trials::open(folder.path(), plan(vec![trial("a", 1)])).unwrap());
    std::fs::write(folder.path().join("trials.json"), "{").unwrap();
    let error = Trials::open(folder.path(), plan(vec![trial("a", 1)])).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("trials.json") && text.contains("move the folder away"),
        "{text}"
    );
}
