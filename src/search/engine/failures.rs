//! Failures of an episode that has had no success so far: they are recorded as soon as a child
//! succeeds, or the episode is over and they are believed. If they are not, the run stops without
//! having recorded them, and a resume tries these children again.

use super::{Halt, OpenEpisode, SearchEngine};
use crate::event::Level;
use crate::search::SearchError;
use crate::search::episode::Child;
use crate::search::ledger::Ended;
use crate::search::success::{self, Tried};

impl SearchEngine<'_> {
    /// Whether a child has failed, and that is not recorded yet.
    pub(super) fn is_withheld(&self, number: u64) -> bool {
        let Some((ended, _)) = self.held.get(&number) else {
            return false;
        };
        let is_wanted = self.run.ledger().is_skipped(number);
        let episode = self.child(number).map_or(0, |child| child.episode);
        let open = self.open.iter().find(|open| open.number == episode);
        let may_be_undone =
            self.believed < episode && open.is_some_and(|open| !self.has_success(open));
        ended.accuracy().is_none() && !is_wanted && may_be_undone
    }

    fn has_success(&self, episode: &OpenEpisode) -> bool {
        let mut children = episode.all();
        children.any(|child| {
            self.end(child.number)
                .is_some_and(|end| end.accuracy().is_some())
        })
    }

    /// How a child has ended, whether or not it is recorded.
    fn end(&self, number: u64) -> Option<&Ended> {
        let held = || self.held.get(&number).map(|(ended, _)| ended);
        self.run.ledger().ended(number).or_else(held)
    }

    /// Tell about a failure that is not recorded yet.
    pub(super) fn tell_withheld(&mut self, number: u64) -> Result<(), Halt> {
        if let Some((Ended::Failed { reason, .. } | Ended::Excluded { reason }, _)) =
            self.held.get(&number).filter(|_| self.is_withheld(number))
        {
            let text = format!(
                "child {number} failed: {reason}. No other child of its episode has succeeded so far; it is tried again if none does"
            );
            self.run.notice(Level::Warning, text)?;
        }
        Ok(())
    }

    /// A failed child that can be recorded now.
    pub(super) fn releasable(&self) -> Option<u64> {
        let failed = self
            .held
            .iter()
            .filter(|(_, (ended, _))| ended.accuracy().is_none());
        let mut numbers = failed.map(|(number, _)| *number);
        numbers.find(|number| !self.is_withheld(*number))
    }

    /// Whether a child waits only for failures to be recorded: its own or that of the one it repeats.
    pub(super) fn is_blocked(&self, child: &Child) -> bool {
        let is_open = self.run.ledger().ended(child.number).is_none();
        // Few are ever withheld, so the rest is hardly ever looked at.
        is_open
            && !self.held.is_empty()
            && !self.submitted.contains(&child.number)
            && (self.is_withheld(child.number)
                || (self.earlier_trainings(child).iter()).any(|other| self.is_withheld(*other)))
    }

    /// Whether nothing of an episode is left to train, but failures are not recorded.
    pub(super) fn is_without_success(&self, episode: &OpenEpisode) -> bool {
        let has_ended = |child: &Child| self.run.ledger().ended(child.number).is_some();
        self.is_proposed(episode)
            && episode.all().any(|child| self.is_withheld(child.number))
            && (episode.all()).all(|child| has_ended(child) || self.is_blocked(child))
    }

    /// Decide about the first episode in progress, all of whose children failed: believe it, or stop.
    pub(super) fn judge(&mut self) -> Result<(), Halt> {
        let Some(episode) = self.open.front() else {
            return Ok(());
        };
        let ledger = self.run.ledger();
        let failed = |child: &Child| match self.end(child.number)? {
            _ if ledger.is_skipped(child.number) => None,
            Ended::Failed { reason, .. } | Ended::Excluded { reason } => Some(reason.as_str()),
            Ended::Trained { .. } => None,
        };
        let reasons: Vec<&str> = episode.all().filter_map(failed).collect();
        let mut tried: Vec<Tried> = ledger.tried_before(episode.number).collect();
        tried.push(Tried {
            succeeded: 0,
            failed: reasons.len(),
        });
        if success::has_collapsed(&tried) {
            return Err(SearchError::WithoutSuccess {
                episode: episode.number,
                children: reasons.len(),
                reasons: success::in_words(reasons),
            }
            .into());
        }
        self.believed = episode.number;
        Ok(())
    }
}
