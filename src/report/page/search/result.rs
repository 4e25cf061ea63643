//! The result of a search, in a few figures.

use std::collections::BTreeSet;

use maud::html;

use crate::analysis::selection::Selection;
use crate::analysis::verdict::Verdict;
use crate::event::RunStarted;
use crate::foundation::numbers::{accuracy, compact, count, counted, energy, reward};
use crate::report::page::html::{Section, Tile, tiles};
use crate::report::page::material::Material;
use crate::report::page::parts;

/// The verdict and the tiles.
pub fn section(material: &Material) -> Section {
    let verdict = Verdict::of(&material.state).text(usize::MAX, "±");
    let verdict = verdict.strip_prefix("Does it learn? ").unwrap_or(&verdict);
    let verdict = parts::whole(verdict);
    let body = html! {
        p.verdict { strong { "Does it learn? " } (verdict) "." }
        (tiles(&result_tiles(material)))
        p.note { (Selection::of(&material.state.search().outcomes.counts).sentence()) }
    };
    Section::new("result", "Result", body)
}

fn result_tiles(material: &Material) -> Vec<Tile> {
    let mut list = best_tiles(material);
    list.push(Tile::new(
        "test accuracy",
        "not measured",
        "a search reads no test images",
    ));
    if let Some(best) = &material.state.search().outcomes.best {
        let macs = format!("{} MACs per image", compact(best.macs));
        list.push(Tile::new(
            "parameters of the best",
            count(best.params),
            macs,
        ));
    }
    list.extend([
        children_tile(material),
        episodes_tile(material),
        Tile::new(
            "working time",
            parts::working_time(material, material.summary.wall_seconds),
            format!(
                "{:.0} children per hour",
                material.summary.children_per_hour
            ),
        ),
        energy_tile(material),
    ]);
    list
}

/// Accuracy and reward of the best child.
fn best_tiles(material: &Material) -> Vec<Tile> {
    let search = material.state.search();
    let run = search.started.as_ref();
    let Some(best) = &search.outcomes.best else {
        return vec![Tile::new(
            "best validation accuracy",
            "none",
            "no child has an accuracy",
        )];
    };
    let place = format!("child {}, episode {}", best.child, best.episode);
    let note = match run.map_or(0, |run| run.data.validation_images()) {
        0 => place,
        images => format!(
            "95 %: {} of {} images; {place}",
            parts::interval(best.accuracy, images),
            count(images as u64)
        ),
    };
    let note = match best.trainings() {
        1 => note,
        trainings => format!("mean of {trainings} trainings; {note}"),
    };
    let formula = run.map_or_else(String::new, RunStarted::reward_in_words);
    vec![
        Tile::new("best validation accuracy", accuracy(best.accuracy), note),
        Tile::new("its reward", reward(best.reward), formula),
    ]
}

fn children_tile(material: &Material) -> Tile {
    let (search, summary) = (material.state.search(), &material.summary);
    let planned = search.started.as_ref().map_or_else(String::new, |run| {
        format!(" of {}", count(run.children() as u64))
    });
    let excluded = match summary.excluded_children {
        0 => String::new(),
        excluded => format!("; {excluded} more excluded"),
    };
    let stopped = match summary.stopped_early {
        0 => String::new(),
        stopped => format!(", {stopped} stopped early"),
    };
    let retrained = if summary.retrained > 0 {
        format!(", {} trained again", summary.retrained)
    } else {
        String::new()
    };
    Tile::new(
        "children",
        format!("{}{planned}", count(summary.children_evaluated)),
        format!(
            "{} different networks, {} repeats{retrained}, {} failed{stopped}{excluded}",
            count(summary.unique_architectures),
            summary.repeats,
            summary.failures
        ),
    )
}

fn episodes_tile(material: &Material) -> Tile {
    let search = material.state.search();
    let planned = search.started.as_ref().map_or_else(String::new, |run| {
        format!(" of {}", count(run.episodes as u64))
    });
    let last = search.episodes.len();
    let of_last = search
        .trained()
        .filter(|row| row.episode == last && !row.is_edited());
    let depths: BTreeSet<usize> = of_last.map(|row| row.genes.depth()).collect();
    let depth = match (depths.first(), depths.last()) {
        (Some(first), Some(last)) if first < last => {
            format!("networks of {first} to {last} layers in the last")
        }
        (_, Some(depth)) => format!(
            "networks of {} in the last",
            counted(*depth as u64, "layer")
        ),
        (_, None) => String::new(),
    };
    Tile::new(
        "episodes",
        format!("{}{planned}", count(search.episodes.len() as u64)),
        depth,
    )
}

fn energy_tile(material: &Material) -> Tile {
    let known = material.state.search().energy;
    if known.children == 0 {
        return Tile::new("energy", "not known", "no GPU reported its power");
    }
    let trained = material.state.search().trained().count();
    Tile::new(
        "energy",
        energy(known.watt_hours),
        format!(
            "of the GPUs, for {} of {trained} trained children",
            known.children
        ),
    )
}
