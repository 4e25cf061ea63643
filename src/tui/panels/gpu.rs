//! The machine: every GPU, or, where there is none, why not; then processors and memory.

use jiff::SignedDuration;

use super::{Content, Row, join_fitting, labelled};
use crate::telemetry::{GpuSample, GpuStatus, HostSample, HostStatus};
use crate::tui::app::App;
use crate::tui::format;
use crate::tui::paint::{Painter, bar, pieces_width};
use crate::tui::theme::{Glyphs, Role};
use crate::tui::view::{History, Panel};

/// A GPU that has not answered for so long is said to be silent. (Waking one from its sleep takes seconds.)
const NVML_PATIENCE: SignedDuration = SignedDuration::from_secs(15);
/// Columns of a bar beside a percentage.
const BAR: usize = 10;

pub fn draw(app: &App, painter: &mut Painter<'_>) {
    let area = super::inside(painter.area());
    let height = usize::from(area.height);
    let content = content(app, usize::from(area.width), height);
    let position = content.position(height, app.view.machine_top);
    let silent = app.view.now.duration_since(app.view.gpu_time) > NVML_PATIENCE;
    let (name, beside) = match &app.view.gpu {
        GpuStatus::Present(_) | GpuStatus::Starting if silent => {
            ("GPU", vec![(Role::Warning, "NVML does not answer".to_owned()), (Role::Dim, ": old values".to_owned())])
        }
        GpuStatus::Present(_) => ("GPU", Row::new()),
        GpuStatus::Starting => ("GPU", vec![(Role::Dim, "asking NVML".to_owned())]),
        GpuStatus::Absent(reason) => ("Host", vec![(Role::Dim, format!("no GPU: {reason}"))]),
    };
    super::title(painter, app.view.focus == Panel::Machine, name, &beside, position.as_deref());
    content.draw(&mut painter.part(area), app.view.machine_top);
}

/// What the panel shows in `width` x `height`, below its title.
pub fn content(app: &App, width: usize, height: usize) -> Content {
    let glyphs = &app.theme.glyphs;
    let mut body: Vec<Row> = Vec::new();
    match &app.view.gpu {
        GpuStatus::Present(gpus) => body.extend(gpu_rows(gpus, glyphs, width)),
        GpuStatus::Absent(reason) => body.extend(reason_rows(reason, width)),
        GpuStatus::Starting => {}
    }
    match &app.view.host {
        HostStatus::Present(host) => body.extend(host_rows(host, glyphs, width)),
        HostStatus::Unavailable(reason) => body.push(vec![(Role::Dim, format!("no host figures: {reason}"))]),
        HostStatus::Starting => body.push(vec![(Role::Dim, "measuring the host".to_owned())]),
    }
    let spare = height.saturating_sub(body.len());
    if spare >= 4 {
        let (label, history) = match app.view.gpu {
            GpuStatus::Present(_) => ("GPU utilisation", &app.view.gpu_history),
            _ => ("processor load", &app.view.host_history),
        };
        body.push(Row::new());
        body.extend(history_rows(label, history, glyphs, width, (spare - 2).min(12)));
    }
    Content { head: Vec::new(), body }
}

/// The reason for the missing GPU, where the title has no room for it.
fn reason_rows(reason: &str, width: usize) -> Vec<Row> {
    let text = format!("no GPU: {reason}");
    if text.chars().count() + 10 <= width {
        return Vec::new();
    }
    format::wrap(&text, width).into_iter().map(|line| vec![(Role::Dim, line)]).collect()
}

/// A row for each GPU, or two where the width is too small, in columns.
fn gpu_rows(gpus: &[GpuSample], glyphs: &Glyphs, width: usize) -> Vec<Row> {
    let mut cells: Vec<[Row; 5]> = gpus.iter().map(|gpu| gpu_cells(gpu, glyphs)).collect();
    for column in 0..5 {
        let widest = cells.iter().map(|cells| pieces_width(&cells[column])).max().unwrap_or(0);
        for cell in cells.iter_mut().map(|cells| &mut cells[column]) {
            cell.push((Role::Text, " ".repeat(widest - pieces_width(cell))));
        }
    }
    let all: usize = cells.first().map_or(0, |cells| cells.iter().map(|cell| pieces_width(cell) + 2).sum());
    let row = |[name, load, memory, temperature, power]: [Row; 5]| {
        if all <= width + 2 {
            vec![join_fitting(vec![name, load, memory, temperature, power], "  ", width)]
        } else {
            vec![
                join_fitting(vec![name, temperature, power], "  ", width),
                [vec![(Role::Text, "  ".to_owned())], join_fitting(vec![load, memory], "  ", width)].concat(),
            ]
        }
    };
    cells.into_iter().flat_map(row).collect()
}

/// Name, load, memory, temperature and power of a GPU.
fn gpu_cells(gpu: &GpuSample, glyphs: &Glyphs) -> [Row; 5] {
    let name = gpu.name.as_deref().unwrap_or("unknown GPU");
    let name = vec![(Role::Strong, gpu.index.to_string()), (Role::Text, format!(" {}", name.trim_start_matches("NVIDIA ")))];
    let load = meter("load", gpu.utilization, glyphs);
    let memory = match (gpu.memory_used, gpu.memory_total) {
        (Some(used), Some(total)) => {
            vec![(Role::Text, format!("{}/{} GiB", format::gibibytes(used), format::gibibytes(total)))]
        }
        _ => labelled("memory", Role::Dim, "n/a"),
    };
    let temperature = match gpu.temperature {
        Some(degrees) => vec![(Role::Text, format!("{degrees} {}", glyphs.degree))],
        None => labelled("temp", Role::Dim, "n/a"),
    };
    let power = match (gpu.power, gpu.power_limit) {
        (Some(watts), Some(limit)) => vec![(Role::Text, format!("{watts:.0}/{limit:.0} W"))],
        (Some(watts), None) => vec![(Role::Text, format!("{watts:.0} W"))],
        (None, _) => labelled("power", Role::Dim, "n/a"),
    };
    [name, load, memory, temperature, power]
}

/// A share of 1 as a bar and a percentage.
fn meter(label: &str, share: Option<f64>, glyphs: &Glyphs) -> Row {
    let Some(share) = share else { return labelled(label, Role::Dim, "n/a") };
    let mut row = vec![(Role::Dim, format!("{label} "))];
    row.extend(bar(glyphs, BAR, share, Role::Gauge));
    row.push((Role::Text, format!(" {:>3.0} %", share * 100.0)));
    row
}

fn host_rows(host: &HostSample, glyphs: &Glyphs, width: usize) -> Vec<Row> {
    let label_width = host.cores.len().saturating_sub(1).to_string().len();
    let cell_width = 4 + label_width + 1 + BAR + 6 + 2;
    let per_row = ((width + 2) / cell_width).max(1);
    // More processors than a panel shows: one figure for all, and the busiest.
    let mut rows: Vec<Row> = if host.cores.len() > 4 * per_row {
        let busiest = host.cores.iter().copied().fold(0.0, f64::max);
        let all = meter(&format!("{} cpus", host.cores.len()), Some(host.busy()), glyphs);
        vec![join_fitting(vec![all, meter("busiest", Some(busiest), glyphs)], "  ", width)]
    } else {
        let cells: Vec<Row> = host
            .cores
            .iter()
            .enumerate()
            .map(|(index, share)| meter(&format!("cpu {index:>label_width$}"), Some(*share), glyphs))
            .collect();
        cells.chunks(per_row).map(|cells| join_fitting(cells.to_vec(), "  ", width)).collect()
    };
    let share = if host.memory_total == 0 { None } else { Some(host.memory_used as f64 / host.memory_total as f64) };
    let memory = meter(&format!("mem {:>label_width$}", ""), share, glyphs);
    let (used, total) = (format::gibibytes(host.memory_used), format::gibibytes(host.memory_total));
    let bytes = vec![(Role::Text, format!("{used}/{total} GiB"))];
    let load = host.load.map_or(Row::new(), |load| labelled("load", Role::Text, format!("{load:.1}")));
    rows.push(join_fitting(vec![memory, bytes, load], "  ", width));
    rows
}

/// The newest values as columns of at most `rows` rows, 0 to 100 %.
fn history_rows(label: &str, history: &History, glyphs: &Glyphs, width: usize, rows: usize) -> Vec<Row> {
    let shown: Vec<f64> = history.points.iter().skip(history.points.len().saturating_sub(width)).copied().collect();
    let mut lines = vec![vec![(Role::Dim, format!("{label}, 0 to 100 %, 10 s a column"))]];
    for row in (0..rows).rev() {
        let cells = shown.iter().map(|share| {
            let eighths = (share.clamp(0.0, 1.0) * rows as f64 * 8.0).round() as usize;
            glyphs.levels[eighths.saturating_sub(row * 8).min(8)]
        });
        let pad = " ".repeat(width.saturating_sub(shown.len()));
        lines.push(vec![(Role::Gauge, pad + &cells.collect::<String>())]);
    }
    lines
}
