//! The test images, read only once in a training, after its last epoch.

use std::time::Instant;

use tch::{Device, Kind, TchError, Tensor};

use super::TrainingError;
use crate::child::weights;
use crate::child::{Mode, Network, Plan};
use crate::classification::ClassificationReport;
use crate::config::DataConfig;
use crate::data::{self, DataError, DeviceDataset};
use crate::event::TestFinished;
use crate::foundation::sealed::Blocks;
use crate::space::Architecture;
use crate::train::{TrainError, TrainingData, evaluation_batch, in_smaller_batches};

/// Classify the test images with the weights `best` of `epoch`, in float32 with direct convolutions
/// like `nas-tui evaluate`. Returns only a reason if the data have no test images.
pub fn classify(
    architecture: &Architecture,
    (best, epoch, valid_accuracy): (&Blocks, usize, f64),
    config: &DataConfig,
    data: &TrainingData,
) -> Result<Result<TestFinished, DataError>, TrainingError> {
    let started = Instant::now();
    let set = match data::load_test(config) {
        Ok(set) => set,
        Err(error @ DataError::Missing { .. }) => return Ok(Err(error)),
        Err(error) => return Err(error.into()),
    };
    let network = Network::new(
        architecture,
        Plan::direct(architecture, data.device).map_err(TrainError::from)?,
        data.device,
    )?;
    weights::restore(&network, best)?;
    let labels: Vec<usize> = set
        .images
        .labels
        .iter()
        .map(|&label| usize::from(label))
        .collect();
    let images =
        DeviceDataset::on_host(set.images, &data.preparation, data.device, network.layout())?;
    let logits = logits(&network, &images)?;
    let report = ClassificationReport::new(&set.classes, &labels, &rows(&logits)?)?;
    let seconds = started.elapsed().as_secs_f64();
    Ok(Ok(TestFinished {
        epoch,
        valid_accuracy,
        data: set.spec,
        seconds,
        report,
    }))
}

/// Logits of every image, `[N, classes]`, on the CPU, with batch norm in evaluation mode. Fewer
/// images at a time if memory runs out.
///
/// # Errors
/// Errors of libtorch or of the images; lack of memory only with a single image at a time.
pub fn logits(network: &Network, images: &DeviceDataset) -> Result<Tensor, TrainError> {
    in_smaller_batches(evaluation_batch(network.device()), |batch_size| {
        Ok(logits_in_batches(network, images, batch_size)?)
    })
}

fn logits_in_batches(
    network: &Network,
    images: &DeviceDataset,
    batch_size: usize,
) -> Result<Tensor, DataError> {
    let _guard = tch::no_grad_guard();
    let batches = images.evaluation_batches(batch_size).map(|batch| {
        let (images, _) = batch?;
        Ok(network.forward(&images, Mode::Evaluate)?)
    });
    // Copied at the end, so that no batch waits for the previous one.
    Ok(
        Tensor::f_cat(&batches.collect::<Result<Vec<_>, DataError>>()?, 0)?
            .f_to_device(Device::Cpu)?,
    )
}

fn rows(logits: &Tensor) -> Result<Vec<Vec<f64>>, TchError> {
    Vec::<Vec<f64>>::try_from(&logits.f_to_kind(Kind::Double)?)
}
