//! `nas-tui verify`: the final policy of a search compared with chance.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::config::WhereArgs;
use super::run::{classify as classify_session, strategy};
use super::study::{self, classify};
use super::{OrBadInput, print, print_json, say};
use crate::config::Config;
use crate::runs;
use crate::runs::directory::{lock_state, name_of, resume_command};
use crate::search::Search;
use crate::search::checkpoint::SearchCheckpoint;
use crate::session::Work;
use crate::space::Space;
use crate::strategy::Strategy;
use crate::study::children::PastRun;
use crate::study::verify::{Verification, VerifyQuestion, plan};
use crate::study::{Trials, TrialsPlan};

/// Train fresh children of a search's final policy and as many uniform ones of the same depth: the
/// cleanest test of whether it has learned
///
/// The children are drawn from the checkpoint of RUN and from a uniform distribution over the same
/// space, each is trained itself (nothing is reused, not even between equal networks), and the mean
/// rewards are compared: difference with a 95 % interval (Welch's t) and the p-value of a
/// permutation test. Completed trainings are saved in RUN/verify: after Ctrl-C or a crash the same
/// command continues, and the report of RUN shows the result. Decide on the number of children
/// beforehand (nas-tui reliability RUN tells how many a lift needs): adding more after looking at
/// the result is possible, but neither interval nor p-value accounts for it.
///
/// --json prints one object: run, strategy, episode, episodes, depth, policy and uniform {children,
/// networks, failed, mean_reward, deviation, mean_accuracy, rewards}, lift {difference, ci95 [low,
/// high], p_value}, excluded, earlier_looks. It is also saved as result.json in the folder of the
/// trainings.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run directory of a search, or the name of one in the list of runs
    run: PathBuf,
    /// Number of children in each arm
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u64).range(2..=100_000))]
    children: u64,
    /// Number of layers of the children [default: that of the last episode that was learned from]
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(u64).range(1..=1_000))]
    depth: Option<u64>,
    /// Folder of the trainings [default: RUN/verify/episode-E-depth-D]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Change a setting that does not affect children, as in --set workers.count=2
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    place: WhereArgs,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let run = runs::find(&args.run).or_bad_input()?;
    let set: Vec<String> = args
        .set
        .iter()
        .cloned()
        .chain(args.place.setting())
        .collect();
    let config = study::settings_of(&run, &set)?;
    let past = PastRun::read(&run).map_err(classify)?;
    let checkpoint = checkpoint(&run, &config)?;
    let data = past.started.data;
    let (input, classes) = data.shape();
    let space = Space::new(&config.space, input, classes).or_bad_input()?;
    let space = space.within(&config.constraints, config.child.batch_size);
    let depth = args.depth.map_or_else(
        || {
            let each = config.search.children_per_episode;
            config.search.depth((checkpoint.episode * each) as u64)
        },
        |depth| depth as usize,
    );
    let question = VerifyQuestion {
        run: name_of(&run),
        strategy: config.search.strategy.name.to_owned(),
        episode: checkpoint.episode,
        episodes: config.search.episodes,
        depth,
    };
    let mut strategy = restored(&run, &config, &space, &checkpoint)?;
    let (children, seed) = (args.children as usize, config.search.seed);
    let trials = plan(strategy.as_mut(), &space, depth, children, seed).map_err(classify)?;
    let folder = args.out.clone().unwrap_or_else(|| {
        let name = format!("episode-{}-depth-{depth}", question.episode);
        run.join("verify").join(name)
    });
    let plan = TrialsPlan {
        purpose: "verify".to_owned(),
        config,
        data: Some(data),
        trials,
    };
    let mut trials = Trials::open(&folder, plan).map_err(classify)?;
    say(&format!("trainings are saved in {}", folder.display()));
    study::train(&mut trials)?;
    let verification = Verification::of(question, trials.all(), trials.earlier_looks());
    trials.conclude(&verification)?;
    if args.json {
        return print_json(&verification);
    }
    print(&verification.to_string())
}

/// The state of the strategy at the end of the run.
fn checkpoint(run: &Path, config: &Config) -> anyhow::Result<SearchCheckpoint> {
    let shown = run.display();
    let strategy = config.search.strategy;
    if !strategy.learns {
        return Err(bad_input!(
            "{shown}: the strategy {} has no policy, and its children are already uniform; give a run of a strategy that learns",
            strategy.name
        ));
    }
    let path = run.join("checkpoint").join("search.safetensors");
    let found = SearchCheckpoint::load(&path).or_bad_input()?;
    let Some(checkpoint) = found.filter(|checkpoint| checkpoint.episode > 0) else {
        let remedy = match lock_state(run) {
            Some(holder) => {
                format!("wait until the search at work ({holder}) has finished an episode")
            }
            None => format!(
                "let the search finish an episode first, with: {}",
                resume_command(run)
            ),
        };
        return Err(bad_input!(
            "{shown}: there is no checkpoint of a trained policy: {remedy}"
        ));
    };
    let changes = config.changes_since(&checkpoint.config, |key| {
        Search::is_free_to_change(key, config)
    });
    if changes.is_empty() {
        return Ok(checkpoint);
    }
    Err(bad_input!(
        "{shown}: the checkpoint has other settings ({}): restore the run's config.toml",
        changes.join("; ")
    ))
}

/// The strategy restored from the checkpoint.
fn restored(
    run: &Path,
    config: &Config,
    space: &Space,
    checkpoint: &SearchCheckpoint,
) -> anyhow::Result<Box<dyn Strategy>> {
    let mut strategy = strategy(config, space).map_err(classify_session)?;
    strategy
        .restore(&checkpoint.state)
        .with_context(|| format!("{}: the checkpoint", run.display()))
        .or_bad_input()?;
    Ok(strategy)
}
