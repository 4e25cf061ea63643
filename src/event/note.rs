//! Notes that users write on children: what a text must be like to be one, and the tags in it.

use crate::foundation::text::controls;

/// Maximum length of a note in characters.
pub const LONGEST_NOTE: usize = 500;

/// Why a text cannot be a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is too long.
    #[error("a note has at most {LONGEST_NOTE} characters, and this one has {length}")]
    TooLong {
        /// Its length in characters.
        length: usize,
    },
    /// One of its characters does something other than appear.
    #[error(
        "a note is one line of visible characters, and character {position} of this one is U+{code:04X}"
    )]
    Control {
        /// Number of the character, from 1.
        position: usize,
        /// Its code point.
        code: u32,
    },
}

/// `text` as a note, without the space around it; empty if there is to be none.
///
/// # Errors
/// [`NoteError`]: it is too long, or has a character that controls something.
pub fn checked_note(text: &str) -> Result<&str, NoteError> {
    let note = text.trim();
    let length = note.chars().count();
    if length > LONGEST_NOTE {
        return Err(NoteError::TooLong { length });
    }
    let mut characters = note.chars().zip(1..);
    match characters.find(|(character, _)| controls(*character)) {
        Some((character, position)) => Err(NoteError::Control {
            position,
            code: character.into(),
        }),
        None => Ok(note),
    }
}

/// The tags in a note: its words that begin with `#`, up to the first character that
/// [cannot be part of a tag](is_of_tag).
pub fn tags(note: &str) -> impl Iterator<Item = &str> {
    note.split_whitespace().filter_map(|word| {
        let name = word.strip_prefix('#')?;
        let end = name.find(|character| !is_of_tag(character));
        let end = end.unwrap_or(name.len());
        (end > 0).then(|| &word[..=end])
    })
}

/// Whether a character can be part of a tag: letters, digits, `-` and `_`.
pub fn is_of_tag(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '-' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_one_line_of_limited_length_without_the_space_around_it() {
        assert_eq!(checked_note("  größer, 猫 #keep\n"), Ok("größer, 猫 #keep"));
        assert_eq!(checked_note(" \t"), Ok(""));
        let longest = "ö".repeat(LONGEST_NOTE);
        assert_eq!(checked_note(&longest), Ok(longest.as_str()));
        let error = checked_note(&format!("{longest}ö")).unwrap_err();
        assert_eq!(error, NoteError::TooLong { length: 501 });
    }

    #[test]
    fn characters_that_a_terminal_would_act_on_are_refused_with_their_place() {
        for (text, position, code) in [
            ("ä\x1b[31mred", 2, 0x1b),
            ("one\ntwo", 4, 0x0a),
            ("\u{202e}gpj", 1, 0x202e),
        ] {
            let expected = NoteError::Control { position, code };
            assert_eq!(checked_note(text), Err(expected), "{text:?}");
        }
        let error = checked_note("a\u{202e}").unwrap_err().to_string();
        assert!(
            error.ends_with("character 2 of this one is U+202E"),
            "{error}"
        );
    }

    #[test]
    fn tags_are_the_words_that_begin_with_a_number_sign() {
        let of = |note| tags(note).collect::<Vec<_>>();
        assert_eq!(
            of("#keep: loss is odd (#odd-loss), C# # ## #größe_2. a#b #keep"),
            ["#keep", "#größe_2", "#keep"]
        );
        assert!(of("").is_empty());
    }
}
