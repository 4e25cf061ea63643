//! `nas-tui completions SHELL`: print a completion script.

use clap::{Args as ClapArgs, CommandFactory, ValueEnum};
use clap_complete::Shell;

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// The shell
    shell: Option<Shell>,
}

pub(super) fn run(args: Args) -> anyhow::Result<()> {
    let Some(shell) = args.shell else {
        let shells = Shell::value_variants().iter().map(Shell::to_string);
        return Err(bad_input!(
            "name the shell, as in `nas-tui completions bash`: {}",
            shells.collect::<Vec<_>>().join(", ")
        ));
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::Cli::command(), "nas-tui", &mut script);
    super::print(&String::from_utf8_lossy(&script))
}
