//! The panel by itself, on machines of every kind.

use insta::assert_snapshot;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Size;

use super::Machine;
use crate::config::{Characters, ScreenConfig, ThemeName};
use crate::state::Energy;
use crate::telemetry::{
    GpuClock, GpuProcess, GpuSample, GpuStatus, HostSample, HostStatus, ProcessRole, ProcessSample,
    Throttle,
};
use crate::tui::Settings;
use crate::tui::app::App;
use crate::tui::panels::panel::{Panel, Scrolled};
use crate::tui::sample::drawn;
use crate::tui::theme::{ColourDepth, Theme};

const GIB: u64 = 1 << 30;
const SIZES: [(u16, u16); 4] = [(38, 8), (78, 4), (78, 14), (100, 20)];

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn process(role: ProcessRole, pid: u32, cpu: f64) -> ProcessSample {
    ProcessSample {
        pid,
        role,
        cpu: Some(cpu),
        resident: GIB * 6 / 5,
        read: Some(0.0),
        written: Some(120_000.0),
    }
}

fn host() -> HostSample {
    let ours = vec![
        process(ProcessRole::Search, 4_240, 0.03),
        process(ProcessRole::Worker(0), 4_242, 0.97),
    ];
    HostSample {
        cores: vec![0.84, 0.93],
        memory_used: 3 * GIB,
        memory_total: 24 * GIB,
        swap_used: GIB / 2,
        swap_total: 2 * GIB,
        load: Some(2.1),
        ours,
    }
}

fn gpu(index: u32) -> GpuSample {
    GpuSample {
        index,
        name: Some("NVIDIA H100 80GB HBM3".to_owned()),
        utilization: Some(0.87),
        memory_used: Some(13 * GIB),
        memory_total: Some(80 * GIB),
        temperature: Some(61),
        power: Some(312.4),
        power_limit: Some(700.0),
        sm_clock: Some(GpuClock {
            now: 1_755,
            max: Some(1_980),
        }),
        memory_clock: Some(GpuClock {
            now: 2_619,
            max: Some(2_619),
        }),
        throttle: Some(Vec::new()),
        energy: None,
        processes: Some(vec![
            GpuProcess {
                pid: 4_242,
                name: Some("nas-tui".into()),
                memory: Some(12 * GIB),
                role: Some(ProcessRole::Worker(0)),
            },
            GpuProcess {
                pid: 99,
                name: Some("python".into()),
                memory: None,
                role: None,
            },
        ]),
        ..GpuSample::default()
    }
}

/// A GPU that reports only its name and memory.
fn reticent(index: u32) -> GpuSample {
    GpuSample {
        index,
        name: Some("NVIDIA GeForce GTX 1660".to_owned()),
        memory_used: Some(GIB),
        memory_total: Some(6 * GIB),
        ..GpuSample::default()
    }
}

/// The screen after a few minutes with these GPUs.
fn app(status: GpuStatus) -> App {
    let settings = Settings::new(
        &ScreenConfig {
            characters: Characters::Unicode,
            ..ScreenConfig::default()
        },
        |_| None,
    );
    let mut app = App::new(
        &settings.unwrap(),
        TimeZone::UTC,
        Size::new(120, 40),
        second(0),
    );
    for step in 0..150 {
        let mut status = status.clone();
        if let GpuStatus::Present(gpus) = &mut status {
            let load = |index: u32| 0.5 + 0.4 * (f64::from(step) / 9.0 + f64::from(index)).sin();
            gpus.iter_mut()
                .filter(|gpu| gpu.utilization.is_some() && step < 145)
                .for_each(|gpu| {
                    gpu.utilization = Some(load(gpu.index));
                });
        }
        app.view.take_gpu(status, second(i64::from(step) * 2));
        app.view.take_host(HostStatus::Present(host()));
    }
    app.view.now = second(300);
    app
}

fn panel(app: &App, width: u16, height: u16) -> String {
    panel_from(app, 0, width, height)
}

/// The panel scrolled to the row `top`.
fn panel_from(app: &App, top: usize, width: u16, height: u16) -> String {
    let panel = Machine;
    let machine = Scrolled { top, panel };
    drawn((width, height), !app.theme.glyphs.braille, |painter| {
        machine.draw(&app.scene(), false, painter)
    })
}

/// The panel at every size, one below the other.
fn panels(app: &App) -> String {
    SIZES
        .map(|(width, height)| format!("{width}x{height}\n{}\n", panel(app, width, height)))
        .join("\n")
}

#[test]
fn no_gpu() {
    assert_snapshot!(panels(&app(GpuStatus::Absent(
        "libnvidia-ml.so[.1] not found".to_owned()
    ))));
}

#[test]
fn one_gpu() {
    let mut app = app(GpuStatus::Present(vec![gpu(0)]));
    app.live.search_mut().unwrap().energy = Energy {
        watt_hours: 12.34,
        children: 150,
    };
    assert_snapshot!(panels(&app));
}

#[test]
fn two_gpus_one_throttled_and_one_that_tells_little() {
    let throttled = GpuSample {
        throttle: Some(vec![Throttle::PowerCap, Throttle::Thermal]),
        power: Some(699.0),
        ..gpu(0)
    };
    assert_snapshot!(panels(&app(GpuStatus::Present(vec![
        throttled,
        reticent(1)
    ]))));
}

#[test]
fn eight_gpus_one_of_them_lost() {
    let mut gpus: Vec<GpuSample> = (0..8).map(gpu).collect();
    gpus[5] = GpuSample {
        index: 5,
        name: gpus[5].name.clone(),
        lost: true,
        ..GpuSample::default()
    };
    assert_snapshot!(panels(&app(GpuStatus::Present(gpus))));
}

#[test]
fn eight_gpus_are_nine_rows_each_with_its_reason_for_throttling() {
    let (cap, hot) = (
        Throttle::PowerCap,
        [Throttle::Thermal, Throttle::HardwareThermal],
    );
    let long = "too hot, slowed by hardware";
    for (reasons, words) in [(vec![cap], "power cap"), (hot.to_vec(), long)] {
        let gpus = (0..8).map(|index| GpuSample {
            throttle: Some(reasons.clone()),
            ..gpu(index)
        });
        let text = panel(&app(GpuStatus::Present(gpus.collect())), 80, 13);
        let rows: Vec<&str> = text.lines().collect();
        assert!(
            rows[1].contains("8 GPUs  H100 80GB HBM3  mean load"),
            "{text}"
        );
        for (index, row) in rows[2..10].iter().enumerate() {
            assert!(row.trim_start().starts_with(&index.to_string()), "{text}");
            assert_eq!(row.matches(words).count(), 1, "{text}");
        }
        assert_eq!(text.matches(&words[..7]).count(), 8, "{text}");
        assert!(rows[10].contains("cpu"), "{text}");
    }
}

#[test]
fn eight_gpus_take_a_row_each_in_few_columns_and_the_reason_for_throttling_comes_before_the_temperature()
 {
    let mut gpus: Vec<GpuSample> = (0..8).map(gpu).collect();
    gpus[2].throttle = Some(vec![Throttle::PowerCap]);
    gpus[3].throttle = Some(vec![Throttle::Hardware]);
    gpus[4].throttle = Some(vec![Throttle::HardwareThermal]);
    gpus[5].lost = true;
    for width in 37..60 {
        let text = panel(&app(GpuStatus::Present(gpus.clone())), width, 12);
        let rows: Vec<&str> = text.lines().collect();
        assert!(rows[1].contains("8 GPUs  mean load"), "{text}");
        for (index, row) in rows[2..10].iter().enumerate() {
            let start = format!(" {index}  ");
            assert!(row.starts_with(&start), "{text}");
            let has = |wanted: &str| assert!(row.contains(wanted), "{wanted}:\n{text}");
            match index {
                2 => has("power cap"),
                3 => has("slowed by hardware"),
                4 => has("too hot, slowed by"),
                5 => has("not reached"),
                _ => ["13/80 GiB", "61 °C", " %"].map(has).into_iter().collect(),
            }
            let columns = match index {
                2 => 56,
                3..6 => 60,
                _ => 45,
            };
            assert_eq!(row.contains(" W"), width >= columns, "{text}");
        }
        assert!(rows[10].contains("cpu"), "{text}");
        assert!(!text.contains("throttled"), "{text}");
    }
}

#[test]
fn names_that_brief_rows_leave_out_are_in_the_details() {
    let app = app(GpuStatus::Present((0..8).map(gpu).collect()));
    let text = panel(&app, 38, 200);
    let screen = panel_from(&app, 12, 38, 8);
    assert!(
        text.contains("0 H100 80GB HBM3  61 °C  312/700 W"),
        "{text}"
    );
    assert!(screen.contains("H100 80GB HBM3"), "{screen}");
}

#[test]
fn a_gpu_in_instances() {
    let mig = GpuSample {
        mig: true,
        utilization: None,
        ..gpu(1)
    };
    assert_snapshot!(panels(&app(GpuStatus::Present(vec![gpu(0), mig]))));
}

#[test]
fn everything_is_within_reach_by_scrolling() {
    let app = app(GpuStatus::Present((0..8).map(gpu).collect()));
    let mut seen = String::new();
    for top in 0..60 {
        seen += &panel_from(&app, top, 78, 4);
    }
    for wanted in [
        "8 GPUs  H100 80GB HBM3",
        " 7  load",
        "clocks SM 1755/1980, memory 2619/2619 MHz",
        "our worker 0 12.0 GiB (pid 4242)",
        "python (pid 99)",
        "cpu 1",
        "swap 0.5/2.0 GiB",
    ] {
        assert!(seen.contains(wanted), "{wanted:?} in:\n{seen}");
    }
}

#[test]
fn an_ascii_screen_has_an_ascii_panel() {
    let mut app = app(GpuStatus::Present(vec![gpu(0), reticent(1)]));
    app.theme = Theme::new(ThemeName::default(), ColourDepth::None, true);
    assert!(panels(&app).is_ascii());
}

#[test]
fn a_driver_that_has_failed_is_named_and_its_gpus_stay() {
    let mut app = app(GpuStatus::Present(vec![gpu(0)]));
    app.view.take_gpu(
        GpuStatus::Absent("NVML: the driver is unloaded".to_owned()),
        second(300),
    );
    let text = panel(&app, 78, 6);
    assert!(
        text.contains("the driver is unloaded") && text.contains("0 H100 80GB HBM3  not reached"),
        "{text}"
    );
}

/// Measurements that fluctuate slightly send nothing.
#[test]
fn a_gpu_that_fluctuates_leaves_the_panel_unchanged() {
    let mut app = app(GpuStatus::Present(vec![gpu(0)]));
    let before = panel(&app, 78, 4);
    let trembling = GpuSample {
        utilization: Some(0.88),
        power: Some(314.0),
        memory_used: Some(13 * GIB + GIB / 50),
        ..gpu(0)
    };
    app.view
        .take_gpu(GpuStatus::Present(vec![trembling]), second(302));
    assert_eq!(panel(&app, 78, 4), before);
}

/// A number from 0 to 1 that looks random.
fn noise(seed: u32) -> f64 {
    f64::from(
        seed.wrapping_mul(2_654_435_761)
            .rotate_left(13)
            .wrapping_mul(2_246_822_519)
            >> 8,
    ) / f64::from(1 << 24)
}

/// Number of cells that differ and of the runs they form, which a terminal receives as a move and
/// the characters.
fn cost(before: &str, after: &str) -> usize {
    let rows = before.lines().zip(after.lines());
    rows.map(|(before, after)| {
        let pad = |text: &str| format!("{text:<100}").chars().collect::<Vec<_>>();
        let differs: Vec<bool> = pad(before)
            .iter()
            .zip(pad(after))
            .map(|(one, other)| *one != other)
            .collect();
        let runs = (0..differs.len())
            .filter(|cell| differs[*cell] && (*cell == 0 || !differs[cell - 1]))
            .count();
        8 * runs + differs.iter().filter(|differs| **differs).count() * 3
    })
    .sum()
}

#[test]
fn two_busy_gpus_that_fluctuate_cost_few_bytes() {
    let status = |step: u32| {
        let busy = |index: u32| GpuSample {
            utilization: Some(0.94 + 0.05 * noise(step * 8 + index)),
            power: Some(640.0 + 30.0 * noise(step * 8 + index + 2)),
            temperature: Some(61 + u32::from(noise(step * 8 + index + 4) > 0.5)),
            ..gpu(index)
        };
        GpuStatus::Present(vec![busy(0), busy(1)])
    };
    let mut app = app(status(0));
    let mut before = panel(&app, 78, 4);
    let (mut bytes, seconds) = (0, 600);
    for step in 1..seconds / 2 {
        app.view
            .take_gpu(status(step), second(i64::from(300 + step * 2)));
        let after = panel(&app, 78, 4);
        bytes += cost(&before, &after);
        before = after;
    }
    let per_second = bytes as f64 / f64::from(seconds);
    assert!(per_second < 12.0, "{per_second} B/s");
}
