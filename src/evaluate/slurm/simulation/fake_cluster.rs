//! A cluster that is simulated: it starts tasks, loses them, forgets them, and does not always answer.

use std::collections::{BTreeMap, VecDeque};

use crate::evaluate::slurm::scheduler::{Answer, Listed, Sign, Submission, TaskId};

/// Numbers that look random and are the same in every run (SplitMix64).
pub(super) struct Dice(u64);

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
pub(super) struct Faults {
    /// A running task's node dies, per minute.
    pub(super) node: u64,
    /// Its daemon dies: Slurm starts the task again while the old one goes on, per minute.
    pub(super) daemon: u64,
    /// A lost task is not started again by Slurm.
    pub(super) forgotten: u64,
    /// `squeue` does not answer.
    pub(super) silence: u64,
    /// `sbatch` does not answer, although Slurm may have taken the job.
    pub(super) doubt: u64,
}

pub(super) const NONE: Faults = Faults {
    node: 0,
    daemon: 0,
    forgotten: 0,
    silence: 0,
    doubt: 0,
};

/// A process on a node.
#[derive(Clone)]
pub(super) struct Process {
    pub(super) attempt: String,
    pub(super) node: String,
    /// Children that it still trains, and when the first of them is done.
    left: VecDeque<u64>,
    until: u64,
    pub(super) unread: Vec<Sign>,
    /// Whether Slurm still counts it.
    is_known: bool,
}

pub(super) struct FakeCluster {
    pub(super) dice: Dice,
    pub(super) faults: Faults,
    /// Waiting tasks of each batch, and how many of it may run.
    pub(super) waiting: BTreeMap<u64, (VecDeque<usize>, usize)>,
    pub(super) state: BTreeMap<TaskId, &'static str>,
    children: BTreeMap<TaskId, Vec<u64>>,
    pub(super) running: BTreeMap<TaskId, Vec<Process>>,
    capacity: usize,
    attempts: u64,
    pub(super) hellos: Vec<(TaskId, String)>,
    pub(super) results: Vec<u64>,
    pub(super) training: (u64, u64),
}

impl FakeCluster {
    pub(super) fn new(faults: Faults, capacity: usize) -> FakeCluster {
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

    pub(super) fn known(&self) -> usize {
        self.running
            .values()
            .flatten()
            .filter(|process| process.is_known)
            .count()
    }

    pub(super) fn submit(&mut self, batch: u64, tasks: &[Vec<u64>], throttle: usize) -> Submission {
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

    pub(super) fn cancel(&mut self, id: TaskId) {
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

    pub(super) fn second(&mut self, now: u64) {
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

    pub(super) fn answer(&mut self) -> Answer {
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
