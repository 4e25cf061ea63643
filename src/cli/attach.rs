//! `nas-tui attach`: watch a run that another process is working on, or one that has ended.

use std::io::stderr;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use super::run::{ended_text, print_summary};
use super::screen::{ScreenArgs, can_draw, has_screen};
use super::{Interrupted, OrBadInput, Told, list, say};
use crate::link::{self, LinkStatus, what_is_lost};
use crate::report::headless;
use crate::runs;
use crate::runs::directory::{kind_of, lock_state, resume_command, settings_in};
use crate::tui::other_runs::{MOST, Switching};
use crate::tui::{self, Leave, picker};

/// Watch and control a run in progress, or view one that has ended
///
/// Any number of screens can watch a run at once. A run on another machine with a shared file
/// system is followed through its journal and cannot be controlled. On the screen, R lists the other
/// runs: one of them can be shown in place of this one, and up to four drawn over its chart.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Run directory, or the name of one in the list of runs (default: choose from a list)
    run: Option<PathBuf>,
    /// Only watch: no key can pause, stop or steer the run
    #[arg(long)]
    watch: bool,
    /// Another search to draw over the chart, if its values can stand on the same axis; up to four
    /// times
    #[arg(long, value_name = "RUN")]
    with: Vec<PathBuf>,
    #[command(flatten)]
    screen: ScreenArgs,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let mut settings = args.screen.settings()?;
    settings.switching = Switching::Free { watch: args.watch };
    let run = match &args.run {
        Some(run) => runs::find(run).or_bad_input()?,
        None if can_draw() => match picker::choose(settings.theme, settings.extras.mouse)? {
            Some(run) => run,
            None => return Ok(()),
        },
        None => {
            super::print(&list::table(
                &link::survey(),
                super::table::terminal_width().unwrap_or(usize::MAX),
            ))?;
            return Err(bad_input!(
                "specify the run to watch, as in: nas-tui attach RUN"
            ));
        }
    };
    let connection = link::attach(&run, args.watch).or_bad_input()?;
    settings.with = companions(&run, &args.with)?;
    if !has_screen()? {
        return match headless::follow(connection, &mut stderr())? {
            LinkStatus::Ended => farewell(Leave::Finished, &run, args.watch),
            // It is among the lines.
            LinkStatus::Damaged { .. } => {
                farewell(Leave::Finished, &run, args.watch).map_err(|damage| Told(damage).into())
            }
            _ => farewell(Leave::Closed, &run, args.watch),
        };
    }
    let left = tui::run(connection, &settings)?;
    farewell(left.leave, &left.run, args.watch)
}

/// The run directories that `with` names, each of which can be compared with the one of `run`.
fn companions(run: &Path, with: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    if with.len() > MOST {
        return Err(bad_input!(
            "--with is given {} times: at most {MOST} runs can be told apart on one chart",
            with.len()
        ));
    }
    let companion = |name: &PathBuf| {
        let other = runs::find(name).or_bad_input()?;
        let shown = other.display();
        if kind_of(&other) != kind_of(run) {
            let (noun, own) = (kind_of(&other).noun(), kind_of(run).noun());
            return Err(bad_input!(
                "--with {shown}: a {noun} cannot be compared with a {own}"
            ));
        }
        if other.canonicalize().ok() == run.canonicalize().ok() {
            return Err(bad_input!(
                "--with {shown}: that is the run shown; name another one"
            ));
        }
        Ok(other)
    };
    with.iter().map(companion).collect()
}

/// Report the state of a run whose screen was closed, and return the corresponding exit status.
/// `watch` tells whether the screen could only watch.
pub(super) fn farewell(leave: Leave, run: &Path, watch: bool) -> anyhow::Result<()> {
    match leave {
        Leave::Stopped => {
            Err(Interrupted(format!("stopped; continue with: {}", resume_command(run))).into())
        }
        Leave::Signal(_) | Leave::TerminalLost => Err(Interrupted(goes_on(run, watch)).into()),
        Leave::Detached => {
            say(&goes_on(run, watch));
            Ok(())
        }
        Leave::Closed => {
            say(&left_alone(run, watch));
            Ok(())
        }
        Leave::Resume => resume(run),
        // Of a run whose journal is damaged, the damage is told in place of a summary.
        Leave::Finished => match ended_text(run).or_bad_input()? {
            Some(text) => print_summary(&text),
            None => Ok(()),
        },
    }
}

/// Become the program that continues the run.
fn resume(run: &Path) -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt;

    use anyhow::Context;

    use crate::runs::directory::subcommand_of;

    let program = std::env::current_exe().context("cannot find this program")?;
    let error = std::process::Command::new(program)
        .arg(subcommand_of(run))
        .arg("--resume")
        .arg(run)
        .exec();
    Err(anyhow::Error::from(error).context(format!("cannot start: {}", resume_command(run))))
}

/// What a folder with a journal lacks if the rest of the run is elsewhere.
fn lacks_settings(run: &Path) -> Option<String> {
    let is_there = settings_in(run).is_ok();
    (!is_there).then(|| "its settings (config.toml) are missing".to_owned())
}

/// The line printed after a screen was closed on an unfinished run that no process was working on.
fn left_alone(run: &Path, watch: bool) -> String {
    match lock_state(run) {
        Some(_) => goes_on(run, watch),
        // An empty journal has lost what made the screen show a run.
        None => match what_is_lost(run, 1).or_else(|| lacks_settings(run)) {
            Some(what) => {
                format!(
                    "no process is working on this run, and {what}: it cannot be continued as it is"
                )
            }
            None => format!(
                "no process is working on this run; continue it with: {}",
                resume_command(run)
            ),
        },
    }
}

/// The line printed after a screen was closed on a run in progress.
pub(super) fn goes_on(run: &Path, watch: bool) -> String {
    let noun = kind_of(run).noun();
    let attach = format!(
        "nas-tui attach {}{}",
        run.display(),
        if watch { " --watch" } else { "" }
    );
    match lock_state(run) {
        Some(holder) => format!("the {noun} continues ({holder}); attach again with: {attach}"),
        None => format!("no process is working on this run; view it again with: {attach}"),
    }
}
