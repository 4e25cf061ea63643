//! A set of trainings or searches in one folder, each with its own run directory: the list
//! (`trainings.json`), and the progress of each.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::StudyError;
use super::trials::lock;
use crate::analysis::{RunSummary, TrainingSummary};
use crate::config::Config;
use crate::foundation::durable::{in_file, write_atomically, write_json};
use crate::runs::look_at;
use crate::space::Architecture;
use crate::state::RunStatus;

/// Version of the file's format.
const VERSION: u32 = 1;
/// Name of the file.
const FILE: &str = "trainings.json";

/// The list of runs. `Q` is the question they answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SeriesFile<Q> {
    v: u32,
    /// Names of the run directories, in the order in which they are carried out.
    trainings: Vec<String>,
    #[serde(flatten)]
    question: Q,
}

/// One run to be prepared.
#[derive(Debug)]
pub struct PreparedRun {
    /// Name of its run directory.
    pub name: String,
    /// The network of a training; `None` for a search.
    pub architecture: Option<Architecture>,
    /// Its settings; `search.seed` is its seed.
    pub config: Config,
}

/// A set of runs in its folder.
#[derive(Debug, Clone)]
pub struct Series<Q> {
    folder: PathBuf,
    contents: SeriesFile<Q>,
}

/// Whether `folder` holds a set of runs.
pub fn is_series(folder: &Path) -> bool {
    folder.join(FILE).is_file()
}

impl<Q: Serialize + DeserializeOwned> Series<Q> {
    /// Prepare the run directories in `folder`, then write the list: from then on the set exists.
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub fn begin(folder: &Path, question: Q, runs: &[PreparedRun]) -> io::Result<Series<Q>> {
        let mut series = Series {
            folder: folder.to_owned(),
            contents: SeriesFile {
                v: VERSION,
                trainings: Vec::new(),
                question,
            },
        };
        series.prepare(runs)?;
        Ok(series)
    }

    /// Add those of `runs` that the set lacks after those that it has; together they answer
    /// `question`.
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub fn extend(&mut self, question: Q, runs: &[PreparedRun]) -> io::Result<()> {
        self.contents.question = question;
        self.prepare(runs)
    }

    fn prepare(&mut self, runs: &[PreparedRun]) -> io::Result<()> {
        for run in runs {
            if self.contents.trainings.contains(&run.name) {
                continue;
            }
            let path = self.folder.join(&run.name);
            fs::create_dir_all(&path).map_err(|error| in_file(&path, "cannot create", error))?;
            if let Some(architecture) = &run.architecture {
                let network = architecture.to_json();
                write_atomically(&path.join("architecture.json"), network.as_bytes())?;
            }
            // With this file it is a run, which `--resume` can begin.
            let config = run.config.to_toml();
            write_atomically(&path.join("config.toml"), config.as_bytes())?;
            self.contents.trainings.push(run.name.clone());
        }
        write_json(&self.folder.join(FILE), &self.contents)
    }

    /// The set in `folder`; `None` if there is none.
    ///
    /// # Errors
    /// If its file cannot be read.
    pub fn find(folder: &Path) -> Result<Option<Series<Q>>, StudyError> {
        let version = |contents: &SeriesFile<Q>| contents.v;
        let contents = super::read_versioned(&folder.join(FILE), VERSION, version)?;
        Ok(contents.map(|contents| Series {
            folder: folder.to_owned(),
            contents,
        }))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The question that the runs answer.
    pub fn question(&self) -> &Q {
        &self.contents.question
    }

    /// The run directories, in the order in which they are carried out.
    pub fn paths(&self) -> Vec<PathBuf> {
        let names = self.contents.trainings.iter();
        names.map(|name| self.folder.join(name)).collect()
    }

    /// Keep other processes from working on the set while the returned file exists.
    ///
    /// # Errors
    /// If another process is already working on it.
    pub fn lock(&self) -> Result<File, StudyError> {
        lock(&self.folder)
    }
}

/// The summary of the training in `run` so far; `None` if it has not begun.
pub fn summary_of(run: &Path) -> Option<TrainingSummary> {
    let summary = TrainingSummary::of_journal(&run.join("journal.jsonl")).ok()?;
    (!summary.run.is_empty()).then_some(summary)
}

/// Whether the run in `run` was completed as planned.
pub fn is_complete(run: &Path) -> bool {
    look_at(run).is_some_and(|run| run.status == RunStatus::Completed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Options, resolve};
    use crate::space::Layer;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Question {
        seeds: Vec<u64>,
    }

    fn network() -> Architecture {
        Architecture {
            name: "small".to_owned(),
            input: [1, 28, 28],
            classes: 10,
            layers: vec![Layer {
                kind: Default::default(),
                kernel: [3, 3],
                filters: 4,
                stride: [1, 1],
                padding: [1, 1],
                inputs: vec![0],
            }],
            output: vec![1],
        }
    }

    fn training(name: &str) -> PreparedRun {
        PreparedRun {
            name: name.to_owned(),
            architecture: Some(network()),
            config: resolve(&Options::default()).unwrap(),
        }
    }

    #[test]
    fn a_set_is_found_again_with_its_question_and_its_runs() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Series::<Question>::find(folder.path()).unwrap().is_none());
        let question = Question { seeds: vec![3, 4] };
        let trainings = [training("seed-3"), training("seed-4")];
        Series::begin(folder.path(), question.clone(), &trainings).unwrap();
        let found = Series::<Question>::find(folder.path()).unwrap().unwrap();
        assert_eq!(found.question(), &question);
        assert_eq!(found.paths()[1], folder.path().join("seed-4"));
        assert!(found.paths().iter().all(|path| !is_complete(path)));
        assert!(found.paths()[0].join("config.toml").is_file());
    }

    #[test]
    fn an_extended_set_keeps_its_runs_and_gets_those_that_it_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let question = |seeds: &[u64]| Question {
            seeds: seeds.to_vec(),
        };
        let first = [training("seed-3")];
        let mut series = Series::begin(folder.path(), question(&[3]), &first).unwrap();
        let begun = folder.path().join("seed-3/config.toml");
        std::fs::write(&begun, "as it was").unwrap();
        let more = [training("seed-3"), training("seed-4")];
        series.extend(question(&[3, 4]), &more).unwrap();
        let found = Series::<Question>::find(folder.path()).unwrap().unwrap();
        assert_eq!(found.question(), &question(&[3, 4]));
        let runs = ["seed-3", "seed-4"].map(|name| folder.path().join(name));
        assert_eq!(found.paths(), runs);
        assert_eq!(std::fs::read_to_string(begun).unwrap(), "as it was");
        assert!(runs[1].join("config.toml").is_file());
    }

    #[test]
    fn a_damaged_file_is_named_with_a_remedy() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "{}").unwrap();
        let error = Series::<Question>::find(folder.path()).unwrap_err();
        assert!(error.to_string().contains("trainings.json"), "{error}");
    }
}
