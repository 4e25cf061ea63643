//! A deserialiser that checks every value on its way, so that one pass over a line both reads and
//! checks it.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};

use super::ranges;
use crate::foundation::text;

/// Passes on what a deserialiser of JSON finds, unless it is out of range.
pub(super) struct Checked<'a, T> {
    inner: T,
    within: Within<'a>,
}

/// Where a value is.
#[derive(Clone, Copy)]
struct Within<'a> {
    /// The innermost field that contains the value.
    field: &'a str,
    /// Cleared if a text is not printable in one line.
    all_printable: &'a Cell<bool>,
}

impl<'a, T> Checked<'a, T> {
    /// Check the values of `inner`, which is in no field yet. Whether all texts are printable in one line
    /// is noted in `all_printable`.
    pub fn new(inner: T, all_printable: &'a Cell<bool>) -> Checked<'a, T> {
        let within = Within {
            field: "",
            all_printable,
        };
        Checked { inner, within }
    }

    fn around<U>(&self, inner: U) -> Checked<'a, U> {
        Checked {
            inner,
            within: self.within,
        }
    }
}

/// Methods that only wrap the visitor.
macro_rules! forward {
    ($($method:ident($($argument:ident: $type:ty),*);)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            let visitor = self.around(visitor);
            self.inner.$method($($argument,)* visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Checked<'_, D> {
    type Error = D::Error;

    forward! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(length: usize);
        deserialize_tuple_struct(name: &'static str, length: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
    }

    /// What no one reads need not be checked.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_ignored_any(visitor)
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Checked<'_, V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(formatter)
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<V::Value, E> {
        self.inner.visit_bool(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<V::Value, E> {
        ranges::whole(self.within.field, value)?;
        self.inner.visit_u64(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<V::Value, E> {
        ranges::decimal(self.within.field, value as f64)?;
        self.inner.visit_i64(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        ranges::decimal(self.within.field, value)?;
        self.inner.visit_f64(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<V::Value, E> {
        self.within.see(value);
        self.inner.visit_str(value)
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<V::Value, E> {
        self.within.see(value);
        self.inner.visit_borrowed_str(value)
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        let value = self.around(value);
        self.inner.visit_some(value)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        let value = self.around(value);
        self.inner.visit_newtype_struct(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<V::Value, A::Error> {
        let values = self.around(values);
        self.inner.visit_seq(values)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        let fields = CheckedFields {
            inner: fields,
            field: FieldName::default(),
            all_printable: self.within.all_printable,
        };
        self.inner.visit_map(fields)
    }

    /// Of a variant only the name is read, which is one of those known here.
    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(variant)
    }
}

impl Within<'_> {
    fn see(self, value: &str) {
        if value.contains(text::controls) {
            self.all_printable.set(false);
        }
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Checked<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<S::Value, D::Error> {
        let value = self.around(value);
        self.inner.deserialize(value)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Checked<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let seed = self.around(seed);
        self.inner.next_element_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// The fields of an object, of which the last one read is remembered.
struct CheckedFields<'a, 'de, A> {
    inner: A,
    field: FieldName<'de>,
    all_printable: &'a Cell<bool>,
}

/// Borrowed from the line unless it contains escapes.
#[derive(Default)]
struct FieldName<'de> {
    borrowed: &'de str,
    owned: String,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for CheckedFields<'_, 'de, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let name = &mut self.field;
        self.inner.next_key_seed(Naming { inner: seed, name })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let name = &self.field;
        let field = if name.owned.is_empty() {
            name.borrowed
        } else {
            &name.owned
        };
        let within = Within {
            field,
            all_printable: self.all_printable,
        };
        self.inner.next_value_seed(Checked {
            inner: seed,
            within,
        })
    }
}

/// Remembers the name of a field.
struct Naming<'a, 'de, T> {
    inner: T,
    name: &'a mut FieldName<'de>,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Naming<'_, 'de, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Naming {
            inner: name,
            name: self.name,
        })
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Naming<'_, 'de, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_any(Naming {
            inner: visitor,
            name: self.name,
        })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Naming<'_, 'de, V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(formatter)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<V::Value, E> {
        self.name.owned = name.to_owned();
        self.inner.visit_str(name)
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<V::Value, E> {
        self.name.owned.clear();
        self.name.borrowed = name;
        self.inner.visit_borrowed_str(name)
    }
}
