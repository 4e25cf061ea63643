//! Why `screen.keys` cannot be used.

use super::{Key, action_names};
use crate::foundation::near;

/// How keys are written.
const WAYS: &str = ": write a character, space, enter, esc, tab, shift-tab, up, down, left, right, pgup, pgdn, home, end, \
                    backspace, delete, insert or f1 to f12, with ctrl- or alt- before it";

/// Why `screen.keys` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    /// A setting for an action that does not exist.
    #[error("screen.keys.{name}: no such action{}", similar_action(name))]
    NoSuchAction {
        /// The name in the settings.
        name: String,
    },
    /// No key would be left for `quit`.
    #[error("screen.keys.quit: must have a key, otherwise the screen could not be closed")]
    NoWayOut,
    /// A key that cannot be parsed.
    #[error(
        "screen.keys.{action}: \"{key}\" is no key{}",
        Key::similar(key).map_or_else(|| WAYS.to_owned(), |key| format!("; did you mean {key}?"))
    )]
    NoSuchKey {
        /// The action it was assigned to.
        action: String,
        /// The key as written in the settings.
        key: String,
    },
    #[error(
        "screen.keys: {key} would mean both {one} and {other} in one place: give one of them another key"
    )]
    /// One key has two actions in one context.
    Twice {
        /// The key as named in the help.
        key: String,
        /// The first action with this key.
        one: String,
        /// The other action with the same key.
        other: String,
    },
}

impl KeymapError {
    /// The settings concerned, at least one of which has been set.
    pub fn settings(&self) -> Vec<String> {
        let actions = match self {
            KeymapError::NoSuchAction { name: action } | KeymapError::NoSuchKey { action, .. } => {
                vec![action.as_str()]
            }
            KeymapError::NoWayOut => vec!["quit"],
            KeymapError::Twice { one, other, .. } => vec![one.as_str(), other.as_str()],
        };
        actions
            .into_iter()
            .map(|action| format!("screen.keys.{action}"))
            .collect()
    }
}

/// Which actions may have been meant, or where they are listed.
fn similar_action(name: &str) -> String {
    let known = action_names();
    match near::names(name, known.iter().map(String::as_str)).as_slice() {
        [] => "; `:` on the screen lists the actions (here with _ for each space)".to_owned(),
        near => near::question(near),
    }
}
