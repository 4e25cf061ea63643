//! The checkpoint of a search: one safetensors file, replaced in one step, every part of it under a checksum.
//!
//! Tensors are the strategy's (F64). The rest is JSON in the file's `__metadata__`: under `nas-tui` a `Header`, under
//! `crc32` the CRC-32 (8 hex digits) of that text. A checkpoint is the state between two episodes; children that have ended
//! since are in the journal. So there is one checkpoint, not a history of them: should it be lost, the journal alone is
//! enough to compute it again.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::strategy::{StateTensor, StrategyState};
use crate::durable::{in_file, sync_folder_of, write_atomically};

/// Version of the format.
const FORMAT: u32 = 1;

/// The state of a search after an episode.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Seed of the run: with a child's number, the state of every random generator.
    pub seed: u64,
    /// Last episode that the strategy has learnt from; 0 before the first.
    pub episode: usize,
    pub next_child: u64,
    /// Last record of the journal that is part of this state.
    pub journal_seq: u64,
    /// The settings (TOML) it was reached with.
    pub config: String,
    pub state: StrategyState,
}

/// What the file holds beside the tensors.
#[derive(Debug, Serialize, Deserialize)]
struct Header<'a> {
    format: u32,
    seed: u64,
    episode: usize,
    next_child: u64,
    journal_seq: u64,
    strategy: Cow<'a, str>,
    scalars: Cow<'a, BTreeMap<String, serde_json::Value>>,
    /// CRC-32 (8 hex digits) of each tensor's bytes.
    tensors: BTreeMap<String, String>,
    config: Cow<'a, str>,
}

/// Why a checkpoint cannot be used. It is never passed over in silence.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "{}, byte {position}: the checkpoint is damaged: {problem}. Restore the file from a copy, or move it away: a resume \
         then computes it again from the journal, without training anything twice",
        path.display()
    )]
    Damaged { path: PathBuf, position: u64, problem: String },
    #[error("{}: written by another version of nas-tui (format {found}; this program reads format {FORMAT}): use that version", path.display())]
    OtherFormat { path: PathBuf, found: u32 },
}

impl Checkpoint {
    /// Replace the checkpoint at `path`; its folder is created where it is missing.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let bytes = self.encode().map_err(|error| in_file(path, "cannot write", io::Error::other(error.to_string())))?;
        if let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) {
            std::fs::create_dir_all(folder)
                .and_then(|()| sync_folder_of(folder))
                .map_err(|error| in_file(folder, "cannot create", error))?;
        }
        write_atomically(path, &bytes)
    }

    /// The checkpoint at `path`; none where there is no file.
    pub fn load(path: &Path) -> Result<Option<Checkpoint>, CheckpointError> {
        match std::fs::read(path) {
            Ok(bytes) => Checkpoint::decode(&bytes, path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(CheckpointError::Io { path: path.to_owned(), source }),
        }
    }

    fn encode(&self) -> Result<Vec<u8>, SafeTensorError> {
        let data: BTreeMap<&String, Vec<u8>> = self
            .state
            .tensors
            .iter()
            .map(|(name, tensor)| (name, tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect()))
            .collect();
        let header = Header {
            format: FORMAT,
            seed: self.seed,
            episode: self.episode,
            next_child: self.next_child,
            journal_seq: self.journal_seq,
            strategy: Cow::Borrowed(&self.state.strategy),
            scalars: Cow::Borrowed(&self.state.scalars),
            tensors: data.iter().map(|(name, bytes)| ((*name).clone(), checksum(bytes))).collect(),
            config: Cow::Borrowed(&self.config),
        };
        let header = serde_json::to_string(&header)?;
        let metadata = HashMap::from([("crc32".to_owned(), checksum(header.as_bytes())), ("nas-tui".to_owned(), header)]);
        let views = data
            .iter()
            .map(|(name, bytes)| Ok((name.as_str(), TensorView::new(Dtype::F64, self.state.tensors[*name].shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, SafeTensorError>>()?;
        safetensors::serialize(views, Some(metadata))
    }

    fn decode(bytes: &[u8], path: &Path) -> Result<Checkpoint, CheckpointError> {
        let file = File { bytes, path };
        let (length, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| file.unreadable(&error))?;
        let first_tensor = 8 + length;
        let header = file.header(metadata.metadata().as_ref())?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| file.unreadable(&error))?;
        let mut state = StrategyState {
            strategy: header.strategy.into_owned(),
            scalars: header.scalars.into_owned(),
            tensors: BTreeMap::new(),
        };
        for (name, expected) in &header.tensors {
            let view = tensors.tensor(name).map_err(|error| file.damaged(first_tensor, format!("tensor `{name}`: {error}")))?;
            let position = metadata.info(name).map_or(first_tensor, |info| first_tensor + info.data_offsets.0);
            if view.dtype() != Dtype::F64 || checksum(view.data()) != *expected {
                return Err(file.damaged(position, format!("the checksum of tensor `{name}` does not match")));
            }
            state.tensors.insert(name.clone(), StateTensor { shape: view.shape().to_vec(), values: numbers(view.data()) });
        }
        let Header { seed, episode, next_child, journal_seq, config, .. } = header;
        Ok(Checkpoint { seed, episode, next_child, journal_seq, config: config.into_owned(), state })
    }
}

/// A file being read, for its errors.
struct File<'a> {
    bytes: &'a [u8],
    path: &'a Path,
}

impl File<'_> {
    fn header(&self, metadata: Option<&HashMap<String, String>>) -> Result<Header<'static>, CheckpointError> {
        let entry = |name: &str| {
            let value = metadata.and_then(|metadata| metadata.get(name));
            value.ok_or_else(|| self.damaged(8, format!("there is no `{name}` in its metadata")))
        };
        let (text, expected) = (entry("nas-tui")?, entry("crc32")?);
        if checksum(text.as_bytes()) != *expected {
            return Err(self.damaged(8, "the checksum of its metadata does not match".to_owned()));
        }
        // The version first: another one may have other fields.
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let parse = |error: serde_json::Error| self.damaged(8, format!("its metadata: {error}"));
        let version: Version = serde_json::from_str(text).map_err(parse)?;
        if version.format != FORMAT {
            return Err(CheckpointError::OtherFormat { path: self.path.to_owned(), found: version.format });
        }
        serde_json::from_str(text).map_err(parse)
    }

    fn unreadable(&self, error: &SafeTensorError) -> CheckpointError {
        let length = self.bytes.len();
        match error {
            SafeTensorError::HeaderTooSmall | SafeTensorError::InvalidHeaderLength | SafeTensorError::MetadataIncompleteBuffer => {
                self.damaged(length, "it ends too early or too late: its length is not the one that its header gives".to_owned())
            }
            SafeTensorError::HeaderTooLarge => self.damaged(0, "the length of its header is impossible".to_owned()),
            other => self.damaged(8, other.to_string()),
        }
    }

    fn damaged(&self, position: usize, problem: String) -> CheckpointError {
        CheckpointError::Damaged { path: self.path.to_owned(), position: position as u64, problem }
    }
}

fn checksum(bytes: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(bytes))
}

/// Little-endian F64s.
fn numbers(bytes: &[u8]) -> Vec<f64> {
    let (chunks, _) = bytes.as_chunks::<8>();
    chunks.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn checkpoint() -> Checkpoint {
        let tensors = BTreeMap::from([
            ("lstm.weight".to_owned(), StateTensor { shape: vec![2, 3], values: vec![0.1 + 0.2, -1.5, 1e-310, 3.0, 4.0, 5.0] }),
            ("bias".to_owned(), StateTensor { shape: vec![1], values: vec![std::f64::consts::PI] }),
        ]);
        let scalars = BTreeMap::from([("baseline".to_owned(), serde_json::json!(0.1 + 0.7))]);
        let state = StrategyState { strategy: "reinforce".into(), scalars, tensors };
        Checkpoint { seed: u64::MAX, episode: 3, next_child: 49, journal_seq: 412, config: "preset = \"demo\"\n".into(), state }
    }

    fn saved() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint").join("search.safetensors");
        checkpoint().save(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        (folder, path, bytes)
    }

    #[test]
    fn a_checkpoint_comes_back_bit_for_bit() {
        let (_folder, path, _) = saved();
        assert_eq!(Checkpoint::load(&path).unwrap(), Some(checkpoint()));
    }

    #[test]
    fn a_missing_checkpoint_is_none() {
        assert_eq!(Checkpoint::load(Path::new("/nonexistent/search.safetensors")).unwrap(), None);
    }

    #[test]
    fn a_checkpoint_is_a_safetensors_file_that_other_programs_read() {
        let (_folder, _, bytes) = saved();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(file.tensor("lstm.weight").unwrap().shape(), [2, 3]);
    }

    #[test]
    fn a_damaged_tensor_is_named_with_its_position_and_a_remedy() {
        let (_folder, path, mut bytes) = saved();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let message = Checkpoint::load(&path).unwrap_err().to_string();
        assert!(message.contains("`lstm.weight`") && message.contains(&format!("byte {}", bytes.len() - 48)), "{message}");
        assert!(message.contains("move it away"), "{message}");
    }

    #[test]
    fn another_format_is_refused_as_such() {
        let (_folder, path, _) = saved();
        let header = r#"{"format":2,"soul":"blue"}"#;
        let metadata =
            HashMap::from([("crc32".to_owned(), checksum(header.as_bytes())), ("nas-tui".to_owned(), header.to_owned())]);
        let none: [(&str, TensorView<'_>); 0] = [];
        std::fs::write(&path, safetensors::serialize(none, Some(metadata)).unwrap()).unwrap();
        assert!(matches!(Checkpoint::load(&path), Err(CheckpointError::OtherFormat { found: 2, .. })));
    }

    proptest! {
        #[test]
        fn a_truncated_checkpoint_is_an_error_at_any_length(cut in 0usize..4000) {
            let (_folder, path, bytes) = saved();
            std::fs::write(&path, &bytes[..cut % bytes.len()]).unwrap();
            prop_assert!(Checkpoint::load(&path).is_err());
        }

        #[test]
        fn a_changed_bit_is_an_error_or_changes_nothing(position in 0usize..4000, bit in 0u8..8) {
            let (_folder, path, mut bytes) = saved();
            let position = position % bytes.len();
            bytes[position] ^= 1 << bit;
            std::fs::write(&path, &bytes).unwrap();
            // Padding of the header may change without harm; nothing else may pass.
            if let Ok(loaded) = Checkpoint::load(&path) {
                prop_assert_eq!(loaded, Some(checkpoint()));
            }
        }
    }
}
