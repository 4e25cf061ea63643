//! The evaluator of tabular spaces, which looks accuracies up in a CSV file. It uses no processes,
//! images or libtorch, and the same row gives the same outcome whatever the seed.

mod columns;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use self::columns::{Columns, Lines, numbered};
use super::{EVALUATORS, Evaluator, Job, Ready, Registered, Report, TableError};
use crate::config::SpaceConfig;
use crate::event::DataDescription;
use crate::foundation::input;
use crate::reward::{Outcome, SKIPPED};
use crate::space::{Design, Space};

/// Accuracies of every child of a tabular space.
#[derive(Debug, Clone)]
pub struct Table {
    path: PathBuf,
    /// In ascending order of the keys, so that what is computed over all rows is always the same.
    rows: BTreeMap<String, Accuracies>,
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

impl Table {
    /// Read the table at `path`: a header line that names the columns, then one line per row. Other
    /// columns are ignored.
    ///
    /// # Errors
    /// If the file cannot be read, a column is missing, a key is repeated, or an accuracy is not a
    /// percentage.
    pub fn read(path: &Path) -> Result<Table, TableError> {
        let text = input::text(path, input::TEXT).map_err(|cause| TableError::Unreadable {
            path: path.to_owned(),
            cause,
        })?;
        let lines = Lines { path };
        let mut numbered = numbered(&text);
        let (head, names) = numbered.next().ok_or_else(|| lines.empty())?;
        let columns = Columns::of(&lines, head, &names)?;
        let mut rows = BTreeMap::new();
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

    /// The result of evaluating `design`: the outcome, and the test accuracy of the row.
    pub fn outcome(&self, design: &Design) -> (Outcome, Option<f64>) {
        let found = match design {
            Design::Key(key) => self.get(key),
            Design::Network(_) => None,
        };
        let outcome = match found {
            Some(Accuracies { validation, .. }) => Outcome::Trained {
                valid_accuracies: vec![validation],
            },
            None => Outcome::Failed {
                reason: format!("{} has no row in the table", design.key()),
            },
        };
        (outcome, found.map(|found| found.test))
    }

    /// The accuracies of all rows, in ascending order of their keys.
    pub fn rows(&self) -> impl Iterator<Item = Accuracies> {
        self.rows.values().copied()
    }

    /// The highest test accuracy of any row; 0 for a table without rows.
    pub fn best_test(&self) -> f64 {
        let tests = self.rows().map(|row| row.test);
        tests.fold(0.0, f64::max)
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
            images: None,
            fingerprint: self.fingerprint.clone(),
        }
    }
}

#[linkme::distributed_slice(EVALUATORS)]
static ENTRY: Registered = Registered {
    name: "table",
    takes: |config| config.search.table.is_some(),
    is_default: false,
    start: |config, _, report| {
        let path = config.search.table.clone().unwrap_or_default();
        Ok(Box::new(TableLookup::start(&path, &config.space, report)))
    },
};

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
        let (outcome, test_accuracy) = self.table.as_ref().map_or_else(
            || {
                let reason = "the table cannot be used".to_owned();
                (Outcome::Failed { reason }, None)
            },
            |table| table.outcome(&job.design),
        );
        self.finish(job.child, outcome, test_accuracy);
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
