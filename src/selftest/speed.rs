//! Training images per second of one process that has the device for itself.

use super::Bench;
use super::report::{Speed, Verdict};
use super::session::Session;
use super::task::{Answer, Form, Memory, NetworkName, Numbers, Task};
use crate::device::Device;
use crate::evaluate::placement::cores;

/// Time for each figure.
const SECONDS: f64 = 2.0;

/// Images per step: on the CPU few of NASCNN15's, whose step on two cores would else take a quarter of a minute.
fn batch(network: NetworkName, device: Device) -> usize {
    match (network, device) {
        (NetworkName::SmallChild, _) => 100,
        (NetworkName::Nascnn15, Device::Cpu) => 8,
        (NetworkName::Nascnn15, Device::Cuda(_)) => 128,
    }
}

pub fn check(bench: &Bench, device: Device) -> Vec<Speed> {
    bench.tell(device, "training images per second");
    let numbers: &[Numbers] = match device {
        Device::Cpu => &[Numbers::F32],
        Device::Cuda(_) => &[Numbers::F32, Numbers::Tf32, Numbers::Bf16],
    };
    numbers.iter().flat_map(|&numbers| speeds(bench, device, numbers)).collect()
}

/// Both networks, in one process.
fn speeds(bench: &Bench, device: Device, numbers: Numbers) -> Vec<Speed> {
    let networks = [NetworkName::SmallChild, NetworkName::Nascnn15];
    let forms = networks.map(|network| Form { network, memory: Memory::Fastest, numbers });
    let task = |form: &Form| Task::Speed { form: *form, batch: batch(form.network, device), seconds: SECONDS };
    let session = Session::start(bench.program, device, cores(), numbers, forms.iter().map(task).collect());
    let mut session = session.map_err(|error| format!("no process could be started: {error}"));
    let speed = |form: Form| {
        let answer = match &mut session {
            Ok(session) => session.next(),
            Err(error) => Answer::Failed(error.clone()),
        };
        let (images_per_second, verdict) = match answer {
            Answer::Speed { images, seconds } => (Some(images as f64 / seconds.max(1e-9)), Verdict::Passed),
            Answer::Failed(reason) => (None, Verdict::failed(&reason)),
            other => (None, Verdict::failed(&format!("unexpected answer {other:?}"))),
        };
        Speed { form, batch: batch(form.network, device), images_per_second, verdict }
    };
    forms.map(speed).into()
}
