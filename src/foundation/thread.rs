//! Threads that have a name, so that a list of the process's threads tells them apart.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Start `work` on a thread called `name`.
///
/// # Errors
/// If the system has no room for a thread; the text names it.
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
