//! `nas-tui evaluate`: accuracy of a trained network on the test images.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde::Serialize;
use tch::{Device, Kind, Tensor};

use super::OrBadInput;
use super::arch::ArchArgs;
use crate::child::{Mode, Network, Plan, weights};
use crate::config::{Crop, DataConfig, DataSource, Normalization};
use crate::data::{self, Dataset, DeviceDataset, Images, Preparation, TestSet};
use crate::train::{Metrics, cross_entropy};

/// Images at a time.
const BATCH: usize = 500;

/// Measure the accuracy of a trained network on the test images of a data set.
///
/// Only this command reads test images. Without --json it prints one line; with it, one JSON object: `architecture`, `data`,
/// `images`, `correct`, `accuracy`, `loss`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    arch: ArchArgs,

    /// Weights: safetensors with the names that PyTorch gives (README, "Files")
    #[arg(long, value_name = "FILE")]
    weights: PathBuf,

    /// Test images: fashion-mnist-mini, fashion-mnist[:DIR], cifar10[:DIR], folder:DIR
    #[arg(long, value_name = "SPEC", default_value = "fashion-mnist-mini")]
    data: String,

    /// Only the first N images, in the order of the files
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,

    /// ZCA whitening, fitted to the training images, instead of normalisation by channel
    #[arg(long)]
    whitening: bool,

    /// Height and width that the images of a folder are resized to [default: 32]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u64).range(1..=1024))]
    size: Option<u64>,

    /// Training images that were set apart for validation: not used to fit the normalisation
    #[arg(long, value_name = "N", default_value_t = 1000)]
    validation: usize,

    /// Write index, label, prediction and logits of each image
    #[arg(long, value_name = "CSV")]
    predictions: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Result<'test> {
    architecture: &'test str,
    data: &'test str,
    images: usize,
    correct: usize,
    accuracy: f64,
    loss: f64,
}

/// Evaluate.
///
/// # Errors
/// A network, weights or data that are bad or do not belong together (exit status 2); a CSV that cannot be written.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let config = data_config(args)?;
    let mut test = data::load_test(&config).or_bad_input()?;
    if let Some(limit) = args.limit {
        test.images.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    let architecture = args.arch.resolve(test.input, test.classes.len())?;
    if architecture.input != test.input || architecture.classes != test.classes.len() {
        return Err(anyhow!(
            "`{}` takes images {:?} of {} classes, but {} has {:?} of {}",
            architecture.name,
            architecture.input,
            architecture.classes,
            test.spec,
            test.input,
            test.classes.len()
        ))
        .or_bad_input();
    }
    let device = Device::cuda_if_available();
    let network = Network::new(&architecture, Plan::direct(&architecture, device)?, device)?;
    weights::load(&network, &args.weights).or_bad_input()?;
    let preparation = preparation(&config, &test)?;
    let images = DeviceDataset::new(test.images, &preparation, device, network.layout())?;
    let logits = logits(&network, &images)?;
    if let Some(path) = &args.predictions {
        write_predictions(path, &logits, images.labels()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    print_result(args, &architecture.name, &test.spec, &logits, images.labels())
}

fn data_config(args: &Args) -> anyhow::Result<DataConfig> {
    let (source, dir) = data::parse_spec(&args.data).or_bad_input()?;
    let size = args.size.map_or(32, |size| size as usize);
    let normalization = if args.whitening { Normalization::Whitening } else { Normalization::Standard };
    let validation = args.validation;
    Ok(DataConfig { source, dir, size: [size; 2], validation, limit: None, normalization, crop: Crop::None, flip: false })
}

/// The preparation that training used: fitted to training images, never to those under test.
fn preparation(config: &DataConfig, test: &TestSet) -> anyhow::Result<Preparation> {
    let dataset = match (config.source, config.normalization) {
        // Its mean and deviation are published: the training images need not be there.
        (DataSource::Cifar10, Normalization::Standard) => Dataset {
            source: config.source,
            spec: test.spec.clone(),
            input: test.input,
            classes: test.classes.clone(),
            train: Images::default(),
            validation: Images::default(),
            fingerprint: String::new(),
        },
        _ => data::load(config).or_bad_input()?,
    };
    Preparation::fit(config, &dataset).or_bad_input()
}

/// Logits of every image, `[N, classes]`, on the CPU.
fn logits(network: &Network, images: &DeviceDataset) -> anyhow::Result<Tensor> {
    let _guard = tch::no_grad_guard();
    let batches = images.evaluation_batches(BATCH).map(|batch| {
        let (images, _) = batch?;
        Ok(network.forward(&images, Mode::Evaluate)?.f_to_device(Device::Cpu)?)
    });
    Ok(Tensor::f_cat(&batches.collect::<anyhow::Result<Vec<_>>>()?, 0)?)
}

/// `[N, classes]` row by row.
fn rows(logits: &Tensor) -> anyhow::Result<Vec<Vec<f32>>> {
    Ok(Vec::<Vec<f32>>::try_from(&logits.f_to_kind(Kind::Float)?)?)
}

/// The class of the largest logit, the first of equals.
fn prediction(row: &[f32]) -> usize {
    (0..row.len()).reduce(|best, class| if row[class] > row[best] { class } else { best }).unwrap_or(0)
}

fn write_predictions(path: &Path, logits: &Tensor, labels: &[i64]) -> anyhow::Result<()> {
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    let names: String = (0..logits.size()[1]).map(|class| format!(",logit_{class}")).collect();
    writeln!(file, "index,label,prediction{names}")?;
    for (index, (row, label)) in rows(logits)?.iter().zip(labels).enumerate() {
        let values: String = row.iter().map(|value| format!(",{value}")).collect();
        writeln!(file, "{index},{label},{}{values}", prediction(row))?;
    }
    Ok(file.flush()?)
}

fn print_result(args: &Args, architecture: &str, data: &str, logits: &Tensor, labels: &[i64]) -> anyhow::Result<()> {
    let correct = rows(logits)?.iter().zip(labels).filter(|&(row, &label)| prediction(row) as i64 == label).count();
    let loss = cross_entropy(logits, &Tensor::f_from_slice(labels)?)?.f_double_value(&[])?;
    let mut metrics = Metrics::default();
    metrics.add(labels.len(), loss, correct);
    let (images, accuracy) = (metrics.images, metrics.accuracy());
    if args.json {
        println!("{}", serde_json::to_string(&Result { architecture, data, images, correct, accuracy, loss })?);
    } else {
        println!("{architecture} on {data}: accuracy {accuracy:.4} ({correct} of {images} test images), loss {loss:.4}");
    }
    Ok(())
}
