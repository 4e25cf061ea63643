//! What no file of the repository may contain.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders in which people and machines keep private files. A path into one reveals where a file
/// was made.
const PLACES: [&str; 8] = [
    "/root",
    "/work",
    "/home/",
    "/Users/",
    "/tmp/",
    "/var/tmp/",
    "/mnt/",
    "/workspace",
];

/// What the top level of the repository consists of.
const TOP: [&str; 19] = [
    ".ci",
    ".config",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "Makefile",
    "README.md",
    "assets",
    "benches",
    "build.rs",
    "clippy.toml",
    "config.toml",
    "docs",
    "fuzz",
    "scripts",
    "src",
    "tests",
];

/// Files that name such a folder intentionally: file, text, reason.
const MEANT: [(&str, &str, &str); 7] = [
    ("tests/it/committed_files.rs", "", "this list"),
    (
        "src/link/place.rs",
        "/tmp/nas-tui-{}",
        "where sockets are, by design",
    ),
    ("docs/ARCHITECTURE.md", "/tmp/nas-tui-UID", "the same"),
    (
        "src/tui/clipboard.rs",
        "/tmp/tmux-0/",
        "an example of tmux's variable",
    ),
    (
        "src/data/archive.rs",
        "/tmp/nas-tui-evil",
        "a path that must be refused",
    ),
    ("tests/it/tables.rs", "../shared/data", "the same default"),
    (
        "tests/it/python.rs",
        "../shared/data",
        "the default of NAS_TUI_TEST_DATA",
    ),
];

/// The files of the repository according to git; without git (an unpacked archive) none, with a
/// message.
fn committed() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["ls-files", "-z"])
        .output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        eprintln!("skipped: git does not know the files of {}", root.display());
        return Vec::new();
    };
    let names = String::from_utf8(output.stdout).unwrap();
    names
        .split_terminator('\0')
        .map(PathBuf::from)
        .filter(|path| root.join(path).is_file())
        .collect()
}

/// Whether `line` contains `place` as the beginning of a path, and not in the middle of one
/// (docs/home/x) or of a word (/workers).
fn names(line: &str, place: &str) -> bool {
    let inside = |character: char| character.is_alphanumeric() || "._-~}/".contains(character);
    line.match_indices(place).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + place.len()..].chars().next();
        !before.is_some_and(inside)
            && (place.ends_with('/') || !after.is_some_and(|after| after.is_alphanumeric()))
    })
}

fn is_meant(path: &Path, line: &str) -> bool {
    MEANT
        .iter()
        .any(|(file, text, _)| path == Path::new(file) && line.contains(text))
}

#[test]
fn no_committed_text_names_a_path_of_the_machine_it_was_made_on() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for path in committed() {
        // Images and archives are not text.
        let Ok(text) = std::fs::read_to_string(root.join(&path)) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            let place = PLACES
                .into_iter()
                .find(|place| names(line, place))
                .or(line.contains("../shared").then_some("../shared"));
            if let Some(place) = place.filter(|_| !is_meant(&path, line)) {
                found.push(format!("{}:{}: {place}", path.display(), number + 1));
            }
        }
    }
    assert!(
        found.is_empty(),
        "paths of a machine, or of files beside the repository:\n{}",
        found.join("\n")
    );
}

#[test]
fn at_the_top_of_the_repository_there_is_nothing_but_what_belongs_there() {
    let names = committed().into_iter();
    let mut found: Vec<_> = names
        .filter_map(|path| Some(path.components().next()?.as_os_str().to_owned()))
        .filter(|name| !TOP.iter().any(|known| name == known))
        .collect();
    found.dedup();
    assert!(
        found.is_empty(),
        "a picture or a table saved by the screen, or new in TOP: {found:?}"
    );
}

#[test]
fn paths_are_distinguished_from_words_that_look_like_them() {
    for line in [
        "cifar10:/tmp/cifar/x",
        "(/root)",
        "see /work/main",
        "/home/me/x",
        "'/Users/me'",
    ] {
        assert!(PLACES.into_iter().any(|place| names(line, place)), "{line}");
    }
    for line in [
        "src/workers.rs",
        "../work/x",
        "https://x.org/home/x",
        "images/tmp/x",
        "N/workers",
        "{root}/rooted",
        "/workers",
    ] {
        assert!(
            !PLACES.into_iter().any(|place| names(line, place)),
            "{line}"
        );
    }
}
