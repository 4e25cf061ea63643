//! What tests do to the directory of a run in progress, and how they hear of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A headless run whose lines go to a file.
pub struct Running {
    pub child: Child,
    lines: PathBuf,
}

impl Running {
    pub fn start(mut command: Command, lines: &Path) -> Running {
        let child = command
            .stderr(File::create(lines).unwrap())
            .spawn()
            .unwrap();
        Running {
            child,
            lines: lines.to_owned(),
        }
    }

    pub fn text(&self) -> String {
        fs::read_to_string(&self.lines).unwrap()
    }

    /// Wait until a line contains `text`.
    pub fn wait_for(&mut self, text: &str) {
        let begin = Instant::now();
        while !self.text().contains(text) {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && begin.elapsed() < Duration::from_secs(120),
                "no {text:?} ({ended:?}):\n{}",
                self.text()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Wait for the end.
    pub fn end(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Wait for the end, which must be a successful one.
    pub fn succeeds(&mut self) {
        let status = self.end();
        assert!(status.success(), "{status:?}\n{}", self.text());
    }

    /// Ask for a stop, and return the last line of a run that ends with status 1.
    pub fn stopped_without_saving(&mut self) -> String {
        self.signal(Signal::TERM);
        let (status, text) = (self.end(), self.text());
        assert_eq!(status.code(), Some(1), "{text}");
        assert!(!text.contains("run completed"), "{text}");
        text.lines().last().unwrap_or_default().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// `mount` with these arguments, the last of which is a folder.
fn mount(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new("mount");
    command.args(arguments).arg(folder).output().unwrap()
}

fn unmount(folder: &Path) {
    let _ = Command::new("umount").arg("--lazy").arg(folder).status();
}

/// A small file system in memory, unmounted at the end.
pub struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None`, with a reason on standard error, if this user cannot mount.
    pub fn new(bytes: usize) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={bytes}");
        let output = mount(&["-t", "tmpfs", "-o", &size, "none"], folder.path());
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr).into_owned();
            eprintln!("skipped: this user cannot mount a file system: {reason}");
            return None;
        }
        Some(SmallDisk(folder))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Use up all of its space with one file, which is returned.
    pub fn fill(&self) -> PathBuf {
        use std::io::Write;

        let path = self.path("full");
        let mut file = File::create(&path).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        unmount(self.0.path());
    }
}

/// Cover a folder by itself, read-only; uncovered when the value is dropped.
pub struct ReadOnly(PathBuf);

impl ReadOnly {
    pub fn cover(folder: &Path) -> ReadOnly {
        let place = folder.to_str().unwrap();
        assert!(mount(&["--bind", place], folder).status.success());
        let covered = ReadOnly(folder.to_owned());
        assert!(mount(&["-o", "remount,bind,ro"], folder).status.success());
        covered
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        unmount(&self.0);
    }
}
