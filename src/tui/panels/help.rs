//! The help overlay: every key of the key table and what it does.

use super::{Content, Row};
use crate::tui::keymap::BINDINGS;
use crate::tui::theme::Role;

const KEYS_WIDTH: usize = 18;

pub fn content() -> Content {
    let body = BINDINGS
        .iter()
        .flat_map(|binding| {
            let keys = binding.keys.iter().map(|key| key.name()).collect::<Vec<_>>();
            let mut rows = Vec::new();
            let mut line = String::new();
            for key in keys {
                if !line.is_empty() && line.len() + 1 + key.len() > KEYS_WIDTH - 1 {
                    rows.push(std::mem::take(&mut line));
                }
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(&key);
            }
            rows.push(line);
            rows.into_iter().enumerate().map(|(index, keys)| row(keys, if index == 0 { binding.help } else { "" }))
        })
        .collect();
    Content { head: Vec::new(), body }
}

fn row(keys: String, help: &str) -> Row {
    vec![(Role::Key, format!("{keys:<KEYS_WIDTH$}")), (Role::Text, help.to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_table_is_in_the_help_once_per_binding() {
        let words: Vec<String> =
            content().body.iter().flat_map(|row| row[0].1.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
        let keys: Vec<String> = BINDINGS.iter().flat_map(|binding| binding.keys.iter().map(|key| key.name())).collect();
        assert_eq!(words, keys);
    }
}
