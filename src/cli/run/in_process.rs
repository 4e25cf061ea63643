//! A run in this process: used with `--headless`, and in the process behind a screen.

use std::io::stderr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::opened::{Join, Opened};
use super::{Farewell, Prepared, nothing_to_resume, outcome, print_summary};
use crate::cli::{BadInput, Told, say};
use crate::foundation::text;
use crate::foundation::thread::spawn;
use crate::link::StopRequest;
use crate::report::headless;
use crate::runs::registry;

/// Work, printing one line per event.
pub fn run(prepared: Prepared) -> anyhow::Result<()> {
    let path = prepared.directory.path().to_owned();
    let opened = prepared.open()?;
    if opened.is_complete {
        return nothing_to_resume(&Farewell::of(&path)?, &path);
    }
    let known = opened.known_records;
    let connection = opened.hub.connect()?;
    say(&format!("run directory: {}", path.display()));
    let join = start(opened, &[SIGINT, SIGTERM, SIGHUP])?;
    let told = headless::watch(connection, known, &mut stderr());
    let ending = join();
    // It ends with its error, which is among its lines.
    let ending = ending.map_err(|error| {
        // A directory that someone deletes during the work is another matter.
        if error.is::<BadInput>() && !path.exists() {
            say("nothing had begun: the run directory was removed");
        }
        if told.as_deref() == Some(&*text::line(&format!("{error:#}"))) {
            Told(error).into()
        } else {
            error
        }
    })?;
    print_summary(&ending.text)?;
    outcome(ending.reason, &path)
}

/// Start a run that any client can find, watch and control. The first of the `stopping` signals
/// stops it like a client's stop command, the second ends the program at once.
pub fn start(opened: Opened, stopping: &[i32]) -> anyhow::Result<Join> {
    stop_on_signals(opened.hub.stop_request().clone(), stopping)?;
    // A run that `list` does not know can still be given by path.
    let _ = registry::register(&opened.path);
    let path = opened.path.clone();
    let join = opened.start()?;
    Ok(Box::new(move || {
        let ending = join();
        // The list forgets a run whose directory is away for a while.
        let _ = registry::register(&path);
        ending
    }))
}

fn stop_on_signals(stop: StopRequest, stopping: &[i32]) -> anyhow::Result<()> {
    let mut signals = Signals::new(stopping).context("cannot listen for signals")?;
    // Without a handler a hang-up would kill the process, which must not stop the search.
    signal_hook::flag::register(SIGHUP, Arc::new(AtomicBool::new(false)))
        .context("cannot listen for SIGHUP")?;
    let listen = move || {
        let mut is_first = true;
        for _ in signals.forever() {
            if !std::mem::take(&mut is_first) {
                signal_hook::low_level::exit(130);
            }
            stop.request();
        }
    };
    spawn("nas-signals", listen)?;
    Ok(())
}
