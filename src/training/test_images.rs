//! The test images, read only once in a training, after its last epoch.

use std::time::Instant;

use tch::{Device, Kind, Tensor};

use super::TrainingError;
use crate::child::weights;
use crate::child::{Mode, Network, Plan};
use crate::classification::{ClassificationReport, MirroredAccuracy};
use crate::config::DataConfig;
use crate::data::{self, DataError, DeviceDataset};
use crate::event::{Measured, Measuring, TestFinished, TrainingEpoch};
use crate::foundation::sealed::Blocks;
use crate::space::{Architecture, ArchitectureError};
use crate::train::{TrainError, TrainingData, evaluation_batch, in_smaller_batches};

/// The weights that classify the test images.
#[derive(Debug, Clone, Copy)]
pub struct BestWeights<'a> {
    pub(super) values: &'a Blocks,
    /// The epoch that they are from.
    pub(super) epoch: &'a TrainingEpoch,
    /// Whether accuracy is also measured with mirror images.
    pub(super) mirrored: bool,
}

/// Classify the test images with the weights `best`, in float32, like `nas-tui evaluate`; `between` is
/// called before each batch, with what is measured. Returns only a reason if the data have no test
/// images.
pub fn classify(
    architecture: &Architecture,
    best: BestWeights,
    config: &DataConfig,
    data: &TrainingData,
    mut between: impl FnMut(Measuring) -> Result<(), TrainError>,
) -> Result<Result<TestFinished, DataError>, TrainingError> {
    let started = Instant::now();
    let set = match data::load_test(config) {
        Ok(set) => set,
        Err(error @ DataError::Missing { .. }) => return Ok(Err(error)),
        Err(error) => return Err(error.into()),
    };
    let network = Network::new(
        architecture,
        evaluation_plan(architecture, data.device).map_err(TrainError::from)?,
        data.device,
    )?;
    weights::restore(&network, best.values)?;
    let labels: Vec<usize> = set
        .images
        .labels
        .iter()
        .map(|&label| usize::from(label))
        .collect();
    let images =
        DeviceDataset::on_host(set.images, &data.preparation, data.device, network.layout())?;
    let of = images.len();
    let mut side = |side, what| {
        let between = |images| between(Measuring { what, images, of });
        rows(&logits(&network, &images, side, between)?)
    };
    let plain = side(Side::AsTheyAre, Measured::Test)?;
    let report = ClassificationReport::new(&set.classes, &labels, &plain)?;
    let mirrored = if best.mirrored {
        let mirrored = side(Side::Mirrored, Measured::MirroredTest)?;
        Some(MirroredAccuracy::new(&labels, [&plain, &mirrored])?)
    } else {
        None
    };
    let seconds = started.elapsed().as_secs_f64();
    Ok(Ok(TestFinished {
        epoch: best.epoch.epoch,
        valid_accuracy: best.epoch.valid_accuracy,
        data: set.spec,
        seconds,
        averaged: best.epoch.averaged,
        report,
        mirrored,
    }))
}

/// Which way images are shown to a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// As they are.
    AsTheyAre,
    /// Left and right exchanged, after everything else that prepares them.
    Mirrored,
}

/// The fastest form for measuring accuracy on `device`. Its logits differ from those of direct
/// convolutions by less than 1e-4 of the largest one.
///
/// # Errors
/// If the network cannot be built.
pub fn evaluation_plan(
    architecture: &Architecture,
    device: Device,
) -> Result<Plan, ArchitectureError> {
    Plan::fastest(architecture, device, evaluation_batch(device))
}

/// Logits of every image, `[N, classes]`, on the CPU, with batch norm in evaluation mode. Fewer
/// images at a time if memory runs out; `between` is called before each batch, with the number of
/// images before it.
///
/// # Errors
/// Errors of libtorch, of the images or of `between`; lack of memory only with a single image at a
/// time.
pub fn logits(
    network: &Network,
    images: &DeviceDataset,
    side: Side,
    mut between: impl FnMut(usize) -> Result<(), TrainError>,
) -> Result<Tensor, TrainError> {
    in_smaller_batches(evaluation_batch(network.device()), |batch_size| {
        logits_in_batches(network, images, side, batch_size, &mut between)
    })
}

fn logits_in_batches(
    network: &Network,
    images: &DeviceDataset,
    side: Side,
    batch_size: usize,
    between: &mut impl FnMut(usize) -> Result<(), TrainError>,
) -> Result<Tensor, TrainError> {
    let _guard = tch::no_grad_guard();
    let batches = (0..).zip(images.evaluation_batches(batch_size));
    let batches = batches.map(|(number, batch)| {
        between(number * batch_size)?;
        let (mut images, _) = batch?;
        if side == Side::Mirrored {
            images = images.f_flip([3])?;
        }
        Ok(network.forward(&images, Mode::Evaluate)?)
    });
    // Copied at the end, so that no batch waits for the previous one.
    Ok(
        Tensor::f_cat(&batches.collect::<Result<Vec<_>, TrainError>>()?, 0)?
            .f_to_device(Device::Cpu)?,
    )
}

fn rows(logits: &Tensor) -> Result<Vec<Vec<f64>>, TrainError> {
    Ok(Vec::<Vec<f64>>::try_from(&logits.f_to_kind(Kind::Double)?)?)
}
