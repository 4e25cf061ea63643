//! Threads with names, which distinguish them in a list of the process's threads.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Start `work` on a thread called `name`.
///
/// # Errors
///
/// If the system cannot start another thread; the message names it.
pub fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let thread = Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot start the thread {name}: {error}"),
        )
    })
}
