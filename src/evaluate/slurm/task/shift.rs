//! The work of one run of a task: its children are trained by worker processes, until all have results or
//! Slurm asks for its end, for which those in training are saved.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::Context;
use signal_hook::consts::{SIGTERM, SIGUSR1};

use super::Ending;
use super::devices::devices;
use super::diary::Diary;
use super::pauses::{Pauses, Purpose};
use crate::evaluate::actor::{Doubt, doubt};
use crate::evaluate::local::WorkerSettings;
use crate::evaluate::placement::Placement;
use crate::evaluate::slurm::files::{Control, Folder, ResultFile, Settings, VERSION};
use crate::evaluate::slurm::scheduler::Sign;
use crate::evaluate::watch::Deadlines;
use crate::evaluate::{ChildJob, Evaluator, LocalWorkers, Ready, Report};
use crate::reward::{Outcome, SKIPPED};

/// Time between two looks at what is asked.
const LOOK: Duration = Duration::from_secs(2);
/// Time between two lines about the progress of training.
const PROGRESS: Duration = Duration::from_secs(5);
/// Time between two attempts to write a result.
const AGAIN: Duration = Duration::from_secs(5);

/// What Slurm has told this process by a signal.
#[derive(Clone)]
pub(super) struct Signals {
    warned: Arc<AtomicBool>,
    ended: Arc<AtomicBool>,
}

impl Signals {
    /// Listen, from this moment on: until then a signal ends the process.
    pub(super) fn listen() -> std::io::Result<Signals> {
        let signals = Signals {
            warned: Arc::new(AtomicBool::new(false)),
            ended: Arc::new(AtomicBool::new(false)),
        };
        signal_hook::flag::register(SIGUSR1, signals.warned.clone())?;
        signal_hook::flag::register(SIGTERM, signals.ended.clone())?;
        Ok(signals)
    }

    /// Whether Slurm ends this process: it has been cancelled, preempted, or put back into the queue.
    pub(super) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    fn ending(&self) -> Option<Ending> {
        match (self.is_ended(), self.warned.load(Ordering::Relaxed)) {
            (true, _) => Some(Ending::Terminated),
            (false, true) => Some(Ending::Warned),
            (false, false) => None,
        }
    }
}

/// The work of one attempt.
pub(super) struct Shift<'a> {
    folder: &'a Folder,
    settings: &'a Settings,
    diary: &'a mut Diary,
    signals: &'a Signals,
    /// Children that are not trained yet, with the mark of each.
    left: Vec<(ChildJob, String)>,
    /// Whether a child was trained here.
    has_trained: bool,
    /// Why children could not be trained here that another machine may be able to train.
    doubts: Vec<(Doubt, String)>,
    /// Results that are not written yet, and when the last attempt failed.
    results: Vec<ResultFile>,
    failed: Option<Instant>,
    /// Time between two times that the children in training are saved, in case the node dies.
    between_saves: Duration,
    /// When the workers were last asked to save their children.
    saved: Instant,
    pauses: Pauses,
    /// What was asked at the last look.
    asked: Control,
}

impl<'a> Shift<'a> {
    pub(super) fn new(
        folder: &'a Folder,
        settings: &'a Settings,
        diary: &'a mut Diary,
        signals: &'a Signals,
        left: Vec<(ChildJob, String)>,
        between_saves: Duration,
    ) -> Shift<'a> {
        Shift {
            folder,
            settings,
            diary,
            signals,
            left,
            has_trained: false,
            doubts: Vec::new(),
            results: Vec::new(),
            failed: None,
            between_saves,
            saved: Instant::now(),
            pauses: Pauses::default(),
            asked: Control::default(),
        }
    }

    pub(super) fn work(&mut self) -> anyhow::Result<Ending> {
        let (sender, reports) = channel();
        let report = move |report| {
            // The shift is over.
            let _ = sender.send(report);
        };
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut workers = LocalWorkers::start_placed(self.workers(), program, report);
        self.left
            .iter()
            .for_each(|(job, _)| workers.submit(job.clone()));
        let ending = self.listen(&reports, &mut workers);
        self.hand_in();
        if matches!(ending, Ending::Terminated) {
            self.remove_needless();
        }
        Ok(ending)
    }

    /// Remove what was saved of children that nobody will go on with: a task is also cancelled because its
    /// children have ended elsewhere.
    fn remove_needless(&self) {
        let control = self.folder.control();
        let skipped = control.as_ref().map_or(&self.asked.skip, |now| &now.skip);
        let epochs = self.settings.child.epochs;
        for (job, digest) in &self.left {
            if skipped.contains(&job.child) || self.folder.has_result(job, digest, epochs) {
                self.folder.remove_checkpoint(job.child);
            }
        }
    }

    fn workers(&self) -> Result<WorkerSettings, String> {
        let Settings {
            data,
            child,
            device,
            threads,
            gpus,
            ..
        } = self.settings;
        let devices = devices(*device, *gpus, self.left.len())?;
        Ok(WorkerSettings {
            data: data.clone(),
            child: child.clone(),
            placement: Placement {
                devices,
                threads: *threads,
            },
            sample: None,
            checkpoints: self.checkpoints(),
            deadlines: Deadlines::default(),
        })
    }

    /// Where children are saved; a run of an older version has no such place.
    fn checkpoints(&self) -> Option<PathBuf> {
        Some(self.folder.checkpoints()).filter(|folder| folder.is_dir())
    }

    fn listen(&mut self, reports: &Receiver<Report>, workers: &mut LocalWorkers) -> Ending {
        let (mut looked, mut progressed) = (None::<Instant>, None::<Instant>);
        let mut ending = None::<Instant>;
        while !self.left.is_empty() || !self.results.is_empty() {
            if let Some(told) = self.signals.ending() {
                let since = *ending.get_or_insert_with(|| {
                    self.save(workers);
                    Instant::now()
                });
                if !self.pauses.is_saving() || since.elapsed() >= self.time_to_save() {
                    return told;
                }
            } else {
                if looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
                    looked = Some(Instant::now());
                    self.obey(workers);
                }
                if self.asked.pause.is_none() && self.saved.elapsed() >= self.between_saves {
                    self.save(workers);
                }
            }
            self.diary.beat();
            if self.failed.is_none_or(|failed| failed.elapsed() >= AGAIN) {
                self.hand_in();
            }
            match reports.recv_timeout(Duration::from_millis(200)) {
                Ok(Report::Progress(progress)) => {
                    if progressed.is_none_or(|last| last.elapsed() >= PROGRESS) {
                        progressed = Some(Instant::now());
                        self.diary.write(&Sign::Progress(progress));
                    }
                }
                Ok(Report::Paused { number }) => {
                    self.stand_still(number, ending.is_some(), workers);
                }
                Ok(report) => {
                    if let Some(ending) = self.take(report) {
                        return ending;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Ending::Unusable("the workers have ended without a report".to_owned());
                }
            }
        }
        Ending::with_none_left(&self.doubts, self.has_trained)
    }

    /// Have the workers save their children, for which they pause.
    fn save(&mut self, workers: &mut LocalWorkers) {
        self.saved = Instant::now();
        workers.pause(self.pauses.begin(Purpose::Save));
    }

    /// Every worker stands still for the pause with this number.
    fn stand_still(&mut self, number: u64, is_ending: bool, workers: &mut LocalWorkers) {
        match self.pauses.confirmed(number) {
            Some(Purpose::Save) if !is_ending => workers.resume(),
            Some(Purpose::User(number)) => self.diary.write(&Sign::Paused { number }),
            Some(Purpose::Save) | None => {}
        }
    }

    /// The longest time that saving may take before this process ends.
    fn time_to_save(&self) -> Duration {
        Duration::from_secs((self.settings.signal_seconds / 2).max(5))
    }

    /// Pass on what has been asked since the last look.
    fn obey(&mut self, workers: &mut LocalWorkers) {
        // What cannot be read for a moment ends no pause.
        let Some(now) = self.folder.control() else {
            return;
        };
        if now.pause != self.asked.pause {
            match now.pause {
                // It takes the place of a pause of our own: children are saved in any.
                Some(number) => workers.pause(self.pauses.begin(Purpose::User(number))),
                None => {
                    self.pauses.end();
                    workers.resume();
                }
            }
        }
        let asked = &self.asked.skip;
        let new = now.skip.iter().filter(|child| !asked.contains(child));
        new.filter(|child| self.left.iter().any(|(job, _)| job.child == **child))
            .for_each(|child| workers.skip(*child));
        self.asked = now;
    }

    fn take(&mut self, report: Report) -> Option<Ending> {
        let sign = match report {
            Report::Ready(Ready { data, .. }) => {
                let expected = &self.settings.fingerprint;
                if data.fingerprint != *expected {
                    return Some(Ending::Unusable(format!(
                        "the data are not those of the search ({} has {}, the search {expected})",
                        data.spec, data.fingerprint
                    )));
                }
                Sign::Alive
            }
            Report::ChildStarted { child, device, .. } => Sign::Started { child, device },
            Report::Retried { child, reason } => Sign::Retried { child, reason },
            Report::Epoch(epoch) => Sign::Epoch(epoch),
            Report::Log { level, message } => Sign::Log { level, message },
            Report::Fatal { message } => return Some(Ending::Unusable(message)),
            finished @ Report::Finished { .. } => {
                self.finished(finished);
                return None;
            }
            Report::WorkerStarted { .. }
            | Report::WorkerDied { .. }
            | Report::Paused { .. }
            | Report::BatchIntended { .. }
            | Report::Progress(_) => Sign::Alive,
        };
        self.diary.write(&sign);
        None
    }

    fn finished(&mut self, report: Report) {
        let Report::Finished {
            child,
            outcome,
            seconds,
            energy_wh,
            ..
        } = report
        else {
            return;
        };
        let Some(place) = self.left.iter().position(|(job, _)| job.child == child) else {
            return;
        };
        let (job, digest) = self.left.remove(place);
        let skipped = self.is_skipped(child, &outcome);
        self.has_trained |= matches!(outcome, Outcome::Trained { .. });
        let doubt = doubt(&outcome);
        if let (Some(whose), Outcome::Failed { reason } | Outcome::Excluded { reason }) =
            (doubt, &outcome)
        {
            let reason = format!("child {child}: {reason}");
            self.doubts.push((whose, reason));
        }
        // The search counts failures that may be a machine's; of an excluded child nothing is known.
        if doubt.is_none() || matches!(outcome, Outcome::Failed { .. }) {
            self.results.push(ResultFile {
                v: VERSION,
                child: job.child,
                digest,
                attempt: self.diary.attempt.clone(),
                node: self.diary.node.clone(),
                outcome,
                skipped,
                doubtful: doubt.is_some(),
                seconds,
                energy_wh,
            });
        }
        self.hand_in();
    }

    /// Whether a child has ended before its time because a user asked for that.
    fn is_skipped(&self, child: u64, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Trained { valid_accuracies } => {
                let is_short = valid_accuracies.len() < self.settings.child.epochs;
                is_short && self.asked.skip.contains(&child)
            }
            Outcome::Excluded { reason } => reason == SKIPPED,
            Outcome::Failed { .. } => false,
        }
    }

    /// Write the results. What cannot be written (the disk is full) waits: it took long to compute.
    fn hand_in(&mut self) {
        self.failed = None;
        while let Some(result) = self.results.first() {
            if let Err(error) = self.folder.write_result(result) {
                eprintln!("nas-tui: a result waits until it can be written: {error}");
                self.failed = Some(Instant::now());
                return;
            }
            if !result.doubtful {
                self.folder.remove_checkpoint(result.child);
            }
            self.results.remove(0);
        }
    }
}
