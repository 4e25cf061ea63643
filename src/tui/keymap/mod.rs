//! Keys to actions: one table, which settings may change, and from which the help and the footer
//! are made too.

mod action;
mod bindings;
mod key;

use std::collections::BTreeMap;

pub use action::Action;
pub(crate) use bindings::keys;
pub use bindings::{binding, bindings};
pub use key::Key;

use super::panels::PanelId;
use crate::event::RunKind;

/// Where keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// The focused panel.
    Panel(PanelId),
    /// The help lies over the panels.
    Help,
    /// The inspector lies over the panels.
    Inspector,
    /// A question waits for its answer.
    Question,
    /// A line of text is being typed.
    Text,
}

impl Context {
    /// Every place that keys can go to.
    pub fn all() -> impl Iterator<Item = Context> {
        let panels = PanelId::ALL.iter().copied().map(Context::Panel);
        panels.chain([
            Context::Help,
            Context::Inspector,
            Context::Question,
            Context::Text,
        ])
    }
}

/// The contexts in which a binding holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All panels, and the inspector.
    Views,
    /// All panels.
    Panels,
    /// This panel, while it has the focus.
    Panel(PanelId),
    /// All panels, the inspector and the help.
    Screens,
    /// The inspector.
    Inspector,
    /// The help.
    Help,
    /// A question that waits for its answer.
    Question,
    /// A line of text that is being typed.
    Text,
    /// Every context.
    Everywhere,
}

impl Scope {
    /// Whether keys of this scope are taken in `context`.
    pub fn holds_in(self, context: Context) -> bool {
        let panel = matches!(context, Context::Panel(_));
        match self {
            Scope::Everywhere => true,
            Scope::Screens => panel || matches!(context, Context::Inspector | Context::Help),
            Scope::Views => panel || context == Context::Inspector,
            Scope::Panels => panel,
            Scope::Panel(own) => context == Context::Panel(own),
            Scope::Inspector => context == Context::Inspector,
            Scope::Help => context == Context::Help,
            Scope::Question => context == Context::Question,
            Scope::Text => context == Context::Text,
        }
    }
}

/// An action's keys in a scope, before settings.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// What the keys ask for.
    pub action: Action,
    /// Where they ask for it.
    pub scope: Scope,
    /// As [`Key::parse`] reads them.
    pub keys: &'static [&'static str],
    /// A line of the help, of a search.
    pub help: &'static str,
    /// What they mean where a single network is trained.
    pub in_training: InTraining,
    /// A word in the footer; none for keys that the footer leaves out.
    pub short: Option<&'static str>,
}

/// What a binding of panels means in a run that trains one network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InTraining {
    /// As in a search.
    Same,
    /// This line of the help.
    Other(&'static str),
    /// The keys are left out there.
    Nothing,
}

impl Binding {
    /// A key that means something else in a training.
    const fn in_training(self, help: &'static str) -> Binding {
        Binding {
            in_training: InTraining::Other(help),
            ..self
        }
    }

    /// A key that means nothing in a training.
    const fn of_search(self) -> Binding {
        Binding {
            in_training: InTraining::Nothing,
            ..self
        }
    }

    /// Its line in the help of such a run; none where it means nothing there.
    pub fn help_in(&self, kind: RunKind) -> Option<&'static str> {
        match (self.scope, kind, self.in_training) {
            (Scope::Panel(panel), ..) if !panel.is_of(kind) => None,
            (_, RunKind::Search, _) | (_, _, InTraining::Same) => Some(self.help),
            (_, RunKind::Training, InTraining::Other(help)) => Some(help),
            (_, RunKind::Training, InTraining::Nothing) => None,
        }
    }
}

/// A binding with the keys that it has in this session.
#[derive(Debug, Clone)]
pub struct Bound {
    /// The binding as it is before settings.
    pub binding: &'static Binding,
    /// Empty if settings took the keys away.
    pub keys: Vec<Key>,
}

/// All bindings of a session, in the order of the help.
#[derive(Debug, Clone)]
pub struct Keymap {
    bound: Vec<Bound>,
}

/// Why `screen.keys` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    /// A setting for an action that does not exist.
    #[error("screen.keys.{name}: there is no such action; the actions are {}", action_names().join(", "))]
    NoSuchAction {
        /// As settings name it.
        name: String,
    },
    /// No key would be left for `quit`.
    #[error("screen.keys.quit: must have a key: without one nobody could leave the screen")]
    NoWayOut,
    /// A key that cannot be parsed.
    #[error(
        "screen.keys.{action}: \"{key}\" is no key: write a character, space, enter, esc, tab, shift-tab, up, down, left, right, \
         pgup, pgdn, home, end, backspace, delete, insert or f1 to f12, with ctrl- or alt- before it"
    )]
    NoSuchKey {
        /// The action it was given to.
        action: String,
        /// As settings write it.
        key: String,
    },
    #[error(
        "screen.keys: {key} would mean both {one} and {other} in one place: give one of them another key"
    )]
    /// One key has two actions in one context.
    Twice {
        /// The key, as the help names it.
        key: String,
        /// The action found first.
        one: String,
        /// The action that has the same key.
        other: String,
    },
}

impl KeymapError {
    /// The settings that it is about: one of them at least has been set.
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

impl Default for Keymap {
    fn default() -> Keymap {
        let parse = |binding: &'static Binding| {
            binding
                .keys
                .iter()
                .filter_map(|key| Key::parse(key))
                .collect()
        };
        Keymap {
            bound: bindings()
                .map(|binding| Bound {
                    binding,
                    keys: parse(binding),
                })
                .collect(),
        }
    }
}

impl Keymap {
    /// The default keys, changed by `screen.keys`: the keys of an action replace its own; an empty
    /// list takes them away.
    pub fn new(changes: &BTreeMap<String, Vec<String>>) -> Result<Keymap, KeymapError> {
        let mut keymap = Keymap::default();
        for (name, keys) in changes {
            let known = keymap
                .bound
                .iter()
                .any(|bound| bound.binding.action.name() == *name);
            if !known {
                return Err(KeymapError::NoSuchAction { name: name.clone() });
            }
            let parse = |key: &String| {
                Key::parse(key).ok_or_else(|| KeymapError::NoSuchKey {
                    action: name.clone(),
                    key: key.clone(),
                })
            };
            let keys = keys.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
            for bound in keymap
                .bound
                .iter_mut()
                .filter(|bound| bound.binding.action.name() == *name)
            {
                bound.keys.clone_from(&keys);
            }
        }
        if keymap
            .bound
            .iter()
            .all(|bound| bound.binding.action != Action::Quit || bound.keys.is_empty())
        {
            return Err(KeymapError::NoWayOut);
        }
        keymap.check()?;
        Ok(keymap)
    }

    /// The action of a key, if it has one there.
    pub fn action(&self, context: Context, key: Key) -> Option<Action> {
        let holds =
            |bound: &&Bound| bound.binding.scope.holds_in(context) && bound.keys.contains(&key);
        self.bound
            .iter()
            .find(holds)
            .map(|bound| bound.binding.action)
    }

    /// The bindings of a context, in the order of the help.
    pub fn of(&self, context: Context) -> impl Iterator<Item = &Bound> {
        self.bound
            .iter()
            .filter(move |bound| bound.binding.scope.holds_in(context))
    }

    /// Whether an action means something, but nothing in such a run.
    pub fn is_of_other_runs(&self, action: Action, kind: RunKind) -> bool {
        self.help_of(action, kind).is_none()
    }

    /// What an action does in such a run.
    pub fn help_of(&self, action: Action, kind: RunKind) -> Option<&'static str> {
        self.bound
            .iter()
            .filter(|bound| bound.binding.action == action)
            .find_map(|bound| bound.binding.help_in(kind))
    }

    /// All bindings, in the order of the help.
    pub fn all(&self) -> &[Bound] {
        &self.bound
    }

    /// The first key of an action, as the help names it.
    pub fn key_of(&self, action: Action) -> String {
        let bound = self
            .bound
            .iter()
            .find(|bound| bound.binding.action == action && !bound.keys.is_empty());
        bound.map_or_else(|| "no key".to_owned(), |bound| bound.keys[0].name())
    }

    /// No key may mean two things in one context.
    fn check(&self) -> Result<(), KeymapError> {
        for context in Context::all() {
            let mut seen: Vec<(Key, Action)> = Vec::new();
            for (key, action) in self
                .of(context)
                .flat_map(|bound| bound.keys.iter().map(|key| (*key, bound.binding.action)))
            {
                if let Some((_, other)) = seen
                    .iter()
                    .find(|(known, other)| *known == key && *other != action)
                {
                    return Err(KeymapError::Twice {
                        key: key.name(),
                        one: other.name(),
                        other: action.name(),
                    });
                }
                seen.push((key, action));
            }
        }
        Ok(())
    }
}

/// Names of all actions, each once, in the order of the help.
pub fn action_names() -> Vec<String> {
    let mut names = Vec::new();
    for name in bindings().map(|binding| binding.action.name()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests;
