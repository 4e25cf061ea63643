//! The children of a search as tables: the most accurate ones, and the failed ones.

use maud::{Markup, html};

use crate::foundation::numbers::accuracy;
use crate::foundation::numbers::{compact, count, duration, or_none, reward};
use crate::report::page::html::{Heading, Section, table, text};
use crate::report::page::material::{Failure, Material};
use crate::report::page::parts;
use crate::state::{ChildRow, best_first};

/// Maximum number of children and of failures shown in the page.
const MOST_CHILDREN: usize = 20;
const MOST_FAILURES: usize = 50;

/// The most accurate ones.
pub fn best(material: &Material) -> Markup {
    let mut rows: Vec<&ChildRow> = material
        .state
        .search()
        .children
        .iter()
        .filter(|row| row.accuracy.is_some())
        .collect();
    let rank = |row: &ChildRow| (row.accuracy.unwrap_or(0.0), row.child);
    rows.sort_by(|one, other| best_first(rank(one), rank(other)));
    if rows.is_empty() {
        return html! { p { "No child has an accuracy yet." } };
    }
    let all = material.state.search().children.len();
    let best = material.state.search().best_child();
    let row = |row: &&ChildRow| {
        let cells = [
            row.child.to_string(),
            row.episode.to_string(),
            row.accuracy.map_or_else(String::new, accuracy),
            or_none(row.reward, reward),
            row.genes.depth().to_string(),
            count(row.params),
            compact(row.macs),
            if row.repeat_of.is_some() {
                "–".to_owned()
            } else {
                duration(row.seconds)
            },
            row.notes(best, false),
        ];
        cells.iter().map(text).collect()
    };
    let columns: [Heading; 9] = [
        ("child", true),
        ("episode", true),
        ("validation accuracy", true),
        ("reward", true),
        ("layers", true),
        ("parameters", true),
        ("MACs", true),
        ("training", true),
        ("notes", false),
    ];
    let shown: Vec<Vec<Markup>> = rows.iter().take(MOST_CHILDREN).map(row).collect();
    let caption = format!(
        "The {} most accurate of {} children; children.csv has all, with their DNA",
        shown.len(),
        count(all as u64)
    );
    table(&caption, &columns, shown)
}

/// Failures with their reasons, and warnings; `None` if there were none.
pub fn troubles(material: &Material) -> Option<Section> {
    let notices = parts::notices(material);
    if material.failures.is_empty() && notices.is_none() {
        return None;
    }
    let row = |failure: &Failure| {
        let attempts = if failure.attempts == 0 {
            "–".to_owned()
        } else {
            failure.attempts.to_string()
        };
        let outcome = if failure.is_excluded {
            "excluded"
        } else {
            "failed"
        };
        let numbers = [
            failure.child.to_string(),
            failure.episode.to_string(),
            attempts,
            outcome.to_owned(),
        ];
        numbers
            .iter()
            .chain([&failure.reason])
            .map(text)
            .collect::<Vec<_>>()
    };
    let columns: [Heading; 5] = [
        ("child", true),
        ("episode", true),
        ("attempts", true),
        ("outcome", false),
        ("reason", false),
    ];
    let shown: Vec<Vec<Markup>> = material
        .failures
        .iter()
        .take(MOST_FAILURES)
        .map(row)
        .collect();
    let caption = match material.failures.len() {
        failures if failures > shown.len() => {
            format!("The first {} of {failures} children that have no accuracy; children.csv has all", shown.len())
        }
        _ if material.failures.iter().any(|failure| failure.is_excluded) => {
            "Children that failed (reward 0, no accuracy); excluded children have neither and count nowhere".to_owned()
        }
        _ => "Children that failed: reward 0, no accuracy".to_owned(),
    };
    let body = html! {
        @if shown.is_empty() { p { "No child failed." } } @else { div.reasons { (table(&caption, &columns, shown)) } }
        @if let Some(notices) = notices { (notices) }
    };
    Some(Section::new("troubles", "Failures and warnings", body))
}
