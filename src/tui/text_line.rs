//! A line of text being typed: a filter, a search, a note.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::event::is_of_tag;
use crate::foundation::text::controls;

/// The purpose of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// The name of what to do or to show.
    Palette,
    /// Filter of the list of children.
    Filter,
    /// Search in the log.
    Search,
    /// Filter for lines of the log.
    LogFilter,
    /// Columns of the list of children.
    Columns,
    /// The note on this child.
    Note(u64),
}

impl Purpose {
    /// The same for every child: what was typed for one can be recalled for another.
    pub fn of_any_child(self) -> Purpose {
        match self {
            Purpose::Note(_) => Purpose::Note(0),
            other => other,
        }
    }
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
    /// Why it could not be accepted if no more were typed.
    pub doubt: Option<String>,
    /// The text in use before anything was typed.
    pub original: String,
    /// What had been typed before an older text was recalled, and which one that is: 0 for the latest.
    recalled: Option<(String, usize)>,
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
            original: text.iter().collect(),
            text,
            problem: None,
            doubt: None,
            recalled: None,
        }
    }

    /// The same line with another text, with the cursor at its end.
    pub fn with(self, text: &str) -> TextLine {
        TextLine {
            original: self.original,
            ..TextLine::new(self.purpose, text)
        }
    }

    fn replace(&mut self, text: &str) {
        self.text = text.chars().take(LONGEST).collect();
        self.cursor = self.text.len();
        self.problem = None;
    }

    /// Replace the text by one typed earlier or later; after the latest comes what was being typed.
    /// `history` is in the order of typing.
    pub fn recall(&mut self, history: &[String], older: bool) {
        let (draft, place) = match self.recalled.take() {
            Some((draft, place)) => (draft, Some(place)),
            None => (self.text(), None),
        };
        let next = match (place, older) {
            (None, true) => Some(0),
            (Some(place), true) => Some((place + 1).min(history.len().saturating_sub(1))),
            (Some(0) | None, false) => None,
            (Some(place), false) => Some(place - 1),
        };
        let known = next.and_then(|next| Some((next, history.iter().rev().nth(next)?)));
        match known {
            Some((next, text)) => {
                self.replace(text);
                self.recalled = Some((draft, next));
            }
            None => self.replace(&draft),
        }
    }

    /// Complete the word before the cursor as far as `words` agree; if that adds nothing, or makes none of
    /// them, say which ones there are.
    pub fn complete(&mut self, words: &[&str]) {
        // Tags of notes are words too.
        let is_part = |character: &char| *character == '#' || is_of_tag(*character);
        let before = &self.text[..self.cursor];
        let begun = before
            .iter()
            .rev()
            .take_while(|character| is_part(character));
        let begun: String = before[self.cursor - begun.count()..].iter().collect();
        let mut fitting = words.iter().filter(|word| word.starts_with(&begun));
        let Some(first) = fitting.clone().next() else {
            let there_are = match words {
                [] => String::new(),
                words => format!("; there are {}", words.join(" ")),
            };
            self.problem = Some(format!("nothing begins with \"{begun}\"{there_are}"));
            return;
        };
        let common = fitting.clone().fold(*first, |common, word| {
            let mut alike = common.char_indices().zip(word.chars());
            let end = alike.find(|((_, one), other)| one != other);
            let end = end.map_or(common.len().min(word.len()), |((end, _), _)| end);
            &common[..end]
        });
        let is_only = fitting.by_ref().nth(1).is_none();
        let added: Vec<char> = common[begun.len()..].chars().collect();
        let is_clear = is_only || (!added.is_empty() && words.contains(&common));
        let fitting = words.iter().filter(|word| word.starts_with(&begun));
        self.problem = (!is_clear).then(|| fitting.copied().collect::<Vec<_>>().join(" "));
        let count = added.len();
        self.text.splice(self.cursor..self.cursor, added);
        self.cursor += count;
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
        self.recalled = None;
        true
    }

    /// Insert pasted text at the cursor. The line stays one: breaks become spaces.
    pub fn paste(&mut self, text: &str) {
        let text = text.trim_end_matches(['\r', '\n']).replace("\r\n", " ");
        let breaks = |character| match character {
            '\n' | '\r' | '\t' => ' ',
            other => other,
        };
        let room = LONGEST.saturating_sub(self.text.len());
        let pasted = text.chars().map(breaks);
        let pasted = pasted.filter(|character| !controls(*character)).take(room);
        let pasted: Vec<char> = pasted.collect();
        let count = pasted.len();
        self.text.splice(self.cursor..self.cursor, pasted);
        self.cursor += count;
        self.problem = None;
        self.recalled = None;
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

    #[test]
    fn pasted_text_is_one_line_at_the_cursor() {
        let pasted = |text: &str| {
            let mut line = typed(&[(KeyCode::Home, false)]);
            line.paste(text);
            line.halves()
        };
        let after = "acc > 0.8".to_owned();
        assert_eq!(
            pasted("macs<1e6 & "),
            ("macs<1e6 & ".to_owned(), after.clone())
        );
        assert_eq!(
            pasted("two\r\nlines\tand\n"),
            ("two lines and".to_owned(), after.clone())
        );
        assert_eq!(pasted("\u{1b}[31mred\u{7}"), ("[31mred".to_owned(), after));
        assert_eq!(pasted(&"x".repeat(2 * LONGEST)).0.len(), LONGEST - 9);
    }

    #[test]
    fn words_and_tags_are_completed_as_far_as_they_agree() {
        let complete = |text: &str, words: &[&str]| {
            let mut line = TextLine::new(Purpose::Filter, text);
            line.complete(words);
            (line.text(), line.problem)
        };
        let words = ["note", "#größe", "#größte", "#odd-loss"];
        assert_eq!(complete("acc>0.8 & #o", &words).0, "acc>0.8 & #odd-loss");
        assert_eq!(complete("#odd-l", &words).0, "#odd-loss");
        let (text, problem) = complete("#g", &words);
        assert_eq!(
            (text.as_str(), problem.as_deref()),
            ("#größ", Some("#größe #größte")),
            "what is common is no word yet"
        );
        let names = ["params", "parameters", "acc", "accuracy"];
        assert_eq!(
            complete("par", &names).1.as_deref(),
            Some("params parameters")
        );
        assert_eq!(complete("a", &names), ("acc".to_owned(), None));
        let (text, problem) = complete("#größ", &words);
        assert_eq!(
            (text.as_str(), problem.as_deref()),
            ("#größ", Some("#größe #größte"))
        );
        assert_eq!(complete("(no", &words).0, "(note");
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
