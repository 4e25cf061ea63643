//! The children of a search as tables: the most accurate ones, and the failed ones.

use maud::{Markup, html};

use crate::analysis::history::Failure;
use crate::foundation::numbers::accuracy;
use crate::foundation::numbers::{compact, count, duration, or_none, reward};
use crate::report::page::html::{HtmlColumn, Section, table_of};
use crate::report::page::material::Material;
use crate::report::page::parts;
use crate::state::{ChildRow, best_first};

/// Maximum number of children and of failures shown in the page.
const MOST_CHILDREN: usize = 20;
const MOST_FAILURES: usize = 50;

/// The most accurate ones.
pub fn best(material: &Material) -> Markup {
    let search = material.state.search();
    let known = search.children.iter().filter(|row| row.accuracy.is_some());
    let mut rows: Vec<&ChildRow> = known.collect();
    let rank = |row: &ChildRow| (row.accuracy.unwrap_or(0.0), row.child);
    rows.sort_by(|one, other| best_first(rank(one), rank(other)));
    if rows.is_empty() {
        return html! { p { "No child has an accuracy yet." } };
    }
    let (all, best) = (search.children.len(), search.best_child());
    let columns: &[HtmlColumn<'_, ChildRow>] = &[
        ("child", true, &|row| row.child.to_string()),
        ("episode", true, &|row| row.episode.to_string()),
        ("validation accuracy", true, &|row| {
            or_none(row.accuracy, accuracy)
        }),
        ("reward", true, &|row| or_none(row.reward, reward)),
        ("layers", true, &|row| row.genes.depth().to_string()),
        ("parameters", true, &|row| count(row.params)),
        ("MACs", true, &|row| compact(row.macs)),
        ("training", true, &|row| match row.repeat_of {
            Some(_) => "–".to_owned(),
            None => duration(row.seconds),
        }),
        ("notes", false, &|row| row.notes(best, false)),
    ];
    rows.truncate(MOST_CHILDREN);
    let caption = format!(
        "The {} most accurate of {} children; children.csv has all, with their DNA",
        rows.len(),
        count(all as u64)
    );
    table_of(&caption, columns, rows)
}

/// Failures with their reasons, and warnings; `None` if there were none.
pub fn troubles(material: &Material) -> Option<Section> {
    let notices = parts::notices(material);
    if material.failures.is_empty() && notices.is_none() {
        return None;
    }
    let columns: &[HtmlColumn<'_, Failure>] = &[
        ("child", true, &|failure| failure.child.to_string()),
        ("episode", true, &|failure| failure.episode.to_string()),
        ("attempts", true, &|failure| match failure.attempts {
            0 => "–".to_owned(),
            attempts => attempts.to_string(),
        }),
        ("outcome", false, &|failure| match failure.is_excluded {
            true => "excluded".to_owned(),
            false => "failed".to_owned(),
        }),
        ("reason", false, &|failure| failure.reason.clone()),
    ];
    let shown = &material.failures[..material.failures.len().min(MOST_FAILURES)];
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
        @if shown.is_empty() { p { "No child failed." } } @else { div.reasons { (table_of(&caption, columns, shown)) } }
        @if let Some(notices) = notices { (notices) }
    };
    Some(Section::new("troubles", "Failures and warnings", body))
}
