//! The `nas-tui` program: parse, call, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    nas_tui::cli::main(std::env::args_os())
}
