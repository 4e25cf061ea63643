//! `nas-tui search`: begin or resume a search.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::config::{SettingsArgs, WhereArgs};
use super::run::{self, Prepared, ShowArgs};
use crate::event::RunKind;
use crate::runs;

#[derive(Debug, Default, ClapArgs)]
pub(super) struct Args {
    #[command(flatten)]
    place: WhereArgs,
    /// Look accuracies up in this CSV file instead of training; for the preset nasbench201 (short
    /// for --set search.table=CSV)
    #[arg(long, value_name = "CSV")]
    table: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Run directory to create (default: runs/UTC-TIME-PRESET)
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    run: Option<PathBuf>,
    /// Continue the run in this directory, or of this name in the list of runs, however it ended
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "preset"])]
    resume: Option<PathBuf>,
    #[command(flatten)]
    show: ShowArgs,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let mut settings = args.settings.clone();
    settings.set.extend(args.place.setting());
    if let Some(table) = &args.table {
        let path = toml::Value::String(table.display().to_string());
        settings.set.push(format!("search.table={path}"));
    }
    let prepared = prepare(args, &settings)?;
    run::run(prepared, &settings, &args.show)
}

fn prepare(args: &Args, settings: &SettingsArgs) -> anyhow::Result<Prepared> {
    let Some(path) = &args.resume else {
        let config = settings.resolve()?;
        run::evaluator_for(&config).map_err(run::classify)?;
        let name = config.preset.clone();
        return Prepared::begin(RunKind::Search, config, args.run.as_deref(), &name);
    };
    Prepared::resume_at(&runs::named(path), RunKind::Search, settings)
}
