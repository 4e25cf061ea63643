//! All external inputs to a search in one queue.

use std::io;

use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::evaluate::Report;
use crate::link::Command;

/// The next input to a search.
#[derive(Debug)]
pub enum Heard {
    Command(Command),
    Report(Report),
    /// The evaluator is gone and will never report again.
    Silence,
}

/// Commands of clients and reports of the evaluator. Commands come first, so that a flood of
/// progress does not delay a pause.
#[derive(Debug)]
pub struct Inbox {
    runtime: Runtime,
    commands: UnboundedReceiver<Command>,
    reports: UnboundedReceiver<Report>,
}

impl Inbox {
    /// An inbox, and the sender for the evaluator's reports.
    pub fn new(
        commands: UnboundedReceiver<Command>,
    ) -> io::Result<(Inbox, UnboundedSender<Report>)> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let (sender, reports) = unbounded_channel();
        Ok((
            Inbox {
                runtime,
                commands,
                reports,
            },
            sender,
        ))
    }

    /// Wait for the next message.
    pub fn wait(&mut self) -> Heard {
        let Inbox {
            runtime,
            commands,
            reports,
        } = self;
        #[cfg(test)]
        if commands.is_empty() && reports.is_empty() {
            idle::pass_time();
        }
        runtime.block_on(async {
            tokio::select! {
                biased;
                Some(command) = commands.recv() => Heard::Command(command),
                report = reports.recv() => report.map_or(Heard::Silence, Heard::Report),
            }
        })
    }

    /// The next message, if one is already there.
    pub fn poll(&mut self) -> Option<Heard> {
        let command = self.commands.try_recv().ok().map(Heard::Command);
        command.or_else(|| self.reports.try_recv().ok().map(Heard::Report))
    }
}

/// Lets evaluators of tests have a clock of their own, in which time passes when the search waits.
#[cfg(test)]
pub mod idle {
    use std::cell::RefCell;

    thread_local! {
        static CLOCK: RefCell<Option<Box<dyn FnMut()>>> = const { RefCell::new(None) };
    }

    /// Call `pass` whenever the search of this thread has nothing to do.
    pub fn set_clock(pass: impl FnMut() + 'static) {
        CLOCK.set(Some(Box::new(pass)));
    }

    pub(super) fn pass_time() {
        CLOCK.with_borrow_mut(|clock| clock.as_mut().map(|pass| pass()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_comes_before_waiting_reports() {
        let (commands, receiver) = unbounded_channel();
        let (mut inbox, reports) = Inbox::new(receiver).unwrap();
        (0..100).for_each(|_| reports.send(Report::Paused { number: 1 }).unwrap());
        commands.send(Command::Pause).unwrap();
        assert!(matches!(inbox.wait(), Heard::Command(Command::Pause)));
        assert!(matches!(inbox.wait(), Heard::Report(Report::Paused { .. })));
    }

    #[test]
    fn an_evaluator_that_is_gone_is_noticed() {
        let (_commands, receiver) = unbounded_channel();
        let (mut inbox, reports) = Inbox::new(receiver).unwrap();
        drop(reports);
        assert!(inbox.poll().is_none());
        assert!(matches!(inbox.wait(), Heard::Silence));
    }
}
