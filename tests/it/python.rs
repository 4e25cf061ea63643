//! Finds Python, or data outside the repository, for tests that need them; otherwise they are
//! skipped with the reason.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The Python of `make test` if it has `modules`; otherwise prints why the test is skipped.
pub fn python(modules: &str) -> Option<String> {
    let command = std::env::var("NAS_TUI_PYTHON")
        .ok()
        .filter(|command| !command.is_empty());
    let Some(command) = command else {
        return skipped("NAS_TUI_PYTHON names no Python; `make test` installs one");
    };
    let found = Command::new(&command)
        .args(["-c", &format!("import {modules}")])
        .output();
    match found
        .unwrap_or_else(|error| panic!("NAS_TUI_PYTHON={command}: {error}"))
        .status
        .success()
    {
        true => Some(command),
        false if modules.contains("torch") => {
            skipped(&format!("{command} cannot import {modules}"))
        }
        false => panic!("NAS_TUI_PYTHON={command} cannot import {modules}"),
    }
}

/// Any Python 3, for scripts that use only its standard library.
pub fn plain_python() -> Option<&'static str> {
    let found = Command::new("python3")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if found {
        Some("python3")
    } else {
        skipped("there is no python3")
    }
}

/// A file outside the repository: in the folder NAS_TUI_TEST_DATA, or in ../shared/data if that is
/// not set.
pub fn test_data(name: &str) -> Option<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::var_os("NAS_TUI_TEST_DATA").filter(|folder| !folder.is_empty());
    let file = folder
        .map_or_else(|| repository.join("../shared/data"), PathBuf::from)
        .join(name);
    if file.is_file() {
        Some(file)
    } else {
        skipped(&format!(
            "there is no {name} in NAS_TUI_TEST_DATA (default ../shared/data)"
        ))
    }
}

/// Run a script of the repository, which must not leave any files behind.
pub fn script(python: &str, script: &str) -> Command {
    let mut command = Command::new(python);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(script))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// The output of a script, which must succeed.
pub fn printed(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn skipped<T>(reason: &str) -> Option<T> {
    use std::io::Write;
    // Not eprintln: the test runner would hide it.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED {}: {reason}",
        std::thread::current().name().unwrap_or("test")
    );
    None
}
