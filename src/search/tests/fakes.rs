//! Shared by the tests of the search: runs in temporary folders, and their results.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

pub use super::calculator::{Behaviour, parts};
use crate::analysis::Summary;
use crate::config::{Config, Options, resolve};
use crate::event::{Event, Record};
use crate::runs::RunDirectory;
use crate::search::Search;
use crate::search::checkpoint::SearchCheckpoint;
use crate::session::{Session, SessionError};
use crate::strategy::StrategyState;

/// Three episodes of four children of two layers, with few enough options for repeats to occur.
pub fn config(set: &[&str]) -> Config {
    let tiny = [
        "search.episodes=3",
        "search.children_per_episode=4",
        "search.controls=0",
        "search.initial_depth=2",
        "search.depth_every=100",
        "space.kernels=[1,3]",
        "space.filters=[4,8]",
        "space.strides=[1]",
        "space.paddings=[0,1]",
        "child.epochs=2",
    ];
    let set = tiny
        .iter()
        .chain(set)
        .map(|text| (*text).to_owned())
        .collect();
    resolve(&Options {
        set,
        ..Options::default()
    })
    .unwrap()
}

/// A run in a temporary folder.
pub struct Run {
    pub root: tempfile::TempDir,
    pub config: Config,
}

impl Run {
    pub fn new(set: &[&str]) -> Run {
        Run {
            root: tempfile::tempdir().unwrap(),
            config: config(set),
        }
    }

    pub fn path(&self) -> PathBuf {
        self.root.path().join("run")
    }

    pub fn journal(&self) -> PathBuf {
        self.path().join("journal.jsonl")
    }

    pub fn checkpoint_path(&self) -> PathBuf {
        self.path().join("checkpoint/search.safetensors")
    }

    pub fn begin(&self) -> Session<Search> {
        Session::begin(
            self.config.clone(),
            RunDirectory::create(&self.path()).unwrap(),
        )
        .unwrap()
    }

    pub fn open(&self) -> Result<Session<Search>, SessionError> {
        Session::resume(
            self.config.clone(),
            RunDirectory::open(&self.path()).unwrap(),
        )
    }

    /// Begin and search to completion.
    pub fn search(&self, behaviour: &Behaviour) -> Result<Summary, SessionError> {
        self.begin().start(parts(behaviour)).unwrap().join()
    }

    pub fn resume(&self, behaviour: &Behaviour) -> Result<Summary, SessionError> {
        self.open()?.start(parts(behaviour)).unwrap().join()
    }

    pub fn records(&self) -> Vec<Record> {
        crate::journal::read(&self.journal()).unwrap()
    }

    pub fn checkpoint(&self) -> Option<SearchCheckpoint> {
        SearchCheckpoint::load(&self.checkpoint_path()).unwrap()
    }

    /// Everything about the run that must not depend on how often it was interrupted.
    pub fn outcome(&self) -> RunOutcome {
        let mut outcome = RunOutcome {
            state: self.checkpoint().unwrap().state,
            ..RunOutcome::default()
        };
        self.records()
            .into_iter()
            .for_each(|record| outcome.add(record.event));
        outcome
    }
}

#[derive(Debug, Default, PartialEq)]
pub struct RunOutcome {
    pub dna: BTreeMap<u64, String>,
    pub ended: BTreeMap<u64, String>,
    pub started: Vec<usize>,
    pub episodes: Vec<String>,
    pub checkpoints: Vec<usize>,
    pub state: StrategyState,
}

impl RunOutcome {
    fn add(&mut self, event: Event) {
        match event {
            Event::ChildSampled(sampled) => {
                let is_new = self
                    .dna
                    .insert(sampled.child, sampled.dna.to_string())
                    .is_none();
                assert!(is_new, "child {} was sampled twice", sampled.child);
            }
            Event::ChildFinished(finished) => {
                let account = format!(
                    "{} {} {:?}",
                    finished.accuracy, finished.reward, finished.repeat_of
                );
                self.end(finished.child, account);
            }
            Event::ChildFailed {
                child,
                reason,
                reward,
                ..
            } => self.end(child, format!("{reason} {reward}")),
            Event::ChildExcluded { child, reason, .. } => self.end(child, reason),
            Event::EpisodeExcluded {
                episode, children, ..
            } => {
                self.episodes
                    .push(format!("{episode}: {children} excluded"));
            }
            Event::EpisodeFinished(mut finished) => {
                finished.seconds = 0.0;
                self.episodes.push(format!("{finished:?}"));
            }
            Event::EpisodeStarted { episode, .. } => self.started.push(episode),
            Event::CheckpointSaved { episode, .. } => self.checkpoints.push(episode),
            _ => {}
        }
    }

    fn end(&mut self, child: u64, account: String) {
        assert!(
            self.ended.insert(child, account).is_none(),
            "child {child} ended twice"
        );
    }
}

/// Names of the events in a journal, with repetitions collapsed.
pub fn event_names(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let name = |line: &str| {
        serde_json::from_str::<HashMap<String, serde_json::Value>>(line).unwrap()["event"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let mut names: Vec<String> = text.lines().map(name).collect();
    names.dedup();
    names
}
