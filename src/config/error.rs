//! Why settings cannot be used.

use std::path::PathBuf;

use super::presets;
use crate::foundation::near;

/// Settings that cannot be used. The message names the place, the key and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key or a wrong type: the message shows the line.
    #[error("{place}: {message}")]
    Syntax {
        /// The file or option that contains it.
        place: String,
        /// What is wrong, with the line.
        message: String,
    },
    /// A value outside its range.
    #[error("{place}: {key} = {value}: {rule}")]
    Value {
        /// The file or option that contains it.
        place: String,
        /// The dotted key.
        key: String,
        /// The value.
        value: String,
        /// What the value must be.
        rule: String,
    },
    /// An option changes a recipe that does not exist and is not chosen.
    #[error(
        "{place}: there is no recipe \"{name}\"{question} (the recipes are {known}; train.recipe={name} would make it one)"
    )]
    NoSuchRecipe {
        /// The option.
        place: String,
        /// The name.
        name: String,
        /// Which one may have been meant, as a question; may be empty.
        question: String,
        /// The recipes that exist.
        known: String,
    },
    /// There is no such preset.
    #[error(
        "there is no preset \"{name}\"{}; the presets are {}",
        near::question(&near::names(name, presets::NAMES)),
        presets::NAMES.join(", ")
    )]
    NoSuchPreset {
        /// The requested name.
        name: String,
    },
    /// A file, or `--set`, names one preset and `--preset` another.
    #[error(
        "{place} starts from preset \"{in_file}\" but the command line says \"{on_command_line}\"; leave one of them out"
    )]
    TwoPresets {
        /// The file or option.
        place: String,
        /// The preset that it names.
        in_file: String,
        /// The preset on the command line.
        on_command_line: String,
    },
    /// `--set` without `=`.
    #[error("--set {given}: must be KEY=VALUE, for example --set child.epochs=3")]
    NotAnAssignment {
        /// The argument given.
        given: String,
    },
}

/// The message about a whole number that none here can be, with the range.
pub(super) fn with_range(message: String) -> String {
    let kinds = ["invalid type: integer ", "invalid value: integer "];
    let number = kinds.iter().find_map(|kind| message.strip_prefix(kind));
    match number.and_then(|rest| rest.strip_suffix(", expected a whole number")) {
        Some(number) => format!(
            "invalid value: {} is out of range, expected a whole number from {} to {}",
            number.trim_matches('`'),
            i64::MIN,
            i64::MAX
        ),
        None => message,
    }
}
