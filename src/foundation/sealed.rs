//! Checkpoint files: safetensors with a checksum over every part, replaced in one step.
//!
//! The file's `__metadata__` holds two entries: `nas-tui`, JSON with the caller's header, the
//! format's version and the CRC-32 of each tensor's bytes; and `crc32`, the CRC-32 (8 hex digits)
//! of that JSON text. Other programs can read the tensors.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::foundation::input;

/// Version of the format.
const FORMAT: u32 = 1;

/// A tensor as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Type of each number.
    pub dtype: Dtype,
    /// Lengths of the dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Little-endian values.
    pub bytes: Vec<u8>,
}

/// Tensors by name.
pub type Blocks = BTreeMap<String, Block>;

/// The JSON of a file: the writer's header and what is needed to verify the file.
#[derive(Debug, Serialize, Deserialize)]
struct Envelope<H> {
    format: u32,
    /// CRC-32 (8 hex digits) of each tensor's bytes.
    tensors: BTreeMap<String, String>,
    #[serde(flatten)]
    header: H,
}

/// Why a checkpoint cannot be used. It is never ignored silently.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file cannot be read or written.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// The contents are not what was written.
    #[error(
        "{}, byte {position}: the checkpoint is damaged: {problem}. Restore the file from a copy, or move it away: a resume \
         then computes it again (a search from its journal, without training anything twice; a training from its beginning)",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Byte offset at which the damage was found.
        position: u64,
        /// What is wrong.
        problem: String,
    },
    /// Written by a version of this program that uses another format.
    #[error("{}: written by another version of nas-tui (format {found}; this program reads format {FORMAT}): use that version", path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// The version of its format.
        found: u32,
    },
}

/// Header and tensors of the file at `path`, or `None` if there is no file.
///
/// # Errors
/// [`CheckpointError`]: the file cannot be read, is damaged, or has another format.
pub fn load<H: DeserializeOwned>(path: &Path) -> Result<Option<(H, Blocks)>, CheckpointError> {
    match input::read(path, input::OWN) {
        Ok(bytes) => decode(&bytes, path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(CheckpointError::Io {
            path: path.to_owned(),
            cause,
        }),
    }
}

/// An error for a file at `path` that is undamaged but whose contents make no sense.
pub fn nonsense(path: &Path, problem: impl Into<String>) -> CheckpointError {
    CheckpointError::Damaged {
        path: path.to_owned(),
        position: 8,
        problem: problem.into(),
    }
}

/// The contents of a file.
///
/// # Errors
/// If the header cannot be written as JSON.
pub fn encode(header: &impl Serialize, tensors: &Blocks) -> io::Result<Vec<u8>> {
    serialized(header, tensors).map_err(|error| io::Error::other(error.to_string()))
}

fn serialized(header: &impl Serialize, tensors: &Blocks) -> Result<Vec<u8>, SafeTensorError> {
    let checksums = tensors
        .iter()
        .map(|(name, block)| (name.clone(), checksum(&block.bytes)))
        .collect();
    let text = serde_json::to_string(&Envelope {
        format: FORMAT,
        tensors: checksums,
        header,
    })?;
    let metadata = HashMap::from([
        ("crc32".to_owned(), checksum(text.as_bytes())),
        ("nas-tui".to_owned(), text),
    ]);
    let view = |block| {
        let Block {
            dtype,
            shape,
            bytes,
        }: &Block = block;
        TensorView::new(*dtype, shape.clone(), bytes)
    };
    let views = tensors
        .iter()
        .map(|(name, block)| Ok((name.as_str(), view(block)?)));
    safetensors::serialize(
        views.collect::<Result<Vec<_>, SafeTensorError>>()?,
        Some(metadata),
    )
}

fn decode<H: DeserializeOwned>(bytes: &[u8], path: &Path) -> Result<(H, Blocks), CheckpointError> {
    let file = SealedFile { bytes, path };
    let (length, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|error| file.unreadable(&error))?;
    let first_tensor = 8 + length;
    let envelope: Envelope<H> = file.envelope(metadata.metadata().as_ref())?;
    let views = SafeTensors::deserialize(bytes).map_err(|error| file.unreadable(&error))?;
    let mut tensors = BTreeMap::new();
    for (name, expected) in &envelope.tensors {
        let view = views
            .tensor(name)
            .map_err(|error| file.damaged(first_tensor, format!("tensor `{name}`: {error}")))?;
        let position = metadata
            .info(name)
            .map_or(first_tensor, |info| first_tensor + info.data_offsets.0);
        if checksum(view.data()) != *expected {
            return Err(file.damaged(
                position,
                format!("the checksum of tensor `{name}` does not match"),
            ));
        }
        let block = Block {
            dtype: view.dtype(),
            shape: view.shape().to_vec(),
            bytes: view.data().to_vec(),
        };
        tensors.insert(name.clone(), block);
    }
    Ok((envelope.header, tensors))
}

/// A file being read, with its path for error messages.
struct SealedFile<'a> {
    bytes: &'a [u8],
    path: &'a Path,
}

impl SealedFile<'_> {
    fn envelope<H: DeserializeOwned>(
        &self,
        metadata: Option<&HashMap<String, String>>,
    ) -> Result<Envelope<H>, CheckpointError> {
        let entry = |name: &str| {
            let value = metadata.and_then(|metadata| metadata.get(name));
            value.ok_or_else(|| self.damaged(8, format!("there is no `{name}` in its metadata")))
        };
        let (text, expected) = (entry("nas-tui")?, entry("crc32")?);
        if checksum(text.as_bytes()) != *expected {
            return Err(self.damaged(8, "the checksum of its metadata does not match".to_owned()));
        }
        // Check the version first: other versions may have other fields.
        #[derive(Deserialize)]
        struct FormatVersion {
            format: u32,
        }
        let parse = |error: serde_json::Error| self.damaged(8, format!("its metadata: {error}"));
        let version: FormatVersion = serde_json::from_str(text).map_err(parse)?;
        if version.format != FORMAT {
            return Err(CheckpointError::OtherFormat {
                path: self.path.to_owned(),
                found: version.format,
            });
        }
        serde_json::from_str(text).map_err(parse)
    }

    fn unreadable(&self, error: &SafeTensorError) -> CheckpointError {
        let length = self.bytes.len();
        match error {
            SafeTensorError::HeaderTooSmall
            | SafeTensorError::InvalidHeaderLength
            | SafeTensorError::MetadataIncompleteBuffer => self.damaged(
                length,
                "it ends too early or too late: its length is not the one that its header gives"
                    .to_owned(),
            ),
            SafeTensorError::HeaderTooLarge => {
                self.damaged(0, "the length of its header is impossible".to_owned())
            }
            other => self.damaged(8, other.to_string()),
        }
    }

    fn damaged(&self, position: usize, problem: String) -> CheckpointError {
        CheckpointError::Damaged {
            path: self.path.to_owned(),
            position: position as u64,
            problem,
        }
    }
}

fn checksum(bytes: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_format_is_refused_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("search.safetensors");
        let header = r#"{"format":2,"soul":"blue"}"#;
        let metadata = HashMap::from([
            ("crc32".to_owned(), checksum(header.as_bytes())),
            ("nas-tui".to_owned(), header.to_owned()),
        ]);
        let none: [(&str, TensorView<'_>); 0] = [];
        std::fs::write(&path, safetensors::serialize(none, Some(metadata)).unwrap()).unwrap();
        let loaded = load::<serde_json::Value>(&path);
        assert!(matches!(
            loaded,
            Err(CheckpointError::OtherFormat { found: 2, .. })
        ));
    }
}
