//! What is done with the scheduler's actions, and what is asked of Slurm.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use super::{Bridge, Message};
use crate::evaluate::slurm::commands::{self, Reply, Request};
use crate::evaluate::slurm::files::{Control, read_result};
use crate::evaluate::slurm::scheduler::{Action, Submission, TaskId};
use crate::evaluate::{ChildJob, Report, Reports};
use crate::event::Level;

/// Time between two looks at whether the run directory can be written to.
const BETWEEN_PROBES: Duration = Duration::from_secs(30);
/// The longest that a stop waits for the answer of an `sbatch` that is under way.
const SUBMITTING: Duration = Duration::from_secs(65);

/// A batch that is about to be submitted.
pub(super) struct Intended {
    tasks: Vec<Vec<ChildJob>>,
    /// How many tasks may run at a time.
    throttle: usize,
    /// Nodes to avoid.
    avoid: Vec<String>,
}

impl Bridge {
    /// Do what the scheduler wants.
    pub(super) fn act(&mut self, report: &Reports) {
        for action in self.scheduler.take_actions() {
            match action {
                Action::Submit {
                    batch,
                    tasks,
                    throttle,
                    avoid,
                } => {
                    self.intend(batch, &tasks, throttle, avoid, report);
                }
                Action::Throttle { batch, most } => {
                    self.update(batch, format!("ArrayTaskThrottle={most}"));
                }
                Action::Avoid { batch, nodes } => self.avoid(batch, &nodes),
                Action::Cancel(tasks) => self.tell("scancel", &[], &tasks),
                Action::RequeueHold(tasks) => self.tell("scontrol", &["requeuehold"], &tasks),
                Action::Hold(batch) => self.tell_job("hold", batch),
                Action::Release(batch) => self.tell_job("release", batch),
                Action::Control { pause, skip } => {
                    self.write_control(pause, skip.into_iter().collect(), report)
                }
                Action::Close(batch) => {
                    if let Err(error) = self.folder.close(batch) {
                        self.warn_once(format!("batch {batch}: {error}"), report);
                    }
                }
                Action::Report(told) => {
                    self.is_over |= matches!(*told, Report::Fatal { .. });
                    if let Report::Finished { child, .. } = &*told {
                        self.jobs.remove(child);
                        self.ended.insert(*child);
                        self.folder.remove_checkpoint(*child);
                    }
                    report(*told);
                }
            }
        }
    }

    fn ask(&self, request: Request) {
        // The thread that asks ends with this one.
        let _ = self.to_slurm.send(request);
    }

    fn tell(&self, program: &'static str, verb: &[&str], tasks: &[TaskId]) {
        let names = commands::named(&self.numbers, tasks);
        commands::tell(program, verb, &names)
            .into_iter()
            .for_each(|request| self.ask(request));
    }

    fn tell_job(&self, verb: &str, batch: u64) {
        if let Some(job) = self.numbers.get(&batch) {
            let arguments = vec![verb.to_owned(), job.clone()];
            self.ask(Request::Tell {
                program: "scontrol",
                arguments,
            });
        }
    }

    pub(super) fn avoid(&self, batch: u64, nodes: &[String]) {
        if let Some(nodes) = commands::excluded(&self.config.slurm, nodes) {
            self.update(batch, format!("ExcNodeList={nodes}"));
        }
    }

    fn update(&self, batch: u64, setting: String) {
        if let Some(job) = self.numbers.get(&batch) {
            let arguments = vec!["update".to_owned(), format!("JobId={job}"), setting];
            self.ask(Request::Tell {
                program: "scontrol",
                arguments,
            });
        }
    }

    /// Undo a pause of an earlier session.
    pub(super) fn release_all(&self) {
        self.numbers
            .keys()
            .for_each(|batch| self.tell_job("release", *batch));
    }

    pub(super) fn write_control(&mut self, pause: Option<u64>, skip: Vec<u64>, report: &Reports) {
        let control = Control { pause, skip };
        let written = self.folder.write_control(&control);
        self.unwritten = written.is_err().then_some(control);
        if let Err(error) = written {
            self.warn_once(error.to_string(), report);
        }
    }

    /// See whether the run directory can be written to, with what could not be written if there is
    /// something. If it cannot, tasks cannot give signs or hand in results either.
    pub(super) fn probe(&mut self, report: &Reports) {
        let is_early = |probed: Instant| probed.elapsed() < BETWEEN_PROBES;
        if self.probed.is_some_and(is_early) || self.scheduler.tasks().0 == 0 {
            return;
        }
        self.probed = Some(Instant::now());
        let is_writable = match self.unwritten.take() {
            Some(Control { pause, skip }) => {
                self.write_control(pause, skip, report);
                self.unwritten.is_none()
            }
            None => self.folder.probe().is_ok(),
        };
        if !is_writable {
            self.scheduler.hear_nothing();
        }
    }

    /// Have the intent to submit a batch recorded in the journal.
    fn intend(
        &mut self,
        batch: u64,
        tasks: &[Vec<u64>],
        throttle: usize,
        avoid: Vec<String>,
        report: &Reports,
    ) {
        // Even if this session ends here, no other batch has the number that is in the journal then.
        if let Err(error) = self.folder.reserve_batch(batch) {
            let answer = Submission::NotWritten(error.to_string());
            return self.scheduler.submitted(batch, answer);
        }
        let job = |child: &u64| self.jobs.get(child).cloned();
        let tasks: Vec<Vec<ChildJob>> = tasks
            .iter()
            .map(|of| of.iter().filter_map(job).collect())
            .collect();
        report(Report::BatchIntended {
            batch,
            job: self.name_of(batch),
            tasks: tasks.len(),
            children: tasks.iter().flatten().map(|job| job.child).collect(),
        });
        let intended = Intended {
            tasks,
            throttle,
            avoid,
        };
        self.intended.insert(batch, intended);
    }

    /// The journal has the intent: write the manifest, then submit the batch.
    pub(super) fn submit_batch(&mut self, batch: u64) {
        // Users may have ended all of its children meanwhile.
        let is_wanted = self.scheduler.has_batch(batch);
        let Some(intended) = self.intended.remove(&batch).filter(|_| is_wanted) else {
            return;
        };
        let Intended {
            tasks,
            throttle,
            avoid,
        } = intended;
        let folder = self.folder.batch(batch);
        let script = commands::script(&self.config.slurm, &self.program, self.folder.path(), batch);
        let written = self
            .folder
            .write_batch(&self.settings(batch), &tasks, &script);
        if let Err(error) = written {
            let answer = Submission::NotWritten(error.to_string());
            return self.scheduler.submitted(batch, answer);
        }
        let name = self.name_of(batch);
        let arguments = commands::submission(
            &self.config.slurm,
            &name,
            tasks.len(),
            throttle,
            &avoid,
            &folder,
        );
        self.ask(Request::Submit { batch, arguments });
    }

    pub(super) fn submitted(&mut self, batch: u64, answer: Submission, report: &Reports) {
        if let Submission::Accepted(job) = &answer {
            self.numbers.insert(batch, job.clone());
            if let Err(error) = self.folder.write_job(batch, job) {
                self.warn_once(error.to_string(), report);
            }
            let tasks = self.scheduler.tasks_of(batch);
            let message = format!("batch {batch}: {tasks} tasks are in Slurm's queue as job {job}");
            report(Report::Log {
                level: Level::Info,
                message,
            });
        }
        self.scheduler.submitted(batch, answer);
    }

    /// Keep the numbers of jobs that were found by their names.
    pub(super) fn learn_numbers(&mut self) {
        let found = self
            .scheduler
            .live_batches()
            .filter_map(|(batch, job)| Some((batch, job?.to_owned())));
        let new: Vec<(u64, String)> = found
            .filter(|(batch, _)| !self.numbers.contains_key(batch))
            .collect();
        for (batch, job) in new {
            // It can be found by its name again.
            let _ = self.folder.write_job(batch, &job);
            self.numbers.insert(batch, job);
        }
    }

    /// Ask for the state of all tasks, if it is time and the last answer is there.
    pub(super) fn ask_slurm(&mut self) {
        let every = std::time::Duration::from_secs(self.config.slurm.poll_seconds);
        let is_early = self.asked.is_some_and(|asked| asked.elapsed() < every);
        let batches: Vec<(u64, Option<String>)> = self
            .scheduler
            .live_batches()
            .map(|(batch, job)| (batch, job.map(str::to_owned)))
            .collect();
        if self.is_asking || is_early || batches.is_empty() {
            return;
        }
        (self.asked, self.is_asking) = (Some(Instant::now()), true);
        let names = batches
            .iter()
            .map(|(batch, _)| (self.name_of(*batch), *batch))
            .collect();
        let jobs = batches
            .into_iter()
            .filter_map(|(batch, job)| Some((batch, job?)))
            .collect();
        self.ask(Request::List { names, jobs });
    }

    /// The search ends, fails or is stopped: its tasks are cancelled, unless they are to go on.
    pub(super) fn shut_down(&mut self, messages: &Receiver<Message>, report: &Reports) {
        // The search no longer confirms any: Slurm is not asked for them.
        for batch in std::mem::take(&mut self.intended).into_keys() {
            self.scheduler.withdraw(batch);
        }
        if self.config.slurm.cancel_on_stop {
            self.await_submission(messages, report);
        }
        self.folder
            .remove_checkpoints(|child| self.has_ended(child));
        let batches: Vec<(u64, bool)> = self.scheduler.all_batches().collect();
        if batches.is_empty() {
            return;
        }
        if !self.config.slurm.cancel_on_stop {
            return self.let_go_on(report);
        }
        for request in self.cancellations(&batches) {
            if let Some(Reply::Failed { reason, .. }) = commands::carry_out(request) {
                self.warn_once(reason, report);
            }
        }
        // A resumed search need not wait for what was cancelled. One that is being submitted may come
        // into being later, and is found then.
        let cancelled = batches.iter().filter(|(_, is_submitted)| *is_submitted);
        cancelled.for_each(|(batch, _)| drop(self.folder.close(*batch)));
    }

    /// Whether a child has ended in this session, or in an earlier one with a whole result. A session that is stopped
    /// at its beginning has no jobs yet, but that does not mean that all children have ended.
    fn has_ended(&self, child: u64) -> bool {
        let of_earlier_session = || {
            let result = read_result(&self.folder.result(child), self.config.child.epochs);
            result.is_ok_and(|result| !result.skipped)
        };
        self.ended.contains(&child) || (!self.jobs.contains_key(&child) && of_earlier_session())
    }

    /// Wait for `sbatch` if it is under way: a job can be cancelled only once it is there.
    fn await_submission(&mut self, messages: &Receiver<Message>, report: &Reports) {
        let began = Instant::now();
        while self
            .scheduler
            .all_batches()
            .any(|(_, is_submitted)| !is_submitted)
        {
            match messages.recv_timeout(SUBMITTING.saturating_sub(began.elapsed())) {
                Ok(Message::Slurm(Reply::Submitted { batch, answer })) => {
                    self.submitted(batch, answer, report);
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }

    /// What cancels these batches: by their numbers, those without one by their names.
    fn cancellations(&self, batches: &[(u64, bool)]) -> Vec<Request> {
        let (mut numbers, mut names) = (Vec::new(), Vec::new());
        for (batch, _) in batches {
            match self.numbers.get(batch) {
                Some(number) => numbers.push(number.clone()),
                None => names.push(self.name_of(*batch)),
            }
        }
        commands::cancel(&numbers, &names)
    }

    /// Undo a pause: nobody will be there to end it.
    fn let_go_on(&mut self, report: &Reports) {
        if !self.scheduler.is_paused() {
            return;
        }
        self.write_control(None, self.scheduler.skipped(), report);
        for job in self.numbers.values() {
            let arguments = vec!["release".to_owned(), job.clone()];
            commands::carry_out(Request::Tell {
                program: "scontrol",
                arguments,
            });
        }
    }
}
