//! `nas-tui doctor --train`: real trainings on the CPU and on fake devices.

use std::path::Path;
use std::process::{Command, Output};

use nas_tui::foundation::host::{convolves_in_bf16, cores};
use serde_json::Value;

use super::{fake_cuda, fake_nvml};

/// The key of each figure of a check, with its verdict.
fn verdicts(device: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, check) in device.as_object().expect("a device is an object") {
        let checks = check
            .as_array()
            .map_or(vec![check], |checks| checks.iter().collect());
        let verdict = |check: &&Value| check["status"].as_str().map(str::to_owned);
        found.extend(
            checks
                .iter()
                .filter_map(verdict)
                .map(|verdict| (name.clone(), verdict)),
        );
    }
    found
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Names that must not appear in an issue.
fn private() -> Vec<String> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .unwrap_or_default()
        .trim()
        .to_owned();
    let home = std::env::var("HOME").unwrap_or_default();
    [host, home, env!("CARGO_MANIFEST_DIR").to_owned()]
        .into_iter()
        .filter(|name| name.len() > 3)
        .collect()
}

fn doctor(mut command: Command, cache: &Path, arguments: &[&str]) -> Output {
    command
        .args(["doctor", "--train", "--json"])
        .args(arguments)
        .env("XDG_CACHE_HOME", cache);
    command.output().expect("the program starts")
}

fn assert_verdicts_of_the_cpu(device: &Value) {
    let verdicts = verdicts(device);
    let count = |name: &str, verdict: &str| {
        verdicts
            .iter()
            .filter(|(a, b)| (a.as_str(), b.as_str()) == (name, verdict))
            .count()
    };
    let without_kernels = usize::from(!convolves_in_bf16());
    assert_eq!(
        (
            count("agreement", "passed"),
            count("agreement", "skipped"),
            count("speed", "passed"),
            verdicts.len()
        ),
        (4 - without_kernels, without_kernels, 2, 10),
        "{verdicts:?}"
    );
    assert_eq!(count("numbering", "skipped"), 1);
}

#[test]
fn the_cpu_passes_in_every_form_and_the_report_can_be_shown_to_anyone() {
    let cache = tempfile::tempdir().unwrap();
    let output = doctor(
        Command::new(env!("CARGO_BIN_EXE_nas-tui")),
        cache.path(),
        &["--device", "cpu"],
    );
    let report = report(&output);
    assert!(
        output.status.success() && report["passed"] == true,
        "{report:#}"
    );
    let device = &report["devices"][0];
    assert_verdicts_of_the_cpu(device);
    let compared = device["agreement"].as_array().unwrap().iter();
    let compared = compared.filter(|row| row["status"] != "skipped");
    for row in compared.clone() {
        let steps = row["losses"].as_array().unwrap().len();
        assert!(
            steps == 2 && row["difference"].as_f64().unwrap() <= row["tolerance"].as_f64().unwrap(),
            "{row}"
        );
    }
    // The forms really computed something different. (For NASCNN15 in f32 the loss is too coarse to
    // show it.)
    for row in compared.filter(|row| row["memory"] != "spectra") {
        assert!(row["difference"].as_f64().unwrap() > 0.0, "{row}");
    }
    let threads: Vec<u64> = device["speed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["threads"].as_u64().unwrap())
        .collect();
    assert_eq!(
        threads,
        [1, cores() as u64],
        "a child has a worker's thread, a large network every core"
    );
    assert!(device["workers"]["best"].as_u64().unwrap() >= 1);
    assert!(
        device["out_of_memory"]["error"]
            .as_str()
            .unwrap()
            .contains("can't allocate memory"),
        "{device:#}"
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for name in private() {
        assert!(!text.contains(&name), "{name}");
    }
    assert!(String::from_utf8_lossy(&output.stderr).contains("children per hour with 1 worker"));
    assert!(
        !cache.path().join("nas-tui/throughput.json").exists(),
        "the CPU's best number is no measured one"
    );
}

#[test]
fn a_gpu_is_tested_in_three_precisions_and_its_best_number_of_workers_is_saved() {
    let cache = tempfile::tempdir().unwrap();
    let (_folder, nvml) = fake_nvml::build(&[]);
    let mut command = fake_cuda::nas_tui();
    command.env("LD_LIBRARY_PATH", nvml.parent().unwrap());
    command
        .env("NAS_TUI_FAKE_CUDA_MEMORY", (512 << 20).to_string())
        .env("FAKE_NVML_FREE", "2");
    let output = doctor(command, cache.path(), &["--device", "cuda:0"]);
    let report = report(&output);
    assert!(
        output.status.success(),
        "{report:#}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let device = &report["devices"][0];
    assert_eq!(
        (device["device"].as_str(), device["model"].as_str()),
        (Some("cuda:0"), Some("NVIDIA H100 80GB HBM3"))
    );
    let numbers: Vec<&str> = device["agreement"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["numbers"].as_str().unwrap())
        .collect();
    assert_eq!(numbers, ["f32", "f32", "tf32", "tf32", "bf16", "bf16"]);
    assert!(
        device["out_of_memory"]["error"]
            .as_str()
            .unwrap()
            .contains("CUDA out of memory"),
        "{device:#}"
    );
    assert_eq!(
        (
            device["numbering"]["status"].as_str(),
            device["numbering"]["cuda_bus"].as_str()
        ),
        (Some("passed"), Some("0000:3b:00.0"))
    );
    let counts: Vec<u64> = device["workers"]["rates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rate| rate["workers"].as_u64().unwrap())
        .collect();
    assert_eq!(counts, [1, 2], "2 GiB are enough for two workers");
    let kept: Value = serde_json::from_slice(
        &std::fs::read(cache.path().join("nas-tui/throughput.json")).unwrap(),
    )
    .unwrap();
    assert_eq!(kept["devices"][0]["model"], "NVIDIA H100 80GB HBM3");
    assert_eq!(kept["devices"][0]["rates"], device["workers"]["rates"]);
}

#[test]
fn a_missing_device_is_refused_with_the_available_ones() {
    let cache = tempfile::tempdir().unwrap();
    let output = doctor(fake_cuda::nas_tui(), cache.path(), &["--device", "cuda:7"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(
        error.contains("`cuda:7`") && error.contains("cpu and cuda:0"),
        "{error}"
    );
}
