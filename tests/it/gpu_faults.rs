//! Faults of a GPU from end to end: devices of tests/fixtures/fake_cuda.cpp that fail at a kernel
//! chosen by a test.

mod memory;

use std::path::PathBuf;
use std::process::{Command, Output};

use nas_tui::event::{Event, Level, Record};
use nas_tui::journal;

use crate::fake_cuda;

const ILLEGAL: &str = "CUDA error: an illegal memory access was encountered";

/// Two layers, the second of which also reads the image.
const NETWORK: &str = r#"{
  "name": "tiny", "input": [1, 28, 28], "classes": 10,
  "layers": [
    {"kernel": [3, 3], "filters": 8, "stride": [2, 2], "padding": [1, 1], "inputs": [0]},
    {"kernel": [3, 3], "filters": 8, "stride": [1, 1], "padding": [1, 1], "inputs": [0, 1]}
  ],
  "output": [2]
}"#;

/// Two children of one epoch each, one worker.
const SEARCH: [&str; 9] = [
    "search.episodes=1",
    "search.children_per_episode=2",
    "search.controls=0",
    "data.limit=256",
    "data.validation=128",
    "child.epochs=1",
    "reward.last_epochs=1",
    "workers.count=1",
    "workers.threads=1",
];

/// Two epochs of six steps each.
const TRAINING: [&str; 6] = [
    "data.limit=300",
    "data.validation=100",
    "train.recipe=cosine",
    "recipes.cosine.epochs=2",
    "recipes.cosine.batch_size=50",
    "workers.threads=1",
];

struct Workspace {
    folder: tempfile::TempDir,
}

impl Workspace {
    fn new() -> Workspace {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tiny.json"), NETWORK).unwrap();
        Workspace { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(
        &self,
        arguments: &[&str],
        settings: &[&str],
        variables: &[(&str, &str)],
    ) -> Command {
        let mut command = fake_cuda::nas_tui();
        command
            .args(arguments)
            .args(settings.iter().flat_map(|setting| ["--set", setting]));
        command
            .current_dir(self.folder.path())
            .env("XDG_STATE_HOME", self.path("state"))
            .envs(variables.iter().copied());
        command
    }

    fn search(&self, run: &str, variables: &[(&str, &str)]) -> Output {
        self.command(&["search", "--headless", "--run", run], &SEARCH, variables)
            .output()
            .unwrap()
    }

    fn resume_search(&self, run: &str) -> Output {
        self.command(&["search", "--headless", "--resume", run], &[], &[])
            .output()
            .unwrap()
    }

    fn train(&self, run: &str, variables: &[(&str, &str)]) -> Output {
        self.command(
            &["train", "tiny.json", "--headless", "--run", run],
            &TRAINING,
            variables,
        )
        .output()
        .unwrap()
    }

    /// The fault `kind` at kernel number `kernel` of each process, at most `times` times in total.
    fn fault(&self, kind: &str, kernel: usize, times: usize) -> String {
        format!(
            "{kind}:{kernel}:{times}:{}",
            self.path(&format!("marks-{kind}-{kernel}")).display()
        )
    }

    fn events(&self, run: &str) -> Vec<Event> {
        let records: Vec<Record> = journal::read(&self.path(run).join("journal.jsonl")).unwrap();
        records.into_iter().map(|record| record.event).collect()
    }

    fn weights(&self, run: &str) -> Vec<u8> {
        std::fs::read(self.path(run).join("weights.safetensors")).unwrap()
    }

    /// Names of the kernels, in order, of the process that ran most of them with
    /// `NAS_TUI_FAKE_CUDA_TRACE` in `trace`.
    fn kernels(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap());
        let traces =
            entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("trace."));
        let texts = traces.map(|entry| std::fs::read_to_string(entry.path()).unwrap());
        let names = |text: String| -> Vec<String> {
            text.lines()
                .filter_map(|line| line.strip_prefix("kernel "))
                .map(str::to_owned)
                .collect()
        };
        texts.map(names).max_by_key(Vec::len).expect("a trace")
    }
}

fn assert_ok(output: &Output) {
    assert!(
        output.status.success(),
        "{:?}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Accuracies of the children that were trained, by number.
fn accuracies(events: &[Event]) -> Vec<(u64, f64)> {
    let of = |event: &Event| {
        if let Event::ChildFinished(child) = event {
            Some((child.child, child.accuracy))
        } else {
            None
        }
    };
    let mut all: Vec<(u64, f64)> = events.iter().filter_map(of).collect();
    all.sort_by_key(|(child, _)| *child);
    all
}

fn deaths(events: &[Event]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| {
            if let Event::WorkerDied { reason, .. } = event {
                Some(reason.as_str())
            } else {
                None
            }
        })
        .collect()
}

#[test]
fn a_child_on_a_device_that_fails_once_is_retrained_in_a_new_process_with_the_same_result() {
    let workspace = Workspace::new();
    assert_ok(&workspace.search("whole", &[]));
    let whole = accuracies(&workspace.events("whole"));
    assert_eq!(whole.len(), 2);
    // One that ends a process for good, and one that it could survive except for its caches.
    for (kind, reason) in [
        ("illegal-access", ILLEGAL),
        ("cudnn-execution", "CUDNN_STATUS_EXECUTION_FAILED"),
        ("cublas-alloc", "ALLOC_FAILED"),
    ] {
        let output = workspace.search(
            kind,
            &[("NAS_TUI_FAKE_CUDA_FAULT", &workspace.fault(kind, 200, 1))],
        );
        assert_ok(&output);
        let events = workspace.events(kind);
        let died = deaths(&events);
        assert!(died.len() == 1 && died[0].contains(reason), "{died:?}");
        assert_eq!(accuracies(&events), whole, "{kind}");
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            log.matches(reason).count(),
            1,
            "a reason is said once: {log}"
        );
        assert!(
            !log.contains("frame #") && !log.contains("CUDA_LAUNCH_BLOCKING"),
            "{log}"
        );
    }
}

#[test]
fn a_child_whose_device_fails_twice_is_excluded_and_the_next_one_counts() {
    let workspace = Workspace::new();
    let output = workspace.search(
        "run",
        &[(
            "NAS_TUI_FAKE_CUDA_FAULT",
            &workspace.fault("illegal-access", 200, 2),
        )],
    );
    assert_ok(&output);
    let events = workspace.events("run");
    let excluded = |event: &&Event| matches!(event, Event::ChildExcluded { child: 1, reason, .. } if reason.contains(ILLEGAL));
    assert_eq!(events.iter().filter(excluded).count(), 1, "{events:?}");
    let Some(Event::EpisodeFinished(episode)) = events
        .iter()
        .find(|event| matches!(event, Event::EpisodeFinished(_)))
    else {
        panic!("the episode is learned from")
    };
    assert_eq!(
        (episode.excluded, episode.failures, episode.advantages.len()),
        (1, 0, 1)
    );
    assert_eq!(accuracies(&events).len(), 1);
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("1 child excluded"),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn a_device_that_cannot_train_ends_the_search_before_its_children_are_used_up() {
    let workspace = Workspace::new();
    let output = workspace.search(
        "run",
        &[("NAS_TUI_FAKE_CUDA_FAULT", &workspace.fault("ecc", 200, 100))],
    );
    assert_eq!(output.status.code(), Some(1));
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        log.contains("no worker can train") && log.contains("uncorrectable ECC error"),
        "{log}"
    );
    // No child has succeeded, so that one is lost is not recorded: a resume tries both.
    let events = workspace.events("run");
    let has_ended = |event: &Event| matches!(event, Event::ChildExcluded { .. });
    assert!(!events.iter().any(has_ended), "{events:?}");
    assert_ok(&workspace.resume_search("run"));
    assert_eq!(accuracies(&workspace.events("run")).len(), 2);
}

#[test]
fn an_exception_of_libtorch_in_the_middle_of_a_training_costs_one_child() {
    const REASON: &str = "libtorch failed: could not create a primitive descriptor";
    let workspace = Workspace::new();
    let fault = workspace.fault("other", 200, 1);
    let output = workspace.search("run", &[("NAS_TUI_FAKE_CUDA_FAULT", &fault)]);
    assert_ok(&output);
    let events = workspace.events("run");
    let failed: Vec<u64> = events
        .iter()
        .filter_map(|event| match event {
            Event::ChildFailed { child, reason, .. } if reason.starts_with(REASON) => Some(*child),
            _ => None,
        })
        .collect();
    assert_eq!(
        (failed, accuracies(&events).len()),
        (vec![1], 1),
        "{events:?}"
    );
    assert_eq!(deaths(&events), Vec::<&str>::new());
}

#[test]
fn a_training_that_loses_its_device_stops_at_its_last_checkpoint_and_continues_without_a_difference()
 {
    let workspace = Workspace::new();
    assert_ok(&workspace.train(
        "whole",
        &[(
            "NAS_TUI_FAKE_CUDA_TRACE",
            workspace.path("trace").to_str().unwrap(),
        )],
    ));
    // In the middle of the second epoch.
    let kernel = workspace.kernels().len() / 2;
    let output = workspace.train(
        "parts",
        &[(
            "NAS_TUI_FAKE_CUDA_FAULT",
            &workspace.fault("illegal-access", kernel, 1),
        )],
    );
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(
        log.contains(ILLEGAL) && log.contains("--resume") && !log.contains("frame #"),
        "{log}"
    );
    let resume = workspace
        .command(&["train", "--headless", "--resume", "parts"], &[], &[])
        .output()
        .unwrap();
    assert_ok(&resume);
    assert_eq!(workspace.weights("parts"), workspace.weights("whole"));
    let test = |run: &str| {
        workspace.events(run).into_iter().find_map(|event| {
            if let Event::TestFinished(test) = event {
                Some(test.report)
            } else {
                None
            }
        })
    };
    assert_eq!(test("parts").unwrap(), test("whole").unwrap());
}
