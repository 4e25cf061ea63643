//! A set of trainings to be carried out: the plan and the outcomes so far, in one file
//! (`trials.json`) that is replaced after each training.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::StudyError;
use crate::config::{self, Config, RewardConfig};
use crate::event::DataDescription;
use crate::foundation::durable::{in_file, write_atomically, write_json};
use crate::reward::{self, Outcome};
use crate::search::Search;
use crate::session::Work;
use crate::space::{Design, Dna};

/// Version of the file's format.
const VERSION: u32 = 1;
/// A process that only checks whether a folder is locked holds the lock for less than this.
const LOOKED_AT: Duration = Duration::from_millis(200);

/// One child to be trained once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The group it is compared in: the number of a network, or an arm.
    pub group: String,
    /// Number of layers of the child.
    pub depth: usize,
    /// Its DNA.
    pub dna: Dna,
    /// `architecture`, or `key` in a space whose children are looked up in a table.
    #[serde(flatten)]
    pub design: Design,
    /// Seed of its weights, batch order and augmentation.
    pub seed: u64,
    /// The outcome of the training; absent before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end: Option<End>,
}

/// The outcome of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// The outcome reported by the evaluator.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Best validation accuracy of the last epochs; absent if it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub accuracy: Option<f64>,
    /// Its reward, 0 if it failed; absent if the worker failed and nothing is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reward: Option<f64>,
    /// Duration in seconds.
    pub seconds: f64,
}

impl End {
    /// Accuracy and reward of `outcome` of a child with `macs` multiply-accumulates. A validation
    /// accuracy that is not finite does not count.
    pub fn new(outcome: Outcome, macs: u64, seconds: f64, config: &RewardConfig) -> End {
        End {
            accuracy: reward::accuracy(&outcome, config),
            reward: reward::reward(&outcome, macs, config),
            outcome,
            seconds,
        }
    }

    /// Whether it has reward 0 for want of an accuracy.
    pub fn has_failed(&self) -> bool {
        self.accuracy.is_none() && self.reward.is_some()
    }

    /// Why it has no accuracy.
    pub fn reason(&self) -> &str {
        match &self.outcome {
            Outcome::Failed { reason } | Outcome::Excluded { reason } => reason,
            Outcome::Trained { .. } => "no finite accuracy",
        }
    }
}

impl Trial {
    /// Its reward, once it is known.
    pub fn reward(&self) -> Option<f64> {
        self.end.as_ref()?.reward
    }

    /// Its accuracy, once it is known.
    pub fn accuracy(&self) -> Option<f64> {
        self.end.as_ref()?.accuracy
    }

    /// Whether it has an outcome. A training whose worker failed can be repeated.
    pub fn is_done(&self) -> bool {
        self.reward().is_some()
    }

    fn is_same(&self, other: &Trial) -> bool {
        (&self.group, &self.dna, self.seed) == (&other.group, &other.dna, other.seed)
    }
}

/// The trainings to be carried out.
#[derive(Debug, Clone)]
pub struct TrialsPlan {
    /// The purpose of the trainings: `reliability`, `verify`.
    pub purpose: String,
    /// The settings that the children are trained with.
    pub config: Config,
    /// The data of the run that the children belong to; `None` without a run.
    pub data: Option<DataDescription>,
    /// The trainings, in order.
    pub trials: Vec<Trial>,
}

/// The contents of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct TrialsFile {
    v: u32,
    purpose: String,
    /// Fingerprint of the data; absent before the workers have read them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    fingerprint: Option<String>,
    /// The numbers of planned trainings at each time the result was written: more than one if the
    /// set was enlarged after looking at the result.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    looks: Vec<usize>,
    trials: Vec<Trial>,
}

/// A set of trainings in a folder that only this process writes to.
#[derive(Debug)]
pub struct Trials {
    folder: PathBuf,
    config: Config,
    contents: TrialsFile,
    /// The open file holds the lock.
    _lock: File,
}

impl Trials {
    /// Begin `plan` in `folder`, or continue it, taking over what has already been trained there.
    /// The plan may be larger than the original one.
    ///
    /// # Errors
    /// If another process is working in the folder, its file is damaged, or it contains trainings
    /// that are not part of this plan.
    pub fn open(folder: &Path, plan: TrialsPlan) -> Result<Trials, StudyError> {
        fs::create_dir_all(folder).map_err(|error| in_file(folder, "cannot create", error))?;
        let lock = lock(folder)?;
        let mut contents = TrialsFile {
            v: VERSION,
            purpose: plan.purpose,
            fingerprint: plan.data.map(|data| data.fingerprint),
            looks: Vec::new(),
            trials: plan.trials,
        };
        if let Some(begun) = read(&folder.join("trials.json"))? {
            check_settings(folder, &plan.config)?;
            contents = taken_over(folder, begun, contents)?;
        }
        let config = folder.join("config.toml");
        write_atomically(&config, plan.config.to_toml().as_bytes())?;
        let trials = Trials {
            folder: folder.to_owned(),
            config: plan.config,
            contents,
            _lock: lock,
        };
        trials.save()?;
        Ok(trials)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The settings that the children are trained with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// All trainings, in order.
    pub fn all(&self) -> &[Trial] {
        &self.contents.trials
    }

    /// Indices of the trainings that are not done.
    pub fn left(&self) -> Vec<usize> {
        let trials = self.contents.trials.iter().enumerate();
        trials
            .filter(|(_, trial)| !trial.is_done())
            .map(|(place, _)| place)
            .collect()
    }

    /// Numbers of trainings at which the result was looked at before the set was enlarged.
    pub fn earlier_looks(&self) -> Vec<usize> {
        let now = self.contents.trials.len();
        let looks = self.contents.looks.iter().copied();
        looks.filter(|planned| *planned < now).collect()
    }

    /// Record the data that the children are trained on.
    ///
    /// # Errors
    /// If they differ from those of the first trainings.
    pub fn check_data(&mut self, data: &DataDescription) -> Result<(), StudyError> {
        let now = data.fingerprint.clone();
        match &self.contents.fingerprint {
            Some(then) if *then != now => Err(StudyError::OtherData {
                then: then.clone(),
                now,
            }),
            _ => {
                self.contents.fingerprint = Some(now);
                Ok(())
            }
        }
    }

    /// Record the outcome of the training at `place`, which is on disk afterwards.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn end(&mut self, place: usize, end: End) -> io::Result<()> {
        self.contents.trials[place].end = Some(end);
        self.save()
    }

    /// Write the result of the trainings as `result.json`, for reports.
    ///
    /// # Errors
    ///
    /// If the files cannot be written.
    pub fn conclude(&mut self, result: &impl Serialize) -> io::Result<()> {
        let planned = self.contents.trials.len();
        if !self.contents.looks.contains(&planned) {
            self.contents.looks.push(planned);
            self.save()?;
        }
        write_json(&self.folder.join("result.json"), result)
    }

    fn save(&self) -> io::Result<()> {
        write_json(&self.folder.join("trials.json"), &self.contents)
    }
}

pub(super) fn lock(folder: &Path) -> Result<File, StudyError> {
    let path = folder.join("lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| in_file(&path, "cannot open", error))?;
    let since = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // A process that only checks whether another one is at work releases the lock at once.
            Err(TryLockError::WouldBlock) if since.elapsed() < LOOKED_AT => {
                std::thread::sleep(LOOKED_AT / 10);
            }
            Err(TryLockError::WouldBlock) => {
                return Err(StudyError::InUse {
                    folder: folder.to_owned(),
                });
            }
            Err(TryLockError::Error(error)) => {
                return Err(in_file(&path, "cannot lock", error).into());
            }
        }
    }
}

/// The trainings that a set in `folder` was begun with; `None` if none was.
///
/// # Errors
/// If its file cannot be read.
pub fn begun(folder: &Path) -> Result<Option<Vec<Trial>>, StudyError> {
    let contents = read(&folder.join("trials.json"))?;
    Ok(contents.map(|contents| contents.trials))
}

fn read(path: &Path) -> Result<Option<TrialsFile>, StudyError> {
    super::read_versioned(path, VERSION, |contents: &TrialsFile| contents.v)
}

/// Refuse settings that differ from those of the folder, except for those without effect on
/// results.
fn check_settings(folder: &Path, now: &Config) -> Result<(), StudyError> {
    let path = folder.join("config.toml");
    let then = config::read(&path).map_err(|error| StudyError::Damaged {
        path,
        problem: error.to_string(),
    })?;
    let changes = now.changes_since(&then.to_toml(), |key| Search::is_free_to_change(key, now));
    match changes.is_empty() {
        true => Ok(()),
        false => Err(StudyError::OtherPlan {
            folder: folder.to_owned(),
            difference: changes.join("; "),
        }),
    }
}

/// `planned`, with the outcomes of `begun`.
fn taken_over(
    folder: &Path,
    begun: TrialsFile,
    mut planned: TrialsFile,
) -> Result<TrialsFile, StudyError> {
    let other = |difference: String| StudyError::OtherPlan {
        folder: folder.to_owned(),
        difference,
    };
    if begun.purpose != planned.purpose {
        return Err(other(format!("they are for `{}`", begun.purpose)));
    }
    let (there, wanted) = (begun.trials.len(), planned.trials.len());
    let mut places: HashMap<(String, u64), usize> = HashMap::new();
    for (place, trial) in planned.trials.iter().enumerate() {
        places.insert((trial.group.clone(), trial.seed), place);
    }
    for trial in begun.trials {
        let place = places.get(&(trial.group.clone(), trial.seed)).copied();
        match place.filter(|place| planned.trials[*place].is_same(&trial)) {
            Some(place) => planned.trials[place].end = trial.end,
            None if there > wanted => {
                return Err(other(format!(
                    "{there} trainings, but this command makes {wanted}"
                )));
            }
            None => return Err(other("their networks or seeds are not the same".to_owned())),
        }
    }
    planned.fingerprint = begun.fingerprint.or(planned.fingerprint);
    planned.looks = begun.looks;
    Ok(planned)
}

#[cfg(test)]
mod tests;
