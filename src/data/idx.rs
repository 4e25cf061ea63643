//! The IDX format of MNIST and Fashion-MNIST: a big-endian header, then one byte per value; plain
//! or compressed with gzip.

use std::io::Read;
use std::path::Path;

use super::error::{DataError, record_at};
use crate::foundation::{input, numbers};

/// First bytes: two zeros, 8 for "unsigned byte", the number of dimensions.
const IMAGES_MAGIC: [u8; 4] = [0, 0, 8, 3];
const LABELS_MAGIC: [u8; 4] = [0, 0, 8, 1];

/// The images of one IDX file: `pixels` is `[count, height, width]`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IdxImages {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) pixels: Vec<u8>,
}

/// The uncompressed bytes of a file, and the error that ended decompression, if any.
pub(super) struct IdxBytes {
    bytes: Vec<u8>,
    broken: Option<String>,
    /// Whether more bytes follow, which are not needed to see that they are too many.
    goes_on: bool,
}

/// Bytes of the longest header.
const HEADER: usize = 16;
/// Bytes that are unpacked beyond those that the header announces.
const SURPLUS: u64 = 1 << 16;

impl IdxBytes {
    /// Decompress data that starts like gzip; anything else is taken as it is.
    pub fn of(raw: &[u8]) -> Self {
        if !raw.starts_with(&[0x1f, 0x8b]) {
            return IdxBytes {
                bytes: raw.to_vec(),
                broken: None,
                goes_on: false,
            };
        }
        let mut bytes = Vec::new();
        let mut unpacked = flate2::read::MultiGzDecoder::new(raw);
        // A failed read leaves the preceding bytes in `bytes`, which shows how much of the file is
        // valid. No more is unpacked than the header announces: a few megabytes could become many
        // gigabytes.
        let mut unpack =
            |most: u64, bytes: &mut Vec<u8>| unpacked.by_ref().take(most).read_to_end(bytes).err();
        let mut broken = unpack(HEADER as u64, &mut bytes);
        let most = announced(&bytes).saturating_add(SURPLUS);
        if broken.is_none() {
            broken = unpack(most - HEADER as u64, &mut bytes);
        }
        IdxBytes {
            goes_on: bytes.len() as u64 >= most,
            bytes,
            broken: broken.map(|error| error.to_string()),
        }
    }
}

/// A file with its name for error messages and the remedy for its data set.
pub(super) struct IdxFile<'a> {
    pub(super) path: &'a Path,
    pub(super) remedy: &'a str,
}

impl IdxFile<'_> {
    /// Images `[count, height, width]`.
    pub fn images(&self, content: &IdxBytes) -> Result<IdxImages, DataError> {
        let sizes = self.header::<3>(content, IMAGES_MAGIC, "images")?;
        let [count, height, width] = sizes;
        if height == 0 || width == 0 {
            return Err(self.malformed(
                "byte 8".to_owned(),
                format!("images of {height}x{width} pixels"),
            ));
        }
        let pixels = self.payload(content, 16, count, height.saturating_mul(width))?;
        Ok(IdxImages {
            height,
            width,
            pixels,
        })
    }

    /// Labels, each below `classes`.
    pub fn labels(&self, content: &IdxBytes, classes: usize) -> Result<Vec<u16>, DataError> {
        let [count] = self.header::<1>(content, LABELS_MAGIC, "labels")?;
        let labels = self.payload(content, 8, count, 1)?;
        if let Some(record) = labels
            .iter()
            .position(|&label| usize::from(label) >= classes)
        {
            let problem = format!(
                "label {} is out of range, the classes are 0 to {}",
                labels[record],
                classes - 1
            );
            return Err(self.malformed(record_at(record, 8 + record), problem));
        }
        Ok(labels.into_iter().map(u16::from).collect())
    }

    fn header<const N: usize>(
        &self,
        content: &IdxBytes,
        magic: [u8; 4],
        kind: &str,
    ) -> Result<[usize; N], DataError> {
        let bytes = &content.bytes;
        if bytes.is_empty() {
            return Err(self.malformed(
                None,
                content
                    .broken
                    .clone()
                    .unwrap_or("the file is empty".to_owned()),
            ));
        }
        if bytes.len() < 4 + 4 * N {
            return Err(self.malformed(
                "byte 0".to_owned(),
                format!("the header ends after {} bytes", bytes.len()),
            ));
        }
        if bytes[..4] != magic {
            let problem = format!(
                "not an IDX file of {kind}: it starts with {:02x?} instead of {magic:02x?}",
                &bytes[..4]
            );
            return Err(self.malformed("byte 0".to_owned(), problem));
        }
        let size = |dimension: usize| {
            let start = 4 + 4 * dimension;
            u32::from_be_bytes([
                bytes[start],
                bytes[start + 1],
                bytes[start + 2],
                bytes[start + 3],
            ]) as usize
        };
        let sizes = std::array::from_fn(size);
        if sizes[0] == 0 {
            return Err(self.malformed("byte 4".to_owned(), format!("the file contains no {kind}")));
        }
        Ok(sizes)
    }

    /// The bytes after the header: exactly `count` records of `record` bytes.
    fn payload(
        &self,
        content: &IdxBytes,
        header: usize,
        count: usize,
        record: usize,
    ) -> Result<Vec<u8>, DataError> {
        let bytes = &content.bytes[header..];
        let announced = (count as u64).saturating_mul(record as u64);
        if announced > input::DATA {
            return Err(self.malformed(
                "byte 4".to_owned(),
                format!(
                    "its header announces {count} records of {record} bytes; at most {} are read",
                    numbers::bytes(input::DATA)
                ),
            ));
        }
        let complete = bytes.len() / record;
        let place = record_at(
            complete.min(count),
            header + complete.min(count).saturating_mul(record),
        );
        if complete < count || content.broken.is_some() {
            let cause = content
                .broken
                .as_ref()
                .map_or(String::new(), |cause| format!(" ({cause})"));
            return Err(self.malformed(
                place,
                format!("the file ends too early{cause}; its header announces {count} records"),
            ));
        }
        let surplus = bytes.len() - count * record;
        if surplus > 0 {
            let more = if content.goes_on { "more than " } else { "" };
            let problem = format!("{more}{surplus} bytes follow the last of {count} records");
            return Err(self.malformed(place, problem));
        }
        Ok(bytes.to_vec())
    }

    fn malformed(&self, place: impl Into<Option<String>>, problem: String) -> DataError {
        DataError::malformed(self.path, place, problem, self.remedy)
    }
}

/// Length of the file that begins with these bytes, according to its header; 0 if it has none, or
/// announces more than can be read.
fn announced(bytes: &[u8]) -> u64 {
    let sizes = match bytes.first_chunk::<4>() {
        Some(&IMAGES_MAGIC) => 3,
        Some(&LABELS_MAGIC) => 1,
        _ => return 0,
    };
    let (sizes, _) = bytes[4..]
        .as_chunks::<4>()
        .0
        .split_at_checked(sizes)
        .unwrap_or_default();
    let product =
        |bytes: u64, size: &[u8; 4]| bytes.saturating_mul(u32::from_be_bytes(*size).into());
    match sizes.iter().fold(1, product) {
        length if length <= input::DATA => length + HEADER as u64,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn images(count: u32, payload: &[u8]) -> Vec<u8> {
        [
            &IMAGES_MAGIC[..],
            &count.to_be_bytes(),
            &2u32.to_be_bytes(),
            &3u32.to_be_bytes(),
            payload,
        ]
        .concat()
    }

    fn labels(count: u32, payload: &[u8]) -> Vec<u8> {
        [&LABELS_MAGIC[..], &count.to_be_bytes(), payload].concat()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn file() -> IdxFile<'static> {
        IdxFile {
            path: Path::new("some/file.gz"),
            remedy: "get it again",
        }
    }

    fn message<T: std::fmt::Debug>(result: Result<T, DataError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn plain_and_compressed_images_are_read_the_same_way() {
        let plain = images(2, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        let expected = IdxImages {
            height: 2,
            width: 3,
            pixels: (1..=12).collect(),
        };
        assert_eq!(file().images(&IdxBytes::of(&plain)).unwrap(), expected);
        assert_eq!(
            file().images(&IdxBytes::of(&gzip(&plain))).unwrap(),
            expected
        );
    }

    #[test]
    fn labels_are_read_in_order() {
        assert_eq!(
            file()
                .labels(&IdxBytes::of(&gzip(&labels(3, &[7, 0, 9]))), 10)
                .unwrap(),
            [7, 0, 9]
        );
    }

    #[test]
    fn bad_images_name_the_file_the_record_and_the_remedy() {
        let whole = images(2, &[0; 12]);
        let cases: [(Vec<u8>, &str); 9] = [
            (Vec::new(), "some/file.gz: the file is empty; get it again"),
            (
                whole[..10].to_vec(),
                "byte 0: the header ends after 10 bytes",
            ),
            (
                labels(1, &[0; 12]),
                "byte 0: not an IDX file of images: it starts with [00, 00, 08, 01]",
            ),
            (
                b"<!DOCTYPE html><html></html>".to_vec(),
                "not an IDX file of images",
            ),
            (images(0, &[]), "byte 4: the file contains no images"),
            (
                whole[..27].to_vec(),
                "some/file.gz, record 1 (byte 22): the file ends too early; its header announces 2 records",
            ),
            (
                images(2, &[0; 13]),
                "record 2 (byte 28): 1 bytes follow the last of 2 records",
            ),
            (
                images(1 << 20, &[0; 12]),
                "record 2 (byte 28): the file ends too early",
            ),
            (gzip(&whole)[..20].to_vec(), "some/file.gz"),
        ];
        for (bytes, expected) in cases {
            let message = message(file().images(&IdxBytes::of(&bytes)));
            assert!(message.contains(expected), "{message:?} lacks {expected:?}");
            assert!(
                message.ends_with("; get it again"),
                "{message:?} names no remedy"
            );
        }
    }

    #[test]
    fn a_corrupt_compressed_file_is_an_error_even_when_every_record_is_there() {
        let mut bytes = gzip(&images(2, &[5; 12]));
        let checksum = bytes.len() - 6;
        bytes[checksum] ^= 0xff;
        let message = message(file().images(&IdxBytes::of(&bytes)));
        assert!(
            message.contains("record 2 (byte 28): the file ends too early (corrupt"),
            "{message}"
        );
    }

    #[test]
    fn no_more_is_unpacked_than_the_header_announces() {
        let zeros = vec![0; 50 << 20];
        for (header, problem) in [
            (images(2, &[0; 12]), "more than 655"),
            (b"nothing".to_vec(), "not an IDX file"),
            (
                images(u32::MAX, &[]),
                "announces 4294967295 records of 6 bytes; at most",
            ),
        ] {
            let packed = gzip(&[&header[..], &zeros].concat());
            let content = IdxBytes::of(&packed);
            assert!(content.bytes.len() < 100_000, "{}", content.bytes.len());
            let message = message(file().images(&content));
            assert!(message.contains(problem), "{message}");
        }
    }

    #[test]
    fn a_label_out_of_range_is_named_with_its_record_and_byte() {
        let message = message(file().labels(&IdxBytes::of(&labels(3, &[1, 10, 2])), 10));
        assert_eq!(
            message,
            "some/file.gz, record 1 (byte 9): label 10 is out of range, the classes are 0 to 9; get it again"
        );
    }

    proptest::proptest! {
        #[test]
        fn no_sequence_of_bytes_makes_the_reader_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..64)) {
            let _ = file().images(&IdxBytes::of(&bytes));
            let _ = file().images(&IdxBytes::of(&[&IMAGES_MAGIC[..], &bytes].concat()));
            let _ = file().labels(&IdxBytes::of(&[&LABELS_MAGIC[..], &bytes].concat()), 10);
        }
    }
}
