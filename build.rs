//! Lets the binary find libtorch at its location at build time, without LD_LIBRARY_PATH, and gives
//! it the commit and a hash of what reads journals.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Set by torch-sys (its `links` key) only when the feature `torch` is on.
    if let Ok(folder) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
        println!("cargo:rustc-env=NAS_TUI_LIBTORCH={folder}");
    }
    println!("cargo:rustc-env=NAS_TUI_READERS={:016x}", readers());
    if let Some(commit) = commit() {
        println!(
            "cargo:rustc-env=NAS_TUI_VERSION={}+{commit}",
            env!("CARGO_PKG_VERSION")
        );
    }
}

/// What the state of a run and its form in a snapshot follow from: the rooms up to `analysis`.
const READERS: [&str; 8] = [
    "foundation",
    "config",
    "classification",
    "space",
    "event",
    "state",
    "journal",
    "analysis",
];

/// A hash of the sources that read journals (64-bit FNV-1a of their names and contents).
fn readers() -> u64 {
    let mut files = Vec::new();
    for room in READERS {
        println!("cargo:rerun-if-changed=src/{room}");
        add_files(&Path::new("src").join(room), &mut files);
    }
    files.sort();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for file in files {
        let name = file.to_string_lossy().into_owned().into_bytes();
        let contents = std::fs::read(&file).expect("a source file");
        for byte in name.into_iter().chain(contents) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

/// Add the files in `folder` and in the folders within.
fn add_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry of it").path();
        if path.is_dir() {
            add_files(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// The sources of the program: if they have changed since the commit, the program is marked as
/// modified.
const SOURCES: [&str; 5] = ["src", "assets", "build.rs", "Cargo.toml", "Cargo.lock"];

/// The commit of this folder, if it is the root of a git repository (and not a copy within another
/// one).
fn commit() -> Option<String> {
    let root = std::path::PathBuf::from(git(&["rev-parse", "--show-toplevel"])?);
    if root.canonicalize().ok()? != std::env::current_dir().ok()?.canonicalize().ok()? {
        return None;
    }
    // Not rerun after every commit: a program that was built before it is still marked as modified.
    SOURCES
        .iter()
        .for_each(|source| println!("cargo:rerun-if-changed={source}"));
    let commit = git(&["rev-parse", "--short=9", "HEAD"])?;
    let changed = git(&[&["status", "--porcelain", "--"][..], &SOURCES].concat())?;
    Some(if changed.is_empty() {
        commit
    } else {
        format!("{commit}.modified")
    })
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
