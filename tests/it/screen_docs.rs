//! Compares docs/TUI.md and the README with the screen's keys.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use nas_tui::event::RunKind;
use nas_tui::tui::keymap::{Keymap, action_names};

const BEGIN: &str = "<!-- keys: written by the test -->\n";
const END: &str = "<!-- /keys -->\n";

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Every action with its keys and its help, as a table.
fn table() -> String {
    let mut table =
        "| keys | in a search | in a training | action |\n|---|---|---|---|\n".to_owned();
    for bound in Keymap::default().all() {
        let keys: Vec<String> = bound
            .keys
            .iter()
            .map(|key| format!("`{}`", key.name().replace('|', "\\|")))
            .collect();
        let [search, training] = [RunKind::Search, RunKind::Training]
            .map(|kind| bound.binding.help_in(kind).unwrap_or("-"));
        let training = if training == search {
            "the same"
        } else {
            training
        };
        writeln!(
            table,
            "| {} | {search} | {training} | `{}` |",
            keys.join(" "),
            bound.binding.action.name()
        )
        .unwrap();
    }
    table
}

#[test]
fn the_page_about_the_screen_lists_its_actual_keys() {
    let file = path("docs/TUI.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = page
        .split_once(BEGIN)
        .expect("docs/TUI.md has a place for the keys");
    let (written, after) = rest
        .split_once(END)
        .expect("docs/TUI.md has an end of the keys");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
    } else {
        assert!(
            written == table(),
            "docs/TUI.md has other keys; run: UPDATE_DOCS=1 cargo nextest run --release docs"
        );
    }
}

#[test]
fn every_action_has_a_unique_name() {
    assert!(
        action_names().iter().all(
            |name| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        )
    );
}

#[test]
fn every_key_that_the_readme_shows_is_in_the_help_of_the_screen() {
    let readme = std::fs::read_to_string(path("README.md")).unwrap();
    let names: Vec<String> = Keymap::default()
        .all()
        .iter()
        .flat_map(|bound| bound.keys.iter().map(|key| key.name()))
        .collect();
    let table = readme
        .split("### Keys")
        .nth(1)
        .and_then(|rest| rest.split("###").next())
        .unwrap();
    let rows: Vec<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next())
        .skip(1)
        .collect();
    assert!(rows.len() > 5, "{rows:?}");
    for key in rows.iter().flat_map(|row| row.split(", ")) {
        assert!(
            names.iter().any(|name| name == key),
            "README shows the key {key}; the screen has {names:?}"
        );
    }
}
