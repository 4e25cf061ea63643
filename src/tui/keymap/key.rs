//! Keys as users press and write them: `q`, `G`, `space`, `ctrl-c`, `shift-tab`, `f5`.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::foundation::near;

/// A key with its modifiers. Upper case letters include their Shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// As reported by crossterm; letters with Ctrl are lower case.
    pub code: KeyCode,
    /// Ctrl is held down.
    pub control: bool,
    /// Alt is held down.
    pub alt: bool,
}

/// Keys that have a name instead of a character: name, name in the help, code.
const NAMED: [(&str, &str, KeyCode); 16] = [
    ("space", "Space", KeyCode::Char(' ')),
    ("enter", "Enter", KeyCode::Enter),
    ("esc", "Esc", KeyCode::Esc),
    ("tab", "Tab", KeyCode::Tab),
    ("shift-tab", "Shift-Tab", KeyCode::BackTab),
    ("backspace", "Backspace", KeyCode::Backspace),
    ("delete", "Delete", KeyCode::Delete),
    ("insert", "Insert", KeyCode::Insert),
    ("up", "Up", KeyCode::Up),
    ("down", "Down", KeyCode::Down),
    ("left", "Left", KeyCode::Left),
    ("right", "Right", KeyCode::Right),
    ("pgup", "PgUp", KeyCode::PageUp),
    ("pgdn", "PgDn", KeyCode::PageDown),
    ("home", "Home", KeyCode::Home),
    ("end", "End", KeyCode::End),
];

impl Key {
    const fn plain(code: KeyCode) -> Key {
        Key {
            code,
            control: false,
            alt: false,
        }
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
        Key {
            code,
            control,
            alt: event.modifiers.contains(KeyModifiers::ALT),
        }
    }

    /// The key that `text` names, if any.
    pub fn parse(text: &str) -> Option<Key> {
        if let Some(key) = Key::parse_plain(text) {
            return Some(key);
        }
        let (modifier, rest) = text.split_once('-')?;
        let key = Key::parse(rest)?;
        match modifier.to_ascii_lowercase().as_str() {
            "ctrl" if !key.control => Some(Key {
                control: true,
                code: lower_case(key.code),
                ..key
            }),
            "alt" if !key.alt => Some(Key { alt: true, ..key }),
            _ => None,
        }
    }

    /// The key that may have been meant by `text`, which names none.
    pub fn similar(text: &str) -> Option<String> {
        let (modifiers, name) = match text.rsplit_once('-') {
            Some((modifiers, name)) => (format!("{modifiers}-"), name),
            None => (String::new(), text),
        };
        let known = NAMED.iter().map(|(written, ..)| *written);
        let near = near::names(&name.to_ascii_lowercase(), known);
        let mut meant = near.iter().map(|near| format!("{modifiers}{near}"));
        meant.find(|key| Key::parse(key).is_some())
    }

    fn parse_plain(text: &str) -> Option<Key> {
        let mut characters = text.chars();
        if let (Some(character), None) = (characters.next(), characters.next()) {
            return (!character.is_control()).then(|| Key::plain(KeyCode::Char(character)));
        }
        let name = text.to_ascii_lowercase();
        if let Some((_, _, code)) = NAMED.iter().find(|(written, ..)| *written == name) {
            return Some(Key::plain(*code));
        }
        let number = name
            .strip_prefix('f')?
            .parse()
            .ok()
            .filter(|number| (1..=12).contains(number))?;
        Some(Key::plain(KeyCode::F(number)))
    }

    /// Its name in the help.
    pub fn name(&self) -> String {
        let name = match self.code {
            KeyCode::Char(letter) if letter != ' ' && self.control => {
                letter.to_ascii_uppercase().to_string()
            }
            KeyCode::Char(letter) if letter != ' ' => letter.to_string(),
            KeyCode::F(number) => format!("F{number}"),
            code => {
                let named = NAMED.iter().find(|(.., other)| *other == code);
                named.map_or_else(|| format!("{code:?}"), |(_, shown, _)| (*shown).to_owned())
            }
        };
        let (control, alt) = (
            if self.control { "Ctrl-" } else { "" },
            if self.alt { "Alt-" } else { "" },
        );
        format!("{control}{alt}{name}")
    }
}

fn lower_case(code: KeyCode) -> KeyCode {
    match code {
        KeyCode::Char(letter) => KeyCode::Char(letter.to_ascii_lowercase()),
        code => code,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_named_as_users_know_them() {
        let names = [
            "space",
            "ctrl-z",
            "shift-tab",
            "G",
            "f5",
            "alt-x",
            "ctrl-alt-up",
            "-",
            "ctrl-space",
        ];
        let shown: Vec<String> = names
            .iter()
            .map(|name| Key::parse(name).expect(name).name())
            .collect();
        assert_eq!(
            shown,
            [
                "Space",
                "Ctrl-Z",
                "Shift-Tab",
                "G",
                "F5",
                "Alt-x",
                "Ctrl-Alt-Up",
                "-",
                "Ctrl-Space"
            ]
        );
    }

    #[test]
    fn texts_that_name_no_key_are_refused() {
        for text in ["", "qq", "ctrl-", "hyper-x", "f13", "ctrl-ctrl-x", "\n"] {
            assert_eq!(Key::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn terminals_that_report_shift_and_those_that_do_not_give_the_same_key() {
        let with = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        let without = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::NONE);
        assert_eq!(Key::of(&with), Key::of(&without));
        assert_eq!(
            Some(Key::of(&KeyEvent::new(KeyCode::Tab, KeyModifiers::SHIFT))),
            Key::parse("shift-tab")
        );
    }

    proptest! {
        #[test]
        fn the_name_of_a_key_is_parsed_as_that_key(text in "(ctrl-)?(alt-)?([a-z0-9/?+=-]|space|tab|enter|pgup|f[1-9])") {
            let key = Key::parse(&text).expect("a key");
            prop_assert_eq!(Key::parse(&key.name()), Some(key));
        }
    }
}
