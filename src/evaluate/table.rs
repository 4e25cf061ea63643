//! The evaluator of tabular spaces, which looks accuracies up in a CSV file. It uses no processes,
//! images or libtorch, and the same row gives the same outcome whatever the seed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use csv::{ReaderBuilder, StringRecord, Trim};

use super::{Evaluator, Job, Ready, Report};
use crate::config::SpaceConfig;
use crate::event::DataDescription;
use crate::reward::{Outcome, SKIPPED};
use crate::space::{Design, Space, SpaceError};

/// Column of a row's key.
const KEY: &str = "arch";
/// Column of the validation accuracy that rewards are computed from, in percent.
const VALIDATION: &str = "valid_accuracy_12ep";
/// Column of the fully trained network's test accuracy, in percent.
const TEST: &str = "test_accuracy_200ep";

/// Accuracies of every child of a tabular space.
#[derive(Debug, Clone)]
pub struct Table {
    path: PathBuf,
    rows: HashMap<String, Accuracies>,
    /// CRC-32 of the file, hex.
    fingerprint: String,
}

/// Accuracies of one row, in 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accuracies {
    /// The accuracy that rewards are computed from.
    pub validation: f64,
    /// Only for reports.
    pub test: f64,
}

/// Why a table cannot be used. The message names file, line and remedy.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file cannot be read.
    #[error("{}: cannot read the table: {source}; name a CSV file with --table", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
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

impl Table {
    /// Read the table at `path`: a header line that names the columns, then one line per row. Other
    /// columns are ignored.
    ///
    /// # Errors
    /// If the file cannot be read, a column is missing, a key is repeated, or an accuracy is not a
    /// percentage.
    pub fn read(path: &Path) -> Result<Table, TableError> {
        let text = std::fs::read_to_string(path).map_err(|source| TableError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let lines = Lines { path };
        let mut numbered = numbered(&text);
        let (head, names) = numbered.next().ok_or_else(|| lines.empty())?;
        let columns = Columns::of(&lines, head, &names)?;
        let mut rows = HashMap::new();
        let mut seen = HashMap::new();
        for (line, fields) in numbered {
            let (key, accuracies) = columns.row(&lines, line, &fields)?;
            if let Some(first) = seen.insert(key.clone(), line) {
                let what = format!("{key} is in the table twice, first in line {first}");
                return Err(lines.error(line, what, "remove one of the two lines"));
            }
            rows.insert(key, accuracies);
        }
        Ok(Table {
            path: path.to_owned(),
            rows,
            fingerprint: format!("{:08x}", crc32fast::hash(text.as_bytes())),
        })
    }

    /// Accuracies of a row.
    pub fn get(&self, key: &str) -> Option<Accuracies> {
        self.rows.get(key).copied()
    }

    /// Check that every child of `space` has a row.
    ///
    /// # Errors
    /// [`TableError::Missing`], [`TableError::NotTabular`].
    pub fn check_complete(&self, space: &Space) -> Result<(), TableError> {
        let path = self.path.clone();
        let Some(keys) = space.keys() else {
            return Err(TableError::NotTabular { path });
        };
        let mut missing = keys.iter().filter(|key| !self.rows.contains_key(*key));
        let Some(first) = missing.next() else {
            return Ok(());
        };
        Err(TableError::Missing {
            path,
            line: self.rows.len() + 1,
            rows: self.rows.len(),
            missing: missing.count() + 1,
            children: keys.len(),
            first: first.clone(),
        })
    }

    fn description(&self) -> DataDescription {
        DataDescription {
            spec: format!("table {}", self.path.display()),
            input: [0, 0, 0],
            classes: Vec::new(),
            train_images: 0,
            validation_images: 0,
            fingerprint: self.fingerprint.clone(),
        }
    }
}

/// The lines of a file, with its path for error messages.
struct Lines<'a> {
    path: &'a Path,
}

impl Lines<'_> {
    fn error(&self, line: usize, what: String, remedy: &str) -> TableError {
        TableError::Line {
            path: self.path.to_owned(),
            line,
            what,
            remedy: remedy.to_owned(),
        }
    }

    fn empty(&self) -> TableError {
        let what = "the file is empty".to_owned();
        let remedy = format!("its first line must name the columns {KEY}, {VALIDATION} and {TEST}");
        self.error(1, what, &remedy)
    }
}

/// The positions of the columns.
struct Columns {
    count: usize,
    key: usize,
    validation: usize,
    test: usize,
}

impl Columns {
    fn of(lines: &Lines, line: usize, names: &StringRecord) -> Result<Columns, TableError> {
        let place = |column: &str| {
            let mut places = (0..names.len()).filter(|index| &names[*index] == column);
            let what = match (places.next(), places.next()) {
                (Some(place), None) => return Ok(place),
                (Some(_), Some(_)) => format!("the column {column} is named twice"),
                (None, _) => format!("there is no column {column}"),
            };
            let remedy = format!(
                "the first line must name the columns {KEY}, {VALIDATION} and {TEST}, each once"
            );
            Err(lines.error(line, what, &remedy))
        };
        Ok(Columns {
            count: names.len(),
            key: place(KEY)?,
            validation: place(VALIDATION)?,
            test: place(TEST)?,
        })
    }

    fn row(
        &self,
        lines: &Lines,
        line: usize,
        fields: &StringRecord,
    ) -> Result<(String, Accuracies), TableError> {
        if fields.len() != self.count {
            let what = format!(
                "the line has {} fields, but the first line names {} columns",
                fields.len(),
                self.count
            );
            return Err(lines.error(
                line,
                what,
                "give it one field per column, separated by commas",
            ));
        }
        let percentage = |column: &str, field: usize| {
            let number = fields[field].parse::<f64>().ok();
            let valid = number.filter(|number| (0.0..=100.0).contains(number));
            valid.map(|number| number / 100.0).ok_or_else(|| {
                let what = format!("{column} is \"{}\"", &fields[field]);
                lines.error(
                    line,
                    what,
                    "it must be a percentage, a number from 0 to 100",
                )
            })
        };
        let key = &fields[self.key];
        if key.is_empty() {
            let what = format!("the field {KEY} is empty");
            return Err(lines.error(line, what, "name the architecture, or remove the line"));
        }
        Ok((
            key.to_owned(),
            Accuracies {
                validation: percentage(VALIDATION, self.validation)?,
                test: percentage(TEST, self.test)?,
            },
        ))
    }
}

/// The non-blank lines of `text`, split into fields, with their numbers from 1.
fn numbered(text: &str) -> impl Iterator<Item = (usize, StringRecord)> {
    let reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let records = reader.into_records().map(|record| {
        let record = record.expect("the text is UTF-8, and a line may have any number of fields");
        // Where the crate started reading: at the blank lines that it skips before the record.
        let (start, line) = record
            .position()
            .map_or((0, 1), |at| (at.byte(), at.line()));
        let rest = &text[start as usize..];
        let blank = rest.bytes().take_while(|byte| b"\r\n".contains(byte));
        let skipped = blank.filter(|byte| *byte == b'\n').count();
        (line as usize + skipped, record)
    });
    records.filter(|(_, record)| record.iter().any(|field| !field.is_empty()))
}

/// Looks children up in a table, in the order of submission.
pub struct TableLookup {
    /// `None` if the table cannot be used, which has been reported.
    table: Option<Table>,
    report: Box<dyn Fn(Report)>,
    /// Children waiting for the end of a pause.
    held: Vec<Job>,
    paused: bool,
}

impl TableLookup {
    /// Read the table at `path` for the space of `config`. [`Report::Ready`] or [`Report::Fatal`]
    /// is sent at once.
    pub fn start(
        path: &Path,
        config: &SpaceConfig,
        report: impl Fn(Report) + 'static,
    ) -> TableLookup {
        let read = || -> Result<Table, TableError> {
            let table = Table::read(path)?;
            table.check_complete(&Space::new(config, [0, 0, 0], 0)?)?;
            Ok(table)
        };
        let table = match read() {
            Ok(table) => {
                report(Report::Ready(Ready {
                    data: table.description(),
                    workers: 1,
                    compute: None,
                }));
                Some(table)
            }
            Err(error) => {
                let message = error.to_string();
                report(Report::Fatal { message });
                None
            }
        };
        TableLookup {
            table,
            report: Box::new(report),
            held: Vec::new(),
            paused: false,
        }
    }

    fn look_up(&self, job: &Job) {
        let found = match &job.design {
            Design::Key(key) => self.table.as_ref().and_then(|table| table.get(key)),
            Design::Network(_) => None,
        };
        let outcome = match found {
            Some(Accuracies { validation, .. }) => Outcome::Trained {
                valid_accuracies: vec![validation],
            },
            None => Outcome::Failed {
                reason: format!("{} has no row in the table", job.design.key()),
            },
        };
        self.finish(job.child, outcome, found.map(|found| found.test));
    }

    fn finish(&self, child: u64, outcome: Outcome, test_accuracy: Option<f64>) {
        (self.report)(Report::Finished {
            child,
            outcome,
            seconds: 0.0,
            energy_wh: None,
            test_accuracy,
        });
    }
}

impl Evaluator for TableLookup {
    fn submit(&mut self, job: Job) {
        if self.paused {
            self.held.push(job);
        } else {
            self.look_up(&job);
        }
    }

    fn skip(&mut self, child: u64) {
        let before = self.held.len();
        self.held.retain(|job| job.child != child);
        if self.held.len() < before {
            let reason = SKIPPED.to_owned();
            self.finish(child, Outcome::Excluded { reason }, None);
        }
    }

    fn pause(&mut self, number: u64) {
        self.paused = true;
        (self.report)(Report::Paused { number });
    }

    fn resume(&mut self) {
        self.paused = false;
        let held = std::mem::take(&mut self.held);
        held.iter().for_each(|job| self.look_up(job));
    }

    fn shutdown(&mut self) {}
}

#[cfg(test)]
mod tests;
