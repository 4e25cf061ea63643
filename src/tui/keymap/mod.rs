//! Maps keys to actions: one table, which settings may change, and from which the help and the
//! footer are generated.

mod action;
mod bindings;
mod elsewhere;
mod error;
mod key;

use std::collections::{BTreeMap, HashMap, HashSet};

pub use action::Action;
pub(crate) use bindings::keys;
pub use bindings::{binding, bindings};
pub use error::KeymapError;
pub use key::Key;

use super::panels::PanelId;
use crate::event::RunKind;

/// Where keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// The focused panel.
    Panel(PanelId),
    /// The help is open.
    Help,
    /// The inspector is open.
    Inspector,
    /// The list of runs is open.
    Runs,
    /// A question is waiting for its answer.
    Question,
    /// A line of text is being typed.
    Text,
}

impl Context {
    /// Every place that keys can go to.
    pub fn all() -> impl Iterator<Item = Context> {
        let panels = PanelId::all().into_iter().map(Context::Panel);
        panels.chain([
            Context::Help,
            Context::Inspector,
            Context::Runs,
            Context::Question,
            Context::Text,
        ])
    }
}

/// The contexts in which a binding applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All panels, and the inspector.
    Views,
    /// All panels.
    Panels,
    /// This panel, while it has the focus.
    Panel(PanelId),
    /// All panels, the inspector, the list of runs and the help.
    Screens,
    /// The inspector.
    Inspector,
    /// The list of runs.
    Runs,
    /// The help.
    Help,
    /// A question that is waiting for its answer.
    Question,
    /// A line of text being typed.
    Text,
    /// Every context.
    Everywhere,
}

impl Scope {
    /// Whether keys of this scope belong to what has the keys in `context` and to nothing else.
    pub fn is_own(self, context: Context) -> bool {
        match self {
            Scope::Panel(own) => context == Context::Panel(own),
            Scope::Inspector => context == Context::Inspector,
            Scope::Runs => context == Context::Runs,
            _ => false,
        }
    }

    /// The name of the place if it is one panel, the inspector or the list of runs.
    pub fn place(self) -> Option<&'static str> {
        match self {
            Scope::Panel(panel) => Some(panel.name()),
            Scope::Inspector => Some("Inspector"),
            Scope::Runs => Some("Runs"),
            _ => None,
        }
    }

    /// Whether it covers all panels, and is no particular place.
    pub fn is_general(self) -> bool {
        matches!(
            self,
            Scope::Views | Scope::Panels | Scope::Screens | Scope::Everywhere
        )
    }

    /// Whether keys of this scope apply in `context`.
    pub fn holds_in(self, context: Context) -> bool {
        let panel = matches!(context, Context::Panel(_));
        match self {
            Scope::Everywhere => true,
            Scope::Screens => {
                let others = [Context::Inspector, Context::Runs, Context::Help];
                panel || others.contains(&context)
            }
            Scope::Views => panel || context == Context::Inspector,
            Scope::Panels => panel,
            Scope::Panel(own) => context == Context::Panel(own),
            Scope::Inspector => context == Context::Inspector,
            Scope::Runs => context == Context::Runs,
            Scope::Help => context == Context::Help,
            Scope::Question => context == Context::Question,
            Scope::Text => context == Context::Text,
        }
    }
}

/// The default keys of an action in a scope.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// The action.
    pub action: Action,
    /// The scope of the keys.
    pub scope: Scope,
    /// The keys, in the notation of [`Key::parse`].
    pub keys: &'static [&'static str],
    /// The line in the help, for a search.
    pub help: &'static str,
    /// The meaning in a training.
    pub in_training: TrainingMeaning,
    /// The word in the footer; `None` for keys that the footer omits.
    pub short: Option<&'static str>,
}

/// The meaning of a panel's binding in a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrainingMeaning {
    /// The same as in a search.
    Same,
    /// A different line in the help.
    Other(&'static str),
    /// None: the keys are not available there.
    Nothing,
}

impl Binding {
    /// A key that means something else in a training.
    const fn in_training(self, help: &'static str) -> Binding {
        Binding {
            in_training: TrainingMeaning::Other(help),
            ..self
        }
    }

    /// A key that means nothing in a training.
    const fn of_search(self) -> Binding {
        Binding {
            in_training: TrainingMeaning::Nothing,
            ..self
        }
    }

    /// The line in the help for this kind of run; `None` if the binding means nothing there.
    pub fn help_in(&self, kind: RunKind) -> Option<&'static str> {
        match (self.scope, kind, self.in_training) {
            (Scope::Panel(panel), ..) if !panel.is_of(kind) => None,
            (_, RunKind::Search, _) | (_, _, TrainingMeaning::Same) => Some(self.help),
            (_, RunKind::Training, TrainingMeaning::Other(help)) => Some(help),
            (_, RunKind::Training, TrainingMeaning::Nothing) => None,
        }
    }
}

/// A binding with its keys in this session.
#[derive(Debug, Clone)]
pub struct Bound {
    /// The default binding.
    pub binding: &'static Binding,
    /// Its keys; empty if settings removed them.
    pub keys: Vec<Key>,
}

/// All bindings of a session, in the order of the help.
#[derive(Debug, Clone)]
pub struct Keymap {
    bound: Vec<Bound>,
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
    /// The default keys, changed by `screen.keys`: the keys given for an action replace its
    /// defaults; an empty list removes them.
    ///
    /// # Errors
    /// The first of [`Keymap::mistakes`].
    pub fn new(changes: &BTreeMap<String, Vec<String>>) -> Result<Keymap, KeymapError> {
        let mut keymap = Keymap::default();
        match keymap.change(changes).into_iter().next() {
            Some(mistake) => Err(mistake),
            None => Ok(keymap),
        }
    }

    /// Every mistake in `screen.keys`, in the order of its actions: an unknown action or key, a key with two
    /// meanings in one place, or no key for `quit`.
    pub fn mistakes(changes: &BTreeMap<String, Vec<String>>) -> Vec<KeymapError> {
        Keymap::default().change(changes)
    }

    /// Make these changes as far as they are possible; returns every mistake in them.
    fn change(&mut self, changes: &BTreeMap<String, Vec<String>>) -> Vec<KeymapError> {
        let known: HashSet<String> = action_names().into_iter().collect();
        let mut mistakes = Vec::new();
        for (name, keys) in changes {
            if !known.contains(name) {
                mistakes.push(KeymapError::NoSuchAction { name: name.clone() });
                continue;
            }
            let mut parsed = Vec::new();
            for key in keys {
                match Key::parse(key) {
                    Some(key) => parsed.push(key),
                    None => mistakes.push(KeymapError::NoSuchKey {
                        action: name.clone(),
                        key: key.clone(),
                    }),
                }
            }
            // Without keys by mistake it keeps those that it has.
            if parsed.is_empty() && !keys.is_empty() {
                continue;
            }
            let of_action = self.bound.iter_mut();
            for bound in of_action.filter(|bound| bound.binding.action.name() == *name) {
                bound.keys.clone_from(&parsed);
            }
        }
        let mut of_quit = self.bound.iter();
        let is_way_out =
            |bound: &Bound| bound.binding.action == Action::Quit && !bound.keys.is_empty();
        if !of_quit.any(is_way_out) {
            mistakes.push(KeymapError::NoWayOut);
        }
        mistakes.extend(self.double_keys());
        mistakes
    }

    /// The action of a key in a context, if it has one.
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

    /// Whether an action has a meaning, but none in this kind of run.
    pub fn is_of_other_runs(&self, action: Action, kind: RunKind) -> bool {
        self.help_of(action, kind).is_none()
    }

    /// What an action does in this kind of run.
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

    /// The first key of an action, as named in the help.
    pub fn key_of(&self, action: Action) -> String {
        let bound = self
            .bound
            .iter()
            .find(|bound| bound.binding.action == action && !bound.keys.is_empty());
        bound.map_or_else(|| "no key".to_owned(), |bound| bound.keys[0].name())
    }

    /// The keys that have two meanings in one context, each with two of its actions once.
    fn double_keys(&self) -> Vec<KeymapError> {
        let mut found: Vec<KeymapError> = Vec::new();
        for context in Context::all() {
            let mut seen: HashMap<Key, Action> = HashMap::new();
            for bound in self.of(context) {
                for key in &bound.keys {
                    let (action, other) = (
                        bound.binding.action,
                        *seen.entry(*key).or_insert(bound.binding.action),
                    );
                    let twice = || KeymapError::Twice {
                        key: key.name(),
                        one: other.name(),
                        other: action.name(),
                    };
                    if other != action && !found.contains(&twice()) {
                        found.push(twice());
                    }
                }
            }
        }
        found
    }
}

/// Names of all actions, each listed once, in the order of the help.
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
