//! The real scheduler with the default settings, driven by a clock and a cluster that are simulated: a
//! thousand tasks at a time, nodes that die or are bad, daemons that die while their tasks go on, limits,
//! pauses, answers and orders that are lost.

mod fake_cluster;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use self::fake_cluster::{Done, FakeCluster, Faults, NONE};
use super::attempts::{ARRIVALS_PER_PASS, BETWEEN_PASSES, FILES_PER_PASS, Turns};
use super::scheduler::{Action, Answer, Rules, Scheduler, Source, Submission, TaskId};
use crate::evaluate::Report;
use crate::reward::Outcome;

/// Seconds that `squeue` takes to answer.
const ANSWERING: u64 = 3;

/// What was counted.
#[derive(Debug, Default)]
struct Count {
    ends: BTreeMap<u64, u32>,
    excluded: usize,
    retried: usize,
    /// Tasks that were put back in a pause.
    held: usize,
    asked: u64,
    submissions: u64,
    files: u64,
    most_files_a_minute: u64,
    most_running: usize,
    /// Most tasks that waited and ran at a time.
    most_tasks: usize,
    seconds: u64,
}

struct Simulation {
    cluster: FakeCluster,
    scheduler: Scheduler,
    turns: Turns<(TaskId, String)>,
    count: Count,
    owed: Vec<(u64, Submission)>,
    /// What `squeue` will have answered: when, and when it was asked.
    answering: Option<(u64, u64, Answer)>,
    rules: Rules,
    /// Batches that are written down and not closed: their tasks, and Slurm's numbers if recorded.
    written: BTreeMap<u64, (Vec<Vec<u64>>, Option<String>)>,
    /// Seconds between two times that the engine is killed; 0: it is not.
    kill_every: u64,
    /// When users pause and resume the search.
    pause: Option<(u64, u64)>,
}

impl Simulation {
    fn new(faults: Faults, count: usize, children_per_task: usize) -> Simulation {
        let rules = Rules {
            count,
            children_per_task,
            grace: Duration::from_secs(60),
            attempts: 3,
            most_in_array: 1_001,
            most_tasks: 5_000,
        };
        Simulation {
            // It has room for more than may run.
            cluster: FakeCluster::new(faults, count + count / 4),
            scheduler: Scheduler::new(rules.clone(), 1),
            turns: Turns::new(),
            count: Count::default(),
            owed: Vec::new(),
            answering: None,
            rules,
            written: BTreeMap::new(),
            kill_every: 0,
            pause: None,
        }
    }

    /// The engine is killed, before it knows what `sbatch` answered, and a new one takes over at
    /// once: it reads the attempts' files again, of each task the last one from its beginning. Its clock
    /// begins anew.
    fn kill(&mut self, submitted: u64) {
        self.owed.clear();
        self.answering = None;
        let last = self.written.keys().last().copied().unwrap_or(0);
        self.scheduler = Scheduler::new(self.rules.clone(), last + 1);
        for (batch, (tasks, job)) in &self.written {
            self.scheduler.adopt(*batch, tasks.clone(), job.clone());
        }
        let unfinished = (1..=submitted).filter(|child| !self.count.ends.contains_key(child));
        unfinished.for_each(|child| self.scheduler.submit(child));
        self.turns = Turns::new();
        let mut last: BTreeMap<TaskId, u64> = BTreeMap::new();
        for file in self.cluster.files.values() {
            let number = last.entry(file.task).or_default();
            *number = file.number.max(*number);
        }
        for (attempt, file) in &mut self.cluster.files {
            if self.written.contains_key(&file.task.batch) {
                file.past = file.lines.len();
                let is_last = last.get(&file.task) == Some(&file.number);
                file.read = if is_last { 0 } else { file.past };
                self.turns.add((file.task, attempt.clone()));
            }
        }
    }

    /// Train `children`, at most `at_a_time` under way.
    fn run(mut self, children: u64, at_a_time: usize) -> Count {
        let (mut next, mut began) = (1, 0);
        let (mut minute, mut before) = (0, 0);
        while self.count.ends.len() < children as usize {
            let now = self.count.seconds;
            assert!(
                now < 200_000,
                "it does not end: {} of {children}",
                self.count.ends.len()
            );
            let under_way = |next: u64, count: &Count| (next - 1) as usize - count.ends.len();
            while next <= children && under_way(next, &self.count) < at_a_time {
                self.scheduler.submit(next);
                next += 1;
            }
            self.cluster.second(now);
            if self.kill_every > 0 && now % self.kill_every == self.kill_every - 1 {
                began = now;
                self.kill(next - 1);
            }
            match self.pause {
                Some((from, _)) if from == now => self.scheduler.pause(1),
                Some((_, until)) if until == now => self.scheduler.resume(),
                _ => {}
            }
            self.scheduler.tick(Duration::from_secs(now - began));
            if now.is_multiple_of(BETWEEN_PASSES.as_secs()) {
                self.read_files();
            }
            if now.is_multiple_of(15) {
                self.count.asked += 1;
                self.answering = Some((now + ANSWERING, now - began, self.cluster.answer()));
            }
            if let Some((_, asked, answer)) = self.answering.take_if(|(due, _, _)| *due == now) {
                self.scheduler.answer(&answer, Duration::from_secs(asked));
            }
            self.act();
            self.count.most_running = self.count.most_running.max(self.cluster.known());
            self.count.most_tasks = self.count.most_tasks.max(self.cluster.tasks());
            if now / 60 > minute {
                self.count.most_files_a_minute = self
                    .count
                    .most_files_a_minute
                    .max(self.count.files - before);
                (minute, before) = (now / 60, self.count.files);
            }
            self.count.seconds += 1;
        }
        self.count
    }

    fn read_files(&mut self) {
        self.count.files += 1;
        let mut fresh = BTreeSet::new();
        let hellos = self.cluster.hellos.len().min(ARRIVALS_PER_PASS);
        for hello in self.cluster.hellos.drain(..hellos) {
            self.count.files += 1;
            self.turns.add(hello.clone());
            fresh.insert(hello);
        }
        let scheduler = &self.scheduler;
        fresh.extend(
            self.turns
                .take(FILES_PER_PASS, |(task, _)| scheduler.is_live(*task)),
        );
        for (_, attempt) in fresh {
            self.count.files += 1;
            self.read_attempt(&attempt);
        }
        let results = self.cluster.results.len().min(ARRIVALS_PER_PASS - hellos);
        let results: Vec<Done> = self.cluster.results.drain(..results).collect();
        for Done {
            child,
            attempt,
            node,
        } in results
        {
            self.count.files += 3;
            self.read_attempt(&attempt);
            if self.scheduler.finished(child, &attempt, &node) {
                *self.count.ends.entry(child).or_default() += 1;
            }
        }
    }

    fn read_attempt(&mut self, attempt: &str) {
        let Some(file) = self.cluster.files.get_mut(attempt) else {
            return;
        };
        for (place, sign) in file.lines.iter().enumerate().skip(file.read) {
            let from = Source {
                task: file.task,
                attempt,
                node: &file.node,
                is_past: place < file.past,
            };
            self.scheduler.sign(from, sign.clone());
        }
        file.read = file.lines.len();
    }

    fn act(&mut self) {
        for (batch, answer) in std::mem::take(&mut self.owed) {
            if let (Submission::Accepted(job), Some((_, known))) =
                (&answer, self.written.get_mut(&batch))
            {
                *known = Some(job.clone());
            }
            self.scheduler.submitted(batch, answer);
        }
        for action in self.scheduler.take_actions() {
            match action {
                Action::Submit {
                    batch,
                    tasks,
                    throttle,
                    avoid,
                } => {
                    self.count.submissions += 1;
                    assert!(tasks.len() <= 1_001, "MaxArraySize");
                    self.written.insert(batch, (tasks.clone(), None));
                    let answer = self.cluster.submit(batch, &tasks, throttle, avoid);
                    self.owed.push((batch, answer));
                }
                Action::Control { pause, .. } => self.cluster.pause = pause,
                Action::Close(batch) => {
                    self.written.remove(&batch);
                    self.cluster.waiting.remove(&batch);
                    self.cluster
                        .state
                        .retain(|id, state| id.batch != batch || *state == "RUNNING");
                }
                Action::Report(report) => self.hear(*report),
                _ if self.cluster.dice.per_mille(self.cluster.faults.unheard) => {
                    self.scheduler.repeat_throttles();
                }
                order => self.obey(order),
            }
        }
    }

    /// Slurm hears an order.
    fn obey(&mut self, order: Action) {
        match order {
            Action::Cancel(tasks) => tasks.into_iter().for_each(|id| self.cluster.cancel(id)),
            Action::Throttle { batch, most } => {
                if let Some((_, throttle)) = self.cluster.waiting.get_mut(&batch) {
                    *throttle = most;
                }
            }
            Action::Avoid { batch, nodes } => drop(self.cluster.avoided.insert(batch, nodes)),
            Action::Hold(batch) => self.cluster.hold(batch),
            Action::Release(batch) => self.cluster.release(batch),
            Action::RequeueHold(tasks) => {
                self.count.held += tasks.len();
                tasks
                    .into_iter()
                    .for_each(|id| self.cluster.requeue_hold(id));
            }
            other => panic!("{other:?} is no order"),
        }
    }

    fn hear(&mut self, report: Report) {
        match report {
            Report::Finished {
                child,
                outcome: Outcome::Excluded { .. },
                ..
            } => {
                self.count.excluded += 1;
                *self.count.ends.entry(child).or_default() += 1;
            }
            Report::Retried { .. } => self.count.retried += 1,
            Report::Fatal { message } => panic!("{message}"),
            _ => {}
        }
    }
}

fn check(count: &Count, children: u64, workers: usize) {
    assert_eq!(count.ends.len() as u64, children, "nothing is lost");
    assert!(
        count.ends.values().all(|ends| *ends == 1),
        "nothing is counted twice"
    );
    let minutes = count.seconds as f64 / 60.0;
    let (asked, submitted) = (
        count.asked as f64 / minutes,
        count.submissions as f64 / minutes,
    );
    assert!(asked <= 4.2, "{asked} questions to squeue a minute");
    assert!(submitted <= 12.5, "{submitted} submissions a minute");
    let bound = 30 * (1 + FILES_PER_PASS + 3 * ARRIVALS_PER_PASS) as u64;
    assert!(
        count.most_files_a_minute <= bound,
        "{} files a minute",
        count.most_files_a_minute
    );
    // What is told anew after a resume can be too much for a moment.
    assert!(
        count.most_running <= workers + workers / 50,
        "{} tasks at a time",
        count.most_running
    );
    eprintln!(
        "{children} children, {workers} tasks: {minutes:.0} min; {asked:.1} squeue, {submitted:.1} sbatch and {:.0} files a minute (at \
         most {}); {} retried, {} excluded, {} at a time",
        count.files as f64 / minutes,
        count.most_files_a_minute,
        count.retried,
        count.excluded,
        count.most_running
    );
    assert!(count.excluded <= 3, "{} excluded", count.excluded);
}

mod tests;
