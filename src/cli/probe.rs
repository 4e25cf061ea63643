//! `nas-tui probe` (hidden): the processes in which `nas-tui doctor --train` tries a device.

/// Train a little on one device, as standard input says (used by `doctor --train` itself).
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Answer until every task is done.
///
/// # Errors
/// As [`crate::selftest::probe::run`].
pub fn run(_: &Args) -> anyhow::Result<()> {
    crate::selftest::probe::run()
}
