//! A search whose writes fail with errors that no disk of a test gives: a broken device, a quota, a
//! file server that has forgotten the file.

use rustix::io::Errno;

use super::*;
use crate::disturbed::Running;

/// A folder with the library that lets writes fail.
fn new_root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fail_writes.c");
    let library = root.path().join("fail_writes.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-Wall", "-Werror", "-O1", "-o"]);
    compiler.args([library.as_os_str(), source.as_os_str(), "-ldl".as_ref()]);
    let output = compiler.output().expect("a C compiler, `cc`");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    root
}

/// The search pauses while `call` fails with `error`, which it names as `words`, and goes on to the same
/// results.
fn is_survived(call: &str, error: Errno, words: &str) {
    let root = new_root();
    let whole = root.path().join("whole");
    assert_ok(&new_run(&whole).output().unwrap());
    let (path, order) = (root.path().join("run"), root.path().join("order"));
    let mut command = new_run(&path);
    command
        .env("LD_PRELOAD", root.path().join("fail_writes.so"))
        .env("FAIL_UNDER", &path)
        .env("FAIL_WITH", &order);
    let mut running = Running::start(command, &root.path().join("lines"));
    wait_for_line(&path, "\"event\":\"child_finished\"");
    fs::write(&order, format!("{} {call}", error.raw_os_error())).unwrap();
    running.wait_for("paused until it can save: ");
    let text = running.text();
    assert!(text.contains(words), "{text}");
    fs::remove_file(&order).unwrap();
    running.succeeds();
    assert_eq!(found(&path), found(&whole));
}

#[test]
fn an_error_of_the_device_pauses_the_search_until_it_can_write() {
    is_survived("write", Errno::IO, "Input/output error");
}

#[test]
fn an_error_of_the_device_when_syncing_pauses_the_search_until_it_can_sync() {
    is_survived("sync", Errno::IO, "Input/output error");
}

#[test]
fn an_exhausted_quota_pauses_the_search_until_there_is_room() {
    is_survived("write", Errno::DQUOT, "quota");
}

#[test]
fn a_file_that_its_server_has_lost_pauses_the_search_until_it_is_there() {
    is_survived("write", Errno::STALE, "Stale file handle");
}
