//! The processes of a run according to its events: the search and its workers, or the training.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::pairs;
use crate::event::process::{ProcessRole, Watched};
use crate::event::{Event, Record};

/// The processes of the run's latest session; empty for a finished run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Processes {
    main: Option<Main>,
    /// By worker: pid, and when the run reported it.
    #[serde(with = "pairs")]
    workers: BTreeMap<usize, (u32, Timestamp)>,
}

/// The process that writes the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Main {
    role: ProcessRole,
    host: String,
    pid: u32,
    seen: Timestamp,
}

impl Processes {
    /// Process the next record of the run.
    pub fn apply(&mut self, record: &Record) {
        match &record.event {
            Event::RunStarted(run) => {
                self.begin(ProcessRole::Search, &run.host, run.pid, record.time)
            }
            Event::TrainingStarted(run) => {
                self.begin(ProcessRole::Training, &run.host, run.pid, record.time)
            }
            Event::RunResumed {
                host, pid, epoch, ..
            } => {
                let role = if epoch.is_some() {
                    ProcessRole::Training
                } else {
                    ProcessRole::Search
                };
                self.begin(role, host, *pid, record.time);
            }
            // A pid is meaningless on another machine.
            Event::WorkerStarted {
                worker,
                pid: Some(pid),
                host: None,
                ..
            } => {
                self.workers.insert(*worker, (*pid, record.time));
            }
            Event::WorkerDied { worker, .. } => {
                self.workers.remove(worker);
            }
            Event::RunFinished { .. } => *self = Processes::default(),
            _ => {}
        }
    }

    fn begin(&mut self, role: ProcessRole, host: &str, pid: u32, seen: Timestamp) {
        *self = Processes {
            main: Some(Main {
                role,
                host: host.to_owned(),
                pid,
                seen,
            }),
            workers: BTreeMap::new(),
        };
    }

    /// The processes on the machine with this name, because a pid is meaningless on another.
    pub fn on(&self, machine: &str) -> Vec<Watched> {
        let Some(main) = self.main.as_ref().filter(|main| main.host == machine) else {
            return Vec::new();
        };
        let mut watched = vec![Watched {
            pid: main.pid,
            role: main.role,
            seen: main.seen,
        }];
        let workers = self.workers.iter();
        watched.extend(workers.map(|(worker, (pid, seen))| Watched {
            pid: *pid,
            role: ProcessRole::Worker(*worker),
            seen: *seen,
        }));
        watched
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::FinishReason;

    fn processes(events: Vec<Event>) -> Processes {
        let mut processes = Processes::default();
        for event in events {
            processes.apply(&Record {
                v: 1,
                seq: None,
                time: Timestamp::UNIX_EPOCH,
                event,
            });
        }
        processes
    }

    fn resumed(pid: u32) -> Event {
        Event::RunResumed {
            host: "here".into(),
            pid,
            version: "0".into(),
            next_child: Some(1),
            epoch: None,
            micro_batch: None,
        }
    }

    fn worker(worker: usize, pid: u32) -> Event {
        Event::WorkerStarted {
            worker,
            pid: Some(pid),
            device: "cpu".into(),
            host: None,
        }
    }

    fn roles(processes: &Processes, machine: &str) -> Vec<(u32, ProcessRole)> {
        processes
            .on(machine)
            .into_iter()
            .map(|watched| (watched.pid, watched.role))
            .collect()
    }

    #[test]
    fn a_session_begins_without_the_workers_of_the_previous_one() {
        let processes = processes(vec![resumed(1), worker(0, 2), resumed(3), worker(1, 4)]);
        assert_eq!(
            roles(&processes, "here"),
            [(3, ProcessRole::Search), (4, ProcessRole::Worker(1))]
        );
    }

    #[test]
    fn a_worker_that_died_no_longer_belongs_to_the_run_and_its_successor_does() {
        let died = Event::WorkerDied {
            worker: 0,
            reason: "killed".into(),
        };
        let processes = processes(vec![resumed(1), worker(0, 2), died, worker(0, 5)]);
        assert_eq!(
            roles(&processes, "here"),
            [(1, ProcessRole::Search), (5, ProcessRole::Worker(0))]
        );
    }

    #[test]
    fn the_process_of_a_training_is_called_one() {
        let resumed = Event::RunResumed {
            host: "here".into(),
            pid: 7,
            version: "0".into(),
            next_child: None,
            epoch: Some(3),
            micro_batch: None,
        };
        assert_eq!(
            roles(&processes(vec![resumed]), "here"),
            [(7, ProcessRole::Training)]
        );
    }

    #[test]
    fn pids_of_another_machine_or_of_a_finished_run_are_ignored() {
        let going = processes(vec![resumed(1), worker(0, 2)]);
        assert_eq!(roles(&going, "elsewhere"), []);
        let finished = Event::RunFinished {
            reason: FinishReason::Completed,
            children: 1,
            epochs: None,
            wall_seconds: 1.0,
        };
        assert_eq!(
            roles(&processes(vec![resumed(1), worker(0, 2), finished]), "here"),
            []
        );
    }
}
