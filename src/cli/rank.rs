//! `nas-tui rank`: how well the accuracies of a search rank its networks.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::study::classify;
use super::{OrBadInput, print, print_json, say, series};
use crate::config::{self, Config, DeviceChoice, Options};
use crate::foundation::durable::write_json;
use crate::foundation::seeds::derive;
use crate::runs;
use crate::runs::directory::settings_in;
use crate::space::Architecture;
use crate::study::children::PastRun;
use crate::study::rank::{RankQuestion, Ranking, choose};
use crate::study::series::{PreparedRun, Series};

/// Train the best children of a search and some random others to completion: does the accuracy in
/// the search tell which network is better?
///
/// Each child is trained with the recipe of [train], as by `nas-tui train`, in its own run
/// directory under RUN/rank; after Ctrl-C or a crash the same command continues, and one with a
/// larger --top or --random trains only the children that are missing. Kendall's tau-b
/// between the accuracy in the search and the best validation accuracy of the full training comes
/// with a 95 % interval (Fisher's transformation; Fieller, Hartley & Pearson 1957). Test images are
/// not used. The report of RUN shows the result.
///
/// --json prints one object: run, candidates, children [child, is_top, search_accuracy,
/// final_accuracy, epochs], agreement {tau, ci95 [low, high], p_value, concordant, discordant},
/// unfinished. It is also saved as result.json in the folder of the trainings.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run directory of a search, or the name of one in the list of runs
    run: PathBuf,
    /// Number of the search's best children to train [default: as many as the folder has, or 5]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(0..=1_000))]
    top: Option<u64>,
    /// Number of others, drawn at random [default: as many as the folder has, or 5]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(0..=1_000))]
    random: Option<u64>,
    /// Training recipe: a name in [recipes] (short for --set train.recipe=NAME)
    #[arg(long, value_name = "NAME")]
    recipe: Option<String>,
    /// Change a setting of the trainings, as in --set recipes.densenet.epochs=100
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Where to train: auto, cpu, cuda or cuda:N, the GPU with that number (short for --set
    /// workers.device=DEVICE)
    #[arg(long, value_name = "DEVICE")]
    device: Option<DeviceChoice>,
    /// Folder of the trainings [default: RUN/rank]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let run = runs::find(&args.run).or_bad_input()?;
    let past = PastRun::read(&run).map_err(classify)?;
    let folder = args.out.clone().unwrap_or_else(|| run.join("rank"));
    let found = Series::<RankQuestion>::find(&folder).map_err(classify)?;
    let is_begun = found.is_some();
    let mut series = match found {
        Some(series) => series,
        None => begun(args, &run, &past, &folder)?,
    };
    let _lock = series.lock().map_err(classify)?;
    if is_begun {
        extend(args, &past, &mut series)?;
    }
    say(&format!("trainings are saved in {}", folder.display()));
    let ended = series::carry_out(&series.paths(), "the same nas-tui rank");
    let ranking = Ranking::of(&series);
    write_json(&folder.join("result.json"), &ranking)?;
    ended?;
    if args.json {
        return print_json(&ranking);
    }
    print(&ranking.to_string())
}

/// Numbers of children by default.
const EACH: u64 = 5;

/// Add what the options ask for to a set that was begun earlier, with the settings of then.
fn extend(args: &Args, past: &PastRun, series: &mut Series<RankQuestion>) -> anyhow::Result<()> {
    let question = series.question();
    let top = question.children.iter().filter(|one| one.is_top).count() as u64;
    let random = question.children.len() as u64 - top;
    let (all_top, all_random) = (args.top.unwrap_or(top), args.random.unwrap_or(random));
    let folder = series.folder().display();
    if all_top < top || all_random < random {
        return Err(bad_input!(
            "{folder} holds the trainings of {top} top and {random} random children: continue it with --top {top} --random {random} or more, \
             or name another folder with --out"
        ));
    }
    if !args.set.is_empty() || args.recipe.is_some() {
        return Err(bad_input!(
            "{folder} holds trainings whose settings were decided when they were begun: leave --set and --recipe out, or name another \
             folder with --out"
        ));
    }
    let paths = series.paths();
    let Some(first) = paths
        .first()
        .filter(|_| (all_top, all_random) != (top, random))
    else {
        return Ok(());
    };
    let (top, random) = (all_top as usize, all_random as usize);
    let question = choose(past, top, random, &question.children).map_err(classify)?;
    let prepared = prepared(args, &first.join("config.toml"), &[], past, &question)?;
    Ok(series.extend(question, &prepared)?)
}

fn begun(
    args: &Args,
    run: &Path,
    past: &PastRun,
    folder: &Path,
) -> anyhow::Result<Series<RankQuestion>> {
    let settings = settings_in(run).or_bad_input()?;
    let [top, random] = [args.top, args.random].map(|count| count.unwrap_or(EACH) as usize);
    let question = choose(past, top, random, &[]).map_err(classify)?;
    // Whoever saw test accuracies of all of them could choose by those.
    let untested = ["train.test=false"];
    let prepared = prepared(args, &settings, &untested, past, &question)?;
    Ok(Series::begin(folder, question, &prepared)?)
}

/// The trainings of the chosen children, with the settings in the file `from`.
fn prepared(
    args: &Args,
    from: &Path,
    changed: &[&str],
    past: &PastRun,
    question: &RankQuestion,
) -> anyhow::Result<Vec<PreparedRun>> {
    let networks: HashMap<u64, &Architecture> = past
        .children
        .iter()
        .filter_map(|child| Some((child.child, child.design.network()?)))
        .collect();
    let mut prepared = Vec::new();
    for chosen in &question.children {
        let architecture = networks.get(&chosen.child).copied();
        prepared.push(PreparedRun {
            name: format!("child-{}", chosen.child),
            architecture: Some(architecture.context("a child without a network")?.clone()),
            config: settings(
                args,
                from,
                changed,
                derive(past.started.seed, "rank train", chosen.child),
            )?,
        });
    }
    Ok(prepared)
}

/// Settings of a child's training: those in the file `from`, with what is `changed`, the user's options, and a
/// `seed` of its own.
fn settings(args: &Args, from: &Path, changed: &[&str], seed: u64) -> anyhow::Result<Config> {
    let recipe = args.recipe.as_ref();
    let recipe = recipe.map(|name| format!("train.recipe={name}"));
    let device = args.device.as_ref();
    let device = device.map(|name| format!("workers.device={name}"));
    let changed = changed.iter().map(|setting| (*setting).to_owned());
    let own = changed.chain(args.set.iter().cloned());
    let options = Options {
        file: None,
        run: Some(from.to_owned()),
        preset: None,
        set: own.chain(recipe).chain(device).collect(),
        // Short enough to be readable.
        seed: Some(seed >> 33),
        training: true,
    };
    config::resolve(&options).or_bad_input()
}
