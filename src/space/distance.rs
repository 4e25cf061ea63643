//! The distance between two DNAs: the edit distance over layers.

use super::Genes;

/// One edit that turns a DNA into another. Layers are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Change value number `value` (from 0) of a layer of the first DNA.
    Change {
        /// Number of the layer in the first DNA, from 1.
        layer: usize,
        /// Index into the gene, from 0.
        value: usize,
        /// Value in the first DNA.
        from: u32,
        /// Value in the second DNA.
        to: u32,
    },
    /// Remove a layer that only the first DNA has.
    Remove {
        /// Number of the layer in the first DNA, from 1.
        layer: usize,
    },
    /// Add a layer that only the second DNA has.
    Add {
        /// Number of the layer in the second DNA, from 1.
        layer: usize,
        /// Values of the new layer.
        gene: Vec<u32>,
    },
}

/// The distance between `first` and `second`; `None` if it is more than `limit`: see
/// [`Ruler::distance`].
pub fn distance(first: &Genes, second: &Genes, limit: u32) -> Option<u32> {
    Ruler::new(first).distance(second, limit)
}

/// Measures the distances of many DNAs from one.
pub struct Ruler<'a> {
    first: &'a Genes,
    /// A row of costs; its memory is reused for every measurement.
    above: Vec<u32>,
}

impl<'a> Ruler<'a> {
    /// A ruler that measures from `first`.
    pub fn new(first: &'a Genes) -> Ruler<'a> {
        let above = Vec::new();
        Ruler { first, above }
    }

    /// The Levenshtein distance to `second`, in values: replacing a layer costs one for each value
    /// that differs, and adding or removing a layer costs its number of values. `None` if it is
    /// more than `limit`.
    ///
    /// The search is limited to a band around the diagonal: a path that leaves the band must return
    /// to it, and then costs more than `limit`.
    pub fn distance(&mut self, second: &Genes, limit: u32) -> Option<u32> {
        let whole = self.first.width().max(second.width()).max(1) as u32;
        let (rows, columns) = (self.first.depth(), second.depth());
        // Layers that can be removed and added in addition to the necessary ones: the same number
        // of both kinds.
        let spare = ((limit / whole) as usize).checked_sub(rows.abs_diff(columns))? / 2;
        let (left, right) = (
            spare + rows.saturating_sub(columns),
            spare + columns.saturating_sub(rows),
        );
        let far = limit.saturating_add(1);
        let above = &mut self.above;
        above.clear();
        above.extend((0..=columns as u32).map(|column| (column * whole).min(far)));
        for (row, gene) in self.first.iter().enumerate() {
            let (from, to) = (
                (row + 1).saturating_sub(left).max(1),
                (row + 1 + right).min(columns),
            );
            let mut diagonal = above[from - 1];
            above[from - 1] = if from == 1 {
                ((row as u32 + 1) * whole).min(far)
            } else {
                far
            };
            let mut least = above[from - 1];
            for (column, other) in (from..=to).zip(second.iter_from(from - 1)) {
                let cost = (diagonal + differing(gene, other))
                    .min(above[column] + whole)
                    .min(above[column - 1] + whole)
                    .min(far);
                diagonal = std::mem::replace(&mut above[column], cost);
                least = least.min(cost);
            }
            // What is to the right of the band is not reached by the next row either.
            if let Some(beyond) = above.get_mut(to + 1) {
                *beyond = far;
            }
            if least > limit {
                return None;
            }
        }
        above.last().copied().filter(|distance| *distance <= limit)
    }
}

/// The smallest set of edits that turns `first` into `second`, from the first layer to the last.
pub fn edits(first: &Genes, second: &Genes) -> Vec<Edit> {
    let (left, right): (Vec<&[u32]>, Vec<&[u32]>) =
        (first.iter().collect(), second.iter().collect());
    let costs = cost_table(&left, &right, first.width().max(second.width()) as u32);
    let (mut row, mut column) = (left.len(), right.len());
    let mut edits = Vec::new();
    while row > 0 || column > 0 {
        let replaces = row > 0
            && column > 0
            && costs[row][column]
                == costs[row - 1][column - 1] + differing(left[row - 1], right[column - 1]);
        if replaces {
            (row, column) = (row - 1, column - 1);
            edits.extend(changes(row + 1, left[row], right[column]).rev());
        } else if row > 0 && (column == 0 || costs[row - 1][column] <= costs[row][column - 1]) {
            row -= 1;
            edits.push(Edit::Remove { layer: row + 1 });
        } else {
            column -= 1;
            edits.push(Edit::Add {
                layer: column + 1,
                gene: right[column].to_vec(),
            });
        }
    }
    edits.reverse();
    edits
}

fn cost_table(left: &[&[u32]], right: &[&[u32]], whole: u32) -> Vec<Vec<u32>> {
    let mut costs = vec![vec![0; right.len() + 1]; left.len() + 1];
    for row in 0..=left.len() {
        for column in 0..=right.len() {
            costs[row][column] = match (row, column) {
                (0, _) => column as u32 * whole,
                (_, 0) => row as u32 * whole,
                _ => (costs[row - 1][column - 1] + differing(left[row - 1], right[column - 1]))
                    .min(costs[row - 1][column] + whole)
                    .min(costs[row][column - 1] + whole),
            };
        }
    }
    costs
}

fn changes<'a>(
    layer: usize,
    from: &'a [u32],
    to: &'a [u32],
) -> impl DoubleEndedIterator<Item = Edit> + 'a {
    let pairs = from
        .iter()
        .zip(to)
        .enumerate()
        .filter(|(_, (from, to))| from != to);
    pairs.map(move |(value, (&from, &to))| Edit::Change {
        layer,
        value,
        from,
        to,
    })
}

/// Number of differing values of two layers; a value that only one of them has counts.
fn differing(left: &[u32], right: &[u32]) -> u32 {
    let mut differing = left.len().abs_diff(right.len()) as u32;
    for (left, right) in left.iter().zip(right) {
        differing += u32::from(left != right);
    }
    differing
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Dna;
    use super::*;

    fn genes(genes: &[[u32; 4]]) -> Genes {
        Genes::from(&Dna(genes.iter().map(|gene| gene.to_vec()).collect()))
    }

    const A: [u32; 4] = [3, 8, 1, 1];
    const B: [u32; 4] = [5, 16, 2, 2];
    const C: [u32; 4] = [7, 24, 1, 3];

    #[test]
    fn a_value_counts_one_and_a_layer_its_number_of_values() {
        let limit = 100;
        assert_eq!(
            distance(&genes(&[A, B]), &genes(&[A, [5, 16, 1, 2]]), limit),
            Some(1)
        );
        assert_eq!(
            distance(&genes(&[A, B, C]), &genes(&[A, C]), limit),
            Some(4)
        );
        assert_eq!(distance(&genes(&[A, B]), &genes(&[]), limit), Some(8));
    }

    #[test]
    fn beyond_the_limit_there_is_no_distance() {
        let changed = genes(&[[3, 8, 2, 0], B]);
        assert_eq!(
            (
                distance(&genes(&[A, B]), &changed, 1),
                distance(&genes(&[A, B]), &changed, 2)
            ),
            (None, Some(2))
        );
        assert_eq!(distance(&genes(&[A, B]), &genes(&[A]), 3), None);
    }

    #[test]
    fn edits_name_layer_value_and_both_sides() {
        let change = Edit::Change {
            layer: 1,
            value: 2,
            from: 1,
            to: 2,
        };
        assert_eq!(
            edits(&genes(&[A, B, C]), &genes(&[[3, 8, 2, 1], C])),
            [change, Edit::Remove { layer: 2 }]
        );
        assert_eq!(
            edits(&genes(&[A, C]), &genes(&[A, B, C])),
            [Edit::Add {
                layer: 2,
                gene: B.to_vec()
            }]
        );
    }

    fn any_genes() -> impl Strategy<Value = Genes> {
        proptest::collection::vec(proptest::collection::vec(0u32..3, 4), 0..7)
            .prop_map(|genes| Genes::from(&Dna(genes)))
    }

    fn cost(edits: &[Edit]) -> u32 {
        edits
            .iter()
            .map(|edit| {
                if matches!(edit, Edit::Change { .. }) {
                    1
                } else {
                    4
                }
            })
            .sum()
    }

    proptest! {
        #[test]
        fn the_distance_is_the_cost_of_its_edits(first in any_genes(), second in any_genes(), limit in 0u32..40) {
            let cost = cost(&edits(&first, &second));
            prop_assert_eq!(distance(&first, &second, limit), (cost <= limit).then_some(cost));
        }

        #[test]
        fn the_distance_is_symmetric_and_zero_only_to_itself(first in any_genes(), second in any_genes()) {
            prop_assert_eq!(distance(&first, &second, 99), distance(&second, &first, 99));
            prop_assert_eq!(distance(&first, &second, 99) == Some(0), first == second);
        }
    }
}
