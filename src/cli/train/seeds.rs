//! `nas-tui train --seeds N`: the same training with several seeds. One process runs the trainings,
//! and screens watch the current one.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};

use super::{Args, file_name, named_briefly, network};
use crate::cli::config::SettingsArgs;
use crate::cli::run::{ShowArgs, classify};
use crate::cli::{self, Interrupted, OrBadInput, print, say, screen, study};
use crate::config;
use crate::foundation::durable::write_json;
use crate::foundation::input;
use crate::foundation::spawning::in_own_session;
use crate::link;
use crate::runs::RunDirectory;
use crate::runs::directory::lock_state;
use crate::session::Work;
use crate::space::Architecture;
use crate::study::seeds::{SeedsQuestion, SeedsSummary};
use crate::study::series::{PreparedRun, Series, is_complete, is_series};
use crate::training::Training;
use crate::tui::other_runs::Switching;
use crate::tui::{self, Leave};

/// Interval for checking whether the next training has begun.
const LOOK: Duration = Duration::from_millis(50);
/// A training that cannot be connected to after this time is watched through its journal.
const PATIENCE: Duration = Duration::from_secs(20);

/// Begin the set and carry it out.
pub fn begin(args: &Args, settings: &SettingsArgs, seeds: u64) -> anyhow::Result<()> {
    let config = settings.resolve()?;
    let origin = args.arch.clone().context("no network was given")?;
    let architecture = network(&origin, args.decode, &config)?;
    named_briefly(&architecture)?;
    let first = config.search.seed;
    let seeds: Vec<u64> = (first..first.saturating_add(seeds)).collect();
    let mut prepared = Vec::new();
    for seed in &seeds {
        let settings = SettingsArgs {
            seed: Some(*seed),
            ..settings.clone()
        };
        prepared.push(PreparedRun {
            name: format!("seed-{seed}"),
            architecture: Some(architecture.clone()),
            config: settings.resolve()?,
        });
    }
    let question = SeedsQuestion {
        origin,
        architecture: architecture.name.clone(),
        seeds,
    };
    if let Some(folder) = args.run.as_deref().filter(|folder| is_series(folder)) {
        return carry_out(&extended(folder, question, &prepared)?, &args.show);
    }
    // Its lock is released here, and taken by the process that trains.
    let folder = match &args.run {
        Some(path) => RunDirectory::create(path),
        None => {
            let name = format!("{}-seeds", file_name(&architecture.name));
            RunDirectory::create_in(Path::new("runs"), &name)
        }
    };
    let folder = folder.map_err(|error| classify(error.into()))?;
    let series = Series::begin(folder.path(), question, &prepared)?;
    drop(folder);
    carry_out(&series, &args.show)
}

/// The set in `folder` with the seeds that it lacks, if the ones that it has were begun with the same
/// network and settings.
fn extended(
    folder: &Path,
    question: SeedsQuestion,
    prepared: &[PreparedRun],
) -> anyhow::Result<Series<SeedsQuestion>> {
    let mut series = found(folder)?;
    let _lock = series.lock().map_err(study::classify)?;
    let then = series.question().clone();
    let shown = folder.display();
    if !question.seeds.starts_with(&then.seeds) {
        let first = then.seeds.first().copied().unwrap_or_default();
        let count = then.seeds.len();
        return Err(bad_input!(
            "{shown} holds the trainings of {count} seeds from {first} on: continue it with --seed {first} and --seeds {count} or more, or \
             name another folder with --run"
        ));
    }
    for (path, run) in series.paths().iter().zip(prepared) {
        let settings = config::read(&path.join("config.toml")).or_bad_input()?;
        let is_free = |key: &str| Training::is_free_to_change(key, &run.config);
        let mut changes = run.config.changes_since(&settings.to_toml(), is_free);
        let network = input::text(&path.join("architecture.json"), input::OWN);
        let network = network.with_context(|| format!("{}: its network", path.display()))?;
        if run.architecture.as_ref().map(Architecture::to_json) != Some(network) {
            changes.push("the network is another one".to_owned());
        }
        if !changes.is_empty() {
            return Err(bad_input!(
                "{}: was begun differently: {}; name another folder with --run",
                path.display(),
                changes.join("; ")
            ));
        }
    }
    let origin = then.origin;
    series.extend(SeedsQuestion { origin, ..question }, prepared)?;
    Ok(series)
}

/// Continue the set in `folder`.
pub fn resume(folder: &Path, show: &ShowArgs) -> anyhow::Result<()> {
    carry_out(&found(folder)?, show)
}

fn found(folder: &Path) -> anyhow::Result<Series<SeedsQuestion>> {
    let found = Series::find(folder).map_err(study::classify)?;
    found.with_context(|| format!("{}: not a set of trainings", folder.display()))
}

fn carry_out(series: &Series<SeedsQuestion>, show: &ShowArgs) -> anyhow::Result<()> {
    say(&format!(
        "trainings are saved in {}",
        series.folder().display()
    ));
    if show.wants_screen() && series.paths().iter().any(|path| !is_complete(path)) {
        return watch(series, show.ascii);
    }
    let lock = series.lock().map_err(study::classify)?;
    let ended = cli::series::carry_out(&series.paths(), &command(series));
    let summary = SeedsSummary::of(series);
    write_json(&series.folder().join("summary.json"), &summary)?;
    drop(lock);
    print(&summary.to_string())?;
    ended
}

/// The command that continues the set.
fn command(series: &Series<SeedsQuestion>) -> String {
    format!("nas-tui train --resume {}", series.folder().display())
}

/// Show each training, after starting a process for the set unless there is one.
fn watch(series: &Series<SeedsQuestion>, ascii: bool) -> anyhow::Result<()> {
    let first = series.paths().into_iter().next().context("no trainings")?;
    let config = config::read(&first.join("config.toml")).or_bad_input()?;
    let look = screen::settings(config.screen, ascii)?;
    if series.lock().is_ok() {
        detach(series)?;
    }
    let paths = series.paths();
    for (place, path) in paths.iter().enumerate() {
        if is_complete(path) || !wait_until_at_work(series, path) {
            continue;
        }
        let connection = link::attach(path, false)?;
        let look = tui::Settings {
            leave_when_over: place + 1 < paths.len(),
            switching: Switching::No("this screen follows the trainings of the set"),
            ..look.clone()
        };
        match tui::run(connection, &look).map(|left| left.leave) {
            Ok(Leave::Finished) => {}
            Ok(leave) => return farewell(series, leave),
            Err(error) => {
                say(&goes_on(series));
                return Err(error);
            }
        }
    }
    conclude(series)
}

/// Report how the set ended.
fn conclude(series: &Series<SeedsQuestion>) -> anyhow::Result<()> {
    // The last training is over, and its summary is being written.
    let since = Instant::now();
    while series.lock().is_err() && since.elapsed() < PATIENCE {
        std::thread::sleep(LOOK);
    }
    let summary = SeedsSummary::of(series);
    print(&summary.to_string())?;
    match summary.unfinished {
        0 => Ok(()),
        left => Err(anyhow!(
            "{left} of {} trainings are not completed; see {}; continue with: {}",
            summary.trainings.len(),
            log_of(series).display(),
            command(series)
        )),
    }
}

/// Wait until `path` is being trained and can be connected to; false if no process is working on
/// the set or the training is already over.
fn wait_until_at_work(series: &Series<SeedsQuestion>, path: &Path) -> bool {
    let since = Instant::now();
    loop {
        let is_late = since.elapsed() > PATIENCE;
        let is_served = path.join("control.sock").exists() || is_late;
        if lock_state(path).is_some() && path.join("journal.jsonl").is_file() && is_served {
            return true;
        }
        // The process takes the lock of the set shortly after its start.
        let is_begun = since.elapsed() > Duration::from_secs(2);
        if is_complete(path) || (is_begun && series.lock().is_ok()) {
            return false;
        }
        std::thread::sleep(LOOK);
    }
}

/// Start the process that carries the set out, in its own session, so that it is not affected by
/// what happens to the terminal.
fn detach(series: &Series<SeedsQuestion>) -> anyhow::Result<()> {
    let log = log_of(series);
    let open =
        || -> std::io::Result<File> { OpenOptions::new().create(true).append(true).open(&log) };
    let file = open().with_context(|| format!("cannot open {}", log.display()))?;
    let mut command = Command::new(std::env::current_exe().context("cannot find this program")?);
    command
        .args(["train", "--headless", "--resume"])
        .arg(series.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::from(file));
    in_own_session(&mut command);
    command.spawn().context("cannot start the trainings")?;
    Ok(())
}

fn log_of(series: &Series<SeedsQuestion>) -> PathBuf {
    series.folder().join("training.log")
}

/// Report the state of a set whose screen was closed.
fn farewell(series: &Series<SeedsQuestion>, leave: Leave) -> anyhow::Result<()> {
    match leave {
        Leave::Stopped => {
            Err(Interrupted(format!("stopped; continue with: {}", command(series))).into())
        }
        Leave::Signal(_) | Leave::TerminalLost => Err(Interrupted(goes_on(series)).into()),
        Leave::Detached | Leave::Closed | Leave::Finished | Leave::Resume => {
            say(&goes_on(series));
            Ok(())
        }
    }
}

fn goes_on(series: &Series<SeedsQuestion>) -> String {
    let command = command(series);
    match series.lock() {
        Ok(_) => format!("no process is working on the trainings; continue them with: {command}"),
        Err(_) => format!("the trainings continue; attach again with: {command}"),
    }
}
