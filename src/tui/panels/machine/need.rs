//! How many rows the panel needs, by what hardly changes: the machine, and how many processes work there.

use super::gpus::essential_rows;
use super::{Room, host, packed, reason_rows, spaces};
use crate::telemetry::HostStatus;
use crate::tui::panels::Row;
use crate::tui::panels::scene::Scene;

/// Columns of the parts of a row about our processes: their number, what they use, and their traffic.
const OURS: [usize; 3] = [17, 17, 35];
/// Columns of a process on a GPU.
const GPU_PROCESS: usize = 34;
/// Columns of a GPU's clocks, of why it is throttled, and of its energy.
const FIGURES: [usize; 3] = [42, 24, 27];

/// All rows in `width` columns except charts; `None` before the machine has been measured.
pub fn rows(scene: &Scene<'_>, width: usize) -> Option<usize> {
    let machine = scene.machine;
    let room = Room {
        glyphs: scene.glyphs(),
        width,
    };
    let host = match &machine.host {
        HostStatus::Starting => return None,
        HostStatus::Unavailable(_) => 1,
        HostStatus::Present(_) => host::rows(&machine.host, &room).len(),
    };
    let ours = match machine.processes {
        0 => 0,
        processes => packed_rows(&OURS, width) + processes,
    };
    // The first child that ends on a GPU moves nothing.
    let has_energy = scene.live.search().energy.mean().is_some();
    let energy = usize::from(has_energy || !machine.gpus().is_empty());
    let reason = reason_rows(scene, width).len();
    Some(reason + gpus(scene, &room) + host + ours + energy)
}

/// The GPUs, each with its details below it.
fn gpus(scene: &Scene<'_>, room: &Room<'_>) -> usize {
    let gpus = scene.machine.gpus();
    if gpus.is_empty() {
        return 0;
    }
    let width = room.width.saturating_sub(2);
    let workers = scene
        .live
        .search()
        .started
        .as_ref()
        .map_or(1, |run| run.workers);
    // The processes of each, and one of someone else.
    let processes = vec![GPU_PROCESS; workers.div_ceil(gpus.len()) + 1];
    let memory = "memory ".len() + room.bar() + " 100 %".len();
    let figures = [&[memory][..], &FIGURES].concat();
    // Below them is the history of the load.
    let details = packed_rows(&figures, width) + 1 + packed_rows(&processes, width);
    essential_rows(gpus, room) + gpus.len() * details
}

/// Rows into which parts of these widths fit.
fn packed_rows(widths: &[usize], width: usize) -> usize {
    let groups = widths.iter().map(|width| Row::from([spaces(*width)]));
    packed(groups.collect(), width).len()
}
