//! `nas-tui search`: begin or resume a search.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::OrBadInput;
use super::config::SettingsArgs;
use super::run::{self, Prepared, ShowArgs, classify};
use crate::config::DeviceChoice;
use crate::event::RunKind;
use crate::runs::RunDirectory;
use crate::space::family;

#[derive(Debug, Default, ClapArgs)]
pub struct Args {
    /// Where to train: auto, cpu, cuda (every GPU) or cuda:N, the GPU with that number (short for
    /// --set workers.device=DEVICE)
    #[arg(long, value_name = "DEVICE")]
    device: Option<DeviceChoice>,
    /// Look accuracies up in this CSV file instead of training; for the preset nasbench201 (short
    /// for --set search.table=CSV)
    #[arg(long, value_name = "CSV")]
    table: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Run directory to create (default: runs/UTC-TIME-PRESET)
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    run: Option<PathBuf>,
    /// Continue the run in this directory, however it ended
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "preset"])]
    resume: Option<PathBuf>,
    #[command(flatten)]
    show: ShowArgs,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let mut settings = args.settings.clone();
    settings.set.extend(
        args.device
            .iter()
            .map(|device| format!("workers.device={device}")),
    );
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
        if family::named(&config.space.layer).is_ok_and(|family| family.is_tabular())
            && config.search.table.is_none()
        {
            return Err(anyhow::anyhow!(
                "the space nasbench201 has no networks to train: name the CSV file that holds their accuracies with --table CSV \
                 (docs/NASBENCH201.md says how to make one)"
            ))
            .or_bad_input();
        }
        let directory = match &args.run {
            Some(path) => RunDirectory::create(path),
            None => RunDirectory::create_in(&PathBuf::from("runs"), &config.preset),
        };
        let directory = directory.map_err(|error| classify(error.into()))?;
        return Ok(Prepared {
            kind: RunKind::Search,
            origin: None,
            config,
            directory,
            is_new: true,
        });
    };
    Prepared::resume_at(path, RunKind::Search, settings)
}
