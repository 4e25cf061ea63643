//! Trainings that are stopped where no step is taken: in validation, and among the test images.

use nas_tui::event::Measured;

use super::resuming::assert_same_results;
use super::*;

/// A wide network and many validation images, so that there is time to stop a validation or the
/// test; and a checkpoint after every batch, which is announced.
const SLOW: [&str; 4] = [
    "data.validation=1000",
    "train.checkpoint_minutes=0.0001",
    "recipes.cosine.epochs=2",
    "recipes.cosine.mirrored_test=true",
];

fn workspace_with_a_wide_network() -> Workspace {
    let workspace = Workspace::new();
    let wide = NETWORK
        .replace("\"filters\": 8", "\"filters\": 48")
        .replace("\"stride\": [2, 2]", "\"stride\": [1, 1]");
    fs::write(workspace.path("tiny.json"), wide).unwrap();
    workspace
}

/// A training with these settings that was stopped by SIGTERM once its journal contained `line`, and
/// not only after what followed (`too_late`).
fn stopped_after(workspace: &Workspace, set: &[&str], line: &str, too_late: &str) -> String {
    for attempt in 1..=8 {
        let run = format!("stopped-{attempt}");
        let child = workspace.train(&run, set).spawn().unwrap();
        wait_for_line(&workspace.path(&run), line);
        signal(&child, Signal::TERM);
        let output = child.wait_with_output().unwrap();
        let journal = fs::read_to_string(workspace.path(&run).join("journal.jsonl")).unwrap();
        if output.status.code() == Some(130) && !journal.contains(too_late) {
            return run;
        }
    }
    panic!("never stopped between {line} and {too_late}");
}

/// The last batch of the first epoch; its validation follows.
const LAST_BATCH: &str = r#""event":"training_saved","epoch":1,"batch":6"#;

#[test]
fn a_training_stopped_in_validation_goes_on_to_the_same_results_at_its_true_speed() {
    let workspace = workspace_with_a_wide_network();
    let average = "recipes.cosine.weight_average=last_half_epoch";
    let set = [&SLOW[..], &[average]].concat();
    assert_ok(&workspace.train("whole", &set).output().unwrap());
    let run = stopped_after(&workspace, &set, LAST_BATCH, "training_epoch");
    assert_ok(&workspace.resume(&run).output().unwrap());
    let records = workspace.records(&run);
    let resumed = records.iter().any(|record| {
        let micro_batch = Some(50);
        matches!(&record.event, Event::RunResumed { micro_batch: said, .. } if *said == micro_batch)
    });
    assert!(resumed);
    let done = epochs(&records);
    let [first, second] = [&done[0], &done[1]].map(|epoch| epoch.images_per_second);
    assert!(
        first > second / 20.0,
        "{first} and {second} images per second"
    );
    assert_same_results(&workspace, &run, "whole");
}

#[test]
fn clients_see_how_far_a_measurement_is_and_the_journal_does_not_keep_it() {
    let workspace = workspace_with_a_wide_network();
    let average = "recipes.cosine.weight_average=last_half_epoch";
    let set = [&SLOW[..], &[average]].concat();
    let child = workspace.train("run", &set).spawn().unwrap();
    wait_for_line(&workspace.path("run"), "training_saved");
    let mut connection = link::attach(&workspace.path("run"), false).unwrap();
    let mut seen = Vec::new();
    loop {
        let record = connection.records.blocking_recv();
        match record.expect("the run has not ended").event {
            Event::Measuring(measuring) => {
                assert!(measuring.images < measuring.of);
                seen.push(measuring.what);
            }
            Event::RunFinished { .. } => break,
            _ => {}
        }
    }
    assert_ok(&child.wait_with_output().unwrap());
    use Measured::{MirroredTest, Statistics, Test, Validation};
    for what in [Statistics, Validation, Test, MirroredTest] {
        assert!(seen.contains(&what), "{what:?} not in {seen:?}");
    }
    let journal = fs::read_to_string(workspace.path("run").join("journal.jsonl")).unwrap();
    assert!(!journal.contains("measuring"));
}

#[test]
fn a_training_stopped_among_the_test_images_classifies_them_after_its_resume() {
    let workspace = workspace_with_a_wide_network();
    assert_ok(&workspace.train("whole", &SLOW).output().unwrap());
    let last_epoch = r#""event":"training_epoch","epoch":2"#;
    let run = stopped_after(&workspace, &SLOW, last_epoch, "test_finished");
    let resumed = workspace.resume(&run).output().unwrap();
    assert_ok(&resumed);
    let words = text(&resumed.stderr);
    assert!(words.contains("only the test is left"), "{words}");
    assert_same_results(&workspace, &run, "whole");
}

#[test]
fn best_files_that_the_checkpoint_does_not_know_are_not_those_of_the_resumed_training() {
    let workspace = workspace_with_a_wide_network();
    assert_ok(&workspace.train("whole", &SLOW).output().unwrap());
    let run = stopped_after(&workspace, &SLOW, LAST_BATCH, "training_epoch");
    // As if it had been killed after writing the results of an epoch, before its checkpoint.
    for file in ["weights.safetensors", "best.json"] {
        let [from, to] = ["whole", &run].map(|run| workspace.path(run).join(file));
        assert!(!to.exists(), "no epoch has ended");
        fs::copy(from, to).unwrap();
    }
    assert_ok(&workspace.resume(&run).output().unwrap());
    let void = workspace.path(&run).join("weights.safetensors.void");
    assert!(
        void.is_file(),
        "out of the way before the epoch is repeated"
    );
    assert_same_results(&workspace, &run, "whole");
}
