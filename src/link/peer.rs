//! Identifies the user at the other end of a Unix socket.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

/// The user of this process.
pub fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The user of the process at the other end.
///
/// rustix is not used because its process id is never 0, whereas here it is 0 if the other side
/// runs in a container that this process cannot see into.
pub fn uid_of(stream: &UnixStream) -> io::Result<u32> {
    let mut credentials = libc::ucred {
        pid: 0,
        uid: 0,
        gid: 0,
    };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the descriptor is open; SO_PEERCRED writes at most `length` bytes, the size of
    // `credentials`.
    let result = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut length,
        )
    };
    if result == 0 {
        Ok(credentials.uid)
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Whether the two sides may talk: they belong to the same user, or one of them is root.
pub fn is_trusted(stream: &UnixStream) -> bool {
    uid_of(stream).is_ok_and(|uid| uid == own_uid() || uid == 0)
}
