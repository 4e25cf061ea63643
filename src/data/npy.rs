//! The NPY format of NumPy (versions 1.0 to 3.0): a header in Python's notation, then the values.
//! Only bytes and integers are supported.

use std::path::Path;

use super::error::{DataError, record_at};

const MAGIC: &[u8] = b"\x93NUMPY";

/// A file with its name for error messages and the remedy for its data set.
pub(super) struct NpyFile<'a> {
    pub(super) path: &'a Path,
    pub(super) remedy: &'a str,
}

/// An array in C order: the last dimension varies fastest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Array<'a> {
    pub(super) kind: ValueKind,
    pub(super) shape: Vec<usize>,
    /// Little-endian values.
    pub data: &'a [u8],
    /// Offset of `data` in the file.
    pub offset: usize,
}

/// The type of an array's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    Byte,
    Int32,
    Int64,
}

impl ValueKind {
    pub(super) fn bytes(self) -> usize {
        match self {
            ValueKind::Byte => 1,
            ValueKind::Int32 => 4,
            ValueKind::Int64 => 8,
        }
    }

    fn of(descr: &str) -> Option<ValueKind> {
        match descr {
            "|u1" => Some(ValueKind::Byte),
            "<i4" => Some(ValueKind::Int32),
            "<i8" => Some(ValueKind::Int64),
            _ => None,
        }
    }
}

impl Array<'_> {
    /// The values as numbers.
    pub fn integers(&self) -> impl Iterator<Item = i64> {
        self.data
            .chunks_exact(self.kind.bytes())
            .map(|bytes| match (self.kind, bytes) {
                (ValueKind::Byte, &[byte]) => i64::from(byte),
                (ValueKind::Int32, &[a, b, c, d]) => i64::from(i32::from_le_bytes([a, b, c, d])),
                (_, bytes) => bytes
                    .iter()
                    .rev()
                    .fold(0, |value: i64, &byte| value << 8 | i64::from(byte)),
            })
    }
}

impl NpyFile<'_> {
    /// The array in a file that has exactly as many values as its header announces.
    pub fn array<'b>(&self, bytes: &'b [u8]) -> Result<Array<'b>, DataError> {
        let (header, offset) = self.header(bytes)?;
        let Header {
            descr,
            fortran_order,
            shape,
        } = Header::parse(header).map_err(|problem| {
            self.malformed(
                "byte 10".to_owned(),
                format!("the header is not one that NumPy writes: {problem}"),
            )
        })?;
        let kind = ValueKind::of(&descr).ok_or_else(|| {
            let problem = format!(
                "values of type {descr:?}; wanted are uint8 (|u1), int32 (<i4) or int64 (<i8)"
            );
            self.malformed("byte 10".to_owned(), problem)
        })?;
        if fortran_order {
            let problem = "the values are in Fortran order; save them with numpy.ascontiguousarray";
            return Err(self.malformed("byte 10".to_owned(), problem.to_owned()));
        }
        let data = &bytes[offset..];
        let record = shape
            .iter()
            .skip(1)
            .fold(kind.bytes(), |bytes, &size| bytes.saturating_mul(size));
        let count = shape.first().copied().unwrap_or(1);
        let promised = count.saturating_mul(record);
        if data.len() != promised {
            let complete = data.len().checked_div(record).unwrap_or(0).min(count);
            let place = record_at(complete, offset + complete * record);
            let problem = match data.len() < promised {
                true => format!(
                    "the file ends too early; its header announces {count} records of {record} bytes"
                ),
                false => format!(
                    "{} bytes follow the last of {count} records",
                    data.len() - promised
                ),
            };
            return Err(self.malformed(place, problem));
        }
        Ok(Array {
            kind,
            shape,
            data,
            offset,
        })
    }

    /// The text of the header, and the offset of the values.
    fn header<'b>(&self, bytes: &'b [u8]) -> Result<(&'b str, usize), DataError> {
        let start = || "byte 0".to_owned();
        if bytes.is_empty() {
            return Err(self.malformed(None, "the file is empty".to_owned()));
        }
        if !bytes.starts_with(MAGIC) {
            let problem = format!(
                "not an NPY file: it starts with {:02x?}",
                &bytes[..bytes.len().min(MAGIC.len())]
            );
            return Err(self.malformed(start(), problem));
        }
        let (length, from) = match bytes.get(MAGIC.len()..) {
            Some(&[1, _, a, b, ..]) => (usize::from(u16::from_le_bytes([a, b])), 10_usize),
            Some(&[2 | 3, _, a, b, c, d, ..]) => (u32::from_le_bytes([a, b, c, d]) as usize, 12),
            Some(&[version @ (0 | 4..), ..]) => {
                return Err(self.malformed(
                    start(),
                    format!("NPY version {version}; versions 1 to 3 can be read"),
                ));
            }
            _ => {
                return Err(self.malformed(
                    start(),
                    format!("the header ends after {} bytes", bytes.len()),
                ));
            }
        };
        let header = from
            .checked_add(length)
            .and_then(|end| Some((bytes.get(from..end)?, end)));
        let Some((header, end)) = header else {
            return Err(self.malformed(
                start(),
                format!("the header ends after {} bytes", bytes.len()),
            ));
        };
        match std::str::from_utf8(header) {
            Ok(text) => Ok((text, end)),
            Err(_) => {
                Err(self.malformed(format!("byte {from}"), "the header is not text".to_owned()))
            }
        }
    }

    pub(super) fn malformed(&self, place: impl Into<Option<String>>, problem: String) -> DataError {
        DataError::malformed(self.path, place, problem, self.remedy)
    }
}

/// The contents of a header: `{'descr': '|u1', 'fortran_order': False, 'shape': (2000, 32, 32, 3),
/// }`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Header {
    descr: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    fn parse(text: &str) -> Result<Header, String> {
        let mut rest = text
            .trim()
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .ok_or("it is not a dictionary")?;
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        while !rest.trim().is_empty() {
            let (key, after) = rest.split_once(':').ok_or("a key without a value")?;
            let after = after.trim_start();
            // The tuple is the only value that contains commas.
            let end = if after.starts_with('(') {
                after.find(')').map(|end| end + 1)
            } else {
                after.find(',')
            };
            let (value, after) = after.split_at(end.unwrap_or(after.len()));
            match unquoted(key) {
                Some("descr") => {
                    descr = Some(
                        unquoted(value)
                            .ok_or("its type is not a string")?
                            .to_owned(),
                    )
                }
                Some("fortran_order") => {
                    fortran_order =
                        Some(truth(value).ok_or("fortran_order is neither True nor False")?)
                }
                Some("shape") => {
                    shape = Some(sizes(value).ok_or("its shape is not a tuple of sizes")?)
                }
                _ => return Err(format!("it has the key {}", key.trim())),
            }
            rest = after.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
        match (descr, fortran_order, shape) {
            (Some(descr), Some(fortran_order), Some(shape)) => Ok(Header {
                descr,
                fortran_order,
                shape,
            }),
            _ => Err("it lacks descr, fortran_order or shape".to_owned()),
        }
    }
}

fn unquoted(text: &str) -> Option<&str> {
    let text = text.trim();
    ['\'', '"']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
}

fn truth(text: &str) -> Option<bool> {
    match text.trim() {
        "True" => Some(true),
        "False" => Some(false),
        _ => None,
    }
}

/// `(2000, 32, 32, 3)`, `(2000,)` or `()`.
fn sizes(text: &str) -> Option<Vec<usize>> {
    let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?.trim();
    let inner = inner.strip_suffix(',').unwrap_or(inner);
    if inner.is_empty() {
        return Some(Vec::new());
    }
    inner
        .split(',')
        .map(|size| size.trim().parse().ok())
        .collect()
}

#[cfg(test)]
mod tests;
