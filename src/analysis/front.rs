//! The Pareto front of accuracy against MACs: the children that no other beats in both. A child that a
//! user edited does not count here either: it is neither in the plot nor on the front.

use crate::state::ChildRow;

/// Rows of the children on the front, in ascending order of MACs and therefore of accuracy.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Front {
    rows: Vec<u32>,
}

impl Front {
    /// The front of the children at these positions in the list of all `children`.
    pub fn of(places: impl Iterator<Item = u32>, children: &[ChildRow]) -> Front {
        let mut front = Front::default();
        places.for_each(|index| front.add(index, children));
        front
    }

    /// Indices into the list of the run's children.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The positions of its children, in ascending order of MACs.
    pub fn points(&self, children: &[ChildRow]) -> impl Iterator<Item = CostPoint> {
        let rows = self.rows.iter();
        rows.filter_map(|index| children.get(*index as usize).and_then(CostPoint::of))
    }

    /// The position of a child on the front.
    pub fn place_of(&self, child: u64, children: &[ChildRow]) -> Option<usize> {
        self.rows.iter().position(|index| {
            children
                .get(*index as usize)
                .is_some_and(|row| row.child == child)
        })
    }

    /// Add one child: it joins the front, and those that it beats leave it, unless one of the front
    /// beats it.
    pub fn add(&mut self, index: u32, children: &[ChildRow]) {
        let point = |index: &u32| children.get(*index as usize).and_then(CostPoint::of);
        let Some(new) = point(&index) else { return };
        // Those with fewer MACs, and those with equally many.
        let place = self
            .rows
            .partition_point(|other| point(other).is_some_and(|other| other.macs < new.macs));
        let cheaper = place
            .checked_sub(1)
            .and_then(|before| self.rows.get(before))
            .and_then(point);
        let equal = self
            .rows
            .get(place)
            .and_then(point)
            .filter(|other| other.macs == new.macs);
        if cheaper.is_some_and(|other| other.accuracy >= new.accuracy)
            || equal.is_some_and(|other| other.beats(&new))
        {
            return;
        }
        let beaten = self.rows[place..]
            .iter()
            .take_while(|other| point(other).is_some_and(|other| other.accuracy <= new.accuracy));
        let end = place + beaten.count();
        self.rows.splice(place..end, [index]);
    }
}

/// A child's position in the plot of cost and accuracy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CostPoint {
    /// Multiply-accumulates for one image.
    pub macs: u64,
    /// Validation accuracy, 0..=1.
    pub accuracy: f64,
    child: u64,
}

impl CostPoint {
    /// `None` for a child without an accuracy, with an unknown network, or not proposed by the
    /// strategy: a control or an edited child. Of the trainings of one architecture
    /// (`search.reuse = "mean"`) only the latest counts, whose accuracy is their mean.
    pub fn of(row: &ChildRow) -> Option<CostPoint> {
        let accuracy = row.accuracy.filter(|accuracy| {
            accuracy.is_finite() && row.macs > 0 && row.is_proposed() && !row.superseded
        })?;
        Some(CostPoint {
            macs: row.macs,
            accuracy,
            child: row.child,
        })
    }

    /// Whether it has lower cost and higher accuracy: at the same cost the more accurate one wins,
    /// and the earlier one wins ties.
    fn beats(&self, other: &CostPoint) -> bool {
        self.accuracy > other.accuracy
            || (self.accuracy == other.accuracy && self.child < other.child)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::space::Genes;

    /// A child about which only the number is known.
    pub fn row(child: u64) -> ChildRow {
        ChildRow {
            child,
            episode: 1,
            accuracy: Some(0.5),
            reward: Some(0.125),
            params: 1_000,
            macs: 1_000,
            seconds: 1.0,
            repeat_of: None,
            mean: None,
            superseded: false,
            parent: None,
            control: false,
            skipped: false,
            energy_wh: None,
            genes: Genes::default(),
            log_prob: None,
            entropy: None,
            sampled_seq: 0,
            ended_seq: 0,
        }
    }

    #[test]
    fn a_child_that_a_user_edited_beats_no_other() {
        let edited = ChildRow {
            accuracy: Some(0.9),
            parent: Some(1),
            ..row(2)
        };
        let children = [row(1), edited];
        assert_eq!(Front::of(0..2, &children).rows(), [0]);
    }

    proptest! {
        #[test]
        fn the_front_contains_the_unbeaten_children_whatever_their_order_of_arrival(
            points in proptest::collection::vec((0u64..12, proptest::option::of(0u32..12)), 0..40)
        ) {
            let children: Vec<ChildRow> = points.iter().zip(1..).map(|((macs, accuracy), child)| {
                ChildRow { macs: *macs, accuracy: accuracy.map(|value| f64::from(value) / 12.0), ..row(child) }
            }).collect();
            let front = Front::of((0..children.len() as u32).rev(), &children);
            let beats = |a: &CostPoint, b: &CostPoint| {
                a.macs <= b.macs && a.accuracy >= b.accuracy && (a.macs < b.macs || a.beats(b))
                    && !(a.macs == b.macs && a.child == b.child)
            };
            let all: Vec<CostPoint> = children.iter().filter_map(CostPoint::of).collect();
            let mut expected: Vec<CostPoint> = all.iter().filter(|point| !all.iter().any(|other| beats(other, point))).copied().collect();
            expected.sort_by_key(|point| point.macs);
            let found: Vec<CostPoint> = front.rows().iter().filter_map(|index| CostPoint::of(&children[*index as usize])).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
