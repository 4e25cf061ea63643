//! Signals that concern the screen, as a stream of messages.

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::foundation::thread::spawn;

/// Signals received from now on. Other parts of the process may handle the same signals too.
pub struct SignalStream {
    receiver: UnboundedReceiver<i32>,
    handle: Handle,
}

impl SignalStream {
    /// Start catching SIGTERM, SIGHUP, SIGINT, SIGQUIT and SIGCONT.
    pub fn start() -> std::io::Result<SignalStream> {
        let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGCONT])?;
        let handle = signals.handle();
        let (sender, receiver) = unbounded_channel();
        spawn("screen-signals", move || {
            for signal in signals.forever() {
                if sender.send(signal).is_err() {
                    return;
                }
            }
        })?;
        Ok(SignalStream { receiver, handle })
    }

    /// The next signal. Never ends.
    pub async fn next(&mut self) -> i32 {
        match self.receiver.recv().await {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }
}

impl Drop for SignalStream {
    fn drop(&mut self) {
        self.handle.close();
    }
}
