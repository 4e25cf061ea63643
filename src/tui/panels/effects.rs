//! The main effect of each option of the space on the reward, over all depths and in bands of
//! depth.

use std::borrow::Cow;

use super::panel::{About, LazyTable, PANELS, SEARCH, Scrolled, TextPanel};
use super::{Content, Row, labelled, words, wrapped};
use crate::analysis::effects::{Band, EffectEstimate, Effects, OptionEffects};
use crate::event::RunStarted;
use crate::foundation::numbers::{count, signed};
use crate::report::page::tables;
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
    need,
    ..About::of::<Scrolled<EffectsView>>("effects", "Effects", 60, SEARCH)
};

impl TextPanel for EffectsView {
    fn title(&self, _scene: &Scene<'_>, _width: usize) -> (Cow<'static, str>, Row) {
        let children = count(self.effects.children as u64);
        let mut beside = labelled("networks", Role::Strong, children);
        if self.effects.failed > 0 {
            let failed = count(self.effects.failed as u64);
            beside.push((Role::Dim, format!(", {failed} failed (reward 0)")));
        }
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

    fn table<'a>(&'a self, scene: &'a Scene<'_>) -> Option<LazyTable<'a>> {
        let started = scene.state.search().started.as_ref();
        let run = started.filter(|_| self.effects.tested > 0)?;
        Some(Box::new(move || {
            tables::studies::effects(run, &self.effects)
        }))
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

/// A row for each decision and each of its options, a heading above them and the notes below.
fn need(scene: &Scene<'_>, width: usize) -> Option<usize> {
    let heads = &scene.live.search().started.as_ref()?.heads;
    let options: usize = heads.iter().map(|head| head.options.len()).sum();
    // Not more than these can be tested.
    let notes = notes(options, scene.glyphs().plus_minus, width);
    Some(1 + heads.len() + options + notes.len())
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
    body.extend(notes(effects.tested, scene.glyphs().plus_minus, width));
    Content {
        head: vec![table.heading()],
        body,
    }
}

/// How to read the numbers.
fn notes(tested: usize, plus_minus: &str, width: usize) -> Vec<Row> {
    let text = format!(
        "effect: reward of one more layer with the option, less the average of the decision's options; \
         {plus_minus}: 95 %, each for itself (about 1 in 20 misses); *: clear among all {tested} (Holm, 5 %)"
    );
    wrapped(Role::Dim, &text, width)
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
            true => format!("{} {star}", signed(effect.per_layer, 3)),
            false => format!(
                "{} {}{half:.4}{star}",
                signed(effect.per_layer, 4),
                self.plus_minus
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notes_take_no_more_rows_than_their_words_need() {
        assert_eq!(notes(11, "±", 78).len(), 3);
        assert_eq!(notes(11, "±", 58).len(), 4);
        let last = notes(11, "±", 200).pop();
        assert_eq!(
            last.map(|row| row[0].1.ends_with("(Holm, 5 %)")),
            Some(true),
            "one row, with what * means"
        );
    }
}
