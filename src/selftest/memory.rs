//! Running out of memory in the middle of a training must be an error, not the end of the process.

use super::Bench;
use super::process::ProbeProcess;
use super::report::{CheckOutcome, OutOfMemory, without_paths};
use super::task::{Numbers, ProbeAnswer, ProbeTask, RanOutOfMemory};
use crate::foundation::device::Device;
use crate::foundation::host::cores;

pub(super) fn check(bench: &Bench, device: Device) -> OutOfMemory {
    bench.tell(device, "running out of memory");
    let answer = match ProbeProcess::start(
        bench.program,
        device,
        cores(),
        Numbers::F32,
        vec![ProbeTask::RunOutOfMemory],
    ) {
        Ok(mut session) => session.next(),
        Err(error) => ProbeAnswer::Failed(format!("no process could be started: {error}")),
    };
    let nothing = |verdict| OutOfMemory {
        asked_bytes: None,
        limit_bytes: None,
        error: None,
        verdict,
    };
    match answer {
        ProbeAnswer::RanOutOfMemory(RanOutOfMemory {
            bytes,
            limit,
            error,
            loss_afterwards,
            ..
        }) => OutOfMemory {
            asked_bytes: Some(bytes),
            limit_bytes: Some(limit),
            error: Some(without_paths(&error)),
            verdict: match loss_afterwards.is_finite() {
                true => CheckOutcome::Passed,
                false => CheckOutcome::failed("the loss of the next step is not a finite number"),
            },
        },
        ProbeAnswer::Failed(reason) => nothing(CheckOutcome::failed(&reason)),
        other => nothing(CheckOutcome::failed(&format!(
            "unexpected answer {other:?}"
        ))),
    }
}
