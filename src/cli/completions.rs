//! `nas-tui completions SHELL`: print a completion script.

use clap::{Args as ClapArgs, CommandFactory};
use clap_complete::Shell;

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// bash, elvish, fish, powershell or zsh
    shell: Shell,
}

pub(super) fn run(args: Args) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut super::Cli::command(),
        "nas-tui",
        &mut script,
    );
    super::print(&String::from_utf8_lossy(&script))
}
