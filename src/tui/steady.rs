//! Steadies measurements on the screen: a value is updated only when it differs by more than its
//! usual fluctuation.

use crate::telemetry::{GpuClock, GpuSample, HostSample, ProcessSample};

/// Fraction of a processor or GPU.
const SHARE: f64 = 0.03;
/// Number of processors that a process keeps busy, and a fraction of it if that is more.
const PROCESSOR: f64 = 0.04;
const PROCESSOR_PART: f64 = 0.05;
/// Memory in bytes: half a step of the value as shown.
const BYTES: f64 = 0.06 * 1_073_741_824.0;
/// Power in watts, and a fraction of it if that is more.
const WATTS: f64 = 2.0;
const POWER_PART: f64 = 0.02;
/// Clock in megahertz: a GPU changes its clocks in steps of 15.
const CLOCK: u32 = 30;
/// Bytes per second, and a fraction of them if that is more.
const TRAFFIC: f64 = 60_000.0;
const TRAFFIC_PART: f64 = 0.15;

/// What to show for a GPU that was shown as `shown` and is now measured as `new`.
pub fn gpu(shown: &GpuSample, new: GpuSample) -> GpuSample {
    let power_tolerance = new
        .power
        .map_or(WATTS, |power| (power * POWER_PART).max(WATTS));
    GpuSample {
        utilization: share(shown.utilization, new.utilization),
        memory_used: bytes(shown.memory_used, new.memory_used),
        temperature: degrees(shown.temperature, new.temperature),
        power: keep(shown.power, new.power, power_tolerance),
        sm_clock: clock(shown.sm_clock, new.sm_clock),
        memory_clock: clock(shown.memory_clock, new.memory_clock),
        ..new
    }
}

/// What to show for the host.
pub fn host(shown: &HostSample, new: HostSample) -> HostSample {
    let core = |(core, busy): (usize, &f64)| {
        share(shown.cores.get(core).copied(), Some(*busy)).unwrap_or(*busy)
    };
    let cores = new.cores.iter().enumerate().map(core);
    HostSample {
        cores: cores.collect(),
        memory_used: bytes(Some(shown.memory_used), Some(new.memory_used))
            .unwrap_or(new.memory_used),
        swap_used: bytes(Some(shown.swap_used), Some(new.swap_used)).unwrap_or(new.swap_used),
        load: keep(shown.load, new.load, 0.1),
        ours: new
            .ours
            .iter()
            .map(|ours| process(shown.ours.iter().find(|shown| shown.pid == ours.pid), ours))
            .collect(),
        ..new
    }
}

fn process(shown: Option<&ProcessSample>, new: &ProcessSample) -> ProcessSample {
    let Some(shown) = shown else {
        return new.clone();
    };
    ProcessSample {
        cpu: keep(
            shown.cpu,
            new.cpu,
            new.cpu
                .map_or(0.0, |cpu| (cpu * PROCESSOR_PART).max(PROCESSOR)),
        ),
        resident: bytes(Some(shown.resident), Some(new.resident)).unwrap_or(new.resident),
        read: traffic(shown.read, new.read),
        written: traffic(shown.written, new.written),
        ..*new
    }
}

fn share(shown: Option<f64>, new: Option<f64>) -> Option<f64> {
    // 0 and 1 are always shown exactly.
    if new.is_some_and(|share| share <= 0.0 || share == 1.0) {
        new
    } else {
        keep(shown, new, SHARE)
    }
}

fn bytes(shown: Option<u64>, new: Option<u64>) -> Option<u64> {
    unless_close(shown, new, |shown, new| {
        (shown.abs_diff(new) as f64) < BYTES
    })
}

/// A sensor fluctuates by one degree and is not more accurate than that.
fn degrees(shown: Option<u32>, new: Option<u32>) -> Option<u32> {
    unless_close(shown, new, |shown, new| shown.abs_diff(new) <= 1)
}

fn traffic(shown: Option<f64>, new: Option<f64>) -> Option<f64> {
    let tolerance = new.map_or(0.0, |new| (new * TRAFFIC_PART).max(TRAFFIC));
    if new == Some(0.0) {
        new
    } else {
        keep(shown, new, tolerance)
    }
}

fn clock(shown: Option<GpuClock>, new: Option<GpuClock>) -> Option<GpuClock> {
    unless_close(shown, new, |shown, new| {
        shown.max == new.max && shown.now.abs_diff(new.now) <= CLOCK
    })
}

/// The value shown, unless it is missing or the new one differs from it by more than `tolerance`.
fn keep(shown: Option<f64>, new: Option<f64>, tolerance: f64) -> Option<f64> {
    unless_close(shown, new, |shown, new| (shown - new).abs() < tolerance)
}

/// The new value, unless both exist and are close to each other.
fn unless_close<T: Copy>(
    shown: Option<T>,
    new: Option<T>,
    is_close: impl Fn(T, T) -> bool,
) -> Option<T> {
    match (shown, new) {
        (Some(shown), Some(new)) if is_close(shown, new) => Some(shown),
        _ => new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utilization(shown: f64, new: f64) -> Option<f64> {
        let sample = |share| GpuSample {
            utilization: Some(share),
            ..GpuSample::default()
        };
        gpu(&sample(shown), sample(new)).utilization
    }

    #[test]
    fn a_value_that_fluctuates_stands_still_and_one_that_moves_is_exact() {
        assert_eq!(utilization(0.87, 0.89), Some(0.87));
        assert_eq!(utilization(0.87, 0.91), Some(0.91));
    }

    #[test]
    fn idle_and_busy_are_shown_as_they_are() {
        assert_eq!(
            (utilization(0.02, 0.0), utilization(0.98, 1.0)),
            (Some(0.0), Some(1.0))
        );
    }

    #[test]
    fn a_value_that_is_no_longer_reported_is_no_longer_shown() {
        let shown = GpuSample {
            utilization: Some(0.5),
            power: Some(100.0),
            memory_used: Some(1),
            ..GpuSample::default()
        };
        assert_eq!(gpu(&shown, GpuSample::default()), GpuSample::default());
    }

    proptest::proptest! {
        #[test]
        fn the_value_shown_is_never_far_from_the_real_one(values in proptest::collection::vec(0.0..1.0f64, 1..50)) {
            let mut shown = GpuSample::default();
            for value in values {
                shown = gpu(&shown, GpuSample { utilization: Some(value), ..GpuSample::default() });
                proptest::prop_assert!(shown.utilization.is_some_and(|shown| (shown - value).abs() < SHARE));
            }
        }
    }
}
