//! When a search or a study whose children all fail must stop: something other than the children is wrong.

use std::collections::BTreeMap;

/// So many failures in a row are believed if their probability is at least this.
const CHANCE: f64 = 1e-3;
/// Number of different reasons that are listed.
const REASONS: usize = 3;

/// How the children of one episode ended, not counting those whose training a user ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tried {
    /// With an accuracy.
    pub succeeded: usize,
    /// Failed, or excluded.
    pub failed: usize,
}

/// Whether the last of these episodes, which are all so far, shows that children fail for a reason
/// other than themselves: it has no success, and as many failures in a row would be a surprise for a
/// space of which so many children failed before (probability below 1 in 1,000). Before the first
/// success, any episode without one shows it.
pub fn has_collapsed(episodes: &[Tried]) -> bool {
    let is_without = |tried: &&Tried| tried.succeeded == 0;
    let failed = |episodes: &[Tried]| -> usize { episodes.iter().map(|tried| tried.failed).sum() };
    let row = episodes.iter().rev().take_while(is_without).count();
    let (before, row) = episodes.split_at(episodes.len() - row);
    if row.last().is_none_or(|last| last.failed == 0) {
        return false;
    }
    let succeeded: usize = before.iter().map(|tried| tried.succeeded).sum();
    succeeded == 0 || is_surprising(succeeded, failed(before), failed(row))
}

/// Whether `row` failures in a row are a surprise after so many children that `succeeded` and `failed`.
pub fn is_surprising(succeeded: usize, failed: usize, row: usize) -> bool {
    let [succeeded, failed] = [succeeded, failed].map(|count| count as f64);
    // The mean of the posterior for a uniform prior (rule of succession).
    let rate = (failed + 1.0) / (succeeded + failed + 2.0);
    rate.powi(i32::try_from(row).unwrap_or(i32::MAX)) < CHANCE
}

/// The reasons, the most frequent first, each with its number: `12 x out of memory; 3 x diverged`.
/// Reasons that differ in their numbers only are one.
pub fn in_words<'a>(reasons: impl IntoIterator<Item = &'a str>) -> String {
    let mut groups: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for reason in reasons {
        let kind: String = reason
            .chars()
            .filter(|letter| !letter.is_ascii_digit())
            .collect();
        groups.entry(kind).or_insert((0, reason)).0 += 1;
    }
    let mut groups: Vec<(usize, &str)> = groups.into_values().collect();
    groups.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let others = groups.len().saturating_sub(REASONS);
    groups.truncate(REASONS);
    let mut words: Vec<String> = groups
        .into_iter()
        .map(|(count, reason)| format!("{count} x {reason}"))
        .collect();
    if others > 0 {
        words.push(format!("{others} other reasons"));
    }
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tried(episodes: &[(usize, usize)]) -> Vec<Tried> {
        let tried = |&(succeeded, failed): &(usize, usize)| Tried { succeeded, failed };
        episodes.iter().map(tried).collect()
    }

    #[track_caller]
    fn assert_collapsed(episodes: &[(usize, usize)], expected: bool) {
        assert_eq!(has_collapsed(&tried(episodes)), expected, "{episodes:?}");
    }

    #[test]
    fn a_run_without_any_success_stops_after_its_first_episode() {
        assert_collapsed(&[(0, 4)], true);
        assert_collapsed(&[(0, 1)], true);
        assert_collapsed(&[(0, 4), (0, 4)], true);
    }

    #[test]
    fn a_machine_that_breaks_in_the_middle_stops_the_run() {
        assert_collapsed(&[(16, 0), (0, 16)], true);
        assert_collapsed(&[(4, 0), (0, 4)], true);
        assert_collapsed(&[(8, 8), (0, 16)], true);
    }

    #[test]
    fn a_space_most_of_whose_children_fail_goes_on() {
        assert_collapsed(&[(1, 15), (0, 16)], false);
        assert_collapsed(&[(2, 2), (1, 3), (0, 4)], false);
        assert_collapsed(&[(16, 0), (1, 15)], false);
    }

    #[test]
    fn small_episodes_in_a_row_are_counted_together() {
        let mut episodes = vec![(1, 0); 20];
        episodes.push((0, 1));
        assert_collapsed(&episodes, false);
        episodes.extend([(0, 1), (0, 1)]);
        assert_collapsed(&episodes, true);
    }

    #[test]
    fn what_users_skip_is_no_failure() {
        assert_collapsed(&[(0, 0)], false);
        assert_collapsed(&[], false);
        assert_collapsed(&[(16, 0), (0, 3), (0, 0)], false);
    }

    #[test]
    fn reasons_are_counted_and_grouped_without_their_numbers() {
        let reasons = [
            "diverged: the loss is NaN at epoch 1, batch 3",
            "out of memory",
            "diverged: the loss is NaN at epoch 2, batch 14",
        ];
        assert_eq!(
            in_words(reasons),
            "2 x diverged: the loss is NaN at epoch 1, batch 3; 1 x out of memory"
        );
        let many = ["a", "b", "c", "d", "e", "e"];
        assert_eq!(in_words(many), "2 x e; 1 x a; 1 x b; 2 other reasons");
    }

    proptest! {
        #[test]
        fn an_episode_with_a_success_never_stops_a_run(
            mut episodes in proptest::collection::vec((0usize..20, 0usize..20), 0..20),
            last in (1usize..20, 0usize..20),
        ) {
            episodes.push(last);
            prop_assert!(!has_collapsed(&tried(&episodes)));
        }

        #[test]
        fn endless_failures_stop_every_run(
            mut episodes in proptest::collection::vec((0usize..20, 0usize..20), 1..20),
            each in 1usize..20,
        ) {
            episodes.extend(vec![(0, each); 10_000]);
            prop_assert!(has_collapsed(&tried(&episodes)));
        }
    }
}
