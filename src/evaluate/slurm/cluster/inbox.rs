//! What arrives in files: results, new attempts, and what attempts say.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::time::Instant;

use super::Bridge;
use crate::evaluate::protocol::FromWorker;
use crate::evaluate::slurm::attempts::{
    ARRIVALS_PER_PASS, BETWEEN_PASSES, FILES_PER_PASS, Line, Tail, Turns, order,
};
use crate::evaluate::slurm::files::{Arrival, Folder, ResultFile, read_result};
use crate::evaluate::slurm::scheduler::{Sign, Source, TaskId};
use crate::evaluate::validity::{self, Assignment};
use crate::evaluate::{ChildJob, Report, Reports};
use crate::event::Level;

/// The files of attempts that are followed.
pub(super) struct Inbox {
    tails: BTreeMap<String, Tail>,
    turns: Turns<String>,
    looked: Option<Instant>,
    /// Attempts at a child that failed in a way for which a machine may be to blame.
    doubted: BTreeMap<u64, BTreeSet<String>>,
}

impl Inbox {
    pub(super) fn new() -> Inbox {
        Inbox {
            tails: BTreeMap::new(),
            turns: Turns::new(),
            looked: None,
            doubted: BTreeMap::new(),
        }
    }

    /// Whether this is the last of the `attempts` at a child, all of which failed in a way for which a machine
    /// may be to blame.
    fn is_last_doubted(&mut self, child: u64, attempt: &str, attempts: u32) -> bool {
        let doubted = self.doubted.entry(child).or_default();
        // A result that cannot be moved is taken again.
        doubted.insert(attempt.to_owned());
        doubted.len() >= attempts as usize
    }

    /// Follow the attempts of earlier sessions' batches.
    pub(super) fn take_over(
        &mut self,
        folder: &Folder,
        is_live: impl Fn(u64) -> bool,
    ) -> io::Result<()> {
        let mut tasks: BTreeMap<TaskId, Vec<String>> = BTreeMap::new();
        for (task, attempt) in folder.attempts()? {
            if is_live(task.batch) {
                tasks.entry(task).or_default().push(attempt);
            }
        }
        for (task, mut attempts) in tasks {
            if attempts.len() > 1 {
                attempts.sort_by_cached_key(|attempt| order(&folder.attempt(task, attempt)));
            }
            let last = attempts.last().cloned();
            for attempt in attempts {
                let is_last = Some(&attempt) == last.as_ref();
                let path = folder.attempt(task, &attempt);
                self.follow(attempt, Tail::taken_over(path, task, is_last));
            }
        }
        Ok(())
    }

    fn follow(&mut self, attempt: String, tail: Tail) {
        if !self.tails.contains_key(&attempt) {
            self.tails.insert(attempt.clone(), tail);
            self.turns.add(attempt);
        }
    }
}

impl Bridge {
    /// Look at the files, if it is time.
    pub(super) fn read_files(&mut self, report: &Reports) {
        if self
            .inbox
            .looked
            .is_some_and(|looked| looked.elapsed() < BETWEEN_PASSES)
        {
            return;
        }
        self.inbox.looked = Some(Instant::now());
        let mut fresh = BTreeSet::new();
        match self.folder.arrivals() {
            Ok(arrivals) => {
                for arrival in arrivals.into_iter().take(ARRIVALS_PER_PASS) {
                    match arrival {
                        Arrival::Attempt {
                            path,
                            task,
                            attempt,
                        } => {
                            let file = self.folder.attempt(task, &attempt);
                            self.inbox.follow(attempt.clone(), Tail::new(file, task));
                            fresh.insert(attempt);
                            // It is found again by the attempt's own file.
                            let _ = std::fs::remove_file(path);
                        }
                        Arrival::Result(path) => self.take_result(&path, report),
                    }
                }
            }
            Err(error) => {
                self.scheduler.hear_nothing();
                self.warn_once(error.to_string(), report);
            }
        }
        let (tails, scheduler) = (&self.inbox.tails, &self.scheduler);
        let keep = |attempt: &String| {
            tails
                .get(attempt)
                .is_some_and(|tail| scheduler.is_live(tail.task))
        };
        fresh.extend(self.inbox.turns.take(FILES_PER_PASS, keep));
        for attempt in fresh {
            self.read_attempt(&attempt);
        }
        let scheduler = &self.scheduler;
        self.inbox
            .tails
            .retain(|_, tail| scheduler.is_live(tail.task));
    }

    fn read_attempt(&mut self, attempt: &str) {
        let Some(tail) = self.inbox.tails.get_mut(attempt) else {
            return;
        };
        if !self.scheduler.is_awaited(tail.task) {
            return;
        }
        let epochs = self.config.child.epochs;
        // A file that cannot be read says nothing; it is looked at again.
        let lines = tail.read().unwrap_or_default();
        let (task, node) = (tail.task, tail.node.clone().unwrap_or_default());
        for Line { sign, is_past } in lines {
            let from = Source {
                task,
                attempt,
                node: &node,
                is_past,
            };
            if is_sound(&sign, epochs) {
                self.scheduler.sign(from, sign);
            }
        }
    }

    /// Take a result: the first valid one of a child counts.
    fn take_result(&mut self, path: &Path, report: &Reports) {
        let result = match read_result(path, self.config.child.epochs) {
            Ok(result) => result,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            // The system's fault, not the file's: it is looked at again.
            Err(error) if error.raw_os_error().is_some() => {
                return self.warn_once(format!("{}: {error}", path.display()), report);
            }
            Err(error) => {
                let message = format!("{}: a result that cannot be used: {error}", path.display());
                report(Report::Log {
                    level: Level::Warning,
                    message,
                });
                let _ = self.folder.take(path, None);
                return;
            }
        };
        if !result.doubtful {
            // What the attempt has said before is told before. (Of a doubtful one it may have said that it
            // left the child to another task, before the child can end here.)
            self.read_attempt(&result.attempt);
        }
        let child = result.child;
        let job = self.jobs.get(&child);
        let is_own = job.is_some_and(|job| self.digest_of(job).as_ref() == Some(&result.digest));
        let is_known = self.folder.result(child).exists();
        let is_expected = job.is_some();
        let is_end = is_own && self.is_end(&result);
        let problem = match is_own {
            false if is_expected => Some("is of another network or other settings"),
            true if !is_end && !result.doubtful => {
                Some("is of a training that ended before its time: it is not used")
            }
            _ => None,
        };
        if let Some(problem) = problem {
            report(Report::Log {
                level: Level::Warning,
                message: format!("child {child}: the result in {} {problem}", path.display()),
            });
        }
        // A child that has not been submitted in this session may be later.
        let accepted = is_end || (!is_expected && !is_known);
        if let Err(error) = self.folder.take(path, accepted.then_some(child)) {
            return self.warn_once(format!("{}: {error}", path.display()), report);
        }
        if is_end || (is_known && !is_expected) {
            self.folder.remove_checkpoint(child);
        }
        if is_end {
            self.end(result, report);
        }
    }

    /// Whether a child that is waited for ends with this result.
    fn is_end(&mut self, result: &ResultFile) -> bool {
        let child = result.child;
        let Some(job) = self.jobs.get(&child) else {
            return false;
        };
        let is_skip_wanted = self.scheduler.skipped().contains(&child);
        let most = self.config.slurm.attempts;
        let is_last = !result.doubtful || self.inbox.is_last_doubted(child, &result.attempt, most);
        result.is_end(job, self.config.child.epochs, is_skip_wanted, is_last)
    }

    /// The child of a valid result has ended.
    fn end(&mut self, result: ResultFile, report: &Reports) {
        self.jobs.remove(&result.child);
        self.act(report);
        let ResultFile { attempt, node, .. } = &result;
        if self.scheduler.finished(result.child, attempt, node) {
            report(finished(result));
        }
    }

    /// A result that arrived while no engine ran, or that one took without recording it.
    pub(super) fn earlier_result(&self, job: &ChildJob) -> Option<Report> {
        let (digest, epochs) = (self.digest_of(job)?, self.config.child.epochs);
        let result = self.folder.earlier_result(job, &digest, epochs)?;
        Some(finished(result))
    }
}

fn finished(result: ResultFile) -> Report {
    let ResultFile {
        child,
        outcome,
        seconds,
        energy_wh,
        ..
    } = result;
    Report::Finished {
        child,
        outcome,
        seconds,
        energy_wh,
        test_accuracy: None,
    }
}

/// Whether the numbers of a sign are possible in a training of `epochs` epochs.
fn is_sound(sign: &Sign, epochs: usize) -> bool {
    let (message, child, worker) = match sign {
        Sign::Epoch(epoch) => (FromWorker::Epoch(epoch.clone()), epoch.child, epoch.worker),
        Sign::Progress(progress) => {
            let message = FromWorker::Progress(progress.clone());
            (message, progress.child, progress.worker)
        }
        _ => return true,
    };
    let assignment = Assignment {
        worker,
        child: Some(child),
        epochs,
        may_end_early: true,
    };
    validity::check(&message, &assignment).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_at_a_child_counts_once_until_the_last_one_is_believed() {
        let mut inbox = Inbox::new();
        assert!(!inbox.is_last_doubted(1, "a", 3));
        assert!(!inbox.is_last_doubted(1, "a", 3), "it was taken again");
        assert!(!inbox.is_last_doubted(2, "b", 3), "of another child");
        assert!(!inbox.is_last_doubted(1, "c", 3));
        assert!(inbox.is_last_doubted(1, "d", 3));
        assert!(inbox.is_last_doubted(3, "e", 1));
    }
}
