//! `nas-tui train`: train one network to completion, or resume such a training.

mod range_test;
mod seeds;

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use clap::Args as ClapArgs;

use super::OrBadInput;
use super::arch::{self, DecodeArg};
use super::config::SettingsArgs;
use super::run::{self, Prepared, ShowArgs};
use super::weights;
use crate::config::{Config, DeviceChoice};
use crate::data;
use crate::evaluate::environment;
use crate::event::RunKind;
use crate::foundation::host;
use crate::runs;
use crate::space::Architecture;
use crate::study::series::is_series;
use crate::training::Initial;

/// Train one network to completion, with its own screen
///
/// The recipe (epochs, schedule, early stopping) is one of those in the settings. The weights of
/// the epoch with the highest validation accuracy are saved (weights.safetensors in the run
/// directory); they classify the test images once, after the last epoch. With --set
/// train.test=false the test images are not used, for trials that choose between recipes. Other
/// commands accept the result as ARCH: RUN:best.
///
/// With --seeds N the network is trained N times, one after the other, with the seed of the
/// settings and those after it, each in a run directory of its own (seed-1, seed-2, ...) in one
/// folder. Its summary.json has kind, origin, architecture, trainings [seed, run, epochs,
/// is_complete, valid_accuracy, test_accuracy, without_test (true if the test images are not used),
/// mirrored_test_accuracy (if the recipe has mirrored_test)], for each of these accuracies {mean, ci95 [low, high], deviation, count}, and
/// unfinished: the interval is Student's t over the seeds, so it
/// includes the randomness of training. --resume FOLDER continues it, and the same command with a
/// larger N and --run FOLDER trains only the seeds that it lacks.
///
/// Settings come from --config or --preset; else from the run that ARCH is a child of; else, for
/// nascnn15 and nascnn15-monograph, from the preset paper; else from ./config.toml if it exists.
#[derive(Debug, Clone, ClapArgs)]
pub struct Args {
    /// A file (architecture or DNA), a built-in network (nascnn15, nascnn15-monograph,
    /// monograph-demo), or a child of a run (RUN:best, RUN:child-12)
    #[arg(
        value_name = "ARCH",
        required_unless_present = "resume",
        conflicts_with = "resume"
    )]
    arch: Option<String>,
    /// How to decode a DNA [default: space.decode of the settings]
    #[arg(long, value_enum, conflicts_with = "resume")]
    decode: Option<DecodeArg>,
    /// Training recipe: a name in [recipes] (short for --set train.recipe=NAME)
    #[arg(long, value_name = "NAME", conflicts_with = "resume")]
    recipe: Option<String>,
    /// Where to train: auto, cpu, cuda or cuda:N, the GPU with that number (short for --set
    /// workers.device=DEVICE)
    #[arg(long, value_name = "DEVICE")]
    device: Option<DeviceChoice>,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Begin with these weights instead of random ones: a safetensors file, or a training's run
    /// directory, whose best weights are taken. Its images must be split as here; ARCH given as
    /// RUN:best sees to that. If given several times: with their mean
    #[arg(long, value_name = "FILE|RUN", conflicts_with_all = ["resume", "seeds", "range_test"])]
    weights: Vec<PathBuf>,
    /// Train N times, with different seeds, and report the mean with its interval
    #[arg(long, value_name = "N", conflicts_with = "resume", value_parser = clap::value_parser!(u64).range(2..=10_000))]
    seeds: Option<u64>,
    /// Instead of training: one epoch, on the images of the recipe's first stage, in which the
    /// learning rate rises from 0.001 to 2, and a table of the loss. Saves no run
    #[arg(long, conflicts_with_all = ["resume", "seeds", "run"])]
    range_test: bool,
    /// Where to write every batch of the range test
    #[arg(long, value_name = "FILE", requires = "range_test")]
    csv: Option<PathBuf>,
    /// Run directory to create (default: runs/UTC-TIME-NETWORK); with --seeds also an existing folder
    /// of such trainings
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    run: Option<PathBuf>,
    /// Continue the training in this directory, or of this name in the list of runs, however it ended
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "preset"])]
    resume: Option<PathBuf>,
    #[command(flatten)]
    show: ShowArgs,
}

impl Args {
    /// The directory of what is to be continued, which may be given by its name.
    fn resumed(&self) -> Option<PathBuf> {
        self.resume.as_deref().map(runs::named)
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let args = &Args {
        arch: args.arch.as_deref().map(arch::placed),
        ..args.clone()
    };
    let settings = settings(args);
    match (args.seeds, args.resumed()) {
        (Some(seeds), _) => return seeds::begin(args, &settings, seeds),
        (None, Some(folder)) if is_series(&folder) => return seeds::resume(&folder, &args.show),
        _ => {}
    }
    if args.range_test || !args.show.wants_screen() {
        enter_environment(args, &settings)?;
    }
    if args.range_test {
        return range_test::run(args, &settings);
    }
    run::run(prepare(args, &settings)?, &settings, &args.show)
}

/// The options for the settings, including those that ARCH implies.
fn settings(args: &Args) -> SettingsArgs {
    let mut settings = args.settings.clone();
    settings.training = true;
    let recipe = args.recipe.as_ref();
    let recipe = recipe.map(|name| format!("train.recipe={name}"));
    let device = args.device.as_ref();
    let device = device.map(|device| format!("workers.device={device}"));
    settings.set.extend(recipe.into_iter().chain(device));
    let (None, None, Some(arch)) = (&settings.config, &settings.preset, &args.arch) else {
        return settings;
    };
    let run = arch::child_of(arch).map(|(run, _)| run.join("config.toml"));
    match run.filter(|config| config.is_file()) {
        Some(config) => settings.run = Some(config),
        None if arch.starts_with("nascnn15") => settings.preset = Some("paper".to_owned()),
        None => {}
    }
    settings
}

fn prepare(args: &Args, settings: &SettingsArgs) -> anyhow::Result<Prepared> {
    if let Some(path) = &args.resumed() {
        return Prepared::resume_at(path, RunKind::Training, settings);
    }
    let config = settings.resolve()?;
    let arch = args.arch.as_deref().context("no network was given")?;
    let architecture = network(arch, args.decode, &config)?;
    named_briefly(&architecture)?;
    let name = file_name(&architecture.name);
    let weights = args.weights.iter().map(|given| weights::located(given));
    let weights: Vec<PathBuf> = weights.collect::<anyhow::Result<_>>()?;
    let initial = Initial::read(&weights, &architecture).or_bad_input()?;
    let mut prepared = Prepared::begin(RunKind::Training, config, args.run.as_deref(), &name)?;
    let directory = &prepared.directory;
    let begun = match initial {
        Some(initial) => directory.write_initial(&initial.bytes, &initial.facts),
        None => directory.without_initial(),
    };
    let written = begun.and_then(|()| directory.write_network(arch, &architecture.to_json()));
    // What cannot be removed stays; its files tell that it failed.
    written.inspect_err(|_| drop(prepared.directory.discard_unstarted()))?;
    Ok(prepared)
}

/// Longest name of a network that is trained: it becomes part of the run's name, and a folder's name has
/// at most 255 bytes.
const LONGEST_NAME: usize = 200;

/// A name that every list and file can show.
fn named_briefly(architecture: &Architecture) -> anyhow::Result<()> {
    match architecture.name.chars().count() {
        0..=LONGEST_NAME => Ok(()),
        length => Err(bad_input!(
            "the name of the network has {length} characters, and may have at most {LONGEST_NAME} in a training: \
             shorten `name` in its file"
        )),
    }
}

/// The network that `arch` names; if it does not specify its images, it is for those of the
/// settings.
fn network(arch: &str, decode: Option<DecodeArg>, config: &Config) -> anyhow::Result<Architecture> {
    arch::check_decode(arch, decode)?;
    let decode = decode.map_or(config.space.decode, Into::into);
    let (input, classes) = data::shape(&config.data).or_bad_input()?;
    arch::resolve(arch, decode, input, classes)
}

/// `name` with only characters that are safe in the name of a folder.
fn file_name(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                c
            } else {
                '-'
            }
        })
        .take(60)
        .collect()
}

/// Set what libtorch and the C library read before the first line of the training's process runs.
pub(super) fn environment(command: &mut Command, config: &Config) {
    environment::of_training(
        command,
        config.workers.threads.unwrap_or_else(host::cores),
        1,
    );
    if !config.train.tf32 {
        // Read by cuDNN and cuBLAS; tch has no setting for it.
        command.env("NVIDIA_TF32_OVERRIDE", "0");
    }
}

/// Marks a process that already has this environment.
const ENTERED: &str = "NAS_TUI_TRAINING_ENVIRONMENT";

/// Restart this process with that environment: the same program, arguments and process id.
fn enter_environment(args: &Args, settings: &SettingsArgs) -> anyhow::Result<()> {
    if std::env::var_os(ENTERED).is_some() {
        return Ok(());
    }
    let config = match args.resumed() {
        // Any problem with it is reported later, with the run's name.
        Some(run) => crate::config::read(&run.join("config.toml")).or_bad_input(),
        None => settings.resolve(),
    };
    let Ok(config) = config else { return Ok(()) };
    let mut command = Command::new(std::env::current_exe().context("cannot find this program")?);
    command.args(std::env::args_os().skip(1)).env(ENTERED, "1");
    environment(&mut command, &config);
    Err(anyhow::Error::from(command.exec()).context("cannot start this program again"))
}
