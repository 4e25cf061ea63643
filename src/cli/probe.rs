//! `nas-tui probe` (hidden): the processes in which `nas-tui doctor --train` tests a device.

/// Train briefly on one device according to standard input (used by `doctor --train` itself).
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Answer until every task is done.
///
/// # Errors
/// See [`crate::selftest::probe::run`].
pub fn run(_: &Args) -> anyhow::Result<()> {
    crate::selftest::probe::run()
}
