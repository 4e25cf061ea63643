//! The load that heartbeats tell.

use nas_tui::telemetry::LoadMeter;

use super::*;

#[test]
fn the_load_of_a_run_has_the_mean_utilisation_and_the_energy_of_each_gpu() {
    let (_folder, library) = build(&[]);
    let mut meter = LoadMeter::start_with(library);
    std::thread::sleep(Duration::from_millis(5_500));
    let load = meter.take().expect("the load is known");
    let [first, second] = &load.gpus[..] else {
        panic!("{load:?}");
    };
    let utilization = first.utilization.expect("it reports its utilisation");
    assert!((0.3..=1.0).contains(&utilization), "{utilization}");
    let joules = first.joules.expect("it counts its energy");
    assert!((joules / (5.0 * 360.0) - 1.0).abs() < 0.1, "{joules} J");
    assert_eq!(second.joules, None, "the second GPU tells nothing");
}

#[test]
fn a_driver_that_hangs_delays_no_heartbeat() {
    let (_folder, library) = build(&["FAKE_NVML_HANG=1"]);
    let mut meter = LoadMeter::start_with(library);
    std::thread::sleep(Duration::from_millis(500));
    let start = Instant::now();
    let load = meter.take().expect("the processors are known");
    drop(meter);
    assert!(load.gpus.is_empty() && load.busy.is_some(), "{load:?}");
    // It hangs for ever: whoever waits for it waits longer than this.
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
}
