//! The host: processors, memory and our processes.

use super::super::{Row, join_fitting, labelled, words};
use super::{GAP, Room, packed};
use crate::telemetry::{HostSample, HostStatus, ProcessSample};
use crate::tui::format;
use crate::tui::theme::Role;

/// Every processor and the memory.
pub fn rows(host: &HostStatus, room: &Room<'_>) -> Vec<Row> {
    let host = match host {
        HostStatus::Present(host) => host,
        HostStatus::Unavailable(reason) => {
            return vec![vec![(Role::Dim, format!("no host figures: {reason}"))]];
        }
        HostStatus::Starting => return vec![vec![(Role::Dim, "measuring the host".to_owned())]],
    };
    let label_width = host.cores.len().saturating_sub(1).to_string().len();
    let mut rows = processors(host, room, label_width);
    rows.push(memory(host, room, &format!("mem {:>label_width$}", "")));
    rows
}

/// Processors and memory in one row; `None` if they are not known.
pub fn essentials(host: &HostStatus, room: &Room<'_>) -> Option<Row> {
    let HostStatus::Present(host) = host else {
        return None;
    };
    let processors = room.meter("cpu", Some(host.busy()));
    Some(join_fitting(
        vec![
            processors,
            labelled("mem", Role::Text, bytes(host)),
            load(host),
        ],
        GAP,
        room.width,
    ))
}

fn processors(host: &HostSample, room: &Room<'_>, label_width: usize) -> Vec<Row> {
    let cell_width = 4 + label_width + 1 + room.bar() + 6 + GAP.len();
    let per_row = ((room.width + GAP.len()) / cell_width).max(1);
    // With more processors than a panel shows: one figure for all, and the busiest.
    if host.cores.len() > 4 * per_row {
        let busiest = host.cores.iter().copied().fold(0.0, f64::max);
        let all = room.meter(&format!("{} cpus", host.cores.len()), Some(host.busy()));
        return vec![join_fitting(
            vec![all, room.meter("busiest", Some(busiest))],
            GAP,
            room.width,
        )];
    }
    let cell = |(core, share): (usize, &f64)| {
        room.meter(&format!("cpu {core:>label_width$}"), Some(*share))
    };
    let cells: Vec<Row> = host.cores.iter().enumerate().map(cell).collect();
    cells
        .chunks(per_row)
        .map(|cells| join_fitting(cells.to_vec(), GAP, room.width))
        .collect()
}

fn memory(host: &HostSample, room: &Room<'_>, label: &str) -> Row {
    let share = (host.memory_total > 0).then(|| host.memory_used as f64 / host.memory_total as f64);
    let swap = if format::gibibytes(host.swap_used) == "0.0" {
        Row::new()
    } else {
        let (used, total) = (
            format::gibibytes(host.swap_used),
            format::gibibytes(host.swap_total),
        );
        labelled("swap", Role::Text, format!("{used}/{total} GiB"))
    };
    join_fitting(
        vec![
            room.meter(label, share),
            vec![(Role::Text, bytes(host))],
            load(host),
            swap,
        ],
        GAP,
        room.width,
    )
}

fn bytes(host: &HostSample) -> String {
    format!(
        "{}/{} GiB",
        format::gibibytes(host.memory_used),
        format::gibibytes(host.memory_total)
    )
}

fn load(host: &HostSample) -> Row {
    host.load.map_or(Row::new(), |load| {
        labelled("load", Role::Text, format!("{load:.1}"))
    })
}

/// All our processes together: processor time (100 % is one processor), memory, disk traffic.
pub fn our_rows(host: &HostStatus, room: &Room<'_>) -> Vec<Row> {
    let HostStatus::Present(HostSample { ours, .. }) = host else {
        return Vec::new();
    };
    if ours.is_empty() {
        return Vec::new();
    }
    // Without one of them it would be too small: of a process that is new, nothing is known yet.
    let sum = |of: fn(&ProcessSample) -> Option<f64>| ours.iter().map(of).sum::<Option<f64>>();
    let resident = ours.iter().map(|process| process.resident).sum();
    let count = if ours.len() == 1 {
        "1 process".to_owned()
    } else {
        format!("{} processes", ours.len())
    };
    let usage = usage(sum(|process| process.cpu), resident);
    let traffic = traffic(sum(|process| process.read), sum(|process| process.written));
    packed(
        vec![labelled("ours", Role::Text, count), usage, traffic],
        room.width,
    )
}

/// Each of our processes.
pub fn process_rows(host: &HostStatus, width: usize) -> Vec<Row> {
    let HostStatus::Present(host) = host else {
        return Vec::new();
    };
    let row = |process: &ProcessSample| {
        let name = vec![(Role::Text, format!("{:<9}", process.role.to_string()))];
        let pid = labelled("pid", Role::Text, process.pid.to_string());
        let usage = usage(process.cpu, process.resident);
        join_fitting(
            vec![name, usage, pid, traffic(process.read, process.written)],
            GAP,
            width,
        )
    };
    host.ours.iter().map(row).collect()
}

fn usage(cpu: Option<f64>, resident: u64) -> Row {
    let cpu = cpu.map_or("n/a".to_owned(), |cpu| format!("{:>3.0} %", cpu * 100.0));
    [
        labelled("cpu", Role::Text, cpu),
        words(
            Role::Text,
            format!("{GAP}{} GiB", format::gibibytes(resident)),
        ),
    ]
    .concat()
}

fn traffic(read: Option<f64>, written: Option<f64>) -> Row {
    let (Some(read), Some(written)) = (read, written) else {
        return Row::new();
    };
    let (read, written) = (
        format!("{:.1}", read / 1e6),
        format!("{:.1} MB/s", written / 1e6),
    );
    [
        labelled("disk read", Role::Text, read),
        labelled(" written", Role::Text, written),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::ProcessRole;
    use crate::tui::sample;

    #[test]
    fn the_load_of_all_processes_is_not_available_while_that_of_one_is_unknown() {
        let process = |role, cpu| ProcessSample {
            pid: 4_242,
            role,
            cpu,
            resident: 1 << 30,
            read: cpu.and(Some(0.0)),
            written: cpu.and(Some(0.0)),
        };
        let text = |training: Option<f64>| {
            let ours = vec![
                process(ProcessRole::Screen, Some(0.02)),
                process(ProcessRole::Training, training),
            ];
            let host = HostStatus::Present(HostSample {
                ours,
                ..HostSample::default()
            });
            let theme = sample::plain(false);
            let room = Room {
                glyphs: &theme.glyphs,
                width: 100,
            };
            let rows = our_rows(&host, &room).concat().into_iter();
            rows.map(|(_, text)| text).collect::<String>()
        };
        assert_eq!(text(None), "ours 2 processes  cpu n/a  2.0 GiB");
        assert!(text(Some(1.88)).starts_with("ours 2 processes  cpu 190 %"));
    }
}
