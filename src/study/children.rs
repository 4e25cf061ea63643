//! The children of a run that a study can train again, from its journal.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::StudyError;
use crate::event::{Event, RunStarted};
use crate::journal::Reader;
use crate::space::{Design, Dna};

/// A child of a search that ended with a reward.
#[derive(Debug, Clone, PartialEq)]
pub struct PastChild {
    /// Its number, from 1.
    pub child: u64,
    /// Number of layers.
    pub depth: usize,
    /// Its DNA.
    pub dna: Dna,
    /// The network, or the row of a table.
    pub design: Design,
    /// Its accuracy; `None` for a child that failed.
    pub accuracy: Option<f64>,
    /// Its reward; 0 for a child that failed.
    pub reward: f64,
}

/// The beginning of a search, and its children.
#[derive(Debug, Clone)]
pub struct PastRun {
    /// The beginning.
    pub started: RunStarted,
    /// The sampled children that have a reward, one per architecture, in the order of their first ones. An
    /// architecture that was trained several times has the number of the first and the mean accuracy and reward
    /// (`search.reuse = "mean"`).
    pub children: Vec<PastChild>,
}

impl PastChild {
    /// Take from a later child of the same network what counts for it. `is_mean`: the accuracy of `later` is the mean
    /// of the network's trainings so far.
    fn join(&mut self, later: PastChild, is_mean: bool) {
        if self.accuracy.is_none() && later.accuracy.is_some() {
            *self = later;
        } else if is_mean {
            // Under the number that it already has elsewhere.
            (self.accuracy, self.reward) = (later.accuracy, later.reward);
        }
    }
}

impl PastRun {
    /// Read the journal of the search in `run`.
    ///
    /// # Errors
    /// If the journal cannot be read, or is not that of a search.
    pub fn read(run: &Path) -> Result<PastRun, StudyError> {
        let mut started = None;
        let (mut waiting, mut depth_of) = (HashMap::new(), HashMap::new());
        let mut ended = BTreeMap::new();
        let mut is_training = false;
        for record in Reader::open(&run.join("journal.jsonl"))? {
            match record?.event {
                Event::RunStarted(run) => started = Some(run),
                Event::TrainingStarted(_) => is_training = true,
                Event::EpisodeStarted { episode, depth, .. } => {
                    depth_of.insert(episode, depth);
                }
                // Controls are not results of the search.
                Event::ChildSampled(sampled) if !sampled.control => {
                    waiting.insert(sampled.child, sampled);
                }
                // A training that a user ended says less of its network than the others of theirs.
                Event::ChildFinished(done) if !done.skipped => {
                    if let Some(sampled) = waiting.remove(&done.child) {
                        let is_mean = done.is_retraining();
                        let accuracy = Some(done.accuracy);
                        ended.insert(done.child, (sampled, accuracy, done.reward, is_mean));
                    }
                }
                Event::ChildFailed { child, reward, .. } => {
                    if let Some(sampled) = waiting.remove(&child) {
                        ended.insert(child, (sampled, None, reward, false));
                    }
                }
                _ => {}
            }
        }
        let started = started.ok_or_else(|| StudyError::Unsuitable {
            run: run.to_owned(),
            problem: match is_training {
                true => "it is a training: give the directory of a search".to_owned(),
                false => "it is not a search that has begun: give the directory of one".to_owned(),
            },
        })?;
        let (mut children, mut places) = (Vec::new(), HashMap::new());
        for (sampled, accuracy, reward, is_mean) in ended.into_values() {
            let place = *places.entry(sampled.design.key()).or_insert(children.len());
            let child = PastChild {
                child: sampled.child,
                depth: match sampled.design.network() {
                    Some(network) => network.layers.len(),
                    None => depth_of.get(&sampled.episode).copied().unwrap_or(1),
                },
                dna: sampled.dna,
                design: sampled.design,
                accuracy,
                reward,
            };
            match children.get_mut(place) {
                None => children.push(child),
                Some(earlier) => earlier.join(child, is_mean),
            }
        }
        Ok(PastRun { started, children })
    }

    /// `count` of the children (or all if there are fewer), as evenly over their depths as
    /// possible, drawn with `seed`; shallow ones first.
    pub fn drawn(&self, count: usize, seed: u64) -> Vec<&PastChild> {
        let mut by_depth: BTreeMap<usize, Vec<&PastChild>> = BTreeMap::new();
        for child in &self.children {
            by_depth.entry(child.depth).or_default().push(child);
        }
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        by_depth
            .values_mut()
            .for_each(|children| children.shuffle(&mut random));
        let mut drawn: Vec<&PastChild> = Vec::new();
        // Fewer children than depths: spread the depths from end to end.
        let depths: Vec<usize> = by_depth.keys().copied().collect();
        let mut round = spread(depths.len(), count);
        while drawn.len() < count && !by_depth.values().all(Vec::is_empty) {
            for place in round {
                if let Some(child) = by_depth.get_mut(&depths[place]).and_then(Vec::pop)
                    && drawn.len() < count
                {
                    drawn.push(child);
                }
            }
            round = (0..depths.len()).collect();
        }
        drawn.sort_by_key(|child| (child.depth, child.child));
        drawn
    }
}

/// At most `count` of the indices `0..of`, spread evenly from the first to the last.
pub fn spread(of: usize, count: usize) -> Vec<usize> {
    if count >= of {
        return (0..of).collect();
    }
    let last = (of - 1) as f64;
    let steps = (count.max(2) - 1) as f64;
    (0..count)
        .map(|number| (number as f64 * last / steps).round() as usize)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn indices_are_spread_from_end_to_end() {
        assert_eq!(spread(10, 4), [0, 3, 6, 9]);
        assert_eq!(spread(3, 8), [0, 1, 2]);
        assert_eq!(spread(5, 1), [0]);
    }

    fn demo() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(
            "tests/fixtures/journal-demo.jsonl",
            folder.path().join("journal.jsonl"),
        )
        .unwrap();
        folder
    }

    #[test]
    fn networks_are_drawn_evenly_over_the_depths_without_repetition() {
        let folder = demo();
        let run = PastRun::read(folder.path()).unwrap();
        let depths: HashSet<usize> = run.children.iter().map(|child| child.depth).collect();
        let drawn = run.drawn(depths.len(), 1);
        let of_drawn: HashSet<usize> = drawn.iter().map(|child| child.depth).collect();
        assert_eq!(of_drawn, depths);
        let keys: HashSet<String> = drawn.iter().map(|child| child.design.key()).collect();
        assert_eq!(keys.len(), drawn.len());
        assert_eq!(run.drawn(10_000, 1).len(), run.children.len());
    }

    #[test]
    fn the_draw_is_determined_by_the_seed() {
        let folder = demo();
        let run = PastRun::read(folder.path()).unwrap();
        assert_eq!(run.drawn(5, 1), run.drawn(5, 1));
        assert!((2..20).any(|seed| run.drawn(5, 1) != run.drawn(5, seed)));
    }

    /// The demo run with its records changed.
    fn changed(change: impl Fn(&mut Value)) -> PastRun {
        let folder = demo();
        let path = folder.path().join("journal.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        let line = |line: &str| {
            let mut record: Value = serde_json::from_str(line).unwrap();
            change(&mut record);
            record.to_string() + "\n"
        };
        std::fs::write(&path, text.lines().map(line).collect::<String>()).unwrap();
        PastRun::read(folder.path()).unwrap()
    }

    fn is_end_of(record: &Value, child: u64) -> bool {
        record["event"] == "child_finished" && record["child"] == child
    }

    /// If this is the proposal of child 2, it has the network of child 1, `first`.
    fn give_to_child_2(record: &mut Value, first: &PastChild) {
        if record["event"] == "child_sampled" && record["child"] == 2 {
            record["dna"] = serde_json::to_value(&first.dna).unwrap();
            let design = serde_json::to_value(&first.design).unwrap();
            record["architecture"] = design["architecture"].clone();
        }
    }

    #[test]
    fn a_training_that_a_user_ended_does_not_stand_for_its_network() {
        let whole = changed(|_| {});
        let skipped = changed(|record| {
            if is_end_of(record, 1) {
                record["skipped"] = true.into();
            }
        });
        assert!(whole.children.iter().any(|child| child.child == 1));
        assert!(skipped.children.iter().all(|child| child.child != 1));
    }

    #[test]
    fn a_network_that_was_trained_several_times_has_the_mean_of_its_trainings() {
        let first = changed(|_| {}).children[0].clone();
        let run = changed(|record| {
            give_to_child_2(record, &first);
            if is_end_of(record, 2) {
                record["accuracy"] = 0.75.into();
                record["mean"] = serde_json::json!({ "children": [1, 2], "own_accuracy": 0.9, "own_reward": 0.9 });
            }
        });
        let of_network: Vec<&PastChild> = run
            .children
            .iter()
            .filter(|child| child.design.key() == first.design.key())
            .collect();
        assert_eq!(of_network.len(), 1);
        assert_eq!(
            (of_network[0].child, of_network[0].accuracy),
            (1, Some(0.75))
        );
    }

    #[test]
    fn a_network_that_failed_first_and_was_trained_later_counts_as_trained() {
        let first = changed(|_| {}).children[0].clone();
        let run = changed(|record| {
            give_to_child_2(record, &first);
            if is_end_of(record, 1) {
                record["event"] = "child_failed".into();
                record["reward"] = 0.0.into();
                record["reason"] = "it diverged".into();
            }
        });
        let key = first.design.key();
        let of_network = run
            .children
            .iter()
            .filter(|child| child.design.key() == key);
        let of_network: Vec<(u64, bool)> = of_network
            .map(|child| (child.child, child.accuracy.is_some()))
            .collect();
        assert_eq!(of_network, [(2, true)]);
    }
}
