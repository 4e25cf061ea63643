//! When a worker is overdue: what must be heard of it, and how soon. Pure, with the moments given by
//! the caller.
//!
//! A heartbeat tells that a worker's process is alive, which child it trains and how many steps of
//! work it has completed. A worker that is alive but completes no step is stuck. Steps can honestly
//! take long (the first one on a GPU may compile its kernels, and machines can be overloaded), so the
//! time allowed for one is derived from those seen before.
//!
//! Nobody is blamed for the watcher's own sleep: [`Attention`] notices it, and every worker is
//! granted its full time again.

use std::time::{Duration, Instant};

/// Interval between the heartbeats of a worker, and between two looks of its watcher.
pub const BEAT: Duration = Duration::from_secs(1);

/// If nothing was looked at for this long, the watcher itself was stopped, suspended or starved.
const ABSENCE: Duration = Duration::from_secs(5);

/// How long a worker may keep its watcher waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// From the start of its process to its first words. The program and libtorch are loaded
    /// meanwhile.
    pub first_words: Duration,
    /// Between two messages.
    pub silence: Duration,
    /// From the start of its process until it is ready. Devices are opened, data read and prepared.
    pub start: Duration,
    /// From being given a child until its heartbeat names it.
    pub taking: Duration,
    /// Between two steps; also the minimum for workers whose steps are slow.
    pub step: Duration,
    /// For the first step of a process, in which a GPU's kernels may be compiled.
    pub first_step: Duration,
    /// A step may take this many times as long as the slowest one of the same child before it.
    pub slowdown: u32,
}

impl Default for Deadlines {
    fn default() -> Deadlines {
        let minutes = |count: u64| Duration::from_secs(60 * count);
        Deadlines {
            first_words: minutes(5),
            silence: minutes(2),
            start: minutes(60),
            taking: Duration::from_secs(20),
            step: minutes(15),
            first_step: minutes(60),
            slowdown: 30,
        }
    }
}

/// What a worker has failed to do, as the rest of a sentence about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Overdue {
    /// Nothing has ever been heard of it.
    #[error("said nothing for {} after its start", words(*.0))]
    FirstWords(Duration),
    /// It was heard before.
    #[error("gave no sign of life for {}", words(*.0))]
    Silence(Duration),
    /// It is alive.
    #[error("was not ready {} after its start", words(*.0))]
    Start(Duration),
    /// Its heartbeats name no child, or another one.
    #[error("was given child {given}, but has named {} in its heartbeats for {}", named(*.instead), words(*.waited))]
    Taking {
        /// The child it was given.
        given: u64,
        /// The child it trains according to its latest heartbeat.
        instead: Option<u64>,
        /// Time since it first denied its child.
        waited: Duration,
    },
    /// It is alive and claims to train its child.
    #[error("completed no batch of child {child} for {}, although its process is alive", words(*.waited))]
    Step {
        /// The child in training.
        child: u64,
        /// Time since the last step.
        waited: Duration,
    },
}

fn named(child: Option<u64>) -> String {
    child.map_or_else(|| "no child".to_owned(), |child| format!("child {child}"))
}

/// `45 s`, `15 min`.
fn words(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

/// Whether the watcher itself has been awake.
#[derive(Debug, Clone, Copy)]
pub struct Attention {
    last: Instant,
}

impl Attention {
    /// The watcher is awake now.
    pub fn since(now: Instant) -> Attention {
        Attention { last: now }
    }

    /// Note that the watcher is awake, which it must do at least once in each [`BEAT`]. Returns the
    /// time for which it has been absent, if it has: workers must then be [granted](Vigil::grant)
    /// their full time.
    pub fn wake(&mut self, now: Instant) -> Option<Duration> {
        let last = std::mem::replace(&mut self.last, now);
        let absent = now.saturating_duration_since(last);
        (absent >= ABSENCE).then_some(absent)
    }
}

/// The watch over one process of a worker.
#[derive(Debug, Clone)]
pub struct Vigil {
    deadlines: Deadlines,
    /// When its present activity began.
    since: Instant,
    /// When it was last heard.
    heard: Instant,
    /// When it last completed a step.
    moved: Instant,
    has_spoken: bool,
    activity: Activity,
    /// Steps completed according to its latest heartbeat.
    steps: u64,
    /// Whether it has ever completed a step of a training.
    has_trained: bool,
}

#[derive(Debug, Clone, Copy)]
enum Activity {
    Starting,
    Idle,
    Training(Work),
}

/// A child in training.
#[derive(Debug, Clone, Copy)]
struct Work {
    child: u64,
    taken: Taken,
    /// Number of its steps noticed so far.
    steps: u64,
    /// The longest time between two of them.
    slowest: Duration,
    /// Minimum time allowed for a step.
    allowed: Duration,
}

/// Whether a worker trains the child that it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Unknown,
    Yes,
    /// Its heartbeats have named no child, or this other one.
    No {
        instead: Option<u64>,
        since: Instant,
    },
}

impl Vigil {
    /// Watch a process that starts now.
    pub fn begin(deadlines: Deadlines, now: Instant) -> Vigil {
        Vigil {
            deadlines,
            since: now,
            heard: now,
            moved: now,
            has_spoken: false,
            activity: Activity::Starting,
            steps: 0,
            has_trained: false,
        }
    }

    /// It has sent something.
    pub fn hear(&mut self, now: Instant) {
        self.heard = now;
        self.has_spoken = true;
    }

    /// It is ready, or has ended its child.
    pub fn rest(&mut self, now: Instant) {
        self.activity = Activity::Idle;
        self.since = now;
    }

    /// It is given this child, no honest step of which takes longer than `allowed` on the slowest of
    /// machines.
    pub fn give(&mut self, child: u64, allowed: Duration, now: Instant) {
        self.activity = Activity::Training(Work {
            child,
            taken: Taken::Unknown,
            steps: 0,
            slowest: Duration::ZERO,
            allowed,
        });
        self.moved = now;
    }

    /// Its heart beats: it trains `child`, and has completed this many steps of whatever it does.
    pub fn beat(&mut self, child: Option<u64>, steps: u64, now: Instant) {
        self.hear(now);
        if let Activity::Training(work) = &mut self.activity {
            work.taken = match work.taken {
                _ if child == Some(work.child) => Taken::Yes,
                Taken::No { since, .. } => Taken::No {
                    instead: child,
                    since,
                },
                Taken::Unknown | Taken::Yes => Taken::No {
                    instead: child,
                    since: now,
                },
            };
        }
        if std::mem::replace(&mut self.steps, steps) != steps {
            self.step(now);
        }
    }

    /// It has reported a result of its child.
    pub fn report(&mut self, now: Instant) {
        self.hear(now);
        if let Activity::Training(work) = &mut self.activity {
            work.taken = Taken::Yes;
        }
        self.step(now);
    }

    fn step(&mut self, now: Instant) {
        if let Activity::Training(work) = &mut self.activity
            && work.taken == Taken::Yes
        {
            // The first one includes what is done only once.
            if work.steps > 0 {
                let took = now.saturating_duration_since(self.moved);
                work.slowest = work.slowest.max(took);
            }
            work.steps += 1;
            (self.moved, self.has_trained) = (now, true);
        }
    }

    /// Grant it its full time again: the watcher was absent, or it stood still on request.
    pub fn grant(&mut self, now: Instant) {
        (self.since, self.heard, self.moved) = (now, now, now);
        if let Activity::Training(Work {
            taken: Taken::No { since, .. },
            ..
        }) = &mut self.activity
        {
            *since = now;
        }
    }

    /// What it has failed to do by `now`. A worker that `stands_still` on request need not work, but
    /// must live.
    pub fn overdue(&self, stands_still: bool, now: Instant) -> Option<Overdue> {
        let waited = |since: Instant| now.saturating_duration_since(since);
        let (limits, silence) = (&self.deadlines, waited(self.heard));
        if !self.has_spoken {
            return (silence >= limits.first_words).then_some(Overdue::FirstWords(silence));
        }
        if silence >= limits.silence {
            return Some(Overdue::Silence(silence));
        }
        match &self.activity {
            Activity::Starting => {
                let waited = waited(self.since);
                (waited >= limits.start).then_some(Overdue::Start(waited))
            }
            Activity::Training(work) if !stands_still => self.overdue_at_work(work, now),
            Activity::Training(_) | Activity::Idle => None,
        }
    }

    fn overdue_at_work(&self, work: &Work, now: Instant) -> Option<Overdue> {
        let waited = |since: Instant| now.saturating_duration_since(since);
        if let Taken::No { instead, since } = work.taken
            && waited(since) >= self.deadlines.taking
        {
            return Some(Overdue::Taking {
                given: work.child,
                instead,
                waited: waited(since),
            });
        }
        let overdue = Overdue::Step {
            child: work.child,
            waited: waited(self.moved),
        };
        (waited(self.moved) >= self.time_for_a_step(work)).then_some(overdue)
    }

    fn time_for_a_step(&self, work: &Work) -> Duration {
        let Deadlines {
            step,
            first_step,
            slowdown,
            ..
        } = self.deadlines;
        let floor = if self.has_trained {
            step
        } else {
            first_step.max(step)
        };
        let derived = work.slowest.saturating_mul(slowdown);
        floor.max(work.allowed).max(derived)
    }
}

#[cfg(test)]
mod tests;
