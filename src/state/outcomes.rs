//! The outcomes of a search's children: which of them count, and which one is best. Decided here
//! for the state, the ledger, the summary, the list of runs and reports.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::pairs;
use crate::event::{ChildFinished, Event};
use crate::space::Design;

/// The outcomes of a search so far. An edited child counts only as edited, and a control only as a
/// control and in `arms`; neither is ever the best child. An excluded child counts only as sampled
/// and excluded.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Outcomes {
    /// Number of children of each kind.
    pub counts: Counts,
    /// The child with the highest accuracy; the earlier one wins ties. If an architecture has several
    /// trainings (`search.reuse = "mean"`), the latest of them counts, whose accuracy is their mean.
    pub best: Option<ChildFinished>,
    /// Its network, or its row in a table.
    pub best_design: Option<Box<Design>>,
    /// Rewards of the finished episodes, in order.
    pub arms: Vec<Arms>,
    /// The episodes in progress.
    #[serde(with = "pairs")]
    open: BTreeMap<usize, OpenArms>,
    /// Numbers of layers of the children that have not ended.
    #[serde(with = "pairs")]
    depths: BTreeMap<u64, usize>,
    /// Every edited child, whether or not it has ended.
    edited: BTreeSet<u64>,
    /// Designs of children in progress.
    #[serde(with = "pairs")]
    designs: BTreeMap<u64, Box<Design>>,
    /// In a run whose architectures can be trained several times: the latest training of each, by
    /// the first. The accuracy of the best one can fall.
    #[serde(with = "pairs::optional")]
    trainings: Option<BTreeMap<u64, Training>>,
}

/// A child that was trained, and its design.
type Training = (ChildFinished, Option<Box<Design>>);

/// Rewards of one episode by arm, each in ascending order: workers finish in any order, which must
/// not change any figure.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Arms {
    /// Number of the episode, from 1.
    pub episode: usize,
    /// Smallest and largest number of layers of the children that the strategy proposed; zeros if
    /// they are not known.
    pub depths: (usize, usize),
    /// Rewards of the children that the strategy proposed. If there are controls, only those of
    /// equal depth: depth may grow in the middle of an episode.
    pub policy: Vec<f64>,
    /// Rewards of the children sampled uniformly.
    pub controls: Vec<f64>,
}

/// Rewards with numbers of layers of an episode that is not finished.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct OpenArms {
    policy: Vec<(usize, f64)>,
    controls: Vec<(usize, f64)>,
}

impl OpenArms {
    fn close(self, episode: usize) -> Arms {
        let depths = |arm: &[(usize, f64)]| -> BTreeSet<usize> {
            arm.iter().map(|(depth, _)| *depth).collect()
        };
        let (proposed, compared) = (depths(&self.policy), depths(&self.controls));
        let is_compared = |depth: &usize| compared.is_empty() || compared.contains(depth);
        let sorted = |arm: Vec<(usize, f64)>| {
            let equal = arm.into_iter().filter(|(depth, _)| is_compared(depth));
            let mut rewards: Vec<f64> = equal.map(|(_, reward)| reward).collect();
            rewards.sort_by(f64::total_cmp);
            rewards
        };
        let ends = (proposed.first(), proposed.last());
        Arms {
            episode,
            depths: (ends.0.copied().unwrap_or(0), ends.1.copied().unwrap_or(0)),
            policy: sorted(self.policy),
            controls: sorted(self.controls),
        }
    }
}

/// Numbers of children that have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Sampled children, which include the next three kinds.
    pub sampled: usize,
    /// Children that took over the accuracy of an earlier child with the same architecture.
    pub repeats: usize,
    /// Children that trained the architecture of an earlier one again (`search.reuse = "mean"`).
    pub retrained: usize,
    /// Children with reward 0 and no accuracy.
    pub failures: usize,
    /// Children about which nothing is known, with no reward.
    pub excluded: usize,
    /// Children that were stopped early (`early_stopping.below`).
    pub stopped: usize,
    /// Edited children.
    pub edited: usize,
    /// Those that were sampled as controls.
    #[serde(rename = "control_children")]
    pub controls: usize,
}

impl Counts {
    /// Number of children with an outcome: trained, repeated or failed.
    pub fn evaluated(&self) -> usize {
        self.sampled.saturating_sub(self.excluded)
    }

    /// Number of children with an accuracy of their own, among which the best one is chosen.
    pub fn compared(&self) -> usize {
        self.evaluated()
            .saturating_sub(self.repeats + self.failures)
    }
}

/// The end of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Its number, from 1.
    pub child: u64,
    /// Whether a user edited the child, in which case its outcome counts nowhere.
    pub is_edited: bool,
    /// Whether it is a control.
    pub is_control: bool,
    /// Whether it is the best child so far.
    pub is_best: bool,
}

impl Outcomes {
    /// Process the next event of the run; returns the end of a child, if it is one.
    pub fn apply(&mut self, event: &Event) -> Option<Ending> {
        let (child, episode, reward, is_control) = match event {
            Event::ChildFinished(finished) => (
                finished.child,
                finished.episode,
                Some(finished.reward),
                finished.control,
            ),
            Event::ChildFailed {
                child,
                episode,
                reward,
                control,
                ..
            } => (*child, *episode, Some(*reward), *control),
            Event::ChildExcluded {
                child,
                episode,
                control,
                ..
            } => (*child, *episode, None, *control),
            _ => {
                self.apply_other(event);
                return None;
            }
        };
        let is_edited = self.is_edited(child);
        let mut ending = Ending {
            child,
            is_edited,
            is_control,
            is_best: false,
        };
        if is_edited {
            self.counts.edited += 1;
            return Some(ending);
        }
        let depth = self.depths.remove(&child).unwrap_or(0);
        let rewarded = reward.map(|reward| (depth, reward));
        let open = self.open.entry(episode).or_default();
        if is_control {
            self.counts.controls += 1;
            open.controls.extend(rewarded);
        } else {
            open.policy.extend(rewarded);
            let design = self.designs.remove(&child);
            ending.is_best = self.count(event, design);
        }
        Some(ending)
    }

    /// Process an event that ends no child.
    fn apply_other(&mut self, event: &Event) {
        match event {
            Event::RunStarted(started) => {
                self.trainings = started.reuse_limit.map(|_| BTreeMap::new());
            }
            Event::ChildQueued(queued) => drop(self.edited.insert(queued.child)),
            Event::ChildSampled(sampled) => {
                self.depths.insert(sampled.child, sampled.dna.depth());
                if !sampled.control {
                    let design = Box::new(sampled.design.clone());
                    self.designs.insert(sampled.child, design);
                }
            }
            Event::EpisodeFinished(finished) => self.close(finished.episode),
            Event::EpisodeExcluded { episode, .. } => drop(self.open.remove(episode)),
            _ => {}
        }
    }

    /// The episode is finished: its rewards are complete.
    fn close(&mut self, episode: usize) {
        let open = self.open.remove(&episode).unwrap_or_default();
        self.arms.push(open.close(episode));
    }

    /// Whether the child was edited by a user.
    pub fn is_edited(&self, child: u64) -> bool {
        self.edited.contains(&child)
    }

    /// Every design that is known.
    pub(super) fn designs(&self) -> impl Iterator<Item = &Design> {
        let trainings = self.trainings.iter().flat_map(BTreeMap::values);
        let trained = trainings.filter_map(|(_, design)| design.as_deref());
        let in_progress = self.designs.values().map(|design| &**design);
        trained
            .chain(in_progress)
            .chain(self.best_design.as_deref())
    }

    /// Number of edited children, whether or not they have ended.
    pub fn edited(&self) -> u64 {
        self.edited.len() as u64
    }

    /// Count the end of a sampled child; returns whether it is the best one.
    fn count(&mut self, event: &Event, design: Option<Box<Design>>) -> bool {
        self.counts.sampled += 1;
        self.counts.failures += usize::from(matches!(event, Event::ChildFailed { .. }));
        self.counts.excluded += usize::from(matches!(event, Event::ChildExcluded { .. }));
        let Event::ChildFinished(finished) = event else {
            return false;
        };
        self.counts.repeats += usize::from(finished.repeat_of.is_some());
        self.counts.stopped += usize::from(finished.stopped_early);
        self.counts.retrained += usize::from(finished.is_retraining());
        if (self.best.as_ref()).is_none_or(|best| is_better(rank(finished), rank(best))) {
            (self.best, self.best_design) = (Some(finished.clone()), design.clone());
        }
        if self.trainings.is_some() && finished.repeat_of.is_none() {
            self.retrain(finished, design);
        }
        self.best.as_ref().map(|best| best.child) == Some(finished.child)
    }

    /// Note the latest training of an architecture. If it is that of the best child, its accuracy
    /// may have fallen below another one.
    fn retrain(&mut self, finished: &ChildFinished, design: Option<Box<Design>>) {
        let trainings = self.trainings.get_or_insert_default();
        let first = finished.first_training();
        trainings.insert(first, (finished.clone(), design));
        if (self.best.as_ref()).is_some_and(|best| best.first_training() == first) {
            let best = trainings.values().reduce(|best, next| {
                if is_better(rank(&next.0), rank(&best.0)) {
                    next
                } else {
                    best
                }
            });
            (self.best, self.best_design) = best
                .cloned()
                .map_or((None, None), |(child, design)| (Some(child), design));
        }
    }
}

/// What decides which child is better.
fn rank(child: &ChildFinished) -> (f64, u64) {
    (child.accuracy, child.child)
}

/// The order of children (or of epochs) by accuracy and number, best first: a higher accuracy comes
/// first, then a lower number (workers finish in any order, and the best must not depend on it).
pub fn best_first(this: (f64, u64), other: (f64, u64)) -> Ordering {
    other.0.total_cmp(&this.0).then(this.1.cmp(&other.1))
}

/// Whether a child with this accuracy and number is better than another.
pub fn is_better(this: (f64, u64), than: (f64, u64)) -> bool {
    best_first(this, than).is_lt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Record;

    #[test]
    fn controls_are_compared_with_the_policys_children_of_equal_depth_only() {
        let text = include_str!("../../tests/fixtures/journal-demo.jsonl");
        let wanted = |name: &str| {
            let mut lines = text.lines();
            let line = lines.find(|line| line.contains(&format!("\"event\":\"{name}\"")));
            serde_json::from_str::<Record>(line.unwrap()).unwrap().event
        };
        let (sampled, finished) = (wanted("child_sampled"), wanted("child_finished"));
        let closing = wanted("episode_finished");
        let (Event::ChildSampled(sampled), Event::ChildFinished(finished)) = (sampled, finished)
        else {
            panic!("the events have these names")
        };
        let mut outcomes = Outcomes::default();
        for (child, depth, reward, control) in
            [(1, 6, 0.3, false), (2, 7, 0.9, false), (3, 6, 0.2, true)]
        {
            let mut sampled = sampled.clone();
            sampled.child = child;
            sampled.control = control;
            let gene = sampled.dna.0[0].clone();
            sampled.dna.0 = vec![gene; depth];
            outcomes.apply(&Event::ChildSampled(sampled));
            outcomes.apply(&Event::ChildFinished(ChildFinished {
                child,
                reward,
                control,
                episode: 1,
                ..finished.clone()
            }));
        }
        outcomes.apply(&closing);
        let expected = Arms {
            episode: 1,
            depths: (6, 7),
            policy: vec![0.3],
            controls: vec![0.2],
        };
        assert_eq!(outcomes.arms, [expected]);
    }

    /// A child with this accuracy, the mean over the trainings of `of`.
    fn finished(child: u64, accuracy: f64, of: &[u64]) -> Event {
        let mean = (!of.is_empty())
            .then(|| serde_json::json!({"children": of, "own_accuracy": 0.0, "own_reward": 0.0}));
        let child = serde_json::json!({
            "child": child, "episode": 1, "dna": [[3, 8, 1, 1]], "accuracy": accuracy, "reward": accuracy,
            "params": 1, "macs": 1, "seconds": 1.0, "valid_accuracies": [], "mean": mean,
        });
        Event::ChildFinished(serde_json::from_value(child).unwrap())
    }

    #[test]
    fn a_lucky_child_whose_mean_falls_gives_way_to_the_next_best() {
        let mut outcomes = Outcomes {
            trainings: Some(BTreeMap::new()),
            ..Outcomes::default()
        };
        let mut best = |event| {
            let ending = outcomes.apply(&event).unwrap();
            let best = outcomes.best.as_ref().unwrap();
            (best.child, best.accuracy, ending.is_best)
        };
        assert_eq!(best(finished(1, 0.9, &[])), (1, 0.9, true));
        assert_eq!(best(finished(2, 0.8, &[])), (1, 0.9, false));
        assert_eq!(best(finished(3, 0.75, &[1, 3])), (2, 0.8, false));
        assert_eq!(best(finished(4, 0.78, &[2, 4])), (4, 0.78, true));
        assert_eq!(best(finished(5, 0.7, &[2, 4, 5])), (3, 0.75, false));
        assert_eq!(outcomes.counts.retrained, 3);
    }
}
