//! The machine: every GPU or the reason why there is none; the host; our processes; and the energy
//! the run used.
//!
//! If everything fits, each GPU's details are below it. Otherwise the essentials come first, and
//! the details can be scrolled to.

mod gpu_details;
mod gpus;
mod host;
mod need;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::panel::{ANY_RUN, About, PANELS, Scrolled, TextPanel};
use super::{Content, Row, join_fitting, labelled, words, wrapped};
use crate::config::LayoutName;
use crate::link::LinkStatus;
use crate::state::RunState;
use crate::telemetry::{GpuStatus, HostStatus};
use crate::tui::format;
use crate::tui::machine_view::{History, MachineView, SECONDS_PER_POINT};
use crate::tui::paint::{Piece, bar, pieces_width};
use crate::tui::panels::scene::Scene;
use crate::tui::theme::{Glyphs, Role};
use unicode_width::UnicodeWidthStr;

/// Between groups in a row.
const GAP: &str = "  ";
/// Minimum height of a history's chart: a gap, its label and two rows of columns.
const CHART: usize = 4;
/// Maximum number of rows of columns.
const CHART_COLUMNS: usize = 12;

/// The panel.
#[derive(Debug, Clone, Default)]
pub struct Machine;

#[linkme::distributed_slice(PANELS)]
static ABOUT: About = About {
    leads: &[LayoutName::Machine],
    need: need::rows,
    fills_more: true,
    ..About::of::<Scrolled<Machine>>("machine", "Machine", 120, ANY_RUN)
};

impl TextPanel for Machine {
    fn title(&self, scene: &Scene<'_>, width: usize) -> (Cow<'static, str>, Row) {
        let (name, mut beside) = title(scene, width);
        if shows_another_time(scene) {
            if let Some((_, first)) = beside.first_mut() {
                first.insert_str(0, &format!(" {} ", scene.glyphs().separator));
            }
            beside.insert(0, (Role::Warning, NOT_THEN.to_owned()));
        }
        (name.into(), beside)
    }

    fn content(&self, scene: &Scene<'_>, width: usize, height: usize) -> Content {
        content(scene, width, height)
    }
}

/// What stands beside the title while the other panels show an earlier moment.
const NOT_THEN: &str = "now, not then";

/// Whether the other panels do not show the present, as this one does.
fn shows_another_time(scene: &Scene<'_>) -> bool {
    scene.in_the_past() || matches!(scene.link, LinkStatus::Replay { .. })
}

/// The panel's name, and the state of NVML, for a panel of `width` columns.
fn title(scene: &Scene<'_>, width: usize) -> (&'static str, Row) {
    let machine = scene.machine;
    let old = match &machine.trouble {
        _ if machine.is_silent(scene.now) => Some("NVML does not answer"),
        Some(reason) => Some(reason.as_str()),
        None => None,
    };
    match (&machine.gpu, old) {
        (GpuStatus::Absent(reason), _) => match reason_rows(scene, width).is_empty() {
            true => ("Host", words(Role::Dim, no_gpu(reason))),
            false => ("Host", Row::new()),
        },
        (_, Some(reason)) if machine.trouble.is_some() => {
            ("GPU", vec![(Role::Warning, reason.to_owned())])
        }
        (_, Some(reason)) => (
            "GPU",
            vec![
                (Role::Warning, reason.to_owned()),
                (Role::Dim, ": old values".to_owned()),
            ],
        ),
        (GpuStatus::Starting, None) => ("GPU", vec![(Role::Dim, "asking NVML".to_owned())]),
        (GpuStatus::Present(_), None) if trains_on_cpu(scene.state) => (
            "GPU",
            vec![(Role::Warning, "unused: this run is on the CPU".to_owned())],
        ),
        (GpuStatus::Present(_), None) => ("GPU", Row::new()),
    }
}

/// Whether the run trains on the CPU, in which case any load on the GPUs below comes from others.
/// Between two children this is taken from the start of the run.
fn trains_on_cpu(state: &RunState) -> bool {
    let mut at_work = state
        .search()
        .by_worker
        .values()
        .map(|training| training.device.as_str())
        .peekable();
    if at_work.peek().is_some() {
        return at_work.all(|device| device == "cpu");
    }
    state.device() == Some("cpu")
}

/// The panel's content for `width` x `height`, below its title.
fn content(scene: &Scene<'_>, width: usize, height: usize) -> Content {
    let machine = scene.machine;
    let room = Room {
        glyphs: scene.glyphs(),
        width,
    };
    let host = host::rows(&machine.host, &room);
    let run = [
        host::our_rows(&machine.host, &room),
        energy_rows(scene, width),
    ]
    .concat();
    let processes = host::process_rows(&machine.host, width);
    let mut body = reason_rows(scene, width);
    let left = height.saturating_sub(body.len() + host.len() + run.len() + processes.len());
    if machine.gpus().is_empty() {
        body.extend([host, run, processes].concat());
    } else if let Some(rows) = gpus::whole(scene, &room, left) {
        body.extend([rows, host, run, processes].concat());
    } else {
        body.extend(gpus::essentials(machine, &room));
        body.extend(host::essentials(&machine.host, &room));
        body.extend([run, gpu_details::details(scene, &room), host, processes].concat());
    }
    if let Some((label, history)) = chart(machine).filter(|_| body.len() + CHART <= height) {
        let rows = (height - body.len() - 2).min(CHART_COLUMNS);
        body.push(Row::new());
        body.extend(history_rows(label, history, &room, rows));
    }
    body.into()
}

/// What rows are made for.
struct Room<'a> {
    glyphs: &'a Glyphs,
    width: usize,
}

impl Room<'_> {
    /// A fraction as a bar and a percentage.
    fn meter(&self, label: &str, share: Option<f64>) -> Row {
        let Some(share) = share else {
            return labelled(label, Role::Dim, "n/a");
        };
        let mut row = vec![(Role::Dim, format!("{label} "))];
        row.extend(bar(self.glyphs, self.bar(), share, Role::Gauge));
        row.push((Role::Text, format!(" {:>3.0} %", share * 100.0)));
        row
    }

    /// Columns of a bar beside a percentage.
    fn bar(&self) -> usize {
        if self.width < 60 { 6 } else { 10 }
    }
}

/// Columns of the title besides what is written there: ` Host `, and a position as ` 10-12 of 14 `.
const AROUND_TITLE: usize = 21;

fn no_gpu(reason: &str) -> String {
    format!("no GPU: {reason}")
}

/// The reason for the missing GPU, if the title of a panel of `width` columns has no room for it.
fn reason_rows(scene: &Scene<'_>, width: usize) -> Vec<Row> {
    let GpuStatus::Absent(reason) = &scene.machine.gpu else {
        return Vec::new();
    };
    let text = no_gpu(reason);
    let before = match shows_another_time(scene) {
        true => NOT_THEN.len() + 3,
        false => 0,
    };
    if AROUND_TITLE + before + text.width() <= width {
        return Vec::new();
    }
    wrapped(Role::Dim, &text, width)
}

/// The energy used by the children that have ended, if their GPUs report it.
fn energy_rows(scene: &Scene<'_>, width: usize) -> Vec<Row> {
    let energy = &scene.state.search().energy;
    let Some(mean) = energy.mean() else {
        return Vec::new();
    };
    let total = [
        labelled("energy", Role::Strong, format::energy(energy.watt_hours)),
        vec![(Role::Dim, " so far".to_owned())],
    ];
    let mean = vec![
        (Role::Text, format::energy(mean)),
        (Role::Dim, " a child".to_owned()),
    ];
    vec![join_fitting(vec![total.concat(), mean], "  ", width)]
}

/// The history that is drawn if there is room.
fn chart(machine: &MachineView) -> Option<(&'static str, &History)> {
    let chart = match (machine.gpus().len(), &machine.host) {
        (0, HostStatus::Present(_)) => ("processor load", &machine.host_history),
        (0, _) => return None,
        (1, _) => ("GPU utilisation", &machine.gpu_history),
        _ => ("mean GPU utilisation", &machine.gpu_history),
    };
    // Of a run that is over, or in a replay, nothing is recorded.
    let (_, history) = chart;
    history.newest(1).next().map(|_| chart)
}

/// The newest values as columns of `rows` rows, 0 to 100 %.
fn history_rows(label: &str, history: &History, room: &Room<'_>, rows: usize) -> Vec<Row> {
    let shown: Vec<f64> = history.newest(room.width).collect();
    let mut lines = vec![words(
        Role::Dim,
        format!("{label}, 0 to 100 %, {SECONDS_PER_POINT} s a column"),
    )];
    for row in (0..rows).rev() {
        let cells = shown.iter().map(|share| {
            let eighths = (share.clamp(0.0, 1.0) * rows as f64 * 8.0).round() as usize;
            room.glyphs.levels[eighths.saturating_sub(row * 8).min(8)]
        });
        let pad = " ".repeat(room.width.saturating_sub(shown.len()));
        lines.push(vec![(Role::Gauge, pad + &cells.collect::<String>())]);
    }
    lines
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

/// The groups in as few rows as possible, in order.
fn packed(groups: Vec<Row>, width: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for group in groups.into_iter().filter(|group| !group.is_empty()) {
        match rows.last_mut() {
            Some(row) if pieces_width(row) + GAP.len() + pieces_width(&group) <= width => {
                row.push(spaces(GAP.len()));
                row.extend(group);
            }
            _ => rows.push(group),
        }
    }
    rows
}

fn spaces(count: usize) -> Piece {
    (Role::Text, " ".repeat(count))
}
