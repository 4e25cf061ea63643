//! The effect of each option of the space.

use maud::{Markup, html};

use crate::analysis::effects::{Band, EffectEstimate, Effects};
use crate::analysis::statistics::p_text;
use crate::event::RunStarted;
use crate::foundation::numbers::{count, counted};
use crate::report::page::html::{Heading, Section, table};
use crate::report::page::material::Material;
use crate::report::page::tables::{CsvTable, studies};
use crate::state::SearchRun;

/// The section; `None` if too few children have been trained to estimate an effect.
pub fn section(material: &Material) -> Option<Section> {
    let search = material.state.search();
    let run = search.started.as_ref()?;
    let effects = Effects::of_search(search);
    if effects.tested == 0 {
        return None;
    }
    let tested = effects.tested;
    let body = html! {
        p {
            "What one more layer with an option is worth, in reward, compared with the average of the options of the same kind: regression on the numbers of \
             layers with each option, all kinds together, with an intercept for each episode, over " (count(effects.children as u64)) " networks that were trained for themselves"
            @if effects.failed > 0 {
                " (" (count(effects.failed as u64)) " of them failed: reward 0)"
            }
            "."
        }
        (effects_table(run, &effects))
        @if effects.bands.len() > 1 { (bands_table(run, &effects)) }
        p.note {
            "Each 95 % interval stands alone: of " (tested) " intervals about one in 20 misses the true effect, and more do over the bands of depth. A clear effect is significant "
            "among all " (tested) " over all depths (Holm's procedure at 5 %; in a band, among those of the band). Effects are averages over places and over the other choices: they say nothing about combinations, and under a "
            "policy that has learned they say little about what it no longer chooses."
        }
    };
    Some(Section::new("effects", "What each option is worth", body))
}

/// The effects as a table; `None` as for the section.
pub fn as_csv(search: &SearchRun) -> Option<CsvTable> {
    let run = search.started.as_ref()?;
    let effects = Effects::of_search(search);
    (effects.tested > 0).then(|| studies::effects(run, &effects))
}

fn effects_table(run: &RunStarted, effects: &Effects) -> Markup {
    let columns: [Heading; 7] = [
        ("kind", false),
        ("option", true),
        ("layers", true),
        ("reward per layer", true),
        ("95 % interval", true),
        ("p", true),
        ("clear", false),
    ];
    let mut rows = Vec::new();
    for (head, found) in run.heads.iter().zip(&effects.heads) {
        for option in &found.options {
            let name = [
                head.kind.name().to_owned(),
                head.kind.label(option.value),
                count(option.layers as u64),
            ];
            let cells = match &option.all {
                None => ["unknown", "", "", ""].map(str::to_owned),
                Some(effect) => [
                    format!("{:+.4}", effect.per_layer),
                    interval(effect),
                    p_text(effect.p_value).trim_start_matches("p ").to_owned(),
                    if effect.is_clear { "yes" } else { "" }.to_owned(),
                ],
            };
            rows.push([&name[..], &cells].concat());
        }
    }
    table("Over all depths", &columns, rows)
}

fn bands_table(run: &RunStarted, effects: &Effects) -> Markup {
    const NAMES: [&str; 3] = ["shallow", "middle", "deep"];
    let names = match effects.bands.len() {
        2 => vec![NAMES[0], NAMES[2]],
        _ => NAMES.to_vec(),
    };
    let mut columns: Vec<Heading> = vec![("kind", false), ("option", true)];
    columns.extend(names.iter().map(|name| (*name, true)));
    let mut rows = Vec::new();
    for (head, found) in run.heads.iter().zip(&effects.heads) {
        for option in &found.options {
            let mut cells = vec![head.kind.name().to_owned(), head.kind.label(option.value)];
            cells.extend(option.bands.iter().map(|effect| cell(effect.as_ref())));
            rows.push(cells);
        }
    }
    let bands = names.iter().zip(&effects.bands);
    let named: Vec<String> = bands
        .map(|(name, Band { from, to, children })| {
            let layers = match from == to {
                true => counted(*from as u64, "layer"),
                false => format!("{from} to {to} layers"),
            };
            format!("{name}: {layers}, {children} networks")
        })
        .collect();
    let caption = format!("By depth ({})", named.join("; "));
    table(&caption, &columns, rows)
}

fn cell(effect: Option<&EffectEstimate>) -> String {
    match effect {
        None => "unknown".to_owned(),
        Some(effect) => {
            let clear = if effect.is_clear { ", clear" } else { "" };
            format!("{:+.4} ({}{clear})", effect.per_layer, interval(effect))
        }
    }
}

fn interval(effect: &EffectEstimate) -> String {
    let [low, high] = effect.ci95;
    format!("{low:+.4} to {high:+.4}")
}
