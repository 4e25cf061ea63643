//! Every mistake in the settings, not just the first: each is set aside, and the rest is checked without
//! it.

use std::ops::Range;

use serde::Deserialize;

use super::messages::DUPLICATE;
use super::*;
use crate::foundation::near;

/// No one corrects more mistakes at once.
const MOST: usize = 50;
/// Each mistake is found by reading all settings once more. They are read until they have been this many
/// bytes together, so that a long file of nonsense takes no time to speak of: all of [`MOST`] mistakes are
/// found in a file of 120 KiB, and a few in one of the greatest length.
const MOST_READ: usize = 6 << 20;

/// What is wrong with settings.
#[derive(Debug, Default)]
pub struct Mistakes {
    /// Each mistake.
    pub found: Vec<ConfigError>,
    /// Whether there may be more of them: the search ended early.
    pub may_be_more: bool,
    /// The settings without the mistakes; `None` if there is no way to tell what they would be.
    pub rest: Option<Config>,
    /// Bytes of settings that were read to find them.
    read: usize,
    /// The sources as far as they can be read. Their lines have the numbers that they have in the files.
    sources: Vec<SettingsSource>,
}

impl Mistakes {
    /// What finds `PLACE:LINE` (or the option) that sets a dotted key, if anything does.
    pub fn places(&self) -> impl Fn(&str) -> Option<String> {
        let sources = self.sources.iter().rev();
        let documents: Vec<_> = sources
            .filter_map(|source| Some((source, source.document()?)))
            .collect();
        move |key| {
            let mut places = documents.iter();
            places.find_map(|(source, document)| source.place_in(document, key))
        }
    }

    /// Whether to look for another one in settings of this many bytes.
    fn has_room(&mut self, bytes: usize) -> bool {
        self.read += bytes;
        self.may_be_more = self.found.len() >= MOST || self.read > MOST_READ;
        !self.may_be_more
    }
}

/// Every mistake, unless there are very many. `check` is a rule that is only known outside this room.
pub fn mistakes(options: &Options, check: impl Fn(&Config) -> Result<(), Violation>) -> Mistakes {
    let mut mistakes = Mistakes::default();
    let mut sources = sound_sources(options, &mut mistakes);
    let preset = match preset_name(options, &sources) {
        Ok(preset) => preset,
        Err(error) => {
            mistakes.found.push(error);
            return mistakes;
        }
    };
    let bytes = sources.iter().map(|source| source.text.len()).sum();
    while mistakes.has_room(bytes) {
        let raw = match merged(&preset, &sources) {
            Ok(raw) => raw,
            Err(error) => {
                mistakes.found.push(error);
                break;
            }
        };
        let checked = validate(&raw).and_then(|config| check(&config).map(|()| config));
        let violation = match checked {
            Ok(config) => {
                let unknown = known_recipes(&preset, &sources).err();
                mistakes.found.extend(unknown);
                mistakes.rest = Some(config);
                break;
            }
            Err(violation) => violation,
        };
        let keys = [
            Some(violation.key.to_string()),
            violation.related.map(str::to_owned),
        ];
        mistakes.found.push(named(violation, &preset, &sources));
        let is_set_aside = |key: &String| {
            let of_key = sources
                .iter_mut()
                .map(|source| remove(&mut source.table, key));
            of_key.fold(false, |before, removed| before | removed)
        };
        // What no one set (the preset's own values) cannot be set aside.
        if !keys.iter().flatten().any(is_set_aside) {
            break;
        }
    }
    mistakes.sources = sources;
    mistakes
}

/// The sources as far as they can be read.
fn sound_sources(options: &Options, mistakes: &mut Mistakes) -> Vec<SettingsSource> {
    let mut sources = Vec::new();
    if let Some(file) = &options.file {
        match crate::foundation::input::text(file, crate::foundation::input::SETTINGS) {
            Ok(text) => {
                sources.extend(sound_source(text, &file.display().to_string(), mistakes));
            }
            Err(source) => mistakes.found.push(ConfigError::Unreadable {
                path: file.clone(),
                source,
            }),
        }
    }
    let seed = options.seed.map(|seed| seed.to_string());
    let seed = seed.map(|seed| SettingsSource::from_option("--seed", "search.seed", &seed));
    let set = options.set.iter();
    for option in set
        .map(|text| SettingsSource::from_assignment(text))
        .chain(seed)
    {
        match option {
            Ok(source) => sources.push(source),
            Err(error) => mistakes.found.push(error),
        }
    }
    sources
}

/// The settings in `text` without the lines that are wrong; `None` if it is not TOML, or if so many are
/// wrong that the rest was not read.
fn sound_source(mut text: String, place: &str, mistakes: &mut Mistakes) -> Option<SettingsSource> {
    while mistakes.has_room(text.len()) {
        let document = match toml::Deserializer::parse(&text) {
            Ok(document) => document,
            Err(error) => {
                mistakes.found.push(syntax_error(&text, place, &error));
                // A key that is set twice does not hide what else is wrong.
                let span = error.span().filter(|_| error.message() == DUPLICATE)?;
                text = without_lines(&text, span)?;
                continue;
            }
        };
        let Err(error) = RawConfig::deserialize(document) else {
            let source = SettingsSource::from_text(&text, place);
            return source.map_err(|error| mistakes.found.push(error)).ok();
        };
        mistakes.found.push(syntax_error(&text, place, &error));
        text = without_lines(&text, error.span()?)?;
    }
    None
}

/// `text` with the lines that `span` touches left empty: a whole section if that is its heading. `None`
/// if they were empty before.
fn without_lines(text: &str, span: Range<usize>) -> Option<String> {
    let before = text.get(..span.start)?;
    let first = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = |from: usize| {
        text[from..]
            .find('\n')
            .map_or(text.len(), |length| from + length)
    };
    let is_heading = text[first..].trim_start().starts_with('[');
    let end = if is_heading {
        let next = text[first..].match_indices("\n[").next();
        next.map_or(text.len(), |(length, _)| first + length)
    } else {
        line_end(span.end.max(span.start).min(text.len()))
    };
    let lines = &text[first..end];
    let empty = "\n".repeat(lines.matches('\n').count());
    (!lines.trim().is_empty()).then(|| [&text[..first], &empty, &text[end..]].concat())
}

/// Remove a dotted key; false if it is not there.
fn remove(table: &mut toml::Table, key: &str) -> bool {
    match key.split_once('.') {
        None => table.remove(key).is_some(),
        Some((section, rest)) => match table.get_mut(section) {
            Some(toml::Value::Table(section)) => remove(section, rest),
            _ => false,
        },
    }
}

/// Check that each recipe that an option changes exists: a recipe of its own is written in a file, or
/// chosen.
pub(super) fn known_recipes(preset: &str, sources: &[SettingsSource]) -> Result<(), ConfigError> {
    let names = |source: &SettingsSource| -> Vec<String> {
        let recipes = source.table.get("recipes").and_then(toml::Value::as_table);
        recipes.map_or(Vec::new(), |recipes| recipes.keys().cloned().collect())
    };
    let (options, files): (Vec<&SettingsSource>, Vec<&SettingsSource>) =
        sources.iter().partition(|source| source.is_option());
    let base = presets::preset(preset).map(|base| base.recipes);
    let mut known: Vec<String> = base
        .into_iter()
        .flat_map(|recipes| recipes.into_keys())
        .collect();
    known.extend(files.into_iter().flat_map(names));
    let chosen = merged(preset, sources)?.train.recipe;
    for option in options {
        let unknown = names(option)
            .into_iter()
            .find(|name| *name != chosen && !known.contains(name));
        if let Some(name) = unknown {
            let near = near::names(&name, known.iter().map(String::as_str));
            return Err(ConfigError::NoSuchRecipe {
                place: option.place.clone(),
                question: near::question(&near),
                known: known.join(", "),
                name,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, set: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my.toml");
        std::fs::write(&path, file).unwrap();
        let options = Options {
            file: Some(path),
            set: set.iter().map(|set| (*set).to_owned()).collect(),
            ..Options::default()
        };
        let within = format!("{}/", folder.path().display());
        mistakes(&options, |_| Ok(()))
            .found
            .iter()
            .map(|mistake| mistake.to_string().replace(&within, ""))
            .collect()
    }

    #[test]
    fn every_mistake_is_found_at_once_each_with_its_line() {
        let file = "[child]\nepochs = 0\nbatch = 5\n\n[rewards]\npower = 1\n\n[reward]\npower = \"high\"\nlast_epochs = 1\n";
        let found = found(
            file,
            &["search.episodes=-1", "nonsense", "child.momentum=2"],
        );
        let starts = [
            "my.toml:3: child.batch: unknown field",
            "my.toml:5: ",
            "my.toml:9: reward.power: invalid type",
            "--set nonsense: must be KEY=VALUE",
            "--set search.episodes=-1: search.episodes = -1: must be",
            "--set child.momentum=2: child.momentum = 2: must be",
            "my.toml:2: child.epochs = 0: must be",
        ];
        let mut left: Vec<&str> = starts.to_vec();
        left.retain(|start| !found.iter().any(|message| message.starts_with(start)));
        assert!(
            left.is_empty() && found.len() == starts.len(),
            "{left:?} {found:#?}"
        );
    }

    #[test]
    fn of_very_many_mistakes_only_some_are_looked_for() {
        let keys = |count: usize| -> String {
            let keys = (0..count).map(|number| format!("k{number:05} = 1\n"));
            "[child]\n".to_owned() + &keys.collect::<String>()
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my.toml");
        let of = |text: String| {
            std::fs::write(&path, text).unwrap();
            let file = Some(path.clone());
            let options = Options {
                file,
                ..Options::default()
            };
            let mistakes = mistakes(&options, |_| Ok(()));
            (mistakes.found.len(), mistakes.may_be_more)
        };
        assert_eq!(of(keys(49)), (49, false));
        assert_eq!(of(keys(51)), (MOST, true));
        assert_eq!(
            of(keys(90_000)),
            (6, true),
            "each takes a reading of 990 kB"
        );
        let rules = (0..30_000).map(|number| format!("[recipes.r{number}]\nepochs = 0\n"));
        let (found, may_be_more) = of(rules.collect());
        assert!((3..10).contains(&found) && may_be_more, "{found}");
    }

    #[test]
    fn a_key_that_is_set_twice_is_named_and_hides_no_other_mistake() {
        let file = "[child]\nepochs = 3\nbatch = 5\nepochs = 4\n\n[search]\nepisods = 3\n[child]\nmomentum = 3\n";
        assert_eq!(
            found(file, &[]),
            [
                "my.toml:4: child.epochs: duplicate key",
                "my.toml:8: child: duplicate key",
                "my.toml:3: child.batch: unknown field `batch`; did you mean batch_size?",
                "my.toml:7: search.episods: unknown field `episods`; did you mean episodes?",
            ]
        );
    }

    #[test]
    fn what_is_not_toml_is_one_mistake() {
        assert_eq!(found("[child\nepochs = 0\n", &[]).len(), 1);
        assert!(found("[child]\nbatch_size = 16\n", &[]).is_empty());
    }

    #[test]
    fn an_option_cannot_change_a_recipe_that_does_not_exist() {
        let message = found("", &["recipes.cosin.epochs=3"]).join("");
        assert!(
            message.starts_with(
                "--set recipes.cosin.epochs=3: there is no recipe \"cosin\"; did you mean cosine?"
            ),
            "{message}"
        );
        assert!(found("", &["recipes.cosine.epochs=3"]).is_empty());
        assert!(found("", &["train.recipe=mine", "recipes.mine.epochs=3"]).is_empty());
        assert!(found("[recipes.mine]\nepochs = 4\n", &["recipes.mine.epochs=3"]).is_empty());
    }
}
