//! The text at the end of a search.

mod episodes;

use std::fmt;

use super::{BestChild, Held, Summary};
use crate::analysis::selection::Selection;
use crate::analysis::statistics::{Slope, p_text};
use crate::analysis::trend::DepthOfTrend;
use crate::analysis::verdict::{NO_CONTROLS, NOTHING_LEARNED, decimals, without_lift};
use crate::config::StrategyFacts;
use crate::event::FinishReason;
use crate::foundation::numbers::{self, counted};
use crate::state::RunStatus;
use episodes::episode_table;

impl fmt::Display for Summary {
    /// The text at the end of a search: a headline, the best child, the episodes, the slope.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = reason_word(self.reason);
        writeln!(
            f,
            "run {}: {word} (preset {}, strategy {}, seed {})",
            self.run, self.preset, self.strategy, self.seed
        )?;
        self.write_counts(f)?;
        match &self.best {
            Some(best) => {
                write!(f, "{best}")?;
                let children = self.best_of as usize;
                if let Some(words) = (Selection { children }).words() {
                    writeln!(f, "  {words}")?;
                }
            }
            None => writeln!(f, "best child: none has an accuracy yet")?,
        }
        f.write_str(&episode_table(&self.episodes))?;
        self.statistics(f)
    }
}

impl Summary {
    /// How many children there were, and of which kinds.
    fn write_counts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} in {}: {}, {}, {}; {:.0} children per hour",
            counted(self.children_evaluated, "child"),
            duration(self.wall_seconds),
            match self.unique_architectures {
                1 => "1 architecture".to_owned(),
                several => counted(several, "different architecture"),
            },
            counted(self.repeats, "repeat"),
            counted(self.failures, "failure"),
            self.children_per_hour
        )?;
        if self.excluded_children > 0 {
            let words = match self.excluded_children {
                1 => "child excluded: it has no outcome and counts",
                _ => "children excluded: they have no outcome and count",
            };
            writeln!(f, "{} {words} nowhere else", self.excluded_children)?;
        }
        if self.retrained > 0 {
            writeln!(
                f,
                "{} of them trained again (search.reuse = mean): a reward is the mean over its architecture's trainings",
                self.retrained
            )?;
        }
        if let Some(staleness) = self.staleness {
            writeln!(
                f,
                "asynchronous updates: on average {staleness:.2} updates between the policy that proposed a child and the one that \
                 learned from it"
            )?;
        }
        if self.stopped_early > 0 {
            writeln!(
                f,
                "{} stopped early (early_stopping.below): each has its accuracy until then",
                counted(self.stopped_early, "child")
            )?;
        }
        if self.edited_children > 0 {
            let edited = counted(self.edited_children, "child");
            writeln!(f, "{edited} edited by hand besides")?;
        }
        Ok(())
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "against {} (strategy {}): ", self.run, self.strategy)?;
        if let Some(lift) = &self.lift {
            let digits = format!("{:+.3}", lift.difference);
            let [low, high] = lift.ci95;
            write!(
                f,
                "{digits} at equal depth (95 % {low:+.3} to {high:+.3}, {}); ",
                p_text(lift.p_value)
            )?;
        }
        match (&self.not_comparable, &self.difference) {
            (Some(reason), _) => write!(f, "not comparable: {reason}"),
            (
                None,
                Some(Slope {
                    per_episode,
                    ci95: [low, high],
                    p_value,
                }),
            ) => {
                let digits = decimals((high - low) / 2.0, 2).max(4);
                write!(
                    f,
                    "slope {per_episode:+.digits$} per episode more (95 % {low:+.digits$} to {high:+.digits$}, {})",
                    p_text(*p_value)
                )
            }
            (None, None) => write!(f, "needs at least 3 episodes that both have finished"),
        }
    }
}

impl fmt::Display for BestChild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "best child: {} (episode {}): accuracy {}, reward {}, {} parameters, {} MACs",
            self.child,
            self.episode,
            numbers::accuracy(self.accuracy),
            numbers::reward(self.reward),
            self.params,
            self.macs
        )?;
        writeln!(f, "  dna {}", self.dna)?;
        match self.test_accuracy {
            Some(test) => writeln!(
                f,
                "  test accuracy {} according to the table, when trained to completion",
                numbers::accuracy(test)
            ),
            None => Ok(()),
        }
    }
}

impl Summary {
    /// Trend, lift and comparison.
    fn statistics(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.trend(f)?;
        let so_far = match self.reason {
            Some(FinishReason::Completed) => "",
            _ => " so far",
        };
        if let Some(lift) = &self.policy_lift {
            writeln!(f, "{lift}{so_far}")?;
        }
        match &self.reference {
            Some(reference) if reference.difference.is_some() => {
                writeln!(f, "{reference}{so_far}")
            }
            Some(reference) => writeln!(f, "{reference}"),
            None => Ok(()),
        }
    }

    /// The slope of the mean reward is a trend: what it owes to the depth of the networks stands
    /// beside it, and what it does not say.
    fn trend(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(slope) = &self.reward_slope else {
            return writeln!(f, "trend of the mean reward: needs at least 3 episodes");
        };
        write!(f, "trend of the mean reward: {}", in_full(slope))?;
        match self.depth_of_trend {
            Some(
                DepthOfTrend::Separated { first, last } | DepthOfTrend::Confounded { first, last },
            ) => writeln!(f, "; depth went from {first} to {last} with it")?,
            Some(DepthOfTrend::Constant) | None => writeln!(f)?,
        }
        if let Some(slope) = &self.reward_slope_at_equal_depth {
            writeln!(f, "  at equal depth: {}", in_full(slope))?;
        }
        let learns = StrategyFacts::named(&self.strategy).is_none_or(|strategy| strategy.learns);
        match (learns, self.policy_lift) {
            (false, _) => writeln!(f, "  {NOTHING_LEARNED}"),
            (true, None) if self.control_children == 0 => writeln!(f, "  {NO_CONTROLS}"),
            (true, None) => writeln!(f, "  {}", without_lift()),
            (true, Some(_)) => Ok(()),
        }
    }
}

/// `+0.0027 per episode (95 % -0.0497 to +0.0551, p 0.89)`.
fn in_full(slope: &Slope) -> String {
    let Slope {
        per_episode,
        ci95: [low, high],
        p_value,
    } = slope;
    let digits = decimals((high - low) / 2.0, 2).max(4);
    format!(
        "{per_episode:+.digits$} per episode (95 % {low:+.digits$} to {high:+.digits$}, {})",
        p_text(*p_value)
    )
}

/// The word for a run's status, given why its last session ended.
pub(in crate::analysis) fn reason_word(reason: Option<FinishReason>) -> &'static str {
    reason.map_or("not over", |reason| RunStatus::from(reason).word())
}

/// `1 h 02 min 03 s`, without leading parts that are 0.
pub(in crate::analysis) fn duration(seconds: f64) -> String {
    let whole = seconds as u64;
    match (whole / 3600, whole / 60 % 60) {
        (0, 0) => format!("{seconds:.1} s"),
        (0, minutes) => format!("{minutes} min {:02} s", whole % 60),
        (hours, minutes) => format!("{hours} h {minutes:02} min {:02} s", whole % 60),
    }
}
