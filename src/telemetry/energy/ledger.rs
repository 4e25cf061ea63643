//! Divides a GPU's energy among children: readings and the children in training in, watt-hours per
//! child out. Uses neither a clock nor NVML.

use std::collections::BTreeMap;

/// Longest interval (in seconds) between readings over which the power is interpolated. The energy
/// of longer gaps is unknown.
const LONGEST_GAP: f64 = 10.0;
const JOULES_PER_WATT_HOUR: f64 = 3_600.0;

/// A GPU's energy readings at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EnergyReading {
    /// Time since an arbitrary fixed moment.
    pub seconds: f64,
    /// Energy counter: joules since the driver was loaded.
    pub counter: Option<f64>,
    /// Power in watts.
    pub power: Option<f64>,
}

impl EnergyReading {
    /// Joules used since `before`: from the counter if possible, otherwise from the mean of the two
    /// powers.
    ///
    /// `None` if the counter is missing or did not grow and the power is not known at both ends, or
    /// if too much time passed.
    pub fn joules_since(&self, before: &EnergyReading) -> Option<f64> {
        if let (Some(before), Some(now)) = (before.counter, self.counter)
            && now >= before
        {
            return Some(now - before);
        }
        let seconds = self.seconds - before.seconds;
        let mean = (before.power? + self.power?) / 2.0;
        (0.0..=LONGEST_GAP)
            .contains(&seconds)
            .then_some(mean * seconds)
    }
}

/// Converts joules to watt-hours.
pub fn watt_hours(joules: f64) -> f64 {
    joules / JOULES_PER_WATT_HOUR
}

/// The energy of every GPU that is training children.
#[derive(Debug, Default)]
pub struct EnergyLedger {
    gpus: BTreeMap<u32, Account>,
}

impl EnergyLedger {
    /// Start a child's training on `gpu`. A child that was already in training starts again from
    /// zero.
    pub fn start(&mut self, child: u64, gpu: u32, seconds: f64) {
        self.end(child, seconds);
        let account = self
            .gpus
            .entry(gpu)
            .or_insert_with(|| Account::new(seconds));
        account.accrue(seconds);
        account.shares.insert(
            child,
            Share {
                started: seconds,
                joules: Some(0.0),
                open: 0.0,
            },
        );
    }

    /// End a child's training and return its watt-hours, unless a part of them is unknown.
    pub fn end(&mut self, child: u64, seconds: f64) -> Option<f64> {
        let (gpu, account) = self
            .gpus
            .iter_mut()
            .find(|(_, account)| account.shares.contains_key(&child))?;
        let gpu = *gpu;
        account.accrue(seconds);
        let joules = account.end(child, seconds);
        if account.shares.is_empty() {
            // Energy used before the GPU's next child is charged to no child.
            self.gpus.remove(&gpu);
        }
        joules.map(watt_hours)
    }

    /// Record a reading of `gpu`. A reading without values leaves the interval open.
    pub fn read(&mut self, gpu: u32, reading: EnergyReading) {
        if reading.counter.is_none() && reading.power.is_none() {
            return;
        }
        if let Some(account) = self.gpus.get_mut(&gpu) {
            account.read(reading);
        }
    }

    /// The GPUs that are training children.
    pub fn busy(&self) -> Vec<u32> {
        self.gpus.keys().copied().collect()
    }
}

/// One GPU with children on it.
#[derive(Debug)]
struct Account {
    last: Option<EnergyReading>,
    /// Power over the last interval; initially that of the first reading.
    watts: Option<f64>,
    /// Time up to which the shares have been counted.
    counted: f64,
    shares: BTreeMap<u64, Share>,
}

/// A child's part of a GPU.
#[derive(Debug)]
struct Share {
    started: f64,
    /// Energy settled so far; `None` if a part is unknown.
    joules: Option<f64>,
    /// Seconds since the last reading, divided by the number of children that shared the GPU.
    open: f64,
}

impl Share {
    /// Settle the open seconds at this power.
    fn settle(&mut self, watts: Option<f64>) {
        if self.open > 0.0 {
            self.joules = self
                .joules
                .zip(watts)
                .map(|(joules, watts)| joules + self.open * watts);
            self.open = 0.0;
        }
    }
}

impl Account {
    fn new(seconds: f64) -> Account {
        Account {
            last: None,
            watts: None,
            counted: seconds,
            shares: BTreeMap::new(),
        }
    }

    /// Divide the time until now equally among the children.
    fn accrue(&mut self, seconds: f64) {
        let part = (seconds - self.counted).max(0.0) / self.shares.len().max(1) as f64;
        self.shares
            .values_mut()
            .for_each(|share| share.open += part);
        self.counted = self.counted.max(seconds);
    }

    fn read(&mut self, reading: EnergyReading) {
        let Some(last) = self.last else {
            return self.read_first(reading);
        };
        let seconds = reading.seconds - last.seconds;
        if seconds <= 0.0 {
            return;
        }
        self.accrue(reading.seconds);
        self.watts = reading.joules_since(&last).map(|joules| joules / seconds);
        self.shares
            .values_mut()
            .for_each(|share| share.settle(self.watts));
        self.last = Some(reading);
    }

    /// The first reading comes shortly after the first child starts, so the power at the start is
    /// taken to be the same. If the GPU reports only the counter, the next reading settles it.
    fn read_first(&mut self, reading: EnergyReading) {
        self.accrue(reading.seconds);
        self.watts = reading.power;
        self.last = Some(reading);
        for share in self.shares.values_mut() {
            if reading.seconds - share.started > LONGEST_GAP {
                share.settle(None);
            } else if self.watts.is_some() {
                share.settle(self.watts);
            }
        }
    }

    /// Remove a child. The time since the last reading is charged at the last known power, because
    /// the engine does not wait for another reading.
    fn end(&mut self, child: u64, seconds: f64) -> Option<f64> {
        let mut share = self.shares.remove(&child)?;
        let last = self.last?;
        share.settle(self.watts.filter(|_| seconds - last.seconds <= LONGEST_GAP));
        share.joules.filter(|joules| joules.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn power(seconds: f64, watts: f64) -> EnergyReading {
        EnergyReading {
            seconds,
            counter: None,
            power: Some(watts),
        }
    }

    fn counter(seconds: f64, joules: f64) -> EnergyReading {
        EnergyReading {
            seconds,
            counter: Some(joules),
            power: None,
        }
    }

    fn assert_joules(watt_hours: Option<f64>, joules: f64) {
        let found = watt_hours.map(|watt_hours| watt_hours * 3_600.0);
        assert!(
            found.is_some_and(|found| (found - joules).abs() < 1e-6),
            "{found:?} instead of {joules}"
        );
    }

    #[test]
    fn a_single_child_gets_all_the_energy_counted() {
        let mut ledger = EnergyLedger::default();
        ledger.start(1, 0, 0.0);
        ledger.read(0, counter(0.0, 5_000.0));
        ledger.read(0, counter(2.0, 5_700.0));
        ledger.read(0, counter(4.0, 6_000.0));
        assert_joules(ledger.end(1, 4.0), 1_000.0);
    }

    #[test]
    fn two_children_share_equally_while_both_train() {
        let mut ledger = EnergyLedger::default();
        ledger.start(1, 0, 0.0);
        ledger.start(2, 0, 0.0);
        ledger.read(0, power(0.0, 300.0));
        ledger.read(0, power(2.0, 300.0));
        assert_joules(ledger.end(1, 2.0), 300.0);
        ledger.read(0, power(4.0, 300.0));
        assert_joules(ledger.end(2, 4.0), 300.0 + 600.0);
    }

    #[test]
    fn a_child_that_starts_within_an_interval_gets_its_part_of_it() {
        let mut ledger = EnergyLedger::default();
        ledger.start(1, 0, 0.0);
        ledger.read(0, counter(0.0, 0.0));
        ledger.start(2, 0, 3.0);
        // 100 W: child 1 alone for 3 s, both for 1 s.
        ledger.read(0, counter(4.0, 400.0));
        assert_joules(ledger.end(1, 4.0), 350.0);
        assert_joules(ledger.end(2, 4.0), 50.0);
    }

    #[test]
    fn the_time_after_the_last_reading_is_charged_at_the_last_power() {
        let mut ledger = EnergyLedger::default();
        ledger.start(1, 0, 0.0);
        ledger.read(0, power(0.5, 200.0));
        ledger.read(0, power(1.0, 200.0));
        assert_joules(ledger.end(1, 1.5), 300.0);
    }

    #[test]
    fn gpus_do_not_mix() {
        let mut ledger = EnergyLedger::default();
        ledger.start(1, 0, 0.0);
        ledger.start(2, 1, 0.0);
        for seconds in [0.0, 1.0] {
            ledger.read(0, power(seconds, 100.0));
            ledger.read(1, power(seconds, 500.0));
        }
        assert_eq!(ledger.busy(), [0, 1]);
        assert_joules(ledger.end(1, 1.0), 100.0);
        assert_eq!(ledger.busy(), [1]);
        assert_joules(ledger.end(2, 1.0), 500.0);
    }

    #[test]
    fn a_counter_that_runs_backwards_is_useless_unless_the_power_is_known() {
        let both = |seconds, joules, watts| EnergyReading {
            power: Some(watts),
            ..counter(seconds, joules)
        };
        let mut ledger = EnergyLedger::default();
        ledger.start(1, 0, 0.0);
        ledger.start(2, 1, 0.0);
        ledger.read(0, both(0.0, 900.0, 100.0));
        ledger.read(1, counter(0.0, 900.0));
        ledger.read(0, both(2.0, 10.0, 200.0));
        ledger.read(1, counter(2.0, 10.0));
        assert_joules(ledger.end(1, 2.0), 300.0);
        assert_eq!(ledger.end(2, 2.0), None);
    }

    #[test]
    fn a_child_on_a_gpu_without_readings_has_no_energy() {
        let mut ledger = EnergyLedger::default();
        ledger.start(1, 0, 0.0);
        ledger.read(
            0,
            EnergyReading {
                seconds: 1.0,
                counter: None,
                power: None,
            },
        );
        assert_eq!(ledger.end(1, 2.0), None);
        assert_eq!(ledger.end(1, 2.0), None);
    }

    #[test]
    fn a_gpu_that_stops_reporting_makes_the_rest_unknown_but_a_short_gap_does_not() {
        let mut ledger = EnergyLedger::default();
        ledger.start(1, 0, 0.0);
        ledger.start(2, 1, 0.0);
        ledger.read(0, power(0.0, 100.0));
        ledger.read(1, counter(0.0, 0.0));
        ledger.read(1, counter(60.0, 6_000.0));
        assert_eq!(ledger.end(1, 60.0), None);
        assert_joules(ledger.end(2, 60.0), 6_000.0);
    }

    #[test]
    fn energy_used_between_two_children_is_charged_to_neither() {
        let mut ledger = EnergyLedger::default();
        ledger.start(1, 0, 0.0);
        ledger.read(0, power(0.0, 100.0));
        ledger.end(1, 1.0);
        ledger.read(0, power(1.0, 700.0));
        ledger.start(2, 0, 100.0);
        ledger.read(0, power(100.0, 50.0));
        assert_joules(ledger.end(2, 102.0), 100.0);
    }

    #[test]
    fn a_first_reading_that_comes_too_late_is_not_applied_to_the_start() {
        let mut ledger = EnergyLedger::default();
        ledger.start(1, 0, 0.0);
        ledger.read(0, power(30.0, 100.0));
        assert_eq!(ledger.end(1, 31.0), None);
    }

    proptest::proptest! {
        /// Whatever starts and ends when: together the children are charged exactly what the GPU
        /// used while any of them was in training.
        #[test]
        fn energy_is_neither_counted_twice_nor_lost(ends in proptest::collection::vec((0.0..5.0f64, 0.1..5.0f64), 1..6)) {
            let mut moments: Vec<(f64, u64, bool)> = Vec::new();
            for (child, (start, length)) in (0..).zip(&ends) {
                moments.extend([(*start, child, true), (start + length, child, false)]);
            }
            moments.sort_by(|one, other| one.0.total_cmp(&other.0));
            let (mut ledger, mut given, mut busy, mut active, mut before) = (EnergyLedger::default(), 0.0, 0.0, 0, 0.0);
            for (seconds, child, starts) in moments {
                busy += if active > 0 { seconds - before } else { 0.0 };
                before = seconds;
                if starts {
                    active += 1;
                    ledger.start(child, 0, seconds);
                    ledger.read(0, power(seconds, 100.0));
                } else {
                    active -= 1;
                    given += ledger.end(child, seconds).unwrap_or(f64::NAN) * 3_600.0;
                }
            }
            proptest::prop_assert!((given - busy * 100.0).abs() < 1e-6, "{given} of {}", busy * 100.0);
        }
    }
}
