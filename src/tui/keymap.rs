//! Keys to actions: one table, from which the help overlay and the footer are made too.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a key asks for. What it does is decided in `app`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    TogglePause,
    Quit,
    ToggleHelp,
    ToggleBest,
    ToggleAxis,
    FocusNext,
    FocusPrevious,
    ToggleMaximised,
    Back,
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    PreviousChild,
    NextChild,
    Repaint,
    Suspend,
    /// In a question: the chosen answer, the next one, or one by its letter.
    Answer,
    NextAnswer,
    AnswerStop,
    AnswerCancel,
}

/// Where the keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    Panels,
    /// Help or the best architecture lies over the panels.
    Overlay,
    /// A question waits for its answer.
    Question,
}

/// A key as a user presses it: upper case letters include their Shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    pub code: KeyCode,
    pub control: bool,
}

impl Key {
    const fn plain(code: KeyCode) -> Key {
        Key { code, control: false }
    }

    const fn letter(letter: char) -> Key {
        Key::plain(KeyCode::Char(letter))
    }

    const fn control(letter: char) -> Key {
        Key { code: KeyCode::Char(letter), control: true }
    }

    /// The key of an event.
    pub fn of(event: &KeyEvent) -> Key {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let code = match event.code {
            // Terminals differ in whether Shift is also reported as a modifier.
            KeyCode::Char(letter) if control => KeyCode::Char(letter.to_ascii_lowercase()),
            KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            code => code,
        };
        Key { code, control }
    }

    /// As the help names it.
    pub fn name(&self) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "Space".to_owned(),
            KeyCode::Char(letter) if self.control => letter.to_ascii_uppercase().to_string(),
            KeyCode::Char(letter) => letter.to_string(),
            KeyCode::BackTab => "Shift-Tab".to_owned(),
            KeyCode::PageUp => "PgUp".to_owned(),
            KeyCode::PageDown => "PgDn".to_owned(),
            code => format!("{code:?}"),
        };
        if self.control { format!("Ctrl-{name}") } else { name }
    }
}

/// Keys that do the same in some contexts.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    pub keys: &'static [Key],
    pub action: Action,
    pub contexts: &'static [Context],
    /// A line of the help overlay.
    pub help: &'static str,
    /// A word in the footer; none for keys that the footer leaves out.
    pub short: Option<&'static str>,
}

use Context::{Overlay, Panels, Question};

const PANELS: &[Context] = &[Panels];
const VIEWS: &[Context] = &[Panels, Overlay];
const QUESTION: &[Context] = &[Question];
const EVERYWHERE: &[Context] = &[Panels, Overlay, Question];

const fn binding(
    keys: &'static [Key],
    action: Action,
    contexts: &'static [Context],
    help: &'static str,
    short: Option<&'static str>,
) -> Binding {
    Binding { keys, action, contexts, help, short }
}

/// Every key of the screen, in the order of the help; the footer shows as many as fit.
pub const BINDINGS: &[Binding] = &[
    binding(&[Key::letter(' ')], Action::TogglePause, VIEWS, "pause or resume the search", Some("pause")),
    binding(&[Key::letter('q')], Action::Quit, PANELS, "quit (asks while the search runs)", Some("quit")),
    binding(&[Key::control('c')], Action::Quit, VIEWS, "quit, from anywhere", None),
    binding(&[Key::letter('?')], Action::ToggleHelp, VIEWS, "this help", Some("help")),
    binding(&[Key::letter('b')], Action::ToggleBest, VIEWS, "the best architecture", Some("best")),
    binding(&[Key::letter('a')], Action::ToggleAxis, VIEWS, "chart: reward or accuracy", Some("accuracy")),
    binding(&[Key::plain(KeyCode::Tab)], Action::FocusNext, PANELS, "focus the next panel", Some("focus")),
    binding(&[Key::plain(KeyCode::BackTab)], Action::FocusPrevious, PANELS, "focus the previous panel", None),
    binding(
        &[Key::letter('f'), Key::plain(KeyCode::Enter)],
        Action::ToggleMaximised,
        PANELS,
        "maximise the focused panel, or all panels again",
        Some("maximise"),
    ),
    binding(&[Key::plain(KeyCode::Up), Key::letter('k')], Action::Up, VIEWS, "scroll up", None),
    binding(&[Key::plain(KeyCode::Down), Key::letter('j')], Action::Down, VIEWS, "scroll down", None),
    binding(&[Key::plain(KeyCode::PageUp)], Action::PageUp, VIEWS, "scroll up a page", None),
    binding(&[Key::plain(KeyCode::PageDown)], Action::PageDown, VIEWS, "scroll down a page", None),
    binding(&[Key::letter('g'), Key::plain(KeyCode::Home)], Action::Top, VIEWS, "to the top", None),
    binding(&[Key::letter('G'), Key::plain(KeyCode::End)], Action::Bottom, VIEWS, "to the end (the log follows)", None),
    binding(
        &[Key::plain(KeyCode::Left), Key::letter('h'), Key::letter('p')],
        Action::PreviousChild,
        VIEWS,
        "the child of the previous worker",
        None,
    ),
    binding(
        &[Key::plain(KeyCode::Right), Key::letter('l'), Key::letter('n')],
        Action::NextChild,
        VIEWS,
        "the child of the next worker",
        None,
    ),
    binding(&[Key::plain(KeyCode::Esc)], Action::Back, PANELS, "back to all panels", None),
    binding(&[Key::plain(KeyCode::Esc), Key::letter('q')], Action::Back, &[Overlay], "close an overlay", None),
    binding(&[Key::control('l')], Action::Repaint, EVERYWHERE, "draw everything anew", None),
    binding(&[Key::control('z')], Action::Suspend, EVERYWHERE, "suspend to the shell (fg brings it back)", None),
    binding(&[Key::letter('s'), Key::control('c')], Action::AnswerStop, QUESTION, "in a question: stop", Some("stop")),
    binding(
        &[Key::letter('c'), Key::letter('q'), Key::plain(KeyCode::Esc)],
        Action::AnswerCancel,
        QUESTION,
        "in a question: cancel",
        Some("cancel"),
    ),
    binding(
        &[
            Key::plain(KeyCode::Tab),
            Key::plain(KeyCode::BackTab),
            Key::plain(KeyCode::Up),
            Key::plain(KeyCode::Down),
            Key::letter('k'),
            Key::letter('j'),
        ],
        Action::NextAnswer,
        QUESTION,
        "in a question: mark the other answer",
        Some("other answer"),
    ),
    binding(&[Key::plain(KeyCode::Enter)], Action::Answer, QUESTION, "in a question: give the marked answer", Some("answer")),
];

/// The action of a key, if it has one there.
pub fn action(context: Context, key: Key) -> Option<Action> {
    let binding = BINDINGS.iter().find(|binding| binding.contexts.contains(&context) && binding.keys.contains(&key))?;
    Some(binding.action)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_key_has_two_meanings_in_one_context() {
        let mut seen = HashSet::new();
        for binding in BINDINGS {
            for (context, key) in binding.contexts.iter().flat_map(|context| binding.keys.iter().map(move |key| (context, key))) {
                assert!(seen.insert((*context, *key)), "{} twice in {context:?}", key.name());
            }
        }
    }

    #[test]
    fn keys_are_named_as_users_know_them() {
        let names: Vec<String> =
            [Key::letter(' '), Key::control('z'), Key::plain(KeyCode::BackTab), Key::letter('G')].iter().map(Key::name).collect();
        assert_eq!(names, ["Space", "Ctrl-Z", "Shift-Tab", "G"]);
    }

    #[test]
    fn terminals_that_report_shift_and_those_that_do_not_give_the_same_key() {
        let with = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        let without = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::NONE);
        assert_eq!(Key::of(&with), Key::of(&without));
        let tab = KeyEvent::new(KeyCode::Tab, KeyModifiers::SHIFT);
        assert_eq!(action(Context::Panels, Key::of(&tab)), Some(Action::FocusPrevious));
    }
}
