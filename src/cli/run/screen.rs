//! A run on a terminal: start it as a separate process, show it, and report how it ended.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use signal_hook::consts::SIGINT;

use super::detached::Detached;
use super::engine::Word;
use super::{Farewell, Prepared, nothing_to_resume, print_summary};
use crate::cli::config::SettingsArgs;
use crate::cli::{BadInput, Interrupted, attach, say, screen};
use crate::link;
use crate::runs::RunDirectory;
use crate::runs::directory::has_begun;
use crate::tui::other_runs::Switching;
use crate::tui::{self, Leave};

/// A run that cannot begin usually says so within this time; the screen is not opened for it.
const FIRST_MOMENTS: Duration = Duration::from_secs(2);
/// Interval for checking whether a run has begun, and whether the user has lost patience.
const LOOK: Duration = Duration::from_millis(20);

pub(super) fn run(prepared: Prepared, settings: &SettingsArgs, ascii: bool) -> anyhow::Result<()> {
    let (is_new, path) = (prepared.is_new, prepared.directory.path().to_owned());
    let look = tui::Settings {
        switching: Switching::FromHome,
        ..screen::settings(prepared.config.screen.clone(), ascii)?
    };
    let interrupted = Arc::new(AtomicBool::new(false));
    let handler = signal_hook::flag::register(SIGINT, interrupted.clone())
        .context("cannot listen for signals")?;
    let mut search = Detached::start(prepared, settings).inspect_err(|_| {
        if is_new {
            // If it cannot be removed it stays; its files tell that it failed.
            let _ = RunDirectory::discard_unstarted_at(&path);
        }
    })?;
    say(&format!("run directory: {}", path.display()));
    if let Some(word) = first_moments(&mut search, &path, is_new, &interrupted)? {
        return conclude(&word, &path);
    }
    signal_hook::low_level::unregister(handler);
    let connection = link::attach(&path, false)?;
    let leave = tui::run(connection, &look).map(|left| left.leave);
    match leave {
        Ok(Leave::Finished | Leave::Stopped | Leave::Closed) => {
            conclude(&last_word(&mut search, &path)?, &path)
        }
        Ok(leave) => attach::farewell(leave, &path, false),
        Err(error) => {
            say(&attach::goes_on(&path, false));
            Err(error)
        }
    }
}

/// Wait until the run has begun; returns its last message if it ended before.
fn first_moments(
    search: &mut Detached,
    run: &Path,
    is_new: bool,
    interrupted: &AtomicBool,
) -> anyhow::Result<Option<Word>> {
    let mut serving_since: Option<Instant> = None;
    loop {
        match search.hear(LOOK, run)? {
            Some(Word::Serving) => serving_since = Some(Instant::now()),
            Some(last) => return Ok(Some(last)),
            None => {}
        }
        if interrupted.swap(false, Ordering::Relaxed) {
            search.stop();
        }
        let begun = |since: Instant| {
            since.elapsed() > FIRST_MOMENTS || !is_new || has_begun(run).unwrap_or(false)
        };
        if serving_since.is_some_and(begun) {
            return Ok(None);
        }
    }
}

/// How a run that has ended, or is about to, ended.
fn last_word(search: &mut Detached, run: &Path) -> anyhow::Result<Word> {
    loop {
        match search.hear(Duration::from_secs(1), run)? {
            Some(Word::Serving) | None => {}
            Some(last) => return Ok(last),
        }
    }
}

/// Report how the run ended, and return its exit status.
fn conclude(word: &Word, run: &Path) -> anyhow::Result<()> {
    let (code, message) = match word {
        Word::Complete => return nothing_to_resume(&Farewell::of(run)?, run),
        Word::Serving => return Ok(()),
        Word::Ended { code, message } => (*code, message.clone().unwrap_or_default()),
    };
    match code {
        0 => print_summary(&Farewell::of(run)?.text),
        // A run that was stopped before it began has been removed.
        130 if !run.exists() => Err(Interrupted(message).into()),
        130 => {
            print_summary(&Farewell::of(run)?.text)?;
            Err(Interrupted(message).into())
        }
        2 => Err(BadInput(anyhow::anyhow!(message)).into()),
        _ => Err(anyhow::anyhow!(message)),
    }
}
