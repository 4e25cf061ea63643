//! The first and the last moments of a session: device, data, network; farewell.

use serde::Serialize;

use super::{Engine, Halt};
use crate::analysis::TrainingSummary;
use crate::child::{self, Network, libtorch};
use crate::config::Precision;
use crate::data;
use crate::evaluate::placement;
use crate::event::{DataDescription, Event, FinishReason, Level, TrainingStarted};
use crate::foundation::device::Device;
use crate::foundation::host::host_name;
use crate::foundation::seeds::derive;
use crate::space::{Architecture, Cost};
use crate::train::{Fit, TrainError, TrainingData};
use crate::training::TrainingError;
use crate::training::checkpoint::Best;
use crate::training::form::Form;

/// `best.json` of a training.
#[derive(Serialize)]
pub(super) struct BestFile<'a> {
    epoch: usize,
    valid_accuracy: f64,
    architecture: &'a Architecture,
}

impl BestFile<'_> {
    pub fn new(best: Best, architecture: &Architecture) -> BestFile<'_> {
        BestFile {
            epoch: best.epoch,
            valid_accuracy: best.valid_accuracy,
            architecture,
        }
    }
}

impl Engine {
    /// The images, on the device.
    pub(super) fn data(&mut self) -> Result<TrainingData, Halt> {
        let (device, threads) = self.place()?;
        tch::set_num_threads(i32::try_from(threads).unwrap_or(1));
        // Let cuDNN try its kernels for each shape and keep the fastest: one network has few shapes
        // and many steps. (Children of a search are many shapes of few steps each: what is tried
        // would cost more than it brings.)
        tch::Cuda::cudnn_set_benchmark(device.is_cuda());
        self.config.workers.threads = Some(threads);
        let dataset = data::load(&self.config.data).map_err(TrainingError::from)?;
        let resident = self.config.train.data_on_device;
        let opened = child::device::open(device)?;
        let data = TrainingData::new(dataset, &self.config.data, opened, resident)
            .map_err(|error| refused(device, error.into()))?;
        if let Some(text) = data.kept_on_host().filter(|_| resident) {
            self.notices.push((Level::Warning, text));
        }
        self.check(&data)?;
        if self.is_stopped()? {
            return Err(Halt::Stopped);
        }
        self.open(&data, &device.to_string(), threads)?;
        Ok(data)
    }

    /// The device and the number of threads.
    fn place(&mut self) -> Result<(Device, usize), TrainingError> {
        let (device, warning) = child::device::chosen_one(self.config.workers.device)?;
        self.notices
            .extend(warning.map(|warning| (Level::Warning, warning)));
        Ok((
            device,
            self.config.workers.threads.unwrap_or_else(placement::cores),
        ))
    }

    /// Refuse a network that is not for these images, and data that are not those of the run.
    fn check(&self, data: &TrainingData) -> Result<(), TrainingError> {
        let (architecture, description) = (&self.architecture, &data.description);
        architecture.check().map_err(TrainError::from)?;
        if architecture.input != description.input
            || architecture.classes != description.classes.len()
        {
            return Err(TrainError::Mismatch {
                network: architecture.input,
                network_classes: architecture.classes,
                data: description.input,
                data_classes: description.classes.len(),
            }
            .into());
        }
        match self
            .recorder
            .ledger
            .run
            .as_ref()
            .map(|run| &run.started.data)
        {
            Some(then) if then.fingerprint != description.fingerprint => {
                let name = |data: &DataDescription| {
                    format!(
                        "{}, {} images, CRC-32 {}",
                        data.spec,
                        data.train_images + data.validation_images,
                        data.fingerprint
                    )
                };
                Err(TrainingError::OtherData {
                    then: name(then),
                    now: name(description),
                })
            }
            _ => Ok(()),
        }
    }

    /// Tell that the run begins, or that this process takes it over.
    fn open(&mut self, data: &TrainingData, device: &str, threads: usize) -> Result<(), Halt> {
        let (host, pid, version) = (
            host_name(),
            std::process::id(),
            crate::foundation::build_info::VERSION.to_owned(),
        );
        if let Some(run) = &self.recorder.ledger.run {
            let then = [run.started.threads.to_string(), run.started.device.clone()];
            let now = [threads.to_string(), device.to_owned()];
            if then != now {
                let text = format!(
                    "it goes on with {} thread(s) on {}, and was begun with {} on {}: its numbers will differ in their last digits from \
                     those of an uninterrupted run",
                    now[0], now[1], then[0], then[1]
                );
                self.notices.push((Level::Warning, text));
            }
            let epoch = self
                .checkpoint
                .as_ref()
                .map_or(1, |checkpoint| checkpoint.header.epoch);
            self.recorder.tell(Event::RunResumed {
                host,
                pid,
                version,
                next_child: None,
                epoch: Some(epoch),
            })?;
        } else {
            let started = self.started(data, device, threads)?;
            self.recorder
                .tell(Event::TrainingStarted(Box::new(started)))?;
        }
        for (level, text) in std::mem::take(&mut self.notices) {
            self.recorder.notice(level, text)?;
        }
        Ok(())
    }

    fn started(
        &self,
        data: &TrainingData,
        device: &str,
        threads: usize,
    ) -> Result<TrainingStarted, TrainingError> {
        let cost = Cost::of(&self.architecture).map_err(TrainError::from)?;
        let form = self.form(data)?;
        let train = &self.config.train;
        Ok(TrainingStarted {
            run: self.directory.name(),
            origin: self.origin.clone(),
            architecture: self.architecture.clone(),
            params: cost.params,
            macs: cost.macs,
            recipe: train.recipe_name.clone(),
            settings: train.recipe.clone(),
            precision: form.precision,
            micro_batch: train.recipe.batch_size,
            seed: self.config.search.seed,
            version: crate::foundation::build_info::VERSION.to_owned(),
            host: host_name(),
            pid: std::process::id(),
            libtorch: libtorch::version().unwrap_or_else(|| "of unknown version".to_owned()),
            threads,
            device: device.to_owned(),
            data: data.description.clone(),
        })
    }

    fn form(&self, data: &TrainingData) -> Result<Form, TrainingError> {
        let mut config = self.config.train.clone();
        if let Some(run) = &self.recorder.ledger.run {
            // What `auto` came to on the device that it was begun on.
            config.precision = run.started.precision;
        }
        Ok(Form::choose(&self.architecture, &config, data.device).map_err(TrainError::from)?)
    }

    /// The network as it is before its first epoch, or as the checkpoint has it.
    pub(super) fn fit<'data>(&mut self, data: &'data TrainingData) -> Result<Fit<'data>, Halt> {
        let Form {
            plan,
            precision,
            micro_batch,
            reason,
        } = self.form(data)?;
        let seed = derive(self.config.search.seed, "train", 0);
        tch::manual_seed(seed as i64);
        let mut network = Network::new(&self.architecture, plan, data.device)?;
        if precision == Precision::Bf16 {
            network.compute_in_bf16();
        }
        let recipe = self.recipe();
        let mut fit = Fit::new(network, recipe.into(), data, recipe.batch_size, seed)?;
        if let Some(checkpoint) = &self.checkpoint {
            checkpoint.restore(&mut fit)?;
        } else if let Some(reason) = reason {
            fit.set_micro_batch(micro_batch);
            self.recorder.tell(Event::MicroBatchReduced {
                micro_batch,
                reason,
            })?;
        }
        Ok(fit)
    }

    /// Note how it ended, write the summary.
    pub(super) fn finish(
        mut self,
        ending: Result<(), Halt>,
    ) -> Result<TrainingSummary, TrainingError> {
        let (reason, error) = match ending {
            Ok(()) if self.recorder.ledger.is_complete() => return self.summary(),
            Ok(()) => (FinishReason::Completed, None),
            Err(Halt::Stopped) => (FinishReason::Stopped, None),
            Err(Halt::Failed(error)) => (FinishReason::Failed, Some(error)),
        };
        let farewell = self.say_farewell(reason, error.as_ref());
        match error {
            // The first error is the one to mend; a full disk makes the farewell fail as well.
            Some(error) => Err(error),
            None => farewell,
        }
    }

    fn say_farewell(
        &mut self,
        reason: FinishReason,
        error: Option<&TrainingError>,
    ) -> Result<TrainingSummary, TrainingError> {
        if let Some(error) = error {
            self.recorder.notice(
                Level::Error,
                format!("{:#}", anyhow::anyhow!(error.to_string())),
            )?;
        }
        let wall_seconds = self
            .recorder
            .ledger
            .clock
            .seconds_until(jiff::Timestamp::now());
        let epochs = Some(self.recorder.ledger.epochs_done());
        self.recorder.tell(Event::RunFinished {
            reason,
            children: 0,
            epochs,
            wall_seconds,
        })?;
        let summary = self.summary()?;
        self.directory
            .write_summary(&summary.to_json().map_err(std::io::Error::from)?)?;
        Ok(summary)
    }

    fn summary(&self) -> Result<TrainingSummary, TrainingError> {
        Ok(TrainingSummary::of_journal(&self.directory.journal_path())?)
    }
}

/// A device that cannot take its first data: the driver may know why.
fn refused(device: Device, error: TrainingError) -> TrainingError {
    match (device, error) {
        (Device::Cuda(number), TrainingError::DeviceLost(reason)) => {
            TrainingError::DeviceLost(child::cuda::explained(number, &reason))
        }
        (_, error) => error,
    }
}
