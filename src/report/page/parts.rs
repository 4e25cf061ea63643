//! Parts of the page shared by searches and trainings: settings, environment, a network's layers.

use maud::{Markup, html};

use super::html::{Heading, HtmlColumn, facts, table, table_of};
use super::material::{Material, SavedSettings, meaning};
use crate::analysis::history::{Notice, PastSession};
use crate::classification::proportion::wilson;
use crate::event::{DataDescription, Level};
use crate::foundation::numbers::{self, compact, count};
use crate::space::{self, Architecture, Cost, Dna, Layer, LayerCost};

/// `60.1–65.3 %`: the 95 % interval of a share of `of` images.
pub fn interval(share: f64, of: usize) -> String {
    bounds(wilson((share * of as f64).round() as usize, of))
}

/// `60.1–65.3 %`.
pub fn bounds([low, high]: [f64; 2]) -> String {
    format!("{:.1}–{:.1} %", low * 100.0, high * 100.0)
}

/// `text` with percentages that cannot be broken at the end of a line.
pub fn whole(text: &str) -> String {
    text.replace(" %", "\u{a0}%")
}

/// A time as `2026-11-24 10:15 UTC`.
pub fn moment(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The run's status, in one word and in a sentence; `ended` says more about its end.
pub fn status(material: &Material, ended: &str) -> (&'static str, String) {
    let torn = if material.torn {
        " The journal ends in an unfinished line, which is left out."
    } else {
        ""
    };
    let status = material.status();
    (
        status.word(),
        format!("{}{ended}{torn}", meaning(status, &material.settings)),
    )
}

/// `, begun 2026-11-24 10:15 UTC`.
pub fn begun(material: &Material) -> String {
    let began = material.state.started;
    began.map_or_else(String::new, |time| format!(", begun {}", moment(time)))
}

/// The settings that the run was started with, by section.
pub fn settings(settings: &SavedSettings) -> Markup {
    match settings {
        SavedSettings::Known(all) => {
            let mut sections = Vec::new();
            sections_of("", all, &mut sections);
            html! {
                p.note { "Every setting of the run, as its config.toml has them." }
                div.settings {
                    @for (name, values) in &sections {
                        section { @if !name.is_empty() { h3 { (name) } } (facts(values)) }
                    }
                }
            }
        }
        SavedSettings::Unknown(reason) => html! { p { "Not known: " (reason) "." } },
        SavedSettings::Unread => html! { p { "Not known." } },
    }
}

/// A section of settings: its dotted name, its keys and their values.
type SettingsSection<'a> = (String, Vec<(&'a str, String)>);

fn sections_of<'a>(name: &str, table: &'a toml::Table, sections: &mut Vec<SettingsSection<'a>>) {
    let value = |value: &toml::Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let own = table
        .iter()
        .filter(|(_, entry)| !entry.is_table())
        .map(|(key, entry)| (key.as_str(), value(entry)));
    let own: Vec<(&str, String)> = own.collect();
    if !own.is_empty() {
        sections.push((name.to_owned(), own));
    }
    for (key, entry) in table {
        if let Some(table) = entry.as_table() {
            let name = if name.is_empty() {
                key.clone()
            } else {
                format!("{name}.{key}")
            };
            sections_of(&name, table, sections);
        }
    }
}

/// Facts of the data set.
pub fn data(data: &DataDescription) -> Vec<(&'static str, String)> {
    let Some(images) = &data.images else {
        return vec![
            ("accuracies", data.spec.clone()),
            ("fingerprint (CRC-32)", data.fingerprint.clone()),
        ];
    };
    let [channels, height, width] = images.input;
    vec![
        ("data set", data.spec.clone()),
        (
            "images",
            format!(
                "{channels}×{height}×{width}, {} classes",
                images.classes.len()
            ),
        ),
        ("training images", count(images.train as u64)),
        ("validation images", count(images.validation as u64)),
        ("fingerprint (CRC-32)", data.fingerprint.clone()),
    ]
}

/// Memory needed to train `architecture` as the networks of the run.
pub fn training_memory(architecture: &Architecture, material: &Material) -> String {
    let device = material.state.trains_on();
    let of_batch = |images| space::training_memory(architecture, images, device).ok();
    let batch_size = material.batch_size();
    let estimate = batch_size.and_then(|images| Some((images, of_batch(images)?)));
    estimate.map_or_else(
        || "not known".to_owned(),
        |(images, memory)| {
            format!(
                "about {} at batch size {images} (estimate)",
                numbers::bytes(memory)
            )
        },
    )
}

/// Working time in seconds, in words: a session that was cut off counts only until its last record.
pub fn working_time(material: &Material, seconds: f64) -> String {
    match material.cut_off() {
        0 => numbers::duration(seconds),
        _ => format!("at least {}", numbers::duration(seconds)),
    }
}

/// How often the run was resumed, and how many of its sessions were cut off.
pub fn resumptions(material: &Material) -> String {
    let times = |count: usize| match count {
        1 => "once".to_owned(),
        _ => format!("{count} times"),
    };
    let resumed = match material.sessions.len().saturating_sub(1) {
        0 => "never resumed".to_owned(),
        count => format!("resumed {}", times(count)),
    };
    match material.cut_off() {
        0 => resumed,
        count => format!("{resumed}; cut off {}", times(count)),
    }
}

/// What the working time is.
pub fn working_time_note(material: &Material) -> Markup {
    html! {
        p.note {
            "Working time leaves out pauses and the time between sessions."
            @if material.cut_off() > 0 {
                " A session that was cut off (killed, or its machine failed) counts until its last record: up to a minute later it was still at work, in runs begun by versions that write no heartbeat as long as the time between two checkpoints."
            }
        }
    }
}

/// The processes that worked on the run, with their times and versions.
pub fn sessions(material: &Material) -> Markup {
    let columns: &[HtmlColumn<'_, PastSession>] = &[
        ("began", false, &|session| moment(session.began)),
        ("host", false, &|session| session.host.clone()),
        ("nas-tui", false, &|session| session.version.clone()),
        ("end recorded", false, &|session| {
            if session.is_cut_off { "no" } else { "yes" }.to_owned()
        }),
    ];
    table_of("Sessions", columns, &material.sessions)
}

/// Warnings and errors of the run; `None` if there were none.
pub fn notices(material: &Material) -> Option<Markup> {
    if material.notices.is_empty() {
        return None;
    }
    let columns: &[HtmlColumn<'_, Notice>] = &[
        ("when", false, &|notice| moment(notice.time)),
        ("level", false, &|notice| match notice.level {
            Level::Error => "error".to_owned(),
            _ => "warning".to_owned(),
        }),
        ("what", false, &|notice| notice.text.clone()),
    ];
    Some(html! {
        div.reasons { (table_of("Warnings and errors of the run", columns, &material.notices)) }
        @if material.more_notices > 0 { p.note { "and " (material.more_notices) " more, in the journal." } }
    })
}

const LAYER_COLUMNS: [Heading; 10] = [
    ("layer", true),
    ("kernel", true),
    ("filters", true),
    ("stride", true),
    ("padding", true),
    ("reads", false),
    ("output", true),
    ("field", true),
    ("parameters", true),
    ("MACs", true),
];

/// The layers of a network with their costs; the classifier comes last.
pub fn layers(architecture: &Architecture) -> Markup {
    let Ok(cost) = Cost::of(architecture) else {
        return html! { p { "This network cannot be built, so it has no costs." } };
    };
    let layers = architecture.layers.iter().zip(&cost.layers).enumerate();
    let mut rows: Vec<Vec<String>> = layers
        .map(|(index, (layer, cost))| layer_row(index + 1, layer, cost))
        .collect();
    let classes = architecture.classes.to_string();
    rows.push(vec![
        "classifier".to_owned(),
        "linear".to_owned(),
        classes.clone(),
        String::new(),
        String::new(),
        reads(&architecture.output),
        classes,
        String::new(),
        count(cost.classifier.params),
        compact(cost.classifier.macs),
    ]);
    let caption = format!(
        "{} parameters and {} multiply-accumulates (MACs) per image in all",
        count(cost.params),
        count(cost.macs)
    );
    table(&caption, &LAYER_COLUMNS, rows)
}

fn layer_row(number: usize, layer: &Layer, cost: &LayerCost) -> Vec<String> {
    let pair = |[rows, columns]: [usize; 2]| format!("{rows}×{columns}");
    let ([channels, height, width], [field_height, field_width]) =
        (cost.output_shape, cost.receptive_field);
    vec![
        number.to_string(),
        layer.kernel_text("×"),
        layer.filters.to_string(),
        pair(layer.stride),
        pair(layer.padding),
        reads(&layer.inputs),
        format!("{channels}×{height}×{width}"),
        format!("{field_height}×{field_width}"),
        count(cost.params),
        compact(cost.macs),
    ]
}

fn reads(inputs: &[usize]) -> String {
    numbers::layers(inputs).replace('-', "–")
}

/// The choices of a child that is not a network of layers.
pub fn cell(material: &Material, dna: &Dna) -> Markup {
    let heads = material.state.search().heads();
    let chosen = heads.iter().zip(dna.0.iter().flatten());
    let list: Vec<(&str, String)> = chosen
        .map(|(head, value)| (head.kind.name(), head.kind.label(*value)))
        .collect();
    facts(&list)
}

/// A DNA in the notation of a file.
pub fn dna(dna: &Dna) -> Markup {
    html! { p { "DNA: " code { (dna.to_string().replace("],[", "], [")) } } }
}
