//! The order of the modules ("rooms"): data flows through them in one direction, and no room uses
//! one that comes after it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The rooms of the library (folders of `src`), each after all that it uses.
const ROOMS: [&str; 27] = [
    "foundation",
    "config",
    "classification",
    "space",
    "event",
    "state",
    "journal",
    "analysis",
    "telemetry",
    "runs",
    "link",
    "data",
    "session",
    "child",
    "reward",
    "train",
    "evaluate",
    "strategy",
    "search",
    "controller",
    "training",
    "study",
    "selftest",
    "export",
    "report",
    "tui",
    "cli",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Rust files below `folder`, in order.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let files = paths.into_iter().flat_map(|path| {
        if path.is_dir() {
            sources(&path)
        } else {
            vec![path]
        }
    });
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The rooms named in `code`: `crate::ROOM` anywhere outside comments.
fn rooms_named_in(code: &str) -> BTreeSet<String> {
    let lines = code
        .lines()
        .map(|line| line.split("//").next().unwrap_or(""));
    let code = lines.collect::<Vec<_>>().join("\n");
    let mut rooms = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        let names = match after.strip_prefix('{') {
            Some(list) => listed(list),
            None => vec![after],
        };
        for name in names {
            let end = |letter: char| !letter.is_alphanumeric() && letter != '_';
            let name = name.trim().split(end).next().unwrap_or("");
            rooms.insert(name.to_owned());
        }
    }
    rooms
}

/// The items of a list in braces; `after` begins after its first brace, and items may contain lists
/// themselves.
fn listed(after: &str) -> Vec<&str> {
    let (mut items, mut begun, mut depth) = (Vec::new(), 0, 0);
    for (place, letter) in after.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' => {
                items.push(&after[begun..place]);
                break;
            }
            ',' if depth == 0 => {
                items.push(&after[begun..place]);
                begun = place + 1;
            }
            _ => {}
        }
    }
    items
}

#[test]
fn no_room_uses_one_that_comes_after_it() {
    let mut climbs = Vec::new();
    for (place, room) in ROOMS.iter().enumerate() {
        for file in sources(&root().join("src").join(room)) {
            let code = std::fs::read_to_string(&file).unwrap();
            for named in rooms_named_in(&code) {
                if ROOMS[place + 1..].contains(&named.as_str()) {
                    climbs.push(format!("{} reads {named}", file.display()));
                }
            }
        }
    }
    assert!(climbs.is_empty(), "{}", climbs.join("\n"));
}

/// Maximum number of consecutive `super::` in `code`.
fn longest_climb(code: &str) -> usize {
    let climbs = code.match_indices("super::").map(|(place, _)| {
        let rest = code[place..].split("super::");
        rest.skip(1)
            .take_while(|between| between.is_empty())
            .count()
            + 1
    });
    climbs.max().unwrap_or(0)
}

#[test]
fn no_path_leaves_its_room_through_super() {
    let library = root().join("src");
    for file in sources(&library) {
        let below = file.strip_prefix(&library).unwrap();
        let folders = below.components().count();
        let depth = folders - usize::from(below.ends_with("mod.rs"));
        let code = std::fs::read_to_string(&file).unwrap();
        let (outside, tests) = (production(&code), &code[production(&code).len()..]);
        assert!(longest_climb(outside) < depth.max(1), "{}", file.display());
        assert!(longest_climb(tests) <= depth, "{}", file.display());
    }
}

#[test]
fn a_climb_is_counted_in_steps() {
    assert_eq!(longest_climb("use super::super::Dna; use super::Other;"), 2);
    assert_eq!(longest_climb("use crate::space::Dna;"), 0);
}

/// Maximum number of lines in a file.
const MOST_LINES: usize = 400;

/// Files below `folder` that are too long, with their numbers of lines.
fn too_long(folder: &str) -> BTreeMap<String, usize> {
    let long = sources(&root().join(folder))
        .into_iter()
        .filter_map(|file| {
            let lines = std::fs::read_to_string(&file).unwrap().lines().count();
            (lines > MOST_LINES).then(|| (file.display().to_string(), lines))
        });
    long.collect()
}

#[test]
fn no_file_of_the_library_has_more_than_400_lines() {
    assert_eq!(too_long("src"), BTreeMap::new(), "split by purpose");
}

#[test]
fn no_file_of_the_tests_has_more_than_400_lines() {
    assert_eq!(too_long("tests"), BTreeMap::new(), "split by purpose");
}

/// `code` without its tests.
fn production(code: &str) -> &str {
    code.split("#[cfg(test)]\nmod tests {").next().unwrap_or("")
}

#[test]
fn panels_see_a_scene_and_know_neither_the_app_nor_the_view() {
    let files = sources(&root().join("src/tui/panels"));
    assert!(files.len() > 40, "{} files", files.len());
    for file in files.iter().filter(|file| !file.ends_with("tests.rs")) {
        let code = std::fs::read_to_string(file).unwrap();
        for known in ["tui::app", "tui::view", "&App", "&View,"] {
            let names_it = production(&code).contains(known);
            assert!(!names_it, "{} names {known}", file.display());
        }
    }
}

#[test]
fn imports_are_found_however_they_are_written() {
    let code = "use crate::space::Dna; // crate::tui\nlet x = crate::event::VERSION;\n\
                use crate::{config::Config, link};\n\
                use crate::{journal::{Journal, JournalError}, runs};";
    let expected = ["config", "event", "journal", "link", "runs", "space"].map(str::to_owned);
    assert_eq!(rooms_named_in(code), BTreeSet::from(expected));
}

#[test]
fn every_module_of_the_library_is_a_room_in_the_list() {
    let library = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let modules = library
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let modules: BTreeSet<&str> = modules.collect();
    assert_eq!(modules, BTreeSet::from(ROOMS));
}

/// The rows of the table of rooms in docs/ARCHITECTURE.md: folder, and whether it needs libtorch.
fn table() -> Vec<(String, String)> {
    let page = std::fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let room = cells[0].strip_prefix("`src/")?.strip_suffix("/`")?;
        Some((room.to_owned(), (*cells.last()?).to_owned()))
    });
    rows.collect()
}

#[test]
fn the_architecture_page_lists_the_rooms_in_this_order() {
    let listed: Vec<String> = table().into_iter().map(|(room, _)| room).collect();
    assert_eq!(listed, ROOMS);
}

#[test]
fn the_architecture_page_says_which_rooms_need_libtorch() {
    let library = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    for (room, needs) in table() {
        let whole = format!("#[cfg(feature = \"torch\")]\npub mod {room};");
        let somewhere = sources(&root().join("src").join(&room)).iter().any(|file| {
            let code = std::fs::read_to_string(file).unwrap();
            code.contains("feature = \"torch\"")
        });
        let expected = match (library.contains(&whole), somewhere) {
            (true, _) => "yes",
            (false, true) => "part",
            (false, false) => "no",
        };
        assert_eq!(needs, expected, "{room}");
    }
}
