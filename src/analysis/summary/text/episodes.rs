//! The table of episodes in the text at the end of a search.

use std::fmt::Write as _;

use crate::analysis::summary::EpisodeSummary;
use crate::foundation::numbers;

/// Most episodes that are all listed: of more, the head of the text would scroll out of sight.
const ALL: usize = 24;
/// Of more: how many of the first and of the last are listed, and about how many between them.
const FIRST: usize = 3;
const LAST: usize = 5;
const BETWEEN: usize = 12;

/// A row for each episode; of many, for the first, the last and round numbers between them.
pub(super) fn episode_table(episodes: &[EpisodeSummary]) -> String {
    if episodes.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "{:>7}  {:>11}  {:>8}  {:>13}  {:>13}  {:>7}\n",
        "episode", "mean reward", "baseline", "mean accuracy", "best accuracy", "entropy"
    );
    let step = round_step(episodes.len());
    let is_listed = |place: usize, episode: &EpisodeSummary| {
        let is_end = place < FIRST || place + LAST >= episodes.len();
        is_end || episode.episode.is_multiple_of(step)
    };
    let listed = episodes.iter().enumerate();
    let listed: Vec<&EpisodeSummary> = listed
        .filter(|(place, episode)| is_listed(*place, episode))
        .map(|(_, episode)| episode)
        .collect();
    listed.iter().for_each(|episode| text += &row(episode));
    if listed.len() < episodes.len() {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "  {} of {} episodes; summary.json and the report (nas-tui report) have all",
            listed.len(),
            episodes.len()
        );
    }
    text
}

fn row(episode: &EpisodeSummary) -> String {
    let accuracy = |value: Option<f64>| numbers::or_none(value, numbers::accuracy);
    let entropy = numbers::or_none(episode.entropy, |entropy| format!("{entropy:.2}"));
    format!(
        "{:>7}  {:>11}  {:>8}  {:>13}  {:>13}  {entropy:>7}\n",
        episode.episode,
        numbers::reward(episode.mean_reward),
        numbers::or_none(episode.baseline, numbers::reward),
        accuracy(episode.mean_accuracy),
        accuracy(episode.best_accuracy),
    )
}

/// The smallest of 1, 2, 5, 10, 20, 50 and so on whose multiples among so many episodes are few enough.
fn round_step(episodes: usize) -> usize {
    if episodes <= ALL {
        return 1;
    }
    let tens = (0..).map_while(|power| 10_usize.checked_pow(power));
    let mut steps = tens.flat_map(|ten| [1, 2, 5].map(|digit| ten.saturating_mul(digit)));
    let is_coarse = |step: &usize| episodes / step <= BETWEEN;
    steps.find(is_coarse).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table_of(episodes: usize) -> String {
        let episode = |episode| EpisodeSummary {
            episode,
            mean_reward: 0.25,
            baseline: None,
            mean_accuracy: Some(0.5),
            best_accuracy: Some(0.75),
            entropy: Some(2.0),
        };
        let episodes: Vec<EpisodeSummary> = (1..=episodes).map(episode).collect();
        episode_table(&episodes)
    }

    fn listed(table: &str) -> Vec<usize> {
        let numbers = table.lines().skip(1).map(|row| {
            let row = row.trim_start();
            row.split("  ")
                .next()
                .and_then(|number| number.parse().ok())
        });
        numbers.flatten().collect()
    }

    #[test]
    fn few_episodes_are_all_listed_and_of_many_the_first_the_last_and_round_ones_between() {
        let few = table_of(24);
        assert_eq!(few.lines().count(), 25, "{few}");
        assert_eq!(listed(&few), (1..=24).collect::<Vec<_>>());
        let many = table_of(600);
        let ends = [596, 597, 598, 599, 600];
        let between = (1..12).map(|fifty| fifty * 50);
        let expected: Vec<usize> = [1, 2, 3].into_iter().chain(between).chain(ends).collect();
        assert_eq!(listed(&many), expected, "{many}");
        let last = many.lines().last().unwrap();
        assert!(
            last.starts_with("  19 of 600 episodes; summary.json and the report"),
            "{last}"
        );
        assert!(many.lines().all(|line| line.len() <= 80), "{many}");
    }

    #[test]
    fn the_table_stays_short_however_many_episodes_there_are() {
        for episodes in [25, 100, 999, 20_000, 1_000_000] {
            let rows = table_of(episodes).lines().count();
            assert!((12..=24).contains(&rows), "{episodes}: {rows}");
        }
    }
}
