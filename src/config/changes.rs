//! The differences between two sets of settings.

use std::collections::{BTreeMap, BTreeSet};

use super::{Config, earlier};

/// A setting that differs between two sets; `absent` stands for a missing value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedSetting {
    /// Dotted key, for example `child.epochs`.
    pub key: String,
    /// Its earlier value, as TOML.
    pub then: String,
    /// Its value now, as TOML.
    pub now: String,
}

impl Config {
    /// The changes from `then` (TOML as [`Config::to_toml`] writes it) to these settings, except
    /// for keys that are `free` to change: `KEY was X and is Y` for each.
    pub fn changes_since(&self, then: &str, free: impl Fn(&str) -> bool) -> Vec<String> {
        let text = |ChangedSetting { key, then, now }: ChangedSetting| {
            format!("{key} was {then} and is {now}")
        };
        self.differences(then, free).into_iter().map(text).collect()
    }

    /// Where these settings differ from `then` (TOML as [`Config::to_toml`] writes it), except for
    /// keys that are `free` to change.
    pub fn differences(&self, then: &str, free: impl Fn(&str) -> bool) -> Vec<ChangedSetting> {
        // Settings of an earlier version, as this one reads them: keys that it did not have are there.
        let then = as_read_today(then).map_or_else(|| flat(then), |config| flat(&config.to_toml()));
        let now = flat(&self.to_toml());
        let text = |value: Option<&String>| value.cloned().unwrap_or_else(|| "absent".to_owned());
        let keys: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
        let changed = keys
            .into_iter()
            .filter(|key| !free(key) && then.get(*key) != now.get(*key));
        changed
            .map(|key| ChangedSetting {
                key: key.clone(),
                then: text(then.get(key)),
                now: text(now.get(key)),
            })
            .collect()
    }
}

/// Settings as they were saved in a run directory; `None` if this version refuses them.
fn as_read_today(saved: &str) -> Option<Config> {
    let mut table = saved.parse::<toml::Table>().ok()?;
    // Before the preset fills in what is missing: a run continues as it was started.
    earlier::complete(&mut table);
    super::parse(&toml::to_string(&table).ok()?, "the earlier settings").ok()
}

/// The settings of a file, by dotted key, as TOML; none if it is not valid TOML.
pub fn by_key(toml: &str) -> Vec<(String, String)> {
    flat(toml).into_iter().collect()
}

/// Settings by dotted key.
fn flat(toml: &str) -> BTreeMap<String, String> {
    fn add(prefix: &str, table: &toml::Table, into: &mut BTreeMap<String, String>) {
        for (key, value) in table {
            let key = if prefix.is_empty() {
                key.clone()
            } else {
                format!("{prefix}.{key}")
            };
            match value {
                toml::Value::Table(table) => add(&key, table, into),
                value => drop(into.insert(key, value.to_string())),
            }
        }
    }
    let mut settings = BTreeMap::new();
    // Both texts were written by this program and are covered by a checksum or were parsed before.
    if let Ok(mut table) = toml.parse::<toml::Table>() {
        earlier::complete(&mut table);
        add("", &table, &mut settings);
    }
    settings
}
