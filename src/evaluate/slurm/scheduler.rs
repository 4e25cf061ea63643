//! Decides what to ask of Slurm: a pure state machine. Events and a clock go in, actions come out; it
//! reads no file, runs no command and knows no time but the one it is told.
//!
//! A child is done when its first valid result arrives, whichever task wrote it. What Slurm says of a
//! task is a hint about whether it lives, never about whether a child is done.

mod batches;
mod ending;
mod liveness;
mod nodes;
mod signs;
mod steering;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

pub use self::liveness::{Answer, Listed};
pub use self::signs::{Sign, Source};
use crate::evaluate::Report;
use crate::event::Level;

/// A task of a job array, by the number of its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    /// Number of the batch, from 1: one array job each.
    pub batch: u64,
    /// Index in the array.
    pub index: usize,
}

/// The limits within which the scheduler works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Tasks that may run at a time.
    pub count: usize,
    /// Children of one task.
    pub children_per_task: usize,
    /// Time without a sign of life after which a task that Slurm does not list is lost.
    pub grace: Duration,
    /// Tasks that a child may lose before it is excluded.
    pub attempts: u32,
    /// Most tasks of one array (`MaxArraySize`).
    pub most_in_array: usize,
    /// Most tasks of this run that wait or run at a time (a part of `MaxJobCount`).
    pub most_tasks: usize,
}

/// What the scheduler wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Submit a batch: its number, the children of each task, how many may run at a time, and the
    /// nodes to avoid. Answered by [`Scheduler::submitted`].
    Submit {
        batch: u64,
        tasks: Vec<Vec<u64>>,
        throttle: usize,
        avoid: Vec<String>,
    },
    /// Change how many tasks of a batch may run at a time.
    Throttle { batch: u64, most: usize },
    /// Keep the waiting tasks of a batch from these nodes, and from no others of the run's own choice.
    Avoid { batch: u64, nodes: Vec<String> },
    /// Cancel these tasks.
    Cancel(Vec<TaskId>),
    /// Keep the waiting tasks of a batch from starting.
    Hold(u64),
    /// Put running tasks back into the queue, held.
    RequeueHold(Vec<TaskId>),
    /// Undo both for a batch.
    Release(u64),
    /// Tell running tasks what is asked of them.
    Control {
        pause: Option<u64>,
        skip: BTreeSet<u64>,
    },
    /// Every child of the batch has ended: nothing of it is of interest any more.
    Close(u64),
    /// Tell the search.
    Report(Box<Report>),
}

/// How `sbatch` answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submission {
    /// The number of the job.
    Accepted(String),
    /// Slurm refused the job, in its words.
    Refused(String),
    /// No answer: the job may or may not exist.
    Unknown(String),
    /// Slurm was not asked, because the batch could not be written down.
    NotWritten(String),
}

/// A child that has been submitted and has not ended.
#[derive(Debug, Clone, Default)]
struct Child {
    /// Tasks that it has lost.
    lost: u32,
    /// Attempts that have begun to train it.
    attempts: u32,
    /// When a user asked for its end.
    skipped: Option<Duration>,
    /// Who trains it, by the latest news.
    training: Option<Training>,
}

#[derive(Debug, Clone)]
struct Training {
    attempt: String,
    task: TaskId,
    /// Number of the worker that stands for it in the search.
    slot: usize,
    since: Duration,
}

#[derive(Debug, Clone)]
struct Batch {
    tasks: Vec<Task>,
    /// Slurm's number of the array job, once known.
    job: Option<String>,
    /// Whether `sbatch` has not answered yet.
    is_being_submitted: bool,
    /// How many of its tasks may run at a time.
    throttle: usize,
    /// What Slurm was told of that; `None` if it must be told.
    told: Option<usize>,
}

#[derive(Debug, Clone)]
struct Task {
    children: Vec<u64>,
    /// Since when answers of Slurm have not listed it as waiting or running.
    absent: Option<Duration>,
    /// Its state in Slurm's words, from the latest answer.
    state: String,
    /// Its last sign of life: of its own, or a running state when it had given none.
    sign: Duration,
    /// Whether it has given a sign of its own since it was started.
    has_begun: bool,
    /// Whether it has waited or run in this session: otherwise its end is no loss of its children.
    is_seen: bool,
    /// The pause that it has confirmed.
    paused: Option<u64>,
    /// Where it runs.
    node: Option<String>,
    is_over: bool,
}

impl Task {
    fn new(children: Vec<u64>, now: Duration) -> Task {
        Task {
            children,
            absent: None,
            state: String::new(),
            sign: now,
            has_begun: false,
            is_seen: false,
            paused: None,
            node: None,
            is_over: false,
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Scheduler {
    rules: Rules,
    now: Duration,
    children: BTreeMap<u64, Child>,
    queue: VecDeque<u64>,
    batches: BTreeMap<u64, Batch>,
    /// Where each child's latest task is.
    places: BTreeMap<u64, TaskId>,
    /// Numbers of workers in use.
    slots: BTreeSet<usize>,
    next_batch: u64,
    /// When `sbatch` may be called again, and how long to wait after the next refusal.
    submit_after: Duration,
    backoff: Duration,
    has_accepted: bool,
    /// Most tasks of the next array: halved by refusals, doubled until it is what the rules allow.
    array: usize,
    last_refusal: Option<String>,
    pause: Option<steering::Pause>,
    /// Children that users have asked to end.
    skips: BTreeSet<u64>,
    /// Nodes of the tasks in a row that could not train at all.
    unusable: BTreeSet<String>,
    /// Every node heard of.
    nodes: BTreeMap<String, nodes::Node>,
    /// Children in a row that were given up.
    given_up: u32,
    actions: Vec<Action>,
}

impl Scheduler {
    /// A scheduler without children whose first new batch is number `next_batch`.
    pub fn new(rules: Rules, next_batch: u64) -> Scheduler {
        Scheduler {
            array: rules.most_in_array,
            rules,
            now: Duration::ZERO,
            children: BTreeMap::new(),
            queue: VecDeque::new(),
            batches: BTreeMap::new(),
            places: BTreeMap::new(),
            slots: BTreeSet::new(),
            next_batch,
            submit_after: Duration::ZERO,
            backoff: batches::FIRST_BACKOFF,
            has_accepted: false,
            last_refusal: None,
            pause: None,
            skips: BTreeSet::new(),
            unusable: BTreeSet::new(),
            nodes: BTreeMap::new(),
            given_up: 0,
            actions: Vec::new(),
        }
    }

    /// Take over a batch that an earlier session submitted, or was about to. How many of its tasks may
    /// run at a time is told anew: it may have been submitted with another number.
    pub fn adopt(&mut self, batch: u64, tasks: Vec<Vec<u64>>, job: Option<String>) {
        let now = self.now;
        for (index, children) in tasks.iter().enumerate() {
            for child in children {
                self.places.insert(*child, TaskId { batch, index });
            }
        }
        self.has_accepted |= job.is_some();
        let throttle = self.rules.count;
        self.batches.insert(
            batch,
            Batch {
                tasks: tasks.into_iter().map(|of| Task::new(of, now)).collect(),
                job,
                is_being_submitted: false,
                throttle,
                told: None,
            },
        );
        self.next_batch = self.next_batch.max(batch + 1);
    }

    /// A child to train. If a task of an earlier session has it, that one is waited for.
    pub fn submit(&mut self, child: u64) {
        self.children.insert(child, Child::default());
        if self.has_live_task(child) {
            // It has not been listened to until now.
            let (now, place) = (self.now, self.places.get(&child).copied());
            if let Some(task) = place.and_then(|place| self.task(place)) {
                task.sign = now;
            }
        } else {
            if self.queue.is_empty() {
                // More may follow at once.
                let soon = self.now + batches::GATHERING;
                self.submit_after = self.submit_after.max(soon);
            }
            self.queue.push_back(child);
        }
    }

    /// The first valid result of a child has arrived, from this attempt on this node. Returns whether
    /// it was waited for: otherwise it has ended before.
    pub fn finished(&mut self, child: u64, attempt: &str, node: &str) -> bool {
        if self.remove(child, Some(attempt)).is_none() {
            return false;
        }
        self.unusable.clear();
        self.given_up = 0;
        self.trust(node);
        true
    }

    /// Let time pass until `now`, which never goes back, and do what is due.
    pub fn tick(&mut self, now: Duration) {
        self.notice_sleep(now);
        self.now = self.now.max(now);
        if self.pause.is_none() {
            self.end_skipped();
            self.end_silent();
        }
        self.settle_pause();
        self.make_batch();
    }

    /// What is to be done, in order.
    pub fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// Batches that Slurm may know, by number, with its number of the job if that is known.
    pub fn live_batches(&self) -> impl Iterator<Item = (u64, Option<&str>)> {
        let known = self
            .batches
            .iter()
            .filter(|(_, batch)| !batch.is_being_submitted);
        known.map(|(number, batch)| (*number, batch.job.as_deref()))
    }

    /// Every batch that is not over, and whether `sbatch` has answered.
    pub fn all_batches(&self) -> impl Iterator<Item = (u64, bool)> {
        let batches = self.batches.iter();
        batches.map(|(number, batch)| (*number, !batch.is_being_submitted))
    }

    /// Whether a batch is not over.
    pub fn has_batch(&self, batch: u64) -> bool {
        self.batches.contains_key(&batch)
    }

    /// Whether a task is not over.
    pub fn is_live(&self, id: TaskId) -> bool {
        let task = self
            .batches
            .get(&id.batch)
            .and_then(|batch| batch.tasks.get(id.index));
        task.is_some_and(|task| !task.is_over)
    }

    /// Whether a child of a task is waited for. Until it is, what the task says of it would be lost.
    pub fn is_awaited(&self, id: TaskId) -> bool {
        let batch = self.batches.get(&id.batch);
        let task = batch.and_then(|batch| batch.tasks.get(id.index));
        task.is_some_and(|task| self.awaits(task))
    }

    fn awaits(&self, task: &Task) -> bool {
        let is_awaited = |child| self.children.contains_key(child);
        task.children.iter().any(is_awaited)
    }

    /// Number of tasks of a batch.
    pub fn tasks_of(&self, batch: u64) -> usize {
        self.batches
            .get(&batch)
            .map_or(0, |batch| batch.tasks.len())
    }

    /// Slurm's number of a batch's job.
    pub fn job_of(&self, batch: u64) -> Option<&str> {
        self.batches.get(&batch)?.job.as_deref()
    }

    /// Tasks that wait or run, and those that have begun.
    pub fn tasks(&self) -> (usize, usize) {
        let live = || {
            let tasks = self.batches.values().flat_map(|batch| &batch.tasks);
            tasks.filter(|task| !task.is_over)
        };
        (live().count(), live().filter(|task| task.has_begun).count())
    }

    fn task(&mut self, id: TaskId) -> Option<&mut Task> {
        self.batches.get_mut(&id.batch)?.tasks.get_mut(id.index)
    }

    /// Whether a task that is not over has the child.
    fn has_live_task(&self, child: u64) -> bool {
        self.places.get(&child).is_some_and(|place| {
            let batch = self.batches.get(&place.batch);
            batch.is_some_and(|batch| !batch.tasks[place.index].is_over)
        })
    }

    fn report(&mut self, report: Report) {
        self.actions.push(Action::Report(Box::new(report)));
    }

    fn log(&mut self, level: Level, message: String) {
        self.report(Report::Log { level, message });
    }
}

#[cfg(test)]
mod tests;
