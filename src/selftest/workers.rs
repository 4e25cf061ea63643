//! Real worker processes: how many are fastest on the device, and how quickly they pause when asked
//! to.

use std::time::Duration;

use super::Bench;
use super::report::{CheckOutcome, PauseCheck, WorkersCheck};
use crate::evaluate::throughput::{
    Cache, MeasureError, Throughput, WorkerTrial, counts, usual_place,
};
use crate::foundation::device::Device;
use crate::foundation::numbers::counted;

/// Measuring time for each number of workers.
const WINDOW: Duration = Duration::from_secs(3);
const PAUSES: u32 = 7;
/// Maximum time for a pause; a batch takes a fraction of a second.
const LIMIT: Duration = Duration::from_secs(5);

pub(super) fn check(bench: &Bench, device: Device) -> (WorkersCheck, PauseCheck) {
    match measure(bench, device) {
        Ok(found) => found,
        Err(error) => {
            let verdict = || CheckOutcome::failed(&error.to_string());
            (
                WorkersCheck {
                    rates: Vec::new(),
                    best: None,
                    kept: false,
                    verdict: verdict(),
                },
                pause(1, &[], verdict()),
            )
        }
    }
}

/// The results for further devices of the same model, which are not measured again.
pub fn same_model() -> (WorkersCheck, PauseCheck) {
    let verdict = || CheckOutcome::skipped("measured on another device of this model");
    (
        WorkersCheck {
            rates: Vec::new(),
            best: None,
            kept: false,
            verdict: verdict(),
        },
        pause(1, &[], verdict()),
    )
}

fn measure(bench: &Bench, device: Device) -> Result<(WorkersCheck, PauseCheck), MeasureError> {
    let counts = counts(device);
    let most = counts.last().copied().unwrap_or(1);
    let workers = |count: usize| counted(count as u64, "worker");
    bench.tell(device, &format!("starting {}", workers(most)));
    let mut crew = WorkerTrial::start(bench.program, device, most, &|| false)?;
    let tell = |count| {
        bench.tell(
            device,
            &format!("children per hour with {}", workers(count)),
        )
    };
    let throughput = crew.throughput(&counts, WINDOW, tell)?;
    let best = throughput.best();
    bench.tell(device, &format!("pausing {}", workers(best)));
    let pause = match crew.pauses(best, PAUSES) {
        Ok(latencies) => pause(best, &latencies, judge(&latencies)),
        Err(error) => pause(best, &[], CheckOutcome::failed(&error.to_string())),
    };
    let kept = device.is_cuda() && keep(&throughput);
    Ok((
        WorkersCheck {
            rates: throughput.rates,
            best: Some(best),
            kept,
            verdict: CheckOutcome::Passed,
        },
        pause,
    ))
}

/// Save the result for `workers.count = "auto"`; a cache folder that cannot be written is not the
/// device's fault.
fn keep(throughput: &Throughput) -> bool {
    usual_place().is_some_and(|place| Cache::at(place).keep(throughput).is_ok())
}

fn judge(latencies: &[Duration]) -> CheckOutcome {
    match latencies.iter().max() {
        Some(worst) if *worst > LIMIT => {
            CheckOutcome::failed(&format!("a pause took {:.1} s", worst.as_secs_f64()))
        }
        _ => CheckOutcome::Passed,
    }
}

fn pause(workers: usize, latencies: &[Duration], verdict: CheckOutcome) -> PauseCheck {
    let mut sorted = latencies.to_vec();
    sorted.sort();
    let seconds = |latency: &Duration| latency.as_secs_f64();
    PauseCheck {
        workers,
        pauses: sorted.len(),
        median_seconds: sorted.get(sorted.len() / 2).map(seconds),
        worst_seconds: sorted.last().map(seconds),
        limit_seconds: LIMIT.as_secs_f64(),
        verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_worst_of_several_pauses_are_reported_and_a_late_one_is_a_failure() {
        let latencies = [30, 10, 20].map(Duration::from_millis);
        let found = pause(2, &latencies, judge(&latencies));
        assert_eq!(
            (found.median_seconds, found.worst_seconds),
            (Some(0.02), Some(0.03))
        );
        assert_eq!(found.verdict, CheckOutcome::Passed);
        assert!(matches!(
            judge(&[Duration::from_millis(1), LIMIT + Duration::from_millis(1)]),
            CheckOutcome::Failed(_)
        ));
    }
}
