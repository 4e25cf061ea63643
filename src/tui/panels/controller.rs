//! The controller's policy: its probabilities for each choice of the child shown, and what the last
//! episode taught it.

mod heat_map;
mod plan;

use std::borrow::Cow;

use heat_map::HeatMap;
use plan::Plan;

use super::chart::verdict_line;
use super::panel::{About, Hint, PANELS, SEARCH, Scrolled, TextPanel, hints};
use super::{Content, PanelId, Row, join_fitting, labelled, words};
use crate::config::{LayoutName, StrategyFacts};
use crate::event::EpisodeFinished;
use crate::state::{CandidateOrigin, RunState};
use crate::tui::format;
use crate::tui::panels::scene::Scene;
use crate::tui::theme::Role;

/// A policy has collapsed if its entropy is below this fraction of the maximum, or if more than the
/// next fraction of an episode's children are repeats.
const LEAST_ENTROPY: f64 = 0.1;
const MOST_REPEATS: f64 = 0.5;

/// Height of a panel in rows from which on it has a verdict.
const VERDICT_FROM: usize = 8;
/// Most rows of the verdict.
const VERDICT_ROWS: usize = 2;

/// The panel.
#[derive(Debug, Clone, Default)]
pub struct Controller;

#[linkme::distributed_slice(PANELS)]
static ABOUT: About = About {
    need: |scene, width| Some(need(scene, width)),
    ..About::of::<Scrolled<Controller>>("controller", "Controller", 20, SEARCH)
};

impl TextPanel for Controller {
    fn title(&self, scene: &Scene<'_>, _width: usize) -> (Cow<'static, str>, Row) {
        let beside = match alarm(scene.state) {
            Some(alarm) => vec![(Role::Error, alarm)],
            None => scene.shown_child().map_or(Row::new(), |child| {
                labelled(
                    "child",
                    Role::Strong,
                    format!("{child} {}", scene.glyphs().left_right),
                )
            }),
        };
        ("Controller".into(), beside)
    }

    fn content(&self, scene: &Scene<'_>, width: usize, height: usize) -> Content {
        content(scene, width, height)
    }

    fn hints(&self) -> &'static [Hint] {
        hints!["other child": Left, Right]
    }
}

/// Whether the policy of the last episode has collapsed, and the evidence.
pub fn alarm(state: &RunState) -> Option<String> {
    let episode = state.search().episodes.last()?;
    let children = episode.advantages.len().max(1);
    if episode.repeats as f64 > MOST_REPEATS * children as f64 {
        return Some(format!(
            "COLLAPSED: {} of {children} repeats",
            episode.repeats
        ));
    }
    let (entropy, most) = episode.entropy.zip(episode.max_entropy)?;
    let share = entropy / most;
    (most > 0.0 && share < LEAST_ENTROPY)
        .then(|| format!("COLLAPSED: entropy {:.0} % of its maximum", share * 100.0))
}

/// Rows for a child of the depth that the search will soon have: the verdict unless the chart has it, two rows
/// about the episode, and the probabilities with their headings. Without a policy there are only words.
fn need(scene: &Scene<'_>, width: usize) -> usize {
    let search = scene.live.search();
    let strategy = search.started.as_ref().map(|run| run.strategy.as_str());
    let strategy = strategy.and_then(StrategyFacts::named);
    let has_policy = strategy.is_none_or(|strategy| strategy.has_policy);
    // These arrangements have the chart.
    let layout = scene.arrangement.layout;
    let verdict = match layout {
        LayoutName::Overview | LayoutName::Learning => 0,
        _ => VERDICT_ROWS,
    };
    let map = match has_policy {
        true => {
            let depth = search.depth_ahead();
            Plan::of(search.heads(), depth, width).rows(depth)
        }
        false => 1,
    };
    verdict + 2 + map
}

/// The panel's content for `width` x `height`, below its title.
fn content(scene: &Scene<'_>, width: usize, height: usize) -> Content {
    let state = scene.state;
    // The first question about a controller. The chart also answers it, if it is shown.
    let chart_is_shown = scene.shows(PanelId("chart"));
    let mut head = if height >= VERDICT_FROM && !chart_is_shown {
        verdict_line::rows(state, scene.glyphs(), width, VERDICT_ROWS)
    } else {
        Vec::new()
    };
    let above = head.len();
    let last = state.search().episodes.last();
    let figures = last.map_or(Vec::new(), |episode| episode_rows(episode, width));
    let shown = scene.shown_child();
    let Some(detail) = shown.and_then(|child| scene.detail(child)) else {
        let why = match shown {
            Some(_) => "reading the journal",
            None => "no child has been sampled yet",
        };
        head.push(words(Role::Dim, why));
        return Content {
            head,
            body: figures,
        };
    };
    if detail.candidate.choices().is_empty() {
        head.push(vec![(Role::Dim, not_drawn(&detail.candidate.origin))]);
        return Content {
            head,
            body: figures,
        };
    }
    let map = HeatMap::new(
        state.search().heads(),
        &detail.candidate,
        scene.glyphs(),
        width,
    );
    let Content {
        head: headings,
        mut body,
    } = map.content();
    head.extend(headings);
    let spare = height.saturating_sub(head.len() + body.len());
    if spare > figures.len() {
        body.push(Row::new());
    }
    // If there is little room, figures take precedence over layers that would need scrolling
    // anyway.
    if spare < figures.len() && height >= 8 {
        head.splice(above..above, figures.into_iter().take(2));
    } else {
        body.extend(figures);
    }
    Content { head, body }
}

/// What the last episode taught.
fn episode_rows(episode: &EpisodeFinished, width: usize) -> Vec<Row> {
    let number = |value: Option<f64>| {
        value.map_or("none".to_owned(), |value| {
            format::decimal(value + 0.0, 3).replace("-0.000", "0.000")
        })
    };
    let spread = |pick: fn(f64, f64) -> f64| episode.advantages.iter().copied().reduce(pick);
    let (low, high) = (spread(f64::min), spread(f64::max));
    let advantage = low.zip(high).map_or("none".to_owned(), |(low, high)| {
        format!("{low:+.3} to {high:+.3}")
    });
    let entropy = episode.entropy.zip(episode.max_entropy);
    let entropy = entropy.map_or("none".to_owned(), |(entropy, most)| {
        let share = if most > 0.0 {
            entropy / most * 100.0
        } else {
            0.0
        };
        format!("{entropy:.2} of {most:.2} ({share:.0} %)")
    });
    vec![
        join_fitting(
            vec![
                labelled(
                    &format!("episode {}: entropy", episode.episode),
                    Role::Strong,
                    entropy,
                ),
                labelled("repeats", Role::Text, episode.repeats.to_string()),
            ]
            .into_iter()
            .chain(episode.staleness.map(|staleness| {
                labelled(
                    "asynchronous, staleness",
                    Role::Text,
                    format!("{staleness:.2}"),
                )
            }))
            .collect(),
            "  ",
            width,
        ),
        join_fitting(
            vec![
                labelled("gradient", Role::Text, number(episode.gradient_norm)),
                labelled(
                    "baseline",
                    Role::Baseline,
                    format::or_none(episode.baseline, |baseline| format!("{baseline:.4}")),
                ),
                labelled("advantage", Role::Text, advantage),
                labelled("loss", Role::Text, number(episode.loss)),
            ],
            "  ",
            width,
        ),
    ]
}

/// Why a child has no probabilities.
fn not_drawn(origin: &CandidateOrigin) -> String {
    match origin {
        CandidateOrigin::Mutated { parent } => {
            format!("a mutation of child {parent}: one choice was changed")
        }
        CandidateOrigin::Uniform => "every choice was made uniformly".to_owned(),
        CandidateOrigin::Control => "a control: every choice was made uniformly".to_owned(),
        CandidateOrigin::Edited { .. } | CandidateOrigin::Sampled { .. } => {
            "an edited child: the controller did not choose it".to_owned()
        }
    }
}

#[cfg(test)]
mod tests;
