//! What is wrong in a file of settings, and where, in terms that users know.

use super::{ConfigError, SAMPLE};
use crate::config::changes::by_key;
use crate::config::error::with_range;
use crate::foundation::{near, numbers};

/// How the message about a key that is set twice begins.
pub(super) const DUPLICATE: &str = "duplicate key";

/// What is wrong in the text of a file or option, with the line.
pub(super) fn syntax_error(text: &str, place: &str, error: &toml::de::Error) -> ConfigError {
    ConfigError::Syntax {
        place: place_of(text, place, error.span()),
        message: explained(text, error),
    }
}

/// The message of a TOML error in terms that users know: the key with its line, and plain names of
/// types.
fn explained(text: &str, error: &toml::de::Error) -> String {
    let names = [
        ("expected i64", "expected a whole number"),
        ("expected f64", "expected a number"),
        (" as i128", ""),
    ];
    let plain = names.iter().fold(
        numbers::short_floats(error.message()),
        |message, (rust, plain)| message.replace(rust, plain),
    );
    let plain = with_similar(with_range(plain));
    let span = error.span().unwrap_or_default();
    let line = text.get(..span.start).and_then(|before| {
        text[before.rfind('\n').map_or(0, |newline| newline + 1)..]
            .lines()
            .next()
    });
    let begins = |start: &str| plain.starts_with(start);
    match line.and_then(|line| line.split_once('=')) {
        Some((key, _)) if begins("unknown") || begins("invalid") || begins(DUPLICATE) => {
            let table = text[..span.start]
                .lines()
                .rev()
                .find_map(|line| line.trim().strip_prefix('[')?.strip_suffix(']'));
            let name = table.map_or(key.trim().to_owned(), |table| {
                format!("{table}.{}", key.trim())
            });
            format!("{name}: {plain}")
        }
        None if begins(DUPLICATE) => match text.get(span) {
            Some(key) => format!("{}: {plain}", key.trim()),
            None => plain,
        },
        _ => plain,
    }
}

/// The message about a name that is not known, with those that may have been meant in place of all of them.
fn with_similar(message: String) -> String {
    if !message.starts_with("unknown") {
        return message;
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let given = quoted.next().unwrap_or_default();
    let known: Vec<&str> = quoted.collect();
    let mut near: Vec<String> = near::names(given, known.iter().copied())
        .into_iter()
        .map(str::to_owned)
        .collect();
    if near.is_empty() && known.contains(&"preset") {
        near = in_sections(given);
    }
    match message.split_once(", expected") {
        Some((problem, _)) if !near.is_empty() => format!("{problem}{}", near::question(&near)),
        _ => message,
    }
}

/// The settings of sections that may have been meant by a key outside of them.
fn in_sections(given: &str) -> Vec<String> {
    let all = by_key(SAMPLE);
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let names: Vec<String> = all.iter().map(|(key, _)| last(key)).collect();
    let near = near::names(given, names.iter().map(String::as_str));
    let keys = all.iter().map(|(key, _)| key);
    keys.filter(|key| near.contains(&last(key).as_str()))
        .take(3)
        .cloned()
        .collect()
}

/// `PLACE:LINE` of a part of `text`.
pub(super) fn place_of(text: &str, place: &str, span: Option<std::ops::Range<usize>>) -> String {
    match span.and_then(|span| text.get(..span.start)) {
        Some(before) => format!("{place}:{}", before.matches('\n').count() + 1),
        None => place.to_owned(),
    }
}
