//! The heartbeat of a worker, sent from a thread of its own whatever the others do.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::pipes::ToParent;
use crate::evaluate::protocol::FromWorker;
use crate::evaluate::watch::BEAT;
use crate::foundation::thread::spawn;

/// What the heartbeat tells.
#[derive(Debug, Default)]
pub(super) struct Heart {
    child: Mutex<Option<u64>>,
    steps: AtomicU64,
}

impl Heart {
    /// Beat from now on, until the search can no longer be reached.
    pub(super) fn start(output: &ToParent) -> io::Result<Arc<Heart>> {
        let heart = Arc::new(Heart::default());
        let (beating, output) = (heart.clone(), output.clone());
        spawn("nas-heart", move || {
            while output.send(&beating.beat()).is_ok() {
                std::thread::sleep(BEAT);
            }
        })?;
        Ok(heart)
    }

    fn beat(&self) -> FromWorker {
        FromWorker::Beat {
            child: *self.child.lock().unwrap_or_else(PoisonError::into_inner),
            steps: self.steps.load(Ordering::Relaxed),
        }
    }

    /// Set the child in training.
    pub(super) fn set_child(&self, child: Option<u64>) {
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = child;
    }

    /// Count a completed step of the training.
    pub(super) fn count_step(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }
}
