//! Why a table cannot be used.

use std::path::PathBuf;

use crate::space::SpaceError;

/// Why a table cannot be used. The message names file, line and remedy.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file cannot be read.
    #[error("{}: cannot read the table: {cause}; name a CSV file with --table", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// A line with invalid contents.
    #[error("{}:{line}: {what}; {remedy}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
        /// The remedy.
        remedy: String,
    },
    /// Some children of the space have no row.
    #[error(
        "{}:{line}: the table ends after {rows} rows, but has none for {missing} of the space's {children} architectures, {first} \
         among them; make the table from the complete benchmark (docs/NASBENCH201.md)",
        path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// Its last line.
        line: usize,
        /// Number of rows.
        rows: usize,
        /// Number of children without a row.
        missing: usize,
        /// Number of children in the space.
        children: usize,
        /// The first child without a row.
        first: String,
    },
    /// The children of the space are not rows of a table.
    #[error("{}: the children of this space are networks, not rows of a table; leave --table out", path.display())]
    NotTabular {
        /// The file.
        path: PathBuf,
    },
    /// The space cannot be used.
    #[error(transparent)]
    Space(#[from] SpaceError),
}
