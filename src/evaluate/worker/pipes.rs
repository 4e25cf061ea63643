//! The two pipes of a worker process: messages from the search, and the answers.

use std::collections::VecDeque;
use std::fs::File;
use std::io::BufRead;
use std::os::fd::AsFd;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::Context;

use crate::evaluate::protocol::{FromWorker, ToWorker};
use crate::foundation::messages::SharedOutput;
use crate::train::Next;

/// The pipe to the parent, for any thread.
#[derive(Clone)]
pub(super) struct ToParent(SharedOutput<File>);

impl ToParent {
    /// Reserve standard output for messages, and redirect everything else that is printed (by
    /// libtorch and its libraries) to standard error.
    pub(super) fn take_standard_output() -> anyhow::Result<ToParent> {
        let set_apart = || {
            let kept = std::io::stdout().as_fd().try_clone_to_owned()?;
            rustix::stdio::dup2_stdout(std::io::stderr())?;
            std::io::Result::Ok(File::from(kept))
        };
        let file = set_apart().context("cannot set standard output apart")?;
        Ok(ToParent(SharedOutput::new(file)))
    }

    pub(super) fn send(&self, message: &FromWorker) -> anyhow::Result<()> {
        self.0.send(message).context("the search cannot be reached")
    }
}

/// Messages that have arrived.
#[derive(Default)]
pub(super) struct WorkerInbox {
    state: Mutex<InboxState>,
    changed: Condvar,
}

#[derive(Default)]
struct InboxState {
    messages: VecDeque<ToWorker>,
    /// The pause in force.
    pause: Option<u64>,
    /// The last pause that was answered: each is answered once.
    answered: Option<u64>,
    /// The child whose end was requested last.
    skip: Option<u64>,
}

impl WorkerInbox {
    fn lock(&self) -> MutexGuard<'_, InboxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wait while the search is paused, calling `settle` before confirming the pause. Returns
    /// whether the training of `child` is to end.
    pub(super) fn stand_still_while_paused(
        &self,
        child: u64,
        output: &ToParent,
        settle: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<Next> {
        let mut state = self.lock();
        if state.pause.is_some() {
            // Not under the lock: messages must still be read.
            drop(state);
            settle()?;
            state = self.lock();
        }
        while let Some(number) = state.pause {
            answer_pause(&mut state, number, output)?;
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        Ok(if state.skip == Some(child) {
            Next::Enough
        } else {
            Next::GoOn
        })
    }

    /// Wait for the next message that is not about pausing.
    pub(super) fn wait(&self, output: &ToParent) -> Option<ToWorker> {
        let mut state = self.lock();
        loop {
            if let Some(number) = state.pause {
                answer_pause(&mut state, number, output).ok()?;
            } else if let Some(message) = state.messages.pop_front() {
                return Some(message);
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn answer_pause(state: &mut InboxState, number: u64, output: &ToParent) -> anyhow::Result<()> {
    if state.answered.replace(number) == Some(number) {
        return Ok(());
    }
    output.send(&FromWorker::Paused { number })
}

/// Read messages until the parent closes the pipe or sends something unreadable; then the process
/// has no purpose and exits at once, whatever it is doing.
pub(super) fn read_messages(inbox: &WorkerInbox) {
    for line in std::io::stdin().lock().lines() {
        let message = match line
            .map_err(anyhow::Error::from)
            .and_then(|line| Ok(serde_json::from_str(&line)?))
        {
            Ok(message) => message,
            Err(error) => {
                eprintln!("nas-tui worker: unreadable message: {error:#}");
                std::process::exit(1);
            }
        };
        let mut state = inbox.lock();
        match message {
            ToWorker::Pause { number } => state.pause = Some(number),
            ToWorker::Resume => state.pause = None,
            ToWorker::Skip { child } => state.skip = Some(child),
            other => state.messages.push_back(other),
        }
        inbox.changed.notify_all();
    }
    // Without destructors: libtorch is working on another thread.
    signal_hook::low_level::exit(0)
}
