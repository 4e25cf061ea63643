//! Settings of the search that are a choice among words.

use serde::{Deserialize, Deserializer, Serialize, de};

/// What happens to a child whose architecture was already trained in the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reuse {
    /// It is trained like any other.
    Never,
    /// It takes the outcome of the first child with this architecture.
    First,
    /// It is trained again until its architecture has `search.reuse_limit` trainings, and its
    /// accuracy and reward are the means over them.
    Mean,
}

impl<'de> Deserialize<'de> for Reuse {
    /// A word, or as in earlier versions `true` (first) or `false` (never).
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReuseVisitor)
    }
}

struct ReuseVisitor;

impl de::Visitor<'_> for ReuseVisitor {
    type Value = Reuse;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("\"never\", \"first\" or \"mean\"")
    }

    fn visit_bool<E: de::Error>(self, reuse: bool) -> Result<Reuse, E> {
        Ok(if reuse { Reuse::First } else { Reuse::Never })
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Reuse, E> {
        match word {
            "never" => Ok(Reuse::Never),
            "first" => Ok(Reuse::First),
            "mean" => Ok(Reuse::Mean),
            other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
        }
    }
}

/// When the strategy learns from an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Updates {
    /// When all of its children have ended, before the next episode begins.
    Synchronous,
    /// Likewise, but children of the next episodes are proposed meanwhile, as workers get free.
    Asynchronous,
}

#[cfg(test)]
mod tests {
    use super::super::{Options, resolve};
    use super::*;

    fn reuse(value: &str) -> Result<Reuse, String> {
        let set = vec![format!("search.reuse={value}")];
        let config = resolve(&Options {
            set,
            ..Options::default()
        });
        config
            .map(|config| config.search.reuse)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn reuse_is_a_word_or_the_bool_of_earlier_versions() {
        let words = [
            ("never", Reuse::Never),
            ("false", Reuse::Never),
            ("first", Reuse::First),
            ("true", Reuse::First),
            ("mean", Reuse::Mean),
        ];
        for (word, expected) in words {
            assert_eq!(reuse(word), Ok(expected), "{word}");
        }
        let error = reuse("often").unwrap_err();
        assert!(
            error.contains("\"never\", \"first\" or \"mean\""),
            "{error}"
        );
    }

    #[test]
    fn a_run_that_was_saved_with_a_bool_can_be_resumed() {
        let config = resolve(&Options::default()).unwrap();
        let text = config.to_toml();
        assert!(text.contains("reuse = \"first\""), "{text}");
        let lines = text.lines().filter(|line| !line.starts_with("reuse_limit"));
        let earlier: String = lines.map(|line| format!("{line}\n")).collect();
        let earlier = earlier.replace("reuse = \"first\"", "reuse = true");
        let changes = config.changes_since(&earlier, |_| false);
        assert_eq!(changes, Vec::<String>::new());
    }

    #[test]
    fn rows_of_a_table_are_not_averaged() {
        let set = ["search.reuse=mean", "search.table=t.csv"];
        let error = resolve(&Options {
            preset: Some("nasbench201".to_owned()),
            set: set.map(str::to_owned).to_vec(),
            ..Options::default()
        })
        .unwrap_err()
        .to_string();
        assert!(error.contains("search.reuse = mean"), "{error}");
    }
}
