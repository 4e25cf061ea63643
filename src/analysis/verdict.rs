//! Does it learn? The slope of the episodes' mean rewards, and the conclusion it supports, in
//! words.
//!
//! The words claim only what the numbers allow: a slope counts if its 95 % interval excludes zero.
//! Two caveats: looking at the interval after every episode makes a false positive more likely than
//! 5 % while a run is in progress, and networks that grow deeper during a run can change the reward
//! without any learning, which only a run of random search over the same depths (the reference) can
//! reveal.

use super::statistics::{LineFit, Slope, p_text};
use crate::event::{Reference, RunStarted};
use crate::state::RunState;

/// Minimum number of finished episodes for a slope with an interval.
const FEWEST: usize = 3;

/// The conclusion from the episodes so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Too few episodes are finished.
    TooEarly,
    /// The interval of the slope lies above zero.
    Learning,
    /// The interval of the slope lies below zero.
    Worse,
    /// The interval of the slope contains zero.
    NoEvidence,
    /// Random search: whatever its slope, it does not learn.
    CannotLearn,
}

/// The comparison of the slope with that of another run over the same episodes.
#[derive(Debug, Clone, PartialEq)]
pub enum Comparison {
    /// Both have a slope over the episodes that both have finished.
    Slopes {
        /// Strategy of the other run.
        strategy: String,
        /// This run's slope minus the other's, see [`LineFit::minus`].
        difference: Slope,
    },
    /// The two runs cannot be compared.
    Impossible {
        /// Name of the other run.
        run: String,
        /// The differences between them.
        reason: String,
    },
}

/// The verdict on a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The conclusion from the slope.
    pub finding: Finding,
    /// Number of finished episodes.
    pub episodes: usize,
    /// Number of episodes planned; `None` before the run has begun.
    pub planned: Option<usize>,
    /// Slope of the mean reward per episode.
    pub slope: Option<Slope>,
    /// `None` if the run has no reference, is a random search, or has too few episodes.
    pub comparison: Option<Comparison>,
    /// Numbers of layers in the first and in the last finished episode, if they differ.
    pub depths: Option<(usize, usize)>,
}

impl Verdict {
    /// The verdict on the finished episodes of `state`.
    pub fn of(state: &RunState) -> Verdict {
        let points: Vec<(usize, f64)> = state
            .search()
            .episodes
            .iter()
            .map(|episode| (episode.episode, episode.mean_reward))
            .collect();
        let fit = fit(&points);
        let slope = fit.as_ref().and_then(LineFit::slope);
        let started = state.search().started.as_ref();
        let learns = started.is_none_or(RunStarted::learns);
        let finding = match &slope {
            None => Finding::TooEarly,
            Some(_) if !learns => Finding::CannotLearn,
            Some(slope) if slope.ci95[0] > 0.0 => Finding::Learning,
            Some(slope) if slope.ci95[1] < 0.0 => Finding::Worse,
            Some(_) => Finding::NoEvidence,
        };
        Verdict {
            finding,
            episodes: points.len(),
            planned: started.map(|run| run.episodes),
            slope,
            comparison: started
                .filter(|_| learns)
                .and_then(|run| Comparison::of(run.reference.as_deref()?, &points)),
            depths: depths(state),
        }
    }

    /// One line of at most `width` characters if possible: the whole sentence, or its most
    /// important parts. Slope, interval, p-value and words are present from 41 characters on.
    /// `plus_minus` is the terminal's form of that sign.
    pub fn text(&self, width: usize, plus_minus: &str) -> String {
        let mut texts = self.texts(plus_minus);
        let shortest = texts.pop().unwrap_or_default();
        texts
            .into_iter()
            .find(|text| text.chars().count() <= width)
            .unwrap_or(shortest)
    }

    /// From the whole sentence to the shortest form.
    fn texts(&self, plus_minus: &str) -> Vec<String> {
        let Some(slope) = &self.slope else {
            return self.too_early();
        };
        let (verdict, short) = (self.words(), self.short_words());
        let numbers = format!(
            "slope {}/episode ({}, {})",
            change(slope, slope.per_episode),
            interval(slope),
            p_text(slope.p_value)
        );
        let [two, one] =
            [2, 1].map(|digits| format!("slope {}", estimate(slope, digits, plus_minus)));
        let p = p_text(slope.p_value);
        let over = self
            .planned
            .map_or(String::new(), |planned| format!(" of {planned}"));
        let after = format!(" after {}{over} episodes", self.episodes);
        let depth = self.depths.map_or(String::new(), |(first, last)| {
            let moved = if last > first { "grew" } else { "fell" };
            format!("; depth {moved} from {first} to {last}")
        });
        let (long, brief) = self
            .comparison
            .as_ref()
            .map_or((String::new(), String::new()), Comparison::texts);
        let mut texts = vec![format!("{numbers}: {verdict}{after}{long}{depth}")];
        let incomparable = self.incomparable();
        // Why there is no comparison matters more than the full interval.
        if incomparable.is_some() {
            texts.extend([
                format!("{numbers}: {verdict}{long}"),
                format!("{two} ({p}): {short}{long}"),
            ]);
        }
        texts.extend([
            format!("{numbers}: {verdict}{after}{brief}{depth}"),
            format!("{numbers}: {verdict}{after}{brief}"),
            format!("{numbers}: {verdict}{brief}"),
        ]);
        if let Some(setting) = incomparable {
            let shortest = self.shortest_words();
            texts.extend([
                format!("{two} ({p}): {short}; not comparable: {setting}"),
                format!("{two} {p}: {shortest}; not comparable: {setting}"),
                format!("{two} {p}: {shortest}; not comparable"),
                format!("{one} {p}: {shortest}; not comparable"),
            ]);
        }
        texts.extend([
            format!("{numbers}: {verdict}"),
            format!("{numbers}: {short}"),
            format!("{two} ({p}): {short}"),
            format!("{two} {p}: {short}"),
            format!("{two} {p}: {}", self.shortest_words()),
            format!("{one} {p}: {}", self.shortest_words()),
            format!("slope {} ({p}): {short}", change(slope, slope.per_episode)),
            format!("{p}: {short}"),
            short.to_owned(),
        ]);
        texts
    }

    /// The first difference, if the two runs cannot be compared: `child.epochs` for `child.epochs
    /// is 1 there and 2 here; ...`.
    fn incomparable(&self) -> Option<&str> {
        match self.comparison.as_ref()? {
            Comparison::Impossible { reason, .. } => Some(
                reason
                    .split([';', ',', ':'])
                    .next()?
                    .split(" is ")
                    .next()?
                    .trim(),
            ),
            Comparison::Slopes { .. } => None,
        }
    }

    fn too_early(&self) -> Vec<String> {
        let missing = "not yet: needs 3 finished episodes";
        let have = self.episodes;
        let mut texts = Vec::new();
        if let (Some(comparison), Some(setting)) = (&self.comparison, self.incomparable()) {
            let (long, brief) = comparison.texts();
            texts.extend([
                format!("Does it learn? {missing}, has {have}{long}"),
                format!("Does it learn? {missing}, has {have}{brief}"),
                format!("not yet: {have} of 3 episodes; not comparable: {setting}"),
                format!("not yet: {have} of 3 episodes; not comparable"),
            ]);
        }
        texts.extend([
            format!("Does it learn? {missing}, has {have}"),
            format!("{missing}, has {have}"),
            missing.to_owned(),
            "too early".to_owned(),
        ]);
        texts
    }

    fn words(&self) -> &'static str {
        match (self.finding, &self.slope) {
            (Finding::TooEarly, _) => "too early",
            (Finding::Learning, _) => "learning",
            (Finding::Worse, _) => "getting worse",
            (Finding::NoEvidence, _) => "no evidence of learning yet",
            (Finding::CannotLearn, Some(slope)) if slope.ci95[0] > 0.0 => {
                "random does not learn, yet the reward rises"
            }
            (Finding::CannotLearn, Some(slope)) if slope.ci95[1] < 0.0 => {
                "random does not learn, yet the reward falls"
            }
            (Finding::CannotLearn, _) => "random does not learn",
        }
    }

    fn short_words(&self) -> &'static str {
        match self.finding {
            Finding::TooEarly => "too early",
            Finding::Learning => "learning",
            Finding::Worse => "getting worse",
            Finding::NoEvidence => "no evidence yet",
            Finding::CannotLearn => "cannot learn",
        }
    }

    fn shortest_words(&self) -> &'static str {
        match self.finding {
            Finding::NoEvidence => "no evidence",
            Finding::Worse => "worse",
            _ => self.short_words(),
        }
    }
}

impl Comparison {
    /// Both runs' slopes over the episodes that both have finished; ours are `points` (episode,
    /// mean reward). `None` if there are too few.
    pub fn of(reference: &Reference, points: &[(usize, f64)]) -> Option<Comparison> {
        if let Some(reason) = &reference.not_comparable {
            return Some(Comparison::Impossible {
                run: reference.run.clone(),
                reason: reason.clone(),
            });
        }
        let other = |episode: usize| {
            reference
                .episodes
                .iter()
                .find(|other| other.episode == episode)
        };
        let shared = points
            .iter()
            .filter_map(|(episode, value)| Some((*episode, *value, other(*episode)?.mean_reward)));
        let (ours, theirs): (Vec<_>, Vec<_>) = shared
            .map(|(episode, ours, theirs)| ((episode, ours), (episode, theirs)))
            .unzip();
        if ours.len() < FEWEST {
            return None;
        }
        let difference = fit(&ours)?.minus(&fit(&theirs)?)?;
        Some(Comparison::Slopes {
            strategy: reference.strategy.clone(),
            difference,
        })
    }

    /// The comparison in words: with its numbers or the reason for having none, and without.
    pub fn texts(&self) -> (String, String) {
        let (strategy, difference) = match self {
            Comparison::Slopes {
                strategy,
                difference,
            } => (strategy, difference),
            Comparison::Impossible { run, reason } => {
                return (
                    format!("; not comparable with {run} ({reason})"),
                    format!("; not comparable with {run}"),
                );
            }
        };
        let words = if difference.ci95[0] > 0.0 {
            format!("better than {strategy}")
        } else if difference.ci95[1] < 0.0 {
            format!("worse than {strategy}")
        } else {
            format!("not told apart from {strategy}")
        };
        let numbers = format!(
            "{} per episode, {}",
            change(difference, difference.per_episode),
            p_text(difference.p_value)
        );
        (format!("; {words} ({numbers})"), format!("; {words}"))
    }
}

fn fit(points: &[(usize, f64)]) -> Option<LineFit> {
    let (positions, values): (Vec<f64>, Vec<f64>) = points
        .iter()
        .map(|(episode, value)| (*episode as f64, *value))
        .unzip();
    LineFit::of(&positions, &values)
}

/// Number of layers in the first and in the last finished episode, if they are known and differ.
fn depths(state: &RunState) -> Option<(usize, usize)> {
    let depth = |episode: usize| {
        let of_episode = state
            .search()
            .children
            .iter()
            .filter(move |row| row.episode == episode && row.is_proposed());
        of_episode
            .map(|row| row.genes.depth())
            .filter(|depth| *depth > 0)
    };
    let (first, last) = (
        state.search().episodes.first()?.episode,
        state.search().episodes.last()?.episode,
    );
    let (first, last) = (depth(first).next()?, depth(last).next_back()?);
    (first != last).then_some((first, last))
}

/// A change per episode, with as many decimals as its interval justifies: two digits of its
/// half-width, at least four.
fn change(slope: &Slope, value: f64) -> String {
    let decimals = decimals(slope, 2).max(4);
    format!("{value:+.decimals$}")
}

/// The slope and the half-width of its 95 % interval, to this many digits of the latter:
/// `+0.004±0.022`.
fn estimate(slope: &Slope, digits: u8, plus_minus: &str) -> String {
    let decimals = decimals(slope, digits);
    format!(
        "{:+.decimals$}{plus_minus}{:.decimals$}",
        slope.per_episode,
        half_width(slope)
    )
}

fn half_width(slope: &Slope) -> f64 {
    (slope.ci95[1] - slope.ci95[0]) / 2.0
}

/// Number of decimals that show this many digits of the interval's half-width.
fn decimals(slope: &Slope, digits: u8) -> usize {
    let half = half_width(slope);
    if half > 0.0 {
        (f64::from(digits) - 1.0 - half.log10().floor()).clamp(0.0, 9.0) as usize
    } else {
        4
    }
}

fn interval(slope: &Slope) -> String {
    format!(
        "95 % {}..{}",
        change(slope, slope.ci95[0]),
        change(slope, slope.ci95[1])
    )
}

#[cfg(test)]
mod tests;
