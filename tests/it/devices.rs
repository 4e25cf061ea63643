//! Device names on the command line and in settings, and the number of workers that share a device,
//! tested with fake devices.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::fake_cuda;

fn run(mut command: Command) -> (Option<i32>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the program starts");
    (
        status.code(),
        String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned(),
    )
}

fn network(folder: &Path) -> PathBuf {
    let file = folder.join("network.json");
    std::fs::write(&file, r#"{"dna": [[3, 4, 2, 1], [3, 4, 2, 1]]}"#).unwrap();
    file
}

/// `nas-tui train` of a small network on few images, into `run`.
fn train(folder: &Path, devices: &str, device: &[&str]) -> Command {
    let mut command = fake_cuda::nas_tui();
    command
        .env("NAS_TUI_FAKE_CUDA_DEVICES", devices)
        .arg("train")
        .arg(network(folder));
    command
        .args(["--headless", "--run"])
        .arg(folder.join("run"))
        .args(device);
    for setting in [
        "data.limit=256",
        "data.validation=128",
        "recipes.cosine.epochs=1",
        "recipes.cosine.warmup_epochs=0",
    ] {
        command.args(["--set", setting]);
    }
    command.args(["--recipe", "cosine"]);
    command
}

#[test]
fn a_training_uses_the_requested_gpu_and_its_weights_are_evaluated_on_another() {
    let folder = tempfile::tempdir().unwrap();
    let (status, text) = run(train(folder.path(), "2", &["--device", "cuda:1"]));
    assert_eq!(status, Some(0), "{text}");
    let journal = std::fs::read_to_string(folder.path().join("run/journal.jsonl")).unwrap();
    assert!(
        journal
            .lines()
            .next()
            .unwrap()
            .contains(r#""device":"cuda:1""#),
        "{journal}"
    );
    let counts = folder.path().join("counts");
    let evaluate = |device: &str| {
        let mut command = fake_cuda::nas_tui();
        command
            .env("NAS_TUI_FAKE_CUDA_DEVICES", "2")
            .env("NAS_TUI_FAKE_CUDA_COUNTS", &counts);
        command
            .arg("evaluate")
            .arg(format!("{}:best", folder.path().join("run").display()));
        command.args(["--limit", "100", "--device", device]);
        command
    };
    let (status, text) = run(evaluate("cpu"));
    assert!(
        status == Some(0)
            && fake_cuda::counts(&counts)
                .iter()
                .all(|counts| counts.kernels == 0),
        "{text}"
    );
    let (status, text_of_gpu) = run(evaluate("cuda:0"));
    assert!(
        status == Some(0) && fake_cuda::counts(&counts)[0].kernels > 10,
        "{text_of_gpu}"
    );
    assert_eq!(text, text_of_gpu, "the fake computes as the CPU does");
}

#[test]
fn every_command_refuses_a_missing_gpu_and_lists_the_available_ones() {
    let folder = tempfile::tempdir().unwrap();
    let weights = folder.path().join("unread.safetensors");
    std::fs::write(&weights, "").unwrap();
    let mut evaluate = fake_cuda::nas_tui();
    evaluate
        .args(["evaluate", "monograph-demo", "--decode", "clipped"])
        .args(["--device", "cuda:7", "--weights"])
        .arg(weights);
    let mut bench = fake_cuda::nas_tui();
    bench
        .args(["bench", "--device", "cuda:7", "--children"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/children_small.json"));
    let mut search = fake_cuda::nas_tui();
    search
        .args(["search", "--headless", "--device", "cuda:7", "--run"])
        .arg(folder.path().join("search"));
    for (name, command) in [
        ("train", train(folder.path(), "2", &["--device", "cuda:7"])),
        ("evaluate", evaluate),
        ("bench", bench),
        ("search", search),
    ] {
        let mut command = command;
        command.env("NAS_TUI_FAKE_CUDA_DEVICES", "2");
        let (status, text) = run(command);
        assert_eq!(status, Some(2), "{name}: {text}");
        assert!(
            text.contains("`cuda:7`") && text.contains("cpu, cuda:0 and cuda:1"),
            "{name}: {text}"
        );
    }
}

#[test]
fn an_invalid_device_name_is_refused_before_anything_is_done() {
    for arguments in [
        &["train", "nascnn15", "--device", "gpu"][..],
        &["config", "show", "--set", "workers.device=cuda:x"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
        command.args(arguments);
        let (status, text) = run(command);
        assert!(status == Some(2) && text.contains("cuda:N"), "{text}");
    }
}

/// A search of two children on a fake GPU, with an automatic number of workers.
fn search(folder: &Path, run: &str) -> Command {
    let mut command = fake_cuda::nas_tui();
    command
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env("NAS_TUI_FAKE_CUDA_DEVICES", "1");
    command
        .args(["search", "--headless", "--run"])
        .arg(folder.join(run));
    let settings = [
        "search.episodes=1",
        "search.children_per_episode=2",
        "search.controls=0",
        "data.limit=256",
        "data.validation=128",
        "child.epochs=2",
    ];
    for setting in settings {
        command.args(["--set", setting]);
    }
    command
}

#[test]
fn the_number_of_workers_on_a_gpu_is_measured_once_and_remembered_for_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache/nas-tui/throughput.json");
    std::fs::create_dir_all(cache.parent().unwrap()).unwrap();
    std::fs::write(&cache, "{ torn").unwrap();
    let (status, first) = run(search(folder.path(), "first"));
    assert_eq!(status, Some(0), "{first}");
    assert!(
        first.contains("throughput.json: ") && first.contains("earlier measurements are lost"),
        "{first}"
    );
    let (notice, start) = (
        "workers.count = auto: measuring how many workers are fastest on cuda:0 (unknown CUDA device)",
        " started on cuda:0",
    );
    assert!(
        first.find(notice).unwrap() < first.find(start).unwrap(),
        "{first}"
    );
    let journal = std::fs::read_to_string(folder.path().join("first/journal.jsonl")).unwrap();
    let line = |text: &str| {
        serde_json::from_str::<serde_json::Value>(
            journal.lines().find(|line| line.contains(text)).unwrap(),
        )
        .unwrap()
    };
    let time = |text: &str| {
        line(text)["time"]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap()
    };
    // Announced at the start: four numbers of workers are measured for 1.5 s each.
    assert!(
        time("run_started")
            .duration_since(time("measuring how many"))
            .as_secs()
            >= 6,
        "{journal}"
    );
    let told = "workers.count = auto: cuda:0: measured on unknown CUDA device, children per hour: 1 worker ";
    assert!(
        first.contains(told) && first.contains(", 8 workers "),
        "{first}"
    );
    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&cache).unwrap()).unwrap();
    assert_eq!(kept["devices"][0]["rates"].as_array().unwrap().len(), 4);

    let since = Instant::now();
    let (status, second) = run(search(folder.path(), "second"));
    assert_eq!(status, Some(0), "{second}");
    assert!(
        second.contains("as measured on ") && !second.contains("children per hour: 1 worker"),
        "{second}"
    );
    let workers = |text: &str| text.matches(" started on cuda:0").count();
    assert!(
        workers(&first) >= 1 && workers(&first) == workers(&second),
        "{first}\n{second}\n{:?}",
        since.elapsed()
    );
}

#[test]
fn a_search_stopped_while_measuring_ends_at_once_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let counts = folder.path().join("counts");
    let mut command = search(folder.path(), "run");
    let mut process = command
        .env("NAS_TUI_FAKE_CUDA_COUNTS", &counts)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(process.stderr.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(240);
    // Workers train on the device: the measurement is in progress.
    while fake_cuda::counts(&counts)
        .first()
        .is_none_or(|busiest| busiest.kernels < 100)
    {
        assert!(Instant::now() < deadline, "nothing was measured");
        std::thread::sleep(Duration::from_millis(20));
    }
    let since = Instant::now();
    kill_process(Pid::from_child(&process), Signal::TERM).unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(130));
    assert!(
        since.elapsed() < Duration::from_secs(10),
        "{:?}",
        since.elapsed()
    );
    assert!(!folder.path().join("run").exists() && !folder.path().join("cache").exists());
}
