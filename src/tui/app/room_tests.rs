//! Rows go where the content of a panel needs them, and nothing moves when a child ends.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use ratatui::layout::{Rect, Size};

use super::App;
use crate::config::{Characters, LayoutName, ScreenConfig};
use crate::event::{Event, Record};
use crate::link::LinkStatus;
use crate::state::RunState;
use crate::telemetry::{
    GpuSample, GpuStatus, HostSample, HostStatus, ProcessRole, ProcessSample, Throttle,
};
use crate::tui::panels::PanelId;
use crate::tui::{Settings, sample};

const LAYOUTS: [LayoutName; 6] = [
    LayoutName::Overview,
    LayoutName::Learning,
    LayoutName::Children,
    LayoutName::Network,
    LayoutName::Machine,
    LayoutName::Log,
];

/// A screen of this size after these records, on a machine with so many GPUs.
pub(super) fn app(records: &[Record], gpus: u32, (width, height): (u16, u16)) -> App {
    let config = ScreenConfig {
        characters: Characters::Unicode,
        ..ScreenConfig::default()
    };
    let settings = Settings::new(&config, |_| None).unwrap();
    let size = Size::new(width, height);
    let mut app = App::new(&settings, TimeZone::UTC, size, records[0].time);
    records.iter().for_each(|record| app.take(record));
    let process = |role| ProcessSample {
        pid: 4_240,
        role,
        cpu: Some(0.97),
        resident: 1 << 30,
        read: Some(0.0),
        written: Some(120_000.0),
    };
    let roles = [
        ProcessRole::Search,
        ProcessRole::Worker(0),
        ProcessRole::Worker(1),
    ];
    app.view.take_host(HostStatus::Present(HostSample {
        cores: vec![0.84, 0.93],
        memory_used: 3 << 30,
        memory_total: 24 << 30,
        swap_used: 0,
        swap_total: 0,
        load: Some(2.1),
        ours: roles.map(process).into(),
    }));
    let status = match gpus {
        0 => GpuStatus::Absent("libnvidia-ml.so[.1] not found".to_owned()),
        _ => GpuStatus::Present((0..gpus).map(gpu).collect()),
    };
    for step in 0..20 {
        let time = records[0].time + jiff::SignedDuration::from_secs(2 * step);
        app.view.take_gpu(status.clone(), time);
    }
    app.refresh();
    app
}

fn gpu(index: u32) -> GpuSample {
    GpuSample {
        index,
        name: Some("NVIDIA H100 80GB HBM3".to_owned()),
        utilization: Some(0.87),
        memory_used: Some(13 << 30),
        memory_total: Some(80 << 30),
        temperature: Some(61),
        power: Some(312.4),
        power_limit: Some(700.0),
        throttle: Some(vec![Throttle::PowerCap]),
        ..GpuSample::default()
    }
}

/// The panels that are shown, and where.
type Shown = Vec<(PanelId, Rect)>;

/// Areas in each layout of the run so far.
fn areas(app: &mut App) -> Vec<Shown> {
    let of = |layout| {
        app.show_layout(layout);
        app.areas().expect("large enough").panels
    };
    LAYOUTS.map(of).into()
}

/// The text of a panel that is `width` columns wide and has as many rows as it says that it needs.
pub(super) fn drawn(app: &App, panel: PanelId, width: u16) -> Option<String> {
    let scene = app.scene();
    let height = scene.need(panel, width)?;
    let of_panel = app.view.panels.get(panel);
    Some(sample::drawn((width, height), false, |painter| {
        of_panel.draw(&scene, false, painter);
    }))
}

/// Whether a title ends with a position as `1-7 of 9`.
fn is_cut(text: &str) -> bool {
    let title = text.lines().next().unwrap_or_default();
    let words: Vec<&str> = title.split_whitespace().collect();
    let is_number = |word: &str| {
        word.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
    };
    let mut windows = words.windows(3);
    windows.any(|words| words[1] == "of" && is_number(words[0]) && is_number(words[2]))
}

#[test]
fn no_panel_of_a_search_is_cut_in_as_many_rows_as_it_says_that_it_needs() {
    let records = sample::records();
    let mut seen = 0;
    for gpus in [0, 1, 2, 4, 8] {
        for end in [records.len() / 2, records.len() * 4 / 5, records.len()] {
            let app = app(&records[..end], gpus, (120, 40));
            for panel in PanelId::of(app.kind()) {
                for width in [36, 40, 50, 60, 79, 100, 120, 200] {
                    if let Some(text) = drawn(&app, panel, width) {
                        seen += 1;
                        assert!(!is_cut(&text), "{gpus} GPUs, {width} columns:\n{text}");
                    }
                }
            }
        }
    }
    assert!(seen > 500, "{seen}");
}

#[test]
fn panels_stay_where_they_are_from_child_to_child() {
    let records = sample::records();
    for size in [(60, 30), (80, 24), (120, 40), (200, 50)] {
        let mut before: Option<(usize, Vec<Shown>)> = None;
        for end in (records.len() / 3..records.len()).step_by(7) {
            if matches!(records[end - 1].event, Event::RunFinished { .. }) {
                continue;
            }
            let mut app = app(&records[..end], 0, size);
            let depth = app.live.search().depth;
            let areas = areas(&mut app);
            if let Some((depth_before, areas_before)) = &before {
                assert!(
                    *depth_before != depth || *areas_before == areas,
                    "{size:?} {end}"
                );
            }
            before = Some((depth, areas));
        }
    }
}

#[test]
fn panels_do_not_move_with_every_layer_that_is_added() {
    let (records, mut heights, mut depths) = (sample::records(), BTreeSet::new(), BTreeSet::new());
    let mut state = RunState::default();
    for (end, record) in records.iter().enumerate() {
        state.apply(record);
        if matches!(record.event, Event::EpisodeStarted { .. }) {
            let app = app(&records[..=end], 0, (200, 50));
            let controller = app.areas().unwrap().of(PanelId("controller")).unwrap();
            heights.insert(controller.height);
            depths.insert(state.search().depth);
        }
    }
    // For up to 6 layers, before it is known that they become more, and for up to 8 and 12.
    assert_eq!(
        (heights.len(), depths.len()),
        (3, 6),
        "{heights:?} {depths:?}"
    );
}

#[test]
fn the_leaderboard_takes_the_rows_that_the_host_does_not_need() {
    let app = app(&sample::records(), 0, (200, 50));
    let areas = app.areas().unwrap();
    let of = |panel| areas.of(PanelId(panel)).unwrap();
    let (leaderboard, machine) = (of("leaderboard"), of("machine"));
    assert_eq!(
        Some(machine.height),
        app.scene().need(PanelId("machine"), machine.width)
    );
    assert_eq!(leaderboard.bottom(), machine.y);
    assert!(leaderboard.height > 20, "{leaderboard:?}");
}

#[test]
fn the_effects_are_whole_beside_the_chart_and_alone_at_the_usual_size() {
    let mut app = app(&sample::records(), 0, (120, 40));
    app.show_layout(LayoutName::Learning);
    let areas = app.areas().unwrap();
    for panel in [PanelId("controller"), PanelId("effects")] {
        let area = areas.of(panel).unwrap();
        assert!(
            Some(area.height) >= app.scene().need(panel, area.width),
            "{panel:?} {area:?}"
        );
    }
    app.view.size = Size::new(80, 24);
    app.view.focus = PanelId("effects");
    let alone = app.areas().unwrap().of(PanelId("effects")).unwrap();
    let need = app.scene().need(PanelId("effects"), alone.width);
    assert!(Some(alone.height) >= need, "{need:?}");
}

#[test]
fn only_when_the_run_has_ended_are_there_rows_for_its_result() {
    let (mut records, workers) = (sample::records(), PanelId("workers"));
    for record in &mut records {
        if let Event::RunStarted(run) = &mut record.event {
            run.workers = 1;
        }
    }
    let half = app(&records[..records.len() / 2], 0, (80, 24));
    assert_eq!(half.scene().need(workers, 80), Some(1 + 2));
    let whole = app(&records, 0, (80, 24));
    assert_eq!(whole.scene().need(workers, 80), Some(1 + 4));
}

#[test]
fn how_far_a_child_is_stands_beside_its_layers_only_while_no_other_panel_tells_it() {
    let records = sample::records();
    let mut app = app(&records[..records.len() / 2], 0, (200, 50));
    let dna = |app: &App| {
        let scene = app.scene();
        sample::drawn((80, 24), false, |painter| {
            app.view
                .panels
                .get(PanelId("dna"))
                .draw(&scene, false, painter);
        })
    };
    let beside = dna(&app);
    assert!(
        beside.contains("entropy ") && !beside.contains(" img/s"),
        "{beside}"
    );
    app.view.focus = PanelId("dna");
    app.view.maximised = true;
    let alone = dna(&app);
    assert!(
        alone.contains(" img/s") && !alone.contains("entropy "),
        "{alone}"
    );
}

#[test]
fn no_row_between_facts_and_layers_is_empty_while_a_layer_does_not_fit() {
    let (mut app, dna) = (app(&sample::records(), 0, (80, 24)), PanelId("dna"));
    app.view.chosen = Some(96);
    let scene = app.scene();
    // The last child has 11 layers, and the panel room for 12.
    let need = scene.need(dna, 80).unwrap() - 1;
    let has_gap = |height| {
        let panel = app.view.panels.get(dna);
        let text = sample::drawn((80, height), false, |painter| {
            panel.draw(&scene, false, painter);
        });
        text.lines().nth(3).unwrap().is_empty()
    };
    assert_eq!(
        [need - 1, need, need + 1].map(has_gap),
        [false, false, true]
    );
}

#[test]
fn the_reason_for_a_missing_gpu_stands_in_the_title_or_below_it_and_not_twice() {
    let (mut app, machine) = (app(&sample::records(), 0, (120, 40)), PanelId("machine"));
    for is_replay in [false, true] {
        if is_replay {
            let (speed, paused, ended) = (4.0, false, false);
            app.take_link(LinkStatus::Replay {
                speed,
                paused,
                ended,
            });
        }
        for width in 36..100 {
            let text = drawn(&app, machine, width).unwrap();
            assert_eq!(text.matches("libnvidia-ml").count(), 1, "{text}");
            let title = text.lines().next().unwrap();
            assert_eq!(title.contains("now, not then"), is_replay, "{title}");
            assert!(!title.contains("then  "), "{title}");
            let both = "now, not then · no GPU: ";
            let is_in_title = title.contains("no GPU");
            assert_eq!(title.contains(both), is_replay && is_in_title, "{title}");
        }
    }
}

#[test]
fn eight_gpus_fit_into_the_layout_of_the_machine_at_the_usual_size() {
    let mut app = app(&sample::records(), 8, (80, 24));
    app.show_layout(LayoutName::Machine);
    let text = sample::drawn((80, 24), false, |painter| {
        let scene = app.scene();
        for (panel, area) in app.areas().unwrap().panels {
            app.view
                .panels
                .get(panel)
                .draw(&scene, false, &mut painter.part(area));
        }
    });
    assert!(
        text.contains("8 GPUs") && text.contains("mean load"),
        "{text}"
    );
    for index in 0..8 {
        assert!(text.contains(&format!("\n {index}  load")), "{text}");
    }
    assert!(
        text.contains("\n cpu ") && text.contains("\n ours 3 processes"),
        "{text}"
    );
}
