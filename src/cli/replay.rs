//! `nas-tui replay`: watch a run that is over as if it were happening now.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::screen::ScreenArgs;
use super::{OrBadInput, attach};
use crate::link::{self, Pace};
use crate::runs;
use crate::tui;

/// Replay a run on the screen as it happened, at any speed
///
/// Space pauses the replay. Pauses of the run, and the time between its sessions, are shortened.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Run directory, or the name of one in ./runs
    run: PathBuf,
    /// Playback speed: a multiple of the recorded speed
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = positive)]
    speed: f64,
    /// Number of records per second, whatever their times (for benchmarks)
    #[arg(long, value_name = "HZ", hide = true, value_parser = positive)]
    rate: Option<f64>,
    #[command(flatten)]
    screen: ScreenArgs,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let settings = args.screen.settings()?;
    let run = runs::named(&args.run);
    let connection = link::replay(
        &run,
        args.rate.map_or(Pace::Recorded, Pace::Rate),
        args.speed,
    )
    .or_bad_input()?;
    attach::require_terminal()?;
    tui::run(connection, &settings)?;
    Ok(())
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("must be a number greater than 0".to_owned()),
    }
}
