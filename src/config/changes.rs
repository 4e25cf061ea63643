//! What has changed between two sets of settings.

use std::collections::{BTreeMap, BTreeSet};

use super::Config;

impl Config {
    /// What these settings change of `then` (TOML as [`Config::to_toml`] writes it), but for keys that are `free` to change:
    /// `KEY was X and is Y` for each.
    pub fn changes_since(&self, then: &str, free: impl Fn(&str) -> bool) -> Vec<String> {
        let (then, now) = (flat(then), flat(&self.to_toml()));
        let text = |value: Option<&String>| value.cloned().unwrap_or_else(|| "absent".to_owned());
        let keys: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
        let changed = keys.into_iter().filter(|key| !free(key) && then.get(*key) != now.get(*key));
        changed.map(|key| format!("{key} was {} and is {}", text(then.get(key)), text(now.get(key)))).collect()
    }
}

/// Settings by dotted key.
fn flat(toml: &str) -> BTreeMap<String, String> {
    fn add(prefix: &str, table: &toml::Table, into: &mut BTreeMap<String, String>) {
        for (key, value) in table {
            let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            match value {
                toml::Value::Table(table) => add(&key, table, into),
                value => drop(into.insert(key, value.to_string())),
            }
        }
    }
    let mut settings = BTreeMap::new();
    // Both texts were written by this program and are under a checksum or have been parsed before.
    if let Ok(table) = toml.parse::<toml::Table>() {
        add("", &table, &mut settings);
    }
    settings
}
