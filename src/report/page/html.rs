//! The page: one self-contained HTML file for screens of any size, phones and paper.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::report::figures::{Figure, ink};

const STYLE: &str = include_str!("style.css");

/// What the identifier of a figure begins with; its name follows.
pub const FIGURE: &str = "figure-";

/// Heading of the section that explains the numbers.
pub const READING: &str = "How to read these numbers";

/// A part of the page under a heading.
#[derive(Debug, Clone)]
pub struct Section {
    /// Target of links within the page.
    pub id: &'static str,
    /// Its heading.
    pub title: String,
    /// What is below the heading.
    pub body: Markup,
}

impl Section {
    /// A section with this heading and contents.
    pub fn new(id: &'static str, title: &str, body: Markup) -> Section {
        Section {
            id,
            title: title.to_owned(),
            body,
        }
    }
}

/// The top of the page.
#[derive(Debug, Clone)]
pub struct PageHead {
    /// The kind of report.
    pub kind: &'static str,
    /// Name of the run.
    pub title: String,
    /// What distinguishes the run, in one line.
    pub subtitle: String,
    /// The status of the run, in one word and in a sentence.
    pub status: (&'static str, String),
}

/// The whole page.
pub fn page(head: &PageHead, sections: &[Section], generator: &str, footer: &Markup) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content=(generator);
                title { (head.title) " · " (head.kind) }
                style { (PreEscaped(ink::stylesheet())) (PreEscaped(STYLE)) }
            }
            body {
                header {
                    p.kind { (head.kind) }
                    h1 { (head.title) }
                    p.subtitle { (head.subtitle) }
                    p.status { span class={ "badge " (head.status.0) } { (head.status.0) } " " (head.status.1) }
                }
                nav aria-label="Contents" { ul { @for section in sections { li { a href={ "#" (section.id) } { (section.title) } } } } }
                main {
                    @for section in sections {
                        section id=(section.id) { h2 { (section.title) } (section.body) }
                    }
                }
                footer { (footer) }
            }
        }
    };
    markup.into_string()
}

/// A figure with its caption: one drawing for phones and one for wider screens, of which only one
/// is shown.
pub fn figure(figure: &Figure) -> Markup {
    html! {
        figure id={ (FIGURE) (figure.name) } {
            div.wide { (PreEscaped(&figure.wide)) }
            div.narrow { (PreEscaped(&figure.narrow)) }
            figcaption { strong { (figure.title) "." } " " (figure.caption) }
        }
    }
}

/// A figure in words: its name, its value, and a note.
#[derive(Debug, Clone)]
pub struct Tile {
    /// What the figure is.
    pub name: &'static str,
    /// The figure, with its unit.
    pub value: String,
    /// A note below it; may be empty.
    pub note: String,
}

impl Tile {
    /// A figure with its note.
    pub fn new(name: &'static str, value: impl Into<String>, note: impl Into<String>) -> Tile {
        Tile {
            name,
            value: value.into(),
            note: note.into(),
        }
    }
}

/// Tiles side by side, as many as fit.
pub fn tiles(tiles: &[Tile]) -> Markup {
    html! {
        dl.tiles {
            @for tile in tiles { div { dt { (tile.name) } dd { strong { (tile.value) } @if !tile.note.is_empty() { span { (tile.note) } } } } }
        }
    }
}

/// A column of a table: its heading, and whether it holds numbers.
pub type Heading = (&'static str, bool);

/// A column of a table: its heading, whether it holds numbers, and the text of its cell in a row.
pub type HtmlColumn<'a, T> = (&'static str, bool, &'a dyn Fn(&T) -> String);

/// A [`table`] with a row for each of `items`.
pub fn table_of<'a, T: 'a>(
    caption: &str,
    columns: &[HtmlColumn<'_, T>],
    items: impl IntoIterator<Item = &'a T>,
) -> Markup {
    let headings: Vec<Heading> = columns
        .iter()
        .map(|(name, right, _)| (*name, *right))
        .collect();
    let row = |item| columns.iter().map(|(.., cell)| cell(item)).collect();
    table(caption, &headings, items.into_iter().map(row))
}

/// A table that scrolls in its own box if it is too wide.
pub fn table(
    caption: &str,
    columns: &[Heading],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Markup {
    let class = |number: bool| number.then_some("number");
    html! {
        div.table {
            p.caption { (caption) }
            div.scroll role="region" tabindex="0" aria-label=(caption) {
                table {
                    thead { tr { @for (name, number) in columns { th scope="col" class=[class(*number)] { (name) } } } }
                    tbody {
                        @for row in rows {
                            tr { @for (cell, (_, number)) in row.iter().zip(columns) { td class=[class(*number)] { (cell) } } }
                        }
                    }
                }
            }
        }
    }
}

/// Names and values, one below the other.
pub fn facts(facts: &[(&str, String)]) -> Markup {
    html! { dl.facts { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } } }
}
