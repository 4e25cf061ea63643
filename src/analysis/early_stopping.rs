//! Stopping children early: the rule, and how often it would have stopped children that turn out to
//! be among the best.

use serde::Serialize;

use super::rank_correlation::RankCorrelation;
use crate::classification::proportion::wilson;
use crate::config::{EarlyStoppingConfig, whole_epochs};

/// With fewer earlier children there is no threshold.
pub const LEAST_EARLIER: usize = 10;
/// The share of the best children by final accuracy that a rule should keep.
const TOP: f64 = 0.1;

/// Stop a child whose accuracy is low for its epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rule {
    /// Number of epochs after which the decision is made.
    pub after: usize,
    /// Quantile of the earlier children's accuracies after the same number of epochs, in 0..=1: a
    /// child below it is stopped.
    pub below: f64,
}

impl Rule {
    /// The rule of the settings for children of this many epochs; `None` if it is off or there is
    /// no epoch left to save.
    pub fn of(config: EarlyStoppingConfig, epochs: usize) -> Option<Rule> {
        let last = epochs.checked_sub(1).filter(|last| *last > 0)?;
        let after = whole_epochs(config.after, epochs);
        (config.below > 0.0).then_some(Rule {
            after: after.clamp(1, last),
            below: config.below,
        })
    }

    /// The accuracy that a child must have reached, from the validation accuracies by epoch of
    /// earlier children. `None` if fewer than ten of them trained for long enough.
    pub fn threshold<'a>(&self, earlier: impl Iterator<Item = &'a [f64]>) -> Option<f64> {
        let mut reached: Vec<f64> = earlier.filter_map(|each| self.reached(each)).collect();
        if reached.len() < LEAST_EARLIER {
            return None;
        }
        quantile(&mut reached, self.below)
    }

    fn reached(&self, accuracies: &[f64]) -> Option<f64> {
        best_until(accuracies, self.after)
    }
}

/// The best of the first `after` accuracies; `None` if there are fewer.
fn best_until(accuracies: &[f64], after: usize) -> Option<f64> {
    let until = accuracies.get(..after)?;
    until.iter().copied().reduce(f64::max)
}

/// Whether a child with these validation accuracies by epoch is stopped once it has trained for `after`
/// epochs, because the best of their accuracies is `below` a threshold.
pub fn is_stopped(accuracies: &[f64], after: usize, below: f64) -> bool {
    best_until(accuracies, after).is_some_and(|best| best < below)
}

/// The value below which this share of `values` lies, interpolated linearly (type 7 of Hyndman &
/// Fan 1996).
fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let position = share * values.len().checked_sub(1)? as f64;
    let (below, above) = (position.floor() as usize, position.ceil() as usize);
    Some(values[below] + (values[above] - values[below]) * position.fract())
}

/// A child that was trained completely.
#[derive(Debug, Clone, PartialEq)]
pub struct LearningCurve {
    /// Number of its episode.
    pub episode: usize,
    /// Validation accuracy after each epoch, up to the last one at which a rule can decide.
    pub accuracies: Vec<f64>,
    /// The final accuracy that counts.
    pub outcome: f64,
}

/// What a rule would have done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Assessment {
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
    /// Number of children that were trained completely.
    pub children: usize,
    /// Number of children that the rule would have stopped.
    pub stopped: usize,
    /// Share of all epochs that would not have been trained.
    pub epochs_saved: f64,
    /// Number of children in the best tenth by outcome.
    pub top: usize,
    /// Number of these that the rule would have stopped.
    pub top_stopped: usize,
    /// 95 % interval of that share (Wilson).
    pub top_stopped_ci95: [f64; 2],
    /// Whether the best child would have been stopped.
    pub best_stopped: bool,
    /// Kendall's tau-b between the accuracy at the decision and the outcome.
    pub tau: Option<f64>,
    /// The same among the best tenth by outcome.
    pub tau_top: Option<f64>,
}

/// The effect of `rule` in a run of `epochs` epochs with these children: each is compared with the
/// children of earlier episodes.
pub fn assess_run(children: &[LearningCurve], epochs: usize, rule: Rule) -> Assessment {
    let threshold = |child: &LearningCurve| {
        let earlier = children
            .iter()
            .filter(|other| other.episode < child.episode);
        rule.threshold(earlier.map(|other| other.accuracies.as_slice()))
    };
    // All children of an episode have the same threshold.
    let mut last: Option<(usize, Option<f64>)> = None;
    let stopped = children.iter().map(|child| {
        let known = last.filter(|(episode, _)| *episode == child.episode);
        let (_, least) = *last.insert(known.unwrap_or_else(|| (child.episode, threshold(child))));
        least.is_some_and(|least| is_stopped(&child.accuracies, rule.after, least))
    });
    let stopped = stopped.collect::<Vec<bool>>();
    assess(children, epochs, rule, &stopped)
}

/// The effect of `rule` if each child is compared with all `children`: the limit that a long search
/// approaches.
pub fn assess_all(children: &[LearningCurve], epochs: usize, rule: Rule) -> Assessment {
    let least = rule.threshold(children.iter().map(|child| child.accuracies.as_slice()));
    let stopped = children
        .iter()
        .map(|child| least.is_some_and(|least| is_stopped(&child.accuracies, rule.after, least)));
    assess(children, epochs, rule, &stopped.collect::<Vec<bool>>())
}

fn assess(children: &[LearningCurve], epochs: usize, rule: Rule, stopped: &[bool]) -> Assessment {
    let mut order: Vec<usize> = (0..children.len()).collect();
    order.sort_by(|one, other| children[*other].outcome.total_cmp(&children[*one].outcome));
    let top = &order[..(TOP * children.len() as f64).ceil() as usize];
    let count = |of: &[usize]| of.iter().filter(|index| stopped[**index]).count();
    let (all_stopped, top_stopped) = (count(&order), count(top));
    let tau = |of: &[usize]| {
        let pair = |index: &usize| {
            let child = &children[*index];
            Some((rule.reached(&child.accuracies)?, child.outcome))
        };
        let pairs: Vec<(f64, f64)> = of.iter().filter_map(pair).collect();
        RankCorrelation::of(&pairs).map(|correlation| correlation.tau)
    };
    let left = epochs.saturating_sub(rule.after);
    let all_epochs = (children.len() * epochs).max(1);
    Assessment {
        rule,
        children: children.len(),
        stopped: all_stopped,
        epochs_saved: (all_stopped * left) as f64 / all_epochs as f64,
        top: top.len(),
        top_stopped,
        top_stopped_ci95: wilson(top_stopped, top.len()),
        best_stopped: top.first().is_some_and(|index| stopped[*index]),
        tau: tau(&order),
        tau_top: tau(top),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twelve children in each of two episodes; child number `n` of an episode has accuracy `n` / 100
    /// after each of three epochs.
    fn children() -> Vec<LearningCurve> {
        let child = |number: usize| LearningCurve {
            episode: 1 + number / 12,
            accuracies: vec![(number % 12) as f64 / 100.0; 3],
            outcome: (number % 12) as f64 / 50.0,
        };
        (0..24).map(child).collect()
    }

    #[test]
    fn a_child_is_compared_with_the_children_of_earlier_episodes() {
        let rule = Rule {
            after: 1,
            below: 0.5,
        };
        let found = assess_run(&children(), 4, rule);
        // The median of the first episode is 0.055: six of the second are below it.
        assert_eq!((found.children, found.stopped), (24, 6));
        assert_eq!(found.epochs_saved, 6.0 * 3.0 / (24.0 * 4.0));
        assert_eq!(
            (found.top, found.top_stopped, found.best_stopped),
            (3, 0, false)
        );
        assert_eq!(found.tau, Some(1.0));
    }

    #[test]
    fn ranks_that_reverse_cost_the_best_children() {
        let mut children = children();
        for child in &mut children {
            child.outcome = -child.outcome;
        }
        let found = assess_run(
            &children,
            4,
            Rule {
                after: 1,
                below: 0.5,
            },
        );
        assert!(found.top_stopped >= 1 && found.tau.unwrap() < -0.9);
        let found = assess_all(
            &children,
            4,
            Rule {
                after: 1,
                below: 0.5,
            },
        );
        assert_eq!(
            (found.top, found.top_stopped, found.best_stopped),
            (3, 3, true)
        );
        assert!(found.top_stopped_ci95[0] > 0.3);
    }

    #[test]
    fn nothing_is_stopped_before_there_are_ten_children_to_compare_with() {
        let rule = Rule {
            after: 2,
            below: 0.5,
        };
        let long = [0.1, 0.3, 0.2];
        assert_eq!(rule.threshold([long.as_slice(); 9].into_iter()), None);
        assert_eq!(rule.threshold([long.as_slice(); 10].into_iter()), Some(0.3));
        // Children with fewer epochs do not count.
        assert_eq!(rule.threshold([&long[..1]; 20].into_iter()), None);
        assert_eq!(rule.reached(&long), Some(0.3));
    }

    #[test]
    fn the_rule_decides_after_at_least_one_epoch_and_before_the_last() {
        let rule = |below, after, epochs| Rule::of(EarlyStoppingConfig { below, after }, epochs);
        let after = |after, epochs| rule(0.5, after, epochs).map(|rule| rule.after);
        assert_eq!(
            (after(0.5, 20), after(0.5, 3), after(0.0, 3)),
            (Some(10), Some(2), Some(1))
        );
        assert_eq!((after(0.99, 4), after(0.5, 1)), (Some(3), None));
        assert_eq!(rule(0.0, 0.5, 20), None);
    }

    #[test]
    fn an_assessment_without_children_is_zero() {
        let found = assess_run(
            &[],
            4,
            Rule {
                after: 1,
                below: 0.5,
            },
        );
        assert_eq!(
            (found.children, found.stopped, found.best_stopped),
            (0, 0, false)
        );
        assert_eq!(found.epochs_saved, 0.0);
    }
}
