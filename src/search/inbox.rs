//! All external inputs to a search in one place, where they take turns.

use std::io;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::evaluate::Report;
use crate::link::{Order, Orders};

/// The next input to a search.
#[derive(Debug)]
pub enum Heard {
    Order(Order),
    Report(Report),
    /// The evaluator is gone and will never report again.
    Silence,
}

/// Commands of clients and reports of the evaluator. They alternate as long as there are both, so
/// that a flood of either does not hold up the other; a stop comes first.
#[derive(Debug)]
pub struct Inbox {
    runtime: Runtime,
    orders: Orders,
    reports: UnboundedReceiver<Report>,
    is_reports_turn: bool,
}

impl Inbox {
    /// An inbox, and the sender for the evaluator's reports.
    pub fn new(orders: Orders) -> io::Result<(Inbox, UnboundedSender<Report>)> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let (sender, reports) = unbounded_channel();
        Ok((
            Inbox {
                runtime,
                orders,
                reports,
                is_reports_turn: false,
            },
            sender,
        ))
    }

    /// Wait for the next message, but not longer than this.
    pub fn wait_at_most(&mut self, time: Duration) -> Option<Heard> {
        if let Some(heard) = self.poll() {
            return Some(heard);
        }
        #[cfg(test)]
        idle::pass_time();
        let Inbox {
            runtime,
            orders,
            reports,
            ..
        } = self;
        let next = async {
            tokio::select! {
                biased;
                Some(order) = orders.next() => Heard::Order(order),
                report = reports.recv() => report.map_or(Heard::Silence, Heard::Report),
            }
        };
        runtime.block_on(async { tokio::time::timeout(time, next).await.ok() })
    }

    /// Wait for the next message.
    #[cfg(test)]
    pub fn wait(&mut self) -> Heard {
        self.wait_at_most(Duration::MAX).unwrap()
    }

    /// Wait for the next report, or a stop. Commands stay where they are.
    pub fn wait_for_report(&mut self) -> Heard {
        let Inbox {
            runtime,
            orders,
            reports,
            ..
        } = self;
        runtime.block_on(async {
            tokio::select! {
                biased;
                stop = orders.stop() => Heard::Order(stop),
                report = reports.recv() => report.map_or(Heard::Silence, Heard::Report),
            }
        })
    }

    /// The next message, if one is already there.
    pub fn poll(&mut self) -> Option<Heard> {
        let Inbox {
            orders,
            reports,
            is_reports_turn,
            ..
        } = self;
        let heard = if let Some(stop) = orders.poll_stop() {
            Some(Heard::Order(stop))
        } else {
            let mut order = || orders.poll().map(Heard::Order);
            let mut report = || reports.try_recv().ok().map(Heard::Report);
            match *is_reports_turn {
                true => report().or_else(order),
                false => order().or_else(report),
            }
        };
        *is_reports_turn = matches!(heard, Some(Heard::Order(_)));
        heard
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
    use crate::link::{Command, CommandSender, orders};

    /// An inbox with 30 waiting commands and 30 waiting reports.
    fn flooded() -> (CommandSender, Inbox, UnboundedSender<Report>) {
        let (commands, orders) = orders::queue();
        let (inbox, reports) = Inbox::new(orders).unwrap();
        for _ in 0..30 {
            reports.send(Report::Paused { number: 1 }).unwrap();
            commands.send(Command::Pause).unwrap();
        }
        (commands, inbox, reports)
    }

    #[test]
    fn commands_and_reports_take_turns() {
        let (_commands, mut inbox, _reports) = flooded();
        for _ in 0..30 {
            assert!(matches!(inbox.wait(), Heard::Order(_)));
            assert!(matches!(inbox.wait(), Heard::Report(_)));
        }
        assert!(inbox.poll().is_none());
    }

    #[test]
    fn a_command_comes_before_reports_that_came_before_it() {
        let (commands, orders) = orders::queue();
        let (mut inbox, reports) = Inbox::new(orders).unwrap();
        (0..100).for_each(|_| reports.send(Report::Paused { number: 1 }).unwrap());
        assert!(matches!(inbox.wait(), Heard::Report(_)));
        commands.send(Command::Pause).unwrap();
        assert!(
            matches!(inbox.wait(), Heard::Order(order) if order.command == Command::Pause),
            "a pause is heard at once"
        );
    }

    #[test]
    fn a_stop_comes_before_everything_else() {
        let (commands, mut inbox, _reports) = flooded();
        assert!(matches!(inbox.wait(), Heard::Order(_)));
        commands.send(Command::Stop).unwrap();
        let is_stop =
            |heard| matches!(heard, Heard::Order(order) if order.command == Command::Stop);
        assert!(is_stop(inbox.wait()));
        commands.send(Command::Stop).unwrap();
        assert!(is_stop(inbox.wait_for_report()));
        assert!(matches!(inbox.wait_for_report(), Heard::Report(_)));
    }

    #[test]
    fn an_evaluator_that_is_gone_is_noticed() {
        let (_commands, orders) = orders::queue();
        let (mut inbox, reports) = Inbox::new(orders).unwrap();
        drop(reports);
        assert!(inbox.poll().is_none());
        assert!(matches!(inbox.wait(), Heard::Silence));
    }
}
