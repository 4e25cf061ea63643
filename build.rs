//! Lets the binary find libtorch at its location at build time, without LD_LIBRARY_PATH, and gives
//! it the commit.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Set by torch-sys (its `links` key) only when the feature `torch` is on.
    if let Ok(folder) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
        println!("cargo:rustc-env=NAS_TUI_LIBTORCH={folder}");
    }
    if let Some(commit) = commit() {
        println!(
            "cargo:rustc-env=NAS_TUI_VERSION={}+{commit}",
            env!("CARGO_PKG_VERSION")
        );
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
