//! What is known about the child in the inspector, whatever its status: waiting, in training,
//! ended, or read from the journal.

use std::borrow::Cow;

use super::Known;
use crate::analysis::selection::Selection;
use crate::event::ChildEpoch;
use crate::space::{Architecture, Dna};
use crate::state::{Candidate, ChildRow, ClusterPlace, LogText, RunState};
use crate::tui::format;
use crate::tui::panels::{Row, join_ranked, labelled, words};
use crate::tui::theme::Role;

/// A child as far as it is known.
pub struct Subject<'a> {
    /// Its number, from 1.
    pub child: u64,
    /// Its status at the moment shown.
    pub status: Standing,
    /// Its row, once it has ended.
    pub row: Option<&'a ChildRow>,
    /// The child that a user edited into this one; `None` if it was sampled.
    pub parent: Option<u64>,
    /// Whether it is a control.
    pub is_control: bool,
    /// `None` until it is in memory or has been read.
    pub dna: Option<Dna>,
    /// `None` if unknown, or if the child is not a network (a cell of a table).
    pub architecture: Option<Cow<'a, Architecture>>,
    /// The epochs that are in memory or have been read.
    pub epochs: &'a [ChildEpoch],
    /// Whether the journal has been read for it, so that `epochs` are complete.
    pub is_read: bool,
}

/// The status of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Unknown,
    Waiting,
    Training { worker: usize },
    Ended,
    Failed,
    Excluded,
}

impl<'a> Subject<'a> {
    /// What `known` contains about `child`.
    pub fn of(child: u64, known: &Known<'a>) -> Subject<'a> {
        let state = known.state;
        let detail = known
            .detail
            .filter(|detail| detail.candidate.child == child);
        let training = state.search().in_training(child);
        let live = training
            .and_then(|(_, training)| training.candidate.as_ref())
            .or_else(|| state.search().waiting.get(&child));
        let row = if live.is_some() {
            None
        } else {
            state.search().ended(child)
        };
        let status = match (training, live, row) {
            (Some((worker, _)), ..) => Standing::Training { worker },
            (_, Some(_), _) => Standing::Waiting,
            (.., Some(row)) if row.is_excluded() => Standing::Excluded,
            (.., Some(row)) if row.is_failed() => Standing::Failed,
            (.., Some(_)) => Standing::Ended,
            _ => Standing::Unknown,
        };
        let candidate: Option<&Candidate> = live.or(detail.map(|detail| &detail.candidate));
        let dna = candidate
            .map(|candidate| candidate.dna.clone())
            .or_else(|| row.map(|row| row.genes.to_dna()));
        let architecture = match candidate {
            Some(candidate) => candidate.design.network().map(Cow::Borrowed),
            None => dna
                .as_ref()
                .and_then(|dna| decode(state, dna, child))
                .map(Cow::Owned),
        };
        let epochs = training.map_or_else(
            || detail.map_or(&[][..], |detail| detail.epochs.as_slice()),
            |(_, training)| training.epochs.as_slice(),
        );
        let parent = candidate
            .and_then(Candidate::parent)
            .or(row.and_then(|row| row.parent));
        let is_control =
            candidate.is_some_and(Candidate::is_control) || row.is_some_and(|row| row.control);
        let is_read = detail.is_some() || live.is_some();
        Subject {
            child,
            status,
            row,
            parent,
            is_control,
            dna: dna.filter(|dna| dna.depth() > 0),
            architecture,
            epochs,
            is_read,
        }
    }

    /// Its number and results, in one row of at most `width` columns.
    pub fn facts(&self, known: &Known<'_>, width: usize) -> Row {
        let mut groups = vec![(0, labelled("child", Role::Strong, self.child.to_string()))];
        groups.extend(
            self.parent
                .map(|parent| (2, labelled("edited from", Role::Text, parent.to_string()))),
        );
        if self.is_control {
            groups.push((2, vec![(Role::Text, "control".to_owned())]));
        }
        groups.push((1, self.standing(known)));
        groups.extend(self.done_in_cluster(known).map(|done| (2, done)));
        if let Some(row) = self.row {
            let is_best = known.state.search().best_child() == Some(self.child);
            let selection = Selection::of(&known.state.search().outcomes.counts);
            let (role, word) = match selection.briefest().filter(|_| is_best) {
                Some(of) => (Role::Best, format!(", the best {of}")),
                None if is_best => (Role::Best, ", the best".to_owned()),
                None => (Role::Strong, String::new()),
            };
            let accuracy = |accuracy| {
                labelled(
                    "accuracy",
                    role,
                    format!("{}{word}", format::accuracy(accuracy)),
                )
            };
            groups.extend(row.accuracy.map(|value| (1, accuracy(value))));
            groups.push((
                2,
                labelled(
                    "reward",
                    Role::Text,
                    format::or_none(row.reward, format::reward),
                ),
            ));
            groups.push((4, labelled("episode", Role::Text, row.episode.to_string())));
            groups.extend(row.repeat_of.map(|earlier| {
                (
                    3,
                    labelled("repeats child", Role::Text, earlier.to_string()),
                )
            }));
            groups.extend(row.mean.as_deref().map(|mean| {
                let trainings = mean.children.len();
                let own = mean.own_accuracy.map(format::accuracy);
                let own = own.map_or(String::new(), |own| format!(" (its own {own})"));
                let role = Role::Text;
                (
                    2,
                    labelled("mean of", role, format!("{trainings} trainings{own}")),
                )
            }));
            if row.repeat_of.is_none() {
                groups.push((
                    5,
                    labelled("trained", Role::Text, format!("{:.1} s", row.seconds)),
                ));
            }
        }
        join_ranked(groups, "   ", width)
    }

    /// Where a cluster trains it now.
    fn place<'k>(&self, known: &Known<'k>) -> Option<&'k ClusterPlace> {
        let (_, training) = known.state.search().in_training(self.child)?;
        training.place.as_ref()
    }

    /// What [`Subject::standing`] has no room for beside the place.
    fn done_in_cluster(&self, known: &Known<'_>) -> Option<Row> {
        let epochs = known.state.search().child_epochs();
        let place = self.place(known).filter(|_| !known.is_abandoned);
        place.map(|_| words(Role::Good, self.done(epochs)))
    }

    fn done(&self, epochs: usize) -> String {
        format!("{} of {epochs} epochs done", self.epochs.len())
    }

    /// Its status in words, unless it has simply ended.
    fn standing(&self, known: &Known<'_>) -> Row {
        let skipped = self.row.is_some_and(|row| row.skipped);
        match self.status {
            Standing::Ended if skipped => vec![(Role::Warning, "skipped".to_owned())],
            Standing::Ended => Row::new(),
            Standing::Failed => vec![(Role::Error, "FAILED".to_owned())],
            Standing::Excluded => vec![(Role::Warning, "EXCLUDED".to_owned())],
            Standing::Waiting => {
                let is_queued = known.state.search().queue().is_some();
                let of = if is_queued {
                    "in the cluster's queue"
                } else {
                    "for a worker"
                };
                words(Role::Text, format!("waiting {of}"))
            }
            Standing::Unknown if self.architecture.is_none() => {
                vec![(Role::Warning, "unknown here".to_owned())]
            }
            Standing::Unknown => Row::new(),
            Standing::Training { worker } => {
                let epochs = known.state.search().child_epochs();
                let done = self.done(epochs);
                if known.is_abandoned {
                    vec![(Role::Warning, format!("no longer in training, {done}"))]
                } else {
                    let text = match self.place(known) {
                        Some(place) => format!("in training on {place}"),
                        None => format!("in training on worker {worker}, {done}"),
                    };
                    words(Role::Good, text)
                }
            }
        }
    }

    /// Why it failed or was excluded, according to the log, if it is still there.
    pub fn failure(&self, state: &'a RunState) -> Option<&'a str> {
        let trouble = self
            .row?
            .trouble()
            .filter(|_| matches!(self.status, Standing::Failed | Standing::Excluded))?;
        let prefix = format!("child {}: {trouble}", self.child);
        let mut written = state.log.iter().rev().filter_map(|line| match &line.text {
            LogText::Written(text) => Some(text),
            LogText::Epoch(_) => None,
        });
        let text = written.find(|text| text.starts_with(&prefix))?;
        text.splitn(3, ": ").nth(2)
    }
}

/// The network of a child of `state`'s run; `None` if the run's heads are unknown or it cannot be
/// built.
fn decode(state: &RunState, dna: &Dna, child: u64) -> Option<Architecture> {
    let space = state.search().started.as_ref()?.space().ok()?;
    space.network(dna, &format!("child-{child}")).ok()
}

/// Whether the run has mentioned this child.
pub fn is_known(state: &RunState, child: u64) -> bool {
    state.search().waiting.contains_key(&child) || state.search().ended(child).is_some()
}
