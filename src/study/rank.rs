//! How well a search's accuracies predict the ranking of its networks when trained to completion:
//! the best children and some random others.

use std::fmt;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::StudyError;
use super::children::{PastChild, PastRun};
use super::series::{Series, is_complete, summary_of};
use crate::analysis::rank_correlation::RankCorrelation;
use crate::analysis::statistics::p_text;
use crate::foundation::numbers::{accuracy, counted};
use crate::foundation::seeds::derive;
use crate::state::best_first;

/// Which children are trained to completion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankQuestion {
    /// Name of the run.
    pub run: String,
    /// Number of different networks of the search that have an accuracy, from which these are
    /// chosen.
    pub candidates: usize,
    /// The children, in the order in which they are trained.
    pub children: Vec<Chosen>,
}

/// A child that is trained to completion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    /// Its number, from 1.
    pub child: u64,
    /// Whether it is among the best of the search, rather than drawn at random from the others.
    pub is_top: bool,
    /// Validation accuracy in the search.
    pub search_accuracy: f64,
}

impl Chosen {
    /// `top` or `random`.
    pub fn group(&self) -> &'static str {
        if self.is_top { "top" } else { "random" }
    }
}

/// The `top` best children and `random` of the others, drawn with the run's seed, alternating; those
/// that were chosen earlier (`begun`) come first. One that was drawn at random then counts as one of
/// the best if it is among more of them now.
///
/// # Errors
/// If the run has too few different networks with an accuracy, or they are rows of a table, or its
/// best children are others by now.
pub fn choose(
    run: &PastRun,
    top: usize,
    random: usize,
    begun: &[Chosen],
) -> Result<RankQuestion, StudyError> {
    let unsuitable = |problem: String| unsuitable(run, problem);
    let mut candidates = candidates(run, top, random)?;
    let worth = |child: &PastChild| child.accuracy.unwrap_or(0.0);
    let rank = |child: &PastChild| (worth(child), child.child);
    candidates.sort_by(|one, other| best_first(rank(one), rank(other)));
    let count = candidates.len();
    let mut others = candidates.split_off(top);
    let mut children = begun.to_vec();
    for chosen in &mut children {
        let known = run
            .children
            .iter()
            .find(|known| known.child == chosen.child);
        chosen.search_accuracy = known.and_then(|known| known.accuracy).ok_or_else(|| {
            unsuitable(format!(
                "child {} no longer counts among its trained networks (its training was ended by a user): name another folder with --out",
                chosen.child
            ))
        })?;
        let is_best = candidates.iter().any(|best| best.child == chosen.child);
        if chosen.is_top && !is_best {
            return Err(unsuitable(format!(
                "child {} is no longer among its {top} best, because the search has gone on: name another folder with --out",
                chosen.child
            )));
        }
        chosen.is_top = is_best;
    }
    let is_new = |child: &&PastChild| begun.iter().all(|known| known.child != child.child);
    candidates.retain(is_new);
    others.retain(is_new);
    let drawn = children.iter().filter(|chosen| !chosen.is_top).count();
    let seed = derive(run.started.seed, "rank children", begun.len() as u64);
    others.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let chosen = |is_top| {
        move |child: &&PastChild| Chosen {
            child: child.child,
            is_top,
            search_accuracy: worth(child),
        }
    };
    let top = candidates.iter().map(chosen(true)).zip(0..);
    let random = random.saturating_sub(drawn);
    let random = others.iter().take(random).map(chosen(false)).zip(0..);
    let mut new: Vec<(Chosen, usize)> = top.chain(random).collect();
    new.sort_by_key(|(_, turn)| *turn);
    children.extend(new.into_iter().map(|(chosen, _)| chosen));
    Ok(RankQuestion {
        run: run.started.run.clone(),
        candidates: count,
        children,
    })
}

fn unsuitable(run: &PastRun, problem: String) -> StudyError {
    StudyError::Unsuitable {
        run: (&run.started.run).into(),
        problem,
    }
}

/// The networks that can be ranked.
///
/// # Errors
/// If there are too few for `top` and `random`.
fn candidates(run: &PastRun, top: usize, random: usize) -> Result<Vec<&PastChild>, StudyError> {
    let unsuitable = |problem: String| unsuitable(run, problem);
    let has_network = |child: &PastChild| child.design.network().is_some();
    if !run.children.is_empty() && !run.children.iter().any(has_network) {
        return Err(unsuitable(
            "its children are rows of a table, which cannot be trained; name a run whose children are networks".to_owned(),
        ));
    }
    let known = |child: &&PastChild| child.accuracy.is_some() && child.design.network().is_some();
    let candidates: Vec<&PastChild> = run.children.iter().filter(known).collect();
    if top + random < 2 {
        return Err(unsuitable(format!(
            "{} requested with --top and --random, but an order needs at least 2",
            counted((top + random) as u64, "network")
        )));
    }
    if candidates.len() < top + random {
        return Err(unsuitable(format!(
            "{} different networks of it have been trained, but {top} and {random} were requested: request fewer with --top and --random, or \
             wait until it has more",
            candidates.len()
        )));
    }
    Ok(candidates)
}

/// The result of the trainings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// Name of the run.
    pub run: String,
    /// Number of different networks of the search that the children were chosen from.
    pub candidates: usize,
    /// The children by their accuracy in the search, best first.
    pub children: Vec<Ranked>,
    /// Correlation of search accuracy and final accuracy; null for fewer than two trainings, or
    /// equal values.
    pub agreement: Option<RankCorrelation>,
    /// Number of unfinished trainings, which are in no statistic.
    pub unfinished: usize,
}

/// A child with both accuracies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranked {
    /// The child and its results in the search.
    #[serde(flatten)]
    pub chosen: Chosen,
    /// Best validation accuracy of its full training; null if that is unfinished.
    pub final_accuracy: Option<f64>,
    /// Number of epochs of that training.
    pub epochs: usize,
}

impl Ranking {
    /// The result of the trainings as they are now.
    pub fn of(series: &Series<RankQuestion>) -> Ranking {
        let question = series.question();
        let both = question.children.iter().zip(series.paths());
        let ranked = both.map(|(chosen, path)| {
            let summary = summary_of(&path).filter(|_| is_complete(&path));
            let best = summary.as_ref().and_then(|summary| summary.best);
            Ranked {
                chosen: chosen.clone(),
                final_accuracy: best.map(|best| best.valid_accuracy),
                epochs: summary.map_or(0, |summary| summary.epochs_done),
            }
        });
        Ranking::of_children(question, ranked.collect())
    }

    fn of_children(question: &RankQuestion, mut children: Vec<Ranked>) -> Ranking {
        let rank = |child: &Ranked| (child.chosen.search_accuracy, child.chosen.child);
        children.sort_by(|one, other| best_first(rank(one), rank(other)));
        let pairs: Vec<(f64, f64)> = children
            .iter()
            .filter_map(|child| Some((child.chosen.search_accuracy, child.final_accuracy?)))
            .collect();
        Ranking {
            run: question.run.clone(),
            candidates: question.candidates,
            unfinished: children.len() - pairs.len(),
            agreement: RankCorrelation::of(&pairs),
            children,
        }
    }

    /// `Kendall's tau-b 0.60 (95 % 0.12 to 0.85; p 0.017) over 10 networks`.
    pub fn agreement_text(&self) -> String {
        let Some(found) = &self.agreement else {
            return "no rank correlation: this needs two finished trainings that differ".to_owned();
        };
        let interval = found.ci95.map_or_else(
            || "no interval for fewer than 5".to_owned(),
            |[low, high]| format!("95 % {low:+.2} to {high:+.2}"),
        );
        format!(
            "Kendall's tau-b {:+.2} ({interval}; {}) over {} networks",
            found.tau,
            p_text(found.p_value),
            self.children.len() - self.unfinished
        )
    }
}

/// A caveat for the reader.
pub const CAVEAT: &str = "the best and a random rest are easier to tell apart than networks that are all random, and both accuracies are of \
                          the same validation images: over a whole search the agreement is likely lower";

impl fmt::Display for Ranking {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{}: {} of {} networks trained to completion",
            self.run,
            self.children.len() - self.unfinished,
            self.candidates
        )?;
        for child in &self.children {
            let (number, group) = (child.chosen.child, child.chosen.group());
            let reached = child
                .final_accuracy
                .map_or_else(|| "not completed".to_owned(), accuracy);
            let searched = accuracy(child.chosen.search_accuracy);
            writeln!(
                out,
                "child {number:<6} {group:<6}  in the search {searched}  at the end {reached}  ({} epochs)",
                child.epochs
            )?;
        }
        writeln!(out, "{}", self.agreement_text())?;
        writeln!(out, "{CAVEAT}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn run() -> PastRun {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("journal.jsonl");
        std::fs::copy("tests/fixtures/journal-demo.jsonl", journal).unwrap();
        PastRun::read(folder.path()).unwrap()
    }

    #[test]
    fn the_best_are_chosen_and_the_random_ones_are_not_among_them() {
        let run = run();
        let question = choose(&run, 4, 5, &[]).unwrap();
        let numbers: HashSet<u64> = question.children.iter().map(|one| one.child).collect();
        assert_eq!((question.children.len(), numbers.len()), (9, 9));
        let (top, random): (Vec<&Chosen>, Vec<&Chosen>) =
            question.children.iter().partition(|one| one.is_top);
        let worst = top
            .iter()
            .map(|one| one.search_accuracy)
            .fold(1.0, f64::min);
        assert!(random.iter().all(|one| one.search_accuracy <= worst));
        assert_eq!(
            (top.len(), choose(&run, 4, 5, &[]).unwrap()),
            (4, question.clone())
        );
    }

    #[test]
    fn more_children_are_added_to_those_that_were_chosen() {
        let run = run();
        let begun = choose(&run, 3, 4, &[]).unwrap().children;
        let more = choose(&run, 40, 6, &begun).unwrap().children;
        let numbers =
            |chosen: &[Chosen]| -> Vec<u64> { chosen.iter().map(|one| one.child).collect() };
        assert_eq!(numbers(&more)[..7], numbers(&begun));
        let different: HashSet<u64> = numbers(&more).into_iter().collect();
        let (top, random): (Vec<&Chosen>, Vec<&Chosen>) = more.iter().partition(|one| one.is_top);
        assert_eq!((different.len(), top.len(), random.len()), (46, 40, 6));
        let best = |chosen: &[&Chosen], pick: fn(f64, f64) -> f64| {
            let accuracies = chosen.iter().map(|one| one.search_accuracy);
            accuracies.reduce(pick).unwrap()
        };
        assert!(best(&random, f64::max) <= best(&top, f64::min));
        assert_eq!(choose(&run, 3, 4, &begun).unwrap().children, begun);
    }

    #[test]
    fn a_search_whose_best_children_are_others_by_now_is_refused() {
        let run = run();
        let mut begun = choose(&run, 1, 1, &[]).unwrap().children;
        begun.iter_mut().for_each(|one| one.is_top = !one.is_top);
        let error = choose(&run, 1, 1, &begun).unwrap_err().to_string();
        assert!(error.contains("no longer among its 1 best"), "{error}");
    }

    #[test]
    fn more_networks_than_exist_cannot_be_chosen() {
        let error = choose(&run(), 500, 5, &[]).unwrap_err().to_string();
        assert!(error.contains("--top"), "{error}");
    }

    #[test]
    fn an_unfinished_training_counts_in_no_figure() {
        let question = choose(&run(), 3, 3, &[]).unwrap();
        let ranked = |(place, chosen): (usize, &Chosen)| Ranked {
            chosen: chosen.clone(),
            final_accuracy: (place != 2).then_some(0.5 + chosen.search_accuracy / 4.0),
            epochs: 3,
        };
        let children = question.children.iter().enumerate().map(ranked).collect();
        let ranking = Ranking::of_children(&question, children);
        assert_eq!(ranking.unfinished, 1);
        let agreement = ranking.agreement.unwrap();
        assert_eq!(agreement.discordant, 0);
        let text = ranking.to_string();
        assert!(
            text.contains("over 5 networks") && text.contains("not completed"),
            "{text}"
        );
    }
}
