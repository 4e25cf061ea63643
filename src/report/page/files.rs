//! Writes the files of a report into their folder. Each is replaced as a whole, and files of others
//! are left alone.

use std::fs;
use std::path::{Path, PathBuf};

use super::png::{PngError, png};
use super::{RunReport, tables::CsvTable};
use crate::foundation::durable::write_atomically;
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

/// Write `report` into `folder`, which is created if necessary: `report.html`, `summary.json`,
/// `figures/NAME.svg` and `.png`, `tables/NAME.csv`. An older report is replaced. Returns the path
/// of the page.
///
/// # Errors
/// If the folder contains another program's page or is a run directory; I/O errors.
pub fn write(report: &RunReport, folder: &Path) -> Result<PathBuf, WriteError> {
    let page = folder.join(PAGE);
    refuse_foreign(folder, &page)?;
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
    // Last, so that a folder with a page is complete.
    write_atomically(&page, report.page.as_bytes())?;
    Ok(page)
}

fn refuse_foreign(folder: &Path, page: &Path) -> Result<(), WriteError> {
    if folder.join("journal.jsonl").exists() {
        return Err(WriteError::RunDirectory {
            path: folder.to_owned(),
        });
    }
    match input::read(page, input::OWN) {
        Ok(bytes) if !String::from_utf8_lossy(&bytes).contains(MARK) => Err(WriteError::Foreign {
            path: page.to_owned(),
        }),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(WriteError::Folder {
            path: folder.to_owned(),
            cause,
        }),
    }
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
