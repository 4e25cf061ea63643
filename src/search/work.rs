//! A search as the work of a run.

use std::path::Path;

use tokio::sync::mpsc::UnboundedSender;

use super::checkpoint::SearchCheckpoint;
use super::engine::SearchEngine;
use super::inbox::Inbox;
use super::ledger::SearchLedger;
use crate::analysis::Summary;
use crate::config::Config;
use crate::evaluate::{Evaluator, Report};
use crate::event::RunKind;
use crate::journal::JournalError;
use crate::link::Orders;
use crate::session::{Halt, Run, SessionError, Work};
use crate::space::Space;
use crate::strategy::Strategy;

/// Starts the evaluator on the search's thread, with the run directory. It reports through the sender; the error is for the
/// user.
pub type StartEvaluator = Box<
    dyn FnOnce(&Config, &Path, UnboundedSender<Report>) -> Result<Box<dyn Evaluator>, SessionError>
        + Send,
>;

/// Makes the strategy, in its state before the first episode, on the search's thread.
pub type MakeStrategy =
    Box<dyn FnOnce(&Config, &Space) -> Result<Box<dyn Strategy>, SessionError> + Send>;

/// The components of a search. Both are made on the search's thread.
pub struct Search {
    /// Where children are evaluated.
    pub evaluator: StartEvaluator,
    /// Proposes children.
    pub strategy: MakeStrategy,
}

impl Work for Search {
    type Ledger = SearchLedger;
    type Checkpoint = SearchCheckpoint;
    type Summary = Summary;

    const KIND: RunKind = RunKind::Search;
    const NAME: &'static str = "search";
    const THREAD: &'static str = "nas-search";
    const WITHOUT_CHECKPOINT: &'static str = "recomputes it from the journal";
    const CHECKPOINT_MISSING: &'static str =
        "the checkpoint is missing: recomputing it from the journal (nothing is trained twice)";
    const OTHER_MACHINE: &'static str =
        "children trained from here on can differ in the last digits from an uninterrupted run's";

    fn is_free_to_change(key: &str, now: &Config) -> bool {
        let sections = ["workers.", "slurm.", "screen.", "train.", "recipes."];
        // Settings that only another strategy reads have no effect.
        let section = key.split('.').next().unwrap_or(key);
        sections.iter().any(|section| key.starts_with(section))
            || ["data.dir", "search.table"].contains(&key)
            || !now.search.strategy.reads(section)
    }

    fn next_step(checkpoint: Option<&SearchCheckpoint>) -> u64 {
        checkpoint.map_or(1, |checkpoint| checkpoint.next_child)
    }

    fn work(
        self,
        run: &mut Run<Search>,
        checkpoint: Option<SearchCheckpoint>,
        orders: Orders,
    ) -> Result<(), Halt> {
        let (inbox, reports) = Inbox::new(orders)?;
        SearchEngine::new(run, inbox).run(self, reports, checkpoint)
    }

    fn summary(ledger: &SearchLedger, _journal: &Path) -> Result<Summary, JournalError> {
        Ok(ledger.tally.summary())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Options, resolve};
    use crate::session::refuse_other_settings;

    fn config(set: &[&str]) -> Config {
        resolve(&Options {
            set: set.iter().map(|text| (*text).to_owned()).collect(),
            ..Options::default()
        })
        .unwrap()
    }

    #[test]
    fn settings_that_affect_the_result_must_not_change_and_are_named() {
        let then = config(&[]).to_toml();
        let error = refuse_other_settings::<Search>(&then, &config(&["search.reference=r"]))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("search.reference was absent and is \"r\""),
            "what the journal holds is of the first one: {error}"
        );
        let error =
            refuse_other_settings::<Search>(&then, &config(&["search.seed=9", "child.epochs=5"]))
                .unwrap_err()
                .to_string();
        assert!(
            error.contains("search.seed was 1 and is 9")
                && error.contains("child.epochs was 2 and is 5"),
            "{error}"
        );
    }

    #[test]
    fn workers_the_location_of_the_data_and_the_screen_may_change() {
        let then = config(&["data.source=cifar10"]).to_toml();
        let free = [
            "workers.count=2",
            "workers.threads=3",
            "data.dir=\"/elsewhere\"",
            "screen.refresh_rate=2.0",
        ];
        let now = config(&[&["data.source=cifar10"], free.as_slice()].concat());
        refuse_other_settings::<Search>(&then, &now).unwrap();
    }
}
