//! The main effect of each option of the space on the reward, over all depths and in bands of
//! depth.

use std::borrow::Cow;

use super::panel::{About, PANELS, SEARCH, Scrolled, TextPanel};
use super::{Content, Row, labelled, words};
use crate::analysis::effects::{Band, EffectEstimate, Effects, OptionEffects};
use crate::event::RunStarted;
use crate::foundation::numbers::count;
use crate::state::SearchRun;
use crate::tui::panels::scene::Scene;
use crate::tui::theme::Role;

/// Columns for an option's name.
const OPTION: usize = 10;
/// Columns for the number of layers with it.
const LAYERS: usize = 7;
/// Columns for an effect with its half-interval, and without.
const WIDE: usize = 18;
const NARROW: usize = 10;
/// Divisor of the number of children: the effects are recomputed when the run has grown by this
/// fraction.
const NEWS: usize = 100;

/// The panel, with its effects, which are computed when the panel is shown and kept.
#[derive(Debug, Clone, Default)]
pub struct EffectsView {
    /// Number of children that had ended when the effects were computed.
    ended: Option<usize>,
    effects: Effects,
}

#[linkme::distributed_slice(PANELS)]
static ABOUT: About = About {
    need: |scene, _| need(scene),
    ..About::of::<Scrolled<EffectsView>>("effects", "Effects", 60, SEARCH)
};

impl TextPanel for EffectsView {
    fn title(&self, _scene: &Scene<'_>) -> (Cow<'static, str>, Row) {
        let children = count(self.effects.children as u64);
        let beside = labelled("networks", Role::Strong, children);
        ("Effects on the reward".into(), beside)
    }

    fn content(&self, scene: &Scene<'_>, width: usize, _height: usize) -> Content {
        match &scene.state.search().started {
            Some(run) if self.effects.tested > 0 => content(&self.effects, run, scene, width),
            _ => {
                let text = "too few networks have been trained to tell options apart";
                vec![words(Role::Dim, text)].into()
            }
        }
    }

    fn refresh(&mut self, scene: &Scene<'_>) {
        if !scene.shows(ABOUT.id) {
            return;
        }
        let search = scene.state.search();
        if self.is_outdated(search) {
            self.ended = Some(search.children.len());
            self.effects = Effects::of_search(search);
        }
    }
}

impl EffectsView {
    /// Whether the effects must be recomputed: the children are different, or there are enough new
    /// ones.
    fn is_outdated(&self, search: &SearchRun) -> bool {
        let now = search.children.len();
        self.ended
            .is_none_or(|then| now < then || now > then + then / NEWS)
    }
}

/// A row for each head and each of its options, a heading above them and notes below.
fn need(scene: &Scene<'_>) -> Option<usize> {
    let run = scene.live.search().started.as_ref()?;
    let heads = run.heads.iter().map(|head| 1 + head.options.len());
    Some(1 + heads.sum::<usize>() + NOTES)
}

fn content(effects: &Effects, run: &RunStarted, scene: &Scene<'_>, width: usize) -> Content {
    let bands = match effects.bands.as_slice() {
        [_] => &[][..],
        bands => bands,
    };
    let fixed = OPTION + LAYERS + WIDE;
    let cell = match width >= fixed + bands.len() * WIDE {
        true => WIDE,
        false => NARROW,
    };
    let table = EffectTable {
        bands: &bands[..bands.len().min(width.saturating_sub(fixed) / cell)],
        cell,
        plus_minus: scene.glyphs().plus_minus,
    };
    let mut body = Vec::new();
    for (head, effects) in run.heads.iter().zip(&effects.heads) {
        body.push(vec![(Role::Title, head.kind.name().to_owned())]);
        for option in &effects.options {
            body.push(table.row(&head.kind.label(option.value), option));
        }
    }
    body.extend(notes(effects, scene.glyphs().plus_minus));
    Content {
        head: vec![table.heading()],
        body,
    }
}

/// Rows of the notes.
const NOTES: usize = 4;

/// How to read the numbers.
fn notes(effects: &Effects, plus_minus: &str) -> Vec<Row> {
    let tested = effects.tested;
    let lines: [String; NOTES] = [
        "reward of one more layer with the option, less the average".to_owned(),
        format!("of the head's options; {plus_minus}: 95 %, each for itself"),
        format!("{tested} are tested: about one in 20 intervals misses;"),
        format!("* clear among all {tested} (Holm, 5 %)"),
    ];
    let row = |line: String| vec![(Role::Dim, line)];
    lines.into_iter().map(row).collect()
}

/// The columns.
struct EffectTable<'a> {
    /// The bands of depth for which there is space.
    bands: &'a [Band],
    cell: usize,
    plus_minus: &'a str,
}

impl EffectTable<'_> {
    fn heading(&self) -> Row {
        let mut text = format!("{:<OPTION$}{:>LAYERS$}{:>WIDE$}", "", "layers", "effect  ");
        for band in self.bands {
            let name = match band.from == band.to {
                true => format!("{} layers", band.from),
                false => format!("{}-{} layers", band.from, band.to),
            };
            let width = self.cell;
            let name = if width < WIDE {
                name.replace(" layers", "")
            } else {
                name
            };
            text += &format!("{:>width$}", format!("{name}  "));
        }
        vec![(Role::Dim, text)]
    }

    fn row(&self, label: &str, option: &OptionEffects) -> Row {
        let label: String = label.chars().take(OPTION - 3).collect();
        let name = format!("  {label:<width$}", width = OPTION - 2);
        let layers = count(option.layers as u64);
        let mut row = vec![
            (Role::Text, name),
            (Role::Dim, format!("{layers:>LAYERS$}")),
        ];
        row.push(self.effect(option.all.as_ref(), WIDE));
        let bands = option.bands.iter().take(self.bands.len());
        row.extend(bands.map(|effect| self.effect(effect.as_ref(), self.cell)));
        row
    }

    fn effect(&self, effect: Option<&EffectEstimate>, width: usize) -> (Role, String) {
        let Some(effect) = effect else {
            return (Role::Dim, format!("{:>width$}", "unknown  "));
        };
        let half = (effect.ci95[1] - effect.ci95[0]) / 2.0;
        let star = if effect.is_clear { "*" } else { " " };
        let text = match width < WIDE {
            true => format!("{:+.3} {star}", effect.per_layer),
            false => format!(
                "{:+.4} {}{half:.4}{star}",
                effect.per_layer, self.plus_minus
            ),
        };
        let role = if effect.is_clear {
            Role::Strong
        } else {
            Role::Text
        };
        (role, format!("{text:>width$}"))
    }
}
