//! What settings mean that were saved in run directories by earlier versions of the program.

use toml::{Table, Value};

/// The behaviour before these keys existed (section, key, and the value that they had in effect): a run
/// continues as it was started, whatever the preset says today.
fn before() -> [(&'static [&'static str], &'static str, Value); 2] {
    [
        (&["search"], "controls", Value::Integer(0)),
        (&["recipes", "night"], "optimizer", "sgd".into()),
    ]
}

/// Complete the settings of a run so that they mean the same today as when they were saved.
pub(super) fn complete(settings: &mut Table) {
    for (path, key, value) in before() {
        let mut section = Some(&mut *settings);
        for name in path {
            let inner = section.map(|table| {
                table
                    .entry(*name)
                    .or_insert_with(|| Value::Table(Table::new()))
            });
            section = inner.and_then(Value::as_table_mut);
        }
        if let Some(section) = section {
            section.entry(key).or_insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Optimizer, Options, resolve};

    /// Settings of a demo as they were saved before there were controls.
    fn kept() -> String {
        without(&["controls = "], &[])
    }

    /// Default settings with these changes, less the lines that begin in one of these ways.
    fn without(beginnings: &[&str], set: &[&str]) -> String {
        let options = Options {
            set: set.iter().map(|text| (*text).to_owned()).collect(),
            ..Options::default()
        };
        let text = resolve(&options).unwrap().to_toml();
        let is_kept = |line: &&str| !beginnings.iter().any(|start| line.starts_with(start));
        let lines = text.lines().filter(is_kept);
        lines.map(|line| format!("{line}\n")).collect()
    }

    fn read(text: &str) -> crate::config::Config {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        super::super::read(&path).unwrap()
    }

    #[test]
    fn a_training_begun_by_night_before_it_had_muon_continues_with_sgd() {
        let text = without(&["optimizer", "muon_"], &["train.recipe=night"]);
        let config = read(&text);
        assert_eq!(config.train.recipe.optimizer, Optimizer::Sgd);
        assert_eq!(config.changes_since(&text, |_| false), Vec::<String>::new());
        let today = read(&without(&[], &["train.recipe=night"]));
        assert_ne!(today.train.recipe.optimizer, Optimizer::Sgd);
    }

    #[test]
    fn a_run_started_before_there_were_controls_continues_without_them() {
        let config = read(&kept());
        assert_eq!(config.search.controls(), 0);
        let changes = config.changes_since(&kept(), |_| false);
        assert_eq!(changes, Vec::<String>::new(), "its checkpoint fits");
    }

    #[test]
    fn controls_cannot_be_added_to_a_run_that_was_started_without_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, kept()).unwrap();
        let config = resolve(&Options {
            run: Some(path),
            set: vec!["search.controls=2".into()],
            ..Options::default()
        })
        .unwrap();
        let changes = config.changes_since(&kept(), |_| false);
        assert_eq!(changes, ["search.controls was 0 and is 2"]);
    }
}
