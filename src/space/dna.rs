//! DNA: the list of values that a controller chose, layer by layer.

use serde::{Deserialize, Serialize};

/// The genes of a child, one per layer. In a `chain` space a gene is `[k, f, s, p]` (kernel, filters, stride,
/// padding); in a `rectangular` space `[kh, kw, f, sh, sw]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dna(pub Vec<Vec<u32>>);

impl Dna {
    /// Number of layers.
    pub fn depth(&self) -> usize {
        self.0.len()
    }
}

impl std::fmt::Display for Dna {
    /// `[[3,8,1,1],[5,12,2,2]]`, without spaces, as in a DNA file.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let genes: Vec<String> = self.0.iter().map(|gene| gene.iter().map(u32::to_string).collect::<Vec<_>>().join(",")).collect();
        write!(f, "[{}]", genes.iter().map(|gene| format!("[{gene}]")).collect::<Vec<_>>().join(","))
    }
}
