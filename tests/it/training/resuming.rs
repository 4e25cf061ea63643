//! Trainings that are killed, stopped, paused and resumed.

use super::*;

#[test]
fn a_training_killed_repeatedly_and_resumed_equals_an_uninterrupted_one() {
    kill_repeatedly(&["recipes.cosine.epochs=8"]);
}

#[test]
fn a_training_in_stages_killed_repeatedly_and_resumed_equals_an_uninterrupted_one() {
    // With averaged weights, whose average goes on from size to size.
    kill_repeatedly(&[STAGES, "recipes.cosine.weight_average=last_half_epoch"]);
}

/// One cycle of smoothed labels, mixed images and alternating flips, kernels moved by Muon, decay on weights, with
/// this average.
fn modern(average: &str) -> Vec<String> {
    let set = [
        "schedule=one_cycle",
        "optimizer=muon",
        "label_smoothing=0.1",
        "cutmix=0.5",
        "weight_decay_on=weights",
        "flip=alternating",
        "mirrored_test=true",
    ];
    let set = set.iter().map(|set| (*set).to_owned());
    set.chain([format!("weight_average={average}")])
        .map(|set| format!("recipes.cosine.{set}"))
        .collect()
}

#[test]
fn averaged_weights_survive_kills_in_any_place() {
    for (average, epochs) in [
        ("last_half_epoch", "recipes.cosine.epochs=8"),
        ("ema", STAGES),
    ] {
        let modern = modern(average);
        let set: Vec<&str> = modern.iter().map(String::as_str).chain([epochs]).collect();
        kill_repeatedly(&set);
    }
}

#[test]
fn every_place_says_which_figures_are_of_smoothed_labels_mixed_images_and_averaged_weights() {
    let workspace = Workspace::new();
    let modern = modern("last_half_epoch");
    let set: Vec<&str> = modern.iter().map(String::as_str).collect();
    let output = workspace.train("run", &set).output().unwrap();
    assert_ok(&output);
    let lines = text(&output.stderr);
    assert!(
        lines.contains(": recipe cosine (kernels by Muon, images mixed in 50 % of the batches), at most 4 epochs")
            && lines.contains("epoch 4: smoothed loss ")
            && lines.matches(" train (mixed images), ").count() == 8
            && lines.contains(" validation (averaged weights)")
            && lines.contains("with the averaged weights of epoch")
            && lines.contains("with mirror images, a figure of its own: "),
        "{lines}"
    );
    let summary = text(&output.stdout);
    assert!(
        summary.contains("averaged weights") && summary.contains("mirrored test accuracy: "),
        "{summary}"
    );
    let test = test_of(&workspace.records("run")).unwrap();
    let mirrored = test.mirrored.clone().unwrap();
    assert!(test.averaged && mirrored.images == test.report.images);
    assert!(mirrored.loss != test.report.loss, "a figure of its own");
    let done = epochs(&workspace.records("run"));
    assert!(
        done.iter()
            .all(|e| e.averaged && e.label_smoothing == 0.1 && e.cutmix == 0.5)
    );
    // The saved weights are those that were validated and tested, with their statistics.
    let evaluated = workspace.evaluate(&["run:best"]);
    assert_eq!(evaluated, test.report);
    let both = workspace
        .nas_tui(&["evaluate", "--json", "--mirror", "run:best"], &[])
        .output()
        .unwrap();
    let both: serde_json::Value = serde_json::from_slice(&both.stdout).unwrap();
    assert_eq!(both["mirrored"]["correct"], mirrored.correct);
    assert_eq!(both["correct"], test.report.correct);
    let report = workspace
        .nas_tui(&["report", "run", "--out", "report"], &[])
        .output()
        .unwrap();
    assert_ok(&report);
    let page = fs::read_to_string(workspace.path("report/report.html")).unwrap();
    for words in [
        "training, mixed images, smoothed loss",
        "training, mixed images<",
        "Training is on mixed images",
        "CutMix: images mixed in 50 % of the batches in training",
        "validation, averaged weights",
        "test accuracy with mirror images",
        "labels smoothed by 0.1",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn a_training_killed_before_its_first_record_still_knows_how_the_user_named_its_network() {
    let workspace = Workspace::new();
    assert_ok(&workspace.train("run", &[]).output().unwrap());
    fs::create_dir(workspace.path("killed")).unwrap();
    for name in ["config.toml", "architecture.json", "origin.txt"] {
        let to = workspace.path("killed").join(name);
        fs::copy(workspace.path("run").join(name), to).unwrap();
    }
    let mut resume = workspace.nas_tui(&["train", "--headless", "--resume", "killed"], &[]);
    assert_ok(&resume.output().unwrap());
    let records = workspace.records("killed");
    let origins: Vec<&str> = (records.iter())
        .filter_map(|record| match &record.event {
            Event::TrainingStarted(started) => Some(started.origin.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(origins, ["tiny.json"]);
}

/// Three sizes of the images, with three epochs each.
const STAGES: &str = "recipes.cosine.stages=[{ epochs = 3, size = 12, crop_pixels = 1 }, \
    { epochs = 3, size = 20, crop_pixels = 2 }, { epochs = 3, size = 28, crop_pixels = 0 }]";

/// Compare a training with these settings, killed again and again, with an uninterrupted one.
fn kill_repeatedly(set: &[&str]) {
    let workspace = Workspace::new();
    // A checkpoint after almost every batch, so that it is also resumed within epochs.
    let set = [&["train.checkpoint_minutes=0.0001"], set].concat();
    assert_ok(&workspace.train("whole", &set).output().unwrap());
    let mut kills = 0;
    while !workspace
        .records_if_any("parts")
        .iter()
        .any(|record| matches!(record.event, Event::RunFinished { .. }))
    {
        let lines = || {
            fs::read(workspace.path("parts").join("journal.jsonl"))
                .map_or(0, |text| text.split(|byte| *byte == b'\n').count())
        };
        let before = lines();
        let mut child = workspace.go_on("parts", &set).spawn().unwrap();
        // Killed once it has reported some more: at a different place each time.
        while lines() < before + 9 + kills && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(300));
        }
        if child.try_wait().unwrap().is_none() {
            signal(&child, Signal::KILL);
            kills += 1;
        }
        child.wait().unwrap();
        assert!(kills < 100);
    }
    let parts = workspace.records("parts");
    let resumes = parts
        .iter()
        .filter(|record| matches!(record.event, Event::RunResumed { epoch: Some(_), .. }))
        .count();
    assert!(
        kills >= 3 && resumes >= 3,
        "{kills} kills, {resumes} resumes"
    );
    assert_same_results(&workspace, "parts", "whole");
}

/// Epochs, test and weights of two runs are the same, bit by bit.
pub fn assert_same_results(workspace: &Workspace, one: &str, other: &str) {
    let [records, others] = [one, other].map(|run| workspace.records(run));
    assert_eq!(figures(&epochs(&records)), figures(&epochs(&others)));
    assert_eq!(
        test_of(&records).unwrap().report,
        test_of(&others).unwrap().report
    );
    let weights = |run: &str| fs::read(workspace.path(run).join("weights.safetensors")).unwrap();
    assert_eq!(weights(one), weights(other));
}

#[test]
fn a_training_in_stages_killed_after_any_line_of_its_journal_comes_to_the_same_end() {
    let workspace = Workspace::new();
    let set = [&STAGES.replace("epochs = 3", "epochs = 1")[..]];
    assert_ok(&workspace.train("whole", &set).output().unwrap());
    let lines = workspace.records("whole").len();
    assert!(lines >= 9, "{lines} lines");
    for line in 1..lines {
        let run = format!("killed-after-{line}");
        let mut child = workspace.train(&run, &set).spawn().unwrap();
        let journal = workspace.path(&run).join("journal.jsonl");
        let written =
            || fs::read(&journal).map_or(0, |text| text.split(|byte| *byte == b'\n').count());
        while written() <= line && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(300));
        }
        let _ = child.kill();
        child.wait().unwrap();
        assert_ok(&workspace.resume(&run).output().unwrap());
        assert_same_results(&workspace, &run, "whole");
    }
}

#[test]
fn sigterm_saves_a_checkpoint_at_the_next_batch_and_the_resumed_training_is_the_same() {
    let workspace = Workspace::new();
    let more = ["recipes.cosine.epochs=60"];
    let child = workspace.train("run", &more).spawn().unwrap();
    wait_for_line(&workspace.path("run"), "training_epoch");
    signal(&child, Signal::TERM);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains("continue with: nas-tui train --resume run"),
        "{}",
        text(&output.stderr)
    );
    let records = workspace.records("run");
    let saved = records
        .iter()
        .any(|record| matches!(record.event, Event::TrainingSaved { .. }));
    let stopped = matches!(
        records.last().unwrap().event,
        Event::RunFinished {
            reason: FinishReason::Stopped,
            ..
        }
    );
    assert!(saved && stopped && test_of(&records).is_none());
    assert_ok(&workspace.resume("run").output().unwrap());
    assert_ok(&workspace.train("whole", &more).output().unwrap());
    assert_eq!(
        figures(&epochs(&workspace.records("run"))),
        figures(&epochs(&workspace.records("whole")))
    );
}

#[test]
fn a_client_pauses_and_resumes_a_training_between_batches() {
    let workspace = Workspace::new();
    let child = workspace
        .train("run", &["recipes.cosine.epochs=5000"])
        .spawn()
        .unwrap();
    wait_for_line(&workspace.path("run"), "training_epoch");
    let connection = link::attach(&workspace.path("run"), false).unwrap();
    // Commands sent before the connection exists are lost.
    let begin = Instant::now();
    while *connection.status.borrow() != (LinkStatus::Live { watch_only: false }) {
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "{:?}",
            connection.status.borrow()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    connection.commands.send(Asked::Pause).unwrap();
    wait_for_line(&workspace.path("run"), "\"event\":\"paused\"");
    let journal = || fs::read(workspace.path("run").join("journal.jsonl")).unwrap();
    let paused = journal();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(journal(), paused, "nothing happens while it is paused");
    connection.commands.send(Asked::Resume).unwrap();
    wait_for_line(&workspace.path("run"), "\"event\":\"resumed\"");
    connection.commands.send(Asked::Stop).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
}

#[test]
fn a_training_resumed_after_its_last_epoch_says_that_only_the_test_is_left() {
    let workspace = Workspace::new();
    assert_ok(&workspace.train("run", &[]).output().unwrap());
    // As if it had been killed between its last checkpoint and its test.
    let journal = workspace.path("run").join("journal.jsonl");
    let told = fs::read_to_string(&journal).unwrap();
    let kept: Vec<&str> = told
        .lines()
        .take_while(|line| !line.contains("\"test_finished\""))
        .collect();
    fs::write(&journal, kept.join("\n") + "\n").unwrap();
    // With other best files than those of the checkpoint.
    let files = ["weights.safetensors", "best.json"].map(|file| workspace.path("run").join(file));
    let best = files.each_ref().map(|file| fs::read(file).unwrap());
    for file in &files {
        fs::write(file, "of another epoch").unwrap();
    }
    let output = workspace.resume("run").output().unwrap();
    assert_ok(&output);
    assert_eq!(files.map(|file| fs::read(file).unwrap()), best);
    let words = text(&output.stderr);
    assert!(
        words.contains(" after 4 epochs")
            && words.contains("every epoch is done: only the test is left"),
        "{words}"
    );
    assert!(
        !words.contains("epoch 5")
            && !words.contains("search")
            && test_of(&workspace.records("run")).is_some(),
        "{words}"
    );
}

#[test]
fn a_search_and_a_training_are_resumed_by_their_own_commands() {
    let workspace = Workspace::new();
    assert_ok(
        &workspace
            .train("run", &["recipes.cosine.epochs=2"])
            .output()
            .unwrap(),
    );
    let wrong = workspace
        .nas_tui(&["search", "--headless", "--resume", "run"], &[])
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        text(&wrong.stderr).contains("nas-tui train --resume run"),
        "{}",
        text(&wrong.stderr)
    );
    let complete = workspace.resume("run").output().unwrap();
    assert_ok(&complete);
    assert!(text(&complete.stderr).contains("nothing to resume"));
}

#[test]
fn a_training_is_resumed_by_its_name_as_in_the_list_of_runs() {
    let workspace = Workspace::new();
    assert_ok(&workspace.train("runs/first", &[]).output().unwrap());
    let resumed = workspace.resume("first").output().unwrap();
    assert_ok(&resumed);
    assert!(
        text(&resumed.stdout).contains("run first: completed"),
        "{}",
        text(&resumed.stdout)
    );
    let missing = workspace.resume("frist").output().unwrap();
    assert_eq!(missing.status.code(), Some(2), "{}", text(&missing.stderr));
}
