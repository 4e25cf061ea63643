//! The checkpoint of a search: the state between two episodes, in one sealed file.
//!
//! Children that have ended since are in the journal, so there is only one checkpoint rather than a
//! history: if it is lost, it can be recomputed from the journal alone. The tensors are the
//! strategy's (F64).

use std::io;
use std::path::Path;

use safetensors::Dtype;
use serde::{Deserialize, Serialize};

use crate::foundation::sealed::{self, Block, CheckpointError};
use crate::runs::RunDirectory;
use crate::session;
use crate::strategy::{StateTensor, StrategyState};

/// The state of a search after an episode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchCheckpoint {
    /// Seed of the run, which together with a child's number determines every random generator.
    pub seed: u64,
    /// Last episode that the strategy has learned from; 0 before the first.
    pub episode: usize,
    /// Number of the child to be sampled next.
    pub next_child: u64,
    /// Last record of the journal that is part of this state.
    pub journal_seq: u64,
    /// The settings (TOML) in force when it was reached.
    pub config: String,
    /// What the strategy has learned.
    #[serde(flatten)]
    pub state: StrategyState,
}

impl SearchCheckpoint {
    /// The contents of its file.
    ///
    /// # Errors
    /// If the state cannot be written as JSON.
    pub fn encode(&self) -> io::Result<Vec<u8>> {
        let block = |tensor: &StateTensor| Block {
            dtype: Dtype::F64,
            shape: tensor.shape.clone(),
            bytes: tensor
                .values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        };
        let tensors = self.state.tensors.iter();
        let blocks = tensors.map(|(name, tensor)| (name.clone(), block(tensor)));
        let mut header = self.clone();
        header.state.tensors.clear();
        sealed::encode(&header, &blocks.collect())
    }

    /// The checkpoint at `path`; `None` if there is no file.
    ///
    /// # Errors
    /// [`CheckpointError`]: the file cannot be read, is damaged, or has another format.
    pub fn load(path: &Path) -> Result<Option<SearchCheckpoint>, CheckpointError> {
        let Some((mut checkpoint, blocks)) = sealed::load::<SearchCheckpoint>(path)? else {
            return Ok(None);
        };
        for (name, block) in blocks {
            if block.dtype != Dtype::F64 {
                let problem = format!("tensor `{name}` is not of 64-bit floats");
                return Err(sealed::nonsense(path, problem));
            }
            let (shape, values) = (block.shape, numbers(&block.bytes));
            let tensor = StateTensor { shape, values };
            checkpoint.state.tensors.insert(name, tensor);
        }
        Ok(Some(checkpoint))
    }
}

impl session::Checkpoint for SearchCheckpoint {
    fn find(directory: &RunDirectory) -> Result<Option<SearchCheckpoint>, CheckpointError> {
        SearchCheckpoint::load(&directory.checkpoint_path())
    }

    fn config(&self) -> &str {
        &self.config
    }

    fn journal_seq(&self) -> u64 {
        self.journal_seq
    }
}

/// Little-endian F64s.
fn numbers(bytes: &[u8]) -> Vec<f64> {
    let (chunks, _) = bytes.as_chunks::<8>();
    chunks
        .iter()
        .map(|chunk| f64::from_le_bytes(*chunk))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use proptest::prelude::*;
    use safetensors::SafeTensors;

    use super::*;

    fn checkpoint() -> SearchCheckpoint {
        let tensors = BTreeMap::from([
            (
                "lstm.weight".to_owned(),
                StateTensor {
                    shape: vec![2, 3],
                    values: vec![0.1 + 0.2, -1.5, 1e-310, 3.0, 4.0, 5.0],
                },
            ),
            (
                "bias".to_owned(),
                StateTensor {
                    shape: vec![1],
                    values: vec![std::f64::consts::PI],
                },
            ),
        ]);
        let scalars = BTreeMap::from([("baseline".to_owned(), serde_json::json!(0.1 + 0.7))]);
        let state = StrategyState {
            strategy: "reinforce".into(),
            scalars,
            tensors,
        };
        SearchCheckpoint {
            seed: u64::MAX,
            episode: 3,
            next_child: 49,
            journal_seq: 412,
            config: "preset = \"demo\"\n".into(),
            state,
        }
    }

    fn saved() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("search.safetensors");
        let bytes = checkpoint().encode().unwrap();
        std::fs::write(&path, &bytes).unwrap();
        (folder, path, bytes)
    }

    #[test]
    fn a_checkpoint_is_restored_bit_for_bit() {
        let (_folder, path, _) = saved();
        assert_eq!(SearchCheckpoint::load(&path).unwrap(), Some(checkpoint()));
    }

    #[test]
    fn a_checkpoint_of_an_earlier_program_is_read() {
        let header = serde_json::json!({
            "seed": u64::MAX,
            "episode": 3,
            "next_child": 49,
            "journal_seq": 412,
            "strategy": "reinforce",
            "scalars": { "baseline": 0.1 + 0.7 },
            "config": "preset = \"demo\"\n",
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("search.safetensors");
        let bytes = sealed::encode(&header, &sealed::Blocks::new()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        let mut expected = checkpoint();
        expected.state.tensors.clear();
        assert_eq!(SearchCheckpoint::load(&path).unwrap(), Some(expected));
    }

    #[test]
    fn a_missing_checkpoint_is_none() {
        assert_eq!(
            SearchCheckpoint::load(Path::new("/nonexistent/search.safetensors")).unwrap(),
            None
        );
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
        let message = SearchCheckpoint::load(&path).unwrap_err().to_string();
        assert!(
            message.contains("`lstm.weight`")
                && message.contains(&format!("byte {}", bytes.len() - 48)),
            "{message}"
        );
        assert!(message.contains("move it away"), "{message}");
    }

    proptest! {
        #[test]
        fn a_truncated_checkpoint_is_an_error_at_any_length(cut in 0usize..4000) {
            let (_folder, path, bytes) = saved();
            std::fs::write(&path, &bytes[..cut % bytes.len()]).unwrap();
            prop_assert!(SearchCheckpoint::load(&path).is_err());
        }

        #[test]
        fn a_changed_bit_is_an_error_or_changes_nothing(position in 0usize..4000, bit in 0u8..8) {
            let (_folder, path, mut bytes) = saved();
            let position = position % bytes.len();
            bytes[position] ^= 1 << bit;
            std::fs::write(&path, &bytes).unwrap();
            // Padding in the header may change without harm; nothing else may go unnoticed.
            if let Ok(loaded) = SearchCheckpoint::load(&path) {
                prop_assert_eq!(loaded, Some(checkpoint()));
            }
        }
    }
}
