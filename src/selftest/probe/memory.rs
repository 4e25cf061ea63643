//! Runs out of memory on purpose: first a batch that is too large, then one that fits.

use anyhow::{Context, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::super::task::RanOutOfMemory;
use super::{SEED, config};
use crate::child::{Network, Plan, cuda};
use crate::data::{self, Layout};
use crate::foundation::device::Device;
use crate::space::memory::direct_memory;
use crate::space::{Architecture, Layer};
use crate::telemetry;
use crate::train::{Fit, Metrics, SgdSettings, TrainError, TrainingData};

/// Filters of the network's only layer: its output is far larger than its input.
const FILTERS: usize = 4096;
const INPUT: [usize; 3] = [3, 32, 32];
/// Bytes of the layer's output for one image.
const PER_IMAGE: u64 = (FILTERS * INPUT[1] * INPUT[2] * size_of::<f32>()) as u64;
/// On the CPU, the bytes that the process may allocate beyond what it has.
const ALLOWANCE: u64 = 256 << 20;
/// A batch that fits.
const FITTING: usize = 1;
/// Images of the step before the limit. What it frees is more than [`FITTING`] needs, wherever the allocator
/// has put it: under the limit, each extension of the heap asks for 64 MiB beyond the tensor
/// (`evaluate::environment`).
const BEFORE: usize = 2;

/// Try a step whose first layer needs a quarter more memory than there is, check that it fails, and
/// take a step that fits.
pub fn run_out(name: Device, device: tch::Device) -> anyhow::Result<RanOutOfMemory> {
    let limit = limit(name)?;
    let images = usize::try_from((limit + limit / 4) / PER_IMAGE + 1)?;
    let data = TrainingData::new(data::noise(INPUT, 10, images, 1), &config()?, device, true)?;
    // Before the limit: the libraries load their kernels.
    step(&data, BEFORE).context("a batch that fits could not be trained")?;
    let restriction = (name == Device::Cpu)
        .then(|| Restriction::begin(ALLOWANCE))
        .transpose()?;
    let error = match step(&data, images) {
        Err(TrainError::OutOfMemory(reason)) => reason,
        Err(other) => {
            return Err(anyhow::Error::from(other)
                .context("it failed for another reason than lack of memory"));
        }
        Ok(_) => bail!(
            "a batch that needs {} of {limit} bytes was trained",
            images as u64 * PER_IMAGE
        ),
    };
    // Still under the limit: what was allocated for the failed batch must have been freed.
    let loss_afterwards =
        step(&data, FITTING).context("after it, a batch that fits could not be trained")?;
    drop(restriction);
    Ok(RanOutOfMemory {
        images,
        bytes: images as u64 * PER_IMAGE,
        limit,
        error,
        loss_afterwards,
    })
}

/// `batch`, halved until training needs at most half of a GPU's memory.
pub fn fitting(architecture: &Architecture, device: Device, batch: usize) -> anyhow::Result<usize> {
    let Device::Cuda(number) = device else {
        return Ok(batch);
    };
    let Some(total) = total(number) else {
        return Ok(batch);
    };
    let mut fitting = batch;
    while fitting > 1 && direct_memory(architecture, fitting)? > total / 2 {
        fitting /= 2;
    }
    Ok(fitting)
}

/// Loss of the first step with batches of `batch` images.
fn step(data: &TrainingData, batch: usize) -> Result<f64, TrainError> {
    let layer = Layer {
        kind: Default::default(),
        kernel: [3, 3],
        filters: FILTERS,
        stride: [1, 1],
        padding: [1, 1],
        inputs: vec![0],
    };
    let network = Architecture {
        name: "wide".to_owned(),
        input: INPUT,
        classes: 10,
        layers: vec![layer],
        output: vec![1],
    };
    tch::manual_seed(SEED as i64);
    let network = Network::new(
        &network,
        Plan::plain(&network, Layout::Contiguous),
        data.device,
    )?;
    let settings = SgdSettings {
        momentum: 0.9,
        nesterov: true,
        weight_decay: 0.0,
    };
    let mut fit = Fit::new(network, settings, data, batch, SEED)?;
    let mut epoch = fit.epoch(1, 0, Metrics::default())?;
    fit.step(&mut epoch, 0.01)?;
    epoch.settle()?;
    Ok(epoch.metrics().loss())
}

/// Bytes of the device, or those that this process may use of the machine.
fn limit(device: Device) -> anyhow::Result<u64> {
    match device {
        Device::Cpu => Ok(ALLOWANCE),
        Device::Cuda(number) => {
            total(number).context("neither CUDA nor NVML reports how much memory the device has")
        }
    }
}

/// Total bytes of a GPU.
fn total(number: usize) -> Option<u64> {
    cuda::total_memory(number)
        .or_else(|| telemetry::cuda::memory(number).map(|(free, used)| free + used))
}

/// A limit on this process's address space (RLIMIT_AS); lifted when dropped.
struct Restriction(Rlimit);

impl Restriction {
    /// Allow `more` bytes beyond those allocated now.
    fn begin(more: u64) -> anyhow::Result<Restriction> {
        let taken = address_space().context("/proc/self/statm cannot be read")?;
        let before = getrlimit(Resource::As);
        let lowered = (taken + more).min(before.maximum.unwrap_or(u64::MAX));
        let lowered = Rlimit {
            current: Some(lowered),
            ..before
        };
        // From now on allocations may fail, with errors that callers expect.
        setrlimit(Resource::As, lowered).context("the limit of memory cannot be lowered")?;
        Ok(Restriction(before))
    }
}

impl Drop for Restriction {
    fn drop(&mut self) {
        // The soft limit may always be raised to its old value.
        let _ = setrlimit(Resource::As, self.0);
    }
}

/// Bytes of this process's address space.
fn address_space() -> Option<u64> {
    let pages: u64 = std::fs::read_to_string("/proc/self/statm")
        .ok()?
        .split_whitespace()
        .next()?
        .parse()
        .ok()?;
    Some(pages * rustix::param::page_size() as u64)
}
