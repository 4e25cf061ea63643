//! Whether the GPU panel and the energy figures show the GPU that is trained on, because NVML
//! numbers GPUs independently.

use super::Bench;
use super::process::ProbeProcess;
use super::report::{CheckOutcome, Numbering};
use super::task::{Identity, Numbers, ProbeAnswer, ProbeTask};
use crate::foundation::device::Device;

pub(super) fn check(bench: &Bench, device: Device) -> Numbering {
    if !device.is_cuda() {
        return Numbering {
            cuda_bus: None,
            nvml_bus: None,
            verdict: CheckOutcome::skipped("no CUDA device"),
        };
    }
    bench.tell(device, "NVML's number of it");
    let answer = match ProbeProcess::start(
        bench.program,
        device,
        1,
        Numbers::F32,
        vec![ProbeTask::Identify],
    ) {
        Ok(mut session) => session.next(),
        Err(error) => ProbeAnswer::Failed(format!("no process could be started: {error}")),
    };
    match answer {
        ProbeAnswer::Identity(identity) => judge(identity),
        ProbeAnswer::Failed(reason) => Numbering {
            cuda_bus: None,
            nvml_bus: None,
            verdict: CheckOutcome::failed(&reason),
        },
        other => Numbering {
            cuda_bus: None,
            nvml_bus: None,
            verdict: CheckOutcome::failed(&format!("unexpected answer {other:?}")),
        },
    }
}

fn judge(identity: Identity) -> Numbering {
    let Identity {
        cuda_bus,
        nvml_bus,
        grown,
        allocated,
    } = identity;
    let place = |bus: &Option<String>| bus.as_deref().and_then(place);
    let verdict = match (place(&cuda_bus), place(&nvml_bus), grown) {
        (Some(cuda), Some(nvml), _) if cuda == nvml => CheckOutcome::Passed,
        (Some(_), Some(_), _) => CheckOutcome::failed(
            "NVML's GPU of this number is another one: the GPU panel and energy figures are those of another GPU; set \
             CUDA_DEVICE_ORDER=PCI_BUS_ID",
        ),
        // Other processes may allocate or free memory meanwhile, but hardly the same amount.
        (_, _, Some(grown)) if grown >= allocated / 2 => CheckOutcome::Passed,
        (_, _, Some(_)) => CheckOutcome::failed(
            "memory allocated on the device does not appear on NVML's GPU of this number",
        ),
        (_, _, None) => CheckOutcome::skipped("NVML does not report it"),
    };
    Numbering {
        cuda_bus,
        nvml_bus,
        verdict,
    }
}

/// Domain, bus and device in `0000:3b:00.0` or `00000000:3B:00.0`.
fn place(bus: &str) -> Option<[u32; 3]> {
    let whole = bus.split('.').next()?;
    let numbers: Vec<u32> = whole
        .split(':')
        .map(|part| u32::from_str_radix(part, 16).ok())
        .collect::<Option<_>>()?;
    numbers.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(cuda: Option<&str>, nvml: Option<&str>, grown: Option<u64>) -> CheckOutcome {
        let identity = Identity {
            cuda_bus: cuda.map(str::to_owned),
            nvml_bus: nvml.map(str::to_owned),
            grown,
            allocated: 512 << 20,
        };
        judge(identity).verdict
    }

    #[test]
    fn the_same_bus_id_is_the_same_gpu_however_it_is_written() {
        assert_eq!(
            verdict(Some("0000:3b:00.0"), Some("00000000:3B:00.0"), None),
            CheckOutcome::Passed
        );
        let other = verdict(Some("0000:3b:00.0"), Some("00000000:3C:00.0"), None);
        assert!(
            matches!(&other, CheckOutcome::Failed(reason) if reason.contains("PCI_BUS_ID")),
            "{other:?}"
        );
    }

    #[test]
    fn without_bus_ids_the_gpu_is_recognised_by_the_memory_allocated() {
        assert_eq!(
            verdict(None, Some("00000000:3B:00.0"), Some(514 << 20)),
            CheckOutcome::Passed
        );
        assert!(matches!(
            verdict(None, None, Some(2 << 20)),
            CheckOutcome::Failed(_)
        ));
        assert!(matches!(
            verdict(Some("0000:3b:00.0"), None, None),
            CheckOutcome::Skipped(_)
        ));
    }
}
