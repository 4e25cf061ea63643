//! The start of a session: device, data, network.

use serde::Serialize;

use super::TrainingEngine;
use crate::child::{self, Network, libtorch, weights};
use crate::config::{Precision, StageSpan};
use crate::data;
use crate::event::{Compute, Event, Level, TrainingEpoch, TrainingStarted};
use crate::foundation::build_info::VERSION;
use crate::foundation::device::Device;
use crate::foundation::host::{self, host_name};
use crate::foundation::seeds::derive;
use crate::session::{Halt, Run};
use crate::space::{Architecture, Cost};
use crate::train::memory::{self, Holding};
use crate::train::{Fit, TrainError, TrainingData, TrainingImages};
use crate::training::form::{NumericForm, fitting};
use crate::training::found::found;
use crate::training::{Training, TrainingError, initial, stages};

/// `best.json` of a training.
#[derive(Serialize)]
pub(super) struct BestFile<'a> {
    epoch: usize,
    valid_accuracy: f64,
    /// Whether the weights are averaged; absent if not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    averaged: bool,
    architecture: &'a Architecture,
}

impl BestFile<'_> {
    pub(super) fn new<'a>(best: &TrainingEpoch, architecture: &'a Architecture) -> BestFile<'a> {
        BestFile {
            epoch: best.epoch,
            valid_accuracy: best.valid_accuracy,
            averaged: best.averaged,
            architecture,
        }
    }
}

impl TrainingEngine<'_> {
    /// The images of the run, which fit the network and the recipe.
    pub(super) fn images(&mut self) -> Result<TrainingImages, Halt> {
        let (device, threads) = self.place()?;
        tch::set_num_threads(i32::try_from(threads).unwrap_or(1));
        // Let cuDNN try its kernels for each shape and keep the fastest: one network has few shapes
        // and many steps. (The children of a search have many shapes with few steps each, for which
        // trying would cost more than it gains.)
        tch::Cuda::cudnn_set_benchmark(device.is_cuda());
        self.run.config.workers.threads = Some(threads);
        let config = &self.run.config;
        let architecture = &self.training.architecture;
        stages::check(&config.train, &config.data, architecture).map_err(TrainingError::from)?;
        let unread = data::unread_files(&config.data);
        let notices = unread.map(|unread| (Level::Warning, unread.to_string()));
        self.run.notices.extend(notices);
        let dataset = data::load(&config.data).map_err(TrainingError::from)?;
        if let Some(begun) = &self.run.ledger().run {
            // What the journal says is what the run is.
            self.training.initial.clone_from(&begun.started.initial);
        } else if let Some(initial) = &self.training.initial {
            let checked = initial::check(initial, &dataset.description());
            let warning = checked.map_err(TrainingError::from)?;
            let notice = warning.map(|text| (Level::Warning, text));
            self.run.notices.extend(notice);
        }
        let opened = child::device::open(device).map_err(TrainingError::from)?;
        let resident = config.train.data_on_device;
        let images = TrainingImages::new(dataset, &config.data, opened, resident)
            .map_err(TrainingError::from)?;
        images.check(&self.training.architecture)?;
        self.holding = Some(Holding::new(opened));
        Ok(images)
    }

    /// The images of a stage, on the device.
    pub(super) fn data(
        &mut self,
        images: &mut TrainingImages,
        stage: Option<StageSpan>,
    ) -> Result<TrainingData, Halt> {
        let data = images.data(stage.map(|span| span.stage).as_ref());
        let data = data.map_err(|error| refused(named(images.device()), error.into()))?;
        let resident = self.run.config.train.data_on_device;
        if let Some(text) = data.kept_on_host().filter(|_| resident) {
            self.run.notices.push((Level::Warning, text));
        }
        Ok(data)
    }

    /// Begin the run, or continue it.
    pub(super) fn open(&mut self, data: &TrainingData) -> Result<(), Halt> {
        self.stop_if_asked()?;
        let compute = Compute {
            threads: self.run.config.workers.threads.unwrap_or_else(host::cores),
            device: named(data.device).to_string(),
            libtorch: libtorch::version_in_words(),
        };
        let training = &self.training;
        Ok(self.run.open(&data.description, Some(&compute), |run| {
            let started = started(run, training, data, &compute)?;
            Ok(Event::TrainingStarted(Box::new(started)))
        })?)
    }

    /// The device and the number of threads.
    fn place(&mut self) -> Result<(Device, usize), TrainingError> {
        let (device, warning) = child::device::chosen_one(self.run.config.workers.device)?;
        self.run
            .notices
            .extend(warning.map(|warning| (Level::Warning, warning)));
        Ok((
            device,
            self.run.config.workers.threads.unwrap_or_else(host::cores),
        ))
    }

    /// The network for the images of `data` before its first epoch, with random weights or those it was given, or as restored from the
    /// checkpoint.
    pub(super) fn fit<'data>(
        &mut self,
        data: &'data TrainingData,
        stage: Option<StageSpan>,
    ) -> Result<Fit<'data>, Halt> {
        let whole = &self.training.architecture;
        let architecture = match stage {
            Some(span) => whole.for_size(span.stage.size),
            None => whole.clone(),
        };
        let NumericForm { plan, precision } = form(self.run, &architecture, data)?;
        // What the last stage's network held can be used again, as if this process had just started.
        let available = self.holding.as_ref().and_then(|holding| {
            let holding = holding.beside(data.bytes());
            holding.available().or_else(|| memory::free(data.device))
        });
        let batch = self.recipe().batch_size;
        let (micro_batch, reason) =
            fitting(&architecture, &plan, batch, available).map_err(TrainError::from)?;
        let seed = derive(self.run.config.search.seed, "train", 0);
        tch::manual_seed(seed as i64);
        let mut network =
            Network::new(&architecture, plan, data.device).map_err(TrainingError::from)?;
        if self.training.initial.is_some() && self.checkpoint.is_none() {
            let path = self.run.directory().initial_weights_path();
            weights::load(&network, &path).map_err(initial::unread)?;
        }
        if precision == Precision::Bf16 {
            network.compute_in_bf16();
        }
        let recipe = self.recipe();
        let mut fit = Fit::new(network, recipe, data, recipe.batch_size, seed)
            .map_err(TrainingError::from)?;
        // Within a stage the parts of a batch stay as they are; larger images may need smaller ones.
        let mut begins = true;
        if let Some(checkpoint) = &self.checkpoint {
            checkpoint.restore(&mut fit).map_err(TrainingError::from)?;
            let header = &checkpoint.header;
            begins = stage.is_some_and(|span| header.epoch == span.first && header.batch == 0);
        }
        if let Some(reason) = reason.filter(|_| begins && micro_batch < fit.micro_batch()) {
            self.reduce_micro_batch(&mut fit, micro_batch, reason)?;
        }
        Ok(fit)
    }
}

/// The first event of the run.
fn started(
    run: &Run<Training>,
    training: &Training,
    data: &TrainingData,
    compute: &Compute,
) -> Result<TrainingStarted, TrainingError> {
    let Training {
        architecture,
        origin,
        initial,
    } = training;
    let cost = Cost::of(architecture).map_err(TrainError::from)?;
    let form = form(run, architecture, data)?;
    let train = &run.config.train;
    let Compute {
        threads,
        device,
        libtorch,
    } = compute.clone();
    Ok(TrainingStarted {
        run: run.directory().name(),
        origin: origin.clone(),
        architecture: architecture.clone(),
        params: cost.params,
        macs: cost.macs,
        recipe: train.recipe_name.clone(),
        settings: train.recipe.clone(),
        precision: form.precision,
        micro_batch: train.recipe.batch_size,
        seed: run.config.search.seed,
        version: VERSION.to_owned(),
        host: host_name(),
        pid: std::process::id(),
        libtorch,
        threads,
        device,
        data: data.description.clone(),
        without_test: !train.test,
        found: found(origin, architecture),
        initial: initial.clone(),
    })
}

fn form(
    run: &Run<Training>,
    architecture: &Architecture,
    data: &TrainingData,
) -> Result<NumericForm, TrainingError> {
    let mut config = run.config.train.clone();
    if let Some(begun) = &run.ledger().run {
        // The value that `auto` had on the device where the run was begun.
        config.precision = begun.started.precision;
    }
    Ok(NumericForm::choose(architecture, &config, data.device).map_err(TrainError::from)?)
}

/// The name of a device of libtorch.
fn named(device: tch::Device) -> Device {
    match device {
        tch::Device::Cuda(number) => Device::Cuda(number),
        _ => Device::Cpu,
    }
}

/// The error for a device that cannot take its first data: the driver may know why.
fn refused(device: Device, error: TrainingError) -> TrainingError {
    match (device, error) {
        (Device::Cuda(number), TrainingError::DeviceLost(reason)) => {
            TrainingError::DeviceLost(child::cuda::explained(number, &reason))
        }
        (_, error) => error,
    }
}
