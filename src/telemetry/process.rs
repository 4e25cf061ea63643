//! The watched processes on this machine: processor time, memory and disk traffic, from /proc/PID.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use crate::event::process::{ProcessRole, Watched};
use crate::foundation::text;

/// The processes to measure, shared by the code that knows them and the code that measures.
#[derive(Debug, Clone, Default)]
pub struct WatchList(Arc<Mutex<Vec<Watched>>>);

impl WatchList {
    /// Measure these processes from now on.
    pub fn set(&self, watched: Vec<Watched>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = watched;
    }

    /// The processes being measured.
    pub fn get(&self) -> Vec<Watched> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The role of the process `pid` in the run; `None` for unrelated processes.
    pub fn role(&self, pid: u32) -> Option<ProcessRole> {
        let watched = self.get().into_iter().find(|watched| watched.pid == pid)?;
        read_stat(pid)
            .filter(|stat| is_same(&watched, stat))
            .map(|_| watched.role)
    }
}

/// A watched process over the last interval.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessSample {
    /// Process id.
    pub pid: u32,
    /// Its role in the run.
    pub role: ProcessRole,
    /// Number of processors kept busy: 1 is one whole processor. `None` at the first reading.
    pub cpu: Option<f64>,
    /// Bytes of resident memory.
    pub resident: u64,
    /// Bytes read from storage per second, not counting the page cache. `None` if the system does
    /// not report it.
    pub read: Option<f64>,
    /// Bytes written to storage per second.
    pub written: Option<f64>,
}

/// Turns successive readings of processes into rates per second.
#[derive(Debug, Default)]
pub struct Meter {
    before: HashMap<u32, ProcessReading>,
}

/// The contents of /proc for one process at one moment.
#[derive(Debug, Clone)]
struct ProcessReading {
    time: Instant,
    stat: Stat,
    io: Option<Io>,
}

impl Meter {
    /// The watched processes that are alive, in the order of their roles.
    pub fn measure(&mut self, watched: &[Watched]) -> Vec<ProcessSample> {
        let mut now = HashMap::new();
        let mut samples = Vec::new();
        for process in watched {
            let Some(stat) = read_stat(process.pid).filter(|stat| is_same(process, stat)) else {
                continue;
            };
            let io = std::fs::read_to_string(format!("/proc/{}/io", process.pid))
                .ok()
                .and_then(|text| parse_io(&text));
            let reading = ProcessReading {
                time: Instant::now(),
                stat,
                io,
            };
            samples.push(sample(process, self.before.get(&process.pid), &reading));
            now.insert(process.pid, reading);
        }
        self.before = now;
        samples.sort_by_key(|sample| (sample.role, sample.pid));
        samples
    }
}

fn sample(
    process: &Watched,
    before: Option<&ProcessReading>,
    now: &ProcessReading,
) -> ProcessSample {
    let before = before.filter(|before| before.stat.started == now.stat.started);
    let seconds = before.map_or(0.0, |before| {
        now.time.duration_since(before.time).as_secs_f64()
    });
    let per_second = |difference: u64| (seconds > 0.0).then(|| difference as f64 / seconds);
    let traffic = |of: fn(&Io) -> u64| {
        let (before, now) = (before?.io.as_ref()?, now.io.as_ref()?);
        per_second(of(now).saturating_sub(of(before)))
    };
    ProcessSample {
        pid: process.pid,
        role: process.role,
        cpu: before
            .and_then(|before| per_second(now.stat.ticks.saturating_sub(before.stat.ticks)))
            .map(|ticks| ticks / hertz()),
        resident: now.stat.resident_pages.saturating_mul(page_size()),
        read: traffic(|io| io.read),
        written: traffic(|io| io.written),
    }
}

/// The fields of /proc/PID/stat that we need, in clock ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    /// Processor time in user and system mode.
    ticks: u64,
    /// Since the machine started.
    started: u64,
    resident_pages: u64,
}

fn read_stat(pid: u32) -> Option<Stat> {
    parse_stat(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// `None` for a zombie, a process that has ended but has not been waited for yet.
///
/// The second field is the program's name in parentheses, which may itself contain spaces and
/// parentheses, so it ends at the last closing one.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    // The first of these, the state, is field 3 of proc_pid_stat(5).
    if matches!(fields.first(), Some(&("Z" | "X"))) {
        return None;
    }
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(Stat {
        ticks: field(14)?.checked_add(field(15)?)?,
        started: field(22)?,
        resident_pages: field(24)?,
    })
}

/// Bytes that a process has read from storage and written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Io {
    read: u64,
    written: u64,
}

fn parse_io(text: &str) -> Option<Io> {
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))?
            .trim()
            .parse::<u64>()
            .ok()
    };
    let cancelled = field("cancelled_write_bytes:").unwrap_or(0);
    Some(Io {
        read: field("read_bytes:")?,
        written: field("write_bytes:")?.saturating_sub(cancelled),
    })
}

/// Whether the process with this pid is still the one that was reported. (Pids are reused.)
fn is_same(watched: &Watched, stat: &Stat) -> bool {
    let uptime = std::fs::read_to_string("/proc/uptime").ok();
    let uptime = uptime.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    // Without an uptime there is nothing to compare.
    uptime.is_none_or(|uptime| {
        began_before(
            watched.seen,
            stat.started as f64 / hertz(),
            uptime,
            Timestamp::now(),
        )
    })
}

/// Whether a process that began `started` seconds after the machine, which has been up for `uptime`
/// seconds, already existed at `seen`.
fn began_before(seen: Timestamp, started: f64, uptime: f64, now: Timestamp) -> bool {
    /// Clocks get adjusted, and a pid is never reused this quickly.
    const SLACK: SignedDuration = SignedDuration::from_secs(60);
    let age = SignedDuration::try_from_secs_f64((uptime - started).max(0.0))
        .unwrap_or(SignedDuration::ZERO);
    now.checked_sub(age)
        .is_ok_and(|began| began.duration_since(seen) <= SLACK)
}

/// Name of a process according to the system.
pub fn name(pid: u32) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    let name = text::line(name.trim());
    (!name.is_empty()).then(|| name.into_owned())
}

/// Name of this machine.
pub fn machine_name() -> String {
    crate::foundation::host::host_name()
}

/// Clock ticks per second.
fn hertz() -> f64 {
    rustix::param::clock_ticks_per_second() as f64
}

fn page_size() -> u64 {
    rustix::param::page_size() as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const STAT: &str = "4242 (a) R 1 (b c)) S 1 4242 4242 0 -1 4194560 9 0 0 0 150 50 7 7 20 0 3 0 987654 300000 1234 1844674";

    #[test]
    fn spaces_and_parentheses_in_a_programs_name_shift_no_field() {
        assert_eq!(
            parse_stat(STAT),
            Some(Stat {
                ticks: 200,
                started: 987_654,
                resident_pages: 1_234
            })
        );
        assert_eq!(parse_stat("1 (cut off) S 1 2"), None);
    }

    #[test]
    fn a_zombie_is_left_out() {
        assert_eq!(parse_stat(&STAT.replace(") S ", ") Z ")), None);
    }

    #[test]
    fn disk_traffic_is_what_reached_storage_and_was_not_cancelled() {
        let text = "rchar: 9\nwchar: 9\nsyscr: 1\nread_bytes: 4096\nwrite_bytes: 9000\ncancelled_write_bytes: 1000\n";
        assert_eq!(
            parse_io(text),
            Some(Io {
                read: 4_096,
                written: 8_000
            })
        );
        assert_eq!(parse_io("read_bytes: lots\n"), None);
    }

    fn reading(seconds: u64, ticks: u64, written: u64, started: u64) -> ProcessReading {
        let origin = *ORIGIN;
        let stat = Stat {
            ticks,
            started,
            resident_pages: 10,
        };
        ProcessReading {
            time: origin + Duration::from_secs(seconds),
            stat,
            io: Some(Io { read: 0, written }),
        }
    }

    static ORIGIN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);

    fn watched() -> Watched {
        Watched {
            pid: 1,
            role: ProcessRole::Search,
            seen: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn usage_per_second_is_the_difference_of_two_readings() {
        let sample = sample(
            &watched(),
            Some(&reading(0, 100, 1_000, 5)),
            &reading(2, 500, 9_000, 5),
        );
        assert_eq!(
            (sample.cpu, sample.read, sample.written),
            (Some(400.0 / 2.0 / hertz()), Some(0.0), Some(4_000.0))
        );
    }

    #[test]
    fn the_first_reading_of_a_process_or_of_a_reused_pid_has_no_rate() {
        for before in [None, Some(reading(0, 100, 0, 5))] {
            let sample = sample(&watched(), before.as_ref(), &reading(2, 500, 9, 6));
            assert_eq!(
                (sample.cpu, sample.read, sample.written),
                (None, None, None)
            );
        }
    }

    #[test]
    fn a_process_that_began_after_it_was_reported_is_a_different_one() {
        let second = |second| Timestamp::from_second(second).unwrap();
        // Began at 10,000 - (500 - 100) = 9,600.
        assert!(began_before(second(9_700), 100.0, 500.0, second(10_000)));
        assert!(!began_before(second(9_000), 100.0, 500.0, second(10_000)));
    }

    #[test]
    fn this_process_is_measured() {
        let own = Watched {
            pid: std::process::id(),
            role: ProcessRole::Screen,
            seen: Timestamp::now(),
        };
        let mut meter = Meter::default();
        meter.measure(&[own]);
        let samples = meter.measure(&[own]);
        assert!(
            matches!(&samples[..], [only] if only.resident > 1 << 20 && only.cpu.is_some()),
            "{samples:?}"
        );
    }

    #[test]
    fn a_process_that_has_gone_is_left_out() {
        let gone = Watched {
            pid: u32::MAX,
            ..watched()
        };
        assert_eq!(Meter::default().measure(&[gone]), []);
    }
}
