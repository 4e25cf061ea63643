//! What is done with arbitrary bytes, one function per format: as the program does it, through the
//! same files and pipes. A target fails by a panic, by taking too long, or by too much memory.
//! Used by the fuzzer and, with the cases that it found, by the tests.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use md5::{Digest, Md5};
use nas_tui::analysis::history::History;
use nas_tui::analysis::{RunSummary, Summary, TrainingSummary};
use nas_tui::config::{self, DataConfig, DataSource, Decode, Options};
use nas_tui::data::{archive, check};
use nas_tui::evaluate::protocol::{FromWorker, ToWorker};
use nas_tui::evaluate::table::Table;
use nas_tui::foundation::sealed;
use nas_tui::journal::snapshot::Draft;
use nas_tui::journal::{self, Place, Reader, Snapshot};
use nas_tui::link::protocol::{self, ToClient, ToServer};
use nas_tui::report::headless;
use nas_tui::report::page::{Material, RunReport};
use nas_tui::runs::look_at;
use nas_tui::space::file::{DnaContext, read_architecture, read_architectures};
use nas_tui::space::weights::Weights;
use nas_tui::space::{Architecture, Cost};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A target: its name, and what it does with its input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const ALL: [Target; 11] = [
    ("config", settings),
    ("architecture", architecture),
    ("journal", events),
    ("snapshot", snapshot),
    ("messages", messages),
    ("idx", idx),
    ("cifar10", cifar10),
    ("npy", npy),
    ("tar", tar),
    ("safetensors", safetensors),
    ("table", table),
];

/// A folder in memory that exists only during a call.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let memory = Path::new("/dev/shm");
        let root = if memory.is_dir() {
            memory.to_owned()
        } else {
            std::env::temp_dir()
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = root.join(format!("nas-tui-fuzz-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    /// A file in the folder.
    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A config file; what is accepted means the same once it is written out.
fn settings(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(config) = config::parse(text, "config.toml") {
        let written = config.to_toml();
        let again = config::parse(&written, "written").unwrap();
        assert_eq!(again.to_toml(), written);
    }
}

/// An architecture file, a list of them, or a DNA file.
fn architecture(bytes: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("network.json", bytes);
    for decode in [Decode::Literal, Decode::Clipped] {
        let input = [3, 32, 32];
        let classes = 10;
        let context = DnaContext {
            decode,
            input,
            classes,
        };
        if let Ok(network) = read_architecture(&path, context) {
            let _ = Cost::of(&network);
            let written = folder.file("written.json", network.to_json().as_bytes());
            assert_eq!(read_architecture(&written, context).unwrap(), network);
        }
    }
    let _ = read_architectures(&path);
}

/// A journal: read as the list, the screen, headless output and the report do.
fn events(bytes: &[u8]) {
    let folder = Folder::new();
    run(&folder, &folder.file("journal.jsonl", bytes), true);
}

/// What commands read of a run; the report, which takes a hundred times as long as the rest, only if wanted.
fn run(folder: &Folder, path: &Path, with_report: bool) {
    let info = look_at(&folder.0);
    let _ = Summary::of_journal(path).map(|summary| summary.to_json());
    let _ = TrainingSummary::of_journal(path).map(|summary| summary.to_json());
    let Ok(records) = journal::read(path) else {
        return;
    };
    records
        .iter()
        .for_each(|record| drop(headless::line(record)));
    if let Ok(material) = Material::read(&folder.0) {
        if with_report {
            RunReport::of(&material, Timestamp::UNIX_EPOCH).unwrap();
        }
        // What the report can read, the list can.
        assert!(info.is_none_or(|info| info.unreadable.is_none()));
    }
    if let Ok(mut archive) = journal::Archive::open(path) {
        let _ = archive.state_at(records.len() as u64 / 2);
        let _ = archive.record(1);
    }
}

/// A journal, and a snapshot of its first half.
struct Written {
    journal: Vec<u8>,
    first: FirstLine,
    parts: Vec<Vec<u8>>,
}

/// The first line of a snapshot, as src/journal/snapshot.rs has it.
#[derive(Clone, Serialize, Deserialize)]
struct FirstLine {
    proof: String,
    header: Header,
}

#[derive(Clone, Serialize, Deserialize)]
struct Header {
    program: String,
    place: Place,
    parts: Vec<Part>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Part {
    name: String,
    bytes: u64,
    crc32: u32,
}

impl Written {
    fn new() -> Written {
        let lines = include_str!("../../tests/fixtures/journal-demo.jsonl").split_inclusive('\n');
        let journal: String = lines.take(160).collect();
        let folder = Folder::new();
        let path = folder.file("journal.jsonl", journal.as_bytes());
        let draft = Draft::write::<History>(&path, 80, File::open(&folder.0).unwrap());
        draft.unwrap().put_in_place().unwrap();
        let snapshot = fs::read(folder.0.join("journal.snapshot")).unwrap();
        let end = snapshot.iter().position(|byte| *byte == b'\n').unwrap();
        let first: FirstLine = serde_json::from_slice(&snapshot[..end]).unwrap();
        let mut rest = &snapshot[end + 1..];
        let mut next = |part: &Part| {
            let (own, after) = rest.split_at(part.bytes as usize);
            rest = after;
            own.to_vec()
        };
        Written {
            journal: journal.into_bytes(),
            parts: first.header.parts.iter().map(&mut next).collect(),
            first,
        }
    }

    /// The snapshot with its parts changed by `edits` (five bytes each, which say where and how much, and
    /// what is inserted), and with the sizes, checksums and proof that belong to them.
    fn changed(&self, mut edits: &[u8]) -> Vec<u8> {
        let mut parts = self.parts.clone();
        while let [part, high, low, removed, inserted, rest @ ..] = edits {
            let count = parts.len();
            let part = &mut parts[usize::from(*part) % count];
            let at = usize::from(u16::from_be_bytes([*high, *low])) % (part.len() + 1);
            let end = part.len().min(at + usize::from(*removed));
            let (new, rest) = rest.split_at(rest.len().min(usize::from(*inserted) % 32));
            part.splice(at..end, new.iter().copied());
            edits = rest;
        }
        let mut first = self.first.clone();
        for (part, bytes) in first.header.parts.iter_mut().zip(&parts) {
            (part.bytes, part.crc32) = (bytes.len() as u64, crc32fast::hash(bytes));
        }
        first.proof = self.proof(&first.header);
        let line = serde_json::to_vec(&first).unwrap();
        [line, b"\n".to_vec(), parts.concat()].concat()
    }

    fn proof(&self, header: &Header) -> String {
        const END: usize = 1 << 16;
        let end = header.place.bytes as usize;
        let mut digest = Md5::new();
        digest.update(serde_json::to_vec(header).unwrap());
        let pieces = (1..64).map(|number| (end / 64 * number, 1 << 10));
        let ends = [(0, END), (end.saturating_sub(END), END)];
        for (from, length) in ends.into_iter().chain(pieces) {
            digest.update(&self.journal[from..end.min(from + length)]);
        }
        let hash = digest.finalize();
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A snapshot beside its journal, changed by someone who knows how to make it look right.
fn snapshot(bytes: &[u8]) {
    static WRITTEN: LazyLock<Written> = LazyLock::new(Written::new);
    let folder = Folder::new();
    let journal = folder.file("journal.jsonl", &WRITTEN.journal);
    folder.file("journal.snapshot", &WRITTEN.changed(bytes));
    let kept = Snapshot::of(&journal).unwrap();
    let _ = kept.overview();
    let history = kept.beside::<History>();
    let state = kept.state();
    let is_used = state.is_some() && history.is_some();
    let with_report = is_used && crc32fast::hash(bytes).is_multiple_of(16);
    if let Some(mut state) = state {
        let rest = Reader::after(&journal, kept.place()).unwrap();
        rest.for_each(|record| state.apply(&record.unwrap()));
    }
    // Without a snapshot the rest reads the journal alone, which is always the same.
    match is_used {
        true => run(&folder, &journal, with_report),
        false => drop(look_at(&folder.0)),
    }
}

/// A line from a worker, to a worker, from a client, or to a client.
fn messages(bytes: &[u8]) {
    fn understood<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
        if let Ok(Some(message)) = protocol::receive::<T>(&mut &*bytes)
            && let Ok(line) = serde_json::to_vec(&message)
            && !line.windows(4).any(|part| part == b"null")
        {
            assert_eq!(serde_json::from_slice::<T>(&line).unwrap(), message);
        }
    }
    let line = [bytes, b"\n"].concat();
    understood::<ToServer>(&line);
    understood::<ToClient>(&line);
    understood::<ToWorker>(&line);
    understood::<FromWorker>(&line);
}

/// The data set in a folder.
fn read_data(source: DataSource, folder: &Folder) {
    let defaults = config::resolve(&Options::default()).unwrap().data;
    let data = DataConfig {
        source,
        dir: Some(folder.0.clone()),
        ..defaults
    };
    let _ = check::check(&data, Some(1));
}

/// Fashion-MNIST with one file made of the bytes, the first of which says which one.
fn idx(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else {
        return;
    };
    let images = [
        &[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28][..],
        &[7; 2 * 784],
    ]
    .concat();
    let labels = [0, 0, 8, 1, 0, 0, 0, 2, 3, 4].to_vec();
    let folder = Folder::new();
    for (index, name) in [
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ]
    .into_iter()
    .enumerate()
    {
        let whole = if index % 2 == 0 { &images } else { &labels };
        let content = if usize::from(*which) % 4 == index {
            bytes
        } else {
            &whole[..]
        };
        folder.file(name, content);
    }
    read_data(DataSource::FashionMnist, &folder);
}

/// CIFAR-10 with one file made of the bytes, the first of which says which one.
fn cifar10(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else {
        return;
    };
    let folder = Folder::new();
    let batches = (1..=5).map(|number| format!("data_batch_{number}.bin"));
    let names = batches.chain(["test_batch.bin".to_owned(), "batches.meta.txt".to_owned()]);
    for (index, name) in names.enumerate() {
        if usize::from(*which) % 7 == index {
            folder.file(&name, bytes);
        } else if index < 6 {
            folder.file(&name, &[3; 3073]);
        }
    }
    read_data(DataSource::Cifar10, &folder);
}

/// CIFAR-10.1 with one file made of the bytes, the first of which says which one.
fn npy(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else {
        return;
    };
    let array = |kind: &str, shape: &str, data: &[u8]| {
        let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
        let header = format!("{header:117}\n");
        [b"\x93NUMPY\x01\x00\x76\x00", header.as_bytes(), data].concat()
    };
    let whole = [
        (
            "cifar10.1_v6_data.npy",
            array("|u1", "(1, 32, 32, 3)", &[5; 3072]),
        ),
        ("cifar10.1_v6_labels.npy", array("|u1", "(1,)", &[3])),
    ];
    let folder = Folder::new();
    for (index, (name, content)) in whole.iter().enumerate() {
        let content = if usize::from(*which) % 2 == index {
            bytes
        } else {
            content
        };
        folder.file(name, content);
    }
    read_data(DataSource::Cifar10_1, &folder);
}

/// An archive, compressed here.
fn tar(bytes: &[u8]) {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    packed.write_all(bytes).unwrap();
    let folder = Folder::new();
    let path = folder.file("archive.tar.gz", &packed.finish().unwrap());
    let into = folder.0.join("inside");
    fs::create_dir(&into).unwrap();
    let _ = archive::unpack(&path, &into);
    let entries = fs::read_dir(&folder.0).unwrap().count();
    assert_eq!(entries, 2, "nothing is written outside");
}

/// A file of weights, and a checkpoint.
fn safetensors(bytes: &[u8]) {
    static NETWORK: LazyLock<Architecture> = LazyLock::new(|| {
        let text = r#"{"name": "tiny", "input": [1, 8, 8], "classes": 2, "layers": [
            {"kernel": [1, 1], "filters": 2, "stride": [1, 1], "padding": [0, 0], "inputs": [0]}], "output": [1]}"#;
        serde_json::from_str(text).unwrap()
    });
    let folder = Folder::new();
    let path = folder.file("weights.safetensors", bytes);
    let _ = Weights::read(&path, &NETWORK);
    let _ = sealed::load::<serde_json::Value>(&path);
}

/// A table of accuracies (CSV).
fn table(bytes: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("table.csv", bytes);
    if let Ok(table) = Table::read(&path) {
        let best = table.best_test();
        assert!((0.0..=1.0).contains(&best), "{best}");
    }
}
