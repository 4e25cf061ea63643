//! The summary of a run: `summary.json` and the text at its end, computed from the events at any
//! time.

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::statistics::{self, Slope};
use super::verdict::Comparison;
use crate::event::{
    ChildFinished, ChildSampled, EpisodeFinished, Event, FinishReason, Record, Reference,
};
use crate::journal::{JournalError, Reader};
use crate::space::Dna;
use crate::state::clock::Clock;
use crate::state::{Ending, Outcomes, RunStatus};

/// What came of a run so far. The field names are `summary.json`'s.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Name of the run directory; empty where the run never got as far as `run_started`, as are the
    /// next two.
    pub run: String,
    pub preset: String,
    pub strategy: String,
    pub seed: u64,
    /// Why the last session ended; null while one is at work and after a crash.
    pub reason: Option<FinishReason>,
    /// Children that have come to an end: trained, repeats and failures.
    pub children_evaluated: u64,
    /// Different networks among them.
    pub unique_architectures: u64,
    /// Children that took the accuracy of an earlier child with the same architecture.
    pub repeats: u64,
    /// Children without an accuracy; their reward is 0.
    pub failures: u64,
    /// Children of which nothing is known: skipped before their first epoch had ended, or whose
    /// workers broke. They have no reward and count nowhere else.
    #[serde(default)]
    pub excluded_children: u64,
    /// Children that users edited and that have come to an end. They count nowhere else.
    #[serde(default)]
    pub edited_children: u64,
    /// The highest accuracy; the earlier child of equals. Null before the first.
    pub best: Option<BestChild>,
    pub episodes: Vec<Episode>,
    /// Line through the episodes' mean rewards; null for fewer than 3 episodes.
    pub reward_slope: Option<Slope>,
    /// The run that this one is held against (`search.reference`); absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Held>,
    /// Seconds at work over all sessions, from `run_started`; pauses and the time between sessions
    /// do not count.
    pub wall_seconds: f64,
    /// `children_evaluated` per hour of `wall_seconds`.
    pub children_per_hour: f64,
}

/// What came of holding a run against another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    pub run: String,
    pub strategy: String,
    /// This run's slope minus the other's over the episodes that both have finished; null where
    /// those are fewer than 3, or the runs cannot be compared.
    pub difference: Option<Slope>,
    /// Why they cannot; null where they can.
    pub not_comparable: Option<String>,
}

impl Held {
    fn of(reference: &Reference, points: &[(usize, f64)]) -> Held {
        let (difference, not_comparable) = match Comparison::of(reference, points) {
            Some(Comparison::Slopes { difference, .. }) => (Some(difference), None),
            Some(Comparison::Impossible { reason, .. }) => (None, Some(reason)),
            None => (None, None),
        };
        Held {
            run: reference.run.clone(),
            strategy: reference.strategy.clone(),
            difference,
            not_comparable,
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "against {} (strategy {}): ", self.run, self.strategy)?;
        match (&self.not_comparable, &self.difference) {
            (Some(reason), _) => writeln!(f, "not comparable: {reason}"),
            (
                None,
                Some(Slope {
                    per_episode,
                    ci95: [low, high],
                    p_value,
                }),
            ) => {
                writeln!(
                    f,
                    "slope {per_episode:+.5} per episode more (95 % interval {low:+.5} to {high:+.5}, p = {p_value:.2e})"
                )
            }
            (None, None) => writeln!(f, "needs at least 3 episodes that both have finished"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BestChild {
    pub child: u64,
    pub episode: usize,
    pub accuracy: f64,
    pub reward: f64,
    pub params: u64,
    pub macs: u64,
    pub dna: Dna,
    /// Test accuracy of the network trained to the end, where a table told it. It decided nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_accuracy: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    pub episode: usize,
    pub mean_reward: f64,
    /// Baseline the episode's advantages were taken against; null for a strategy without one.
    pub baseline: Option<f64>,
    /// Over the children that have an accuracy; null if all failed.
    pub mean_accuracy: Option<f64>,
    pub best_accuracy: Option<f64>,
    /// Mean entropy of the children's decisions, nats per child; null for a strategy that draws
    /// from no distribution.
    pub entropy: Option<f64>,
}

impl Summary {
    /// Summary of a run's records, in the order of its journal.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Summary {
        let mut tally = Tally::default();
        for record in records {
            tally.apply(record);
        }
        tally.summary()
    }

    /// Summary of the journal at `path`, read line by line.
    pub fn of_journal(path: &Path) -> Result<Summary, JournalError> {
        let mut tally = Tally::default();
        for record in Reader::open(path)? {
            tally.apply(&record?);
        }
        Ok(tally.summary())
    }

    /// `summary.json`: indented, with a newline at the end.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

/// Counts over a run's events, fed one at a time.
#[derive(Debug, Default)]
pub struct Tally {
    run: String,
    preset: String,
    strategy: String,
    seed: u64,
    status: RunStatus,
    outcomes: Outcomes,
    /// Keys of the architectures of children under way, and of those that have ended.
    waiting: HashMap<u64, String>,
    architectures: HashSet<String>,
    episodes: Vec<EpisodeFinished>,
    reference: Option<Reference>,
    clock: Clock,
}

impl Tally {
    /// Take in the next record of the run: the end of a child, where it is one.
    pub fn apply(&mut self, record: &Record) -> Option<Ending> {
        self.clock.apply(record);
        self.status.apply(&record.event);
        match &record.event {
            Event::RunStarted(started) => {
                self.run = started.run.clone();
                self.preset = started.preset.clone();
                self.strategy = started.strategy.clone();
                self.seed = started.seed;
                self.reference = started.reference.as_deref().cloned();
            }
            Event::ChildSampled(sampled) => self.sample(sampled),
            Event::ChildFinished(ChildFinished { child, .. })
            | Event::ChildFailed { child, .. } => {
                self.architectures.extend(self.waiting.remove(child));
            }
            Event::ChildExcluded { child, .. } => drop(self.waiting.remove(child)),
            Event::EpisodeFinished(episode) => self.episodes.push(episode.clone()),
            _ => {}
        }
        self.outcomes.apply(&record.event)
    }

    /// Where the run stands.
    pub fn status(&self) -> RunStatus {
        self.status
    }

    /// What the children have come to.
    pub fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    /// Working time so far.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    pub fn summary(&self) -> Summary {
        let wall_seconds = self.clock.seconds();
        let counts = self.outcomes.counts;
        let positions: Vec<f64> = self
            .episodes
            .iter()
            .map(|episode| episode.episode as f64)
            .collect();
        let rewards: Vec<f64> = self
            .episodes
            .iter()
            .map(|episode| episode.mean_reward)
            .collect();
        let points: Vec<(usize, f64)> = self
            .episodes
            .iter()
            .map(|episode| (episode.episode, episode.mean_reward))
            .collect();
        Summary {
            run: self.run.clone(),
            preset: self.preset.clone(),
            strategy: self.strategy.clone(),
            seed: self.seed,
            reason: self.status.reason(),
            children_evaluated: counts.evaluated() as u64,
            unique_architectures: self.architectures.len() as u64,
            repeats: counts.repeats as u64,
            failures: counts.failures as u64,
            excluded_children: counts.excluded as u64,
            edited_children: counts.edited as u64,
            best: self.outcomes.best.as_ref().map(BestChild::from),
            episodes: self.episodes.iter().map(Episode::from).collect(),
            reward_slope: statistics::slope(&positions, &rewards),
            reference: self
                .reference
                .as_ref()
                .map(|reference| Held::of(reference, &points)),
            wall_seconds,
            children_per_hour: if wall_seconds > 0.0 {
                counts.evaluated() as f64 * 3600.0 / wall_seconds
            } else {
                0.0
            },
        }
    }

    fn sample(&mut self, sampled: &ChildSampled) {
        self.waiting.insert(sampled.child, sampled.design.key());
    }
}

impl From<&ChildFinished> for BestChild {
    fn from(child: &ChildFinished) -> Self {
        BestChild {
            child: child.child,
            episode: child.episode,
            accuracy: child.accuracy,
            reward: child.reward,
            params: child.params,
            macs: child.macs,
            dna: child.dna.clone(),
            test_accuracy: child.test_accuracy,
        }
    }
}

impl From<&EpisodeFinished> for Episode {
    fn from(episode: &EpisodeFinished) -> Self {
        Episode {
            episode: episode.episode,
            mean_reward: episode.mean_reward,
            baseline: episode.baseline,
            mean_accuracy: episode.mean_accuracy,
            best_accuracy: episode.best_accuracy,
            entropy: episode.entropy,
        }
    }
}

impl fmt::Display for Summary {
    /// The text at the end of a search: a head line, the best child, a line per episode, the slope.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = reason_word(self.reason);
        writeln!(
            f,
            "run {}: {word} (preset {}, strategy {}, seed {})",
            self.run, self.preset, self.strategy, self.seed
        )?;
        writeln!(
            f,
            "{} children in {}: {} different architectures, {} repeats, {} failures; {:.0} children per hour",
            self.children_evaluated,
            duration(self.wall_seconds),
            self.unique_architectures,
            self.repeats,
            self.failures,
            self.children_per_hour
        )?;
        if self.excluded_children > 0 {
            let words = match self.excluded_children {
                1 => "child excluded: it has no outcome and counts",
                _ => "children excluded: they have no outcome and count",
            };
            writeln!(f, "{} {words} nowhere else", self.excluded_children)?;
        }
        if self.edited_children > 0 {
            writeln!(
                f,
                "{} children edited by hand besides",
                self.edited_children
            )?;
        }
        match &self.best {
            Some(best) => write!(f, "{best}")?,
            None => writeln!(f, "best child: none has an accuracy yet")?,
        }
        f.write_str(&self.episode_table())?;
        match &self.reward_slope {
            Some(Slope {
                per_episode,
                ci95: [low, high],
                p_value,
            }) => writeln!(
                f,
                "slope of the mean reward: {per_episode:+.5} per episode (95 % interval {low:+.5} to {high:+.5}, p = {p_value:.2e})"
            ),
            None => writeln!(f, "slope of the mean reward: needs at least 3 episodes"),
        }?;
        self.reference
            .as_ref()
            .map_or(Ok(()), |reference| write!(f, "{reference}"))
    }
}

impl fmt::Display for BestChild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "best child: {} (episode {}): accuracy {:.4}, reward {:.4}, {} parameters, {} MACs",
            self.child, self.episode, self.accuracy, self.reward, self.params, self.macs
        )?;
        writeln!(f, "  dna {}", self.dna)?;
        match self.test_accuracy {
            Some(test) => writeln!(
                f,
                "  test accuracy {test:.4} by the table, when trained to the end"
            ),
            None => Ok(()),
        }
    }
}

impl Summary {
    fn episode_table(&self) -> String {
        if self.episodes.is_empty() {
            return String::new();
        }
        let mut text = format!(
            "{:>7}  {:>11}  {:>8}  {:>13}  {:>13}  {:>7}\n",
            "episode", "mean reward", "baseline", "mean accuracy", "best accuracy", "entropy"
        );
        for episode in &self.episodes {
            let or_none =
                |value: Option<f64>| value.map_or("none".to_owned(), |value| format!("{value:.4}"));
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{:>7}  {:>11.4}  {:>8}  {:>13}  {:>13}  {:>7}",
                episode.episode,
                episode.mean_reward,
                or_none(episode.baseline),
                or_none(episode.mean_accuracy),
                or_none(episode.best_accuracy),
                episode
                    .entropy
                    .map_or("none".to_owned(), |entropy| format!("{entropy:.2}"))
            );
        }
        text
    }
}

/// How a run stands, given why its last session ended.
pub(super) fn reason_word(reason: Option<FinishReason>) -> &'static str {
    reason.map_or("not over", |reason| RunStatus::from(reason).word())
}

/// `1 h 02 min 03 s`, without the parts that are 0 in front.
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds as u64;
    match (whole / 3600, whole / 60 % 60) {
        (0, 0) => format!("{seconds:.1} s"),
        (0, minutes) => format!("{minutes} min {:02} s", whole % 60),
        (hours, minutes) => format!("{hours} h {minutes:02} min {:02} s", whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{Architecture, Design, Layer};

    fn sampled(child: u64, filters: usize) -> Event {
        let layer = Layer {
            kernel: [3, 3],
            filters,
            stride: [1, 1],
            padding: [1, 1],
            inputs: vec![0],
        };
        Event::ChildSampled(ChildSampled {
            child,
            episode: 1,
            dna: Dna(vec![vec![3, filters as u32, 1, 1]]),
            design: Design::Network(Architecture {
                name: format!("child-{child}"),
                input: [1, 28, 28],
                classes: 10,
                layers: vec![layer],
                output: vec![1],
            }),
            params: 100,
            macs: 1000,
            log_prob: Some(-1.0),
            entropy: Some(1.0),
            max_entropy: Some(1.5),
            choices: Vec::new(),
            parent: None,
        })
    }

    fn finished(child: u64, accuracy: f64, repeat_of: Option<u64>) -> Event {
        Event::ChildFinished(ChildFinished {
            child,
            episode: 1,
            dna: Dna(vec![vec![3, 8, 1, 1]]),
            accuracy,
            reward: accuracy,
            params: 100,
            macs: 1000,
            seconds: 1.0,
            repeat_of,
            valid_accuracies: vec![accuracy],
            skipped: false,
            energy_wh: None,
            test_accuracy: None,
        })
    }

    fn episode(episode: usize, mean_reward: f64) -> Event {
        Event::EpisodeFinished(EpisodeFinished {
            episode,
            mean_reward,
            mean_accuracy: Some(mean_reward),
            best_accuracy: Some(mean_reward),
            baseline: Some(0.2),
            next_baseline: Some(0.3),
            advantages: vec![],
            entropy: Some(2.0),
            max_entropy: Some(2.5),
            loss: None,
            gradient_norm: None,
            repeats: 0,
            failures: 0,
            excluded: 0,
            seconds: 1.0,
        })
    }

    /// One event a second.
    fn summary(events: Vec<Event>) -> Summary {
        let record = |(second, event)| Record {
            v: 1,
            seq: None,
            time: jiff::Timestamp::from_second(second as i64).unwrap(),
            event,
        };
        Summary::of(
            &events
                .into_iter()
                .enumerate()
                .map(record)
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn every_ended_child_counts_and_equal_networks_count_once() {
        let failed = Event::ChildFailed {
            child: 3,
            episode: 1,
            reason: "r".into(),
            reward: 0.0,
            seconds: 1.0,
        };
        let events = vec![
            sampled(1, 8),
            sampled(2, 8),
            sampled(3, 16),
            sampled(4, 24),
            finished(1, 0.5, None),
            finished(2, 0.5, Some(1)),
            failed,
        ];
        let summary = summary(events);
        assert_eq!(
            (
                summary.children_evaluated,
                summary.repeats,
                summary.failures
            ),
            (3, 1, 1)
        );
        assert_eq!(summary.unique_architectures, 2, "child 4 has not ended");
        assert_eq!(summary.wall_seconds, 6.0);
        assert_eq!(summary.children_per_hour, 3.0 * 600.0);
    }

    #[test]
    fn the_best_child_is_the_earliest_of_the_most_accurate_whatever_finished_first() {
        let best = summary(vec![
            finished(3, 0.8, None),
            finished(1, 0.7, None),
            finished(2, 0.8, None),
        ])
        .best
        .unwrap();
        assert_eq!((best.child, best.accuracy), (2, 0.8));
    }

    #[test]
    fn the_slope_needs_three_episodes() {
        assert_eq!(
            summary(vec![episode(1, 0.1), episode(2, 0.2)]).reward_slope,
            None
        );
        let slope = summary(vec![episode(1, 0.1), episode(2, 0.2), episode(3, 0.4)])
            .reward_slope
            .unwrap();
        assert!((slope.per_episode - 0.15).abs() < 1e-12);
    }

    #[test]
    fn a_run_without_any_event_has_a_summary_of_finite_numbers() {
        let summary = summary(vec![]);
        assert_eq!(
            (summary.children_per_hour, summary.best.is_none()),
            (0.0, true)
        );
        assert!(summary.to_string().contains("none has an accuracy"));
    }

    #[test]
    fn the_json_has_the_documented_fields() {
        let summary = summary(vec![
            sampled(1, 8),
            finished(1, 0.5, None),
            episode(1, 0.1),
            episode(2, 0.2),
            episode(3, 0.4),
        ]);
        let json: serde_json::Value = serde_json::from_str(&summary.to_json().unwrap()).unwrap();
        let documented = [
            (
                "",
                "preset strategy seed children_evaluated unique_architectures best episodes reward_slope wall_seconds children_per_hour",
            ),
            ("/best", "child episode accuracy reward params macs dna"),
            (
                "/episodes/0",
                "episode mean_reward baseline mean_accuracy best_accuracy entropy",
            ),
            ("/reward_slope", "per_episode ci95 p_value"),
        ];
        for (place, names) in documented {
            let object = json.pointer(place).unwrap();
            assert!(
                names
                    .split(' ')
                    .all(|name| object.get(name).is_some_and(|value| !value.is_null())),
                "{place}: {object}"
            );
        }
        assert_eq!(serde_json::from_value::<Summary>(json).unwrap(), summary);
    }

    #[test]
    fn accuracy_and_reward_are_told_apart_in_the_text() {
        let mut summary = summary(vec![finished(1, 0.8456, None)]);
        summary.best.as_mut().unwrap().reward = 0.6046;
        assert!(
            summary
                .to_string()
                .contains("accuracy 0.8456, reward 0.6046"),
            "{summary}"
        );
    }

    #[test]
    fn a_duration_reads_as_people_say_it() {
        assert_eq!(
            [5.25, 125.0, 3723.0].map(duration),
            ["5.2 s", "2 min 05 s", "1 h 02 min 03 s"]
        );
    }
}
