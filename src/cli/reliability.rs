//! `nas-tui reliability`: how much of the reward is due to the network, before days are spent on a
//! search.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::config::SettingsArgs;
use super::config::WhereArgs;
use super::study::{self, classify};
use super::{OrBadInput, print, print_json, say};
use crate::analysis::{RunSummary, Summary};
use crate::config::Config;
use crate::data;
use crate::foundation::input;
use crate::runs;
use crate::space::Space;
use crate::study::children::PastRun;
use crate::study::reliability::{
    Findings, NetworkTrainings, StudySize, of_begun, of_run, of_space,
};
use crate::study::trials::begun;
use crate::study::{Trials, TrialsPlan};

/// Train some networks several times each: how much of the reward is due to the network, and how
/// much is noise?
///
/// With a search RUN, networks of its children are drawn evenly over their depths; without RUN,
/// uniformly from the space of the settings, evenly over the depths of a search. Each is trained
/// --trainings times with different seeds, like a child of a search. Completed trainings are saved:
/// after Ctrl-C or a crash the same command continues, and the same command with a larger
/// --trainings adds to them.
///
/// The intraclass correlation is the share of a training's variance that the network explains
/// (one-way random effects, ICC(1); interval of Shrout & Fleiss 1979): at 0 the reward is noise, at
/// 1 every training of a network gives the same reward. Noise and spread determine how many
/// children each of two arms needs for a power of 80 %. Networks of different depths count as
/// different: within one depth the correlation is smaller.
///
/// --csv reads existing rewards, for example from another program's log, and trains nothing.
///
/// --json prints one object: run, networks [name, depth, rewards], excluded, reliability {networks,
/// trainings, intraclass_correlation, ci95 [low, high], noise, spread, p_value}, needs [lift,
/// is_observed, children]. It is also saved as result.json in the folder of the trainings.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run directory of a search, or the name of one in the list of runs
    #[arg(conflicts_with_all = ["config", "preset", "seed", "csv"])]
    run: Option<PathBuf>,
    /// Number of different networks
    #[arg(long, value_name = "K", default_value_t = 8, value_parser = clap::value_parser!(u64).range(2..=10_000))]
    networks: u64,
    /// Number of trainings of each
    #[arg(long, value_name = "M", default_value_t = 3, value_parser = clap::value_parser!(u64).range(2..=10_000))]
    trainings: u64,
    /// Difference of mean rewards to be detected; may be given several times [default: 0.01, 0.02,
    /// 0.05 and 0.1]
    #[arg(long, value_name = "X")]
    lift: Vec<f64>,
    /// Folder of the trainings [default: RUN/reliability/K-networks, or
    /// runs/reliability-PRESET-K-networks-seed-N]
    #[arg(long, value_name = "DIR", conflicts_with = "csv")]
    out: Option<PathBuf>,
    /// Read rewards from this CSV file
    #[arg(long, value_name = "LOG", requires_all = ["group", "reward"])]
    csv: Option<PathBuf>,
    /// Column with the name of the network
    #[arg(long, value_name = "COLUMN", requires = "csv")]
    group: Option<String>,
    /// Column with the rewards
    #[arg(long, value_name = "COLUMN", requires = "csv")]
    reward: Option<String>,
    #[command(flatten)]
    place: WhereArgs,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Lifts used by default.
const LIFTS: [f64; 4] = [0.01, 0.02, 0.05, 0.1];

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let lifts = match args.lift.as_slice() {
        [] => LIFTS.to_vec(),
        given if given.iter().all(|lift| lift.is_finite() && *lift != 0.0) => given.to_vec(),
        _ => {
            return Err(bad_input!(
                "--lift must be a number other than 0, as in --lift 0.05"
            ));
        }
    };
    if let (Some(csv), Some(group), Some(reward)) = (&args.csv, &args.group, &args.reward) {
        let networks = read_csv(csv, group, reward).or_bad_input()?;
        let findings = Findings::of(None, networks, 0).with_lifts(&lifts, None);
        return tell(args, &findings);
    }
    let (folder, plan, run) = match &args.run {
        Some(run) => of_a_run(args, run)?,
        None => of_settings(args)?,
    };
    let observed = run.as_deref().and_then(observed_lift);
    let mut trials = Trials::open(&folder, plan).map_err(classify)?;
    say(&format!("trainings are saved in {}", folder.display()));
    study::train(&mut trials)?;
    let name = run.as_deref().map(crate::runs::directory::name_of);
    let findings = Findings::of_trials(name, trials.all()).with_lifts(&lifts, observed);
    trials.conclude(&findings)?;
    tell(args, &findings)
}

fn tell(args: &Args, findings: &Findings) -> anyhow::Result<()> {
    if args.json {
        return print_json(findings);
    }
    print(&findings.to_string())
}

impl Args {
    fn size(&self) -> StudySize {
        StudySize {
            networks: self.networks as usize,
            trainings: self.trainings as usize,
        }
    }

    fn set(&self) -> Vec<String> {
        let device = self.place.setting();
        self.settings.set.iter().cloned().chain(device).collect()
    }
}

/// The folder of the trainings, what is trained, and the run concerned.
type Study = (PathBuf, TrialsPlan, Option<PathBuf>);

fn of_a_run(args: &Args, name: &Path) -> anyhow::Result<Study> {
    let run = runs::find(name).or_bad_input()?;
    let config = study::settings_of(&run, &args.set())?;
    let past = PastRun::read(&run).map_err(classify)?;
    let folder = args.out.clone().unwrap_or_else(|| {
        let name = format!("{}-networks", args.networks);
        run.join("reliability").join(name)
    });
    let size = args.size();
    let trials = match begun(&folder).map_err(classify)? {
        Some(begun) => of_begun(&begun, &config, size.trainings),
        None => of_run(&past, &config, size).map_err(classify)?,
    };
    let plan = TrialsPlan {
        purpose: "reliability".to_owned(),
        config,
        data: Some(past.started.data),
        trials,
    };
    Ok((folder, plan, Some(run)))
}

fn of_settings(args: &Args) -> anyhow::Result<Study> {
    let settings = SettingsArgs {
        set: args.set(),
        ..args.settings.clone()
    };
    let config = settings.resolve()?;
    let trials = of_space(&config, &space(&config)?, args.size()).map_err(classify)?;
    let folder = args.out.clone().unwrap_or_else(|| {
        let (preset, networks, seed) = (&config.preset, args.networks, config.search.seed);
        PathBuf::from("runs").join(format!(
            "reliability-{preset}-{networks}-networks-seed-{seed}"
        ))
    });
    let plan = TrialsPlan {
        purpose: "reliability".to_owned(),
        config,
        data: None,
        trials,
    };
    Ok((folder, plan, None))
}

/// The space of a search with these settings.
fn space(config: &Config) -> anyhow::Result<Space> {
    let (input, classes) = data::shape(&config.data).or_bad_input()?;
    let space = Space::new(&config.space, input, classes).or_bad_input()?;
    Ok(space.within(&config.constraints, config.child.batch_size))
}

/// The lift observed in the run, if it has a control arm.
fn observed_lift(run: &Path) -> Option<f64> {
    let summary = Summary::of_journal(&run.join("journal.jsonl")).ok()?;
    let summary = serde_json::to_value(&summary).ok()?;
    summary.get("policy_lift")?.get("difference")?.as_f64()
}

/// The rewards of each network, in the order of the file.
fn read_csv(path: &Path, group: &str, reward: &str) -> anyhow::Result<Vec<NetworkTrainings>> {
    let file = || path.display().to_string();
    let mut reader = csv::Reader::from_reader(input::reader(path, input::TEXT).with_context(file)?);
    let head = reader.headers().with_context(file)?.clone();
    let column = |name: &str| {
        let place = head.iter().position(|title| title.trim() == name);
        place.with_context(|| {
            let titles: Vec<&str> = head.iter().collect();
            format!(
                "{}: there is no column {name:?}; its columns are {}",
                file(),
                titles.join(", ")
            )
        })
    };
    let (group, reward) = (column(group)?, column(reward)?);
    let mut networks: Vec<NetworkTrainings> = Vec::new();
    for record in reader.records() {
        let record = record.with_context(file)?;
        let line = record.position().map_or(0, csv::Position::line);
        let name = record.get(group).unwrap_or("").trim().to_owned();
        let text = record.get(reward).unwrap_or("").trim();
        let value = text.parse().ok().filter(|value: &f64| value.is_finite());
        let value =
            value.with_context(|| format!("{}:{line}: {text:?} is not a number", file()))?;
        match networks.iter_mut().find(|network| network.name == name) {
            Some(network) => network.rewards.push(value),
            None => networks.push(NetworkTrainings {
                name,
                depth: None,
                rewards: vec![value],
            }),
        }
    }
    check_sizes(path, &networks)?;
    Ok(networks)
}

/// Refuse networks that were not trained equally often, for which the intraclass correlation is not
/// defined.
fn check_sizes(path: &Path, networks: &[NetworkTrainings]) -> anyhow::Result<()> {
    let path = path.display();
    let Some(first) = networks.first() else {
        anyhow::bail!("{path}: it contains no rewards");
    };
    let sizes = |network: &&NetworkTrainings| network.rewards.len() != first.rewards.len();
    if let Some(other) = networks.iter().find(sizes) {
        anyhow::bail!(
            "{path}: {} has {} rewards and {} has {}: every network must have been trained equally often; remove rows accordingly",
            first.name,
            first.rewards.len(),
            other.name,
            other.rewards.len()
        );
    }
    Ok(())
}
