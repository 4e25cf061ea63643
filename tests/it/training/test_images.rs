//! Test images: when they are opened, and the results on them.

use nas_tui::event::Found;

use super::*;

/// Counts how often a file is opened, by any process.
struct Watched {
    inotify: OwnedFd,
}

impl Watched {
    fn new(file: &Path) -> Watched {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
        inotify::add_watch(&inotify, file, WatchFlags::OPEN).unwrap();
        Watched { inotify }
    }

    /// Whether the file was opened since the last call. (Consecutive equal events that have not
    /// been read are merged, so call this often.)
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

/// Settings for a network of two classes on the images of `image_folder`.
const COLOURS: [&str; 5] = [
    "data.source=folder:images",
    "data.size=[8, 8]",
    "data.validation=20",
    "data.limit=40",
    "recipes.cosine.batch_size=4",
];

fn workspace_with_colours() -> Workspace {
    let workspace = Workspace::new();
    image_folder(&workspace.path("images"));
    let network = NETWORK
        .replace("[1, 28, 28]", "[3, 8, 8]")
        .replace("\"classes\": 10", "\"classes\": 2");
    fs::write(workspace.path("tiny.json"), network).unwrap();
    workspace
}

#[test]
fn the_test_images_are_opened_once_and_only_after_the_last_epoch() {
    let workspace = workspace_with_colours();
    let watched = Watched::new(&workspace.path("images/test/dark/00.png"));
    let mut child = workspace.train("run", &COLOURS).spawn().unwrap();
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
fn without_the_test_no_test_image_is_opened_and_every_place_says_so() {
    let workspace = workspace_with_colours();
    let watched = Watched::new(&workspace.path("images/test/dark/00.png"));
    let set = [&COLOURS[..], &["train.test=false"]].concat();
    let output = workspace.train("run", &set).output().unwrap();
    assert_ok(&output);
    let changed = workspace
        .nas_tui(
            &["train", "--headless", "--resume", "run"],
            &["train.test=true"],
        )
        .output()
        .unwrap();
    assert_eq!(changed.status.code(), Some(2), "{}", text(&changed.stderr));
    let report = workspace
        .nas_tui(&["report", "run", "--out", "report"], &[])
        .output()
        .unwrap();
    assert_ok(&report);
    assert!(!watched.was_opened());
    for words in [
        text(&output.stderr),
        text(&output.stdout),
        fs::read_to_string(workspace.path("report/report.html")).unwrap(),
    ] {
        assert!(
            words.to_lowercase().contains("test images not used"),
            "{words}"
        );
    }
    let json = |file: &str| fs::read_to_string(workspace.path("run").join(file)).unwrap();
    assert!(json("journal.jsonl").contains(r#""without_test":true"#));
    let summary: analysis::TrainingSummary = serde_json::from_str(&json("summary.json")).unwrap();
    assert!(summary.without_test && summary.test.is_none());
    assert!(test_of(&workspace.records("run")).is_none());
}

#[test]
fn unread_files_in_a_folder_are_reported_at_the_start() {
    let workspace = workspace_with_colours();
    fs::write(workspace.path("images/train/dark/photo.tiff"), "II*").unwrap();
    let output = workspace.train("run", &COLOURS).output().unwrap();
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

#[test]
fn evaluate_reports_the_same_for_the_saved_weights_as_the_training() {
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
fn a_network_trained_on_enlarged_images_is_tested_and_evaluated_on_enlarged_images() {
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
    // The same weights without their run: images are not enlarged.
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

/// What the first event of a training of `arch` says of the search before it, and its last words.
fn trained(workspace: &Workspace, arch: &str, run: &str) -> (Found, String) {
    let arguments = [
        "train",
        arch,
        "--headless",
        "--recipe",
        "cosine",
        "--run",
        run,
    ];
    let epochs = ["recipes.cosine.epochs=2", "train.test=false"];
    let output = workspace.nas_tui(&arguments, &epochs).output().unwrap();
    assert_ok(&output);
    let started = workspace.records(run).swap_remove(0).event;
    let Event::TrainingStarted(started) = started else {
        panic!("{started:?}");
    };
    (started.found.unwrap(), text(&output.stdout))
}

#[test]
fn a_child_of_a_search_has_its_accuracy_there_beside_the_final_one() {
    let workspace = Workspace::new();
    let settings = [
        "data.limit=200",
        "data.validation=50",
        "search.episodes=1",
        "search.children_per_episode=2",
        "search.controls=0",
        "search.initial_depth=2",
        "child.epochs=1",
        "reward.last_epochs=1",
        "workers.count=1",
        "workers.threads=1",
    ];
    let search = [
        "search",
        "--headless",
        "--preset",
        "demo",
        "--run",
        "search",
    ];
    assert_ok(&workspace.nas_tui(&search, &settings).output().unwrap());
    let best = fs::read(workspace.path("search/best.json")).unwrap();
    let best: serde_json::Value = serde_json::from_slice(&best).unwrap();
    let (found, words) = trained(&workspace, "search:best", "best");
    let expected = Found {
        run: "search".to_owned(),
        child: best["child"].as_u64().unwrap(),
        accuracy: best["accuracy"].as_f64().unwrap(),
        best_of: Some(2),
        child_epochs: 1,
        train_images: 200,
        validation_images: 50,
    };
    assert_eq!(found, expected);
    assert!(
        words.contains(&format!(
            "validation accuracy in the search: {:.2} % (",
            100.0 * expected.accuracy
        )) && words.contains("best of 2 by validation: optimistic"),
        "{words}"
    );
    let (found, _) = trained(&workspace, "search:child-2", "second");
    assert_eq!((found.child, found.best_of), (2, None));
    // By its name in the list of runs.
    fs::create_dir(workspace.path("runs")).unwrap();
    fs::rename(workspace.path("search"), workspace.path("runs/search")).unwrap();
    let (found, _) = trained(&workspace, "search:best", "named");
    assert_eq!(found, expected);
    let settings = fs::read_to_string(workspace.path("named/config.toml")).unwrap();
    assert!(settings.contains("limit = 200"), "{settings}");
}
