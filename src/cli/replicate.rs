//! `nas-tui replicate`: the same search with several seeds and strategies, and what they show
//! together.

mod text;

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};

use super::config::{SettingsArgs, WhereArgs};
use super::study::classify;
use super::{OrBadInput, pretty_json, print, print_json, say, series};
use crate::config::{self, Config};
use crate::foundation::durable::write_atomically;
use crate::report::figures::Form;
use crate::report::figures::lifts;
use crate::search::Search;
use crate::session::Work;
use crate::study::replication::{Replication, ReplicationQuestion};
use crate::study::series::{PreparedRun, Series};

/// Repeat a search with several seeds and strategies: do the policy's children beat random ones?
///
/// Each search is a `nas-tui search` with its own run directory, STRATEGY-SEED, in the folder of
/// the set; after Ctrl-C or a crash the same command continues. The children of a strategy that
/// learns are compared with those of the random search with the same seed, episode by episode and
/// so at equal depth and equal numbers of trainings, and with the controls of its own search
/// (docs/STATISTICS.md).
///
/// Writes result.json and, for each strategy that learns, lift-STRATEGY.svg to the folder. --json
/// prints one object: preset, searches [strategy, seed, run, is_complete, trainings, best_accuracy,
/// reward_slope], lifts [strategy, seeds [seed, random, controls], together {random, controls},
/// over_seeds and best_accuracy {mean, ci95, deviation, count}], unfinished. A lift has difference,
/// ci95 [low, high], p_value, controls and episodes.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: WhereArgs,
    /// Strategies, separated by commas
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        default_value = "reinforce,random"
    )]
    strategies: Vec<String>,
    /// Number of seeds, from that of the settings (search.seed) upwards
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    seeds: u64,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Folder of the set [default: runs/replicate-PRESET]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let mut settings = args.settings.clone();
    settings.set.extend(args.place.setting());
    let first = settings.resolve()?;
    let default = || Path::new("runs").join(format!("replicate-{}", first.preset));
    let folder = args.out.clone().unwrap_or_else(default);
    let (question, prepared) = plan(args, &settings, &first)?;
    let set = match Series::find(&folder).map_err(classify)? {
        Some(set) => continued(set, &question, &prepared)?,
        None => Series::begin(&folder, question, &prepared)?,
    };
    let _lock = set.lock().map_err(classify)?;
    say(&format!("searches are saved in {}", folder.display()));
    let ended = series::carry_out(&set.paths(), "the same nas-tui replicate");
    let found = Replication::of(&set);
    let json = pretty_json(&found)?;
    write_atomically(&folder.join("result.json"), json.as_bytes())?;
    for lift in found.lifts.iter().filter(|lift| !lift.seeds.is_empty()) {
        let title = format!("{} against random search at equal depth", lift.strategy);
        let figure = lifts::draw(lift, Form::Wide, &title);
        let name = format!("lift-{}.svg", lift.strategy);
        write_atomically(&folder.join(name), figure.as_bytes())?;
    }
    ended?;
    if args.json {
        return print_json(&found);
    }
    print(&text::of(&found))
}

/// The searches that the options ask for.
fn plan(
    args: &Args,
    settings: &SettingsArgs,
    first: &Config,
) -> anyhow::Result<(ReplicationQuestion, Vec<PreparedRun>)> {
    let start = first.search.seed;
    let question = ReplicationQuestion {
        preset: first.preset.clone(),
        strategies: args.strategies.clone(),
        seeds: (start..start.saturating_add(args.seeds)).collect(),
    };
    let mut prepared: Vec<PreparedRun> = Vec::new();
    for (strategy, seed) in question.searches() {
        let mut settings = settings.clone();
        settings.seed = Some(seed);
        settings.set.push(format!("search.strategy=\"{strategy}\""));
        let name = format!("{strategy}-{seed}");
        if prepared.iter().any(|run| run.name == name) {
            return Err(anyhow!("--strategies: {strategy} is named twice")).or_bad_input();
        }
        prepared.push(PreparedRun {
            name,
            architecture: None,
            config: settings.resolve()?,
        });
    }
    Ok((question, prepared))
}

/// The set that was begun earlier, if it answers the same question with the same settings.
fn continued(
    set: Series<ReplicationQuestion>,
    question: &ReplicationQuestion,
    prepared: &[PreparedRun],
) -> anyhow::Result<Series<ReplicationQuestion>> {
    let check = || -> anyhow::Result<()> {
        let (then, folder) = (set.question(), set.folder().display());
        if then != question {
            let seeds = then.seeds.len();
            bail!(
                "{folder} holds the searches of --strategies {} --seeds {seeds} (from {}), preset {}: continue it with these, or name \
                 another folder with --out",
                then.strategies.join(","),
                then.seeds.first().copied().unwrap_or_default(),
                then.preset,
            );
        }
        for (path, run) in set.paths().iter().zip(prepared) {
            let then = config::read(&path.join("config.toml"))?.to_toml();
            let is_free = |key: &str| Search::is_free_to_change(key, &run.config);
            let changes = run.config.changes_since(&then, is_free);
            if !changes.is_empty() {
                bail!(
                    "{}: was begun with other settings: {}; name another folder with --out",
                    path.display(),
                    changes.join("; ")
                );
            }
        }
        Ok(())
    };
    check().or_bad_input()?;
    Ok(set)
}
