//! `nas-tui train` as its users run it: real images, kill -9, signals, short memory, the test
//! images once.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nas_tui::classification::ClassificationReport;
use nas_tui::event::{Event, FinishReason, Record, TestFinished, TrainingEpoch};
use nas_tui::link::{self, Command as Asked, LinkStatus};
use nas_tui::{analysis, journal};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::process::{Pid, Signal, kill_process};

/// Four epochs over 300 of the embedded images, six batches each.
const TINY: [&str; 6] = [
    "data.limit=300",
    "data.validation=100",
    "train.recipe=cosine",
    "recipes.cosine.epochs=4",
    "recipes.cosine.batch_size=50",
    "workers.threads=1",
];

/// Two layers, the second of which reads the image too.
const NETWORK: &str = r#"{
  "name": "tiny", "input": [1, 28, 28], "classes": 10,
  "layers": [
    {"kernel": [3, 3], "filters": 8, "stride": [2, 2], "padding": [1, 1], "inputs": [0]},
    {"kernel": [3, 3], "filters": 8, "stride": [1, 1], "padding": [1, 1], "inputs": [0, 1]}
  ],
  "output": [2]
}"#;

struct Workspace {
    folder: tempfile::TempDir,
}

impl Workspace {
    fn new() -> Workspace {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tiny.json"), NETWORK).unwrap();
        Workspace { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn nas_tui(&self, arguments: &[&str], set: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
        command
            .args(arguments)
            .args(set.iter().flat_map(|setting| ["--set", setting]))
            .current_dir(self.folder.path());
        command.env("XDG_STATE_HOME", self.path("state"));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// A new training of the tiny network in the folder `run`, with `set` besides what is usual.
    fn train(&self, run: &str, set: &[&str]) -> Command {
        self.nas_tui(
            &["train", "tiny.json", "--headless", "--run", run],
            &[&TINY[..], set].concat(),
        )
    }

    fn resume(&self, run: &str) -> Command {
        self.nas_tui(&["train", "--headless", "--resume", run], &[])
    }

    /// A new training, or the next session of the one that is there.
    fn go_on(&self, run: &str, set: &[&str]) -> Command {
        if self.path(run).join("config.toml").is_file() {
            self.resume(run)
        } else {
            self.train(run, set)
        }
    }

    fn records(&self, run: &str) -> Vec<Record> {
        journal::read(&self.path(run).join("journal.jsonl")).unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn assert_ok(output: &Output) {
    assert!(
        output.status.success(),
        "{:?}\n{}",
        output.status,
        text(&output.stderr)
    );
}

/// The epochs that count: a resume voids those that come again.
fn epochs(records: &[Record]) -> Vec<TrainingEpoch> {
    let mut epochs: Vec<TrainingEpoch> = Vec::new();
    for record in records {
        match &record.event {
            Event::TrainingEpoch(epoch) => epochs.push(epoch.clone()),
            Event::RunResumed {
                epoch: Some(epoch), ..
            } => epochs.retain(|done| done.epoch < *epoch),
            _ => {}
        }
    }
    epochs
}

/// Without what a clock says.
fn figures(epochs: &[TrainingEpoch]) -> Vec<[f64; 6]> {
    let figures = |e: &TrainingEpoch| {
        [
            e.epoch as f64,
            e.train_loss,
            e.train_accuracy,
            e.valid_loss,
            e.valid_accuracy,
            e.learning_rate,
        ]
    };
    epochs.iter().map(figures).collect()
}

fn test_of(records: &[Record]) -> Option<TestFinished> {
    records.iter().find_map(|record| {
        if let Event::TestFinished(test) = &record.event {
            Some(*test.clone())
        } else {
            None
        }
    })
}

fn wait_for_line(run: &Path, text: &str) {
    let begin = Instant::now();
    while !fs::read_to_string(run.join("journal.jsonl")).is_ok_and(|journal| journal.contains(text))
    {
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "no {text} in {}",
            run.display()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn a_training_killed_again_and_again_and_resumed_equals_one_that_never_was() {
    let workspace = Workspace::new();
    // A checkpoint after almost every batch, so that it is resumed within epochs too.
    let set = ["train.checkpoint_minutes=0.0001", "recipes.cosine.epochs=8"];
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
        // Killed once it has told of some more: each time at another place, wherever it is by then.
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
    let (whole, parts) = (workspace.records("whole"), workspace.records("parts"));
    let resumes = parts
        .iter()
        .filter(|record| matches!(record.event, Event::RunResumed { epoch: Some(_), .. }))
        .count();
    assert!(
        kills >= 3 && resumes >= 3,
        "{kills} kills, {resumes} resumes"
    );
    assert_eq!(figures(&epochs(&parts)), figures(&epochs(&whole)));
    assert_eq!(
        test_of(&parts).unwrap().report,
        test_of(&whole).unwrap().report
    );
    let weights = |run: &str| fs::read(workspace.path(run).join("weights.safetensors")).unwrap();
    assert_eq!(weights("parts"), weights("whole"));
}

impl Workspace {
    fn records_if_any(&self, run: &str) -> Vec<Record> {
        journal::read(&self.path(run).join("journal.jsonl")).unwrap_or_default()
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
fn a_client_pauses_a_training_at_the_next_batch_and_lets_it_go_on() {
    let workspace = Workspace::new();
    let child = workspace
        .train("run", &["recipes.cosine.epochs=5000"])
        .spawn()
        .unwrap();
    wait_for_line(&workspace.path("run"), "training_epoch");
    let connection = link::attach(&workspace.path("run"), false).unwrap();
    // Whoever is not connected yet is not heard.
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

/// Counts how often a file is opened, by whomever.
struct Watched {
    inotify: OwnedFd,
}

impl Watched {
    fn new(file: &Path) -> Watched {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
        inotify::add_watch(&inotify, file, WatchFlags::OPEN).unwrap();
        Watched { inotify }
    }

    /// Opened since the last look. (Equal events that follow each other unread are one: look
    /// often.)
    fn was_opened(&self) -> bool {
        rustix::io::read(&self.inotify, &mut [0u8; 4096]).is_ok_and(|bytes| bytes > 0)
    }
}

/// Two classes of 30 training and 10 test images of one colour each.
fn image_folder(root: &Path) {
    for (part, count) in [("train", 30), ("test", 10)] {
        for (class, shade) in [("dark", 40u8), ("light", 200)] {
            let folder = root.join(part).join(class);
            fs::create_dir_all(&folder).unwrap();
            for number in 0..count {
                let colour = image::Rgb([shade, shade.saturating_add(number), shade]);
                image::RgbImage::from_pixel(8, 8, colour)
                    .save(folder.join(format!("{number:02}.png")))
                    .unwrap();
            }
        }
    }
}

#[test]
fn the_test_images_are_opened_once_and_only_after_the_last_epoch() {
    let workspace = Workspace::new();
    image_folder(&workspace.path("images"));
    let network = NETWORK
        .replace("[1, 28, 28]", "[3, 8, 8]")
        .replace("\"classes\": 10", "\"classes\": 2");
    fs::write(workspace.path("tiny.json"), network).unwrap();
    let watched = Watched::new(&workspace.path("images/test/dark/00.png"));
    let set = [
        "data.source=folder:images",
        "data.size=[8, 8]",
        "data.validation=20",
        "data.limit=40",
        "recipes.cosine.batch_size=4",
    ];
    let mut child = workspace.train("run", &set).spawn().unwrap();
    let mut opened_after = Vec::new();
    loop {
        let ended = child.try_wait().unwrap().is_some();
        if watched.was_opened() {
            opened_after.push(epochs(&workspace.records_if_any("run")).len());
        }
        if ended {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_ok(&child.wait_with_output().unwrap());
    assert_eq!(
        opened_after,
        [4],
        "the epochs that were done whenever a test image was opened"
    );
    assert_ok(&workspace.resume("run").output().unwrap());
    assert!(!watched.was_opened(), "a complete run reads nothing");
    assert_eq!(
        test_of(&workspace.records("run")).unwrap().report.images,
        20
    );
}

#[test]
fn files_that_a_folder_holds_in_vain_are_told_of_at_the_start() {
    let workspace = Workspace::new();
    image_folder(&workspace.path("images"));
    fs::write(workspace.path("images/train/dark/photo.tiff"), "II*").unwrap();
    fs::write(
        workspace.path("tiny.json"),
        NETWORK
            .replace("[1, 28, 28]", "[3, 8, 8]")
            .replace("\"classes\": 10", "\"classes\": 2"),
    )
    .unwrap();
    let set = [
        "data.source=folder:images",
        "data.size=[8, 8]",
        "data.validation=20",
        "data.limit=40",
        "recipes.cosine.batch_size=4",
    ];
    let output = workspace.train("run", &set).output().unwrap();
    assert_ok(&output);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.contains("warning: 1 file is not read, the first images/train/dark/photo.tiff"),
        "{told}"
    );
}

#[test]
fn only_the_end_of_a_training_and_evaluate_can_load_test_images() {
    fn files(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, into)
            } else {
                into.push(path)
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&root, &mut all);
    let calls = |path: &PathBuf| {
        let code = fs::read_to_string(path).unwrap();
        let code = code.split("#[cfg(test)]").next().unwrap().to_owned();
        let is_call = |line: &str| {
            line.contains("load_test(")
                || line.contains("load_tests(")
                || line.contains("Part::Test)")
        };
        code.lines()
            .any(|line| is_call(line.trim_start()) && !line.trim_start().starts_with("//"))
    };
    let mut callers: Vec<String> = all
        .iter()
        .filter(|path| calls(path))
        .map(|path| path.strip_prefix(&root).unwrap().display().to_string())
        .collect();
    callers.sort();
    // `data` itself, its check of files, and the two that may.
    assert_eq!(
        callers,
        [
            "cli/evaluate/mod.rs",
            "data/check.rs",
            "data/mod.rs",
            "training/test_images.rs"
        ]
    );
}

impl Workspace {
    fn evaluate(&self, arguments: &[&str]) -> ClassificationReport {
        let output = self
            .nas_tui(&[&["evaluate", "--json"], arguments].concat(), &[])
            .output()
            .unwrap();
        assert_ok(&output);
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

#[test]
fn evaluate_says_of_the_kept_weights_what_the_training_said() {
    let workspace = Workspace::new();
    assert_ok(&workspace.train("run", &[]).output().unwrap());
    let evaluated = workspace.evaluate(&["run:best"]);
    let told = test_of(&workspace.records("run")).unwrap().report;
    assert_eq!(
        (evaluated.images, evaluated.correct),
        (told.images, told.correct)
    );
    let summary: analysis::TrainingSummary =
        serde_json::from_str(&fs::read_to_string(workspace.path("run/summary.json")).unwrap())
            .unwrap();
    assert_eq!((summary.epochs_done, summary.test), (4, Some(told)));
}

#[test]
fn a_network_that_was_trained_on_enlarged_images_is_tested_and_evaluated_on_such() {
    let workspace = Workspace::new();
    assert_ok(
        &workspace
            .train("run", &["data.crop=upsample", "data.crop_pixels=42"])
            .output()
            .unwrap(),
    );
    let told = test_of(&workspace.records("run")).unwrap().report;
    let of_run = workspace.evaluate(&["run:best"]);
    assert_eq!((of_run.correct, of_run.loss), (told.correct, told.loss));
    // The same weights without their run: images as they are.
    let of_file = workspace.evaluate(&["tiny.json", "--weights", "run/weights.safetensors"]);
    assert!(
        (of_file.loss - told.loss).abs() > 1e-3,
        "{} and {}",
        of_file.loss,
        told.loss
    );
    // And enlarged as in training.
    let enlarged = workspace.evaluate(&[
        "tiny.json",
        "--weights",
        "run/weights.safetensors",
        "--upsample",
        "42",
    ]);
    // (Not to the last digit: the normalisation is fitted to other training images than the run's.)
    let off = |loss: f64| (loss - told.loss).abs();
    assert!(
        off(enlarged.loss) < off(of_file.loss) / 2.0,
        "{}, {} and {}",
        enlarged.loss,
        of_file.loss,
        told.loss
    );
}

#[test]
fn memory_that_does_not_suffice_halves_the_micro_batch_and_the_training_goes_on() {
    let workspace = Workspace::new();
    let wide = NETWORK
        .replace("\"filters\": 8", "\"filters\": 64")
        .replace("\"stride\": [2, 2]", "\"stride\": [1, 1]");
    fs::write(
        workspace.path("tiny.json"),
        wide.replace("[3, 3], \"filters\"", "[1, 1], \"filters\"")
            .replace("[1, 1], \"inputs\"", "[0, 0], \"inputs\""),
    )
    .unwrap();
    // A batch of 1,000 takes some 2 GiB: more than this process may map, less than the machine has.
    let set = [
        "data.limit=1000",
        "recipes.cosine.epochs=1",
        "recipes.cosine.batch_size=1000",
        "recipes.cosine.warmup_epochs=0",
    ];
    let plain = workspace.train("run", &set);
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg("ulimit -v 1500000; exec \"$0\" \"$@\"")
        .arg(plain.get_program())
        .args(plain.get_args());
    command
        .current_dir(workspace.folder.path())
        .env("XDG_STATE_HOME", workspace.path("state"));
    let output = command.output().unwrap();
    assert_ok(&output);
    let records = workspace.records("run");
    let reduced: Vec<usize> = records
        .iter()
        .filter_map(|record| {
            if let Event::MicroBatchReduced { micro_batch, .. } = record.event {
                Some(micro_batch)
            } else {
                None
            }
        })
        .collect();
    assert!(
        !reduced.is_empty() && reduced.is_sorted_by(|one, other| one > other),
        "{reduced:?}\n{}",
        text(&output.stderr)
    );
    assert_eq!(epochs(&records).len(), 1);
}

#[test]
fn bf16_and_both_memory_orders_learn_as_float32_does() {
    let workspace = Workspace::new();
    let losses: Vec<f64> = [
        &[][..],
        &["train.precision=bf16"],
        &["train.channels_last=on"],
        &["train.channels_last=off"],
    ]
    .iter()
    .enumerate()
    .map(|(number, set)| {
        let run = number.to_string();
        assert_ok(&workspace.train(&run, set).output().unwrap());
        epochs(&workspace.records(&run)).last().unwrap().train_loss
    })
    .collect();
    assert!(
        (losses[0] - losses[1]).abs() < 0.05 && losses[0] != losses[1],
        "{losses:?}"
    );
    assert!(
        (losses[0] - losses[2]).abs() < 0.02 && (losses[0] - losses[3]).abs() < 0.02,
        "{losses:?}"
    );
}

#[test]
fn early_stopping_ends_a_training_and_the_best_epoch_is_kept() {
    let workspace = Workspace::new();
    // Patience of one epoch, and a rate that is soon too small to gain anything.
    let set = [
        "train.recipe=plateau",
        "recipes.plateau.epochs=80",
        "recipes.plateau.early_stopping=1",
        "recipes.plateau.patience=0",
        "recipes.plateau.batch_size=50",
    ];
    assert_ok(&workspace.train("run", &set).output().unwrap());
    let done = epochs(&workspace.records("run"));
    let best = done
        .iter()
        .map(|epoch| epoch.valid_accuracy)
        .fold(0.0, f64::max);
    let first_best = done
        .iter()
        .position(|epoch| epoch.valid_accuracy == best)
        .unwrap();
    assert!(
        done.len() < 80 && done.len() == first_best + 2,
        "{} epochs, the best is number {}",
        done.len(),
        first_best + 1
    );
    assert_eq!(
        test_of(&workspace.records("run")).unwrap().epoch,
        first_best + 1
    );
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
    let output = workspace.resume("run").output().unwrap();
    assert_ok(&output);
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
fn a_network_for_other_images_is_refused_before_anything_is_written() {
    let workspace = Workspace::new();
    let output = workspace
        .train("run", &["data.source=cifar10:nowhere"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!workspace.path("run").exists(), "{}", text(&output.stderr));
}
