//! CUDA devices that the tests build themselves (tests/fixtures/fake_cuda.cpp), so that this
//! machine needs none.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use nas_tui::child::libtorch;

/// The library to preload, built once for all tests because compiling libtorch's headers takes a
/// quarter of a minute.
pub fn library() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fake_cuda.cpp");
    let libraries = libtorch::folder();
    let text = std::fs::read(&source).expect("the source of the fake");
    let identity = crc32fast::hash(&[&text, libraries.as_os_str().as_encoded_bytes()].concat());
    let library =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fake_cuda-{identity:08x}.so"));
    // Each test is a separate process, and several may need it at the same time.
    let lock = File::create(library.with_extension("lock")).expect("a file in the target folder");
    lock.lock().expect("a lock on it");
    if !library.exists() {
        build(&source, &libraries, &library);
    }
    library
}

fn build(source: &Path, libraries: &Path, library: &Path) {
    let include = libraries.with_file_name("include");
    let unfinished = library.with_extension("unfinished");
    let mut compiler = Command::new("c++");
    compiler
        .args(["-std=c++17", "-shared", "-fPIC", "-Wall", "-O1", "-o"])
        .arg(&unfinished)
        .arg(source);
    compiler
        .arg("-isystem")
        .arg(&include)
        .arg("-isystem")
        .arg(include.join("torch/csrc/api/include"));
    compiler
        .arg("-L")
        .arg(libraries)
        .args(["-Wl,--no-as-needed", "-ltorch_cpu", "-lc10"]);
    compiler.arg(format!("-Wl,-rpath,{}", libraries.display()));
    let output = compiler.output().expect("a C++ compiler, `c++`");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    std::fs::rename(&unfinished, library).expect("the library is renamed into place");
}

/// This program with the fake devices.
pub fn nas_tui() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
    command.env("LD_PRELOAD", library());
    command
}

/// How a process used its devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub kernels: u64,
    pub copies_to_device: u64,
    pub copies_from_device: u64,
    pub copies_within_device: u64,
    /// Number of times the host waited for the device.
    pub synchronisations: u64,
    pub bytes_to_device: u64,
    pub bytes_from_device: u64,
    /// Maximum number of bytes allocated at any time.
    pub peak_memory: u64,
}

/// The counts of every process that ran with `NAS_TUI_FAKE_CUDA_COUNTS=file`, busiest first.
pub fn counts(file: &Path) -> Vec<Counts> {
    let folder = file.parent().expect("a file in a folder");
    let start = format!(
        "{}.",
        file.file_name()
            .and_then(|name| name.to_str())
            .expect("a name")
    );
    let entries = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry"));
    let files = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&start));
    let mut counts: Vec<Counts> = files
        .map(|file| of_bytes(&std::fs::read(file.path()).expect("counts")))
        .collect();
    counts.sort_by_key(|counts| std::cmp::Reverse(counts.kernels));
    counts
}

fn of_bytes(bytes: &[u8]) -> Counts {
    let (numbers, _) = bytes.as_chunks::<8>();
    let [
        kernels,
        to,
        from,
        within,
        synchronisations,
        bytes_to,
        bytes_from,
        peak,
    ] = <[u64; 8]>::try_from(
        numbers
            .iter()
            .map(|number| u64::from_ne_bytes(*number))
            .collect::<Vec<_>>(),
    )
    .expect("eight numbers");
    Counts {
        kernels,
        copies_to_device: to,
        copies_from_device: from,
        copies_within_device: within,
        synchronisations,
        bytes_to_device: bytes_to,
        bytes_from_device: bytes_from,
        peak_memory: peak,
    }
}

/// A search of one episode of two children with one worker into `run`; `variables` are for the
/// fake.
fn search(run: &Path, variables: &[(&str, &str)]) -> String {
    let mut command = if variables.is_empty() {
        Command::new(env!("CARGO_BIN_EXE_nas-tui"))
    } else {
        nas_tui()
    };
    command
        .envs(variables.iter().copied())
        .args(["search", "--headless", "--run"])
        .arg(run);
    let settings = [
        "search.episodes=1",
        "search.children_per_episode=2",
        "search.controls=0",
        "data.limit=384",
        "data.validation=128",
        "child.epochs=2",
    ];
    for setting in settings
        .iter()
        .chain(&["workers.count=1", "workers.threads=1"])
    {
        command.args(["--set", setting]);
    }
    let output = command.output().expect("the program starts");
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{log}");
    log
}

/// The results of a search's epochs: the text between their number and their speed.
fn epochs(log: &str) -> Vec<&str> {
    let of_line = |line: &'_ str| -> Option<(usize, usize)> {
        Some((line.find("epoch ")?, line.rfind(", ")?))
    };
    log.lines()
        .filter(|line| line.contains("images/s"))
        .filter_map(|line| of_line(line).map(|(from, to)| &line[from..to]))
        .collect()
}

#[test]
fn a_search_on_a_fake_device_learns_the_same_as_on_the_cpu() {
    let folder = tempfile::tempdir().unwrap();
    let counted = folder.path().join("counts");
    let counts_to = [("NAS_TUI_FAKE_CUDA_COUNTS", counted.to_str().unwrap())];
    let (on_cpu, on_cuda) = (
        search(&folder.path().join("a"), &[]),
        search(&folder.path().join("b"), &counts_to),
    );
    assert!(
        on_cuda.contains("worker 0 started on cuda:0") && !on_cpu.contains("cuda"),
        "{on_cuda}"
    );
    assert_eq!(epochs(&on_cpu).len(), 4, "{on_cpu}");
    assert_eq!(epochs(&on_cpu), epochs(&on_cuda));
    let worker = counts(&counted)[0];
    assert!(
        worker.kernels > 1_000 && worker.copies_from_device > 0 && worker.peak_memory > 384 * 784,
        "{worker:?}"
    );
}

#[test]
fn the_fake_fails_at_the_requested_kernel_as_often_as_requested() {
    let folder = tempfile::tempdir().unwrap();
    let marks = folder.path().join("marks");
    let fault = format!("out-of-memory:900:1:{}", marks.display());
    search(
        &folder.path().join("run"),
        &[("NAS_TUI_FAKE_CUDA_FAULT", &fault)],
    );
    assert_eq!(std::fs::read(&marks).unwrap(), b"x");
}
