//! How training uses a device: kernels, copies, and how often the host waits for it, counted on the
//! devices of `fake_cuda`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use nas_tui::config::{
    ChildConfig, ChildSchedule, Crop, DataConfig, DataSource, Decode, Flip, Normalization,
};
use nas_tui::evaluate::local::WorkerSettings;
use nas_tui::evaluate::placement::Placement;
use nas_tui::evaluate::watch::Deadlines;
use nas_tui::evaluate::{ChildJob, Evaluator, LocalWorkers, Report};
use nas_tui::foundation::device::Device;
use nas_tui::space::{Architecture, Layer, resolve_architecture};
use serde_json::json;

use crate::fake_cuda::{self, Counts};

/// Images in a batch, which do not affect the counts of a step.
const BATCH: usize = 4;
/// Maximum time between two ticks, as in the trainer.
const TICK: f64 = 0.25;

fn chain(layers: usize) -> Architecture {
    let layer = |input| Layer {
        kind: Default::default(),
        kernel: [3, 3],
        filters: 8,
        stride: [1, 1],
        padding: [1, 1],
        inputs: vec![input],
    };
    Architecture {
        name: format!("chain-{layers}"),
        input: [1, 28, 28],
        classes: 10,
        layers: (0..layers).map(layer).collect(),
        output: vec![layers],
    }
}

fn data() -> DataConfig {
    DataConfig {
        source: DataSource::FashionMnistMini,
        dir: None,
        size: [28, 28],
        validation: 20,
        limit: Some(400),
        normalization: Normalization::Standard,
        crop: Crop::Pad(4),
        flip: Flip::Random,
        cutout: 8,
    }
}

fn child() -> ChildConfig {
    ChildConfig {
        epochs: 1,
        batch_size: BATCH,
        learning_rate: 0.01,
        momentum: 0.9,
        nesterov: true,
        weight_decay: 1e-4,
        schedule: ChildSchedule::Constant,
    }
}

/// How a process used its device, and the time it took.
#[derive(Debug)]
struct Counted {
    counts: Counts,
    seconds: f64,
}

impl Counted {
    /// Maximum number of ticks in that time: one at the start and one after each interval.
    fn most_ticks(&self) -> u64 {
        (self.seconds / TICK) as u64 + 1
    }
}

/// Train a child for one epoch of `steps` steps in a worker of `program`, from its first message to
/// its last.
fn count_child(program: &Path, architecture: &Architecture, steps: usize) -> Counted {
    let folder = tempfile::tempdir().unwrap();
    let counted = folder.path().join("counts");
    let begin = Instant::now();
    let mut worker = Command::new(program)
        .arg("worker")
        .env("LD_PRELOAD", fake_cuda::library())
        .env("NAS_TUI_FAKE_CUDA_COUNTS", &counted)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = worker.stdin.take().unwrap();
    let noise = json!({"noise": {"input": architecture.input, "classes": architecture.classes, "train": steps * BATCH, "validation": 8}});
    let start = json!({"type": "start", "worker": 0, "data": data(), "child": child(), "threads": 1, "device": "cuda:0", "seed": 0, "sample": noise});
    let train = json!({"type": "train", "job": ChildJob { child: 0, seed: 1, architecture: architecture.clone() , stop: None}});
    writeln!(input, "{start}\n{train}").unwrap();
    let mut lines = BufReader::new(worker.stdout.take().unwrap())
        .lines()
        .map(|line| line.unwrap());
    let finished = lines
        .find(|line| line.contains(r#""type":"finished""#))
        .expect("the child comes to an end");
    assert!(finished.contains("valid_accuracies"), "{finished}");
    let seconds = begin.elapsed().as_secs_f64();
    drop(input);
    worker.wait().unwrap();
    Counted {
        counts: fake_cuda::counts(&counted)[0],
        seconds,
    }
}

fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_nas-tui"))
}

/// `more` ran `steps` more steps than `few`: none of them may have copied or waited.
fn assert_only_ticks(few: &Counted, more: &Counted, steps: u64) {
    let ticks = more.most_ticks();
    assert!(
        ticks < steps / 2,
        "too slow a machine to tell steps from ticks: {more:?}"
    );
    let grown = |of: fn(&Counts) -> u64| of(&more.counts).saturating_sub(of(&few.counts));
    assert!(
        grown(|counts| counts.kernels) > 30 * steps,
        "the steps ran on the device: {few:?}, {more:?}"
    );
    assert_eq!(
        grown(|counts| counts.copies_to_device),
        0,
        "{few:?}, {more:?}"
    );
    assert!(
        grown(|counts| counts.copies_from_device) <= ticks,
        "{few:?}, {more:?}"
    );
    assert!(
        grown(|counts| counts.synchronisations) <= ticks,
        "{few:?}, {more:?}"
    );
}

#[test]
fn an_epoch_of_a_child_copies_and_waits_only_at_ticks_however_many_steps_it_has() {
    let [few, more] = [100, 200].map(|steps| count_child(&program(), &chain(3), steps));
    assert_only_ticks(&few, &more, 100);
}

#[test]
fn an_epoch_of_a_training_copies_and_waits_only_at_ticks_however_many_steps_it_has() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("chain.json"), chain(3).to_json()).unwrap();
    let [few, more] = [100, 200].map(|steps| {
        let counted = folder.path().join(format!("counts-{steps}"));
        let mut command = fake_cuda::nas_tui();
        command
            .args([
                "train",
                "chain.json",
                "--headless",
                "--run",
                &format!("run-{steps}"),
            ])
            .current_dir(folder.path());
        command
            .env("NAS_TUI_FAKE_CUDA_COUNTS", &counted)
            .env("XDG_STATE_HOME", folder.path());
        let settings = [
            format!("data.limit={}", steps * BATCH),
            format!("recipes.cosine.batch_size={BATCH}"),
        ];
        let recipe = [
            "train.recipe=cosine",
            "recipes.cosine.epochs=1",
            "recipes.cosine.warmup_epochs=0",
        ];
        let fixed = recipe
            .into_iter()
            .chain(["data.validation=20", "workers.threads=1"]);
        command.args(
            settings
                .iter()
                .map(String::as_str)
                .chain(fixed)
                .flat_map(|setting| ["--set", setting]),
        );
        let begin = Instant::now();
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Counted {
            counts: fake_cuda::counts(&counted)[0],
            seconds: begin.elapsed().as_secs_f64(),
        }
    });
    assert_only_ticks(&few, &more, 100);
}

/// The program with a fake device as a single file, because workers are started from a path.
fn traced(folder: &Path, trace: &Path) -> PathBuf {
    let script = folder.join("nas-tui");
    let lines = [
        format!("export LD_PRELOAD='{}'", fake_cuda::library().display()),
        format!("export NAS_TUI_FAKE_CUDA_TRACE='{}'", trace.display()),
        format!("exec '{}' \"$@\"", program().display()),
    ];
    fs::write(&script, format!("#!/bin/sh\n{}\n", lines.join("\n"))).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    script
}

#[test]
fn a_worker_reports_a_pause_only_once_its_device_has_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let script = traced(folder.path(), &trace);
    let placement = Placement {
        devices: vec![Device::Cuda(0)],
        threads: 1,
    };
    let child = ChildConfig {
        epochs: 1_000,
        ..child()
    };
    let settings = WorkerSettings {
        data: data(),
        child,
        placement,
        sample: None,
        checkpoints: None,
        deadlines: Deadlines::default(),
    };
    let (sender, reports) = channel();
    let mut workers = LocalWorkers::start_placed(Ok(settings), script, move |report| {
        drop(sender.send(report))
    });
    let wait = |wanted: fn(&Report) -> bool| {
        loop {
            let report = reports
                .recv_timeout(Duration::from_secs(240))
                .expect("the awaited report comes");
            match report {
                report if wanted(&report) => return report,
                Report::Fatal { message } => panic!("{message}"),
                _ => {}
            }
        }
    };
    workers.submit(ChildJob {
        child: 1,
        seed: 1,
        architecture: chain(3),
        stop: None,
    });
    let Report::WorkerStarted { pid: Some(pid), .. } =
        wait(|report| matches!(report, Report::WorkerStarted { .. }))
    else {
        unreachable!()
    };
    let so_far = || fs::read_to_string(trace.with_extension(pid.to_string())).unwrap();
    wait(|report| matches!(report, Report::Progress(_)));
    for number in 1..=3 {
        workers.pause(number);
        wait(|report| matches!(report, Report::Paused { .. }));
        let when_paused = so_far();
        assert_eq!(when_paused.lines().last(), Some("synchronisation copy"));
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(so_far().len(), when_paused.len());
        workers.resume();
        wait(|report| matches!(report, Report::Progress(_)));
    }
    workers.shutdown();
}

/// `cargo test --release --test it -- --ignored --nocapture what_a_step` prints the table in
/// docs/PERFORMANCE.md, for the program given by the variable NAS_TUI_COUNTED, or for this one.
#[test]
#[ignore = "a measurement, not a check"]
fn what_a_step_asks_of_a_device() {
    let program = std::env::var_os("NAS_TUI_COUNTED").map_or_else(program, PathBuf::from);
    let nascnn15 = resolve_architecture("nascnn15", Decode::Literal, [3, 32, 32], 10).unwrap();
    println!("| network | kernels | copies to the device | copies from it | waits |");
    for network in [chain(6), chain(15), nascnn15] {
        // Small images do not affect the counts, and steps that are fast on a CPU end before the
        // first tick.
        let architecture = Architecture {
            input: [network.input[0], 8, 8],
            ..network
        };
        let steps = 10;
        let [few, more] = [steps, 2 * steps]
            .map(|steps| count_child(&program, &architecture, steps as usize).counts);
        let per_step = |of: fn(&Counts) -> u64| (of(&more) - of(&few)) as f64 / steps as f64;
        println!(
            "| {} | {} | {} | {} | {} |",
            architecture.name,
            per_step(|counts| counts.kernels),
            per_step(|counts| counts.copies_to_device),
            per_step(|counts| counts.copies_from_device),
            per_step(|counts| counts.synchronisations)
        );
    }
}
