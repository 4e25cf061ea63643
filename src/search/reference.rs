//! The run that another one is compared with (`search.reference`): its episodes, and whether the
//! two are comparable.

mod automatic;

use std::path::Path;

use crate::analysis::comparable::differences;
use crate::analysis::summary::{self, SearchTally};
use crate::config::Config;
use crate::event::{Event, Reference, ReferenceEpisode, RunStarted};
use crate::journal::{JournalError, Reader};
use crate::runs;
use crate::search::SearchError;
use crate::session::SessionError;

pub use automatic::{NoReference, candidates, is_auto};

/// The run that `named` means (`search.reference`), for comparison with the run described by
/// `started` and `config`: a run's directory, or `auto` for the user's random run that can be
/// compared.
///
/// # Errors
/// If its journal cannot be read, or no run can be compared and `named` is `auto`.
pub(super) fn resolve(
    named: &Path,
    started: &RunStarted,
    config: &Config,
) -> Result<Reference, SessionError> {
    if !is_auto(named) {
        return Ok(reference(named, started, config)?);
    }
    let mut refusal = NoReference::none(config);
    for run in candidates(config).map_err(SearchError::Reference)? {
        let found = reference(&run, started, config)?;
        let Some(differences) = &found.not_comparable else {
            return Ok(found);
        };
        refusal = NoReference::nearest(&run, differences, config);
    }
    Err(SearchError::Reference(refusal).into())
}

/// The episodes of the earlier run `run`, for comparison with the run described by `started` and
/// `config`.
///
/// # Errors
/// If its journal cannot be read.
fn reference(run: &Path, started: &RunStarted, config: &Config) -> Result<Reference, JournalError> {
    let folder = runs::named(run);
    let (mut tally, mut other) = (SearchTally::default(), None);
    for record in Reader::open(&folder.join("journal.jsonl"))? {
        let record = record?;
        tally.apply(&record);
        if let Event::RunStarted(begun) = record.event {
            other.get_or_insert(begun);
        }
    }
    let summary = tally.summary();
    let settings = crate::config::read(&folder.join("config.toml")).ok();
    let reasons = other.as_ref().map_or_else(
        || vec!["it never began searching".to_owned()],
        |other| {
            let found = differences((other, settings.as_ref()), (started, Some(config)));
            found
                .into_iter()
                .map(|difference| difference.text)
                .collect()
        },
    );
    let arms = &tally.outcomes().arms;
    let episode = |episode: &summary::EpisodeSummary| ReferenceEpisode {
        episode: episode.episode,
        mean_reward: episode.mean_reward,
        mean_accuracy: episode.mean_accuracy,
        rewards: (arms.iter().find(|arms| arms.episode == episode.episode))
            .map_or_else(Vec::new, |arms| arms.policy.clone()),
    };
    Ok(Reference {
        run: if summary.run.is_empty() {
            folder.display().to_string()
        } else {
            summary.run
        },
        strategy: summary.strategy,
        episodes: summary.episodes.iter().map(episode).collect(),
        not_comparable: (!reasons.is_empty()).then(|| reasons.join("; ")),
    })
}
