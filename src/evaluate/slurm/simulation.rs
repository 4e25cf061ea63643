//! The real scheduler, driven by a clock and a cluster that are simulated: a thousand tasks at a time,
//! nodes that die, daemons that die while their tasks go on, answers that are lost.

mod fake_cluster;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use self::fake_cluster::{FakeCluster, Faults, NONE};
use super::attempts::{ARRIVALS_PER_PASS, BETWEEN_PASSES, FILES_PER_PASS, Turns};
use super::scheduler::{Action, Rules, Scheduler, Source, Submission, TaskId};
use crate::evaluate::Report;
use crate::reward::Outcome;

/// What was counted.
#[derive(Debug, Default)]
struct Count {
    ends: BTreeMap<u64, u32>,
    excluded: usize,
    retried: usize,
    asked: u64,
    submissions: u64,
    files: u64,
    most_files_a_minute: u64,
    most_running: usize,
    seconds: u64,
}

struct Simulation {
    cluster: FakeCluster,
    scheduler: Scheduler,
    turns: Turns<(TaskId, String)>,
    count: Count,
    owed: Vec<(u64, Submission)>,
    rules: Rules,
    /// Batches that are written down and not closed: their tasks, and Slurm's numbers if recorded.
    written: BTreeMap<u64, (Vec<Vec<u64>>, Option<String>)>,
    /// Seconds between two times that the engine is killed; 0: it is not.
    kill_every: u64,
}

impl Simulation {
    fn new(faults: Faults, count: usize, children_per_task: usize) -> Simulation {
        let rules = Rules {
            count,
            children_per_task,
            grace: Duration::from_secs(60),
            attempts: 10,
            most_in_array: 1_001,
            most_tasks: 5_000,
        };
        Simulation {
            cluster: FakeCluster::new(faults, count),
            scheduler: Scheduler::new(rules.clone(), 1),
            turns: Turns::new(),
            count: Count::default(),
            owed: Vec::new(),
            rules,
            written: BTreeMap::new(),
            kill_every: 0,
        }
    }

    /// The engine is killed, before it knows what `sbatch` answered, and a new one takes over at
    /// once. Its clock begins anew.
    fn kill(&mut self, submitted: u64) {
        self.owed.clear();
        let last = self.written.keys().last().copied().unwrap_or(0);
        self.scheduler = Scheduler::new(self.rules.clone(), last + 1);
        for (batch, (tasks, job)) in &self.written {
            self.scheduler.adopt(*batch, tasks.clone(), job.clone());
        }
        let unfinished = (1..=submitted).filter(|child| !self.count.ends.contains_key(child));
        unfinished.for_each(|child| self.scheduler.submit(child));
        self.turns = Turns::new();
        let attempts = self.cluster.running.iter().flat_map(|(task, processes)| {
            processes
                .iter()
                .map(|process| (*task, process.attempt.clone()))
        });
        attempts.for_each(|attempt| self.turns.add(attempt));
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
            self.scheduler.tick(Duration::from_secs(now - began));
            if now.is_multiple_of(BETWEEN_PASSES.as_secs()) {
                self.read_files();
            }
            if now.is_multiple_of(15) {
                self.count.asked += 1;
                let answer = self.cluster.answer();
                self.scheduler.answer(&answer);
            }
            self.act();
            self.count.most_running = self.count.most_running.max(self.cluster.known());
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
        for (task, attempt) in fresh {
            self.count.files += 1;
            let processes = self.cluster.running.get_mut(&task).into_iter().flatten();
            for process in processes.filter(|process| process.attempt == attempt) {
                let from = Source {
                    task,
                    attempt: &attempt,
                    node: &process.node,
                };
                for sign in process.unread.drain(..) {
                    self.scheduler.sign(from, sign);
                }
            }
        }
        let results = self.cluster.results.len().min(ARRIVALS_PER_PASS - hellos);
        for child in self.cluster.results.drain(..results) {
            self.count.files += 3;
            if self.scheduler.finished(child) {
                *self.count.ends.entry(child).or_default() += 1;
            }
        }
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
                    ..
                } => {
                    self.count.submissions += 1;
                    assert!(tasks.len() <= 1_001, "MaxArraySize");
                    self.written.insert(batch, (tasks.clone(), None));
                    let answer = self.cluster.submit(batch, &tasks, throttle);
                    self.owed.push((batch, answer));
                }
                Action::Cancel(tasks) => tasks.into_iter().for_each(|id| self.cluster.cancel(id)),
                Action::Throttle { batch, most } => {
                    if let Some((_, throttle)) = self.cluster.waiting.get_mut(&batch) {
                        *throttle = most;
                    }
                }
                Action::Close(batch) => {
                    self.written.remove(&batch);
                    self.cluster.waiting.remove(&batch);
                    self.cluster
                        .state
                        .retain(|id, state| id.batch != batch || *state == "RUNNING");
                }
                Action::Report(report) => self.hear(*report),
                _ => {}
            }
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
    assert!(
        count.most_running <= workers,
        "{} tasks at a time",
        count.most_running
    );
    eprintln!(
        "{children} children, {workers} tasks: {minutes:.0} min; {asked:.1} squeue, {submitted:.1} sbatch and {:.0} files a minute (at \
         most {}); {} retried, {} excluded",
        count.files as f64 / minutes,
        count.most_files_a_minute,
        count.retried,
        count.excluded
    );
}

#[test]
fn a_thousand_tasks_train_every_child_once() {
    let count = Simulation::new(NONE, 1_000, 1).run(2_500, 1_000);
    check(&count, 2_500, 1_000);
    assert_eq!((count.retried, count.excluded), (0, 0));
}

#[test]
fn a_thousand_tasks_on_nodes_that_die_with_answers_that_are_lost_train_every_child_once() {
    let faults = Faults {
        node: 10,
        daemon: 10,
        forgotten: 300,
        silence: 300,
        doubt: 100,
    };
    let count = Simulation::new(faults, 1_000, 1).run(2_500, 1_000);
    check(&count, 2_500, 1_000);
    assert!(count.retried > 100, "{count:?}");
}

#[test]
fn an_engine_that_is_killed_every_few_minutes_takes_over_what_it_finds() {
    let faults = Faults {
        node: 5,
        daemon: 5,
        forgotten: 300,
        silence: 200,
        doubt: 100,
    };
    let mut simulation = Simulation::new(faults, 1_000, 1);
    simulation.kill_every = 203;
    let count = simulation.run(2_500, 1_000);
    check(&count, 2_500, 1_000);
}

#[test]
fn an_episode_of_many_short_children_goes_in_few_arrays() {
    let mut simulation = Simulation::new(NONE, 1_000, 4);
    simulation.cluster.training = (20, 40);
    let count = simulation.run(8_000, 8_000);
    check(&count, 8_000, 1_000);
    assert!(
        count.submissions <= 8,
        "{} arrays for 2,000 tasks",
        count.submissions
    );
}
