//! What the list of runs must ask their processes, because no file can tell it.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::protocol::{self, ServerHello, ToClient};
use super::{peer, place};
use crate::runs::{self, RunInfo};
use crate::state::RunStatus;

/// Time limit for the answer of a process, which is under way as soon as it is called.
const ANSWER: Duration = Duration::from_millis(500);

/// Every known run, as [`runs::survey`] lists them, and why those that are blocked cannot save.
pub fn survey() -> Vec<RunInfo> {
    let mut runs = runs::survey();
    for run in runs.iter_mut().filter(|run| run.status.is_live()) {
        run.blocked = blocked(&run.path);
        if run.blocked.is_some() {
            run.status = RunStatus::Blocked;
        }
    }
    runs
}

/// Why the run in the directory `run` cannot save; `None` if it can, or if there is no answer.
pub(super) fn blocked(run: &Path) -> Option<String> {
    let places = place::candidates(run);
    places.iter().find_map(|path| greeting(path).ok())?.blocked
}

fn greeting(path: &Path) -> io::Result<ServerHello> {
    let stream = UnixStream::connect(path)?;
    if !(peer::is_trusted(&stream) || peer::own_uid() == 0) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    stream.set_read_timeout(Some(ANSWER))?;
    match protocol::receive(&mut io::BufReader::new(stream))? {
        Some(ToClient::Hello(hello)) => Ok(hello),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
