use super::*;
use crate::event::{Event, GpuLoad, Record};

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn gpu(index: u32) -> GpuSample {
    GpuSample {
        index,
        name: Some(format!("GPU {index}")),
        utilization: Some(0.5),
        power: Some(360.0),
        ..GpuSample::default()
    }
}

fn view(statuses: Vec<GpuStatus>) -> MachineView {
    let mut view = MachineView::new(second(0));
    for (time, status) in (0..).zip(statuses) {
        view.take_gpu(status, second(2 * time));
    }
    view
}

#[test]
fn a_gpu_that_vanishes_keeps_its_row_and_name_but_loses_its_values() {
    let both = GpuStatus::Present(vec![gpu(0), gpu(1)]);
    let off_the_bus = GpuSample {
        index: 1,
        lost: true,
        ..GpuSample::default()
    };
    for now in [vec![gpu(0)], vec![gpu(0), off_the_bus]] {
        let view = view(vec![both.clone(), GpuStatus::Present(now)]);
        assert_eq!(view.gpus(), [gpu(0), lost(&gpu(1))]);
    }
}

/// A run on a machine, whose heartbeats came at these seconds.
fn load_on(machine: &str, ends: &[i64]) -> Load {
    let gpu = |index, joules| GpuLoad {
        index,
        utilization: Some(0.75),
        joules,
    };
    let record = |second_: i64, event| Record {
        v: 1,
        seq: None,
        time: second(second_),
        event,
    };
    let mut load = Load::default();
    load.apply(&record(
        -100_000,
        Event::RunResumed {
            host: machine.to_owned(),
            pid: 1,
            version: "0".to_owned(),
            next_child: Some(1),
            epoch: None,
            micro_batch: None,
        },
    ));
    for end in ends {
        let event = Event::Heartbeat {
            load: Some(MachineLoad {
                seconds: 60.0,
                busy: Some(0.25),
                gpus: vec![gpu(0, Some(7_200.0)), gpu(1, None)],
            }),
        };
        load.apply(&record(*end, event));
    }
    load
}

fn history(history: &History) -> Vec<f64> {
    history.points.iter().copied().collect()
}

#[test]
fn the_load_before_the_screen_and_the_energy_of_the_run_come_from_the_journal() {
    let mut view = view(vec![GpuStatus::Present(vec![gpu(0), gpu(1)]); 11]);
    // The first heartbeat is older than the longest history.
    let load = load_on(&host_name(), &[-90_000, -60, 0]);
    view.recall(&load, second(20));
    view.recall(&load, second(20));
    let expected = [vec![0.75; 12], vec![0.5; 2]].concat();
    assert_eq!(history(&view.gpu_history), expected);
    // The second GPU tells nothing of its energy.
    for gpu in [0, 1] {
        assert_eq!(history(view.utilization(gpu).unwrap()), expected);
    }
    assert_eq!(history(&view.host_history), [0.25; 12]);
    assert_eq!(view.watt_hours(0), Some(2.0), "360 W for 20 s");
    assert_eq!(view.watt_hours_of_run(&load, 0), Some(6.0));
    assert_eq!(view.watt_hours_of_run(&load, 1), None);
}

#[test]
fn the_load_of_another_machine_is_not_shown_as_this_ones() {
    let mut view = view(vec![GpuStatus::Present(vec![gpu(0)])]);
    let load = load_on("another", &[-60]);
    view.recall(&load, second(0));
    assert!(history(&view.host_history).is_empty());
    assert_eq!(view.watt_hours_of_run(&load, 0), None);
}

#[test]
fn a_history_keeps_its_newest_points_if_much_came_before() {
    let mut view = view(vec![GpuStatus::Present(vec![gpu(0)]); 6]);
    view.gpu_history.precede(&vec![1.0; HISTORY]);
    assert_eq!(view.gpu_history.points.len(), HISTORY);
    assert_eq!(view.gpu_history.points.back(), Some(&0.5));
}

#[test]
fn if_the_driver_fails_the_rows_stay_and_the_reason_is_shown() {
    let view = view(vec![
        GpuStatus::Present(vec![gpu(0)]),
        GpuStatus::Absent("NVML: unloaded".into()),
    ]);
    assert_eq!(
        (view.gpus(), view.trouble.as_deref()),
        (&[lost(&gpu(0))][..], Some("NVML: unloaded"))
    );
}

#[test]
fn a_machine_without_gpus_has_none() {
    assert_eq!(
        view(vec![GpuStatus::Absent("none".into())]).gpu,
        GpuStatus::Absent("none".into())
    );
}

#[test]
fn without_a_counter_energy_is_power_over_time_and_without_both_it_is_unknown() {
    let dark = GpuSample {
        index: 1,
        ..GpuSample::default()
    };
    let status = GpuStatus::Present(vec![gpu(0), dark]);
    let view = view(vec![status.clone(), status.clone(), status]);
    assert_eq!(view.watt_hours(0), Some(0.4));
    assert_eq!((view.watt_hours(1), view.watt_hours(9)), (None, None));
}

#[test]
fn a_gpu_without_utilisation_has_no_history_and_does_not_lower_the_mean() {
    let mig = GpuSample {
        index: 1,
        mig: true,
        ..GpuSample::default()
    };
    let view = view(vec![
        GpuStatus::Present(vec![gpu(0), mig]);
        MEASUREMENTS_PER_POINT
    ]);
    assert!(view.utilization(1).is_none());
    assert_eq!(
        (
            view.gpu_history.newest(9).collect::<Vec<_>>(),
            view.utilization(0).is_some()
        ),
        (vec![0.5], true)
    );
}

#[test]
fn silence_is_reported_only_if_there_is_an_nvml() {
    let present = view(vec![GpuStatus::Present(vec![gpu(0)])]);
    assert!(!present.is_silent(second(10)) && present.is_silent(second(60)));
    assert!(MachineView::new(second(0)).is_silent(second(60)));
    assert!(!view(vec![GpuStatus::Absent("none".into())]).is_silent(second(60)));
}
