//! The machine's processors and memory, from /proc.

use std::time::Duration;

use tokio::sync::watch;

use super::memory::in_meminfo;
use super::process::{Meter, ProcessSample, WatchList};

/// What is known from /proc.
#[derive(Debug, Clone, PartialEq)]
pub enum HostStatus {
    /// There has been only one reading so far, and the load is the difference of two.
    Starting,
    /// /proc cannot be read, for this reason.
    Unavailable(String),
    /// The current state of the machine.
    Present(HostSample),
}

/// The machine over the last interval.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HostSample {
    /// Busy fraction of each logical processor, 0..=1.
    pub cores: Vec<f64>,
    /// Bytes of memory in use.
    pub memory_used: u64,
    /// Total bytes of memory.
    pub memory_total: u64,
    /// Bytes of swap in use.
    pub swap_used: u64,
    /// Total bytes of swap.
    pub swap_total: u64,
    /// Mean number of runnable tasks over one minute.
    pub load: Option<f64>,
    /// The watched processes that are alive.
    pub ours: Vec<ProcessSample>,
}

impl HostSample {
    /// Busy fraction of all processors together, 0..=1.
    pub fn busy(&self) -> f64 {
        if self.cores.is_empty() {
            0.0
        } else {
            self.cores.iter().sum::<f64>() / self.cores.len() as f64
        }
    }
}

/// Model of the processors, if the system reports it.
pub fn cpu_model() -> Option<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    info.lines().find_map(|line| {
        Some(
            line.strip_prefix("model name")?
                .split_once(':')?
                .1
                .trim()
                .to_owned(),
        )
    })
}

/// Clock ticks of one processor since the machine started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CoreTicks {
    busy: u64,
    total: u64,
}

/// Send a status every `interval` until no one is listening.
pub fn measure(sender: &watch::Sender<HostStatus>, watched: &WatchList, interval: Duration) {
    let mut before = read_ticks();
    let mut processes = Meter::default();
    processes.measure(&watched.get());
    // The first figure comes after half a second, so that the panel is not empty for long.
    let mut pause = Duration::from_millis(500).min(interval);
    while super::wait(sender, pause) {
        let now = read_ticks();
        let ours = processes.measure(&watched.get());
        sender.send_replace(status(before.as_deref(), now.as_deref(), ours));
        before = now;
        pause = interval;
    }
}

/// How long each processor has been busy so far.
#[derive(Debug, Clone)]
pub struct BusyReading(Vec<CoreTicks>);

impl BusyReading {
    /// A reading; `None` if /proc cannot be read.
    pub fn now() -> Option<BusyReading> {
        read_ticks().ok().map(BusyReading)
    }

    /// Mean busy fraction of all processors since an earlier reading, 0 to 1.
    pub fn since(&self, before: &BusyReading) -> f64 {
        let shares = shares(&before.0, &self.0);
        shares.iter().sum::<f64>() / shares.len().max(1) as f64
    }
}

fn status(
    before: Result<&[CoreTicks], &String>,
    now: Result<&[CoreTicks], &String>,
    ours: Vec<ProcessSample>,
) -> HostStatus {
    let (before, now) = match (before, now) {
        (Ok(before), Ok(now)) => (before, now),
        (Err(reason), _) | (_, Err(reason)) => return HostStatus::Unavailable(reason.clone()),
    };
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let (memory_used, memory_total) =
        parse_memory(&meminfo, "MemTotal:", "MemAvailable:").unwrap_or((0, 0));
    let (swap_used, swap_total) =
        parse_memory(&meminfo, "SwapTotal:", "SwapFree:").unwrap_or((0, 0));
    let load = std::fs::read_to_string("/proc/loadavg").ok();
    let load = load
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .filter(|load: &f64| load.is_finite());
    let cores = shares(before, now);
    HostStatus::Present(HostSample {
        cores,
        memory_used,
        memory_total,
        swap_used,
        swap_total,
        load,
        ours,
    })
}

fn read_ticks() -> Result<Vec<CoreTicks>, String> {
    let text =
        std::fs::read_to_string("/proc/stat").map_err(|error| format!("/proc/stat: {error}"))?;
    Ok(parse_ticks(&text))
}

/// Busy fraction of each processor between two readings. (A processor switched on in between starts
/// at 0.)
fn shares(before: &[CoreTicks], now: &[CoreTicks]) -> Vec<f64> {
    let share = |(index, now): (usize, &CoreTicks)| {
        let before = before.get(index).copied().unwrap_or(*now);
        let (busy, total) = (
            now.busy.saturating_sub(before.busy),
            now.total.saturating_sub(before.total),
        );
        if total == 0 {
            0.0
        } else {
            (busy as f64 / total as f64).clamp(0.0, 1.0)
        }
    };
    now.iter().enumerate().map(share).collect()
}

/// The `cpuN` lines of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal.
fn parse_ticks(text: &str) -> Vec<CoreTicks> {
    let cores = text
        .lines()
        .filter(|line| line.starts_with("cpu") && !line.starts_with("cpu "));
    cores
        .map(|line| {
            let ticks: Vec<u64> = line
                .split_whitespace()
                .skip(1)
                .take(8)
                .map(|field| field.parse().unwrap_or(0))
                .collect();
            let total: u64 = ticks.iter().sum();
            let idle: u64 = ticks.iter().skip(3).take(2).sum();
            CoreTicks {
                busy: total - idle,
                total,
            }
        })
        .collect()
}

/// Used and total bytes, from the lines of /proc/meminfo named `total` and `left` (what is still
/// available).
fn parse_memory(text: &str, total: &str, left: &str) -> Option<(u64, u64)> {
    let (total, left) = (in_meminfo(text, total)?, in_meminfo(text, left)?);
    Some((total.saturating_sub(left), total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busy_fraction_excludes_idle_time_and_waiting_for_disks() {
        let before = parse_ticks(
            "cpu  9 9 9 9\ncpu0 100 0 100 700 100 0 0 0 0 0\ncpu1 0 0 0 10 0 0 0 0\nintr 5\n",
        );
        let now = parse_ticks(
            "cpu  9 9 9 9\ncpu0 150 0 125 750 175 0 0 0 0 0\ncpu1 10 0 0 10 0 0 0 0\nintr 5\n",
        );
        assert_eq!(shares(&before, &now), [0.375, 1.0]);
    }

    #[test]
    fn a_clock_that_stands_still_or_runs_backwards_means_no_load() {
        let ticks = |busy, total| vec![CoreTicks { busy, total }];
        assert_eq!(shares(&ticks(5, 10), &ticks(5, 10)), [0.0]);
        assert_eq!(shares(&ticks(5, 10), &ticks(1, 2)), [0.0]);
    }

    #[test]
    fn memory_in_use_is_what_is_not_available_to_new_programs() {
        let text = "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\nSwapTotal: 9 kB\nSwapFree: 7 kB\n";
        assert_eq!(
            parse_memory(text, "MemTotal:", "MemAvailable:"),
            Some((600 * 1024, 1000 * 1024))
        );
        assert_eq!(
            parse_memory(text, "SwapTotal:", "SwapFree:"),
            Some((2 * 1024, 9 * 1024))
        );
        assert_eq!(
            parse_memory("MemTotal: lots", "MemTotal:", "MemAvailable:"),
            None
        );
    }
}
