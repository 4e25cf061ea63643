//! The children that a list shows, in order: kept between frames, and updated when children end.

use super::filter::{Filter, Flag, Property, Surroundings};
use crate::analysis::front::{CostPoint, Front};
use crate::state::{ChildRow, RunState};

/// Up to this many new children are inserted one by one; more are sorted together.
const FEW: usize = 64;

/// The column that a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortKey {
    Child,
    #[default]
    Accuracy,
    Reward,
    Params,
    Macs,
    Time,
    Energy,
}

impl SortKey {
    /// All of them, in the order of the columns.
    pub const ALL: [SortKey; 7] = [
        SortKey::Child,
        SortKey::Accuracy,
        SortKey::Reward,
        SortKey::Params,
        SortKey::Macs,
        SortKey::Time,
        SortKey::Energy,
    ];

    /// The heading of its column.
    pub fn name(self) -> &'static str {
        match self {
            SortKey::Child => "child",
            SortKey::Accuracy => "accuracy",
            SortKey::Reward => "reward",
            SortKey::Params => "parameters",
            SortKey::Macs => "MACs",
            SortKey::Time => "time",
            SortKey::Energy => "energy",
        }
    }

    /// The next (or previous) one, cyclically; energy only if it is known.
    pub fn next(self, forward: bool, energy_known: bool) -> SortKey {
        let keys = &SortKey::ALL[..SortKey::ALL.len() - usize::from(!energy_known)];
        let here = keys.iter().position(|key| *key == self).unwrap_or(0);
        let step = if forward { 1 } else { keys.len() - 1 };
        keys[(here + step) % keys.len()]
    }

    /// The most useful initial order: good and new children, small and fast networks.
    pub fn begins_descending(self) -> bool {
        matches!(self, SortKey::Child | SortKey::Accuracy | SortKey::Reward)
    }

    fn value(self, row: &ChildRow) -> Option<f64> {
        let property = match self {
            SortKey::Child => Property::Child,
            SortKey::Accuracy => Property::Accuracy,
            SortKey::Reward => Property::Reward,
            SortKey::Params => Property::Params,
            SortKey::Macs => Property::Macs,
            SortKey::Time => Property::Time,
            SortKey::Energy => Property::Energy,
        };
        property.of(row)
    }
}

/// The selection and order.
#[derive(Debug, Clone)]
pub struct Criteria {
    /// The column that rows are sorted by.
    pub key: SortKey,
    /// Whether the largest value comes first.
    pub descending: bool,
    /// `None` admits every child.
    pub filter: Option<Filter>,
}

impl Default for Criteria {
    fn default() -> Criteria {
        Criteria {
            key: SortKey::default(),
            descending: true,
            filter: None,
        }
    }
}

impl Criteria {
    fn admits(&self, row: &ChildRow, surroundings: Surroundings<'_>) -> bool {
        self.filter
            .as_ref()
            .is_none_or(|filter| filter.admits(row, surroundings))
    }

    fn depends_on(&self, flag: Flag) -> bool {
        self.filter
            .as_ref()
            .is_some_and(|filter| filter.depends_on(flag))
    }

    /// The sort key of a child: smaller comes first. A missing value comes last in both directions;
    /// among equals, the earlier child comes first.
    fn rank(&self, row: &ChildRow) -> Rank {
        let value = match self.key.value(row) {
            Some(value) if self.descending => -value,
            Some(value) => value,
            None => f64::INFINITY,
        };
        Rank {
            value,
            child: row.child,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Rank {
    value: f64,
    child: u64,
}

impl Rank {
    fn compare(&self, other: &Rank) -> std::cmp::Ordering {
        self.value
            .total_cmp(&other.value)
            .then(self.child.cmp(&other.child))
    }
}

/// Rows of [`SearchRun::children`](crate::state::SearchRun::children) that are shown, in order, and
/// those on the Pareto front.
#[derive(Debug, Clone, Default)]
pub struct Order {
    rows: Vec<u32>,
    /// Positions of the rows in the plot, in any order: a frame must not visit every child of a
    /// long run, which do not fit into a processor's cache.
    points: Vec<CostPoint>,
    front: Front,
    /// Number of children of the run that have been processed.
    seen: usize,
    best: Option<u64>,
    /// Number of children that trained an architecture again, each of which replaces a point.
    retrained: usize,
    /// The notes that were there, see [`Notes::changes`](crate::state::Notes::changes).
    noted: u64,
    energy_known: bool,
}

impl Order {
    /// Indices into [`SearchRun::children`](crate::state::SearchRun::children).
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Accuracy and MACs of the rows that have an accuracy, in any order.
    pub fn points(&self) -> &[CostPoint] {
        &self.points
    }

    /// The Pareto front of the rows, of accuracy against MACs.
    pub fn front(&self) -> &Front {
        &self.front
    }

    /// Whether the energy of any child is known; otherwise there is no such column.
    pub fn energy_known(&self) -> bool {
        self.energy_known
    }

    /// Process the children that have ended since; returns whether anything changed. Also goes
    /// back: an earlier moment of the run has fewer children.
    pub fn update(&mut self, criteria: &Criteria, state: &RunState, marks: &[u64]) -> bool {
        let best = state.search().best_child();
        let stale = state.search().children.len() < self.seen
            || state.search().outcomes.counts.retrained != self.retrained
            || (state.search().notes.changes() != self.noted && criteria.depends_on(Flag::Noted))
            || (best != self.best && criteria.depends_on(Flag::Best));
        let new = state.search().children.len().saturating_sub(self.seen);
        if stale || new > FEW {
            self.rebuild(criteria, state, marks);
            return true;
        }
        self.best = best;
        for index in self.seen..state.search().children.len() {
            self.insert(index, criteria, state, marks);
        }
        self.seen = state.search().children.len();
        new > 0
    }

    /// Select and sort from scratch.
    pub fn rebuild(&mut self, criteria: &Criteria, state: &RunState, marks: &[u64]) {
        let (children, best) = (&state.search().children, state.search().best_child());
        let notes = Some(&state.search().notes);
        let surroundings = Surroundings { best, marks, notes };
        let shown = |(_, row): &(usize, &ChildRow)| criteria.admits(row, surroundings);
        let ranked = |(index, row): (usize, &ChildRow)| (criteria.rank(row), index as u32);
        let shown = children.iter().enumerate().filter(shown);
        let mut ranks: Vec<(Rank, u32)> = shown.map(ranked).collect();
        ranks.sort_unstable_by(|(a, _), (b, _)| a.compare(b));
        self.rows = ranks.into_iter().map(|(_, index)| index).collect();
        let rows = self.rows.iter().filter_map(|index| row_at(state, *index));
        self.points = rows.filter_map(CostPoint::of).collect();
        self.front = Front::of(self.rows.iter().copied(), children);
        self.seen = children.len();
        self.best = best;
        self.retrained = state.search().outcomes.counts.retrained;
        self.noted = state.search().notes.changes();
        self.energy_known = children.iter().any(|row| row.energy_wh.is_some());
    }

    fn insert(&mut self, index: usize, criteria: &Criteria, state: &RunState, marks: &[u64]) {
        let Some(row) = state.search().children.get(index) else {
            return;
        };
        self.energy_known |= row.energy_wh.is_some();
        if !criteria.admits(
            row,
            Surroundings {
                best: self.best,
                marks,
                notes: Some(&state.search().notes),
            },
        ) {
            return;
        }
        let rank = criteria.rank(row);
        let before = |other: &u32| {
            row_at(state, *other).is_some_and(|other| criteria.rank(other).compare(&rank).is_lt())
        };
        self.rows
            .insert(self.rows.partition_point(before), index as u32);
        self.points.extend(CostPoint::of(row));
        self.front.add(index as u32, &state.search().children);
    }

    /// The position of a child in the order.
    pub fn place_of(&self, child: u64, state: &RunState) -> Option<usize> {
        self.rows
            .iter()
            .position(|index| row_at(state, *index).is_some_and(|row| row.child == child))
    }

    /// The child at a position in the order.
    pub fn at<'a>(&self, place: usize, state: &'a RunState) -> Option<&'a ChildRow> {
        self.rows.get(place).and_then(|index| row_at(state, *index))
    }
}

/// The row with this index from an [`Order`]; `None` if the run has fewer.
pub fn row_at(state: &RunState, index: u32) -> Option<&ChildRow> {
    state.search().children.get(index as usize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tui::panels::list::tests::{row, state_of};

    fn children(order: &Order, state: &RunState) -> Vec<u64> {
        order
            .rows()
            .iter()
            .filter_map(|index| row_at(state, *index))
            .map(|row| row.child)
            .collect()
    }

    fn sorted(rows: Vec<ChildRow>, key: SortKey, descending: bool) -> Vec<u64> {
        let state = state_of(rows);
        let mut order = Order::default();
        order.rebuild(
            &Criteria {
                key,
                descending,
                filter: None,
            },
            &state,
            &[],
        );
        children(&order, &state)
    }

    #[test]
    fn a_child_without_the_value_comes_last_in_both_directions_and_equals_are_ordered_by_number() {
        let with = |child, accuracy| ChildRow {
            accuracy,
            ..row(child)
        };
        let rows = vec![
            with(4, Some(0.5)),
            with(1, None),
            with(3, Some(0.9)),
            with(2, Some(0.5)),
        ];
        assert_eq!(sorted(rows.clone(), SortKey::Accuracy, true), [3, 2, 4, 1]);
        assert_eq!(sorted(rows, SortKey::Accuracy, false), [2, 4, 3, 1]);
    }

    #[test]
    fn the_list_can_be_sorted_by_energy_only_if_it_is_known() {
        assert_eq!(SortKey::Time.next(true, false), SortKey::Child);
        assert_eq!(SortKey::Time.next(true, true), SortKey::Energy);
        assert_eq!(SortKey::Child.next(false, false), SortKey::Time);
    }

    proptest! {
        #[test]
        fn inserting_children_one_by_one_gives_the_same_order_as_all_at_once(
            values in proptest::collection::vec((proptest::option::of(0u32..20), 1u64..9), 0..90),
            steps in proptest::collection::vec(0usize..30, 1..8),
            key in proptest::sample::select(SortKey::ALL.to_vec()),
            descending: bool,
            filtered: bool,
        ) {
            let rows: Vec<ChildRow> = values.iter().zip(1..).map(|((accuracy, macs), child)| {
                ChildRow { accuracy: accuracy.map(|value| f64::from(value) / 20.0), macs: *macs, ..row(child) }
            }).collect();
            let filter = filtered.then(|| Filter::parse("acc>0.3 | best").unwrap().unwrap());
            let criteria = Criteria { key, descending, filter };
            let (mut order, mut taken) = (Order::default(), 0);
            for step in steps {
                taken = (taken + step).min(rows.len());
                order.update(&criteria, &state_of(rows[..taken].to_vec()), &[]);
            }
            let state = state_of(rows[..taken].to_vec());
            let mut fresh = Order::default();
            fresh.rebuild(&criteria, &state, &[]);
            prop_assert_eq!(order.rows(), fresh.rows());
            prop_assert_eq!(order.front().rows(), fresh.front().rows());
            // Back to an earlier moment.
            let earlier = state_of(rows[..taken / 2].to_vec());
            order.update(&criteria, &earlier, &[]);
            fresh.rebuild(&criteria, &earlier, &[]);
            prop_assert_eq!(order.rows(), fresh.rows());
        }
    }
}
