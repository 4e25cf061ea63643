//! The details of a GPU: memory, clocks, energy, its latest load, and the processes on it.

use super::gpus::{THROTTLED, first_of_two, indented, is_brief, throttle};
use super::{Room, packed, sparkline};
use crate::telemetry::{GpuClock, GpuProcess, GpuSample};
use crate::tui::format;
use crate::tui::panels::scene::Scene;
use crate::tui::panels::{Row, labelled};
use crate::tui::theme::Role;

/// The details of every GPU, each with its number.
pub fn details(scene: &Scene<'_>, room: &Room<'_>) -> Vec<Row> {
    let gpus = scene.machine.gpus();
    // Rows that are brief do not tell names.
    let is_brief = is_brief(gpus, room);
    let numbered = |gpu: &GpuSample| {
        let mut rows = indented(detail(
            scene,
            gpu,
            &Room {
                width: room.width.saturating_sub(2),
                ..*room
            },
            true,
            false,
        ));
        if is_brief {
            rows.insert(0, first_of_two(gpu, room));
        } else if let Some(first) = rows.first_mut().and_then(|row| row.first_mut()) {
            *first = (Role::Strong, format!("{:<2}", gpu.index));
        }
        rows
    };
    gpus.iter().flat_map(numbered).collect()
}

/// Memory, clocks, energy, history and processes of one GPU, as far as it reports them, and if asked for, why it is
/// throttled.
pub fn detail(
    scene: &Scene<'_>,
    gpu: &GpuSample,
    room: &Room<'_>,
    history: bool,
    tells_throttle: bool,
) -> Vec<Row> {
    let machine = scene.machine;
    if gpu.lost {
        return Vec::new();
    }
    let share = gpu
        .memory_used
        .zip(gpu.memory_total)
        .filter(|(_, total)| *total > 0);
    let memory = share.map_or(Row::new(), |(used, total)| {
        room.meter("memory", Some(used as f64 / total as f64))
    });
    let calm = match &gpu.throttle {
        Some(reasons) if reasons.is_empty() => vec![(Role::Dim, "not throttled".to_owned())],
        _ if tells_throttle => throttle(gpu, THROTTLED),
        _ => Row::new(),
    };
    let energy = energy(scene, gpu.index);
    let groups = vec![memory, clocks(gpu), calm, energy];
    let mut rows = packed(groups, room.width.saturating_sub(2));
    if let Some(utilization) = machine.utilization(gpu.index).filter(|_| history) {
        let columns = room.width.saturating_sub(2 + "load ".len());
        rows.push(vec![
            (Role::Dim, "load ".to_owned()),
            sparkline(utilization, columns, room),
        ]);
    }
    let processes = gpu
        .processes
        .iter()
        .flatten()
        .map(|process| process_cell(process, room))
        .collect();
    rows.extend(packed(processes, room.width.saturating_sub(2)));
    rows
}

/// `clocks SM 1755/1980, memory 2619/2619 MHz`: current and maximum.
fn clocks(gpu: &GpuSample) -> Row {
    let speed =
        |GpuClock { now, max }: GpuClock| max.map_or(now.to_string(), |max| format!("{now}/{max}"));
    let clocks = [("SM", gpu.sm_clock), ("memory", gpu.memory_clock)];
    let known: Vec<String> = clocks
        .into_iter()
        .filter_map(|(name, clock)| Some(format!("{name} {}", speed(clock?))))
        .collect();
    if known.is_empty() {
        Row::new()
    } else {
        labelled("clocks", Role::Text, format!("{} MHz", known.join(", ")))
    }
}

/// Energy used by the GPU while this machine worked on the run, or if its journal does not tell, while the
/// screen was open, by whatever process; empty if it is not known.
fn energy(scene: &Scene<'_>, gpu: u32) -> Row {
    let machine = scene.machine;
    let since = || {
        let since = machine.since.to_zoned(scene.time_zone.clone());
        since.strftime(" since %H:%M").to_string()
    };
    let of_run = machine.watt_hours_of_run(&scene.live.load, gpu);
    let of_run = of_run.map(|watt_hours| (watt_hours, " in this run".to_owned()));
    let known = of_run.or_else(|| Some((machine.watt_hours(gpu)?, since())));
    let Some((watt_hours, when)) = known else {
        return Row::new();
    };
    let mut row = labelled("energy", Role::Text, format::coarse_energy(watt_hours));
    row.push((Role::Dim, when));
    row
}

/// A process: ours by role, with a mark; others by name.
fn process_cell(process: &GpuProcess, room: &Room<'_>) -> Row {
    let pid = format!(" (pid {})", process.pid);
    let memory = process.memory.map_or(String::new(), |bytes| {
        format!(" {} GiB", format::gibibytes(bytes))
    });
    match process.role {
        Some(role) => vec![
            (Role::Strong, format!("{} our {role}", room.glyphs.marker)),
            (Role::Text, memory),
            (Role::Dim, pid),
        ],
        None => {
            let name = process.name.as_deref().unwrap_or("process");
            vec![(Role::Text, format!("{name}{memory}")), (Role::Dim, pid)]
        }
    }
}
