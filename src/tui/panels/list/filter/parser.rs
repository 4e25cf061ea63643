//! Parses text into a filter: `or` of `and` of `not` of comparisons, flags and parentheses.

use super::{
    COMPARATORS, Comparator, FLAGS, Filter, FilterError, Flag, PROPERTIES, Property, words,
};
use crate::event::is_of_tag;
use crate::foundation::near;

/// Maximum nesting of parentheses and negations, because the parser is recursive.
const DEEPEST: usize = 64;

/// The filter that `text` describes; `None` for an empty text, which admits everything.
pub fn parse(text: &str) -> Result<Option<Filter>, FilterError> {
    let mut parser = Parser {
        text,
        rest: text.trim_start(),
        depth: 0,
    };
    if parser.rest.is_empty() {
        return Ok(None);
    }
    let filter = parser.any()?;
    if parser.rest.is_empty() {
        Ok(Some(filter))
    } else {
        Err(parser.expected("& or |"))
    }
}

struct Parser<'a> {
    text: &'a str,
    /// The remaining text, without leading space.
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// Alternatives: `a | b`, `a or b`.
    fn any(&mut self) -> Result<Filter, FilterError> {
        let mut parts = vec![self.all()?];
        while self.take_sign("|") || self.take_word("or") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Filter::Or(parts)
        })
    }

    /// Conditions that must all hold: `a & b`, `a and b`.
    fn all(&mut self) -> Result<Filter, FilterError> {
        let mut parts = vec![self.one()?];
        while self.take_sign("&") || self.take_word("and") {
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Filter::And(parts)
        })
    }

    fn one(&mut self) -> Result<Filter, FilterError> {
        if self.depth == DEEPEST {
            return Err(self.error(format!("nested more than {DEEPEST} deep")));
        }
        self.depth += 1;
        let filter = if self.take_sign("!") || self.take_word("not") {
            Filter::Not(Box::new(self.one()?))
        } else if self.take_sign("(") {
            let inner = self.any()?;
            if !self.take_sign(")") {
                return Err(self.expected(")"));
            }
            inner
        } else {
            self.condition()?
        };
        self.depth -= 1;
        Ok(filter)
    }

    /// A comparison, a flag, or what a note must have.
    fn condition(&mut self) -> Result<Filter, FilterError> {
        if self.rest.starts_with('#') {
            return self.tag();
        }
        let word = self.word();
        if word.is_empty() {
            return Err(self.expected("a comparison or a flag"));
        }
        let is = |name: &str| name.eq_ignore_ascii_case(word);
        if let Some((flag, _)) = FLAGS.iter().find(|(_, name)| is(name)) {
            self.advance(word.len());
            if *flag == Flag::Noted && self.take_sign(":") {
                return self.words_of_note();
            }
            return Ok(Filter::Flag(*flag));
        }
        let Some((property, _)) = PROPERTIES
            .iter()
            .find(|(_, names)| names.iter().any(|name| is(name)))
        else {
            return Err(self.error(format!("there is no `{word}`{}", similar(word))));
        };
        self.advance(word.len());
        let comparator = self.comparator()?;
        let value = self.number(*property)?;
        Ok(Filter::Compare {
            property: *property,
            comparator,
            value,
        })
    }

    fn tag(&mut self) -> Result<Filter, FilterError> {
        let name = &self.rest[1..];
        let end = name.find(|character| !is_of_tag(character));
        let end = end.unwrap_or(name.len());
        if end == 0 {
            return Err(self.expected("a tag, as in #keep"));
        }
        let tag = self.rest[..=end].to_owned();
        self.advance(tag.len());
        Ok(Filter::Tag(tag))
    }

    /// A word, or several in quotes.
    fn words_of_note(&mut self) -> Result<Filter, FilterError> {
        let (text, length) = match self.rest.strip_prefix('"') {
            Some(quoted) => match quoted.find('"') {
                Some(end) => (&quoted[..end], end + 2),
                None => return Err(self.expected("another \" after the words")),
            },
            None => {
                let end = self.rest.find(ends_word).unwrap_or(self.rest.len());
                (&self.rest[..end], end)
            }
        };
        if text.trim().is_empty() {
            return Err(self.expected("a word, or words in quotes"));
        }
        let filter = Filter::Note(text.to_owned());
        self.advance(length);
        Ok(filter)
    }

    fn comparator(&mut self) -> Result<Comparator, FilterError> {
        match COMPARATORS
            .iter()
            .find(|(_, sign)| self.rest.starts_with(sign))
        {
            Some((comparator, sign)) => {
                self.advance(sign.len());
                Ok(*comparator)
            }
            None => Err(self.expected("< <= = != >= or >")),
        }
    }

    fn number(&mut self, property: Property) -> Result<f64, FilterError> {
        let token = self.number_token();
        if token.is_empty() {
            return Err(self.expected("a number"));
        }
        let Some(value) = value_of(token) else {
            return Err(self.error(format!(
                "`{token}` is not a number (like 0.8, 80%, 1e6, 100k)"
            )));
        };
        if !value.is_finite() {
            return Err(self.error(format!("`{token}` is too large")));
        }
        if property == Property::Accuracy && !(0.0..=1.0).contains(&value) {
            return Err(self.error("an accuracy is from 0 to 1, or in %".to_owned()));
        }
        self.advance(token.len());
        Ok(value)
    }

    /// The characters that look like one number; empty if there is none here.
    fn number_token(&self) -> &'a str {
        let digits = self.rest.strip_prefix('-').unwrap_or(self.rest);
        if !digits.starts_with(|character: char| character.is_ascii_digit() || character == '.') {
            return "";
        }
        let mut before = ' ';
        let end = self.rest.find(|character: char| {
            // A sign is part of the number at its beginning and after the e of an exponent.
            let sign = matches!(character, '+' | '-') && matches!(before, ' ' | 'e' | 'E');
            before = character;
            !(sign || character.is_alphanumeric() || matches!(character, '.' | '_' | '%'))
        });
        &self.rest[..end.unwrap_or(self.rest.len())]
    }

    /// The letters that come next.
    fn word(&self) -> &'a str {
        let end = self
            .rest
            .find(|character: char| !(character.is_alphanumeric() || character == '_'));
        &self.rest[..end.unwrap_or(self.rest.len())]
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = self.rest.starts_with(sign);
        if found {
            self.advance(sign.len());
        }
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.word().eq_ignore_ascii_case(word);
        if found {
            self.advance(word.len());
        }
        found
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest[bytes..].trim_start();
    }

    fn expected(&self, what: &str) -> FilterError {
        self.error(format!("expected {what}"))
    }

    fn error(&self, problem: String) -> FilterError {
        let before = &self.text[..self.text.len() - self.rest.len()];
        FilterError {
            position: before.chars().count(),
            problem,
        }
    }
}

/// Which name may have been meant by `word`, or how to find the names.
fn similar(word: &str) -> String {
    match near::names(word, words()).as_slice() {
        [] => "; Tab lists the names".to_owned(),
        near => near::question(near),
    }
}

/// Whether a character ends a word of a note that is not in quotes.
pub fn ends_word(character: char) -> bool {
    character.is_whitespace() || matches!(character, '&' | '|' | '(' | ')')
}

/// The value of `0.8`, `80%`, `1_000_000`, `1e6`, `100k`, `1M`, `1G`.
fn value_of(token: &str) -> Option<f64> {
    let (digits, times, by) = match token.char_indices().next_back()? {
        (end, '%') => (&token[..end], 1.0, 100.0),
        (end, 'k' | 'K') => (&token[..end], 1e3, 1.0),
        (end, 'M') => (&token[..end], 1e6, 1.0),
        (end, 'G' | 'g') => (&token[..end], 1e9, 1.0),
        _ => (token, 1.0, 1.0),
    };
    // `inf` and `nan` are numbers in Rust, but not here.
    if !digits.ends_with(|character: char| character.is_ascii_digit() || character == '.') {
        return None;
    }
    let value: f64 = digits.replace('_', "").parse().ok()?;
    // A division makes 80 % exactly 0.8; a multiplication by 0.01 would not.
    Some(value * times / by)
}
