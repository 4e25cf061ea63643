//! Where a run's socket is: in the run directory or, if its path is too long or its file system
//! does not support sockets, in a folder private to the user.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use super::peer::own_uid;
use crate::foundation::hash::fnv;

/// Maximum length of a socket's path: `sun_path` has 108 bytes including the terminator.
const LONGEST_PATH: usize = 107;
const IN_RUN: &str = "control.sock";

/// Possible places for the socket of the run in `run`, the preferred one first.
pub fn candidates(run: &Path) -> Vec<PathBuf> {
    let run = run.canonicalize().unwrap_or_else(|_| run.to_owned());
    let name = format!(
        "{:016x}.sock",
        fnv(run.as_os_str().as_encoded_bytes().iter().copied())
    );
    let folders = private_folders();
    std::iter::once(run.join(IN_RUN))
        .chain(folders.iter().map(|folder| folder.join(&name)))
        .filter(|path| path.as_os_str().len() <= LONGEST_PATH)
        .collect()
}

/// Listen in the first place that allows it. What a dead process left there is replaced: the caller
/// holds the run's lock.
///
/// # Errors
/// The error for the last place that was tried.
pub fn bind(run: &Path) -> io::Result<(UnixListener, PathBuf)> {
    let mut last = io::Error::new(
        io::ErrorKind::InvalidInput,
        "no path is short enough for a socket",
    );
    for path in candidates(run) {
        match bind_at(&path) {
            Ok(listener) => return Ok((listener, path)),
            Err(error) => {
                last = io::Error::new(error.kind(), format!("{}: {error}", path.display()))
            }
        }
    }
    Err(last)
}

/// A socket at `path` that only this user can connect to from the start: it is created in a folder
/// of mode 0700, then moved. The move replaces whatever is at `path`, even a link, and follows no
/// links.
fn bind_at(path: &Path) -> io::Result<UnixListener> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    if path.file_name().is_none_or(|name| name != IN_RUN) {
        make_private(folder)?;
    }
    let private = folder.join(format!(
        ".{}",
        path.file_stem().unwrap_or_default().to_string_lossy()
    ));
    match fs::remove_dir_all(&private) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    DirBuilder::new().mode(0o700).create(&private)?;
    let made = || {
        let socket = private.join("s");
        let listener = UnixListener::bind(&socket)?;
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o600))?;
        fs::rename(&socket, path)?;
        Ok(listener)
    };
    let listener = made();
    let _ = fs::remove_dir_all(&private);
    listener
}

/// Folders for sockets that only this user can access.
fn private_folders() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|folder| folder.is_absolute());
    let temporary = PathBuf::from(format!("/tmp/nas-tui-{}", own_uid()));
    runtime
        .map(|folder| folder.join("nas-tui"))
        .into_iter()
        .chain([temporary])
        .collect()
}

/// Create `folder`, or verify that only this user can access it: anyone can create a folder in
/// /tmp.
fn make_private(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Err(_) => {}
    }
    let found = fs::symlink_metadata(folder)?;
    if found.is_dir() && found.uid() == own_uid() && found.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        "the folder is accessible to other users",
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn the_socket_is_in_the_run_directory_and_only_its_users() {
        let run = tempfile::tempdir().unwrap();
        let (_listener, path) = bind(run.path()).unwrap();
        assert_eq!(
            path,
            run.path().canonicalize().unwrap().join("control.sock")
        );
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(
            fs::read_dir(run.path()).unwrap().count(),
            1,
            "nothing else is left"
        );
    }

    #[test]
    fn a_path_that_is_too_long_moves_the_socket_out_of_the_run_directory() {
        let root = tempfile::tempdir().unwrap();
        let run = root.path().join("x".repeat(110));
        fs::create_dir(&run).unwrap();
        let (_listener, path) = bind(&run).unwrap();
        assert!(
            !path.starts_with(&run) && candidates(&run).contains(&path),
            "{}",
            path.display()
        );
        UnixStream::connect(&path).unwrap();
        assert_eq!(
            fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o777,
            0o700
        );
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn leftovers_of_a_dead_process_are_replaced_and_no_link_is_followed() {
        let run = tempfile::tempdir().unwrap();
        let precious = run.path().join("precious");
        fs::write(&precious, "data").unwrap();
        std::os::unix::fs::symlink(&precious, run.path().join("control.sock")).unwrap();
        fs::create_dir(run.path().join(".control")).unwrap();
        let (first, path) = bind(run.path()).unwrap();
        drop(first);
        let (_second, path) = bind(run.path())
            .map(|(listener, again)| (listener, (again == path).then_some(path).unwrap()))
            .unwrap();
        UnixStream::connect(path).unwrap();
        assert_eq!(fs::read_to_string(precious).unwrap(), "data");
    }

    #[test]
    fn a_folder_that_others_can_look_into_is_not_used() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("open");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(bind_at(&folder.join("a.sock")).is_err());
    }
}
