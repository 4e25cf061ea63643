//! Merges the sources of settings: a preset, then a file, then `--set`, then `--seed`. Later
//! sources override earlier ones.

mod messages;
mod mistakes;

use std::path::{Path, PathBuf};

use messages::{place_of, syntax_error};
pub use mistakes::{Mistakes, mistakes};

use super::error::ConfigError;
use super::raw::RawConfig;
use super::validate::{Violation, validate};
use super::{Config, earlier, presets, stages};

/// The commented demo configuration that ships with the program. It equals the defaults.
pub const SAMPLE: &str = include_str!("../../config.toml");

/// The settings given on the command line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// `--config`: the settings file.
    pub file: Option<PathBuf>,
    /// Instead of that, the file in which a run saves its settings, perhaps written by an earlier
    /// version.
    pub run: Option<PathBuf>,
    /// `--preset`.
    pub preset: Option<String>,
    /// `KEY=VALUE` pairs, KEY dotted as in `child.epochs`.
    pub set: Vec<String>,
    /// `--seed`, which sets `search.seed`.
    pub seed: Option<u64>,
    /// Whether the settings are for a new training: what its recipe says about `[data]` then
    /// overrides the file and the preset, but not the command line.
    pub training: bool,
}

/// The settings of a run, from the command line's options.
///
/// # Errors
/// [`ConfigError`]: the file cannot be read or parsed, a key, preset or option is not valid, or a
/// value breaks a rule.
pub fn resolve(options: &Options) -> Result<Config, ConfigError> {
    let sources = sources(options)?;
    build(&preset_name(options, &sources)?, &sources)
}

/// `PLACE:LINE` (or the option) that sets a dotted key; `None` if nothing sets it. For errors that
/// are only found outside this room.
pub fn place_of_setting(options: &Options, key: &str) -> Option<String> {
    sources(options)
        .ok()?
        .iter()
        .rev()
        .find_map(|source| source.place_of_key(key))
}

/// A broken rule that was found outside this module, with the location of its key.
pub fn placed(options: &Options, violation: Violation) -> ConfigError {
    let sources = match sources(options) {
        Ok(sources) => sources,
        Err(error) => return error,
    };
    match preset_name(options, &sources) {
        Ok(preset) => named(violation, &preset, &sources),
        Err(error) => error,
    }
}

/// Everything that sets keys, in ascending order of precedence.
fn sources(options: &Options) -> Result<Vec<SettingsSource>, ConfigError> {
    let file = options.file.as_deref().map(SettingsSource::from_file);
    let run = options.run.as_deref().map(SettingsSource::of_run);
    let mut sources: Vec<SettingsSource> = file.into_iter().chain(run).collect::<Result<_, _>>()?;
    for assignment in &options.set {
        sources.push(SettingsSource::from_assignment(assignment)?);
    }
    if let Some(seed) = options.seed {
        sources.push(SettingsSource::from_option(
            "--seed",
            "search.seed",
            &seed.to_string(),
        )?);
    }
    if options.training {
        let preset = preset_name(options, &sources)?;
        if let Some(preparation) = preparation(&preset, &sources)? {
            // After the files, before the options.
            let files = sources.iter().filter(|source| !source.is_option()).count();
            sources.insert(files, preparation);
        }
    }
    Ok(sources)
}

/// What the recipe that these settings choose says about `[data]`.
fn preparation(
    preset: &str,
    sources: &[SettingsSource],
) -> Result<Option<SettingsSource>, ConfigError> {
    let raw = merged(preset, sources)?;
    let name = &raw.train.recipe;
    // A recipe that does not exist is refused later, with the other rules.
    let Some(recipe) = raw.recipes.get(name) else {
        return Ok(None);
    };
    let keys = [
        "normalization",
        "crop",
        "crop_pixels",
        "flip",
        "cutout_pixels",
    ];
    let mut data = toml::Table::try_from(recipe).map_err(|error| internal(preset, &error))?;
    data.retain(|key, _| keys.contains(&key));
    let table = toml::Table::from_iter([("data".to_owned(), toml::Value::Table(data))]);
    Ok(Some(SettingsSource {
        place: format!("--recipe {name}"),
        text: toml::to_string(&table).map_err(|error| internal(preset, &error))?,
        table,
    }))
}

/// Settings from a single file, as stored in a run directory.
///
/// # Errors
/// See [`resolve`].
pub fn read(path: &Path) -> Result<Config, ConfigError> {
    resolve(&Options {
        run: Some(path.to_owned()),
        ..Options::default()
    })
}

/// Settings from the text of a file; errors call it `place`.
///
/// # Errors
/// If the text is not valid TOML, a key or type is wrong, or a value breaks a rule.
pub fn parse(text: &str, place: &str) -> Result<Config, ConfigError> {
    let source = SettingsSource::from_text(text, place)?;
    let preset = source
        .preset()
        .unwrap_or_else(|| presets::NAMES[0].to_owned());
    build(&preset, &[source])
}

/// The keys set in one place.
#[derive(Debug)]
struct SettingsSource {
    /// Name for error messages: a path, or an option as typed.
    place: String,
    text: String,
    table: toml::Table,
}

impl SettingsSource {
    fn from_file(path: &Path) -> Result<SettingsSource, ConfigError> {
        let text = crate::foundation::input::text(path, crate::foundation::input::SETTINGS)
            .map_err(|source| ConfigError::Unreadable {
                path: path.to_owned(),
                source,
            })?;
        SettingsSource::from_text(&text, &path.display().to_string())
    }

    fn of_run(path: &Path) -> Result<SettingsSource, ConfigError> {
        let mut source = SettingsSource::from_file(path)?;
        earlier::complete(&mut source.table);
        Ok(source)
    }

    fn from_text(text: &str, place: &str) -> Result<SettingsSource, ConfigError> {
        // Parse into the typed form first for the sake of its errors, which show line, column and
        // the valid keys.
        if let Err(error) = toml::from_str::<RawConfig>(text) {
            return Err(syntax_error(text, place, &error));
        }
        let mut table = text
            .parse()
            .map_err(|error: toml::de::Error| syntax_error(text, place, &error))?;
        name_the_moving_average(&mut table);
        Ok(SettingsSource {
            place: place.to_owned(),
            text: text.to_owned(),
            table,
        })
    }

    fn from_assignment(assignment: &str) -> Result<SettingsSource, ConfigError> {
        let not_one = || ConfigError::NotAnAssignment {
            given: assignment.to_owned(),
        };
        let (key, value) = assignment.split_once('=').ok_or_else(not_one)?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty()
            || !key
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
        {
            return Err(not_one());
        }
        SettingsSource::from_option(&format!("--set {assignment}"), key, value)
    }

    /// A value that is not valid TOML is taken as a string, so that `--set data.source=cifar10`
    /// needs no quotes.
    fn from_option(place: &str, key: &str, value: &str) -> Result<SettingsSource, ConfigError> {
        let literal = format!("{key} = {value}");
        // TOML says what is wrong with a number.
        let is_number = || {
            value.starts_with(|c: char| "+-.".contains(c) || c.is_ascii_digit())
                && value.parse::<f64>().is_ok()
        };
        let text = match literal.parse::<toml::Table>() {
            Ok(_) => literal,
            Err(_) if is_number() => literal,
            Err(_) => format!("{key} = {}", toml::Value::String(value.to_owned())),
        };
        match SettingsSource::from_text(&text, place) {
            Err(ConfigError::Syntax { message, .. }) => Err(ConfigError::Syntax {
                place: place.to_owned(),
                message,
            }),
            other => other,
        }
    }

    fn preset(&self) -> Option<String> {
        self.table
            .get("preset")
            .and_then(|name| name.as_str())
            .map(str::to_owned)
    }

    /// Whether this is an option of the command line, rather than a file.
    fn is_option(&self) -> bool {
        self.place.starts_with("--")
    }

    /// `PLACE:LINE` of a dotted key, if this source sets it.
    fn place_of_key(&self, key: &str) -> Option<String> {
        self.place_in(&self.document()?, key)
    }

    /// Its text with the place of every key.
    fn document(&self) -> Option<toml_edit::Document<&str>> {
        toml_edit::Document::parse(self.text.as_str()).ok()
    }

    /// `PLACE:LINE` of a dotted key in its `document`, if that sets it.
    fn place_in(&self, document: &toml_edit::Document<&str>, key: &str) -> Option<String> {
        let mut item = document.as_item();
        for part in key.split('.') {
            item = item.get(part)?;
        }
        if self.is_option() {
            return Some(self.place.clone());
        }
        Some(place_of(&self.text, &self.place, item.span()))
    }
}

/// Settings with `controller.baseline_decay` but without `controller.baseline` mean the moving
/// average, as they did when there was no other baseline: runs from then resume unchanged.
fn name_the_moving_average(table: &mut toml::Table) {
    if let Some(toml::Value::Table(controller)) = table.get_mut("controller")
        && controller.contains_key("baseline_decay")
        && !controller.contains_key("baseline")
    {
        let name = toml::Value::String("moving_average".to_owned());
        controller.insert("baseline".to_owned(), name);
    }
}

fn preset_name(options: &Options, sources: &[SettingsSource]) -> Result<String, ConfigError> {
    let in_file = sources
        .iter()
        .find_map(|source| Some((&source.place, source.preset()?)));
    match (&options.preset, in_file) {
        (Some(asked), Some((place, in_file))) if *asked != in_file => {
            Err(ConfigError::TwoPresets {
                place: place.clone(),
                in_file,
                on_command_line: asked.clone(),
            })
        }
        (Some(name), _) => Ok(name.clone()),
        (None, Some((_, in_file))) => Ok(in_file),
        (None, None) => Ok(presets::NAMES[0].to_owned()),
    }
}

fn build(preset: &str, sources: &[SettingsSource]) -> Result<Config, ConfigError> {
    let config = validate(&merged(preset, sources)?)
        .map_err(|violation| named(violation, preset, sources))?;
    mistakes::known_recipes(preset, sources)?;
    Ok(config)
}

/// The settings of the preset, overridden by each source in turn.
fn merged(preset: &str, sources: &[SettingsSource]) -> Result<RawConfig, ConfigError> {
    let base = presets::preset(preset).ok_or_else(|| ConfigError::NoSuchPreset {
        name: preset.to_owned(),
    })?;
    let mut table = toml::Table::try_from(&base).map_err(|error| internal(preset, &error))?;
    for source in sources {
        stages::replace_epochs(&mut table, &source.table);
        merge(&mut table, &source.table);
    }
    stages::add_up_epochs(&mut table);
    table
        .try_into()
        .map_err(|error: toml::de::Error| internal(preset, &error.message()))
}

fn internal(preset: &str, error: &dyn std::fmt::Display) -> ConfigError {
    ConfigError::Syntax {
        place: format!("preset {preset}"),
        message: error.to_string(),
    }
}

fn merge(into: &mut toml::Table, from: &toml::Table) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(toml::Value::Table(into)), toml::Value::Table(from)) => merge(into, from),
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

/// The place of a broken rule: the last source that set the key, otherwise the preset.
fn named(violation: Violation, preset: &str, sources: &[SettingsSource]) -> ConfigError {
    let of_key = |key: &str| {
        sources
            .iter()
            .rev()
            .find_map(|source| source.place_of_key(key))
    };
    let place = of_key(&violation.key).or_else(|| violation.related.and_then(of_key));
    ConfigError::Value {
        place: place.unwrap_or_else(|| format!("preset {preset}")),
        key: violation.key.into_owned(),
        value: violation.value,
        rule: violation.rule,
    }
}

impl Config {
    /// The settings as a complete TOML file that resolves to the same settings.
    pub fn to_toml(&self) -> String {
        // Every field of the raw form is a TOML type by construction; an error here would be a bug
        // in `raw.rs`.
        toml::to_string(&self.raw).expect("raw settings are plain TOML values")
    }
}

#[cfg(test)]
mod tests;
