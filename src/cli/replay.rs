//! `nas-tui replay`: watch a run that is over as if it were happening now.

use std::io::stderr;
use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs};

use super::OrBadInput;
use super::screen::{ScreenArgs, has_screen};
use crate::link::{self, Pace, SAMPLE_FROM, SAMPLE_SPEED};
use crate::report::headless;
use crate::runs;
use crate::tui;
use crate::tui::other_runs::Switching;

/// Replay a run on the screen as it happened, at any speed
///
/// Space pauses the replay. Pauses of the run, and the time between its sessions, are shortened.
#[derive(Debug, ClapArgs)]
#[command(group = ArgGroup::new("recording").args(["run", "sample"]).required(true))]
pub struct Args {
    /// Run directory, or the name of one in the list of runs
    run: Option<PathBuf>,
    /// Replay a search that is recorded in this program (preset demo, on two CPU cores): the whole
    /// screen at once, without a run. Nothing is written
    #[arg(long)]
    sample: bool,
    /// Playback speed: a multiple of the recorded speed [default: 1, or 4 with --sample]
    #[arg(long, value_name = "X", value_parser = positive)]
    speed: Option<f64>,
    /// Where to begin, in percent of the run's children or epochs [default: 0, or 66 with --sample,
    /// when every panel has something to show]
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    from: Option<f64>,
    /// Number of records per second, whatever their times (for benchmarks)
    #[arg(long, value_name = "HZ", hide = true, value_parser = positive)]
    rate: Option<f64>,
    #[command(flatten)]
    screen: ScreenArgs,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let mut settings = args.screen.settings()?;
    settings.switching = Switching::No("this is a replay: nas-tui attach shows other runs");
    let pace = args.rate.map_or(Pace::Recorded, Pace::Rate);
    let from = args.from.map(|percent| percent / 100.0);
    let connection = match &args.run {
        Some(run) => {
            let run = runs::find(run).or_bad_input()?;
            link::replay(&run, pace, args.speed.unwrap_or(1.0), from.unwrap_or(0.0))
        }
        None => {
            let speed = args.speed.unwrap_or(SAMPLE_SPEED);
            link::replay_sample(pace, speed, from.unwrap_or(SAMPLE_FROM))
        }
    };
    let connection = connection.or_bad_input()?;
    if has_screen()? {
        tui::run(connection, &settings)?;
    } else {
        headless::follow(connection, &mut stderr())?;
    }
    Ok(())
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("must be a number greater than 0".to_owned()),
    }
}

fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(number) if (0.0..=100.0).contains(&number) => Ok(number),
        _ => Err("must be a number from 0 to 100".to_owned()),
    }
}
