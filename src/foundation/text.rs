//! Text from elsewhere (names in files and folders, reasons, output of other programs) without
//! anything that a terminal or a text direction would act on. This is the one filter for all text
//! that leaves the program.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

/// Stands for a character that is not shown.
const REPLACEMENT: char = '\u{fffd}';

/// `text` as one line of visible characters. Line breaks and tabs become spaces, escape sequences
/// of terminals are removed, and any other character that controls something is replaced.
pub fn line(text: &str) -> Cow<'_, str> {
    filtered(text, |_| false)
}

/// `text` as lines of visible characters: like [`line()`], but with its line feeds and tabs.
pub fn lines(text: &str) -> Cow<'_, str> {
    filtered(text, |character| matches!(character, '\n' | '\t'))
}

/// A message for the user: [`lines`] in which every line after the first is indented, so that none
/// can pass for a message of its own.
pub fn message(text: &str) -> Cow<'_, str> {
    match lines(text.trim_end_matches('\n')) {
        text if text.contains('\n') => Cow::Owned(text.replace('\n', "\n  ")),
        text => text,
    }
}

/// A cell of a table for spreadsheets: [`line()`], with an apostrophe first if a spreadsheet would take the text
/// for a formula. Numbers are left alone.
pub fn cell(text: &str) -> Cow<'_, str> {
    let line = line(text);
    let may_be_formula = line.starts_with(['=', '+', '-', '@']);
    if may_be_formula && line.parse::<f64>().is_err() {
        return Cow::Owned(format!("'{line}"));
    }
    line
}

/// JSON with every character that controls something as `\u....`. (JSON itself requires that only of
/// the first 32.)
pub fn json(json: &str) -> Cow<'_, str> {
    let is_raw = |character| controls(character) && !character.is_ascii_whitespace();
    if !json.contains(is_raw) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if is_raw(character) {
            let mut units = [0; 2];
            let units = character.encode_utf16(&mut units).iter();
            units.for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}")));
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

/// The beginning and the end of `text` if it has more than `most` characters, otherwise all of it.
pub fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    let length = text.chars().count();
    if length <= most {
        return Cow::Borrowed(text);
    }
    let kept = most.saturating_sub(3);
    let tail = kept / 3;
    let head = text.chars().take(kept - tail);
    let tail = text.chars().skip(length - tail);
    Cow::Owned(head.chain("...".chars()).chain(tail).collect())
}

/// `line` broken at spaces into lines of at most `width` columns, as far as that can be: a number stays with what is
/// on both sides of it, as in `84.56 %` and `3 min 30 s`. The lines after the first are indented. What has
/// columns or lists stays as it is.
pub fn folded(line: &str, width: usize) -> Cow<'_, str> {
    let words = line.trim_start();
    if line.width() <= width || words.contains("  ") || words.contains('[') {
        return Cow::Borrowed(line);
    }
    let indent = " ".repeat(line.len() - words.len());
    let mut folded = indent.clone();
    let mut used = indent.len();
    for part in unbroken(words) {
        let columns = part.width();
        if used > indent.len() && used + 1 + columns > width {
            folded.push_str(&format!("\n{indent}  "));
            used = indent.len() + 2;
        } else if used > indent.len() {
            folded.push(' ');
            used += 1;
        }
        folded.push_str(&part);
        used += columns;
    }
    Cow::Owned(folded)
}

/// The words of `text`, each with the numbers beside it.
fn unbroken(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let begins =
            word.starts_with(|first: char| first.is_ascii_digit() || "+-<%".contains(first));
        match parts.last_mut() {
            Some(part)
                if (begins && !part.ends_with([',', ';', ':']))
                    || part.ends_with(|last: char| last.is_ascii_digit()) =>
            {
                part.push(' ');
                part.push_str(word);
            }
            _ => parts.push(word.to_owned()),
        }
    }
    parts
}

/// `text` and the spaces that fill `width` columns of a terminal. (The widths of `format!` end at 65,535,
/// and beyond that it panics: they are not for widths that follow from data.)
pub fn left(text: &str, width: usize) -> String {
    [text, &filling(text, width)].concat()
}

/// The spaces that fill `width` columns of a terminal, and `text`. See [`left`].
pub fn right(text: &str, width: usize) -> String {
    [&filling(text, width), text].concat()
}

fn filling(text: &str, width: usize) -> String {
    " ".repeat(width.saturating_sub(text.width()))
}

/// Whether a character does something other than appear: control characters (C0, DEL, C1), line
/// separators, marks that change the direction of text, characters without a width that join nothing,
/// and characters that are none.
pub fn controls(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
        )
}

fn filtered(text: &str, keeps: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_foreign = |character| controls(character) && !keeps(character);
    let Some(first) = text.find(is_foreign) else {
        return Cow::Borrowed(text);
    };
    let mut clean = String::with_capacity(text.len());
    clean.push_str(&text[..first]);
    let mut rest = &text[first..];
    while let Some(character) = rest.chars().next() {
        let length = match character {
            '\x1b' => sequence(rest),
            _ => None,
        };
        if length.is_none() {
            clean.push(match character {
                _ if !is_foreign(character) => character,
                '\n' | '\r' | '\t' | '\x0b' | '\x0c' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
                _ => REPLACEMENT,
            });
        }
        rest = &rest[length.unwrap_or(character.len_utf8())..];
    }
    Cow::Owned(clean)
}

/// Bytes of the escape sequence that `text` starts with (ECMA-48: CSI, or a string such as OSC with
/// its end); `None` if it is none, or not a complete one.
fn sequence(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    match bytes.get(1)? {
        b'[' => {
            let last = bytes[2..]
                .iter()
                .position(|byte| !(0x20..0x40).contains(byte))?
                + 2;
            (0x40..0x7f).contains(&bytes[last]).then_some(last + 1)
        }
        b']' | b'P' | b'X' | b'^' | b'_' => {
            let last = bytes[2..].iter().position(|byte| *byte < 0x20)? + 2;
            match (bytes[last], bytes.get(last + 1)) {
                (0x07, _) => Some(last + 1),
                (0x1b, Some(b'\\')) => Some(last + 2),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_folded_between_words_and_never_within_or_beside_a_number() {
        let line = "4800 children in 3 min 30 s: 757 different architectures, 4043 repeats, 1 failure; 75757 children per hour";
        for width in [40, 60, 80, 100] {
            let folded = folded(line, width);
            assert!(folded.lines().all(|line| line.width() <= width), "{folded}");
            assert_eq!(folded.replace("\n ", ""), line);
            for whole in ["in 3 min 30 s:", "75757 children", "1 failure;"] {
                assert!(folded.contains(whole), "{width}: {folded}");
            }
        }
        assert_eq!(folded("  one two", 7), "  one\n    two");
        assert_eq!(folded("p <0.01, 84.56 %)", 9), "p <0.01,\n  84.56 %)");
        for whole in ["episode  reward", "dna [[1, 2], [3]]", "unbreakable-word"] {
            assert_eq!(folded(whole, 5), whole);
        }
    }

    #[test]
    fn no_text_is_a_formula_of_a_spreadsheet_and_numbers_stay_numbers() {
        let formulas = [
            "=1+1",
            "+1+1",
            "-1+1",
            "@SUM(A1)",
            "\x1b[1m=1+1",
            "- too slow",
            "-",
        ];
        for text in formulas {
            assert_eq!(cell(text), format!("'{}", line(text)));
        }
        for text in ["", "-1", "+0.5", "-1.5e-7", "1=1", "#keep", "'=1", "a\n=1"] {
            assert_eq!(cell(text), line(text));
        }
    }

    /// Names as they may be found in files and folders, and what is shown of them.
    const CORPUS: [(&str, &str); 17] = [
        ("plain", "plain"),
        ("größer, 猫, 👩‍👩‍👧, e\u{301}", "größer, 猫, 👩‍👩‍👧, e\u{301}"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[1;1Hgone", "gone"),
        ("\x1b]0;title\x07name", "name"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP+q544e\x1b\\name", "name"),
        ("\x1b]52;c;never ended", "\u{fffd}]52;c;never ended"),
        ("\x1b[31", "\u{fffd}[31"),
        ("\x1bcreset", "\u{fffd}creset"),
        ("bell\x07", "bell\u{fffd}"),
        ("\u{9b}31mred", "\u{fffd}31mred"),
        ("one\ntwo\r\nthree\tfour", "one two  three four"),
        ("over\x08\x08\x7f", "over\u{fffd}\u{fffd}\u{fffd}"),
        ("\u{202e}gpj.exe\u{202c}", "\u{fffd}gpj.exe\u{fffd}"),
        ("a\u{2028}b\u{85}c\u{feff}", "a b c\u{fffd}"),
        ("de\u{200b}mo\u{2060}\u{ad}", "de\u{fffd}mo\u{fffd}\u{fffd}"),
    ];

    #[test]
    fn nothing_that_a_terminal_acts_on_is_left_in_a_line() {
        for (text, shown) in CORPUS {
            assert_eq!(line(text), shown);
        }
    }

    #[test]
    fn text_of_several_lines_keeps_only_its_line_feeds_and_tabs() {
        assert_eq!(lines("a\tb\r\n\x1b[1mc\n"), "a\tb \nc\n");
    }

    #[test]
    fn no_line_of_a_message_can_pass_for_another_message() {
        assert_eq!(
            message("cannot read a\nnas-tui: all is well\n"),
            "cannot read a\n  nas-tui: all is well"
        );
    }

    #[test]
    fn a_long_text_keeps_its_beginning_and_its_end() {
        assert_eq!(shortened("größer", 6), "größer");
        assert_eq!(shortened("0123456789abcdef", 12), "012345...def");
        assert_eq!(shortened(&"é".repeat(70_000), 200).chars().count(), 200);
    }

    #[test]
    fn texts_are_aligned_by_the_columns_that_they_take_in_any_width() {
        assert_eq!(
            (left("猫", 4), right("猫", 4)),
            ("猫  ".into(), "  猫".into())
        );
        assert_eq!(left("longer", 3), "longer");
        assert_eq!(right("a", 70_000).len(), 70_000);
    }

    #[test]
    fn json_still_contains_the_same_values() {
        let value = serde_json::json!({"name": "\u{9b}\u{202e}\x7f\u{1b}é", "list": [1]});
        let text = serde_json::to_string_pretty(&value).unwrap();
        let escaped = json(&text);
        assert!(
            escaped
                .chars()
                .all(|character| character == '\n' || !controls(character))
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&escaped).unwrap(),
            value
        );
    }

    proptest! {
        #[test]
        fn filtered_text_is_clean_and_is_not_changed_again(text in any::<String>(), cut in "(\u{1b}[\\[\\]P]?[0-9;]{0,3}[mH\u{7}]?|[a-z\n])*") {
            for text in [text, cut] {
                let clean = line(&text).into_owned();
                prop_assert!(!clean.contains(controls), "{clean:?}");
                prop_assert_eq!(line(&clean), clean.as_str());
                prop_assert!(!lines(&text).contains(|c: char| controls(c) && c != '\n' && c != '\t'));
            }
        }
    }
}
