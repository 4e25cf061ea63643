//! Why a classification cannot be judged.

use std::path::PathBuf;

/// Why no report can be made from labels and logits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// There are no images.
    #[error("there are no test images to report on")]
    NoImages,
    /// The number of labels differs from the number of rows of logits.
    #[error("{labels} labels do not belong to {rows} rows of logits")]
    Rows {
        /// Number of labels.
        labels: usize,
        /// Number of rows.
        rows: usize,
    },
    /// A row with too few or too many logits.
    #[error("image {image}: {logits} logits for {classes} classes")]
    Width {
        /// Number of the image, from 0.
        image: usize,
        /// Logits of the row.
        logits: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A label beyond the last class.
    #[error("image {image}: its label {label} is not one of {classes} classes")]
    Label {
        /// Number of the image, from 0.
        image: usize,
        /// Its label.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A logit is infinite or NaN.
    #[error(
        "image {image}: a logit is not finite: the weights are too large for these images, or damaged"
    )]
    NotFinite {
        /// Number of the image, from 0.
        image: usize,
    },
}

/// Why predictions cannot be read or compared. The message names file, line and remedy.
#[derive(Debug, thiserror::Error)]
pub enum PredictionsError {
    /// The file cannot be read, or is not a CSV file.
    #[error("{}: cannot read the predictions: {cause}; write them with `nas-tui evaluate ARCH --predictions FILE`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the CSV reader.
        cause: csv::Error,
    },
    /// A line with invalid contents.
    #[error("{}:{line}: {what}; write the file with `nas-tui evaluate ARCH --predictions FILE`", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// The two files describe different images.
    #[error(
        "{what}: the files do not describe the same images; evaluate both networks with the same --data and --limit"
    )]
    OtherImages {
        /// The first difference.
        what: String,
    },
}
