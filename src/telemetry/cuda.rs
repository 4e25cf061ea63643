//! Maps CUDA devices to NVML's GPUs: CUDA counts only those that CUDA_VISIBLE_DEVICES names, in its
//! order.

use nvml_wrapper::{Device, Nvml};

/// NVML's numbers of the CUDA devices, indexed by CUDA's number; `None` if a device cannot be
/// found.
///
/// Without CUDA_VISIBLE_DEVICES, and for plain numbers in it, CUDA's order is NVML's, that of the
/// PCI bus, because this program sets CUDA_DEVICE_ORDER=PCI_BUS_ID. If the user has set that
/// variable differently and the GPUs are of different models, CUDA lists the fastest first, an
/// order that only CUDA knows.
pub fn visible_gpus(nvml: &Nvml) -> Vec<Option<u32>> {
    let count = nvml.device_count().unwrap_or(0);
    let uuids: Vec<Option<String>> = (0..count)
        .map(|index| {
            nvml.device_by_index(index)
                .and_then(|device| device.uuid())
                .ok()
        })
        .collect();
    let variable = std::env::var("CUDA_VISIBLE_DEVICES").ok();
    resolve(variable.as_deref(), &uuids, |instance| {
        gpu_of_instance(nvml, instance)
    })
}

/// Model of CUDA device `number`, as NVML names it; `None` if NVML does not report it.
pub fn model(number: usize) -> Option<String> {
    with_device(number, |device| device.name().ok())
}

/// Free and used memory of CUDA device `number`, in bytes; `None` if NVML does not report it.
pub fn memory(number: usize) -> Option<(u64, u64)> {
    with_device(number, |device| {
        device
            .memory_info()
            .ok()
            .map(|memory| (memory.free, memory.used))
    })
}

/// Total memory of CUDA device `number`, in bytes; `None` if NVML does not report it.
pub fn total_memory(number: usize) -> Option<u64> {
    with_device(number, |device| {
        device.memory_info().ok().map(|memory| memory.total)
    })
}

/// Memory of CUDA device `number` used by the process `pid`, in bytes; `None` if NVML does not
/// report it.
pub fn memory_of(number: usize, pid: u32) -> Option<u64> {
    with_device(number, |device| super::gpu::memory_of(device, pid))
}

/// PCI bus id of CUDA device `number`, such as `00000000:3B:00.0`; `None` if NVML does not report
/// it.
pub fn bus_id(number: usize) -> Option<String> {
    with_device(number, |device| {
        device.pci_info().ok().map(|info| info.bus_id)
    })
}

fn with_device<T>(number: usize, ask: impl FnOnce(&Device<'_>) -> Option<T>) -> Option<T> {
    let nvml = super::gpu::load().ok()?;
    let gpu = visible_gpus(&nvml).get(number).copied().flatten()?;
    ask(&nvml.device_by_index(gpu).ok()?)
}

/// The GPU that a MIG instance belongs to.
fn gpu_of_instance(nvml: &Nvml, uuid: &str) -> Option<u32> {
    nvml.device_by_uuid(uuid)
        .and_then(|instance| instance.mig_parent_device()?.index())
        .ok()
}

/// `instance` finds the GPU of a MIG instance by its UUID.
fn resolve(
    variable: Option<&str>,
    uuids: &[Option<String>],
    instance: impl Fn(&str) -> Option<u32>,
) -> Vec<Option<u32>> {
    let all = 0..uuids.len() as u32;
    let Some(list) = variable else {
        return all.map(Some).collect();
    };
    let entries = list.split(',').map(str::trim);
    // CUDA ignores everything after an invalid device number.
    let valid = entries.take_while(|entry| {
        entry.parse::<i64>().map_or(true, |number| {
            all.clone().any(|gpu| i64::from(gpu) == number)
        })
    });
    valid
        .map(|entry| match entry.parse() {
            Ok(number) => Some(number),
            Err(_) if entry.starts_with("MIG-") => instance(entry),
            Err(_) => gpu_of_uuid(entry, uuids),
        })
        .collect()
}

/// The only GPU whose UUID starts with `start`: CUDA accepts abbreviated UUIDs.
fn gpu_of_uuid(start: &str, uuids: &[Option<String>]) -> Option<u32> {
    let mut found = (0..)
        .zip(uuids)
        .filter(|(_, uuid)| uuid.as_ref().is_some_and(|uuid| uuid.starts_with(start)));
    let (gpu, _) = found.next().filter(|_| !start.is_empty())?;
    found.next().is_none().then_some(gpu)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(variable: Option<&str>) -> Vec<Option<u32>> {
        let uuids = [Some("GPU-aa1".to_owned()), Some("GPU-ab2".to_owned()), None];
        resolve(variable, &uuids, |instance| {
            (instance == "MIG-x").then_some(1)
        })
    }

    #[test]
    fn without_the_variable_the_orders_are_the_same() {
        assert_eq!(resolved(None), [Some(0), Some(1), Some(2)]);
    }

    #[test]
    fn numbers_uuids_and_instances_are_resolved_in_the_order_of_the_variable() {
        assert_eq!(
            resolved(Some("2, GPU-ab,MIG-x,GPU-aa1")),
            [Some(2), Some(1), Some(1), Some(0)]
        );
    }

    #[test]
    fn a_uuid_that_matches_two_gpus_or_none_is_not_resolved() {
        assert_eq!(resolved(Some("GPU-a,GPU-zz,1")), [None, None, Some(1)]);
    }

    #[test]
    fn entries_after_a_wrong_number_are_hidden_and_an_empty_variable_hides_all() {
        assert_eq!(resolved(Some("1,-1,0")), [Some(1)]);
        assert_eq!(resolved(Some("")), [None]);
    }
}
