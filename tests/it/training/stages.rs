//! Trainings in stages: images that grow, and what is decided only on whole ones.

use nas_tui::event::StageEntered;
use nas_tui::space::Cost;

use super::*;

const STAGES: &str = "recipes.cosine.stages=[{ epochs = 2, size = 14, crop_pixels = 1 }, \
    { epochs = 2, size = 28, crop_pixels = 2 }]";

fn stages(records: &[Record]) -> Vec<StageEntered> {
    let stage = |record: &Record| match &record.event {
        Event::StageEntered(stage) => Some(stage.clone()),
        _ => None,
    };
    records.iter().filter_map(stage).collect()
}

#[test]
fn each_stage_is_announced_and_the_weights_of_the_last_one_are_kept_and_tested() {
    let workspace = Workspace::new();
    let output = workspace.train("run", &[STAGES]).output().unwrap();
    assert_ok(&output);
    let records = workspace.records("run");
    let stages = stages(&records);
    let known: Vec<_> = stages
        .iter()
        .map(|stage| {
            (
                stage.size,
                stage.first_epoch,
                stage.last_epoch,
                stage.statistics_batches,
            )
        })
        .collect();
    assert_eq!(known, [(14, 1, 2, None), (28, 3, 4, Some(6))]);
    let architecture = serde_json::from_str(NETWORK).unwrap();
    assert_eq!(stages[1].macs, Cost::of(&architecture).unwrap().macs);
    assert!(stages[0].macs < stages[1].macs / 3, "{stages:?}");
    assert_eq!(epochs(&records).len(), 4);
    let test = test_of(&records).unwrap();
    assert!(test.epoch >= 3, "the best epoch is one on whole images");
    let words = text(&output.stderr) + &text(&output.stdout);
    assert!(
        words.contains("stage 2 of 2, epochs 3 to 4: images of 28x28 pixels; batch norm statistics are estimated anew"),
        "{words}"
    );
    let evaluated = workspace.evaluate(&["run:best"]);
    assert_eq!(evaluated.accuracy, test.report.accuracy);
}

#[test]
fn a_training_stopped_before_the_last_size_has_no_best_weights_yet() {
    let workspace = Workspace::new();
    let set = [&STAGES.replacen("epochs = 2", "epochs = 200", 1)[..]];
    let child = workspace.train("run", &set).spawn().unwrap();
    wait_for_line(&workspace.path("run"), "training_epoch");
    signal(&child, Signal::TERM);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    let words = text(&output.stderr) + &text(&output.stdout);
    assert!(
        words.contains("none, no epoch on whole images has ended yet"),
        "{words}"
    );
    assert!(!workspace.path("run").join("weights.safetensors").exists());
}

#[test]
fn stages_that_do_not_fit_the_data_or_the_network_are_refused_before_anything_is_written() {
    let workspace = Workspace::new();
    fs::write(
        workspace.path("tiny.json"),
        NETWORK.replace("\"kernel\": [3, 3]", "\"kernel\": [7, 7]"),
    )
    .unwrap();
    for (size, expected) in [
        ("size = 4", "stage 1 (4x4 pixels): layer 1 cannot be built"),
        (
            "size = 20",
            "the last stage has images of 24x24 pixels, but the data's are 28x28",
        ),
    ] {
        let mut set = STAGES.replace("size = 14", size);
        if size == "size = 20" {
            set = set.replace("size = 28", "size = 24");
        }
        // Before any image is read: these cannot be.
        for class in ["one", "two"] {
            let class = workspace.path("images/train").join(class);
            fs::create_dir_all(&class).unwrap();
            fs::write(class.join("1.png"), "no image").unwrap();
        }
        let images = "data.source=folder:images";
        let size = "data.size=[28,28]";
        let output = workspace.train("run", &[&set, images, size]).output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(
            text(&output.stderr).contains(expected),
            "{}",
            text(&output.stderr)
        );
        assert!(!workspace.path("run").exists());
    }
}
