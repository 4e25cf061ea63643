//! What commands do for the next look at a long run, once they have printed what was asked for.

use std::io::{IsTerminal, stderr};
use std::path::Path;

use crate::foundation::numbers;
use crate::runs::snapshots::Stale;

/// Bytes of journals that are read so slowly that a waiting user is told why.
const SLOW: u64 = 64 << 20;

/// Write the snapshots that these runs lack, so that the next command need not read their journals from the
/// beginning. Nothing depends on them: what fails is tried again by the next command.
pub(super) fn renew<'a>(runs: impl Iterator<Item = &'a Path>) {
    let stale: Vec<Stale> = runs.filter_map(Stale::of).collect();
    let bytes = stale.iter().map(|stale| stale.uncovered).sum();
    if bytes > SLOW && stderr().is_terminal() {
        let size = numbers::bytes(bytes);
        eprintln!(
            "reading {size} of journals once more, for snapshots that make the next look fast (Ctrl-C: not now)"
        );
    }
    for stale in stale {
        let _ = stale.renew();
    }
}
