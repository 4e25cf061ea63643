//! The GPUs: one or two rows of essentials each.

use super::super::{Row, fitting, join_fitting, join_ranked, labelled, words};
use super::gpu_details::detail;
use super::{CHART, GAP, Room, spaces, sparkline};
use crate::telemetry::GpuSample;
use crate::tui::format;
use crate::tui::machine_view::MachineView;
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

/// Number of rows of essentials if each GPU's details are below them.
pub fn essential_rows(gpus: &[GpuSample], room: &Room<'_>) -> usize {
    let total = usize::from(gpus.len() >= TOTAL_FROM);
    total + table(gpus, room).concat().len()
}

/// The essential figures of every GPU, with the reason for throttling and the history beside them
/// if there is room.
pub fn essentials(machine: &MachineView, room: &Room<'_>) -> Vec<Row> {
    let gpus = machine.gpus();
    if is_brief(gpus, room) {
        return total(gpus, room)
            .into_iter()
            .chain(brief(gpus, room))
            .collect();
    }
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

pub fn indented(rows: Vec<Row>) -> Vec<Row> {
    rows.into_iter()
        .map(|row| [vec![spaces(2)], row].concat())
        .collect()
}

/// The essentials of each GPU: in columns if a row is wide enough, otherwise in two rows.
fn table(gpus: &[GpuSample], room: &Room<'_>) -> Vec<Vec<Row>> {
    let mut all = all_cells(gpus, room);
    let widths = widths(&all);
    if !is_within(&widths, room.width) {
        return all.into_iter().map(|cells| two_rows(cells, room)).collect();
    }
    all.iter_mut().for_each(|cells| pad(cells, &widths));
    all.into_iter()
        .map(|cells| vec![join_fitting(cells.to_vec(), GAP, room.width)])
        .collect()
}

/// The essentials of each GPU, with its name unless the row about all of them has it.
fn all_cells(gpus: &[GpuSample], room: &Room<'_>) -> Vec<Cells> {
    let named = common_name(gpus, room).is_none();
    gpus.iter().map(|gpu| cells(gpu, named, room)).collect()
}

/// The widest cell of each column.
fn widths<const COLUMNS: usize>(all: &[[Row; COLUMNS]]) -> [usize; COLUMNS] {
    std::array::from_fn(|column| {
        let widths = all.iter().map(|cells| pieces_width(&cells[column]));
        widths.max().unwrap_or(0)
    })
}

fn is_within(widths: &[usize], room: usize) -> bool {
    widths.iter().sum::<usize>() + (widths.len() - 1) * GAP.len() <= room
}

fn pad(cells: &mut [Row], widths: &[usize]) {
    for (cell, width) in cells.iter_mut().zip(widths) {
        cell.push(spaces(width - pieces_width(cell)));
    }
}

/// Whether there are so many GPUs that each gets one row, in columns that are too few for their names, or
/// for the reasons for throttling beside them.
pub fn is_brief(gpus: &[GpuSample], room: &Room<'_>) -> bool {
    let reasons = gpus
        .iter()
        .map(|gpu| match pieces_width(&throttle(gpu, "")) {
            0 => 0,
            reason => GAP.len() + reason,
        });
    let left = room.width.checked_sub(reasons.max().unwrap_or(0));
    let widths = widths(&all_cells(gpus, room));
    gpus.len() >= TOTAL_FROM && !left.is_some_and(|left| is_within(&widths, left))
}

/// Each GPU in one row: its number, load, the reason for throttling, and what fits of memory, temperature and
/// power.
fn brief(gpus: &[GpuSample], room: &Room<'_>) -> Vec<Row> {
    let mut all: Vec<[Row; 5]> = gpus.iter().map(|gpu| brief_cells(gpu, room)).collect();
    let widths = widths(&all);
    let fits = fitting(
        widths.into_iter().enumerate().collect(),
        GAP.len(),
        room.width,
    );
    let row = |(cells, gpu): (&mut [Row; 5], &GpuSample)| {
        pad(cells, &widths);
        let throttle = throttle(gpu, "");
        let shown = cells.iter().zip(&fits).filter(|(_, fits)| **fits);
        let shown: Vec<Row> = shown.map(|(cell, _)| cell.clone()).collect();
        if throttle.is_empty() || gpu.lost {
            return join_fitting(shown, GAP, room.width);
        }
        // What takes too many columns is less important than the reason, which may be cut itself.
        let [number, load, memory, temperature, power] = cells.clone();
        let taken = pieces_width(&number) + pieces_width(&load) + 2 * GAP.len();
        let left = room.width.saturating_sub(taken);
        let cut = |(role, text): (Role, String)| {
            let text = format::fit(&text, left, room.glyphs.ellipsis);
            (role, text)
        };
        let throttle = throttle.into_iter().map(cut).collect();
        let groups = vec![
            (0, number),
            (1, load),
            (3, memory),
            (4, temperature),
            (5, power),
            (2, throttle),
        ];
        join_ranked(groups, GAP, room.width)
    };
    all.iter_mut().zip(gpus).map(row).collect()
}

/// Number, load, memory, temperature and power in few columns.
fn brief_cells(gpu: &GpuSample, room: &Room<'_>) -> [Row; 5] {
    let [_, load, memory, temperature, power] = cells(gpu, false, room);
    let number = vec![(Role::Strong, gpu.index.to_string())];
    let without_label = |row: Row| match row.len() {
        0 | 1 => row,
        _ => row[1..].to_vec(),
    };
    let whole = |bytes: u64| format!("{:.0}", bytes as f64 / f64::from(1u32 << 30));
    let memory = match gpu.memory_used.zip(gpu.memory_total) {
        Some((used, total)) => {
            let total = whole(total);
            let used = format!("{:>1$}", whole(used), total.len());
            words(Role::Text, format!("{used}/{total} GiB"))
        }
        None => memory,
    };
    [number, without_label(load), memory, temperature, power]
}

/// The first of two rows about a GPU.
pub fn first_of_two(gpu: &GpuSample, room: &Room<'_>) -> Row {
    first_row(cells(gpu, true, room), room)
}

fn two_rows(cells: Cells, room: &Room<'_>) -> Vec<Row> {
    let [_, load, memory, ..] = &cells;
    let second = vec![load.clone(), memory.clone()];
    let second = join_fitting(second, GAP, room.width.saturating_sub(2));
    let second = Some(second).filter(|row| !row.is_empty());
    let second = indented(Vec::from_iter(second));
    [vec![first_row(cells, room)], second].concat()
}

fn first_row([name, _, _, temperature, power]: Cells, room: &Room<'_>) -> Row {
    join_fitting(vec![name, temperature, power], GAP, room.width)
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
pub const THROTTLED: &str = "throttled: ";

/// Why the GPU's clocks are reduced, after this label; empty if they are not or it does not report them.
pub fn throttle(gpu: &GpuSample, label: &str) -> Row {
    let all = gpu.throttle.iter().flatten();
    let mut words: Vec<&str> = Vec::new();
    // Some contain what others say.
    for word in all.flat_map(|throttle| throttle.words().split(", ")) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    if words.is_empty() {
        Row::new()
    } else {
        vec![(Role::Warning, format!("{label}{}", words.join(", ")))]
    }
}
