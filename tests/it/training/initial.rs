//! Trainings that begin with given weights instead of random ones.

use nas_tui::event::InitialWeights;
use nas_tui::space::Architecture;
use nas_tui::space::weights::Weights;

use super::resuming::assert_same_results;
use super::*;

/// One epoch in which next to nothing is learned.
const STILL: [&str; 3] = [
    "recipes.cosine.epochs=1",
    "recipes.cosine.warmup_epochs=0",
    "recipes.cosine.learning_rate=1e-9",
];

impl Workspace {
    /// A training in `run` that begins with the weights `given`, with the settings of the training `first`.
    fn train_with(&self, given: &str, run: &str, set: &[&str]) -> Command {
        let arguments = [
            "train",
            "first:best",
            "--weights",
            given,
            "--headless",
            "--run",
            run,
        ];
        self.nas_tui(&arguments, set)
    }

    /// Such a training, to its end.
    fn begin(&self, given: &str, run: &str, set: &[&str]) {
        assert_ok(&self.train_with(given, run, set).output().unwrap());
    }

    fn first(&self) {
        assert_ok(&self.train("first", &[]).output().unwrap());
    }

    fn initial(&self, run: &str) -> InitialWeights {
        let begun = self.records(run).into_iter().find_map(|record| {
            let Event::TrainingStarted(started) = record.event else {
                return None;
            };
            started.initial
        });
        begun.unwrap()
    }

    fn weights(&self, run: &str) -> Weights {
        let network: Architecture = serde_json::from_str(NETWORK).unwrap();
        Weights::read(&self.path(run).join("weights.safetensors"), &network).unwrap()
    }

    /// Batch norm statistics may differ: they change even if nothing is learned.
    fn assert_same_parameters(&self, one: &str, other: &str) {
        let [one, other] = [one, other].map(|run| self.weights(run));
        for (name, tensor) in one.tensors() {
            let others = &other.tensors()[name].values;
            let is_trained = !name.contains("running");
            let differ = |(one, other): (&f32, &f32)| (one - other).abs() > 1e-5;
            assert!(
                !is_trained || !tensor.values.iter().zip(others).any(differ),
                "{name}"
            );
        }
    }
}

#[test]
fn a_completed_training_is_continued_with_another_recipe_from_its_best_weights() {
    let workspace = Workspace::new();
    workspace.first();
    let output = workspace.train_with("first", "second", &STILL).output();
    let output = output.unwrap();
    assert_ok(&output);
    workspace.assert_same_parameters("first", "second");
    let best = epochs(&workspace.records("first"));
    let best = best.iter().map(|epoch| epoch.valid_accuracy);
    let earlier = workspace.initial("second").training.unwrap();
    assert_eq!(earlier.run, "first");
    assert_eq!(earlier.valid_accuracy, best.fold(0.0, f64::max));
    let tested = test_of(&workspace.records("first")).unwrap();
    assert_eq!(earlier.test_accuracy, Some(tested.report.accuracy));
    let plural = if tested.epoch == 1 { "" } else { "s" };
    let words = format!(
        "the best weights of first ({} epoch{plural}, ",
        tested.epoch
    );
    assert!(text(&output.stderr).contains(&format!("; begins with {words}")));
    assert!(text(&output.stdout).contains(&format!("\nbegan with {words}")));
    // Of a third, all epochs and the test before are told.
    let untested = [&STILL[..], &["train.test=false"]].concat();
    workspace.begin("second:best", "third", &untested);
    let initial = workspace.initial("third");
    assert_eq!(initial.epochs(), tested.epoch + 1);
    assert!(initial.is_known());
    assert_eq!(initial.tested().unwrap().0.run, "second");
}

#[test]
fn a_training_begins_with_the_mean_of_all_weights_that_it_is_given() {
    let workspace = Workspace::new();
    workspace.first();
    workspace.begin("first", "other", &["search.seed=2"]);
    let mut command = workspace.train_with("first", "mean", &STILL);
    let output = command.args(["--weights", "other:best"]).output().unwrap();
    assert_ok(&output);
    let [one, other, mean] = ["first", "other", "mean"].map(|run| workspace.weights(run));
    let mut differ = 0;
    for (name, tensor) in mean.tensors() {
        let parts = [&one, &other].map(|weights| &weights.tensors()[name].values);
        for (index, value) in tensor.values.iter().enumerate() {
            let [one, other] = parts.map(|values| values[index]);
            differ += usize::from((one - other).abs() > 1e-3);
            let is_trained = !name.contains("running");
            let error = (value - (one + other) / 2.0).abs();
            assert!(!is_trained || error < 1e-5, "{name} {index}: {error}");
        }
    }
    assert!(differ > 100, "{differ} values differ");
    let initial = workspace.initial("mean");
    let runs = initial
        .trainings()
        .into_iter()
        .map(|training| &training.run);
    assert_eq!(runs.collect::<Vec<_>>(), ["first", "other", "first"]);
    let words = text(&output.stdout);
    assert!(
        words.contains("\nbegan with the mean of the best weights of first (")
            && words.contains(") and the best weights of other ("),
        "{words}"
    );
}

#[test]
fn of_weights_that_set_different_images_aside_no_mean_is_validated() {
    let workspace = Workspace::new();
    workspace.first();
    assert_ok(
        &workspace
            .train("other", &["data.limit=250"])
            .output()
            .unwrap(),
    );
    let mut command = workspace.train_with("first", "mean", &STILL);
    let output = command.args(["--weights", "other"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let message = text(&output.stderr);
    assert!(
        message.contains("first and other were trained on different images"),
        "{message}"
    );
    assert!(!workspace.path("mean").exists());
}

#[test]
fn every_command_with_weights_finds_those_of_a_training_by_its_name() {
    let workspace = Workspace::new();
    assert_ok(&workspace.train("runs/first", &[]).output().unwrap());
    let train = ["train", "tiny.json", "--headless", "--run", "second"];
    let commands: [(&[&str], &[&str]); 3] = [
        (&train, &[&TINY[..], &STILL].concat()),
        (
            &["evaluate", "tiny.json", "--data", "fashion-mnist-mini"],
            &[],
        ),
        (
            &["export", "tiny.json", "--format", "pytorch", "--out", "out"],
            &[],
        ),
    ];
    for (arguments, set) in commands {
        for name in ["first", "first:best"] {
            let mut command = workspace.nas_tui(arguments, set);
            assert_ok(&command.args(["--weights", name]).output().unwrap());
            let _ = fs::remove_dir_all(workspace.path("second"));
        }
        let mut command = workspace.nas_tui(arguments, set);
        let output = command.args(["--weights", "third"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let message = text(&output.stderr);
        assert!(
            message.contains("--weights: ") && message.contains("third"),
            "{message}"
        );
    }
    let [kept, written] = ["runs/first", "out"]
        .map(|folder| fs::read(workspace.path(folder).join("weights.safetensors")).unwrap());
    assert!(kept == written);
}

#[test]
fn a_training_without_an_epoch_on_whole_images_has_no_best_network_yet() {
    let workspace = Workspace::new();
    workspace.first();
    fs::remove_file(workspace.path("first/best.json")).unwrap();
    let output = workspace.nas_tui(&["inspect", "first:best"], &[]).output();
    let message = text(&output.unwrap().stderr);
    assert!(
        message.contains("this training has not yet completed an epoch on whole images"),
        "{message}"
    );
}

#[test]
fn the_given_weights_are_not_rounded_by_a_training_in_bf16() {
    let workspace = Workspace::new();
    workspace.first();
    let in_bf16 = [&STILL[..], &["train.precision=\"bf16\""]].concat();
    workspace.begin("first", "second", &in_bf16);
    workspace.assert_same_parameters("first", "second");
}

#[test]
fn weights_cannot_be_given_to_a_training_that_continues_or_to_several_at_once() {
    let workspace = Workspace::new();
    for (others, other) in [
        (&["--resume", "first"][..], "--resume"),
        (&["monograph-demo", "--seeds", "2"], "--seeds"),
        (&["monograph-demo", "--range-test"], "--range-test"),
    ] {
        let arguments = [&["train", "--weights", "first", "--headless"], others].concat();
        let output = workspace.nas_tui(&arguments, &[]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let message = text(&output.stderr);
        assert!(
            message.contains("'--weights <FILE|RUN>' cannot be used with")
                && message.contains(other),
            "{message}"
        );
    }
}

#[test]
fn a_training_killed_before_its_first_checkpoint_begins_with_the_same_weights_again() {
    let workspace = Workspace::new();
    workspace.first();
    workspace.begin("first", "second", &[]);
    let (from, to) = (workspace.path("second"), workspace.path("killed"));
    fs::create_dir(&to).unwrap();
    for name in [
        "config.toml",
        "architecture.json",
        "origin.txt",
        "initial.json",
        "initial.safetensors",
    ] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
    // Where they came from is not needed any more.
    fs::remove_dir_all(workspace.path("first")).unwrap();
    assert_ok(&workspace.resume("killed").output().unwrap());
    assert_same_results(&workspace, "killed", "second");
}

#[test]
fn a_training_whose_first_weights_are_lost_never_begins_with_random_ones() {
    let workspace = Workspace::new();
    workspace.first();
    workspace.begin("first", "second", &[]);
    // As if it had been killed right after its first record, and its files deleted.
    let run = workspace.path("second");
    let journal = fs::read_to_string(run.join("journal.jsonl")).unwrap();
    let first = journal.split_inclusive('\n').next().unwrap();
    fs::write(run.join("journal.jsonl"), first).unwrap();
    fs::remove_dir_all(run.join("checkpoint")).unwrap();
    let weights = fs::read(run.join("weights.safetensors")).unwrap();
    for name in [
        "summary.json",
        "weights.safetensors",
        "best.json",
        "initial.json",
    ] {
        fs::remove_file(run.join(name)).unwrap();
    }
    let copy = fs::read(run.join("initial.safetensors")).unwrap();
    fs::remove_file(run.join("initial.safetensors")).unwrap();
    let output = workspace.resume("second").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    let message = text(&output.stderr);
    assert!(
        message.contains("initial.safetensors") && message.contains("Put the file back"),
        "{message}"
    );
    fs::write(run.join("initial.safetensors"), copy).unwrap();
    assert_ok(&workspace.resume("second").output().unwrap());
    assert_eq!(fs::read(run.join("weights.safetensors")).unwrap(), weights);
}

#[test]
fn what_a_training_killed_before_its_settings_left_neither_blocks_nor_changes_the_next() {
    let workspace = Workspace::new();
    workspace.first();
    let left = workspace.path("left");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("lock"), "").unwrap();
    fs::write(left.join("initial.json"), "{").unwrap();
    fs::write(left.join("initial.safetensors"), "").unwrap();
    assert_ok(&workspace.train("left", &[]).output().unwrap());
    assert_same_results(&workspace, "left", "first");
}

#[test]
fn in_a_first_stage_of_another_size_the_statistics_are_estimated_anew() {
    let workspace = Workspace::new();
    workspace.first();
    let stages = "recipes.cosine.stages=[{ epochs = 1, size = 20, crop_pixels = 1 }, \
        { epochs = 1, size = 28, crop_pixels = 1 }]";
    workspace.begin("first", "second", &[stages]);
    let records = workspace.records("second");
    let estimated = records.iter().filter_map(|record| match &record.event {
        Event::StageEntered(stage) => Some(stage.statistics_batches.is_some()),
        _ => None,
    });
    assert_eq!(estimated.collect::<Vec<_>>(), [true, true]);
}

#[test]
fn validation_images_that_the_weights_may_know_are_refused() {
    let workspace = Workspace::new();
    workspace.first();
    let set = [&STILL[..], &["data.validation=150"]].concat();
    let output = workspace
        .train_with("first", "second", &set)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let message = text(&output.stderr);
    assert!(
        message.contains("first was trained on other images of fashion-mnist-mini"),
        "{message}"
    );
    assert!(!workspace.path("second").exists());
}

#[test]
fn weights_of_another_network_are_refused_and_those_of_an_unknown_training_are_warned_of() {
    let workspace = Workspace::new();
    workspace.first();
    let from = workspace.path("first").join("weights.safetensors");
    fs::copy(from, workspace.path("some.safetensors")).unwrap();
    let output = workspace
        .train_with("some.safetensors", "second", &STILL)
        .output()
        .unwrap();
    assert_ok(&output);
    let message = text(&output.stderr);
    assert!(
        message
            .contains("not all is known of what the weights in some.safetensors were trained on"),
        "{message}"
    );
    // Its origin is not forgotten by those that go on from it.
    workspace.begin("second", "later", &STILL);
    assert!(!workspace.initial("later").is_known());
    let arguments = [
        "train",
        "monograph-demo",
        "--weights",
        "some.safetensors",
        "--headless",
        "--run",
        "third",
    ];
    let output = workspace.nas_tui(&arguments, &TINY).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(!workspace.path("third").exists());
}
