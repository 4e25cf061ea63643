//! What came of a search, in a few figures.

use maud::html;

use crate::analysis::verdict::Verdict;
use crate::foundation::numbers::{accuracy, compact, count, duration, energy, reward};
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
        p.note { (selection_note(material)) }
    };
    Section::new("result", "Result", body)
}

/// That a maximum over many children is optimistic.
fn selection_note(material: &Material) -> String {
    format!(
        "The best accuracy is the highest of {} children on one set of validation images: being chosen for it, it is likely to come \
         out lower on other images. Its interval is for the images alone and does not hold that choice.",
        count(material.summary.children_evaluated)
    )
}

fn result_tiles(material: &Material) -> Vec<Tile> {
    let (state, summary) = (&material.state, &material.summary);
    let run = state.search().started.as_ref();
    let images = run.map_or(0, |run| run.data.validation_images);
    let mut list = match &state.search().outcomes.best {
        Some(best) => vec![
            Tile::new(
                "best validation accuracy",
                accuracy(best.accuracy),
                if images == 0 {
                    format!("child {}, episode {}", best.child, best.episode)
                } else {
                    format!(
                        "95 %: {} of {} images; child {}, episode {}",
                        parts::interval(best.accuracy, images),
                        count(images as u64),
                        best.child,
                        best.episode
                    )
                },
            ),
            Tile::new(
                "its reward",
                reward(best.reward),
                run.map_or_else(String::new, |run| {
                    format!("accuracy to the power {}", run.reward_power)
                }),
            ),
        ],
        None => vec![Tile::new(
            "best validation accuracy",
            "none",
            "no child has an accuracy",
        )],
    };
    list.push(Tile::new(
        "test accuracy",
        "not measured",
        "a search reads no test images",
    ));
    if let Some(best) = &state.search().outcomes.best {
        let macs = format!("{} MACs per image", compact(best.macs));
        list.push(Tile::new(
            "parameters of the best",
            count(best.params),
            macs,
        ));
    }
    let planned = run.map_or_else(String::new, |run| {
        format!(" of {}", count(run.children() as u64))
    });
    let episodes = run.map_or_else(String::new, |run| {
        format!(" of {}", count(run.episodes as u64))
    });
    let of_them = format!(
        "{} different networks, {} repeats, {} failed{}",
        count(summary.unique_architectures),
        summary.repeats,
        summary.failures,
        if summary.excluded_children > 0 {
            format!("; {} more excluded", summary.excluded_children)
        } else {
            String::new()
        }
    );
    list.push(Tile::new(
        "children",
        format!("{}{planned}", count(summary.children_evaluated)),
        of_them,
    ));
    let depth = if state.search().depth > 0 {
        format!("networks of {} layers in the last", state.search().depth)
    } else {
        String::new()
    };
    list.push(Tile::new(
        "episodes",
        format!("{}{episodes}", count(state.search().episodes.len() as u64)),
        depth,
    ));
    list.push(Tile::new(
        "working time",
        duration(summary.wall_seconds),
        format!("{:.0} children per hour", summary.children_per_hour),
    ));
    list.push(energy_tile(material));
    list
}

fn energy_tile(material: &Material) -> Tile {
    let known = material.state.search().energy;
    if known.children == 0 {
        return Tile::new("energy", "not known", "no GPU told its power");
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
