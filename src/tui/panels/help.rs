//! The help: every key of this session and what it does, first those of what has the focus, then
//! place by place; then the mouse, and the signs in the chart.

use super::footer::Page;
use super::{Content, Row, chart, training_run};
use crate::event::RunKind;
use crate::tui::format;
use crate::tui::keymap::{Action, Bound, Context, Scope};
use crate::tui::panels::scene::Scene;
use crate::tui::theme::Role;

/// A sign: its role, its appearance and its meaning.
pub type Sign = (Role, &'static str, &'static str);

const KEYS_WIDTH: usize = 18;

/// The help in `width` columns, opened at the keys of this page.
pub fn content(scene: &Scene<'_>, page: &Page<'_>, width: usize) -> Content {
    let here = page.context;
    let (own, others): (Vec<&Bound>, Vec<&Bound>) = scene
        .keymap
        .all()
        .iter()
        .filter(|bound| !bound.keys.is_empty())
        .partition(|bound| {
            // What is for another page of the panel is listed with the other places.
            bound.binding.scope.is_own(here) && page.offers(bound.binding.action, scene)
        });
    let rows_of = |bounds: Vec<&Bound>| -> Vec<Row> {
        let bounds = bounds.into_iter();
        bounds.flat_map(|bound| rows(scene, bound, width)).collect()
    };
    let heading = |text: String| vec![(Role::Title, text)];
    let mut all = Vec::new();
    let borrowed = borrowed(scene, page, width);
    if let Some((inspector, _)) = page.inspector.filter(|_| here == Context::Inspector) {
        let is_of_tab = |bound: &&Bound| inspector.is_hinted(bound.binding.action);
        let (of_tab, of_all): (Vec<&Bound>, Vec<&Bound>) = own.into_iter().partition(is_of_tab);
        all.push(heading(format!(
            "Here: Inspector, {}",
            inspector.page_name()
        )));
        all.extend([borrowed, rows_of(of_tab), vec![Row::new()]].concat());
        all.push(heading("On all pages of the inspector".to_owned()));
        all.extend(rows_of(of_all));
    } else if !own.is_empty() || !borrowed.is_empty() {
        all.push(heading(format!("Here: {}", place(here))));
        all.extend([rows_of(own), borrowed].concat());
    }
    if !all.is_empty() {
        all.extend([
            Row::new(),
            heading("Everywhere, and in other places".to_owned()),
        ]);
    }
    all.extend(rows_of(others));
    all.extend(mouse(scene.kind, width));
    all.extend(signs(scene));
    all.into()
}

/// Keys of more than one place that mean something particular on this page.
fn borrowed(scene: &Scene<'_>, page: &Page<'_>, width: usize) -> Vec<Row> {
    let all = scene.keymap.of(page.context);
    let general: Vec<&Bound> = all
        .filter(|bound| !bound.binding.scope.is_own(page.context))
        .collect();
    let key_of = |action: &Action| {
        let mut bound = general.iter();
        let bound = bound.find(|bound| bound.binding.action == *action)?;
        Some(bound.keys.first()?.name())
    };
    let hinted = page.hints().iter().chain(page.more_hints());
    let hinted = hinted.filter_map(|hint| {
        let keys: Vec<String> = hint.actions.iter().filter_map(key_of).collect();
        (!keys.is_empty()).then(|| entry(&keys, Role::Text, hint.word, width))
    });
    let varying = general.iter();
    let varying = varying.filter(|bound| page.word(bound.binding.action).is_some());
    let varying = varying.map(|bound| rows(scene, bound, width));
    hinted.chain(varying).flatten().collect()
}

/// The name of what has the focus.
fn place(here: Context) -> &'static str {
    match here {
        Context::Panel(panel) => panel.name(),
        Context::Runs => "Runs",
        _ => "Inspector",
    }
}

/// A binding: its keys in as many lines as necessary, with its text beside them.
fn rows(scene: &Scene<'_>, bound: &Bound, width: usize) -> Vec<Row> {
    let Some(help) = bound.binding.help_in(scene.kind) else {
        return Vec::new();
    };
    let names: Vec<String> = bound.keys.iter().map(|key| key.name()).collect();
    let refusal = scene.why_not(bound.binding.action);
    let role = if bound.binding.scope == Scope::Question || refusal.is_some() {
        Role::Dim
    } else {
        Role::Text
    };
    let not_now = refusal.map_or(String::new(), |reason| format!(" (not now: {reason})"));
    entry(&names, role, &format!("{help}{not_now}"), width)
}

/// Keys in as many lines as necessary, with a text beside them.
fn entry(names: &[String], role: Role, text: &str, width: usize) -> Vec<Row> {
    let keys = format::wrap(&names.join(" "), KEYS_WIDTH - 1);
    let text = format::wrap(text, width.saturating_sub(KEYS_WIDTH));
    let line = |index: usize| {
        let part = |lines: &[String]| lines.get(index).cloned().unwrap_or_default();
        vec![
            (Role::Key, format!("{:<KEYS_WIDTH$}", part(&keys))),
            (role, part(&text)),
        ]
    };
    (0..keys.len().max(text.len())).map(line).collect()
}

/// What the mouse does.
const MOUSE: [(&str, &str); 4] = [
    (
        "click",
        "focus a panel, open a tab, do what a key in the last row does",
    ),
    ("click or drag", "chart: crosshair with exact values"),
    ("wheel", "scroll what is under the mouse"),
    (
        "with Shift",
        "select text, as the terminal does (screen.mouse = false leaves it the mouse)",
    ),
];
/// What it does in the lists of a search.
const IN_LISTS: (&str, &str) = (
    "click in a list",
    "select the child, or open it if it is selected; sort by the column, again in the other direction",
);

fn mouse(kind: RunKind, width: usize) -> Vec<Row> {
    let mut rows = vec![Row::new(), vec![(Role::Title, "Mouse".to_owned())]];
    let in_lists = (kind == RunKind::Search).then_some(IN_LISTS);
    for (how, what) in MOUSE.into_iter().chain(in_lists) {
        let lines = format::wrap(what, width.saturating_sub(KEYS_WIDTH));
        for (index, line) in lines.into_iter().enumerate() {
            let how = if index == 0 { how } else { "" };
            let how = format!("{how:<KEYS_WIDTH$}");
            rows.push(vec![(Role::Strong, how), (Role::Text, line)]);
        }
    }
    rows
}

/// The meaning of each sign in the chart, because its legend may not have room for all of them.
fn signs(scene: &Scene<'_>) -> Vec<Row> {
    let glyphs = scene.glyphs();
    let (name, signs): (_, Vec<Sign>) = match scene.kind {
        RunKind::Search => ("Signs of the chart", chart::signs(glyphs).collect()),
        RunKind::Training => ("Signs of the curves", training_run::curves::signs(glyphs)),
    };
    let heading = vec![Row::new(), vec![(Role::Title, name.to_owned())]];
    let sign = |(role, glyph, text): (Role, &str, &str)| {
        vec![
            (role, format!("{glyph:<KEYS_WIDTH$}")),
            (Role::Text, text.to_owned()),
        ]
    };
    heading
        .into_iter()
        .chain(signs.into_iter().map(sign))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::{Timestamp, tz::TimeZone};
    use ratatui::layout::Size;

    use super::*;
    use crate::config::ScreenConfig;
    use crate::link::LinkStatus;
    use crate::tui::Settings;
    use crate::tui::app::App;
    use crate::tui::panels::PanelId;

    fn app(keys: BTreeMap<String, Vec<String>>) -> App {
        let settings = Settings::new(
            &ScreenConfig {
                keys,
                ..ScreenConfig::default()
            },
            |_| None,
        )
        .unwrap();
        App::new(
            &settings,
            TimeZone::UTC,
            Size::new(80, 24),
            Timestamp::UNIX_EPOCH,
        )
    }

    fn words(app: &App) -> Vec<String> {
        let rows = content(&app.scene(), &app.page(), 76).body;
        let keys = rows
            .iter()
            .filter_map(|row| row.first())
            .filter(|(role, _)| *role == Role::Key);
        keys.flat_map(|(_, text)| text.split_whitespace().map(str::to_owned))
            .collect()
    }

    /// The text of the help, without its line breaks.
    fn text(app: &App) -> String {
        let rows = content(&app.scene(), &app.page(), 76).body;
        rows.iter()
            .filter_map(|row| row.get(1))
            .map(|(_, text)| text.trim())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn every_key_of_the_session_is_in_the_help_once_per_binding() {
        let mut app = app(BTreeMap::from([(
            "toggle_pause".to_owned(),
            vec!["ctrl-p".to_owned()],
        )]));
        // It has no keys of its own, and none that mean something particular there.
        app.view.focus = PanelId("machine");
        let of_search = app
            .keymap
            .all()
            .iter()
            .filter(|bound| bound.binding.help_in(RunKind::Search).is_some());
        let keys: Vec<String> = of_search
            .flat_map(|bound| bound.keys.iter().map(|key| key.name()))
            .collect();
        let sorted = |mut names: Vec<String>| {
            names.sort();
            names
        };
        assert_eq!(sorted(words(&app)), sorted(keys.clone()));
        assert!(keys.contains(&"Ctrl-P".to_owned()) && !keys.contains(&"Space".to_owned()));
    }

    #[test]
    fn the_help_opens_at_the_keys_of_what_has_the_focus() {
        let mut app = app(BTreeMap::new());
        let first = |app: &App| -> (String, String) {
            let rows = content(&app.scene(), &app.page(), 76).body;
            (rows[0][0].1.clone(), rows[1][1].1.clone())
        };
        let of_chart = "chart: linear or logarithmic".to_owned();
        assert_eq!(first(&app), ("Here: Chart".to_owned(), of_chart));
        app.view.focus = PanelId("children");
        let of_list = "children: sort by the next column".to_owned();
        assert_eq!(first(&app), ("Here: Children".to_owned(), of_list));
        app.view.focus = PanelId("machine");
        assert!(first(&app).1.contains("leave"), "it has no keys of its own");
    }

    #[test]
    fn who_only_watches_is_told_which_keys_do_nothing() {
        let mut app = app(BTreeMap::new());
        assert!(!text(&app).contains("not now"));
        app.take_link(LinkStatus::Live { watch_only: true });
        let text = text(&app);
        assert_eq!(
            text.matches("(not now: this screen only watches)").count(),
            6,
            "{text}"
        );
        assert!(
            text.contains("end the training of the child shown (asks) (not now"),
            "{text}"
        );
    }

    #[test]
    fn every_sign_of_the_chart_is_explained() {
        let text = text(&app(BTreeMap::new()));
        for series in ["smoothed", "baseline", "quartiles", "best so far", "failed"] {
            assert!(text.contains(series), "{series}: {text}");
        }
    }
}
