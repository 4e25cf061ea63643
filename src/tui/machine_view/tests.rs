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

/// A run on this machine whose heartbeats came at these seconds.
fn load_until(ends: &[i64]) -> Load {
    let gpu = GpuLoad {
        index: 0,
        utilization: Some(0.75),
        joules: Some(7_200.0),
    };
    let heartbeat = |end: &i64| Record {
        v: 1,
        seq: None,
        time: second(*end),
        event: Event::Heartbeat {
            load: Some(MachineLoad {
                seconds: 60.0,
                busy: Some(0.25),
                gpus: vec![gpu.clone()],
            }),
        },
    };
    let mut load = Load::default();
    let records = ends.iter().map(heartbeat);
    records.for_each(|record| load.apply(&record));
    load
}

#[test]
fn load_and_energy_from_before_the_screen_come_from_the_journal_once() {
    let mut view = view(vec![GpuStatus::Present(vec![gpu(0)]); 11]);
    assert_eq!(view.watt_hours_of_run(0), None);
    // The first heartbeat is older than the longest history.
    let load = load_until(&[-90_000, -60, 0]);
    view.recall(&load, second(20));
    view.recall(&load, second(20));
    let history = |history: &History| history.points.iter().copied().collect::<Vec<f64>>();
    let gpu = [vec![0.75; 12], vec![0.5; 2]].concat();
    assert_eq!(history(&view.gpu_history), gpu);
    assert_eq!(history(view.utilization(0).unwrap()), gpu);
    assert_eq!(history(&view.host_history), [0.25; 12]);
    // 6 Wh before, and 360 W for 20 s.
    assert_eq!(view.watt_hours(0), Some(2.0));
    assert_eq!(view.watt_hours_of_run(0), Some(8.0));
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
