//! What a training begins with instead of random weights, and whether its validation images are new to them.

use std::io;
use std::path::{Path, PathBuf};

use super::TrainingError;
use crate::child::weights::WeightsError;
use crate::event::{DataDescription, EarlierTraining, InitialWeights};
use crate::foundation::input;
use crate::journal::Reader;
use crate::runs::RunDirectory;
use crate::runs::directory::{BEST, WEIGHTS};
use crate::space::Architecture;
use crate::space::weights::{Weights, WeightsFileError};
use crate::state::RunState;

/// Why a training cannot begin with the weights that it was given. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum InitialError {
    /// The file cannot be read, or its weights are those of another network.
    #[error("--weights")]
    File(#[from] WeightsFileError),
    /// A folder without the weights of a training.
    #[error(
        "--weights {}: no weights.safetensors there: it is not the run directory of a training (`nas-tui train`), or none of its epochs on whole \
         images has ended",
        .0.display()
    )]
    NoWeights(PathBuf),
    /// A training is replacing its weights, or was killed while it did.
    #[error(
        "--weights: the weights of {} are not those of the best epoch in its journal, or its best.json is missing: wait until it is over, or \
         continue it with --resume, which writes both anew",
        .0.display()
    )]
    InMotion(PathBuf),
    /// What is known of the weights cannot be read.
    #[error(
        "{}, which tells what this training began with, cannot be read: {cause}. Put it back, or begin a new training",
        .file.display()
    )]
    Facts {
        /// `initial.json` of the run directory.
        file: PathBuf,
        /// What went wrong.
        cause: io::Error,
    },
    /// The copy of the weights is gone before the first checkpoint.
    #[error(
        "the weights that this training begins with cannot be read: {0}. Put the file back, or begin a new training"
    )]
    Lost(String),
    /// The mean of such weights has seen all of them.
    #[error(
        "{} and {} were trained on different images of {data}: their mean cannot be validated on that, because what one of them set aside the other \
         may have learned",
        .runs[0],
        .runs[1]
    )]
    DifferentImages {
        /// Names of two trainings that the weights have gone through.
        runs: [String; 2],
        /// The data of the second.
        data: String,
    },
    /// The validation accuracy would say nothing about unseen images.
    #[error(
        "{run} was trained on other images of {data}, so this training's validation images may be among them, and its validation accuracy would \
         be too high. Take the data settings of that run (--config with its config.toml; ARCH as its RUN:best does that), or other data"
    )]
    OtherImages {
        /// Name of a training that the weights have gone through.
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
    /// The weights of `architecture` in safetensors files or in the run directories of trainings: of several their
    /// mean (Wortsman et al., "Model soups", arXiv 2203.05482; Izmailov et al., arXiv 1803.05407). `None` if none are
    /// given.
    ///
    /// # Errors
    /// If a file cannot be read, belongs to another network, or is about to be replaced.
    pub fn read(
        given: &[PathBuf],
        architecture: &Architecture,
    ) -> Result<Option<Initial>, InitialError> {
        let read = given.iter().map(|one| read_one(one, architecture));
        let mut read = read.collect::<Result<Vec<_>, _>>()?.into_iter();
        let Some((first, mut facts)) = read.next() else {
            return Ok(None);
        };
        let (others, with): (Vec<Weights>, Vec<InitialWeights>) = read.unzip();
        facts.mean_with = with;
        let weights = match others.is_empty() {
            true => first,
            false => first.mean_with(&others),
        };
        let bytes = weights.bytes().to_owned();
        Ok(Some(Initial { bytes, facts }))
    }
}

/// The weights in one file or run directory, and where they are from.
fn read_one(
    given: &Path,
    architecture: &Architecture,
) -> Result<(Weights, InitialWeights), InitialError> {
    let (file, run) = match given.is_dir() {
        true => (given.join(WEIGHTS), Some(given)),
        false => (given.to_owned(), folder_of_best(given)),
    };
    if given.is_dir() && !file.is_file() {
        return Err(InitialError::NoWeights(given.to_owned()));
    }
    let before = run.and_then(epoch_of_best);
    let weights = Weights::read(&file, architecture)?;
    let training = run.map(|run| earlier(run, before)).transpose()?;
    let facts = InitialWeights {
        file: given.display().to_string(),
        training: training.flatten(),
        mean_with: Vec::new(),
    };
    Ok((weights, facts))
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

/// The training in a run directory, whose weights have been read; `None` if there is none that can be read.
/// `before` they were read, its best epoch was this one.
fn earlier(run: &Path, before: Option<usize>) -> Result<Option<EarlierTraining>, InitialError> {
    let state = state_of(run);
    let training = state.as_ref().and_then(RunState::training_run);
    let Some((training, best)) = training.and_then(|training| Some((training, training.best()?)))
    else {
        return Ok(None);
    };
    let started = &training.started;
    // It is written after the weights, and both after the journal: if it was the same before and after they were
    // read, they are of this epoch.
    if [before, epoch_of_best(run)] != [Some(best.epoch); 2] {
        return Err(InitialError::InMotion(run.to_owned()));
    }
    Ok(Some(EarlierTraining {
        run: started.run.clone(),
        epochs: best.epoch,
        valid_accuracy: best.valid_accuracy,
        test_accuracy: training.test.as_ref().map(|test| test.report.accuracy),
        data: started.data.spec.clone(),
        fingerprint: started.data.fingerprint.clone(),
        before: started.initial.clone().map(Box::new),
    }))
}

fn state_of(run: &Path) -> Option<RunState> {
    let mut state = RunState::default();
    for record in Reader::open(&run.join("journal.jsonl")).ok()? {
        state.apply(&record.ok()?);
    }
    Some(state)
}

/// The epoch in `best.json`.
fn epoch_of_best(run: &Path) -> Option<usize> {
    let text = input::text(&run.join(BEST), input::OWN).ok()?;
    let best: serde_json::Value = serde_json::from_str(&text).ok()?;
    best["epoch"].as_u64().map(|epoch| epoch as usize)
}

/// What the training in `directory` begins with; `None` if its weights are random.
pub(super) fn of(directory: &RunDirectory) -> Result<Option<InitialWeights>, InitialError> {
    let unreadable = |cause| InitialError::Facts {
        file: directory.initial_path(),
        cause,
    };
    let facts = directory.initial().map_err(unreadable)?;
    let facts = facts.map(|json| serde_json::from_str(&json)).transpose();
    facts.map_err(|error| unreadable(error.into()))
}

/// Check that no validation image of `data` was a training image of a training that the weights have gone
/// through. What cannot be checked comes back as a warning.
pub(super) fn check(
    initial: &InitialWeights,
    data: &DataDescription,
) -> Result<Option<String>, InitialError> {
    let is_same_set =
        |other: &&EarlierTraining| kind_of_data(&other.data) == kind_of_data(&data.spec);
    let (same, mut others): (Vec<_>, Vec<_>) =
        initial.trainings().into_iter().partition(is_same_set);
    if let Some([one, other]) = same
        .windows(2)
        .map(|two| [two[0], two[1]])
        .find(|[one, other]| one.fingerprint != other.fingerprint)
    {
        return Err(InitialError::DifferentImages {
            runs: [one, other].map(|training| training.run.clone()),
            data: other.data.clone(),
        });
    }
    others.retain(|earlier| earlier.fingerprint != data.fingerprint);
    if let Some(earlier) = same
        .first()
        .filter(|earlier| earlier.fingerprint != data.fingerprint)
    {
        return Err(InitialError::OtherImages {
            run: earlier.run.clone(),
            data: earlier.data.clone(),
        });
    }
    let unknown = match (others.first(), initial.is_known()) {
        (Some(other), _) => format!("{} was trained on {}", other.run, other.data),
        (None, false) => {
            let averaged = initial.averaged();
            let unknown = averaged.iter().find(|one| !one.is_known());
            format!(
                "not all is known of what the weights in {} were trained on",
                unknown.unwrap_or(initial).file
            )
        }
        (None, true) => return Ok(None),
    };
    Ok(Some(format!(
        "{unknown}: if this training's validation images are among that, their accuracy is too high"
    )))
}

/// The name of a data set without the folder in which it lies, and that of the whole of which it is a part; a
/// `folder:DIR` is a data set of its own.
fn kind_of_data(spec: &str) -> &str {
    let kind = match spec.split_once(':') {
        Some((kind, _)) if kind != "folder" => kind,
        _ => spec,
    };
    kind.strip_suffix("-mini").unwrap_or(kind)
}

/// The error if the copy of the weights cannot be loaded.
pub(super) fn unread(error: WeightsError) -> TrainingError {
    match error {
        WeightsError::File(cause) => InitialError::Lost(cause.to_string()).into(),
        torch @ WeightsError::Torch(_) => torch.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_data_set_and_another_folder_of_it_are_the_same_data() {
        assert_eq!(kind_of_data("cifar10:a"), kind_of_data("cifar10:b"));
        assert_eq!(
            kind_of_data("fashion-mnist-mini"),
            kind_of_data("fashion-mnist:a")
        );
        assert_ne!(kind_of_data("folder:a"), kind_of_data("folder:b"));
        assert_ne!(kind_of_data("cifar10:a"), kind_of_data("cifar100:a"));
    }
}
