//! This program on a libtorch with CUDA, as `make setup` installs it on machines with an NVIDIA
//! driver. This machine needs neither driver nor GPU: a preloaded library counts devices
//! (tests/fixtures/fake_cuda_count.c).
//!
//! libtorch with CUDA is a single download of 2.6 GB (`~/.cache/nas-tui`). If the disk, the network
//! or the time do not allow it, or with NAS_TUI_TEST_CUDA_BUILD=no, these tests are skipped with a
//! message.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::fake_nvml;
use super::terminal::Terminal;

const LIBRARY: &str = "libtorch_cuda.so";
/// Time limit for the installation, which takes a minute on a fast network.
const PATIENCE: Duration = Duration::from_secs(20 * 60);

/// The libraries of a libtorch with CUDA, installed if necessary; `None` if the test is skipped.
fn libtorch() -> Option<PathBuf> {
    if std::env::var("NAS_TUI_TEST_CUDA_BUILD").is_ok_and(|value| value == "no") {
        return skipped("NAS_TUI_TEST_CUDA_BUILD=no");
    }
    // Each test is a separate process, and only one of them needs to install it or find that it
    // cannot be installed.
    let mark = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cuda-build.lock");
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&mark)
        .expect("a file in the target folder");
    lock.lock().expect("a lock on it");
    match install() {
        Ok(folder) => Some(folder.join("lib")),
        Err(reason) => skipped(&reason),
    }
}

/// The folder that scripts/libtorch.py prints.
fn install() -> Result<PathBuf, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/libtorch.py");
    let mut command = Command::new("python3");
    command
        .arg(script)
        .arg("cuda")
        .env_remove("LIBTORCH")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // A driver that is too old for CUDA 13 is no reason to choose another build, because no device
    // is used.
    let mut process = command
        .spawn()
        .map_err(|error| format!("python3 cannot be started: {error}"))?;
    let (mut stdout, mut stderr) = (
        process.stdout.take().expect("a pipe"),
        process.stderr.take().expect("a pipe"),
    );
    let said = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = stderr.read_to_string(&mut text);
        text
    });
    let start = Instant::now();
    let status = loop {
        if let Some(status) = process.try_wait().expect("the script can be waited for") {
            break status;
        }
        if start.elapsed() > PATIENCE {
            let _ = process.kill();
            let _ = process.wait();
            return Err(format!(
                "libtorch with CUDA was not there after {} minutes",
                PATIENCE.as_secs() / 60
            ));
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let mut folder = String::new();
    stdout
        .read_to_string(&mut folder)
        .expect("the script's output");
    if status.success() {
        Ok(folder.trim().into())
    } else {
        Err(said.join().unwrap_or_default().trim().replace('\n', " | "))
    }
}

fn skipped<T>(reason: &str) -> Option<T> {
    use std::io::Write;
    // Not eprintln: the test runner would hide it.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED {}: {reason}",
        std::thread::current().name().unwrap_or("test")
    );
    None
}

/// This program with that libtorch: the same file that runs with one without CUDA.
fn nas_tui(libraries: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
    command
        .args(arguments)
        .env("LD_LIBRARY_PATH", libraries)
        .env_remove("CUDA_VISIBLE_DEVICES")
        .env_remove("CUDA_DEVICE_ORDER");
    command
}

/// A library whose cudaGetDeviceCount returns two.
fn two_devices(folder: &Path) -> PathBuf {
    let library = folder.join("two_devices.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fake_cuda_count.c");
    let output = Command::new("cc")
        .args(["-shared", "-fPIC", "-Wall", "-Werror", "-o"])
        .arg(&library)
        .arg(source)
        .output();
    let output = output.expect("a C compiler, `cc`");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    library
}

#[test]
fn doctor_sees_the_devices_that_cuda_counts_in_bus_order() {
    let Some(libraries) = libtorch() else { return };
    let folder = tempfile::tempdir().unwrap();
    let doctor = |variables: &[(&str, &str)]| {
        let mut command = nas_tui(&libraries, &["doctor", "--json"]);
        let output = command
            .env("LD_PRELOAD", two_devices(folder.path()))
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        fake_nvml::finding(&output, "cuda")
    };
    let found = doctor(&[]);
    assert_eq!(
        (&found["status"], &found["text"]),
        (
            &"ok".into(),
            &"cuda:0, cuda:1 (libtorch for CUDA 13.0)".into()
        ),
        "{found}"
    );
    assert_eq!(
        (&found["details"]["devices"], &found["details"]["cudnn"]),
        (&2.into(), &true.into()),
        "{found}"
    );
    let other = doctor(&[("CUDA_DEVICE_ORDER", "FASTEST_FIRST")]);
    assert_eq!(
        other["details"]["devices"], 1,
        "the user's order counts: {other}"
    );
}

#[test]
fn doctor_warns_of_gpus_that_accept_only_one_process_at_a_time() {
    let Some(libraries) = libtorch() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (_folder, nvml) = fake_nvml::build(&[]);
    let path = format!(
        "{}:{}",
        libraries.display(),
        nvml.parent().unwrap().display()
    );
    let mut command = nas_tui(&libraries, &["doctor", "--json"]);
    command
        .env("LD_LIBRARY_PATH", path)
        .env("LD_PRELOAD", two_devices(folder.path()))
        .env("FAKE_NVML_MODE", "3");
    let found = fake_nvml::finding(&command.output().unwrap(), "cuda");
    assert_eq!(
        (&found["status"], &found["details"]["devices"]),
        (&"warning".into(), &2.into()),
        "{found}"
    );
    assert!(
        found["text"]
            .as_str()
            .is_some_and(|text| text.contains("EXCLUSIVE_PROCESS")),
        "{found}"
    );
    assert!(
        found["remedy"]
            .as_str()
            .is_some_and(|remedy| remedy.contains("nvidia-smi -c DEFAULT")),
        "{found}"
    );
}

/// The libraries that the dynamic linker loads for this command.
fn loaded(command: &mut Command, folder: &Path) -> String {
    let trace = folder.join("trace");
    let output = command
        .env("LD_DEBUG", "files")
        .env("LD_DEBUG_OUTPUT", &trace)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    traced(folder)
}

/// What the dynamic linker wrote to the files `trace.PID` in `folder`.
fn traced(folder: &Path) -> String {
    let traces = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let text = traces.filter(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("trace."))
    });
    text.map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}

#[test]
fn commands_that_train_nothing_load_nothing_of_cuda() {
    let Some(libraries) = libtorch() else { return };
    let journal = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-demo.jsonl");
    let commands: [&[&str]; 5] = [
        &["--version"],
        &["list"],
        &["config", "show"],
        &["inspect", "nascnn15"],
        &["report", "run", "--out", "report"],
    ];
    for arguments in commands {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("run")).unwrap();
        std::fs::copy(&journal, folder.path().join("run/journal.jsonl")).unwrap();
        let mut command = nas_tui(&libraries, arguments);
        command
            .current_dir(folder.path())
            .env("XDG_STATE_HOME", folder.path());
        let files = loaded(&mut command, folder.path());
        assert!(
            files.contains("libtorch_cpu.so") && !files.contains(LIBRARY),
            "{arguments:?}"
        );
    }
}

#[test]
fn screens_of_recorded_runs_load_nothing_of_cuda() {
    let Some(libraries) = libtorch() else { return };
    let journal = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-demo.jsonl");
    for command in ["attach", "replay"] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("run")).unwrap();
        std::fs::copy(&journal, folder.path().join("run/journal.jsonl")).unwrap();
        let trace = folder.path().join("trace");
        let [libraries, trace] = [&libraries, &trace].map(|path| path.to_str().unwrap());
        let variables = [
            ("LD_LIBRARY_PATH", libraries),
            ("LD_DEBUG", "files"),
            ("LD_DEBUG_OUTPUT", trace),
        ];
        let terminal = Terminal::start_with(&variables, &[command, "run"], folder.path(), 80, 24);
        terminal.wait_for("Reward");
        let files = traced(folder.path());
        assert!(
            files.contains("libtorch_cpu.so") && !files.contains(LIBRARY),
            "{command}"
        );
    }
}

/// One child on few images.
const TINY: [&str; 10] = [
    "search.episodes=1",
    "search.children_per_episode=1",
    "controller.baseline=moving_average",
    "search.controls=0",
    "data.limit=200",
    "data.validation=100",
    "child.epochs=1",
    "reward.last_epochs=1",
    "workers.count=1",
    "workers.threads=1",
];

fn search(libraries: &Path, folder: &Path, settings: &[&str]) -> Command {
    let mut command = nas_tui(libraries, &["search", "--headless", "--run", "run"]);
    command.args(
        TINY.iter()
            .chain(settings)
            .flat_map(|setting| ["--set", setting]),
    );
    command.current_dir(folder).env("XDG_STATE_HOME", folder);
    command
}

#[test]
fn a_search_loads_cuda_unless_it_trains_on_the_cpu() {
    let Some(libraries) = libtorch() else { return };
    for (device, loads) in [("auto", true), ("cpu", false)] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = search(
            &libraries,
            folder.path(),
            &[&format!("workers.device=\"{device}\"")],
        );
        assert_eq!(
            loaded(&mut command, folder.path()).contains(LIBRARY),
            loads,
            "{device}"
        );
    }
}

#[test]
fn a_driver_that_is_too_old_for_this_cuda_is_reported_with_a_remedy() {
    let Some(libraries) = libtorch() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (_folder, nvml) = fake_nvml::build(&[]);
    let path = format!(
        "{}:{}",
        libraries.display(),
        nvml.parent().unwrap().display()
    );
    let output = search(&libraries, folder.path(), &[])
        .env("LD_LIBRARY_PATH", path)
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    let warning = "this machine's NVIDIA GPU stays idle, the CPU does the work: driver 570.00.01, CUDA 12.8 is too old for this \
                   libtorch, which is built for CUDA 13.0; install driver 580 or newer, or";
    assert!(log.contains(warning), "{log}");
}
