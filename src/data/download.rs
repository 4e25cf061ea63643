//! Gets one file over HTTP or from disk, and resumes interrupted downloads.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::error::FetchError;
use super::fetch::FetchProgress;
use crate::foundation::input;
use crate::foundation::numbers::estimate;

/// A server that sends nothing for this long, or hardly anything, is considered gone.
pub(super) const SILENCE: Duration = Duration::from_secs(60);
/// Bytes per second below which a server sends hardly anything.
const SLOWEST: f64 = 1024.0;
/// The whole file may take this long.
pub(super) const PATIENCE: Duration = Duration::from_secs(6 * 3600);
/// An attempt was not in vain if it yielded this share of the largest size of the file.
const FRUIT: u64 = 256;

/// The source of a file, and how persistently it is requested.
pub(super) struct Source<'a> {
    /// `http://`, `https://`, `file://` or a path.
    pub url: &'a str,
    /// Where the user can put the file manually.
    pub folder: &'a Path,
    /// More bytes than the file has: whatever is longer is something else.
    pub most: u64,
    /// Maximum number of consecutive attempts that yield next to nothing.
    pub attempts: u32,
    /// Pause between attempts.
    pub pause: Duration,
    /// How long a server may be silent.
    pub silence: Duration,
    /// How long the whole download may take.
    pub patience: Duration,
}

impl Source<'_> {
    /// Download the complete file to `part`, continuing from what is there.
    ///
    /// # Errors
    /// [`FetchError`]; the received part of an interrupted download stays at `part`.
    pub fn get(
        &self,
        part: &Path,
        progress: &mut dyn FnMut(FetchProgress),
    ) -> Result<(), FetchError> {
        input::regular_or_absent(part).map_err(FetchError::at(part))?;
        match self
            .url
            .strip_prefix("file://")
            .or((!self.url.contains("://")).then_some(self.url))
        {
            Some(local) => self.copy(Path::new(local), part, progress),
            None => self.download(part, progress),
        }
    }

    fn copy(
        &self,
        from: &Path,
        part: &Path,
        progress: &mut dyn FnMut(FetchProgress),
    ) -> Result<(), FetchError> {
        let mut source = input::open(from).map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FetchError::NoMirror {
                path: from.to_owned(),
            },
            _ => FetchError::unreadable_mirror(from)(cause),
        })?;
        let total = source.metadata().ok().map(|metadata| metadata.len());
        let mut target = input::append(part).map_err(FetchError::at(part))?;
        target.set_len(0).map_err(FetchError::at(part))?;
        let mut copying = Copying {
            target: &mut target,
            done: 0,
            total,
            most: self.most,
            silence: Duration::MAX,
            end: None,
        };
        copying
            .copy(&mut source, progress)
            .map_err(|stop| match stop {
                Stop::Source(cause) => FetchError::unreadable_mirror(from)(cause),
                Stop::Target(cause) => FetchError::at(part)(cause),
                Stop::TooLong => self.too_long(part),
            })
    }

    fn download(
        &self,
        part: &Path,
        progress: &mut dyn FnMut(FetchProgress),
    ) -> Result<(), FetchError> {
        let end = Instant::now() + self.patience;
        let mut fruitless = 0;
        loop {
            let before = length(part);
            let Err(attempt) = self.attempt(end, part, progress) else {
                return Ok(());
            };
            let cause = match attempt {
                Attempt::Fatal(error) => return Err(error),
                Attempt::Again(cause) => cause,
            };
            let done = length(part);
            let is_fruitful = done.saturating_sub(before) >= (self.most / FRUIT).max(1);
            fruitless = if is_fruitful { 0 } else { fruitless + 1 };
            let is_over = Instant::now() + self.pause >= end;
            if fruitless >= self.attempts || is_over {
                let cause = match is_over {
                    true => format!(
                        "not complete after {}",
                        estimate(self.patience.as_secs_f64())
                    ),
                    false => cause,
                };
                return Err(FetchError::BrokeOff {
                    url: self.url.to_owned(),
                    done,
                    cause,
                    folder: self.folder.to_owned(),
                });
            }
            std::thread::sleep(self.pause);
        }
    }

    /// How to proceed after a response without the requested bytes.
    fn refused(&self, part: &Path, status: u16) -> Attempt {
        match status {
            206 | 416 if length(part) == 0 => Attempt::Again(format!(
                "the server answered {status}, which is about part of a file, when asked for all of it"
            )),
            206 | 416 => self.restart(
                part,
                "the server cannot continue from the existing part".to_owned(),
            ),
            408 | 429 | 500.. => Attempt::Again(format!("the server answered {status}")),
            _ => Attempt::Fatal(FetchError::Refused {
                url: self.url.to_owned(),
                status,
                folder: self.folder.to_owned(),
            }),
        }
    }

    /// The error for something longer than the file, which is removed.
    fn too_long(&self, part: &Path) -> FetchError {
        // The part alone tells the next fetch nothing: it would be taken for a beginning.
        match fs::remove_file(part) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => FetchError::at(part)(cause),
            _ => FetchError::TooLong {
                url: self.url.to_owned(),
                most: self.most,
            },
        }
    }

    /// Sends requests that end in time.
    fn agent(&self, end: Instant) -> ureq::Agent {
        let left = end.saturating_duration_since(Instant::now());
        ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(left))
            .timeout_connect(Some(self.silence))
            .timeout_recv_response(Some(self.silence))
            .timeout_per_read(Some(self.silence))
            .build()
            .into()
    }

    /// One request for the missing bytes.
    fn attempt(
        &self,
        end: Instant,
        part: &Path,
        progress: &mut dyn FnMut(FetchProgress),
    ) -> Result<(), Attempt> {
        let have = length(part);
        // With a compressed transfer, byte ranges and the archive itself would mean something else.
        let mut request = self
            .agent(end)
            .get(self.url)
            .header("accept-encoding", "identity");
        if have > 0 {
            request = request.header("range", format!("bytes={have}-"));
        }
        let response = request
            .call()
            .map_err(|error| Attempt::Again(error.to_string()))?;
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let (done, total) = match (response.status().as_u16(), header("content-range")) {
            (200, _) => (
                0,
                header("content-length").and_then(|length| length.parse().ok()),
            ),
            (416, Some(range)) if range == format!("bytes */{have}") => return Ok(()),
            (206, Some(range)) => content_range(&range)
                .filter(|&(start, _)| start == have)
                .ok_or_else(|| {
                    self.restart(
                        part,
                        format!("the server sent `{range}` when asked for byte {have} onwards"),
                    )
                })?,
            (status, _) => return Err(self.refused(part, status)),
        };
        if total.is_some_and(|total| total > self.most) {
            return Err(Attempt::Fatal(self.too_long(part)));
        }
        let fatal = |cause| Attempt::Fatal(FetchError::at(part)(cause));
        let mut target = input::append(part).map_err(fatal)?;
        target.set_len(done).map_err(fatal)?;
        let mut copying = Copying {
            target: &mut target,
            done,
            total,
            most: self.most,
            silence: self.silence,
            end: Some(end),
        };
        copying
            .copy(&mut response.into_body().into_reader(), progress)
            .map_err(|stop| match stop {
                Stop::Source(cause) => Attempt::Again(cause.to_string()),
                Stop::Target(cause) => fatal(cause),
                Stop::TooLong => Attempt::Fatal(self.too_long(part)),
            })
    }

    /// Discard the part, so that the next attempt starts from 0.
    fn restart(&self, part: &Path, cause: String) -> Attempt {
        match fs::remove_file(part) {
            Ok(()) => Attempt::Again(cause),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Attempt::Again(cause),
            Err(cause) => Attempt::Fatal(FetchError::at(part)(cause)),
        }
    }
}

/// How an attempt that did not get the whole file ended.
enum Attempt {
    Again(String),
    Fatal(FetchError),
}

/// The side of a copy that failed.
enum Stop {
    Source(io::Error),
    Target(io::Error),
    /// The source has more bytes than the file can have.
    TooLong,
}

struct Copying<'a> {
    target: &'a mut File,
    done: u64,
    total: Option<u64>,
    most: u64,
    silence: Duration,
    end: Option<Instant>,
}

impl Copying<'_> {
    fn copy(
        &mut self,
        source: &mut impl Read,
        progress: &mut dyn FnMut(FetchProgress),
    ) -> Result<(), Stop> {
        let mut buffer = vec![0; 1 << 16];
        progress(FetchProgress::Downloading {
            done: self.done,
            total: self.total,
        });
        let mut window = (Instant::now(), self.done);
        loop {
            self.keep_pace(&mut window)?;
            match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) if self.done + read as u64 > self.most => return Err(Stop::TooLong),
                Ok(read) => {
                    self.target
                        .write_all(&buffer[..read])
                        .map_err(Stop::Target)?;
                    self.done += read as u64;
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                Err(cause) => return Err(Stop::Source(cause)),
            }
            progress(FetchProgress::Downloading {
                done: self.done,
                total: self.total,
            });
        }
        match self.total {
            Some(total) if self.done < total => {
                Err(Stop::Source(io::ErrorKind::UnexpectedEof.into()))
            }
            _ => Ok(()),
        }
    }
}

impl Copying<'_> {
    /// Stop if the source is too slow: in a window that began at a time with some bytes done, or in
    /// all.
    fn keep_pace(&self, window: &mut (Instant, u64)) -> Result<(), Stop> {
        let now = Instant::now();
        let slow = |text: &str| Err(Stop::Source(io::Error::new(io::ErrorKind::TimedOut, text)));
        if self.end.is_some_and(|end| now >= end) {
            return slow("it takes too long");
        }
        let (began, before) = *window;
        if now.duration_since(began) < self.silence {
            return Ok(());
        }
        if ((self.done - before) as f64) < SLOWEST * self.silence.as_secs_f64() {
            return slow("the server sends hardly anything");
        }
        *window = (now, self.done);
        Ok(())
    }
}

/// `bytes START-END/TOTAL` -> start, total.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()))
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}
