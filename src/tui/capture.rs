//! Captures standard output and standard error while the screen is shown: libraries print to them,
//! and that must not reach the screen.

use std::fs::File;
use std::io::{self, IsTerminal, PipeReader, PipeWriter, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::foundation::text;
use crate::foundation::thread::spawn;

/// Number of lines waiting for the screen; further ones are dropped, because their writer must not
/// be blocked.
const WAITING_LINES: usize = 1_000;
/// Maximum length of a line in bytes; a longer one is broken.
const LINE_BYTES: usize = 4_096;

#[derive(Debug, Clone, Copy)]
enum StandardStream {
    Output,
    Error,
}

/// The terminal's own descriptors, kept while a pipe replaces them.
#[derive(Debug)]
pub struct Redirection {
    saved: Vec<(StandardStream, OwnedFd)>,
}

impl Redirection {
    /// Replace each of the two streams that is a terminal by the writing end of `pipe`.
    pub fn start(pipe: &PipeWriter) -> io::Result<Redirection> {
        let mut redirection = Redirection { saved: Vec::new() };
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let streams = [
            (StandardStream::Output, stdout.as_fd()),
            (StandardStream::Error, stderr.as_fd()),
        ];
        for (stream, descriptor) in streams {
            if descriptor.is_terminal() {
                let original = descriptor.try_clone_to_owned()?;
                redirection.saved.push((stream, original));
                replace(stream, pipe.as_fd())?;
            }
        }
        Ok(redirection)
    }

    /// Restore the terminal. Doing so twice is harmless.
    pub fn end(&mut self) {
        for (stream, original) in self.saved.drain(..) {
            // There is no one left to report a failure to.
            let _ = replace(stream, original.as_fd());
        }
    }
}

impl Drop for Redirection {
    fn drop(&mut self) {
        self.end();
    }
}

fn replace(stream: StandardStream, with: BorrowedFd<'_>) -> io::Result<()> {
    match stream {
        StandardStream::Output => rustix::stdio::dup2_stdout(with)?,
        StandardStream::Error => rustix::stdio::dup2_stderr(with)?,
    }
    Ok(())
}

/// A pipe whose lines arrive at the receiver, without control sequences. Ends when the last writer
/// is gone.
pub fn line_pipe() -> io::Result<(PipeWriter, Receiver<String>)> {
    let (reader, writer) = io::pipe()?;
    let (sender, receiver) = channel(WAITING_LINES);
    spawn("screen-capture", move || read_lines(reader, &sender))?;
    Ok((writer, receiver))
}

fn read_lines(pipe: PipeReader, sender: &Sender<String>) {
    let mut pipe = File::from(OwnedFd::from(pipe));
    let mut line: Vec<u8> = Vec::new();
    let mut bytes = [0; LINE_BYTES];
    loop {
        let length = match pipe.read(&mut bytes) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        for &byte in &bytes[..length] {
            // A carriage return also ends a line: progress bars use it to redraw themselves.
            if byte == b'\n' || byte == b'\r' || line.len() == LINE_BYTES {
                send(&mut line, sender);
            }
            if byte != b'\n' && byte != b'\r' {
                line.push(byte);
            }
        }
    }
    send(&mut line, sender);
}

fn send(line: &mut Vec<u8>, sender: &Sender<String>) {
    let text = text::line(&String::from_utf8_lossy(line)).into_owned();
    line.clear();
    if !text.trim().is_empty() {
        // A full channel drops the line; a closed one means that no one is looking any more.
        let _ = sender.try_send(text);
    }
}

/// A captured line. Never ends.
pub async fn recv_line(lines: &mut Receiver<String>) -> String {
    match lines.recv().await {
        Some(line) => line,
        None => std::future::pending().await,
    }
}

/// Print what came too late for the log panel.
pub async fn print_unseen(lines: &mut Receiver<String>) {
    while let Ok(Some(line)) = tokio::time::timeout(Duration::from_millis(50), lines.recv()).await {
        eprintln!("{line}");
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn lines_arrive_without_control_sequences() {
        let (mut writer, mut receiver) = line_pipe().expect("a pipe");
        writer
            .write_all(b"\x1b[31mred\x1b[0m\tone\n\n10%\r20%\r\nlast")
            .expect("the reader reads");
        drop(writer);
        let lines: Vec<String> = std::iter::from_fn(|| receiver.blocking_recv()).collect();
        assert_eq!(lines, ["red one", "10%", "20%", "last"]);
    }

    #[test]
    fn a_flood_is_dropped_and_the_writer_never_blocks() {
        let (mut writer, mut receiver) = line_pipe().expect("a pipe");
        for _ in 0..50_000 {
            writer
                .write_all(b"warning: something\n")
                .expect("the reader reads");
        }
        drop(writer);
        assert!(std::iter::from_fn(|| receiver.blocking_recv()).count() >= WAITING_LINES);
    }
}
