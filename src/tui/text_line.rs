//! A line of text being typed: a filter or a search.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::foundation::text::controls;

/// The purpose of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Filter of the list of children.
    Filter,
    /// Search in the log.
    Search,
    /// Filter for lines of the log.
    LogFilter,
}

/// Text with a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextLine {
    /// What the text is typed for.
    pub purpose: Purpose,
    text: Vec<char>,
    /// Number of characters before the cursor.
    cursor: usize,
    /// Why the text cannot be accepted.
    pub problem: Option<String>,
}

/// Maximum length of a line.
const LONGEST: usize = 500;

impl TextLine {
    /// A line that starts with `text`, with the cursor at its end.
    pub fn new(purpose: Purpose, text: &str) -> TextLine {
        let text: Vec<char> = text.chars().take(LONGEST).collect();
        TextLine {
            purpose,
            cursor: text.len(),
            text,
            problem: None,
        }
    }

    /// What has been typed so far.
    pub fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// The text before the cursor, and the rest.
    pub fn halves(&self) -> (String, String) {
        (
            self.text[..self.cursor].iter().collect(),
            self.text[self.cursor..].iter().collect(),
        )
    }

    /// Handle a key; false if it means nothing here.
    pub fn key(&mut self, key: &KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('a') if control => self.cursor = 0,
            KeyCode::Char('e') if control => self.cursor = self.text.len(),
            KeyCode::Char('u') if control => {
                drop(self.text.drain(..std::mem::take(&mut self.cursor)))
            }
            KeyCode::Char('w') if control => self.delete_word(),
            KeyCode::Char(character)
                if !control && !controls(character) && self.text.len() < LONGEST =>
            {
                self.text.insert(self.cursor, character);
                self.cursor += 1;
            }
            KeyCode::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.text.remove(self.cursor);
            }
            KeyCode::Delete if self.cursor < self.text.len() => drop(self.text.remove(self.cursor)),
            KeyCode::Left => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Right => self.cursor = (self.cursor + 1).min(self.text.len()),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            _ => return false,
        }
        self.problem = None;
        true
    }

    fn delete_word(&mut self) {
        let before = &self.text[..self.cursor];
        let word_end = before
            .iter()
            .rposition(|character| !character.is_whitespace())
            .map_or(0, |last| last + 1);
        let start = before[..word_end]
            .iter()
            .rposition(|character| character.is_whitespace())
            .map_or(0, |space| space + 1);
        self.text.drain(start..self.cursor);
        self.cursor = start;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn typed(keys: &[(KeyCode, bool)]) -> TextLine {
        let mut line = TextLine::new(Purpose::Filter, "acc > 0.8");
        for (code, control) in keys {
            line.key(&KeyEvent::new(
                *code,
                if *control {
                    KeyModifiers::CONTROL
                } else {
                    KeyModifiers::NONE
                },
            ));
        }
        line
    }

    #[test]
    fn the_usual_shell_keys_edit_the_line() {
        let text = |keys: &[(KeyCode, bool)]| typed(keys).text();
        assert_eq!(text(&[(KeyCode::Char('5'), false)]), "acc > 0.85");
        assert_eq!(text(&[(KeyCode::Backspace, false)]), "acc > 0.");
        assert_eq!(text(&[(KeyCode::Char('w'), true)]), "acc > ");
        assert_eq!(text(&[(KeyCode::Char('u'), true)]), "");
        assert_eq!(
            text(&[
                (KeyCode::Home, false),
                (KeyCode::Delete, false),
                (KeyCode::Char('x'), false)
            ]),
            "xcc > 0.8"
        );
        assert_eq!(
            text(&[
                (KeyCode::Left, false),
                (KeyCode::Left, false),
                (KeyCode::Char('1'), false)
            ]),
            "acc > 01.8"
        );
    }

    proptest! {
        #[test]
        fn no_keys_ever_lose_the_cursor(keys in proptest::collection::vec((0usize..10, any::<bool>()), 0..60)) {
            let codes = [KeyCode::Char('a'), KeyCode::Char(' '), KeyCode::Char('w'), KeyCode::Char('u'), KeyCode::Backspace,
                KeyCode::Delete, KeyCode::Left, KeyCode::Right, KeyCode::Home, KeyCode::End];
            let keys: Vec<(KeyCode, bool)> = keys.into_iter().map(|(code, control)| (codes[code], control)).collect();
            let line = typed(&keys);
            let (before, after) = line.halves();
            prop_assert_eq!(before + &after, line.text());
        }
    }
}
