//! A replication as text: the searches, then the lifts of each strategy.

use crate::analysis::lift::PolicyLift;
use crate::analysis::statistics::{Slope, p_text};
use crate::cli::table::{TableColumn, table};
use crate::foundation::numbers::{accuracy, count, points, points_interval};
use crate::study::replication::{ReplicatedSearch, Replication, StrategyLift};

const SEARCHES: [TableColumn; 5] = [
    TableColumn::right("seed"),
    TableColumn::left("strategy"),
    TableColumn::right("trainings"),
    TableColumn::right("best accuracy"),
    TableColumn::left("trend of the mean reward per episode"),
];

const LIFTS: [TableColumn; 3] = [
    TableColumn::right("seed"),
    TableColumn::left("against random search"),
    TableColumn::left("against the search's own controls"),
];

/// All that was found.
pub fn of(found: &Replication) -> String {
    let lines: Vec<[String; 5]> = found.searches.iter().map(line_of_search).collect();
    let mut text = table(&SEARCHES, &lines, usize::MAX);
    text += "(best accuracy: the highest of many noisy ones, hence optimistic; trend: depth may grow with the episode)\n";
    for lift in &found.lifts {
        text += &of_strategy(lift);
    }
    if found.unfinished > 0 {
        text += &format!("{} not completed: in no comparison\n", found.unfinished);
    }
    text
}

fn line_of_search(search: &ReplicatedSearch) -> [String; 5] {
    let trend = search.reward_slope.map_or("none".to_owned(), |slope| {
        let Slope {
            per_episode,
            ci95: [low, high],
            p_value,
        } = slope;
        let p = p_text(p_value);
        format!("{per_episode:+.4} (95 % {low:+.4} to {high:+.4}, {p})")
    });
    let state = if search.is_complete {
        ""
    } else {
        ", not completed"
    };
    [
        search.seed.to_string(),
        search.strategy.clone(),
        count(search.trainings),
        search.best_accuracy.map_or("none".to_owned(), accuracy),
        trend + state,
    ]
}

fn of_strategy(lift: &StrategyLift) -> String {
    let in_words = |lift: Option<PolicyLift>| {
        lift.map_or("none".to_owned(), |lift| {
            let [low, high] = lift.ci95;
            let (p, n) = (p_text(lift.p_value), count(lift.controls as u64));
            let difference = lift.difference;
            format!("{difference:+.4} (95 % {low:+.4} to {high:+.4}, {p}; {n} children)")
        })
    };
    let seeds = lift
        .seeds
        .iter()
        .map(|seed| (seed.seed.to_string(), seed.lift));
    let together = ("together".to_owned(), lift.together);
    let lines: Vec<[String; 3]> = seeds
        .chain([together])
        .map(|(seed, lift)| [seed, in_words(lift.random), in_words(lift.controls)])
        .collect();
    let mut text = format!(
        "\nLift of {}: mean reward of its children minus that of random ones at equal depth, from episode 2 on\n",
        lift.strategy
    );
    text += &table(&LIFTS, &lines, usize::MAX);
    if let Some(mean) = lift.over_seeds {
        let [low, high] = mean.ci95;
        text += &format!(
            "lift against random search: mean over {} seeds {:+.4} (95 % {low:+.4} to {high:+.4} by Student's t)\n",
            mean.count, mean.mean
        );
    }
    if let Some(best) = lift.best_accuracy {
        text += &format!(
            "best accuracy minus random search's: mean over {} seeds {} (95 % {} by Student's t)\n",
            best.count,
            points(best.mean),
            points_interval(best.ci95)
        );
    }
    text
}
