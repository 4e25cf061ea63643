//! Training images per second of one process that has the device to itself.

use super::Bench;
use super::process::ProbeProcess;
use super::report::{CheckOutcome, Speed};
use super::task::{Memory, NetworkName, Numbers, ProbeAnswer, ProbeForm, ProbeTask};
use crate::foundation::device::Device;
use crate::foundation::host::cores;

/// Measuring time for each figure.
const SECONDS: f64 = 2.0;

/// Maximum number of images per step: few for NASCNN15 on the CPU, whose step would otherwise take
/// a quarter of a minute on two cores.
fn batch(network: NetworkName, device: Device) -> usize {
    match (network, device) {
        (NetworkName::SmallChild, _) => 100,
        (NetworkName::Nascnn15, Device::Cpu) => 8,
        (NetworkName::Nascnn15, Device::Cuda(_)) => 128,
    }
}

pub(super) fn check(bench: &Bench, device: Device) -> Vec<Speed> {
    bench.tell(device, "training images per second");
    // One process for what is computed without TF32, and one for the rest.
    let processes: &[&[Numbers]] = match device {
        Device::Cpu => &[&[Numbers::F32]],
        Device::Cuda(_) => &[&[Numbers::F32], &[Numbers::Tf32, Numbers::Bf16]],
    };
    processes
        .iter()
        .flat_map(|numbers| speeds(bench, device, numbers))
        .collect()
}

/// Both networks with each of `numbers`, in one process.
fn speeds(bench: &Bench, device: Device, numbers: &[Numbers]) -> Vec<Speed> {
    let networks = [NetworkName::SmallChild, NetworkName::Nascnn15];
    let form = |numbers| {
        networks.map(|network| ProbeForm {
            network,
            memory: Memory::Fastest,
            numbers,
            threads: network.threads(device),
        })
    };
    let forms: Vec<ProbeForm> = numbers.iter().copied().flat_map(form).collect();
    let task = |form: &ProbeForm| ProbeTask::Speed {
        form: *form,
        batch: batch(form.network, device),
        seconds: SECONDS,
    };
    let tasks = forms.iter().map(task).collect();
    let probe = ProbeProcess::start(
        bench.program,
        device,
        cores(),
        numbers.first().copied().unwrap_or(Numbers::F32),
        tasks,
    );
    let mut probe = probe.map_err(|error| format!("no process could be started: {error}"));
    let answer = |form: ProbeForm| {
        let answer = probe.as_mut().map_or_else(
            |error| ProbeAnswer::Failed(error.clone()),
            ProbeProcess::next,
        );
        of_answer(form, batch(form.network, device), answer)
    };
    forms.into_iter().map(answer).collect()
}

fn of_answer(form: ProbeForm, asked: usize, answer: ProbeAnswer) -> Speed {
    let (batch, images_per_second, verdict) = match answer {
        ProbeAnswer::Speed {
            batch,
            images,
            seconds,
        } => (
            batch,
            Some(images as f64 / seconds.max(1e-9)),
            CheckOutcome::Passed,
        ),
        ProbeAnswer::Failed(reason) => (asked, None, CheckOutcome::failed(&reason)),
        other => (
            asked,
            None,
            CheckOutcome::failed(&format!("unexpected answer {other:?}")),
        ),
    };
    Speed {
        form,
        batch,
        images_per_second,
        verdict,
    }
}
