//! Does it learn? What the rewards so far allow to be said, in words.
//!
//! With controls: how far the policy's children are above or below children drawn uniformly at the
//! same depth ([`PolicyLift`]), or above or below those of an equal run of another strategy
//! (`search.reference`). Without, the slope of the mean rewards is a trend and no verdict
//! ([`Trend`]), since networks that grow deeper change the reward without any learning. Until the run has ended,
//! an interval that is looked at after every episode excludes zero by chance more often than its
//! 5 %, so texts say "so far" and nothing is coloured (docs/STATISTICS.md).

mod comparison;
mod unknown;

use std::cell::RefCell;

pub use comparison::{Comparison, beside};

use super::lift::PolicyLift;
use super::statistics::{Slope, p_text};
use super::trend::{DepthOfTrend, EpisodePoint, Trend};
use crate::event::RunStarted;
use crate::state::{Arms, RunState, RunStatus};
pub use unknown::without_lift;
use unknown::{awaiting, no_lift, no_trend, too_early};

/// What a finished run says of its policy; `Open` while it is in progress, and without controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Nothing is decided.
    Open,
    /// The policy lift is above zero, by its interval and its p-value.
    Above,
    /// The policy lift is below zero, by its interval and its p-value.
    Below,
}

/// What can be said of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The conclusion, once the run has ended.
    pub finding: Finding,
    /// Whether no more episodes are to come.
    pub is_final: bool,
    /// Number of finished episodes.
    pub episodes: usize,
    /// Number of episodes planned; `None` before the run has begun.
    pub planned: Option<usize>,
    /// The policy's children against controls, or against the children of the reference if there are
    /// no controls; `None` until the noise of both is known.
    pub lift: Option<PolicyLift>,
    /// Name and strategy of the reference, if `lift` is against its children.
    pub against: Option<(String, String)>,
    /// Controls of the episodes that count so far; `None` for a run without controls.
    pub controls: Option<usize>,
    /// Controls that have ended, those of the first episode included.
    pub all_controls: usize,
    /// Whether its strategy learns from rewards.
    pub learns: bool,
    /// Trend of the mean reward; `None` for fewer than three episodes.
    pub trend: Option<Trend>,
    /// `None` if the run has no reference, is a random search, or has too few episodes, and if
    /// `lift` is against the reference.
    pub comparison: Option<Comparison>,
}

thread_local! {
    /// The latest lift, with what it was computed from: a screen asks for it whenever it draws.
    static LATEST: RefCell<(Vec<Arms>, Option<PolicyLift>)> = const { RefCell::new((Vec::new(), None)) };
}

/// [`PolicyLift::of`], computed once for the same rewards.
fn lift_of(arms: &[Arms]) -> Option<PolicyLift> {
    LATEST.with_borrow_mut(|(known, lift)| {
        if known != arms {
            (*known, *lift) = (arms.to_vec(), PolicyLift::of(arms));
        }
        *lift
    })
}

impl Verdict {
    /// The verdict on the finished episodes of `state`.
    pub fn of(state: &RunState) -> Verdict {
        let search = state.search();
        let arms = &search.outcomes.arms;
        let points = EpisodePoint::of(&search.episodes, arms);
        let started = search.started.as_ref();
        let is_final = state.status == RunStatus::Completed;
        let has_controls = started.is_some_and(|run| run.controls > 0);
        let learning = started.filter(|run| RunStarted::learns(run));
        let reference = learning.and_then(|run| run.reference.as_deref());
        let lift = match reference.filter(|_| !has_controls) {
            Some(reference) => lift_of(&beside(arms, reference)),
            None => lift_of(arms),
        };
        let finding = match lift {
            Some(lift) if is_final && lift.is_clear() && lift.difference > 0.0 => Finding::Above,
            Some(lift) if is_final && lift.is_clear() && lift.difference < 0.0 => Finding::Below,
            _ => Finding::Open,
        };
        let counting = arms.iter().filter(|arms| arms.episode > 1);
        let controls = counting.map(|arms| arms.controls.len()).sum();
        Verdict {
            finding,
            is_final,
            episodes: points.len(),
            planned: started.map(|run| run.episodes),
            lift,
            against: reference
                .filter(|_| !has_controls && lift.is_some())
                .map(|reference| (reference.run.clone(), reference.strategy.clone())),
            controls: has_controls.then_some(controls),
            all_controls: search.outcomes.counts.controls,
            learns: started.is_none_or(RunStarted::learns),
            trend: Trend::of(&points),
            comparison: reference
                .filter(|_| has_controls || lift.is_none())
                .and_then(|reference| Comparison::of(reference, &points)),
        }
    }

    /// One line of at most `width` characters if possible: the whole sentence, or its most
    /// important parts. Number, interval and p-value are present from 41 characters on.
    /// `plus_minus` is the terminal's form of that sign.
    pub fn text(&self, width: usize, plus_minus: &str) -> String {
        self.texts(plus_minus).within(width)
    }

    /// The longest text that `fits` and has every number of the policy's lift: estimate, interval,
    /// p-value and number of controls; without a lift, the longest that `fits`. `None` if there is none.
    pub fn complete_text(
        &self,
        plus_minus: &str,
        fits: impl Fn(&String) -> bool,
    ) -> Option<String> {
        self.texts(plus_minus).complete.into_iter().find(fits)
    }

    fn texts(&self, plus_minus: &str) -> VerdictTexts {
        let mut texts = self.heads(plus_minus);
        let Some(comparison) = &self.comparison else {
            return texts;
        };
        let heads = std::mem::take(&mut texts.complete);
        let (long, brief) = comparison.texts(self.so_far());
        texts.complete = [&long, &brief]
            .into_iter()
            .flat_map(|tail| {
                heads
                    .iter()
                    .take(2)
                    .map(move |head| format!("{head}{tail}"))
            })
            .collect();
        // Why there is no comparison matters more than the interval in full.
        if let Some(setting) = comparison.incomparable() {
            for tail in [
                format!("; not comparable: {setting}"),
                "; not comparable".to_owned(),
            ] {
                let short = heads
                    .iter()
                    .skip(2)
                    .take(if self.lift.is_some() { 7 } else { 5 });
                let short = short.map(|head| format!("{head}{tail}"));
                texts.complete.extend(short);
            }
        }
        texts.complete.extend(heads);
        texts
    }

    /// What this run alone says.
    fn heads(&self, plus_minus: &str) -> VerdictTexts {
        let complete = match (&self.lift, self.controls, &self.trend) {
            (Some(lift), ..) => return self.of_lift(lift, plus_minus),
            (None, Some(controls), _) if self.is_final => no_lift(controls),
            (None, Some(controls), _) => awaiting(controls),
            (None, None, Some(trend)) => self.of_trend(trend, plus_minus),
            (None, None, None) if self.is_final => no_trend(self.episodes),
            (None, None, None) => too_early(self.episodes),
        };
        let brief = Vec::new();
        VerdictTexts { complete, brief }
    }

    fn of_lift(&self, lift: &PolicyLift, plus_minus: &str) -> VerdictTexts {
        let PolicyLift {
            difference,
            ci95: [low, high],
            controls,
            ..
        } = *lift;
        let half = (high - low) / 2.0;
        let digits = decimals(half, 2).max(2);
        let p = p_text(lift.p_value);
        let side = lift.side();
        let so_far = self.so_far();
        let (other, who) = match &self.against {
            Some((run, strategy)) => (strategy.as_str(), format!("children of {run}")),
            None => ("random", "controls".to_owned()),
        };
        let policy = format!("policy {difference:+.digits$}");
        let estimate = format!("{policy}{plus_minus}{half:.digits$}");
        let forms = |who: &str| {
            let numbers = format!("95 % {low:+.digits$}..{high:+.digits$}, {p}, {who}");
            let arms = format!("({p}, {who}){so_far}");
            [
                format!("{policy}{side} {other} at equal depth ({numbers}){so_far}"),
                format!("{estimate}{side} {other} at equal depth {arms}"),
                format!("{policy}{side} {other} ({numbers}){so_far}"),
                format!("{estimate}{side} {other} {arms}"),
                format!("{estimate} {arms}"),
            ]
        };
        // The first episode's children are all drawn at random: neither they nor their controls count.
        let whole = forms(&format!("{controls} {who} after episode 1"));
        let mut complete = vec![format!("{}{}", whole[0], self.after())];
        // Without that reason, the number must not seem to contradict the number of controls beside it.
        let compared = match self.all_controls {
            all if self.against.is_none() && all > controls => format!("{controls} of {all}"),
            _ => controls.to_string(),
        };
        let pairs = whole.into_iter().zip(forms(&format!("{compared} {who}")));
        complete.extend(pairs.flat_map(|(whole, short)| [whole, short]));
        let brief = vec![
            format!("{estimate} ({p}, n={compared}){so_far}"),
            format!("{estimate} ({p}){so_far}"),
            format!("{estimate} {p}"),
            estimate,
            policy,
        ];
        VerdictTexts { complete, brief }
    }

    fn of_trend(&self, trend: &Trend, plus_minus: &str) -> Vec<String> {
        let Slope {
            per_episode,
            ci95: [low, high],
            ..
        } = trend.slope;
        let half = (high - low) / 2.0;
        let digits = decimals(half, 2).max(4);
        let p = p_text(trend.slope.p_value);
        let (depth, caveat, brief) = of_depth(trend.depth);
        let numbers = format!(
            "trend {per_episode:+.digits$}/episode (95 % {low:+.digits$}..{high:+.digits$}, {p})"
        );
        let tight = brief.replace(" to ", "-");
        let [two, one] = [2, 1].map(|digits| {
            let digits = decimals(half, digits);
            format!("trend {per_episode:+.digits$}{plus_minus}{half:.digits$}")
        });
        let whole = format!("{numbers}{}{depth}{caveat}", self.after());
        if !self.learns {
            // However small p is, this must be said.
            return vec![
                format!("{whole}; {NOTHING_LEARNED}"),
                format!("{numbers}{depth}; {NOTHING_LEARNED_BRIEFLY}"),
                format!("{numbers}{brief}; {NOTHING_LEARNED_BRIEFLY}"),
                format!("{two}/episode ({p}){brief}; {NOTHING_LEARNED_BRIEFLY}"),
                format!("{two} ({p}){brief}; {NOTHING_LEARNED_BRIEFLY}"),
                format!("{two} ({p}); {NOTHING_LEARNED_BRIEFLY}"),
                NOTHING_LEARNED.to_owned(),
                NOTHING_LEARNED_BRIEFLY.to_owned(),
                "all random".to_owned(),
            ];
        }
        vec![
            format!("{whole}; {NO_CONTROLS}"),
            format!("{numbers}{}{depth}", self.after()),
            format!("{numbers}{depth}"),
            format!("{numbers}{brief}"),
            format!("{two}/episode ({p}){brief}"),
            format!("{two}/ep. ({p}){brief}"),
            format!("{two} ({p}){brief}"),
            format!("{two} {p}{brief}"),
            format!("{one} {p}{tight}"),
            format!("{two}/episode ({p})"),
            format!("{two}/ep. ({p})"),
            format!("{two} ({p})"),
            format!("{two} {p}"),
            format!("{one} {p}"),
            format!("trend {per_episode:+.digits$} ({p})"),
            format!("trend {per_episode:+.digits$}"),
            p,
        ]
    }

    /// What a statement adds that the next episodes may change.
    fn so_far(&self) -> &'static str {
        if self.is_final { "" } else { " so far" }
    }

    fn after(&self) -> String {
        let over = self
            .planned
            .map_or(String::new(), |planned| format!(" of {planned}"));
        format!(" after {}{over} episodes", self.episodes)
    }
}

/// The forms of a verdict, in each list the one that says most first.
struct VerdictTexts {
    /// Those with every number of the policy's lift; without a lift, all.
    complete: Vec<String>,
    /// Shorter ones.
    brief: Vec<String>,
}

impl VerdictTexts {
    /// The first that fits in `width` characters, or the shortest.
    fn within(self, width: usize) -> String {
        let mut texts: Vec<String> = self.complete.into_iter().chain(self.brief).collect();
        let shortest = texts.pop().unwrap_or_default();
        texts
            .into_iter()
            .find(|text| text.chars().count() <= width)
            .unwrap_or(shortest)
    }
}

/// Why the trend of a search without controls is no verdict.
pub const NO_CONTROLS: &str = "no controls, no verdict";
/// Why the trend of a random search is no verdict.
pub const NOTHING_LEARNED: &str = "every child is drawn at random: nothing is learned";
const NOTHING_LEARNED_BRIEFLY: &str = "drawn at random: nothing is learned";

/// What a trend owes to the depth of the networks: a clause, its caveat, and the clause in brief.
fn of_depth(depth: DepthOfTrend) -> (String, &'static str, String) {
    match depth {
        DepthOfTrend::Constant => Default::default(),
        DepthOfTrend::Separated { first, last } => (
            format!(" at equal depth (an intercept for each, {first} to {last} layers)"),
            "",
            " at equal depth".to_owned(),
        ),
        DepthOfTrend::Confounded { first, last } => {
            let moved = if last > first { "grew" } else { "fell" };
            (
                format!("; depth {moved} from {first} to {last}"),
                " with it",
                format!(", depth {first} to {last}"),
            )
        }
    }
}

/// Number of decimals needed to show that many digits of the interval's half-width.
pub(super) fn decimals(half: f64, digits: u8) -> usize {
    if half > 0.0 {
        (f64::from(digits) - 1.0 - half.log10().floor()).clamp(0.0, 9.0) as usize
    } else {
        4
    }
}

#[cfg(test)]
mod tests;
