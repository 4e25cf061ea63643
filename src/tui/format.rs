//! Texts for the screen, measured in columns; numbers are in [`crate::foundation::numbers`].

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub use crate::foundation::numbers::*;

/// `3×5`: two lengths with the sign `times` between them.
pub fn pair(lengths: [impl std::fmt::Display; 2], times: &str) -> String {
    let [height, width] = lengths;
    format!("{height}{times}{width}")
}

/// An error's text without the numbers that the operating system gives to errors, whose words say the
/// same: `No space left on device (os error 28)`.
pub fn without_error_number(text: &str) -> String {
    let mut parts = text.split(" (os error ");
    let mut words = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        words += part.split_once(')').map_or(part, |(_, rest)| rest);
    }
    words
}

/// `text` in at most `width` columns, ending in `ellipsis` if it is longer.
pub fn fit(text: &str, width: usize, ellipsis: &str) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(ellipsis.width());
    let mut fitted = String::new();
    let mut used = 0;
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used > room {
            break;
        }
        fitted.push(character);
    }
    if ellipsis.width() <= width {
        fitted.push_str(ellipsis);
    }
    fitted
}

/// `text` in at most `width` columns: of a longer one its beginning and its end, with `ellipsis` between.
pub fn fit_both_ends(text: &str, width: usize, ellipsis: &str) -> String {
    if text.width() <= width || width < ellipsis.width() + 2 {
        return fit(text, width, ellipsis);
    }
    let last = (width - ellipsis.width()) / 2;
    let mut places = text.char_indices().map(|(place, _)| place);
    let end = places.find(|place| text[*place..].width() <= last);
    let end = &text[end.unwrap_or(text.len())..];
    let beginning = fit(text, width - end.width(), ellipsis);
    beginning + end
}

/// `text` broken at spaces into lines of at most `width` columns; longer words are cut. At least
/// one line.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let gap = usize::from(used > 0);
        if used + gap + word.width() <= width {
            if gap > 0 {
                push(&mut lines, ' ');
            }
            lines
                .last_mut()
                .into_iter()
                .for_each(|line| line.push_str(word));
            used += gap + word.width();
            continue;
        }
        if used > 0 {
            lines.push(String::new());
            used = 0;
        }
        for character in word.chars() {
            let columns = character.width().unwrap_or(0);
            if used + columns > width && used > 0 {
                lines.push(String::new());
                used = 0;
            }
            push(&mut lines, character);
            used += columns;
        }
    }
    lines
}

fn push(lines: &mut [String], character: char) {
    if let Some(line) = lines.last_mut() {
        line.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_long_ends_in_an_ellipsis_and_never_overflows() {
        assert_eq!(fit("abcdef", 6, "…"), "abcdef");
        assert_eq!(fit("abcdef", 4, "…"), "abc…");
        assert_eq!(fit("abcdef", 1, "..."), "");
        assert_eq!(fit("日本語", 5, "…"), "日本…");
    }

    #[test]
    fn a_text_that_is_too_long_can_keep_both_ends() {
        assert_eq!(fit_both_ends("abcdefghi", 9, "…"), "abcdefghi");
        assert_eq!(fit_both_ends("abcdefghi", 6, "…"), "abc…hi");
        assert_eq!(fit_both_ends("日本語日本語", 7, "…"), "日本…語");
        assert_eq!(fit_both_ends("abcdefghi", 2, "..."), "");
    }

    #[test]
    fn an_error_is_told_in_words_without_its_number() {
        let text = "cannot write a: No space left on device (os error 28); free some disk space";
        let words = "cannot write a: No space left on device; free some disk space";
        assert_eq!(without_error_number(text), words);
        assert_eq!(without_error_number("plain (words)"), "plain (words)");
    }

    #[test]
    fn wrapping_breaks_at_spaces_and_cuts_only_words_that_are_too_long() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 0), [""]);
    }
}
