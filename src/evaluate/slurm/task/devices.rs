//! The devices of a task: what Slurm has given it, which may be less than what libtorch sees.

use crate::child::cuda;
use crate::child::device::{ChosenDevices, chosen};
use crate::foundation::device::{Device, DeviceChoice};

/// Variables in which Slurm names the GPUs that a task has been given.
const GIVEN: [&str; 3] = ["SLURM_JOB_GPUS", "SLURM_GPUS_ON_NODE", "GPU_DEVICE_ORDINAL"];
/// What some versions of Slurm put there if it has been given none.
const NONE: &str = "NoDevFiles";

/// The devices to train on, at most `most`, if `slurm.gpus_per_task` is `gpus`.
///
/// # Errors
/// If it has no GPU and should: no child of a search may be trained on the CPU because a node's driver is
/// broken.
pub(super) fn devices(
    choice: DeviceChoice,
    gpus: usize,
    most: usize,
) -> Result<Vec<Device>, String> {
    let names_some = |value: String| !matches!(value.as_str(), "" | NONE);
    let is_given = GIVEN
        .iter()
        .any(|name| std::env::var(name).is_ok_and(names_some));
    let choice = within(choice, gpus, is_given);
    let ChosenDevices { mut devices, .. } = chosen(choice).map_err(|error| error.to_string())?;
    if gpus > 0 && choice == DeviceChoice::Auto && !devices.iter().any(|device| device.is_cuda()) {
        let cause = cuda::diagnose().map_or(String::new(), |cause| format!(": {cause}"));
        return Err(format!(
            "slurm.gpus_per_task is {gpus}, but libtorch sees no GPU here{cause}"
        ));
    }
    devices.truncate(gpus.max(1).min(most));
    Ok(devices)
}

/// The choice without GPUs that Slurm has not given the task: those of `slurm.gpus_per_task`, or of an
/// option of the user's own.
fn within(choice: DeviceChoice, gpus: usize, is_given: bool) -> DeviceChoice {
    match choice {
        DeviceChoice::Auto if gpus == 0 && !is_given => DeviceChoice::One(Device::Cpu),
        choice => choice,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_was_given_no_gpu_uses_none_unless_the_user_names_one() {
        let cpu = DeviceChoice::One(Device::Cpu);
        assert_eq!(within(DeviceChoice::Auto, 0, false), cpu);
        assert_eq!(within(DeviceChoice::Auto, 0, true), DeviceChoice::Auto);
        assert_eq!(within(DeviceChoice::Auto, 2, false), DeviceChoice::Auto);
        for named in [cpu, DeviceChoice::Cuda, DeviceChoice::One(Device::Cuda(1))] {
            assert_eq!(within(named, 0, false), named);
        }
    }
}
