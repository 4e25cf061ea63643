//! The report of a run: one page with its figures and tables, and the same as files beside it.

mod files;
mod html;
mod material;
mod parts;
mod png;
mod recipe;
mod search;
pub(crate) mod tables;
mod training;

use maud::html;

pub use files::{PAGE, WriteError, write};
pub use material::Material;
pub use png::{PngError, SCALE};
pub use tables::CsvTable;

use crate::analysis::RunSummary;
use crate::foundation::build_info::VERSION;
use crate::foundation::text;
use crate::report::figures::Figure;

/// A report ready to be written.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// `report.html`.
    pub page: String,
    /// Figures in the order of the page.
    pub figures: Vec<Figure>,
    /// Tables in the order of the page.
    pub tables: Vec<CsvTable>,
    /// `summary.json`.
    pub summary: String,
}

impl RunReport {
    /// The report on a run, made at `now`.
    ///
    /// # Errors
    /// Numbers that JSON cannot represent; a journal contains none.
    pub fn of(material: &Material, now: jiff::Timestamp) -> serde_json::Result<RunReport> {
        let (head, sections, figures, tables) = match material.state.training_run() {
            Some(run) => training::compose(material, run),
            None => search::compose(material),
        };
        let footer = html! {
            p {
                "Made by nas-tui " (VERSION) " on " (parts::moment(now)) " from the journal of the run, up to its record "
                (material.state.last_seq) ". The page needs no network. Written with it: the figures as SVG and PNG (figures/), "
                "the tables as CSV (" (files::list_of(&tables)) ") and summary.json."
            }
        };
        let page = html::page(&head, &sections, &format!("nas-tui {VERSION}"), &footer);
        let summary = match &material.training {
            Some(training) => training.to_json()?,
            None => material.summary.to_json()?,
        };
        Ok(RunReport {
            page: text::lines(&page).into_owned(),
            figures,
            tables,
            summary: text::json(&summary).into_owned(),
        })
    }
}
