//! Who owes a GPU's energy: readings and the children in training in, watt-hours per child out.
//! Without clock and NVML.

use std::collections::BTreeMap;

/// Longest time (seconds) over which power is taken to have been as at its ends. Longer gaps
/// between readings are unknown.
const LONGEST_GAP: f64 = 10.0;
const JOULES_PER_WATT_HOUR: f64 = 3_600.0;

/// What a GPU says of its energy at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Since some fixed moment.
    pub seconds: f64,
    /// Joules since the driver was loaded.
    pub counter: Option<f64>,
    /// Watts.
    pub power: Option<f64>,
}

impl Reading {
    /// Joules that were taken since `before`: by the counter, or else by the mean of the two
    /// powers.
    ///
    /// None if there is no counter that grew and no power at both ends, or too long a time between
    /// them.
    pub fn joules_since(&self, before: &Reading) -> Option<f64> {
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

/// The same energy in watt-hours.
pub fn watt_hours(joules: f64) -> f64 {
    joules / JOULES_PER_WATT_HOUR
}

/// The energy of every GPU that children are in training on.
#[derive(Debug, Default)]
pub struct EnergyLedger {
    gpus: BTreeMap<u32, Account>,
}

impl EnergyLedger {
    /// A child is in training on `gpu` from now on. One that was already begins anew.
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

    /// A child's training ends now: its watt-hours, unless a part of them is unknown.
    pub fn end(&mut self, child: u64, seconds: f64) -> Option<f64> {
        let (gpu, account) = self
            .gpus
            .iter_mut()
            .find(|(_, account)| account.shares.contains_key(&child))?;
        let gpu = *gpu;
        account.accrue(seconds);
        let joules = account.end(child, seconds);
        if account.shares.is_empty() {
            // What the GPU takes until its next child is charged to no child.
            self.gpus.remove(&gpu);
        }
        joules.map(watt_hours)
    }

    /// Take in what `gpu` says. One that says nothing leaves its interval open.
    pub fn read(&mut self, gpu: u32, reading: Reading) {
        if reading.counter.is_none() && reading.power.is_none() {
            return;
        }
        if let Some(account) = self.gpus.get_mut(&gpu) {
            account.read(reading);
        }
    }

    /// The GPUs that children are in training on.
    pub fn busy(&self) -> Vec<u32> {
        self.gpus.keys().copied().collect()
    }
}

/// One GPU with children on it.
#[derive(Debug)]
struct Account {
    last: Option<Reading>,
    /// Power over the last interval; at first, that of the first reading.
    watts: Option<f64>,
    /// Until when the shares are counted.
    counted: f64,
    shares: BTreeMap<u64, Share>,
}

/// A child's part of a GPU.
#[derive(Debug)]
struct Share {
    started: f64,
    /// Settled so far; `None` if a part is unknown.
    joules: Option<f64>,
    /// Its seconds since the last reading, divided by the number of children that shared the GPU.
    open: f64,
}

impl Share {
    /// Settle what is open at this power.
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

    /// Share the time until now out among the children, equally.
    fn accrue(&mut self, seconds: f64) {
        let part = (seconds - self.counted).max(0.0) / self.shares.len().max(1) as f64;
        self.shares
            .values_mut()
            .for_each(|share| share.open += part);
        self.counted = self.counted.max(seconds);
    }

    fn read(&mut self, reading: Reading) {
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

    /// The first reading comes just after the first child: the power was then what it is now. Where
    /// only the counter is told, the next reading says.
    fn read_first(&mut self, reading: Reading) {
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

    /// Take a child out. The time since the last reading counts with the last power: the engine
    /// does not wait for another one.
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

    fn power(seconds: f64, watts: f64) -> Reading {
        Reading {
            seconds,
            counter: None,
            power: Some(watts),
        }
    }

    fn counter(seconds: f64, joules: f64) -> Reading {
        Reading {
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
    fn a_child_alone_gets_all_that_the_counter_counted() {
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
    fn the_time_after_the_last_reading_counts_with_the_last_power() {
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
    fn a_counter_that_runs_back_tells_nothing_unless_the_power_does() {
        let both = |seconds, joules, watts| Reading {
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
    fn a_child_of_a_gpu_that_says_nothing_has_no_energy() {
        let mut ledger = EnergyLedger::default();
        ledger.start(1, 0, 0.0);
        ledger.read(
            0,
            Reading {
                seconds: 1.0,
                counter: None,
                power: None,
            },
        );
        assert_eq!(ledger.end(1, 2.0), None);
        assert_eq!(ledger.end(1, 2.0), None);
    }

    #[test]
    fn a_gpu_that_falls_silent_makes_the_rest_unknown_and_one_that_only_pauses_does_not() {
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
    fn what_a_gpu_takes_between_two_children_is_nobodys() {
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
    fn a_first_reading_that_comes_too_late_is_not_held_against_the_start() {
        let mut ledger = EnergyLedger::default();
        ledger.start(1, 0, 0.0);
        ledger.read(0, power(30.0, 100.0));
        assert_eq!(ledger.end(1, 31.0), None);
    }

    proptest::proptest! {
        /// Whatever starts and ends when: all children together get what the GPU took while any was
        /// in training.
        #[test]
        fn nothing_is_given_twice_or_lost(ends in proptest::collection::vec((0.0..5.0f64, 0.1..5.0f64), 1..6)) {
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
