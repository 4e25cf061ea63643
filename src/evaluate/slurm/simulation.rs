//! The real scheduler, driven by a clock and a cluster that are simulated: a thousand tasks at a time,
//! nodes that die, daemons that die while their tasks go on, answers that are lost.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::attempts::{ARRIVALS_PER_PASS, BETWEEN_PASSES, FILES_PER_PASS, Turns};
use super::scheduler::{
    Action, Answer, Listed, Rules, Scheduler, Sign, Source, Submission, TaskId,
};
use crate::evaluate::Report;
use crate::reward::Outcome;

/// Numbers that look random and are the same in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.roll() % most
    }

    /// True in this many of a thousand cases.
    fn per_mille(&mut self, chance: u64) -> bool {
        self.below(1_000) < chance
    }
}

/// What goes wrong, in cases per thousand.
#[derive(Clone, Copy)]
struct Faults {
    /// A running task's node dies, per minute.
    node: u64,
    /// Its daemon dies: Slurm starts the task again while the old one goes on, per minute.
    daemon: u64,
    /// A lost task is not started again by Slurm.
    forgotten: u64,
    /// `squeue` does not answer.
    silence: u64,
    /// `sbatch` does not answer, although Slurm may have taken the job.
    doubt: u64,
}

const NONE: Faults = Faults {
    node: 0,
    daemon: 0,
    forgotten: 0,
    silence: 0,
    doubt: 0,
};

/// A process on a node.
#[derive(Clone)]
struct Process {
    attempt: String,
    node: String,
    /// Children that it still trains, and when the first of them is done.
    left: VecDeque<u64>,
    until: u64,
    unread: Vec<Sign>,
    /// Whether Slurm still counts it.
    is_known: bool,
}

struct FakeCluster {
    dice: Dice,
    faults: Faults,
    /// Waiting tasks of each batch, and how many of it may run.
    waiting: BTreeMap<u64, (VecDeque<usize>, usize)>,
    state: BTreeMap<TaskId, &'static str>,
    children: BTreeMap<TaskId, Vec<u64>>,
    running: BTreeMap<TaskId, Vec<Process>>,
    capacity: usize,
    attempts: u64,
    hellos: Vec<(TaskId, String)>,
    results: Vec<u64>,
    training: (u64, u64),
}

impl FakeCluster {
    fn new(faults: Faults, capacity: usize) -> FakeCluster {
        FakeCluster {
            dice: Dice(7),
            faults,
            waiting: BTreeMap::new(),
            state: BTreeMap::new(),
            children: BTreeMap::new(),
            running: BTreeMap::new(),
            capacity,
            attempts: 0,
            hellos: Vec::new(),
            results: Vec::new(),
            training: (300, 600),
        }
    }

    fn known(&self) -> usize {
        self.running
            .values()
            .flatten()
            .filter(|process| process.is_known)
            .count()
    }

    fn submit(&mut self, batch: u64, tasks: &[Vec<u64>], throttle: usize) -> Submission {
        let doubt = self.dice.per_mille(self.faults.doubt);
        if doubt && self.dice.per_mille(500) {
            return Submission::Unknown("no answer".to_owned());
        }
        for (index, children) in tasks.iter().enumerate() {
            let id = TaskId { batch, index };
            self.state.insert(id, "PENDING");
            self.children.insert(id, children.clone());
        }
        self.waiting
            .insert(batch, ((0..tasks.len()).collect(), throttle));
        match doubt {
            true => Submission::Unknown("no answer".to_owned()),
            false => Submission::Accepted(batch.to_string()),
        }
    }

    fn cancel(&mut self, id: TaskId) {
        self.state.remove(&id);
        self.running.remove(&id);
        if let Some((waiting, _)) = self.waiting.get_mut(&id.batch) {
            waiting.retain(|index| *index != id.index);
        }
    }

    /// Start what may start, at most 40 tasks a second.
    fn start(&mut self, now: u64) {
        let mut free = self.capacity.saturating_sub(self.known()).min(40);
        let mut running: BTreeMap<u64, usize> = BTreeMap::new();
        for (id, of) in &self.running {
            *running.entry(id.batch).or_default() +=
                of.iter().filter(|process| process.is_known).count();
        }
        let mut begun = Vec::new();
        for (batch, (waiting, throttle)) in &mut self.waiting {
            let used = running.get(batch).copied().unwrap_or(0);
            for _ in 0..throttle.saturating_sub(used).min(free) {
                let Some(index) = waiting.pop_front() else {
                    break;
                };
                free -= 1;
                begun.push(TaskId {
                    batch: *batch,
                    index,
                });
            }
        }
        for id in begun {
            self.attempts += 1;
            let attempt = format!("a{}", self.attempts);
            self.state.insert(id, "RUNNING");
            self.hellos.push((id, attempt.clone()));
            let left: VecDeque<u64> = self.children[&id].iter().copied().collect();
            let unread = vec![
                Sign::Alive,
                Sign::Started {
                    child: left[0],
                    device: "cuda:0".to_owned(),
                },
            ];
            let until = now + self.training.0 + self.dice.below(self.training.1);
            let node = format!("n{}", self.dice.below(1_000));
            let process = Process {
                attempt,
                node,
                left,
                until,
                unread,
                is_known: true,
            };
            self.running.entry(id).or_default().push(process);
        }
    }

    fn second(&mut self, now: u64) {
        self.start(now);
        let (mut ended, mut lost) = (Vec::new(), Vec::new());
        for (id, processes) in &mut self.running {
            for process in processes.iter_mut() {
                if now % 15 == id.index as u64 % 15 {
                    process.unread.push(Sign::Alive);
                }
                if process.is_known
                    && self.dice.below(60_000) < self.faults.node + self.faults.daemon
                {
                    process.is_known = false;
                    let goes_on =
                        self.dice.below(self.faults.node + self.faults.daemon) >= self.faults.node;
                    if !goes_on {
                        process.left.clear();
                    }
                    lost.push(*id);
                }
                if now >= process.until && !process.left.is_empty() {
                    self.results.extend(process.left.pop_front());
                    process.until = now + self.training.0 + self.dice.below(self.training.1);
                    let next = process.left.front();
                    process.unread.extend(next.map(|child| Sign::Started {
                        child: *child,
                        device: "cuda:0".to_owned(),
                    }));
                }
                if process.left.is_empty() && process.is_known {
                    ended.push(*id);
                }
            }
            processes.retain(|process| !process.left.is_empty());
        }
        self.running.retain(|_, processes| !processes.is_empty());
        for id in ended {
            self.state.insert(id, "COMPLETED");
        }
        for id in lost {
            if self.dice.per_mille(self.faults.forgotten) {
                self.state.insert(id, "NODE_FAIL");
            } else if let Some((waiting, _)) = self.waiting.get_mut(&id.batch) {
                waiting.push_back(id.index);
                self.state.insert(id, "PENDING");
            }
        }
    }

    fn answer(&mut self) -> Answer {
        if self.dice.per_mille(self.faults.silence) || self.state.is_empty() {
            return Answer::Unknown;
        }
        let listed = |(id, state): (&TaskId, &&str)| {
            let listed = Listed {
                job: id.batch.to_string(),
                state: (*state).to_owned(),
                reason: String::new(),
            };
            (*id, listed)
        };
        Answer::Tasks(self.state.iter().map(listed).collect())
    }
}

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
            scheduler: Scheduler::new(rules, 1),
            turns: Turns::new(),
            count: Count::default(),
            owed: Vec::new(),
        }
    }

    /// Train `children`, at most `at_a_time` under way, with the engine killed and resumed at `kill`.
    fn run(mut self, children: u64, at_a_time: usize) -> Count {
        let mut next = 1;
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
            self.scheduler.tick(Duration::from_secs(now));
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
    let count = Simulation::new(NONE, 1_000, 1).run(4_000, 1_000);
    check(&count, 4_000, 1_000);
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
    let count = Simulation::new(faults, 1_000, 1).run(4_000, 1_000);
    check(&count, 4_000, 1_000);
    assert!(count.retried > 100, "{count:?}");
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
