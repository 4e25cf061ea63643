//! GPUs through a `libnvidia-ml.so.1` that the tests build themselves, so that this machine needs
//! none.

mod load;
#[cfg(feature = "torch")]
mod unseen;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use nas_tui::telemetry::gpu::{load_from, memory_of, status};
use nas_tui::telemetry::{
    EnergyMeter, GpuClock, GpuProcess, GpuSample, GpuStatus, ProcessRole, Throttle, WatchList,
    Watched,
};
use serde_json::Value;
use tempfile::TempDir;

use super::terminal::Terminal;

const GIB: u64 = 1 << 30;

/// The library in a separate folder, built with these settings (see its source).
pub fn build(settings: &[&str]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let library = folder.path().join("libnvidia-ml.so.1");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fake_nvml.c");
    let mut compiler = Command::new("cc");
    compiler
        .args(["-shared", "-fPIC", "-Wall", "-Werror", "-O1", "-o"])
        .arg(&library)
        .arg(source);
    compiler.args(settings.iter().map(|setting| format!("-D{setting}")));
    let output = compiler.output().expect("a C compiler, `cc`");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    (folder, library)
}

/// The GPUs of a library with these settings.
fn gpus(settings: &[&str], watched: &WatchList) -> Vec<GpuSample> {
    let (_folder, library) = build(settings);
    let nvml = load_from(&library).expect("the fake works");
    match status(&nvml, watched) {
        GpuStatus::Present(gpus) => gpus,
        other => panic!("no GPUs: {other:?}"),
    }
}

/// `nas-tui doctor` with the library in place of the machine's.
fn doctor(library: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
    command
        .arg("doctor")
        .args(arguments)
        .envs(variables.iter().copied());
    // libtorch's own path is not needed, because it is in the program.
    command.env(
        "LD_LIBRARY_PATH",
        library.parent().expect("the library is in a folder"),
    );
    command.output().expect("the program starts")
}

fn nvml_finding(output: &Output) -> Value {
    finding(output, "nvml")
}

/// What `doctor --json` reports about a topic.
pub fn finding(output: &Output, topic: &str) -> Value {
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let findings = report["findings"].as_array().expect("findings").clone();
    findings
        .into_iter()
        .find(|finding| finding["topic"] == topic)
        .unwrap_or_else(|| panic!("no finding about {topic}"))
}

#[test]
fn all_values_of_a_gpu_that_reports_everything_are_read() {
    let gpus = gpus(&[], &WatchList::default());
    let GpuSample {
        utilization,
        energy,
        processes,
        ..
    } = gpus[0].clone();
    assert!(
        utilization.is_some_and(|share| (0.3..1.0).contains(&share))
            && energy.is_some_and(|joules| joules > 0.0)
    );
    assert_eq!(
        processes.map(|processes| processes.len()),
        Some(1),
        "one that computes and draws is one process"
    );
    let told = GpuSample {
        utilization: None,
        energy: None,
        processes: None,
        ..gpus[0].clone()
    };
    let expected = GpuSample {
        index: 0,
        name: Some("NVIDIA H100 80GB HBM3".into()),
        memory_used: Some(13 * GIB),
        memory_free: Some(67 * GIB),
        memory_total: Some(80 * GIB),
        temperature: Some(61),
        power: Some(360.0),
        power_limit: Some(700.0),
        sm_clock: Some(GpuClock {
            now: 1_755,
            max: Some(1_980),
        }),
        memory_clock: Some(GpuClock {
            now: 2_619,
            max: Some(2_619),
        }),
        throttle: Some(vec![Throttle::PowerCap]),
        ..GpuSample::default()
    };
    assert_eq!(told, expected);
}

#[test]
fn values_that_a_gpu_does_not_report_are_none_and_never_zero() {
    let expected = GpuSample {
        index: 1,
        name: Some("NVIDIA GeForce GTX 1660".into()),
        memory_used: Some(GIB),
        memory_free: Some(5 * GIB),
        memory_total: Some(6 * GIB),
        temperature: Some(40),
        ..GpuSample::default()
    };
    assert_eq!(gpus(&[], &WatchList::default())[1], expected);
}

#[test]
fn the_load_of_a_gpu_in_mig_mode_is_none_even_if_nvml_says_0() {
    let gpus = gpus(&["FAKE_NVML_MIG=1"], &WatchList::default());
    assert_eq!((gpus[1].mig, gpus[1].utilization), (true, None));
    assert!(!gpus[0].mig && gpus[0].utilization.is_some());
}

#[test]
fn a_gpu_off_the_bus_keeps_its_place_and_the_other_its_values() {
    let gpus = gpus(&["FAKE_NVML_LOST=1"], &WatchList::default());
    assert_eq!(
        gpus[1],
        GpuSample {
            index: 1,
            lost: true,
            ..GpuSample::default()
        }
    );
    assert_eq!(gpus[0].temperature, Some(61));
}

#[test]
fn our_process_on_a_gpu_is_distinguished_from_others() {
    let own = std::process::id();
    let watched = WatchList::default();
    watched.set(vec![Watched {
        pid: own,
        role: ProcessRole::Worker(3),
        seen: jiff::Timestamp::now(),
    }]);
    let gpus = gpus(&[&format!("FAKE_NVML_PID={own}")], &watched);
    let processes = gpus[0].processes.clone().expect("processes");
    let [ours, other] = &processes[..] else {
        panic!("{processes:?}")
    };
    assert!(
        matches!(
            ours,
            GpuProcess {
                role: Some(ProcessRole::Worker(3)),
                memory: Some(12_884_901_888),
                ..
            }
        ),
        "{ours:?}"
    );
    assert!(
        matches!(
            other,
            GpuProcess {
                pid: 1,
                role: None,
                memory: None,
                ..
            }
        ),
        "{other:?}"
    );
}

#[test]
fn the_memory_used_by_a_process_is_reported_if_the_driver_knows_it() {
    let own = std::process::id();
    let (_folder, library) = build(&[&format!("FAKE_NVML_PID={own}")]);
    let nvml = load_from(&library).unwrap();
    let gpu = nvml.device_by_index(0).unwrap();
    // The second one is listed without a figure, the third is not listed.
    assert_eq!(
        [own, 1, own + 1].map(|pid| memory_of(&gpu, pid)),
        [Some(12 * GIB), None, None]
    );
}

#[test]
fn a_process_that_reuses_the_pid_of_an_old_worker_is_not_ours() {
    let own = std::process::id();
    let watched = WatchList::default();
    watched.set(vec![Watched {
        pid: own,
        role: ProcessRole::Worker(3),
        seen: jiff::Timestamp::UNIX_EPOCH,
    }]);
    assert_eq!(watched.role(own), None);
}

#[test]
fn a_child_is_charged_the_energy_that_its_gpu_used() {
    let (_folder, library) = build(&[]);
    let mut meter = EnergyMeter::start_with(library);
    meter.child_started(1, "cuda:0");
    meter.child_started(2, "cuda:1");
    let start = Instant::now();
    std::thread::sleep(Duration::from_millis(2_500));
    let (seconds, asked) = (start.elapsed().as_secs_f64(), Instant::now());
    let energy = meter
        .child_ended(1)
        .expect("the first GPU counts its energy");
    assert!(
        asked.elapsed() < Duration::from_millis(50),
        "the search had to wait"
    );
    let joules = energy * 3_600.0;
    assert!(
        (joules / seconds / 360.0 - 1.0).abs() < 0.1,
        "{joules} J in {seconds} s at 360 W"
    );
    assert_eq!(meter.child_ended(2), None, "the second GPU tells nothing");
}

#[test]
fn a_driver_that_hangs_delays_the_search_neither_during_training_nor_at_its_end() {
    let (_folder, library) = build(&["FAKE_NVML_HANG=1"]);
    let mut meter = EnergyMeter::start_with(library);
    meter.child_started(1, "cuda:0");
    std::thread::sleep(Duration::from_millis(500));
    let start = Instant::now();
    meter.child_started(2, "cuda:0");
    assert_eq!((meter.child_ended(1), meter.child_ended(2)), (None, None));
    drop(meter);
    // It hangs for ever: whoever waits for it waits longer than this.
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn keys_are_answered_while_a_driver_hangs() {
    // A measurement makes four queries: the first measurement is answered, the second never.
    let (_folder, library) = build(&["FAKE_NVML_HANG=5"]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = folder.path().join("runs/recorded");
    std::fs::create_dir_all(&run).expect("a run directory");
    let journal = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-demo.jsonl");
    std::fs::copy(journal, run.join("journal.jsonl")).expect("a journal");
    let path = library
        .parent()
        .and_then(Path::to_str)
        .expect("the library is in a folder");
    let mut terminal = Terminal::start_with(
        &[("LD_LIBRARY_PATH", path)],
        &["attach", "recorded"],
        folder.path(),
        80,
        24,
    );
    terminal.wait_for("COMPLETED");
    terminal.keys("5");
    terminal.wait_for("H100");
    // A run that has ended is redrawn only for a key.
    let start = Instant::now();
    while !terminal.contents().contains("NVML does not answer") {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "NVML still answers:\n{}",
            terminal.contents()
        );
        std::thread::sleep(Duration::from_millis(500));
        terminal.keys("\x0c");
    }
    let mut slowest = Duration::ZERO;
    for (keys, shown) in [
        ("1a", "Accuracy"),
        ("a", "Reward"),
        ("b", "Inspector"),
        ("\t", "[Costs]"),
        ("\x1b[B", "[Costs]"),
        ("q", "Log"),
    ] {
        let pressed = Instant::now();
        terminal.keys(keys);
        terminal.wait_for(shown);
        slowest = slowest.max(pressed.elapsed());
    }
    // 50 ms on a quiet machine, which a machine that runs all tests at once is not.
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    let pressed = Instant::now();
    terminal.keys("q");
    assert_eq!(terminal.wait_exit(), 0);
    assert!(
        pressed.elapsed() < Duration::from_secs(5),
        "the end waits for the driver: {:?}",
        pressed.elapsed()
    );
    terminal.assert_restored();
}

#[test]
fn doctor_names_both_gpus_and_the_driver() {
    let (_folder, library) = build(&[]);
    let finding = nvml_finding(&doctor(&library, &["--json"], &[("FAKE_NVML_MIG", "1")]));
    assert_eq!(finding["status"], "ok", "{finding}");
    let text = "driver 570.00.01, CUDA 12.8: NVIDIA H100 80GB HBM3 (80 GiB, 67 free), NVIDIA GeForce GTX 1660 (6 GiB, 5 free, MIG)";
    assert_eq!(finding["text"], text);
    let gpu = &finding["details"]["gpus"][0];
    assert_eq!(
        (&gpu["power_limit"], &gpu["counts_energy"], &gpu["mig"]),
        (&700.0.into(), &true.into(), &false.into())
    );
}

#[test]
fn doctor_warns_of_a_gpu_off_the_bus() {
    let (_folder, library) = build(&[]);
    let finding = nvml_finding(&doctor(&library, &["--json"], &[("FAKE_NVML_LOST", "1")]));
    assert_eq!(finding["status"], "warning", "{finding}");
    assert!(
        finding["text"]
            .as_str()
            .is_some_and(|text| text.contains("GPU 1 (not reached)")),
        "{finding}"
    );
}

#[test]
fn doctor_does_not_wait_for_a_driver_that_hangs() {
    let (_folder, library) = build(&[]);
    let start = Instant::now();
    let finding = nvml_finding(&doctor(&library, &["--json"], &[("FAKE_NVML_HANG", "1")]));
    assert!(start.elapsed() < Duration::from_secs(60));
    assert_eq!(finding["status"], "warning", "{finding}");
    assert!(
        finding["text"]
            .as_str()
            .is_some_and(|text| text.contains("does not answer")),
        "{finding}"
    );
}
