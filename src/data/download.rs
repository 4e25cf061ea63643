//! Gets one file over HTTP or from disk, and resumes interrupted downloads.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use super::error::FetchError;
use super::fetch::FetchProgress;

/// A server that sends nothing for this long is considered gone.
const SILENCE: Duration = Duration::from_secs(60);

/// The source of a file, and how persistently it is requested.
pub(super) struct Source<'a> {
    /// `http://`, `https://`, `file://` or a path.
    pub url: &'a str,
    /// Where the user can put the file manually.
    pub folder: &'a Path,
    /// Maximum number of consecutive attempts that yield no new byte.
    pub attempts: u32,
    /// Pause between attempts.
    pub pause: Duration,
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
        let mut source = File::open(from).map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => FetchError::NoMirror {
                path: from.to_owned(),
            },
            _ => FetchError::at(from)(cause),
        })?;
        let total = source.metadata().ok().map(|metadata| metadata.len());
        let mut target = File::create(part).map_err(FetchError::at(part))?;
        let mut copying = Copying {
            target: &mut target,
            done: 0,
            total,
        };
        copying
            .copy(&mut source, progress)
            .map_err(|stop| match stop {
                Stop::Source(cause) => FetchError::at(from)(cause),
                Stop::Target(cause) => FetchError::at(part)(cause),
            })
    }

    fn download(
        &self,
        part: &Path,
        progress: &mut dyn FnMut(FetchProgress),
    ) -> Result<(), FetchError> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(SILENCE))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            .build()
            .into();
        let mut fruitless = 0;
        loop {
            let before = length(part);
            let Err(attempt) = self.attempt(&agent, part, progress) else {
                return Ok(());
            };
            let cause = match attempt {
                Attempt::Fatal(error) => return Err(error),
                Attempt::Again(cause) => cause,
            };
            let done = length(part);
            fruitless = if done > before { 0 } else { fruitless + 1 };
            if fruitless >= self.attempts {
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

    /// One request for the missing bytes.
    fn attempt(
        &self,
        agent: &ureq::Agent,
        part: &Path,
        progress: &mut dyn FnMut(FetchProgress),
    ) -> Result<(), Attempt> {
        let have = length(part);
        // With a compressed transfer, byte ranges and the archive itself would mean something else.
        let mut request = agent.get(self.url).header("accept-encoding", "identity");
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
        let fatal = |cause| Attempt::Fatal(FetchError::at(part)(cause));
        let mut target = OpenOptions::new()
            .create(true)
            .append(true)
            .open(part)
            .map_err(fatal)?;
        target.set_len(done).map_err(fatal)?;
        let mut copying = Copying {
            target: &mut target,
            done,
            total,
        };
        copying
            .copy(&mut response.into_body().into_reader(), progress)
            .map_err(|stop| match stop {
                Stop::Source(cause) => Attempt::Again(cause.to_string()),
                Stop::Target(cause) => fatal(cause),
            })
    }

    /// Discard the part, so that the next attempt starts from 0.
    fn restart(&self, part: &Path, cause: String) -> Attempt {
        match fs::remove_file(part) {
            Ok(()) => Attempt::Again(cause),
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
}

struct Copying<'a> {
    target: &'a mut File,
    done: u64,
    total: Option<u64>,
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
        loop {
            match source.read(&mut buffer) {
                Ok(0) => break,
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

/// `bytes START-END/TOTAL` -> start, total.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()))
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}
