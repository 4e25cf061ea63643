//! A run that another one is compared with, as far as the comparison needs it: a few numbers for each
//! episode, however long it is.

use std::path::PathBuf;

use super::RunSettings;
use crate::analysis::comparable::Comparability;
use crate::analysis::series::Quantity;
use crate::config::Config;
use crate::event::{EpisodeFinished, Event, Level, Record, RunStarted};
use crate::link::LinkStatus;
use crate::state::{RunState, RunStatus};

/// How far a run is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is to be attached to.
    Wanted,
    /// It is being attached to.
    Opening,
    /// Its journal is long, and being read.
    Reading {
        /// How much has been read.
        percent: u8,
    },
    /// As it is.
    Known,
    /// It cannot be attached to, for this reason.
    Lost(String),
    /// Its journal is damaged; the rest is as of the record before.
    Damaged(String),
}

/// The means of an episode.
#[derive(Debug, Clone, Copy, PartialEq)]
struct EpisodeMeans {
    episode: usize,
    reward: f64,
    accuracy: Option<f64>,
}

impl From<&EpisodeFinished> for EpisodeMeans {
    fn from(finished: &EpisodeFinished) -> EpisodeMeans {
        EpisodeMeans {
            episode: finished.episode,
            reward: finished.mean_reward,
            accuracy: finished.mean_accuracy,
        }
    }
}

/// A run that the one shown is compared with.
#[derive(Debug, Clone)]
pub struct OtherRun {
    /// Its place among them, from 0: its number and its colour.
    pub place: u8,
    /// Its folder, without links in its path.
    pub folder: PathBuf,
    /// Name of the folder.
    pub name: String,
    /// How far it is known.
    pub standing: Standing,
    /// How it began, if it is a search.
    pub started: Option<Box<RunStarted>>,
    /// Its settings.
    pub settings: RunSettings,
    /// What it has in common with the run shown; `None` until both have begun.
    pub comparability: Option<Comparability>,
    /// Its status according to its events, and the process that works on it.
    told: RunStatus,
    link: LinkStatus,
    episodes: Vec<EpisodeMeans>,
}

impl OtherRun {
    /// One of which nothing is known.
    pub fn new(place: u8, folder: PathBuf, name: String) -> OtherRun {
        OtherRun {
            place,
            folder,
            name,
            standing: Standing::Wanted,
            started: None,
            settings: RunSettings::default(),
            comparability: None,
            told: RunStatus::default(),
            link: LinkStatus::Reading { percent: 0 },
            episodes: Vec::new(),
        }
    }

    /// Its records follow, after `state` if they do not begin with the first one.
    pub fn begin(&mut self, state: Option<&RunState>, settings: RunSettings) {
        let blank = OtherRun::new(self.place, self.folder.clone(), self.name.clone());
        *self = OtherRun {
            standing: Standing::Reading { percent: 0 },
            settings,
            ..blank
        };
        let Some(state) = state else { return };
        let search = state.search();
        self.told = state.status;
        self.started = search.started.clone().map(Box::new);
        self.episodes = search.episodes.iter().map(EpisodeMeans::from).collect();
    }

    /// Process its next record; returns whether something that is drawn has changed.
    pub fn take(&mut self, record: &Record) -> bool {
        let before = self.told;
        self.told.apply(&record.event);
        match &record.event {
            Event::RunStarted(started) => self.started = Some(Box::new(started.clone())),
            Event::EpisodeFinished(finished) => {
                let means = EpisodeMeans::from(finished);
                // In a damaged journal an episode may end twice: the last one counts.
                match self.episodes.last_mut() {
                    Some(last) if last.episode == means.episode => *last = means,
                    _ => self.episodes.push(means),
                }
            }
            // What is in no journal comes from the reader of this one.
            Event::Notice {
                level: Level::Error,
                message,
            } if record.seq.is_none() => self.standing = Standing::Damaged(message.clone()),
            _ => return self.told != before,
        }
        true
    }

    /// Process a change at the other end of its connection; returns whether it changes what is known.
    pub fn take_link(&mut self, link: LinkStatus) -> bool {
        let before = (self.standing.clone(), self.status());
        if !matches!(self.standing, Standing::Damaged(_)) {
            self.standing = match link {
                LinkStatus::Reading { percent } => Standing::Reading { percent },
                _ => Standing::Known,
            };
        }
        self.link = link;
        before != (self.standing.clone(), self.status())
    }

    /// Its status.
    pub fn status(&self) -> RunStatus {
        self.link.run_status(self.told)
    }

    /// Compare it with the run shown, unless that is done or it has not begun; returns whether it has been
    /// compared now.
    pub(super) fn compare(&mut self, now: (&RunStarted, Option<&Config>)) -> bool {
        if self.comparability.is_some() {
            return false;
        }
        let settings = self.settings.config.as_ref();
        let then = self.started.as_deref();
        self.comparability = then.map(|then| Comparability::of((then, settings), now));
        self.comparability.is_some()
    }

    /// Whether its values of this quantity stand on the axis of the run shown.
    pub fn shares(&self, quantity: Quantity) -> bool {
        let comparability = self.comparability.as_ref();
        comparability.is_some_and(|found| found.obstacle(quantity).is_none())
    }

    /// Its last finished episode; 0 if there is none.
    pub fn last_episode(&self) -> usize {
        self.episodes.last().map_or(0, |last| last.episode)
    }

    /// The mean of each of its finished episodes.
    pub fn means(&self, quantity: Quantity) -> impl Iterator<Item = (usize, Option<f64>)> {
        self.episodes.iter().map(move |means| {
            let value = match quantity {
                Quantity::Reward => Some(means.reward),
                Quantity::Accuracy => means.accuracy,
            };
            (means.episode, value)
        })
    }
}
