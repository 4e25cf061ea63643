//! The children of a search as tables: the most accurate ones, those with notes, and the failed ones.

use maud::{Markup, html};

use crate::analysis::history::Failure;
use crate::foundation::numbers::{accuracy, compact, count, or_none, reward, training_time};
use crate::report::page::html::{Heading, HtmlColumn, Section, table, table_of};
use crate::report::page::material::Material;
use crate::report::page::parts;
use crate::state::{ChildRow, SearchRun, best_first};

/// Maximum number of children, of notes on others, and of failures shown in the page.
const MOST_CHILDREN: usize = 20;
const MOST_NOTES: usize = 100;
const MOST_FAILURES: usize = 50;

/// The most accurate ones, with the notes on them, and the others that have notes.
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
    let remarks = |row: &ChildRow| row.notes(best, false);
    let note = |row: &ChildRow| search.notes.of(row.child).unwrap_or_default().to_owned();
    let mut columns: Vec<HtmlColumn<'_, ChildRow>> = vec![
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
            None => training_time(row.seconds),
        }),
        ("remarks", false, &remarks),
    ];
    rows.truncate(MOST_CHILDREN);
    let has_notes = rows.iter().any(|row| search.notes.of(row.child).is_some());
    if has_notes {
        columns.push(("note", false, &note));
    }
    let controls = match search.outcomes.counts.controls {
        0 => String::new(),
        1 => ", one of them a control".to_owned(),
        controls => format!(", {} of them controls", count(controls as u64)),
    };
    let caption = format!(
        "The {} most accurate of all children ({}{controls}); children.csv has all, with their DNA",
        rows.len(),
        count(all as u64)
    );
    let shown: Vec<u64> = rows.iter().map(|row| row.child).collect();
    html! {
        div class=[has_notes.then_some("noted")] { (table_of(&caption, &columns, rows)) }
        (other_notes(search, &shown))
    }
}

/// The notes on children other than those `shown`; nothing if there are none.
fn other_notes(search: &SearchRun, shown: &[u64]) -> Markup {
    const COLUMNS: [Heading; 3] = [
        ("child", true),
        ("validation accuracy", true),
        ("note", false),
    ];
    let others = search.notes.all();
    let others: Vec<(u64, &str)> = others.filter(|(child, _)| !shown.contains(child)).collect();
    if others.is_empty() {
        return html! {};
    }
    let caption = match others.len() {
        all if all > MOST_NOTES => {
            format!("The first {MOST_NOTES} of {all} notes on other children; children.csv has all")
        }
        _ => "Notes on other children".to_owned(),
    };
    let rows = others.into_iter().take(MOST_NOTES).map(|(child, note)| {
        let known = search.ended(child).and_then(|row| row.accuracy);
        vec![child.to_string(), or_none(known, accuracy), note.to_owned()]
    });
    html! { div.noted { (table(&caption, &COLUMNS, rows)) } }
}

/// What has been written on a child; nothing if there is no note.
pub fn note(search: &SearchRun, child: u64) -> Markup {
    html! {
        @if let Some(note) = search.notes.of(child) { p { "Note: " (note) } }
    }
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
