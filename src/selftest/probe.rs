//! A probe: a separate process that trains briefly on one device, so that the program survives a
//! crash.

mod identity;
mod memory;

use std::io::{Write, stdin, stdout};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::task::{Assignment, Memory, NetworkName, Numbers, ProbeAnswer, ProbeForm, ProbeTask};
use crate::child::{self, Network, Plan};
use crate::config::{DataConfig, Decode, Options, resolve};
use crate::data::{self, Layout};
use crate::evaluate::throughput;
use crate::space::{Architecture, builtin::builtin};
use crate::train::{Fit, Metrics, SgdSettings, TrainError, TrainingData};

/// Seed of weights, order of images and augmentation: the same everywhere.
const SEED: u64 = 15;
/// Number of batches in an epoch when measuring speed.
const BATCHES: usize = 32;

/// Do the tasks given on standard input.
///
/// # Errors
/// If standard input contains no assignment or the answers cannot be sent.
pub fn run() -> anyhow::Result<()> {
    let assignment: Assignment =
        serde_json::from_reader(stdin().lock()).context("standard input is not an assignment")?;
    use_threads(assignment.threads);
    for task in &assignment.tasks {
        let answer = answer(&assignment, task)
            .unwrap_or_else(|error| ProbeAnswer::Failed(format!("{error:#}")));
        let mut line = serde_json::to_vec(&answer)?;
        line.push(b'\n');
        stdout()
            .lock()
            .write_all(&line)
            .context("the answers cannot be sent")?;
    }
    Ok(())
}

fn use_threads(threads: usize) {
    tch::set_num_threads(i32::try_from(threads).unwrap_or(1));
}

fn answer(assignment: &Assignment, task: &ProbeTask) -> anyhow::Result<ProbeAnswer> {
    let device = child::device::open(assignment.device)?;
    match task {
        &ProbeTask::Losses { form, batch, steps } => Ok(ProbeAnswer::Losses(
            ProbeWork::new(form, device, batch, steps)?.losses()?,
        )),
        &ProbeTask::Speed {
            form,
            batch,
            seconds,
        } => {
            let batch = memory::fitting(&architecture(form.network)?, assignment.device, batch)?;
            let (images, time) = ProbeWork::new(form, device, batch, BATCHES)?
                .speed(Duration::from_secs_f64(seconds))?;
            Ok(ProbeAnswer::Speed {
                batch,
                images,
                seconds: time.as_secs_f64(),
            })
        }
        ProbeTask::RunOutOfMemory => Ok(ProbeAnswer::RanOutOfMemory(memory::run_out(
            assignment.device,
            device,
        )?)),
        ProbeTask::Identify => Ok(ProbeAnswer::Identity(identity::identify(
            assignment.device,
            device,
        )?)),
    }
}

/// A network and the images that it is trained on.
struct ProbeWork {
    architecture: Architecture,
    plan: Plan,
    numbers: Numbers,
    data: TrainingData,
    batch: usize,
    learning_rate: f64,
}

impl ProbeWork {
    /// `batches` batches on `device`: of the embedded images, or of noise in the network's input
    /// shape.
    fn new(
        form: ProbeForm,
        device: tch::Device,
        batch: usize,
        batches: usize,
    ) -> anyhow::Result<ProbeWork> {
        use_threads(form.threads);
        let config = config()?;
        let images = batch * batches;
        let architecture = architecture(form.network)?;
        let (dataset, learning_rate) = match form.network {
            NetworkName::SmallChild => (data::load_first(&config, images, 1)?, 0.1),
            NetworkName::Nascnn15 => (
                data::noise(architecture.input, architecture.classes, images, 1),
                0.01,
            ),
        };
        let plan = plan(&architecture, form.memory, device, batch)?;
        let data = TrainingData::new(dataset, &config, device, true)?;
        Ok(ProbeWork {
            architecture,
            plan,
            numbers: form.numbers,
            data,
            batch,
            learning_rate,
        })
    }

    fn fit(&self) -> Result<Fit<'_>, TrainError> {
        tch::manual_seed(SEED as i64);
        let mut network = Network::new(&self.architecture, self.plan.clone(), self.data.device)?;
        if self.numbers == Numbers::Bf16 {
            network.compute_in_bf16();
        }
        let settings = SgdSettings {
            momentum: 0.9,
            nesterov: true,
            weight_decay: 1e-4,
        };
        Ok(Fit::new(network, settings, &self.data, self.batch, SEED)?)
    }

    /// Loss of each step of one epoch.
    fn losses(&self) -> Result<Vec<f64>, TrainError> {
        let mut fit = self.fit()?;
        let mut epoch = fit.epoch(1, 0, Metrics::default())?;
        let (mut losses, mut sum) = (Vec::new(), 0.0);
        while !epoch.is_done() {
            fit.step(&mut epoch, self.learning_rate)?;
            epoch.settle()?;
            let so_far = epoch.metrics().loss() * epoch.metrics().images as f64;
            losses.push((so_far - sum) / self.batch as f64);
            sum = so_far;
        }
        Ok(losses)
    }

    /// Number of images trained in about `time`, and the time it took. The first step, which loads
    /// kernels, does not count unless it alone takes all the time.
    fn speed(&self, time: Duration) -> Result<(usize, Duration), TrainError> {
        let mut fit = self.fit()?;
        let (mut number, begun) = (1, Instant::now());
        let mut epoch = fit.epoch(number, 0, Metrics::default())?;
        fit.step(&mut epoch, self.learning_rate)?;
        epoch.settle()?;
        if begun.elapsed() >= time {
            return Ok((self.batch, begun.elapsed()));
        }
        let (mut images, since) = (0, Instant::now());
        loop {
            if epoch.is_done() {
                epoch.settle()?;
                number += 1;
                epoch = fit.epoch(number, 0, Metrics::default())?;
            }
            fit.step(&mut epoch, self.learning_rate)?;
            images += self.batch;
            if since.elapsed() >= time {
                epoch.settle()?;
                return Ok((images, since.elapsed()));
            }
        }
    }
}

/// How images are prepared: as in the preset `demo`.
fn config() -> anyhow::Result<DataConfig> {
    Ok(resolve(&Options::default())?.data)
}

fn architecture(name: NetworkName) -> anyhow::Result<Architecture> {
    match name {
        NetworkName::SmallChild => Ok(throughput::small_child()?),
        NetworkName::Nascnn15 => Ok(builtin("nascnn15", Decode::Literal, [3, 32, 32], 10)
            .context("there is no nascnn15")??),
    }
}

fn plan(
    architecture: &Architecture,
    memory: Memory,
    device: tch::Device,
    batch: usize,
) -> anyhow::Result<Plan> {
    Ok(match memory {
        Memory::Planes => Plan::plain(architecture, Layout::Contiguous),
        Memory::ChannelsLast if device == tch::Device::Cpu => {
            Plan::filled(architecture, Layout::ChannelsLast)
        }
        Memory::ChannelsLast => Plan::plain(architecture, Layout::ChannelsLast),
        Memory::Fastest => Plan::fastest(architecture, device, batch)?,
        Memory::Spectra => match Plan::spectral(architecture) {
            Some(plan) => plan,
            None => bail!(
                "`{}` has layers that cannot be computed by Fourier transform",
                architecture.name
            ),
        },
    })
}
