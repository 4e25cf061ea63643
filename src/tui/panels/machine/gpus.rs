//! The GPUs: one or two rows of essentials each, and details.

use super::super::{Row, join_fitting, join_ranked, labelled, words};
use super::{CHART, GAP, Room, packed, spaces};
use crate::telemetry::{GpuClock, GpuProcess, GpuSample};
use crate::tui::format;
use crate::tui::machine_view::{History, MachineView};
use crate::tui::paint::pieces_width;
use crate::tui::panels::scene::Scene;
use crate::tui::theme::Role;

/// Maximum width of a GPU's name in columns.
const NAME: usize = 20;
/// Minimum columns for a history beside the essentials.
const SHORTEST_HISTORY: usize = 12;
const LONGEST_HISTORY: usize = 60;
/// Number of GPUs from which on there is a row about all of them.
const TOTAL_FROM: usize = 4;
/// Columns from which on that row has room for their name.
const TOTAL_WIDTH: usize = 60;

/// Name, load, memory, temperature and power.
type Cells = [Row; 5];

/// Each GPU with its details below it; `None` if that takes more than `height` rows.
pub fn whole(scene: &Scene<'_>, room: &Room<'_>, height: usize) -> Option<Vec<Row>> {
    let gpus = scene.machine.gpus();
    let rows = |history: bool| -> Vec<Row> {
        let all = table(gpus, room).into_iter().zip(gpus);
        let each = all.flat_map(|(rows, gpu)| {
            [rows, indented(detail(scene, gpu, room, history, true))].concat()
        });
        total(gpus, room).into_iter().chain(each).collect()
    };
    // The history of a single GPU gets a chart if there is room.
    let without = rows(false);
    if gpus.len() == 1 && without.len() + CHART <= height {
        return Some(without);
    }
    Some(rows(true)).filter(|rows| rows.len() <= height)
}

/// The essential figures of every GPU, with the reason for throttling and the history beside them
/// if there is room.
pub fn essentials(machine: &MachineView, room: &Room<'_>) -> Vec<Row> {
    let gpus = machine.gpus();
    let mut all = table(gpus, room);
    let used = all
        .iter()
        .map(|rows| {
            if let [row] = &rows[..] {
                pieces_width(row)
            } else {
                room.width
            }
        })
        .max()
        .unwrap_or(0);
    let widest = |label: &str| {
        let widths = gpus.iter().map(|gpu| pieces_width(&throttle(gpu, label)));
        widths.max().unwrap_or(0)
    };
    // The reason tells by itself that the GPU is slowed down.
    let is_tight = used + GAP.len() + widest(THROTTLED) > room.width;
    let label = if is_tight { "" } else { THROTTLED };
    let words = widest(label);
    // Start column of the histories.
    let column = used + if words > 0 { GAP.len() + words } else { 0 };
    let history = room
        .width
        .saturating_sub(column + GAP.len())
        .min(LONGEST_HISTORY);
    for (rows, gpu) in all.iter_mut().zip(gpus) {
        let throttle = throttle(gpu, label);
        match &mut rows[..] {
            [row] if column <= room.width => {
                row.extend(
                    [
                        vec![spaces(if throttle.is_empty() { 0 } else { GAP.len() })],
                        throttle,
                    ]
                    .concat(),
                );
                let utilization = machine
                    .utilization(gpu.index)
                    .filter(|_| history >= SHORTEST_HISTORY);
                if let Some(utilization) = utilization {
                    row.push(spaces(column + GAP.len() - pieces_width(row)));
                    row.push(sparkline(utilization, history, room));
                }
            }
            _ if !throttle.is_empty() => {
                rows.extend(indented(vec![self::throttle(gpu, THROTTLED)]));
            }
            _ => {}
        }
    }
    total(gpus, room).into_iter().chain(all.concat()).collect()
}

/// All GPUs in one row, if they are many: their mean load, and the sums of their memory and power.
fn total(gpus: &[GpuSample], room: &Room<'_>) -> Option<Row> {
    if gpus.len() < TOTAL_FROM {
        return None;
    }
    let sum = |of: fn(&GpuSample) -> Option<f64>| {
        let known: Vec<f64> = gpus.iter().filter_map(of).collect();
        (!known.is_empty()).then(|| (known.iter().sum::<f64>(), known.len()))
    };
    let load = sum(|gpu| gpu.utilization).map(|(sum, count)| sum / count as f64);
    let bytes = |of: fn(&GpuSample) -> Option<u64>| gpus.iter().filter_map(of).sum::<u64>();
    let memory = format!(
        "{}/{} GiB",
        format::gibibytes(bytes(|gpu| gpu.memory_used)),
        format::gibibytes(bytes(|gpu| gpu.memory_total))
    );
    let power = sum(|gpu| gpu.power).map_or(Row::new(), |(watts, _)| {
        words(Role::Text, format!("{watts:.0} W"))
    });
    let groups = vec![
        (0, words(Role::Strong, format!("{} GPUs", gpus.len()))),
        (
            2,
            common_name(gpus, room).map_or(Row::new(), |name| words(Role::Text, name)),
        ),
        (1, room.meter("mean load", load)),
        (3, words(Role::Text, memory)),
        (4, power),
    ];
    Some(join_ranked(groups, GAP, room.width))
}

/// The name of the GPUs, if the row about all of them tells it, for which it has to be wide enough.
fn common_name(gpus: &[GpuSample], room: &Room<'_>) -> Option<String> {
    let names: Vec<String> = gpus.iter().map(|gpu| name_of(gpu, room)).collect();
    let is_told = gpus.len() >= TOTAL_FROM && room.width >= TOTAL_WIDTH;
    let first = names.first().filter(|_| is_told)?;
    names
        .iter()
        .all(|name| name == first)
        .then(|| first.clone())
}

fn name_of(gpu: &GpuSample, room: &Room<'_>) -> String {
    let name = gpu.name.as_deref().unwrap_or("unknown GPU");
    let name = name.trim_start_matches("NVIDIA ");
    format::fit(name, NAME, room.glyphs.ellipsis)
}

/// The details of every GPU, each with its number.
pub fn details(scene: &Scene<'_>, room: &Room<'_>) -> Vec<Row> {
    let gpus = scene.machine.gpus();
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
        if let Some(first) = rows.first_mut().and_then(|row| row.first_mut()) {
            *first = (Role::Strong, format!("{:<2}", gpu.index));
        }
        rows
    };
    gpus.iter().flat_map(numbered).collect()
}

fn indented(rows: Vec<Row>) -> Vec<Row> {
    rows.into_iter()
        .map(|row| [vec![spaces(2)], row].concat())
        .collect()
}

/// The essentials of each GPU: in columns if a row is wide enough, otherwise in two rows.
fn table(gpus: &[GpuSample], room: &Room<'_>) -> Vec<Vec<Row>> {
    let named = common_name(gpus, room).is_none();
    let mut all: Vec<Cells> = gpus.iter().map(|gpu| cells(gpu, named, room)).collect();
    let widths: Vec<usize> = (0..5)
        .map(|column| {
            all.iter()
                .map(|cells| pieces_width(&cells[column]))
                .max()
                .unwrap_or(0)
        })
        .collect();
    if widths.iter().sum::<usize>() + 4 * GAP.len() > room.width {
        return all.into_iter().map(|cells| two_rows(cells, room)).collect();
    }
    for (cell, width) in all
        .iter_mut()
        .flat_map(|cells| cells.iter_mut().zip(&widths))
    {
        cell.push(spaces(width - pieces_width(cell)));
    }
    all.into_iter()
        .map(|cells| vec![join_fitting(cells.to_vec(), GAP, room.width)])
        .collect()
}

fn two_rows([name, load, memory, temperature, power]: Cells, room: &Room<'_>) -> Vec<Row> {
    let first = join_fitting(vec![name, temperature, power], GAP, room.width);
    let second = join_fitting(vec![load, memory], GAP, room.width.saturating_sub(2));
    [
        vec![first],
        indented(vec![second])
            .into_iter()
            .filter(|row| row.len() > 1)
            .collect(),
    ]
    .concat()
}

fn cells(gpu: &GpuSample, named: bool, room: &Room<'_>) -> Cells {
    let mut name = vec![(Role::Strong, gpu.index.to_string())];
    if named {
        name.push((Role::Text, format!(" {}", name_of(gpu, room))));
    }
    if gpu.lost {
        return [
            name,
            vec![(Role::Error, "not reached".to_owned())],
            Row::new(),
            Row::new(),
            Row::new(),
        ];
    }
    let load = if gpu.mig {
        labelled("load", Role::Dim, "n/a (MIG)")
    } else {
        room.meter("load", gpu.utilization)
    };
    let memory = match (gpu.memory_used, gpu.memory_total) {
        (Some(used), Some(total)) => words(
            Role::Text,
            format!(
                "{:>4}/{} GiB",
                format::gibibytes(used),
                format::gibibytes(total)
            ),
        ),
        _ => labelled("memory", Role::Dim, "n/a"),
    };
    let temperature = match gpu.temperature {
        Some(degrees) => vec![(Role::Text, format!("{degrees} {}", room.glyphs.degree))],
        None => labelled("temp", Role::Dim, "n/a"),
    };
    let power = match (gpu.power, gpu.power_limit) {
        (Some(watts), Some(limit)) => vec![(Role::Text, format!("{watts:>3.0}/{limit:.0} W"))],
        (Some(watts), None) => vec![(Role::Text, format!("{watts:>3.0} W"))],
        (None, _) => labelled("power", Role::Dim, "n/a"),
    };
    [name, load, memory, temperature, power]
}

/// Before the reason.
const THROTTLED: &str = "throttled: ";

/// Why the GPU's clocks are reduced, after this label; empty if they are not or it does not report them.
fn throttle(gpu: &GpuSample, label: &str) -> Row {
    let words: Vec<&str> = gpu
        .throttle
        .iter()
        .flatten()
        .map(|throttle| throttle.words())
        .collect();
    if words.is_empty() {
        Row::new()
    } else {
        vec![(Role::Warning, format!("{label}{}", words.join(", ")))]
    }
}

/// Memory, clocks, energy, history and processes of one GPU, as far as it reports them, and if asked for, why it is
/// throttled.
fn detail(
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

/// The newest values in one row, the last at its right end.
fn sparkline(history: &History, columns: usize, room: &Room<'_>) -> (Role, String) {
    let levels: String = history
        .newest(columns)
        .map(|share| room.glyphs.levels[level(share)])
        .collect();
    let pad = " ".repeat(columns.saturating_sub(levels.chars().count()));
    (Role::Gauge, pad + &levels)
}

/// The level for a fraction: empty only for zero.
fn level(share: f64) -> usize {
    if share <= 0.0 {
        0
    } else {
        ((share * 8.0).round() as usize).clamp(1, 8)
    }
}
