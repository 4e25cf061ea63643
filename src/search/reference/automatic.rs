//! `search.reference = "auto"`: the user's random run with the space, data, child and reward
//! settings of this one, or a refusal that says what is missing.

use std::path::{Path, PathBuf};

use crate::analysis::comparable::{decides_nothing, settings_differences};
use crate::config::{Config, Options, resolve};
use crate::runs::{self, RunInfo, WorkInfo};
use crate::state::RunStatus;

/// The value of `search.reference` that asks for a run to be found. (A folder of that name is
/// `./auto`.)
const AUTO: &str = "auto";
/// The strategy whose runs are compared with.
const RANDOM: &str = "random";

/// Whether the value of `search.reference` asks for a run to be found.
pub fn is_auto(reference: &Path) -> bool {
    reference == Path::new(AUTO)
}

/// Why there is no run to compare with, and the command that makes one.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("search.reference = \"auto\": {reason}. Make such a run with: {command}")]
pub struct NoReference {
    reason: String,
    command: String,
}

impl NoReference {
    /// There is no random run at all.
    pub(super) fn none(config: &Config) -> NoReference {
        NoReference {
            reason: "you have no completed run of the strategy random (nas-tui list)".to_owned(),
            command: command(config),
        }
    }

    /// The run that comes closest cannot be compared with that of `config`, because of `differences`.
    pub(super) fn nearest(run: &Path, differences: &str, config: &Config) -> NoReference {
        let run = run.display();
        NoReference {
            reason: format!(
                "no completed run of the strategy random has the settings of this one; the nearest, {run}, differs: {differences}"
            ),
            command: command(config),
        }
    }
}

/// The user's random runs whose settings allow a comparison with a run of `config`: those that cover
/// most of its episodes first, then the latest. Their data may still have changed.
///
/// # Errors
/// If there are none.
pub fn candidates(config: &Config) -> Result<Vec<PathBuf>, NoReference> {
    choose(
        runs::survey().iter().filter_map(RandomRun::of).collect(),
        config,
    )
}

/// A completed run of the strategy random.
#[derive(Debug)]
struct RandomRun {
    folder: PathBuf,
    episodes: usize,
    settings: Config,
}

impl RandomRun {
    fn of(run: &RunInfo) -> Option<RandomRun> {
        let WorkInfo::Search {
            strategy, episodes, ..
        } = &run.work
        else {
            return None;
        };
        let counts = run.status == RunStatus::Completed && strategy == RANDOM;
        let settings = || crate::config::read(&run.path.join("config.toml")).ok();
        Some(RandomRun {
            folder: run.path.clone(),
            episodes: *episodes,
            settings: counts.then(settings)??,
        })
    }
}

/// Choose among runs, the latest of which comes first.
fn choose(mut runs: Vec<RandomRun>, config: &Config) -> Result<Vec<PathBuf>, NoReference> {
    let differences = |run: &RandomRun| settings_differences(&run.settings, config);
    // The sort is stable, so the latest of several equal ones stays first.
    runs.sort_by_key(|run| {
        let shared = run.episodes.min(config.search.episodes);
        (differences(run).len(), std::cmp::Reverse(shared))
    });
    let Some(nearest) = runs.first() else {
        return Err(NoReference::none(config));
    };
    let missing = differences(nearest);
    if !missing.is_empty() {
        let missing: Vec<String> = missing.into_iter().map(|missing| missing.text).collect();
        return Err(NoReference::nearest(
            &nearest.folder,
            &missing.join("; "),
            config,
        ));
    }
    let equal = runs
        .into_iter()
        .take_while(|run| differences(run).is_empty());
    Ok(equal.map(|run| run.folder).collect())
}

/// The command that makes a random run with the settings of `config`, as far as they decide what a
/// reward means.
fn command(config: &Config) -> String {
    let preset = Options {
        preset: Some(config.preset.clone()),
        ..Options::default()
    };
    let preset = resolve(&preset).map_or_else(|_| String::new(), |preset| preset.to_toml());
    let needed = ["data.dir", "search.episodes", "search.table"];
    let free = |key: &str| decides_nothing(key) && !needed.contains(&key);
    let settings = config.differences(&preset, free).into_iter();
    let set = settings.map(|setting| format!("{}={}", setting.key, setting.now));
    let all = std::iter::once(format!("search.strategy={RANDOM}")).chain(set);
    let quoted: String = all.map(|set| format!(" --set {}", quoted(&set))).collect();
    format!("nas-tui search --preset {}{quoted}", config.preset)
}

/// `text` as a shell reads it as one word.
fn quoted(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-/=,+".contains(letter);
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(set: &[&str]) -> Config {
        let options = Options {
            preset: Some("demo".to_owned()),
            set: set.iter().map(|set| (*set).to_owned()).collect(),
            ..Options::default()
        };
        resolve(&options).unwrap()
    }

    fn run(name: &str, set: &[&str]) -> RandomRun {
        let settings = config(&[&["search.strategy=random"], set].concat());
        RandomRun {
            folder: name.into(),
            episodes: settings.search.episodes,
            settings,
        }
    }

    #[test]
    fn the_run_that_shares_most_episodes_is_chosen_and_of_equal_ones_the_latest() {
        let runs = vec![
            run("short", &["search.episodes=3"]),
            run("latest", &["search.seed=7"]),
            run("other", &["child.epochs=9"]),
            run("long", &["search.episodes=99"]),
        ];
        let found = choose(runs, &config(&[])).unwrap();
        assert_eq!(found, ["latest", "long", "short"].map(PathBuf::from));
    }

    #[test]
    fn a_refusal_names_the_nearest_runs_differences_and_a_command_that_makes_an_equal_one() {
        let here = config(&[
            "reward.power=2",
            "space.kernels=[1, 3]",
            "search.episodes=4",
        ]);
        let runs = vec![
            run("far", &["child.epochs=9", "reward.power=3"]),
            run("near", &["space.kernels=[1, 3]"]),
        ];
        let refusal = choose(runs, &here).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "search.reference = \"auto\": no completed run of the strategy random has the settings of this one; the nearest, near, \
             differs: reward.power is 1.0 there and 2.0 here. Make such a run with: nas-tui search --preset demo --set \
             search.strategy=random --set reward.power=2.0 --set search.episodes=4 --set 'space.kernels=[1, 3]'"
        );
        let words = refusal.command.replace('\'', "");
        let set: Vec<&str> = words.split(" --set ").skip(1).collect();
        let made = RandomRun {
            folder: "made".into(),
            episodes: 4,
            settings: config(&set),
        };
        assert!(choose(vec![made], &here).is_ok());
    }

    #[test]
    fn without_any_random_run_the_command_is_given() {
        let refusal = choose(Vec::new(), &config(&[])).unwrap_err().to_string();
        assert!(
            refusal.ends_with("nas-tui search --preset demo --set search.strategy=random"),
            "{refusal}"
        );
    }

    #[test]
    fn a_word_is_quoted_only_if_a_shell_would_split_or_change_it() {
        assert_eq!(quoted("child.epochs=3"), "child.epochs=3");
        assert_eq!(quoted("data.dir=\"it's\""), "'data.dir=\"it'\\''s\"'");
    }
}
