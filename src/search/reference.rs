//! The run that another one is compared with (`search.reference`): its episodes, and whether the
//! two are comparable.

mod automatic;

use std::path::Path;

use crate::analysis::summary::{self, SearchTally};
use crate::config::{ChangedSetting, Config};
use crate::event::{DataDescription, Event, Reference, ReferenceEpisode, RunStarted};
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
        |other| differences((other, settings.as_ref()), (started, config)),
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

/// The differences between two runs that affect the meaning of a reward: data, space, schedule,
/// depth, reward. Strategy, seed, controller and number of episodes are what is being compared;
/// machine and screen have no effect.
fn differences(
    (then, settings): (&RunStarted, Option<&Config>),
    (now, config): (&RunStarted, &Config),
) -> Vec<String> {
    let mut reasons = match settings {
        Some(settings) => settings_differences(settings, config),
        // A journal without its settings still reveals most of them.
        None => told_differences(then, now),
    };
    let is_named = reasons
        .iter()
        .any(|reason: &String| reason.starts_with("data."));
    if then.data.fingerprint != now.data.fingerprint && !is_named {
        let name = |data: &DataDescription| {
            format!(
                "{}, {} training images, CRC-32 {}",
                data.spec,
                data.train_images(),
                data.fingerprint
            )
        };
        reasons.push(format!(
            "the data is {} there and {} here",
            name(&then.data),
            name(&now.data)
        ));
    }
    reasons
}

/// The settings of another run that affect the meaning of a reward and are not those of `config`.
fn settings_differences(settings: &Config, config: &Config) -> Vec<String> {
    let differences = config.differences(&settings.to_toml(), decides_nothing);
    let text = |change: &ChangedSetting| {
        format!(
            "{} is {} there and {} here",
            change.key, change.then, change.now
        )
    };
    differences.iter().map(text).collect()
}

/// Whether runs that differ in this setting can still be compared.
fn decides_nothing(key: &str) -> bool {
    let sections = [
        "data.",
        "space.",
        "constraints.",
        "child.",
        "reward.",
        "early_stopping.",
    ];
    let of_search = [
        "children_per_episode",
        "initial_depth",
        "depth_step",
        "depth_every",
        // It decides whether the reward of a repeated architecture is a mean.
        "reuse",
    ];
    let decides = sections.iter().any(|section| key.starts_with(section))
        || key
            .strip_prefix("search.")
            .is_some_and(|key| of_search.contains(&key));
    !decides || key == "data.dir"
}

fn told_differences(then: &RunStarted, now: &RunStarted) -> Vec<String> {
    let facts = |run: &RunStarted| {
        [
            ("the decisions of a layer", format!("{:?}", run.heads)),
            ("space.decode", format!("{:?}", run.decode)),
            ("child.epochs", run.child_epochs.to_string()),
            ("reward.power", run.reward_power.to_string()),
            ("reward.last_epochs", run.reward_last_epochs.to_string()),
            ("reward.target_macs", format!("{:?}", run.reward_penalty)),
            (
                "search.children_per_episode",
                run.children_per_episode.to_string(),
            ),
        ]
    };
    let pairs = facts(then).into_iter().zip(facts(now));
    let differing = pairs.filter(|((_, then), (_, now))| then != now);
    differing
        .map(|((what, then), (_, now))| format!("{what}: {then} there, {now} here"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_affect_the_meaning_of_a_reward_must_be_equal_and_others_may_differ() {
        for key in [
            "data.source",
            "data.limit",
            "space.kernels",
            "child.epochs",
            "reward.power",
            "search.initial_depth",
            "search.reuse",
            "early_stopping.below",
        ] {
            assert!(!decides_nothing(key), "{key}");
        }
        for key in [
            "data.dir",
            "search.seed",
            "search.strategy",
            "search.episodes",
            "controller.entropy",
            "workers.count",
            "preset",
        ] {
            assert!(decides_nothing(key), "{key}");
        }
    }
}
