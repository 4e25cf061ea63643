//! DNA: the list of values that a controller chose, layer by layer.

use serde::{Deserialize, Serialize};

/// The genes of a child, one per layer. In a `chain` space a gene is `[k, f, s, p]` (kernel,
/// filters, stride, padding); in a `rectangular` space `[kh, kw, f, sh, sw]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dna(pub Vec<Vec<u32>>);

impl Dna {
    /// Number of layers.
    pub fn depth(&self) -> usize {
        self.0.len()
    }
}

/// DNA in one piece of memory, for keeping that of every child of a long run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Genes {
    width: usize,
    values: Box<[u32]>,
}

impl Genes {
    /// One gene per layer, all of the same length.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        self.values.chunks(self.width.max(1))
    }

    pub fn depth(&self) -> usize {
        self.iter().len()
    }

    /// Values of a gene.
    pub fn width(&self) -> usize {
        self.width
    }

    pub fn to_dna(&self) -> Dna {
        Dna(self.iter().map(<[u32]>::to_vec).collect())
    }
}

impl From<&Dna> for Genes {
    /// (Genes of one DNA have one length; of a damaged one, shorter genes run together.)
    fn from(dna: &Dna) -> Genes {
        Genes {
            width: dna.0.first().map_or(1, Vec::len),
            values: dna.0.iter().flatten().copied().collect(),
        }
    }
}

impl std::fmt::Display for Dna {
    /// `[[3,8,1,1],[5,12,2,2]]`, without spaces, as in a DNA file.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let genes: Vec<String> = self
            .0
            .iter()
            .map(|gene| {
                gene.iter()
                    .map(u32::to_string)
                    .collect::<Vec<_>>()
                    .join(",")
            })
            .collect();
        write!(
            f,
            "[{}]",
            genes
                .iter()
                .map(|gene| format!("[{gene}]"))
                .collect::<Vec<_>>()
                .join(",")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn genes_in_one_piece_are_the_same_dna() {
        for dna in [Dna(vec![]), Dna(vec![vec![3, 8, 1, 1], vec![5, 12, 2, 2]])] {
            let genes = Genes::from(&dna);
            assert_eq!((genes.to_dna(), genes.depth()), (dna.clone(), dna.depth()));
        }
    }
}
