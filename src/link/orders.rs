//! Commands on their way from clients to a run: a bounded queue, and a request to stop that goes
//! past it.

use std::time::{Duration, Instant};

use tokio::sync::mpsc::error::{SendError, TrySendError};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::watch;

use super::Command;

/// Maximum number of commands that wait for a run. A client that sends more has to wait.
const CAPACITY: usize = 64;
/// What the sender of a command is told that a run does not get to any more.
const ENDING: &str = "the run is just ending and takes no more commands";
/// Interval at which a thread that waits for something else looks for a request to stop.
const LOOK: Duration = Duration::from_millis(20);

/// A request to stop, for everyone in the process who loops or waits: it is in no queue.
#[derive(Debug, Clone, Default)]
pub struct StopRequest(watch::Sender<u64>);

impl StopRequest {
    /// Request a stop.
    pub fn request(&self) {
        self.0.send_modify(|requests| *requests += 1);
    }

    /// Whether a stop has been requested.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Wait for `time`, or until a stop is requested; returns whether it is.
    pub fn is_requested_within(&self, time: Duration) -> bool {
        let begin = Instant::now();
        while !self.is_requested() {
            let left = time.saturating_sub(begin.elapsed());
            if left.is_zero() {
                return false;
            }
            std::thread::sleep(left.min(LOOK));
        }
        true
    }
}

/// A command to a run, and who sent it.
#[derive(Debug)]
pub struct Order {
    /// The command.
    pub command: Command,
    /// Its sender.
    pub client: Client,
}

/// The sender of a command.
#[derive(Debug, Clone, Default)]
pub struct Client(Option<Sender<String>>);

impl Client {
    /// Tell this client alone that its command has no effect, and why. Nothing is recorded, and a
    /// client that does not listen misses it: a run never waits for a client.
    pub fn refuse(&self, reason: String) {
        if let Some(refusals) = &self.0 {
            let _ = refusals.try_send(reason);
        }
    }
}

/// The command could not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// There is nobody to take it.
    #[error("the run has ended")]
    Gone,
    /// Too many commands are waiting.
    #[error("the run has not got to the last {CAPACITY} commands yet")]
    Full,
}

/// One client's way of sending commands.
#[derive(Debug, Clone)]
pub struct CommandSender {
    orders: Sender<Order>,
    stop: StopRequest,
    client: Client,
}

impl CommandSender {
    /// Send a command without waiting.
    ///
    /// # Errors
    /// If nobody takes it, or too many are waiting. A stop is never too many.
    pub fn send(&self, command: Command) -> Result<(), Unsent> {
        match self.order(command) {
            None => Ok(()),
            Some(order) => self.orders.try_send(order).map_err(|error| match error {
                TrySendError::Full(_) => Unsent::Full,
                TrySendError::Closed(_) => Unsent::Gone,
            }),
        }
    }

    /// Send a command as soon as there is room for it; clients get their turn in the order in which
    /// they began to wait. If the run takes no more commands, its sender is told.
    pub(super) fn send_in_turn(&self, command: Command) {
        let sent = self
            .order(command)
            .map(|order| self.orders.blocking_send(order));
        if let Some(Err(SendError(order))) = sent {
            order.client.refuse(ENDING.to_owned());
        }
    }

    /// The command as one for the queue; `None` if it is a stop, which has been requested.
    fn order(&self, command: Command) -> Option<Order> {
        if command == Command::Stop {
            self.stop.request();
            return None;
        }
        let client = self.client.clone();
        Some(Order { command, client })
    }

    /// The same queue, for a client that is told of refusals through `refusals`.
    pub(super) fn answered_by(&self, refusals: Sender<String>) -> CommandSender {
        CommandSender {
            client: Client(Some(refusals)),
            ..self.clone()
        }
    }

    /// The request to stop that this sender's stop command makes.
    pub fn stop_request(&self) -> &StopRequest {
        &self.stop
    }
}

/// The receiving end of the commands. A stop comes before all that is waiting, once for each time
/// it was requested.
#[derive(Debug)]
pub struct Orders {
    orders: Receiver<Order>,
    stop: watch::Receiver<u64>,
}

/// A queue of commands, whose senders get no answers.
pub fn queue() -> (CommandSender, Orders) {
    let (sender, orders) = channel(CAPACITY);
    let request = StopRequest::default();
    let stop = request.0.subscribe();
    let sender = CommandSender {
        orders: sender,
        stop: request,
        client: Client::default(),
    };
    (sender, Orders { orders, stop })
}

impl Orders {
    /// The next command; `None` once all senders are gone.
    pub async fn next(&mut self) -> Option<Order> {
        let Orders { orders, stop } = self;
        tokio::select! {
            biased;
            Ok(()) = stop.changed() => Some(Orders::to_stop()),
            order = orders.recv() => order,
        }
    }

    /// The next command, if one is already there.
    pub fn poll(&mut self) -> Option<Order> {
        self.poll_stop().or_else(|| self.orders.try_recv().ok())
    }

    /// A stop, if it is requested. All other commands stay in the queue.
    pub fn poll_stop(&mut self) -> Option<Order> {
        // Without senders there is nobody who could request it.
        let is_new = self.stop.has_changed().unwrap_or(false);
        is_new.then(|| {
            self.stop.mark_unchanged();
            Orders::to_stop()
        })
    }

    /// Wait until a stop is requested, which is then the next command.
    pub async fn stop(&mut self) -> Order {
        match self.stop.changed().await {
            Ok(()) => Orders::to_stop(),
            Err(_) => std::future::pending().await,
        }
    }

    fn to_stop() -> Order {
        Order {
            command: Command::Stop,
            client: Client::default(),
        }
    }

    /// Wait for the next command.
    #[cfg(test)]
    pub fn wait(&mut self) -> Option<Command> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let order = runtime.unwrap().block_on(self.next());
        order.map(|order| order.command)
    }
}

impl Drop for Orders {
    /// Nobody takes what is waiting: tell the senders.
    fn drop(&mut self) {
        self.orders.close();
        while let Ok(order) = self.orders.try_recv() {
            order.client.refuse(ENDING.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_comes_before_a_full_queue_and_only_once() {
        let (sender, mut orders) = queue();
        while sender.send(Command::Pause) == Ok(()) {}
        assert_eq!(sender.send(Command::Resume), Err(Unsent::Full));
        assert_eq!(sender.send(Command::Stop), Ok(()));
        assert_eq!(orders.wait(), Some(Command::Stop));
        let rest: Vec<Command> = std::iter::from_fn(|| orders.poll())
            .map(|order| order.command)
            .collect();
        assert_eq!(rest, vec![Command::Pause; CAPACITY]);
        assert!(sender.stop_request().is_requested(), "it stays requested");
        drop(orders);
        assert_eq!(sender.send(Command::Pause), Err(Unsent::Gone));
    }

    #[test]
    fn who_waits_for_something_else_hears_a_stop_at_once() {
        let (sender, _orders) = queue();
        let stop = sender.stop_request().clone();
        assert!(!stop.is_requested_within(Duration::from_millis(30)));
        let waiting = std::thread::spawn(move || {
            let begin = Instant::now();
            assert!(stop.is_requested_within(Duration::from_secs(60)));
            begin.elapsed()
        });
        sender.send(Command::Stop).unwrap();
        assert!(waiting.join().unwrap() < Duration::from_secs(10));
    }

    /// Whether a thread (`PID/task/TID`) waits for something.
    fn is_asleep(thread: &std::path::Path) -> bool {
        let stat = std::path::Path::new("/proc").join(thread).join("stat");
        let stat = std::fs::read_to_string(stat).unwrap();
        stat.rsplit(')').next().unwrap().starts_with(" S")
    }

    #[test]
    fn a_client_that_fills_the_queue_waits_while_the_others_get_their_turn() {
        let (sender, mut orders) = queue();
        let flood = sender.clone();
        std::thread::spawn(move || (0..5_000).for_each(|_| flood.send_in_turn(Command::Resume)));
        while orders.orders.len() < CAPACITY {
            std::thread::yield_now();
        }
        let (other, (tell, told)) = (sender.clone(), std::sync::mpsc::channel());
        let waiting = std::thread::spawn(move || {
            tell.send(std::fs::read_link("/proc/thread-self").unwrap())
                .unwrap();
            other.send_in_turn(Command::Pause);
        });
        let thread = told.recv().unwrap();
        while !is_asleep(&thread) {
            std::thread::yield_now();
        }
        // No more is taken than waited before it: the room that this makes must have become its own.
        (0..CAPACITY + 2).for_each(|_| assert!(orders.wait().is_some()));
        let begin = Instant::now();
        while !waiting.is_finished() {
            assert!(begin.elapsed() < Duration::from_secs(60), "no turn");
            std::thread::yield_now();
        }
    }

    #[test]
    fn commands_that_a_run_does_not_get_to_are_refused() {
        let (sender, orders) = queue();
        let (refusals, mut heard) = channel(2);
        let client = sender.answered_by(refusals);
        client.send(Command::Skip { child: 7 }).unwrap();
        drop(orders);
        assert_eq!(heard.try_recv().as_deref(), Ok(ENDING));
        client.send_in_turn(Command::Skip { child: 8 });
        assert_eq!(heard.try_recv().as_deref(), Ok(ENDING));
    }

    #[test]
    fn a_refusal_reaches_its_client_and_one_that_does_not_listen_is_not_waited_for() {
        let (sender, mut orders) = queue();
        let (refusals, mut heard) = channel(2);
        sender
            .answered_by(refusals)
            .send(Command::Skip { child: 7 })
            .unwrap();
        let client = orders.poll().unwrap().client;
        (0..100).for_each(|number| client.refuse(number.to_string()));
        assert_eq!(heard.try_recv().as_deref(), Ok("0"));
        assert_eq!(heard.len(), 1);
    }
}
