//! If there is a GPU but CUDA does not see it, these commands say so. Here the user has hidden it,
//! which is possible on every machine.

use std::process::{Command, Output};

use super::*;

const IDLE: &str = "this machine's NVIDIA GPU stays idle, the CPU does the work: CUDA_VISIBLE_DEVICES is empty, which hides \
                    every GPU; unset it, or set workers.device = \"cpu\" if you want to use the CPU";
const TINY: [&str; 11] = [
    "search.episodes=1",
    "search.children_per_episode=1",
    "controller.baseline=moving_average",
    "search.controls=0",
    "search.initial_depth=2",
    "data.limit=200",
    "data.validation=100",
    "child.epochs=1",
    "reward.last_epochs=1",
    "workers.count=1",
    "workers.threads=1",
];
const NETWORK: &str = r#"{"name": "tiny", "input": [1, 28, 28], "classes": 10, "output": [1],
    "layers": [{"kernel": [3, 3], "filters": 4, "stride": [2, 2], "padding": [1, 1], "inputs": [0]}]}"#;

/// The program with the fake GPUs, all of them hidden, in a separate folder.
fn run(arguments: &[&str], settings: &[&str]) -> Output {
    run_in(
        &tempfile::tempdir().expect("a temporary folder"),
        arguments,
        settings,
    )
}

fn run_in(folder: &TempDir, arguments: &[&str], settings: &[&str]) -> Output {
    let (_folder, library) = build(&[]);
    std::fs::write(folder.path().join("tiny.json"), NETWORK).expect("a network");
    let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
    command
        .args(arguments)
        .args(settings.iter().flat_map(|setting| ["--set", setting]));
    command
        .current_dir(folder.path())
        .env("XDG_STATE_HOME", folder.path());
    command
        .env(
            "LD_LIBRARY_PATH",
            library.parent().expect("the library is in a folder"),
        )
        .env("CUDA_VISIBLE_DEVICES", "");
    command.output().expect("the program starts")
}

fn log(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_search_without_a_screen_warns_of_it_once() {
    let output = run(&["search", "--headless", "--run", "run"], &TINY);
    assert!(
        output.status.success() && log(&output).matches(IDLE).count() == 1,
        "{}",
        log(&output)
    );
}

#[test]
fn a_search_for_the_cpu_gives_no_warning() {
    let output = run(
        &[
            "search",
            "--headless",
            "--run",
            "run",
            "--set",
            "workers.device=\"cpu\"",
        ],
        &TINY,
    );
    assert!(
        output.status.success() && !log(&output).contains("stays idle"),
        "{}",
        log(&output)
    );
}

#[test]
fn a_search_that_requires_cuda_ends_with_the_reason() {
    let output = run(
        &[
            "search",
            "--headless",
            "--run",
            "run",
            "--set",
            "workers.device=\"cuda\"",
        ],
        &TINY,
    );
    assert!(!output.status.success());
    let error = "libtorch sees no CUDA device; ask for `auto` or `cpu` to train on the CPU; \
                 CUDA_VISIBLE_DEVICES is empty";
    assert!(log(&output).contains(error), "{}", log(&output));
    assert!(log(&output).contains("nothing had begun: the run directory was removed"));
}

#[test]
fn a_training_an_evaluation_and_a_benchmark_warn_of_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let training = [
        "train.recipe=cosine",
        "recipes.cosine.epochs=2",
        "data.limit=200",
        "data.validation=100",
    ];
    let commands: [(&[&str], &[&str]); 3] = [
        (
            &["train", "tiny.json", "--headless", "--run", "run"],
            &training,
        ),
        (&["evaluate", "run:best", "--limit", "50"], &[]),
        (
            &[
                "bench",
                "--children",
                "tiny.json",
                "--images",
                "128",
                "--data",
                "fashion-mnist-mini",
            ],
            &[],
        ),
    ];
    for (arguments, settings) in commands {
        let output = run_in(&folder, arguments, settings);
        assert!(
            output.status.success() && log(&output).matches(IDLE).count() == 1,
            "{}",
            log(&output)
        );
    }
}

#[test]
fn the_screen_of_a_search_shows_the_warning() {
    let (_folder, library) = build(&[]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = library
        .parent()
        .and_then(Path::to_str)
        .expect("the library is in a folder");
    let variables = [("LD_LIBRARY_PATH", path), ("CUDA_VISIBLE_DEVICES", "")];
    let mut arguments = vec!["search", "--run", "run"];
    arguments.extend(TINY.iter().flat_map(|setting| ["--set", setting]));
    let mut terminal = Terminal::start_with(&variables, &arguments, folder.path(), 200, 50);
    terminal.wait_for("NVIDIA GPU stays idle");
    terminal.wait_for("COMPLETED");
    terminal.keys("q");
    assert_eq!(terminal.wait_exit(), 0);
}

#[test]
fn doctor_distinguishes_a_libtorch_for_the_cpu_from_all_other_reasons() {
    let (_folder, library) = build(&[]);
    if nas_tui::child::libtorch::folder()
        .join("libtorch_cuda.so")
        .exists()
    {
        // A GPU server has one with CUDA: tests/it/cuda_build.rs tests the other reasons there,
        // too.
        return;
    }
    let output = doctor(&library, &["--json"], &[]);
    let finding = finding(&output, "cuda");
    assert_eq!(finding["status"], "warning", "{finding}");
    assert_eq!(
        finding["text"],
        "this program uses a libtorch built for the CPU only"
    );
    assert!(
        finding["remedy"]
            .as_str()
            .is_some_and(|remedy| remedy.contains("make build KIND=cuda")),
        "{finding}"
    );
    assert_eq!(finding["details"]["driver_runs"], "12.8");
}
