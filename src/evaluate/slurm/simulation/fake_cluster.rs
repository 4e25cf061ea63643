//! A cluster that is simulated: it starts tasks, loses them, forgets them, holds them, refuses them, has bad
//! nodes, and does not always answer or hear.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

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
    pub(super) fn per_mille(&mut self, chance: u64) -> bool {
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
    /// `scancel` or `scontrol` is not heard.
    pub(super) unheard: u64,
}

pub(super) const NONE: Faults = Faults {
    node: 0,
    daemon: 0,
    forgotten: 0,
    silence: 0,
    doubt: 0,
    unheard: 0,
};

/// A process on a node.
#[derive(Clone)]
struct Process {
    attempt: String,
    node: String,
    /// Children that it still trains, and when the first of them is done.
    left: VecDeque<u64>,
    until: u64,
    paused: Option<u64>,
    /// Whether Slurm still counts it.
    is_known: bool,
}

/// The file of an attempt.
pub(super) struct File {
    pub(super) task: TaskId,
    /// The attempts of all tasks in the order in which they began.
    pub(super) number: u64,
    pub(super) node: String,
    pub(super) lines: Vec<Sign>,
    /// Lines that this session has read, and those that were there before it.
    pub(super) read: usize,
    pub(super) past: usize,
}

/// A result in the inbox.
pub(super) struct Done {
    pub(super) child: u64,
    pub(super) attempt: String,
    pub(super) node: String,
}

pub(super) struct FakeCluster {
    pub(super) dice: Dice,
    pub(super) faults: Faults,
    /// Waiting tasks of each batch, and how many of it may run.
    pub(super) waiting: BTreeMap<u64, (VecDeque<usize>, usize)>,
    held: BTreeSet<TaskId>,
    pub(super) avoided: BTreeMap<u64, Vec<String>>,
    pub(super) state: BTreeMap<TaskId, &'static str>,
    nodes: BTreeMap<TaskId, String>,
    children: BTreeMap<TaskId, Vec<u64>>,
    running: BTreeMap<TaskId, Vec<Process>>,
    capacity: usize,
    attempts: u64,
    pub(super) hellos: Vec<(TaskId, String)>,
    pub(super) files: BTreeMap<String, File>,
    pub(super) results: Vec<Done>,
    pub(super) training: (u64, u64),
    /// Most tasks that the user may have.
    pub(super) limit: usize,
    /// Nodes on which no task can train. On every second one the program does not even begin.
    pub(super) bad: Vec<String>,
    /// What tasks are asked.
    pub(super) pause: Option<u64>,
}

impl FakeCluster {
    pub(super) fn new(faults: Faults, capacity: usize) -> FakeCluster {
        FakeCluster {
            dice: Dice(7),
            faults,
            waiting: BTreeMap::new(),
            held: BTreeSet::new(),
            avoided: BTreeMap::new(),
            state: BTreeMap::new(),
            nodes: BTreeMap::new(),
            children: BTreeMap::new(),
            running: BTreeMap::new(),
            capacity,
            attempts: 0,
            hellos: Vec::new(),
            files: BTreeMap::new(),
            results: Vec::new(),
            training: (300, 600),
            limit: usize::MAX,
            bad: Vec::new(),
            pause: None,
        }
    }

    pub(super) fn known(&self) -> usize {
        self.running
            .values()
            .flatten()
            .filter(|process| process.is_known)
            .count()
    }

    /// Tasks that wait and run.
    pub(super) fn tasks(&self) -> usize {
        let waiting = self.waiting.values().map(|(waiting, _)| waiting.len());
        waiting.sum::<usize>() + self.known()
    }

    pub(super) fn submit(
        &mut self,
        batch: u64,
        tasks: &[Vec<u64>],
        throttle: usize,
        avoid: Vec<String>,
    ) -> Submission {
        if self.tasks() + tasks.len() > self.limit {
            return Submission::Refused("Job violates accounting/QOS policy".to_owned());
        }
        let doubt = self.dice.per_mille(self.faults.doubt);
        if doubt && self.dice.per_mille(500) {
            return Submission::Unknown("no answer".to_owned());
        }
        for (index, children) in tasks.iter().enumerate() {
            let id = TaskId { batch, index };
            self.state.insert(id, "PENDING");
            self.children.insert(id, children.clone());
        }
        self.avoided.insert(batch, avoid);
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

    /// Keep the waiting tasks of a batch from starting.
    pub(super) fn hold(&mut self, batch: u64) {
        if let Some((waiting, _)) = self.waiting.get(&batch) {
            let ids = waiting.iter().map(|index| TaskId {
                batch,
                index: *index,
            });
            self.held.extend(ids);
        }
    }

    /// Let them start.
    pub(super) fn release(&mut self, batch: u64) {
        self.held.retain(|id| id.batch != batch);
    }

    /// Put a running task back into the queue, held.
    pub(super) fn requeue_hold(&mut self, id: TaskId) {
        let known = self.running.remove(&id).into_iter().flatten();
        if known.filter(|process| process.is_known).count() > 0 {
            self.held.insert(id);
            self.put_back(id);
        }
    }

    fn put_back(&mut self, id: TaskId) {
        if let Some((waiting, _)) = self.waiting.get_mut(&id.batch) {
            waiting.push_back(id.index);
            self.state.insert(id, "PENDING");
            self.nodes.remove(&id);
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
        for (number, (waiting, throttle)) in &mut self.waiting {
            let used = running.get(number).copied().unwrap_or(0);
            let room = throttle.saturating_sub(used).min(free);
            let before = begun.len();
            waiting.retain(|index| {
                let id = TaskId {
                    batch: *number,
                    index: *index,
                };
                let starts = begun.len() < before + room && !self.held.contains(&id);
                begun.extend(starts.then_some(id));
                !starts
            });
            free -= begun.len() - before;
        }
        // A bad node is free again at once, and takes the next task.
        let mut bad: VecDeque<String> = self.bad.iter().cloned().collect();
        for id in begun {
            let avoided = self.avoided.get(&id.batch);
            let is_avoided = |node: &String| avoided.is_some_and(|nodes| nodes.contains(node));
            match bad.pop_front().filter(|node| !is_avoided(node)) {
                Some(node) => self.fail(id, node),
                None => self.begin(id, now),
            }
        }
    }

    fn fail(&mut self, id: TaskId, node: String) {
        self.state.insert(id, "FAILED");
        self.nodes.insert(id, node.clone());
        let says_so = self.bad.iter().position(|bad| *bad == node);
        if says_so.is_some_and(|place| place.is_multiple_of(2)) {
            let reason = "no GPU".to_owned();
            self.write(id, node, vec![Sign::Alive, Sign::Unusable { reason }]);
        }
    }

    fn begin(&mut self, id: TaskId, now: u64) {
        let node = format!("n{}", self.dice.below(1_000));
        self.state.insert(id, "RUNNING");
        self.nodes.insert(id, node.clone());
        let left: VecDeque<u64> = self.children[&id].iter().copied().collect();
        let attempt = self.write(id, node.clone(), vec![Sign::Alive, started(left[0])]);
        let process = Process {
            attempt,
            node,
            left,
            until: now + self.training.0 + self.dice.below(self.training.1),
            paused: None,
            is_known: true,
        };
        self.running.entry(id).or_default().push(process);
    }

    /// A new attempt; returns its name.
    fn write(&mut self, task: TaskId, node: String, lines: Vec<Sign>) -> String {
        self.attempts += 1;
        let attempt = format!("a{}", self.attempts);
        let file = File {
            task,
            number: self.attempts,
            node,
            lines,
            read: 0,
            past: 0,
        };
        self.files.insert(attempt.clone(), file);
        self.hellos.push((task, attempt.clone()));
        attempt
    }

    pub(super) fn second(&mut self, now: u64) {
        self.start(now);
        let (mut ended, mut lost) = (Vec::new(), Vec::new());
        for (id, processes) in &mut self.running {
            for process in processes.iter_mut() {
                let mut said = Vec::new();
                if now % 15 == id.index as u64 % 15 {
                    said.push(Sign::Alive);
                }
                if let Some(number) = self.pause {
                    process.until += 1;
                    let is_new = process.paused.replace(number) != Some(number);
                    said.extend(is_new.then_some(Sign::Paused { number }));
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
                    self.results
                        .extend(process.left.pop_front().map(|child| Done {
                            child,
                            attempt: process.attempt.clone(),
                            node: process.node.clone(),
                        }));
                    process.until = now + self.training.0 + self.dice.below(self.training.1);
                    said.extend(process.left.front().map(|child| started(*child)));
                }
                if let Some(file) = self.files.get_mut(&process.attempt) {
                    file.lines.extend(said);
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
            } else {
                self.put_back(id);
            }
        }
    }

    pub(super) fn answer(&mut self) -> Answer {
        if self.dice.per_mille(self.faults.silence) {
            return Answer::Unknown;
        }
        let listed = |(id, state): (&TaskId, &&str)| {
            let is_held = *state == "PENDING" && self.held.contains(id);
            let listed = Listed {
                job: id.batch.to_string(),
                state: (*state).to_owned(),
                reason: if is_held { "JobHeldUser" } else { "None" }.to_owned(),
                node: self.nodes.get(id).cloned().unwrap_or_default(),
            };
            (*id, listed)
        };
        Answer::Tasks(self.state.iter().map(listed).collect())
    }
}

fn started(child: u64) -> Sign {
    Sign::Started {
        child,
        device: "cuda:0".to_owned(),
    }
}
