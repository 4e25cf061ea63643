//! `data.flip`: whether and how training images are mirrored.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How training images are mirrored (left to right).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flip {
    /// Not at all.
    None,
    /// Each image in each epoch with probability 1/2.
    Random,
    /// Each image in every second epoch; whether in the odd or the even ones is random for each
    /// image ("alternating flip", Jordan 2024, arXiv 2404.00498).
    Alternating,
}

impl Serialize for Flip {
    /// `false`, `true` or `"alternating"`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Flip::None => serializer.serialize_bool(false),
            Flip::Random => serializer.serialize_bool(true),
            Flip::Alternating => serializer.serialize_str("alternating"),
        }
    }
}

impl<'de> Deserialize<'de> for Flip {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlipVisitor)
    }
}

struct FlipVisitor;

impl de::Visitor<'_> for FlipVisitor {
    type Value = Flip;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("true, false or \"alternating\"")
    }

    fn visit_bool<E: de::Error>(self, flip: bool) -> Result<Flip, E> {
        Ok(if flip { Flip::Random } else { Flip::None })
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Flip, E> {
        match word {
            "alternating" => Ok(Flip::Alternating),
            other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Options, resolve};
    use super::*;

    #[test]
    fn flip_is_a_bool_or_alternating_and_is_written_as_it_was_read() {
        let flip = |value: &str| {
            let set = vec![format!("data.flip={value}")];
            let options = Options {
                set,
                ..Options::default()
            };
            resolve(&options).map_err(|error| error.to_string())
        };
        let words = [
            ("false", Flip::None),
            ("true", Flip::Random),
            ("alternating", Flip::Alternating),
        ];
        for (word, expected) in words {
            assert_eq!(flip(word).unwrap().data.flip, expected, "{word}");
        }
        let text = flip("alternating").unwrap().to_toml();
        assert!(text.contains("flip = \"alternating\""), "{text}");
        assert!(flip("true").unwrap().to_toml().contains("flip = true"));
        let error = flip("often").unwrap_err();
        assert!(error.contains("true, false or \"alternating\""), "{error}");
    }
}
