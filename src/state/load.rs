//! How busy the machine of a run has been, by the heartbeats of its sessions.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::pairs;
use crate::event::{Event, MachineLoad, Record};

/// Number of heartbeats kept, which come a minute apart: as much as a screen can show.
const KEPT: usize = 40;

/// The load of the machine that works on a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Name of the machine.
    host: String,
    /// The latest, oldest first, each with the time at which it ends.
    recent: VecDeque<(Timestamp, MachineLoad)>,
    /// Joules that each GPU has used while this machine worked on the run.
    #[serde(with = "pairs")]
    joules: BTreeMap<u32, f64>,
}

impl Load {
    /// Process the next record of the run.
    pub fn apply(&mut self, record: &Record) {
        match &record.event {
            Event::RunStarted(run) => self.begin(&run.host),
            Event::TrainingStarted(run) => self.begin(&run.host),
            Event::RunResumed { host, .. } => self.begin(host),
            Event::Heartbeat { load: Some(load) } => {
                for gpu in &load.gpus {
                    if let Some(joules) = gpu.joules {
                        *self.joules.entry(gpu.index).or_default() += joules.max(0.0);
                    }
                }
                if self.recent.len() == KEPT {
                    self.recent.pop_front();
                }
                self.recent.push_back((record.time, load.clone()));
            }
            _ => {}
        }
    }

    /// Another machine has other processors and GPUs.
    fn begin(&mut self, host: &str) {
        if self.host != host {
            *self = Load {
                host: host.to_owned(),
                ..Load::default()
            };
        }
    }

    /// The load, if it is that of the machine with this name.
    pub fn on(&self, machine: &str) -> Option<&Load> {
        (self.host == machine).then_some(self)
    }

    /// The latest loads, oldest first, each with the time at which it ends.
    pub fn recent(&self) -> impl Iterator<Item = &(Timestamp, MachineLoad)> {
        self.recent.iter()
    }

    /// Joules that each GPU has used while the machine worked on the run, as far as they are known.
    pub fn joules(&self) -> &BTreeMap<u32, f64> {
        &self.joules
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::GpuLoad;

    fn record(second: i64, event: Event) -> Record {
        Record {
            v: 1,
            seq: None,
            time: Timestamp::from_second(second).unwrap(),
            event,
        }
    }

    fn resumed_on(host: &str) -> Event {
        Event::RunResumed {
            host: host.to_owned(),
            pid: 1,
            version: "0".to_owned(),
            next_child: Some(1),
            epoch: None,
            micro_batch: None,
        }
    }

    fn heartbeat(joules: Option<f64>) -> Event {
        let gpu = GpuLoad {
            index: 1,
            utilization: Some(0.5),
            joules,
        };
        Event::Heartbeat {
            load: Some(MachineLoad {
                seconds: 60.0,
                busy: Some(0.25),
                gpus: vec![gpu],
            }),
        }
    }

    fn load(events: Vec<Event>) -> Load {
        let mut load = Load::default();
        for (second, event) in (0..).zip(events) {
            load.apply(&record(60 * second, event));
        }
        load
    }

    #[test]
    fn energy_adds_up_over_sessions_on_one_machine() {
        let load = load(vec![
            resumed_on("a"),
            heartbeat(Some(100.0)),
            heartbeat(None),
            resumed_on("a"),
            heartbeat(Some(20.0)),
        ]);
        assert_eq!(load.joules(), &BTreeMap::from([(1, 120.0)]));
        assert_eq!(load.recent().count(), 3);
        assert!(load.on("a").is_some() && load.on("b").is_none());
    }

    #[test]
    fn the_load_of_another_machine_is_forgotten() {
        let load = load(vec![
            resumed_on("a"),
            heartbeat(Some(100.0)),
            resumed_on("b"),
        ]);
        assert_eq!((load.joules().len(), load.recent().count()), (0, 0));
    }

    #[test]
    fn only_the_latest_heartbeats_are_kept_but_all_energy() {
        let mut events = vec![resumed_on("a")];
        events.extend((0..KEPT + 5).map(|_| heartbeat(Some(1.0))));
        let load = load(events);
        assert_eq!(load.recent().count(), KEPT);
        let (first, _) = load.recent().next().unwrap();
        assert_eq!(first.as_second(), 60 * 6);
        assert_eq!(load.joules()[&1], (KEPT + 5) as f64);
    }
}
