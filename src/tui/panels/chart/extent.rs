//! The range of the children of a run, or of the epochs of a training.

use crate::event::RunStarted;
use crate::state::RunState;
use crate::tui::plot::{Span, round_step};

/// The range of the children of a run. Edited children are numbered separately and not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The highest child that has ended; 0 if there is none.
    pub newest: u64,
    /// Children per episode, at least 1.
    pub per_episode: u64,
    /// Number of children that the run will have, as far as known.
    total: u64,
    /// The last child to which runs drawn beside this one reach; 0 if there are none.
    beside: u64,
}

impl Extent {
    /// The children of the run at the moment of `state`.
    pub fn of(state: &RunState) -> Extent {
        let sampled = state.search().sampled();
        Extent::new(state, sampled.map(|row| row.child).max().unwrap_or(0))
    }

    /// The extent of a run with a known newest child. One that is over has no episodes to come.
    pub fn new(state: &RunState, newest: u64) -> Extent {
        let planned = Extent::of_search(state.search().started.as_ref(), newest);
        match state.status.is_over() {
            true => Extent {
                total: planned.end(),
                ..planned
            },
            false => planned,
        }
    }

    /// The same for a search of which only the beginning is at hand.
    pub fn of_search(run: Option<&RunStarted>, newest: u64) -> Extent {
        let per_episode = run.map_or(16, |run| run.children_per_episode.max(1)) as u64;
        let total = run
            .map_or(u64::MAX, |run| {
                (run.episodes as u64).saturating_mul(per_episode)
            })
            .max(1);
        Extent {
            newest,
            per_episode,
            total,
            beside: 0,
        }
    }

    /// The range of the epochs of a training: `done` of at most `planned`. Each takes the place of
    /// a child.
    pub fn of_epochs(done: u64, planned: u64) -> Extent {
        Extent {
            newest: done,
            per_episode: 1,
            total: planned.max(1),
            beside: 0,
        }
    }

    /// The same beside runs that reach as far as child `last`, each counted by itself.
    pub fn beside(self, last: u64) -> Extent {
        Extent {
            beside: last,
            ..self
        }
    }

    /// The last child of which something is known, of this run or of one beside it; 0 if there is none.
    pub fn reach(&self) -> u64 {
        self.newest.max(self.beside)
    }

    /// The last child that the run itself will have, as far as known, at least 1.
    pub fn last(&self) -> u64 {
        self.total.max(self.newest)
    }

    /// Episode of a child, from 1.
    pub fn episode(&self, child: u64) -> u64 {
        child.saturating_sub(1) / self.per_episode + 1
    }

    /// The children of an episode.
    pub fn children(&self, episode: u64) -> Span {
        let before = episode.saturating_sub(1).saturating_mul(self.per_episode);
        let first = before.saturating_add(1);
        Span {
            first,
            last: before.saturating_add(self.per_episode).max(first),
        }
    }

    /// The last child of the newest episode, or of the runs beside it: a limit that does not move while
    /// the episode's children end.
    pub fn end(&self) -> u64 {
        self.children(self.episode(self.newest))
            .last
            .min(self.total)
            .max(self.reach())
            .max(1)
    }

    /// All children, also those of runs beside it, with room for some future ones: a round number of episodes
    /// or, from the middle episode on, all of it, so that the scale no longer changes.
    pub fn whole(&self) -> Span {
        let episode = self.episode(self.newest);
        let planned = match episode.saturating_mul(2) >= self.episode(self.total) {
            true => self.total,
            false => {
                let round = round_step(episode as f64).ceil() as u64;
                round.saturating_mul(self.per_episode).min(self.total)
            }
        };
        let last = planned.max(self.reach());
        Span {
            first: 1,
            last: last.max(1),
        }
    }

    /// The span extended to all children of the episodes at its ends.
    pub fn whole_episodes(&self, span: Span) -> Span {
        let first = self.children(self.episode(span.first)).first;
        let last = self.children(self.episode(span.last)).last;
        Span {
            first,
            last: last.max(span.last),
        }
    }

    /// First and last column of an episode's children in view.
    pub fn columns(&self, episode: u64, span: Span, width: usize) -> Option<(usize, usize)> {
        let Span { first, last } = self.children(episode);
        let part = span.clip(first, last).filter(|_| episode > 0)?;
        Some((
            span.column(part.first, width)?,
            span.column(part.last, width)?,
        ))
    }

    /// Column of the middle of an episode.
    pub fn middle(&self, episode: u64, span: Span, width: usize) -> Option<usize> {
        let Span { first, last } = self.children(episode);
        span.column(first + (last - first) / 2, width)
            .filter(|_| episode > 0)
    }
}
