//! DNA: the list of values that a controller chose, layer by layer.

use serde::{Deserialize, Serialize, Serializer};

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

/// DNA in a single allocation, for keeping that of every child of a long run. Written like [`Dna`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "Dna")]
pub struct Genes {
    /// Number of values per gene, if all have the same.
    width: usize,
    /// End of each gene, if they differ in length.
    ends: Box<[u32]>,
    values: Box<[u32]>,
}

impl Genes {
    /// The genes, one per layer.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        self.iter_from(0)
    }

    /// The genes from layer `first` (counted from 0) on, without visiting the earlier ones.
    pub fn iter_from(&self, first: usize) -> impl ExactSizeIterator<Item = &[u32]> {
        let depth = self.depth();
        (first.min(depth)..depth).map(|layer| {
            let (from, to) = if self.ends.is_empty() {
                (layer * self.width, (layer + 1) * self.width)
            } else {
                let end = |layer: usize| self.ends[layer] as usize;
                (layer.checked_sub(1).map_or(0, end), end(layer))
            };
            &self.values[from..to]
        })
    }

    /// Number of layers.
    pub fn depth(&self) -> usize {
        if self.ends.is_empty() {
            self.values.len() / self.width.max(1)
        } else {
            self.ends.len()
        }
    }

    /// Number of values of the longest gene.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The same genes, each in its own list.
    pub fn to_dna(&self) -> Dna {
        Dna(self.iter().map(<[u32]>::to_vec).collect())
    }
}

impl Serialize for Genes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl From<Dna> for Genes {
    fn from(dna: Dna) -> Genes {
        Genes::from(&dna)
    }
}

impl From<&Dna> for Genes {
    fn from(dna: &Dna) -> Genes {
        let width = dna.0.iter().map(Vec::len).max().unwrap_or(0);
        let lengths = dna.0.iter().map(|gene| gene.len() as u32);
        let ends = lengths.scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        let is_even = dna.0.iter().all(|gene| gene.len() == width);
        Genes {
            width,
            ends: ends.filter(|_| !is_even).collect(),
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
    fn packed_genes_are_the_same_dna() {
        for dna in [
            Dna(vec![]),
            Dna(vec![vec![3, 8, 1, 1], vec![5, 12, 2, 2]]),
            Dna(vec![vec![3], vec![], vec![5, 12]]),
        ] {
            let genes = Genes::from(&dna);
            assert_eq!((genes.to_dna(), genes.depth()), (dna.clone(), dna.depth()));
        }
    }
}
