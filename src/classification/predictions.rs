//! The predictions of a network, as written by `evaluate --predictions`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::PredictionsError;
use super::paired::PairedAnswers;
use crate::foundation::input;

/// Labels and predictions by image index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predictions {
    path: PathBuf,
    rows: BTreeMap<u64, Prediction>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Prediction {
    line: u64,
    label: u64,
    prediction: u64,
}

impl Predictions {
    /// Read a CSV file with the columns `index`, `label` and `prediction`; other columns are
    /// ignored.
    ///
    /// # Errors
    /// If the file cannot be read, a column is missing, a field is not a whole number, or an index
    /// is repeated.
    pub fn read(path: &Path) -> Result<Predictions, PredictionsError> {
        let unreadable = |cause| PredictionsError::Unreadable {
            path: path.to_owned(),
            cause,
        };
        let error = |line, what| PredictionsError::Line {
            path: path.to_owned(),
            line,
            what,
        };
        let mut reader = csv::Reader::from_reader(
            input::reader(path, input::TEXT).map_err(|error| unreadable(error.into()))?,
        );
        let head = reader.headers().map_err(unreadable)?.clone();
        let column = |name: &str| {
            let place = head.iter().position(|title| title.trim() == name);
            place.ok_or_else(|| error(1, format!("there is no column {name:?}")))
        };
        let columns = [column("index")?, column("label")?, column("prediction")?];
        let mut rows: BTreeMap<u64, Prediction> = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(unreadable)?;
            let line = record.position().map_or(0, csv::Position::line);
            let mut numbers = [0; 3];
            for (number, place) in numbers.iter_mut().zip(columns) {
                let field = record.get(place).unwrap_or("").trim();
                let not_whole = |_| error(line, format!("{field:?} is not a whole number"));
                *number = field.parse().map_err(not_whole)?;
            }
            let [index, label, prediction] = numbers;
            let row = Prediction {
                line,
                label,
                prediction,
            };
            if let Some(first) = rows.insert(index, row) {
                let what = format!("image {index} appears twice, first in line {}", first.line);
                return Err(error(line, what));
            }
        }
        let path = path.to_owned();
        Ok(Predictions { path, rows })
    }

    /// Which of the two networks is right on each image.
    ///
    /// # Errors
    /// Unless both files contain the same images with the same labels.
    pub fn pair(&self, other: &Predictions) -> Result<PairedAnswers, PredictionsError> {
        self.holds_all_of(other)?;
        let mut answers = PairedAnswers::default();
        for (index, ours) in &self.rows {
            let Some(theirs) = other.rows.get(index) else {
                return Err(self.missing(*index, ours, other));
            };
            if ours.label != theirs.label {
                let what = format!(
                    "image {index} has the label {} in {}:{} and {} in {}:{}",
                    ours.label,
                    self.path.display(),
                    ours.line,
                    theirs.label,
                    other.path.display(),
                    theirs.line
                );
                return Err(PredictionsError::OtherImages { what });
            }
            answers.count(
                ours.prediction == ours.label,
                theirs.prediction == theirs.label,
            );
        }
        Ok(answers)
    }

    fn holds_all_of(&self, other: &Predictions) -> Result<(), PredictionsError> {
        let lacking = other
            .rows
            .iter()
            .find(|(index, _)| !self.rows.contains_key(index));
        lacking.map_or(Ok(()), |(index, row)| Err(other.missing(*index, row, self)))
    }

    /// The error for `row` of this file, whose image is missing in `other`.
    fn missing(&self, index: u64, row: &Prediction, other: &Predictions) -> PredictionsError {
        let (here, line, there) = (self.path.display(), row.line, other.path.display());
        PredictionsError::OtherImages {
            what: format!("{there} has no image {index} ({here}:{line})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn read(text: &str) -> Result<Predictions, PredictionsError> {
        let (_folder, path) = written("a.csv", text);
        Predictions::read(&path)
    }

    #[test]
    fn images_are_paired_by_index_regardless_of_order() {
        let a = read("index,label,prediction,logit_0\n0,3,3,0.1\n1,2,0,0.2\n2,1,1,0.3\n").unwrap();
        let b = read("label,prediction,index\n1,0,2\n3,3,0\n2,2,1\n").unwrap();
        let expected = PairedAnswers {
            both_right: 1,
            only_a_right: 1,
            only_b_right: 1,
            both_wrong: 0,
        };
        assert_eq!(a.pair(&b).unwrap(), expected);
    }

    #[test]
    fn files_of_different_images_are_refused_with_the_first_difference() {
        let a = read("index,label,prediction\n0,3,3\n1,2,0\n").unwrap();
        let fewer = read("index,label,prediction\n0,3,3\n").unwrap();
        let relabelled = read("index,label,prediction\n0,3,3\n1,4,0\n").unwrap();
        let refused = |one: &Predictions, other| one.pair(other).unwrap_err().to_string();
        assert!(refused(&a, &fewer).contains("has no image 1 ("));
        assert!(refused(&fewer, &a).contains("has no image 1 ("));
        let text = refused(&a, &relabelled);
        assert!(text.contains("image 1 has the label 2 in"), "{text}");
    }

    #[test]
    fn bad_files_are_refused_with_the_line_number() {
        let cases = [
            (
                "index,label\n0,1\n",
                "a.csv:1: there is no column \"prediction\"",
            ),
            (
                "index,label,prediction\n0,1,x\n",
                "a.csv:2: \"x\" is not a whole number",
            ),
            (
                "index,label,prediction\n0,1,1\n0,1,1\n",
                "a.csv:3: image 0 appears twice, first in line 2",
            ),
            (
                "index,label,prediction\n0,1\n",
                "cannot read the predictions",
            ),
        ];
        for (text, expected) in cases {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
