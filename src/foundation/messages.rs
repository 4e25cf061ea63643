//! Messages between processes: JSON, one message a line.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::thread::spawn;

/// Write one message.
///
/// # Errors
/// I/O errors of the stream.
pub fn send(output: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    output.write_all(&line)
}

/// The messages that come out of `pipe`, read on a thread called `name`. Lines that are no messages
/// are skipped: libraries print what they like.
///
/// # Errors
/// If no thread can be started.
pub fn receive_all<T: DeserializeOwned + Send + 'static>(
    name: &str,
    pipe: impl Read + Send + 'static,
) -> io::Result<Receiver<T>> {
    let (sender, messages) = channel();
    spawn(name, move || {
        let lines = BufReader::new(pipe).lines().map_while(Result::ok);
        for message in lines.filter_map(|line| serde_json::from_str(&line).ok()) {
            if sender.send(message).is_err() {
                return;
            }
        }
    })?;
    Ok(messages)
}

/// A stream that several threads write messages to, each as a whole.
#[derive(Debug)]
pub struct SharedOutput<W>(Arc<Mutex<W>>);

impl<W> Clone for SharedOutput<W> {
    fn clone(&self) -> SharedOutput<W> {
        SharedOutput(self.0.clone())
    }
}

impl<W: Write> SharedOutput<W> {
    /// Share `stream`.
    pub fn new(stream: W) -> SharedOutput<W> {
        SharedOutput(Arc::new(Mutex::new(stream)))
    }

    /// The stream, for this thread alone.
    pub fn lock(&self) -> MutexGuard<'_, W> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Write one message.
    ///
    /// # Errors
    /// I/O errors of the stream.
    pub fn send(&self, message: &impl Serialize) -> io::Result<()> {
        send(&mut *self.lock(), message)
    }
}
