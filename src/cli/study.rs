//! What the commands that train to answer a question share: signals, progress, and the run
//! concerned.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{BadInput, Interrupted, OrBadInput, run, say};
use crate::config::{self, Config, Options};
use crate::event::Level;
use crate::foundation::numbers::{accuracy, counted, duration, reward};
use crate::reward::Outcome;
use crate::runs::directory::settings_in;
use crate::search::Search;
use crate::session::Work;
use crate::study::{News, StudyError, Trial, Trials, carry_out};

/// Exit status 2 for errors that the user can fix, 1 for the rest.
pub fn classify(error: StudyError) -> anyhow::Error {
    if error.is_bad_input() {
        BadInput(error.into()).into()
    } else {
        error.into()
    }
}

/// The settings of the run in `path`, with changes that do not affect the results of its children.
pub fn settings_of(path: &Path, set: &[String]) -> anyhow::Result<Config> {
    let file = settings_in(path).or_bad_input()?;
    let then = config::read(&file).or_bad_input()?;
    let options = Options {
        run: Some(file),
        set: set.to_vec(),
        ..Options::default()
    };
    let now = config::resolve(&options).or_bad_input()?;
    let changes = now.changes_since(&then.to_toml(), |key| Search::is_free_to_change(key, &now));
    if changes.is_empty() {
        return Ok(now);
    }
    Err(bad_input!(
        "{}: its children were trained with other settings ({}): only workers, data.dir and the like may be changed",
        path.display(),
        changes.join("; ")
    ))
}

/// Train what is left of `trials`, printing a line for each that ends. A signal ends it, with an
/// error saying that the same command continues.
pub fn train(trials: &mut Trials) -> anyhow::Result<()> {
    let interrupted = super::interrupted()?;
    let mut progress = Progress::default();
    let place = trials.folder().to_owned();
    let start = |config: &Config, sender: std::sync::mpsc::Sender<_>| {
        run::evaluator(config, &place, move |report| {
            // Once it is over, further reports of a worker do not matter.
            let _ = sender.send(report);
        })
    };
    let is_interrupted = || interrupted.load(Ordering::Relaxed);
    let folder = trials.folder().display().to_string();
    match carry_out(trials, start, &is_interrupted, &mut |news| {
        progress.tell(&news)
    }) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let (left, all) = (trials.left().len(), trials.all().len());
            let done = all - left;
            Err(Interrupted(format!(
                "stopped: {done} of {all} trainings are saved in {folder}; the same command continues"
            ))
            .into())
        }
        Err(error) => Err(classify(error)),
    }
}

/// Progress of a set of trainings, printed to standard error.
#[derive(Debug, Default)]
struct Progress {
    /// When the workers were ready, and the number of trainings done by then.
    began: Option<(Instant, usize)>,
}

impl Progress {
    fn tell(&mut self, news: &News<'_>) {
        match news {
            News::Ready { workers, done, all } => {
                self.began = Some((Instant::now(), *done));
                let left = all - done;
                say(&match done {
                    0 => format!("{}, {workers} at a time", counted(left as u64, "training")),
                    _ => format!(
                        "{done} of {all} trainings are done; {left} are left, {workers} at a time"
                    ),
                });
            }
            News::Ended { trial, done, all } => {
                let left = self.time_left(*done, *all);
                say(&format!("{done} of {all}: {}{left}", told(trial)));
            }
            News::Notice { level, text } => match level {
                Level::Info => say(text),
                Level::Warning => say(&format!("warning: {text}")),
                Level::Error => say(&format!("error: {text}")),
            },
        }
    }

    /// `; 5 min left`, estimated from the pace so far.
    fn time_left(&self, done: usize, all: usize) -> String {
        let Some((began, before)) = self
            .began
            .filter(|(_, before)| done > *before && all > done)
        else {
            return String::new();
        };
        let each = began.elapsed().as_secs_f64() / (done - before) as f64;
        let seconds = each * (all - done) as f64;
        match Duration::try_from_secs_f64(seconds) {
            Ok(_) => format!("; about {} left", duration(seconds)),
            Err(_) => String::new(),
        }
    }
}

/// A training that has ended, in words.
fn told(trial: &Trial) -> String {
    let name = format!("{} ({})", trial.group, counted(trial.depth as u64, "layer"));
    let Some(end) = &trial.end else { return name };
    let seconds = end.seconds;
    match (&end.outcome, end.accuracy, end.reward) {
        (_, Some(reached), Some(worth)) => format!(
            "{name}: accuracy {}, reward {} ({seconds:.1} s)",
            accuracy(reached),
            reward(worth)
        ),
        (Outcome::Failed { reason }, ..) => format!("{name}: failed, reward 0: {reason}"),
        (Outcome::Excluded { reason }, ..) => format!("{name}: excluded: {reason}"),
        (Outcome::Trained { .. }, ..) => format!("{name}: no accuracy, reward 0"),
    }
}
