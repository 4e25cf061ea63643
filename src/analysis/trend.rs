//! The trend of a run's mean rewards over its episodes: at equal depth where several episodes share
//! one, and otherwise with the depths that it may come from.

use serde::{Deserialize, Serialize};

use super::statistics::{LineFit, Slope};
use crate::event::EpisodeFinished;
use crate::state::Arms;

/// An episode as far as its trend is concerned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpisodePoint {
    /// Its number, from 1.
    pub episode: usize,
    /// Smallest and largest number of layers of its children; zeros if they are not known.
    pub depths: (usize, usize),
    /// Mean reward of its children.
    pub mean_reward: f64,
}

impl EpisodePoint {
    /// The finished episodes of a run. `arms` are those of its outcomes.
    pub fn of(episodes: &[EpisodeFinished], arms: &[Arms]) -> Vec<EpisodePoint> {
        let depths = |episode: &EpisodeFinished| {
            let of_episode = arms.iter().rfind(|arms| arms.episode == episode.episode);
            of_episode.map_or((0, 0), |arms| arms.depths)
        };
        let of = |episode: &EpisodeFinished| EpisodePoint {
            episode: episode.episode,
            depths: depths(episode),
            mean_reward: episode.mean_reward,
        };
        episodes.iter().map(of).collect()
    }
}

/// The slope of the mean rewards with what it means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Change of the mean reward per episode.
    pub slope: Slope,
    /// What it owes to the depth of the networks.
    pub depth: DepthOfTrend,
}

/// What a trend owes to the depth of the networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DepthOfTrend {
    /// Nothing: all episodes have the same depth, or none is known.
    Constant,
    /// Nothing: an intercept for each depth was fitted, with a common slope.
    Separated {
        /// Number of layers in the first episode.
        first: usize,
        /// Number of layers in the last episode.
        last: usize,
    },
    /// Unknown: depth changes with the episode, and no slope within a depth can be told.
    Confounded {
        /// Number of layers in the first episode.
        first: usize,
        /// Number of layers in the last episode.
        last: usize,
    },
}

impl Trend {
    /// `None` for fewer than three episodes.
    pub fn of(points: &[EpisodePoint]) -> Option<Trend> {
        let (fit, separated) = Trend::fit(points)?;
        let (first, last) = (points.first()?.depths.0, points.last()?.depths.1);
        Some(Trend {
            slope: fit.slope()?,
            depth: match points.iter().all(|point| point.depths == points[0].depths) {
                true if points[0].depths.0 == points[0].depths.1 => DepthOfTrend::Constant,
                _ if separated => DepthOfTrend::Separated { first, last },
                _ => DepthOfTrend::Confounded { first, last },
            },
        })
    }

    /// The line through the points, within depths if possible; whether it is within depths.
    pub fn fit(points: &[EpisodePoint]) -> Option<(LineFit, bool)> {
        let positions: Vec<f64> = points.iter().map(|point| point.episode as f64).collect();
        let values: Vec<f64> = points.iter().map(|point| point.mean_reward).collect();
        let depths: Vec<(usize, usize)> = points.iter().map(|point| point.depths).collect();
        match LineFit::within(&depths, &positions, &values) {
            Some(fit) => Some((fit, true)),
            None => Some((LineFit::of(&positions, &values)?, false)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(depths: &[usize], rewards: &[f64]) -> Vec<EpisodePoint> {
        let both = (1..).zip(depths.iter().zip(rewards));
        let point = |(episode, (depth, reward)): (usize, (&usize, &f64))| EpisodePoint {
            episode,
            depths: (*depth, *depth),
            mean_reward: *reward,
        };
        both.map(point).collect()
    }

    #[test]
    fn a_rise_that_only_depth_explains_is_none_at_equal_depth() {
        let rewards = [0.2, 0.2, 0.2, 0.4, 0.4, 0.4, 0.6, 0.6, 0.6];
        let trend = Trend::of(&points(&[6, 6, 6, 8, 8, 8, 10, 10, 10], &rewards)).unwrap();
        assert_eq!(trend.depth, DepthOfTrend::Separated { first: 6, last: 10 });
        assert!(trend.slope.per_episode.abs() < 1e-12);
        let alone = Trend::of(&points(&[6; 9], &rewards)).unwrap();
        assert_eq!(alone.depth, DepthOfTrend::Constant);
        assert!(alone.slope.per_episode > 0.05);
    }

    #[test]
    fn where_depth_is_one_with_the_episode_the_slope_is_confounded_with_it() {
        let trend = Trend::of(&points(&[6, 7, 8, 9], &[0.2, 0.3, 0.2, 0.4])).unwrap();
        assert_eq!(trend.depth, DepthOfTrend::Confounded { first: 6, last: 9 });
        // Two episodes of equal depth among four leave no degree of freedom.
        let trend = Trend::of(&points(&[6, 6, 7, 8], &[0.2, 0.3, 0.2, 0.4])).unwrap();
        assert_eq!(trend.depth, DepthOfTrend::Confounded { first: 6, last: 8 });
    }

    #[test]
    fn unknown_depths_are_one_depth() {
        let trend = Trend::of(&points(&[0; 4], &[0.2, 0.3, 0.2, 0.4])).unwrap();
        assert_eq!(trend.depth, DepthOfTrend::Constant);
        assert_eq!(Trend::of(&points(&[6, 6], &[0.2, 0.3])), None);
    }
}
