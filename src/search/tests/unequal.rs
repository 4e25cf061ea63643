//! Workers whose children take time, by a clock that advances only while the search waits, so that
//! nothing depends on how fast the machine is.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::calculator::Calculator;
use crate::config::SearchConfig;
use crate::evaluate::{Evaluator, Job};
use crate::foundation::seeds::derive;
use crate::search::episode::episode_of;
use crate::search::inbox::idle;

/// How long a job takes.
pub type Duration = fn(&Job) -> u64;

/// Every child takes as long as any other.
pub fn equal(_: &Job) -> u64 {
    10
}

/// From 10 to 100, most of them short.
pub fn unequal(job: &Job) -> u64 {
    let uniform = derive(job.seed, "duration", 0) as f64 / u64::MAX as f64;
    (10.0 * 10f64.powf(uniform)) as u64
}

/// What the workers did, in units of their clock.
#[derive(Debug, Default)]
pub struct Clock {
    /// When the last child ended.
    pub end: u64,
    /// Sum of the children's durations.
    pub busy: u64,
}

impl Clock {
    /// Part of the workers' time in which they had nothing to do.
    pub fn idle(&self, workers: usize) -> f64 {
        1.0 - self.busy as f64 / (self.end * workers as u64) as f64
    }
}

struct Workers {
    calculator: Calculator,
    search: SearchConfig,
    duration: Duration,
    now: u64,
    waiting: VecDeque<Job>,
    /// Children in training, with the moment of their end.
    training: Vec<(u64, Job)>,
}

impl Workers {
    fn start_waiting(&mut self) {
        let behaviour = &self.calculator.behaviour;
        while self.training.len() < behaviour.later_workers.unwrap_or(behaviour.workers)
            && let Some(job) = self.waiting.pop_front()
        {
            let duration = (self.duration)(&job);
            behaviour.clock.lock().unwrap().busy += duration;
            self.training.push((self.now + duration, job));
        }
    }

    /// Of children that end at the same time, the first to be submitted ends first, in a resumed
    /// search too.
    fn place(&self, child: u64) -> (usize, u64) {
        (episode_of(child, &self.search), child)
    }

    /// Go on to the next end of a child.
    fn pass_time(&mut self) {
        self.start_waiting();
        let ends = self.training.iter().enumerate();
        let next = ends.min_by_key(|(_, (end, job))| (*end, self.place(job.child)));
        let Some((index, _)) = next else { return };
        let (end, job) = self.training.remove(index);
        self.now = end;
        self.calculator.behaviour.clock.lock().unwrap().end = end;
        self.calculator.evaluate(&job);
        self.start_waiting();
    }
}

/// See [`super::calculator::Behaviour::duration`].
pub struct UnequalWorkers(Rc<RefCell<Workers>>);

impl UnequalWorkers {
    pub fn new(
        calculator: Calculator,
        search: &SearchConfig,
        duration: Duration,
    ) -> UnequalWorkers {
        let workers = Rc::new(RefCell::new(Workers {
            calculator,
            search: search.clone(),
            duration,
            now: 0,
            waiting: VecDeque::new(),
            training: Vec::new(),
        }));
        let passing = Rc::clone(&workers);
        idle::set_clock(move || passing.borrow_mut().pass_time());
        UnequalWorkers(workers)
    }
}

impl Evaluator for UnequalWorkers {
    fn workers(&self) -> Option<usize> {
        self.0.borrow().calculator.behaviour.later_workers
    }

    fn submit(&mut self, job: Job) {
        let mut workers = self.0.borrow_mut();
        workers.calculator.note(&job);
        workers.waiting.push_back(job);
    }

    fn skip(&mut self, _: u64) {}
    fn pause(&mut self, _: u64) {}
    fn resume(&mut self) {}
    fn shutdown(&mut self) {}
}
