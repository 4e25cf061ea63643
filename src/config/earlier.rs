//! What settings mean that were saved in run directories by earlier versions of the program.

use toml::{Table, Value};

/// The behaviour before these keys existed: a run continues as it was started, whatever the preset
/// says today.
const BEFORE: [(&str, &str, i64); 1] = [("search", "controls", 0)];

/// Complete the settings of a run so that they mean the same today as when they were saved.
pub(super) fn complete(settings: &mut Table) {
    for (section, key, value) in BEFORE {
        let section = settings
            .entry(section)
            .or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(section) = section {
            section.entry(key).or_insert(Value::Integer(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Options, resolve};

    /// Settings of a demo as they were saved before there were controls.
    fn kept() -> String {
        let text = resolve(&Options::default()).unwrap().to_toml();
        let lines = text.lines().filter(|line| !line.starts_with("controls = "));
        lines.map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn a_run_started_before_there_were_controls_continues_without_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, kept()).unwrap();
        let config = super::super::read(&path).unwrap();
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
