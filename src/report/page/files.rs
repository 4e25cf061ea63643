//! Writes the files of a report into their folder. Each is replaced as a whole, those that only the older
//! report had are removed, and files of others are left alone.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use maud::{Markup, html};

use super::html::FIGURE;
use super::png::{PngError, png};
use super::{RunReport, tables::CsvTable};
use crate::foundation::durable::{in_file, write_atomically};
use crate::foundation::input;
use crate::report::figures::Figure;

/// Name of the page.
pub const PAGE: &str = "report.html";
/// Identifies a page written by this program.
pub const MARK: &str = "<meta name=\"generator\" content=\"nas-tui";

/// Why a report could not be written. The message names the file and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A file of that name written by another program exists.
    #[error("{} already exists and is not a report of nas-tui: choose another folder with --out", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The folder is a run directory.
    #[error("{} is a run directory, which only its search may write to: choose another folder with --out, such as {}", path.display(), path.join("report").display())]
    RunDirectory {
        /// The folder.
        path: PathBuf,
    },
    /// The folder could not be created or used.
    #[error("cannot write a report to {}: {cause}; choose another folder with --out", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// Writing a file failed; the text names it.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// A figure could not be converted to an image.
    #[error("figure {name}")]
    Figure {
        /// Name of its file, without extension.
        name: &'static str,
        /// What is wrong with the drawing.
        source: PngError,
    },
    /// A table could not be written as CSV.
    #[error("table {name}: {cause}")]
    CsvTable {
        /// Name of its file, without extension.
        name: &'static str,
        /// What is wrong with its rows.
        cause: csv::Error,
    },
}

impl WriteError {
    /// Whether another folder would help, which makes it the user's error.
    pub fn is_bad_folder(&self) -> bool {
        matches!(
            self,
            WriteError::Foreign { .. }
                | WriteError::RunDirectory { .. }
                | WriteError::Folder { .. }
        )
    }
}

/// The files of `tables`, for the page: the next report finds there what it has to remove.
pub fn list_of(tables: &[CsvTable]) -> Markup {
    html! {
        @for (index, table) in tables.iter().enumerate() {
            @if index > 0 { ", " }
            code { "tables/" (table.name) ".csv" }
        }
    }
}

/// Write `report` into `folder`, which is created if necessary: `report.html`, `summary.json`,
/// `figures/NAME.svg` and `.png`, `tables/NAME.csv`. An older report is replaced: of its
/// files, those that its page lists are removed if `report` does not have them. Returns the path of the page.
///
/// # Errors
/// If the folder contains another program's page or is a run directory; I/O errors.
pub fn write(report: &RunReport, folder: &Path) -> Result<PathBuf, WriteError> {
    let page = folder.join(PAGE);
    let older = older_page(folder, &page)?;
    let figures = folder.join("figures");
    let tables = folder.join("tables");
    for path in [&figures, &tables] {
        fs::create_dir_all(path).map_err(|cause| WriteError::Folder {
            path: path.clone(),
            cause,
        })?;
    }
    report
        .figures
        .iter()
        .try_for_each(|figure| write_figure(figure, &figures))?;
    report
        .tables
        .iter()
        .try_for_each(|table| write_table(table, &tables))?;
    write_atomically(&folder.join("summary.json"), report.summary.as_bytes())?;
    remove_others(report, &older, folder)?;
    // Last, so that a folder with a page is complete.
    write_atomically(&page, report.page.as_bytes())?;
    Ok(page)
}

/// The page of an older report in `folder`; empty if there is none.
fn older_page(folder: &Path, page: &Path) -> Result<String, WriteError> {
    if folder.join("journal.jsonl").exists() {
        return Err(WriteError::RunDirectory {
            path: folder.to_owned(),
        });
    }
    let text = match input::read(page, input::OWN) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(String::new()),
        Err(cause) => {
            return Err(WriteError::Folder {
                path: folder.to_owned(),
                cause,
            });
        }
    };
    match text.contains(MARK) {
        true => Ok(text),
        false => Err(WriteError::Foreign {
            path: page.to_owned(),
        }),
    }
}

/// Remove the figures and tables of the older report, whose page is given, that `report` does not have.
fn remove_others(report: &RunReport, older: &str, folder: &Path) -> std::io::Result<()> {
    let figures = names_between(older, &format!("id=\"{FIGURE}"), "\"")
        .into_iter()
        .filter(|name| report.figures.iter().all(|figure| figure.name != *name))
        .flat_map(|name| ["svg", "png"].map(|kind| format!("figures/{name}.{kind}")));
    let tables = names_between(older, "<code>tables/", ".csv</code>")
        .into_iter()
        .filter(|name| report.tables.iter().all(|table| table.name != *name))
        .map(|name| format!("tables/{name}.csv"));
    for file in figures.chain(tables) {
        let file = folder.join(file);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(in_file(&file, "cannot remove", error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What stands between `before` and `after` on a page, wherever it can be the name of a file of a report.
fn names_between<'a>(page: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    let fits = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    let found = page.split(before).skip(1);
    found
        .filter_map(|rest| Some(rest.split_once(after)?.0))
        .filter(|name| !name.is_empty() && name.chars().all(fits))
        .collect()
}

fn write_figure(figure: &Figure, folder: &Path) -> Result<(), WriteError> {
    let image = png(&figure.wide).map_err(|source| WriteError::Figure {
        name: figure.name,
        source,
    })?;
    write_atomically(
        &folder.join(format!("{}.svg", figure.name)),
        figure.wide.as_bytes(),
    )?;
    write_atomically(&folder.join(format!("{}.png", figure.name)), &image)?;
    Ok(())
}

fn write_table(table: &CsvTable, folder: &Path) -> Result<(), WriteError> {
    let bytes = table.to_csv().map_err(|cause| WriteError::CsvTable {
        name: table.name,
        cause,
    })?;
    write_atomically(&folder.join(format!("{}.csv", table.name)), &bytes)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> RunReport {
        RunReport {
            page: format!("<html>{MARK} 1\">"),
            figures: Vec::new(),
            tables: Vec::new(),
            summary: "{}\n".to_owned(),
        }
    }

    #[test]
    fn an_older_report_is_replaced_and_another_page_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let page = write(&report(), folder.path()).unwrap();
        write(&report(), folder.path()).unwrap();
        fs::write(&page, "<html>my home page</html>").unwrap();
        let error = write(&report(), folder.path()).unwrap_err();
        assert!(
            error.is_bad_folder() && error.to_string().contains("report.html already exists"),
            "{error}"
        );
        assert_eq!(
            fs::read_to_string(&page).unwrap(),
            "<html>my home page</html>"
        );
    }

    #[test]
    fn figures_and_tables_that_only_the_older_report_had_are_removed_and_files_of_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let there = |file: &str| folder.path().join(file).exists();
        let table = |name| CsvTable {
            name,
            head: vec!["child"],
            rows: Vec::new(),
        };
        let tables = vec![table("children"), table("effects")];
        let listed = list_of(&tables).into_string();
        let older = RunReport {
            page: format!("<html>{MARK} 1\"><figure id=\"{FIGURE}pareto\">{listed}"),
            tables,
            ..report()
        };
        write(&older, folder.path()).unwrap();
        for file in ["figures/pareto.svg", "figures/mine.svg", "tables/mine.csv"] {
            fs::write(folder.path().join(file), "").unwrap();
        }
        let next = RunReport {
            tables: vec![table("children")],
            ..report()
        };
        write(&next, folder.path()).unwrap();
        assert!(!there("figures/pareto.svg") && !there("tables/effects.csv"));
        for kept in ["tables/children.csv", "figures/mine.svg", "tables/mine.csv"] {
            assert!(there(kept), "{kept}");
        }
    }

    #[test]
    fn a_name_that_leads_out_of_the_folder_is_none() {
        let page = "id=\"a/../../b\" id=\"\" id=\"per_class\" id=\"cut";
        assert_eq!(names_between(page, "id=\"", "\""), ["per_class"]);
    }

    #[test]
    fn nothing_is_written_into_a_run_directory() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("journal.jsonl"), "").unwrap();
        assert!(
            write(&report(), folder.path())
                .unwrap_err()
                .to_string()
                .contains("is a run directory")
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
