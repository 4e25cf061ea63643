//! Whether this machine trains correctly: the checks of `nas-tui doctor --train`, which take about
//! a minute per device.
//!
//! There is one file per check. Whatever may crash runs in a separate process: single networks in
//! probes ([`probe`]), children in the workers of a search.

mod agreement;
pub mod environment;
mod memory;
mod numbering;
pub mod probe;
mod process;
pub mod report;
mod speed;
pub mod task;
mod workers;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

pub use report::{CheckOutcome, DeviceReport, SelftestReport};

use crate::evaluate::throughput::model_of;
use crate::foundation::device::Device;

/// The inputs of every check.
struct Bench<'a> {
    /// This program.
    program: &'a Path,
    /// Called with a description of the next step.
    tell: &'a dyn Fn(&str),
    /// Losses of the CPU in f32 with direct convolutions in `[N, C, H, W]` order, with which all
    /// others are compared.
    reference: Option<agreement::ReferenceLosses>,
}

/// Check each of `devices`. `tell` is called before each part with its description.
pub fn run(program: &Path, devices: &[Device], tell: &dyn Fn(&str)) -> SelftestReport {
    let since = Instant::now();
    let environment = environment::Environment::of_this_machine();
    let mut bench = Bench {
        program,
        tell,
        reference: None,
    };
    let mut models = BTreeSet::new();
    let devices: Vec<DeviceReport> = devices
        .iter()
        .map(|&device| {
            let is_first = models.insert(model_of(device));
            bench.examine(device, is_first)
        })
        .collect();
    SelftestReport {
        passed: devices.iter().all(DeviceReport::passed),
        seconds: since.elapsed().as_secs_f64(),
        environment,
        devices,
    }
}

impl Bench<'_> {
    /// Run every check on one device. What is the same for all GPUs of a model is only measured on
    /// the first one.
    fn examine(&mut self, device: Device, is_first_of_model: bool) -> DeviceReport {
        let numbering = numbering::check(self, device);
        let agreement = agreement::check(self, device);
        let speed = if is_first_of_model {
            speed::check(self, device)
        } else {
            Vec::new()
        };
        let (workers, pause) = if is_first_of_model {
            workers::check(self, device)
        } else {
            workers::same_model()
        };
        let out_of_memory = memory::check(self, device);
        DeviceReport {
            device,
            model: model_of(device),
            agreement,
            speed,
            workers,
            pause,
            out_of_memory,
            numbering,
        }
    }

    fn tell(&self, device: Device, what: &str) {
        (self.tell)(&format!("{device}: {what}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::host::convolves_in_bf16;

    #[test]
    fn a_program_whose_processes_die_fails_every_check_and_the_report_goes_on_to_its_end() {
        let report = run(Path::new("/bin/false"), &[Device::Cpu], &|_| {});
        assert!(!report.passed);
        let device = &report.devices[0];
        assert_eq!((device.agreement.len(), device.speed.len()), (4, 2));
        let (failed, others): (Vec<_>, Vec<_>) = device
            .verdicts()
            .partition(|verdict| matches!(verdict, CheckOutcome::Failed(_)));
        let mut skipped = vec![CheckOutcome::skipped("no CUDA device")];
        if !convolves_in_bf16() {
            skipped.insert(0, CheckOutcome::skipped(agreement::TAKES_MINUTES));
        }
        assert_eq!(failed.len(), 10 - skipped.len());
        assert!(others.into_iter().eq(&skipped), "{report:?}");
    }
}
