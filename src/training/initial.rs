//! What a training begins with instead of random weights, and whether its validation images are new to them.

use std::io;
use std::path::Path;

use crate::event::{DataDescription, EarlierTraining, InitialWeights};
use crate::journal::Reader;
use crate::runs::RunDirectory;
use crate::runs::directory::WEIGHTS;
use crate::space::Architecture;
use crate::space::weights::{Weights, WeightsFileError};
use crate::state::RunState;

/// Why a training cannot begin with the weights that it was given.
#[derive(Debug, thiserror::Error)]
pub enum InitialError {
    /// The file cannot be read, or its weights are those of another network.
    #[error("--weights")]
    File(#[from] WeightsFileError),
    /// What is known of the weights cannot be read.
    #[error("initial.json of the run directory, which tells where its first weights are from")]
    Facts(#[source] io::Error),
    /// The validation accuracy would say nothing about unseen images.
    #[error(
        "{run} was trained on other images of {data}, so this training's validation images may be among them, and its validation accuracy would \
         be too high. Take the data settings of that run (--config with its config.toml; ARCH as its RUN:best does that), or other data"
    )]
    OtherImages {
        /// Name of the training that the weights are from.
        run: String,
        /// Its data.
        data: String,
    },
}

/// Weights to begin with, as they were read.
#[derive(Debug)]
pub struct Initial {
    /// The safetensors file.
    pub bytes: Vec<u8>,
    /// Where they are from.
    pub facts: InitialWeights,
}

impl Initial {
    /// The weights of `architecture` in a safetensors file, or in the run directory of a training.
    ///
    /// # Errors
    /// If the file cannot be read, or belongs to another network.
    pub fn read(given: &Path, architecture: &Architecture) -> Result<Initial, InitialError> {
        let (file, run) = match given.is_dir() {
            true => (given.join(WEIGHTS), Some(given)),
            false => (given.to_owned(), folder_of_best(given)),
        };
        let weights = Weights::read(&file, architecture)?;
        Ok(Initial {
            bytes: weights.bytes().to_owned(),
            facts: InitialWeights {
                file: given.display().to_string(),
                training: run.and_then(earlier),
            },
        })
    }
}

/// The folder of a training's best weights, if `file` has their name.
fn folder_of_best(file: &Path) -> Option<&Path> {
    let is_best = file.file_name().is_some_and(|name| name == WEIGHTS);
    let folder = file.parent().filter(|_| is_best)?;
    Some(if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    })
}

/// The training in a run directory; `None` if there is none that can be read.
fn earlier(run: &Path) -> Option<EarlierTraining> {
    let mut state = RunState::default();
    for record in Reader::open(&run.join("journal.jsonl")).ok()? {
        state.apply(&record.ok()?);
    }
    let training = state.training_run()?;
    let (started, best) = (&training.started, training.best()?);
    let before = started
        .initial
        .as_ref()
        .and_then(|initial| initial.training.as_ref());
    Some(EarlierTraining {
        run: started.run.clone(),
        epochs: best.epoch + before.map_or(0, |before| before.epochs),
        valid_accuracy: best.valid_accuracy,
        test_accuracy: training.test.as_ref().map(|test| test.report.accuracy),
        data: started.data.spec.clone(),
        fingerprint: started.data.fingerprint.clone(),
    })
}

/// What the training in `directory` begins with; `None` if its weights are random.
pub(super) fn of(directory: &RunDirectory) -> Result<Option<InitialWeights>, InitialError> {
    let facts = directory.initial().map_err(InitialError::Facts)?;
    let facts = facts.map(|json| serde_json::from_str(&json)).transpose();
    facts.map_err(|error| InitialError::Facts(error.into()))
}

/// Check that no validation image of `data` was a training image of the training that the weights are from.
pub(super) fn check(initial: &InitialWeights, data: &DataDescription) -> Result<(), InitialError> {
    let Some(earlier) = &initial.training else {
        return Ok(());
    };
    let is_same_split = earlier.fingerprint == data.fingerprint;
    if is_same_split || kind_of_data(&earlier.data) != kind_of_data(&data.spec) {
        return Ok(());
    }
    Err(InitialError::OtherImages {
        run: earlier.run.clone(),
        data: earlier.data.clone(),
    })
}

/// The name of a data set without the folder in which it lies; a `folder:DIR` is a data set of its own.
fn kind_of_data(spec: &str) -> &str {
    match spec.split_once(':') {
        Some((kind, _)) if kind != "folder" => kind,
        _ => spec,
    }
}

/// The warning if nothing is known of the images that the weights were trained on.
pub(super) fn unknown(initial: &InitialWeights) -> Option<String> {
    initial.training.is_none().then(|| {
        format!(
            "it is not known what the weights in {} were trained on: if the validation images are among that, their accuracy is too high",
            initial.file
        )
    })
}
