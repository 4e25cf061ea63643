//! The help: every key of this session and what it does, place by place.

use super::{Content, Row};
use crate::tui::format;
use crate::tui::keymap::{Bound, Keymap, Scope};
use crate::tui::theme::Role;

const KEYS_WIDTH: usize = 18;

/// The help in `width` columns.
pub fn content(keymap: &Keymap, width: usize) -> Content {
    let body = keymap.all().iter().filter(|bound| !bound.keys.is_empty()).flat_map(|bound| rows(bound, width)).collect();
    Content { head: Vec::new(), body }
}

/// A binding: its keys in as many lines as they need, its text beside them.
fn rows(bound: &Bound, width: usize) -> Vec<Row> {
    let names: Vec<String> = bound.keys.iter().map(|key| key.name()).collect();
    let keys = format::wrap(&names.join(" "), KEYS_WIDTH - 1);
    let text = format::wrap(bound.binding.help, width.saturating_sub(KEYS_WIDTH));
    let role = if bound.binding.scope == Scope::Question { Role::Dim } else { Role::Text };
    let line = |index: usize| {
        let part = |lines: &[String]| lines.get(index).cloned().unwrap_or_default();
        vec![(Role::Key, format!("{:<KEYS_WIDTH$}", part(&keys))), (role, part(&text))]
    };
    (0..keys.len().max(text.len())).map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn words(keymap: &Keymap) -> Vec<String> {
        let rows = content(keymap, 76).body;
        rows.iter().flat_map(|row| row[0].1.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn every_key_of_the_session_is_in_the_help_once_per_binding() {
        let keymap = Keymap::new(&BTreeMap::from([("toggle_pause".to_owned(), vec!["ctrl-p".to_owned()])])).unwrap();
        let keys: Vec<String> = keymap.all().iter().flat_map(|bound| bound.keys.iter().map(|key| key.name())).collect();
        assert_eq!(words(&keymap), keys);
        assert!(keys.contains(&"Ctrl-P".to_owned()) && !keys.contains(&"Space".to_owned()));
    }
}
