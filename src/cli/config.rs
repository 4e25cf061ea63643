//! `nas-tui config`: show the settings that a run would have, or check a file.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::{OrBadInput, Told, say, screen};
use crate::config::{self, DeviceChoice, Options, presets};
use crate::foundation::text;
use crate::search::reference;
use crate::{runs, space};

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    action: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the complete settings as TOML, ready to be saved as a file
    Show(SettingsArgs),
    /// Check settings: every mistake with its line and remedy, or a line that says that all is well
    Check {
        /// The settings file, like --config FILE
        #[arg(value_name = "FILE", conflicts_with = "config")]
        file: Option<PathBuf>,
        #[command(flatten)]
        settings: SettingsArgs,
    },
}

/// Where networks are trained.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct WhereArgs {
    /// Where to train: auto, cpu, cuda (every GPU) or cuda:N, the GPU with that number (short for
    /// --set workers.device=DEVICE)
    #[arg(long, value_name = "DEVICE")]
    device: Option<DeviceChoice>,
}

impl WhereArgs {
    /// The option as a setting.
    pub fn setting(&self) -> Option<String> {
        let device = self.device.as_ref()?;
        Some(format!("workers.device={device}"))
    }
}

/// The options that determine a run's settings.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct SettingsArgs {
    /// Settings file (default: ./config.toml if it exists and no preset is given)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Built-in settings to start from
    #[arg(long, value_name = "NAME", help = preset_help())]
    pub preset: Option<String>,
    /// Change one setting, as in --set child.epochs=3; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Seed of the run (short for --set search.seed=N)
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Whether the settings are for a new training (see [`Options::training`]).
    #[arg(skip)]
    pub training: bool,
    /// The settings that a run was started with, in place of a settings file (see [`Options::run`]).
    #[arg(skip)]
    pub run: Option<PathBuf>,
}

/// The help of `--preset`, with the names.
fn preset_help() -> String {
    let [first @ .., last] = presets::NAMES;
    let first = first.join(", ");
    format!("Built-in settings to start from: {first} or {last}")
}

/// Settings from the command line's options, including the rules of the space, which `config` does
/// not know.
pub fn resolved(options: &Options) -> anyhow::Result<config::Config> {
    let config = config::resolve(options).or_bad_input()?;
    space::check_settings(&config)
        .map_err(|violation| config::placed(options, violation))
        .or_bad_input()?;
    Ok(config)
}

impl SettingsArgs {
    /// The settings that result from these options for a new run.
    pub fn resolve(&self) -> anyhow::Result<config::Config> {
        let config = resolved(&self.options())?;
        screen::check_keys(&self.options(), &config.screen)?;
        match &config.search.reference {
            // Before a run directory is made.
            Some(run) if reference::is_auto(run) => reference::candidates(&config)
                .or_bad_input()
                .map(|_| config),
            Some(run) => {
                let found = runs::find(run).map_err(|error| {
                    let rule = format!(
                        "must be the directory of a run, or the name of one in the list of runs: {error}"
                    );
                    let violation = config::Violation::new("search.reference", run.display(), rule);
                    config::placed(&self.options(), violation)
                });
                found.or_bad_input().map(|_| config)
            }
            None => Ok(config),
        }
    }

    fn options(&self) -> Options {
        let usual = PathBuf::from("config.toml");
        let file = match (&self.config, &self.preset, &self.run) {
            (Some(file), ..) => Some(file.clone()),
            (None, None, None) if usual.is_file() => Some(usual),
            _ => None,
        };
        Options {
            file,
            run: self.run.clone(),
            preset: self.preset.clone(),
            set: self.set.clone(),
            seed: self.seed,
            training: self.training,
        }
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<()> {
    match args.action {
        ConfigCommand::Show(settings) => {
            let text = settings.resolve()?.to_toml();
            super::print(&text)
        }
        ConfigCommand::Check { file, mut settings } => {
            settings.config = file.or(settings.config);
            check(&settings)
        }
    }
}

/// No one corrects more mistakes in the keys of the screen at once.
const MOST_OF_KEYS: usize = 50;

/// Report every mistake (or a few of very many), not just the first.
fn check(settings: &SettingsArgs) -> anyhow::Result<()> {
    let options = settings.options();
    let mut mistakes = config::mistakes(&options, space::check_settings);
    let in_full = |mistake| format!("{:#}", anyhow::Error::from(mistake));
    let found = std::mem::take(&mut mistakes.found).into_iter();
    let mut messages: Vec<String> = found.map(in_full).collect();
    let mut may_be_more = mistakes.may_be_more;
    // Keys of the screen are checked whatever else is wrong; what refers to runs only if nothing is.
    if let Some(config) = &mistakes.rest {
        let (of_keys, is_cut) =
            screen::mistakes_in_keys(&config.screen, &mistakes.places(), MOST_OF_KEYS);
        messages.extend(of_keys);
        may_be_more |= is_cut;
    }
    // Those in the file as they stand there, then those in options.
    let file = options.file.as_ref();
    let within = file.map_or(String::new(), |file| format!("{}:", file.display()));
    messages.sort_by_key(|message| {
        let line = message
            .strip_prefix(&within)
            .and_then(|rest| rest.split(':').next());
        line.and_then(|line| line.parse().ok())
            .unwrap_or(usize::MAX)
    });
    match messages.as_slice() {
        [] => {
            let preset = settings.resolve()?.preset;
            let file = file.map_or(String::new(), |file| format!(" in {}", file.display()));
            super::print(&format!("the settings{file} are valid (preset {preset})\n"))
        }
        [message] => Err(bad_input!("{message}")),
        messages => {
            let count = messages.len();
            let lines = messages
                .iter()
                .map(|message| format!("\n  {}", text::line(message)));
            let more = if may_be_more {
                " (there may be more)"
            } else {
                ""
            };
            say(&format!(
                "nas-tui: {count} mistakes{more}:{}",
                lines.collect::<String>()
            ));
            Err(Told(bad_input!("{count} mistakes")).into())
        }
    }
}
