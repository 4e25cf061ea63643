//! Measuring this machine, as the screen does.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use nas_tui::event::{Event, Record};
use nas_tui::state::processes::Processes;
use nas_tui::telemetry::process::machine_name;
use nas_tui::telemetry::{HostSample, HostStatus, ProcessRole, Telemetry};

/// A run whose search is this process, on the machine with this name.
fn processes(host: &str) -> Processes {
    let event = Event::RunResumed {
        host: host.to_owned(),
        pid: std::process::id(),
        version: "0".into(),
        next_child: Some(1),
        epoch: None,
        micro_batch: None,
    };
    let mut processes = Processes::default();
    processes.apply(&Record {
        v: 1,
        seq: None,
        time: Timestamp::now(),
        event,
    });
    processes
}

fn wait_for(telemetry: &Telemetry, wanted: impl Fn(&HostSample) -> bool) -> HostSample {
    let start = Instant::now();
    loop {
        match &*telemetry.host.borrow() {
            HostStatus::Present(host) if wanted(host) => return host.clone(),
            status => assert!(start.elapsed() < Duration::from_secs(60), "{status:?}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_search_of_a_run_on_this_machine_is_measured() {
    let telemetry = Telemetry::start(Duration::from_millis(100)).expect("threads");
    telemetry.watch_run(&processes(&machine_name()));
    let host = wait_for(
        &telemetry,
        |host| matches!(&host.ours[..], [ours] if ours.role == ProcessRole::Search && ours.cpu.is_some()),
    );
    assert!(host.ours[0].resident > 1 << 20 && host.memory_total > 0 && !host.cores.is_empty());
}

#[test]
fn for_a_run_on_another_machine_only_the_screen_is_ours() {
    let telemetry = Telemetry::start(Duration::from_millis(100)).expect("threads");
    telemetry.watch_run(&processes("another machine"));
    let host = wait_for(&telemetry, |host| !host.ours.is_empty());
    assert_eq!(
        host.ours.iter().map(|ours| ours.role).collect::<Vec<_>>(),
        [ProcessRole::Screen]
    );
}
