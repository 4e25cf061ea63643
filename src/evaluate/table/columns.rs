//! The lines of a table's file: the positions of the columns, and errors with their line.

use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::{Accuracies, TableError};

/// Column of a row's key.
const KEY: &str = "arch";
/// Column of the validation accuracy that rewards are computed from, in percent.
const VALIDATION: &str = "valid_accuracy_12ep";
/// Column of the fully trained network's test accuracy, in percent.
const TEST: &str = "test_accuracy_200ep";

/// The lines of a file, with its path for error messages.
pub(super) struct Lines<'a> {
    pub(super) path: &'a Path,
}

impl Lines<'_> {
    pub(super) fn error(&self, line: usize, what: String, remedy: &str) -> TableError {
        TableError::Line {
            path: self.path.to_owned(),
            line,
            what,
            remedy: remedy.to_owned(),
        }
    }

    pub(super) fn empty(&self) -> TableError {
        let what = "the file is empty".to_owned();
        let remedy = format!("its first line must name the columns {KEY}, {VALIDATION} and {TEST}");
        self.error(1, what, &remedy)
    }
}

/// The positions of the columns.
pub(super) struct Columns {
    count: usize,
    key: usize,
    validation: usize,
    test: usize,
}

impl Columns {
    pub(super) fn of(
        lines: &Lines,
        line: usize,
        names: &StringRecord,
    ) -> Result<Columns, TableError> {
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

    pub(super) fn row(
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
pub(super) fn numbered(text: &str) -> impl Iterator<Item = (usize, StringRecord)> {
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
