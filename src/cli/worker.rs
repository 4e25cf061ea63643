//! `nas-tui worker`: the hidden subcommand that a search runs as its worker processes.

/// Train children for a search, over standard input and output (used by the search itself).
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Serve until standard input ends.
///
/// # Errors
/// See [`crate::evaluate::worker::run`].
pub fn run(_: &Args) -> anyhow::Result<()> {
    crate::evaluate::worker::run()
}
