//! The settings in which runs differ.

use std::collections::BTreeSet;

use crate::analysis::comparable::decides_nothing;

/// A setting that is not the same in all of some runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DifferingSetting {
    /// Dotted key, for example `child.epochs`.
    pub key: String,
    /// Its value in each run, as TOML; `None` where it is absent.
    pub values: Vec<Option<String>>,
    /// Whether it affects the meaning of a reward.
    pub decides: bool,
}

/// The settings in which these runs (each with its settings by key, in the order of the keys) differ:
/// first those that affect the meaning of a reward. The appearance of the screen is none.
pub fn differing(runs: &[&[(String, String)]]) -> Vec<DifferingSetting> {
    let keys: BTreeSet<&str> = runs
        .iter()
        .flat_map(|settings| settings.iter().map(|(key, _)| key.as_str()))
        .filter(|key| !key.starts_with("screen."))
        .collect();
    let value = |settings: &[(String, String)], key: &str| {
        let place = settings.binary_search_by(|(known, _)| known.as_str().cmp(key));
        place.ok().map(|place| settings[place].1.clone())
    };
    let setting = |key: &str| DifferingSetting {
        key: key.to_owned(),
        values: runs.iter().map(|settings| value(settings, key)).collect(),
        decides: !decides_nothing(key),
    };
    let mut all: Vec<DifferingSetting> = keys.into_iter().map(setting).collect();
    all.retain(|setting| setting.values.windows(2).any(|pair| pair[0] != pair[1]));
    all.sort_by_key(|setting| !setting.decides);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn settings_that_affect_rewards_come_first_and_equal_ones_not_at_all() {
        let one = settings(&[
            ("child.epochs", "5"),
            ("screen.theme", "\"light\""),
            ("search.seed", "1"),
            ("workers.count", "2"),
        ]);
        let other = settings(&[
            ("child.epochs", "9"),
            ("search.seed", "2"),
            ("workers.count", "2"),
        ]);
        let third = settings(&[("child.epochs", "5"), ("controller.entropy", "0.1")]);
        let found = differing(&[one.as_slice(), other.as_slice(), third.as_slice()]);
        let keys: Vec<(&str, bool)> = found
            .iter()
            .map(|setting| (setting.key.as_str(), setting.decides))
            .collect();
        assert_eq!(
            keys,
            [
                ("child.epochs", true),
                ("controller.entropy", false),
                ("search.seed", false),
                ("workers.count", false),
            ]
        );
        let values = [Some("5"), Some("9"), Some("5")];
        assert_eq!(
            found[0].values,
            values.map(|value| value.map(str::to_owned))
        );
        assert_eq!(found[1].values[0], None);
        assert!(differing(&[one.as_slice(), one.as_slice()]).is_empty());
    }
}
