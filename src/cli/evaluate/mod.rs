//! `nas-tui evaluate`: how well a trained network classifies test images.

mod output;
mod settings;

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use tch::{Device, Kind};

use self::output::{Evaluated, EvaluationOutput};
use self::settings::{EvaluationSettings, cifar10_config, training_config};
use super::arch::{ArchArgs, parse_size};
use super::{OrBadInput, print, print_json_text, say};
use crate::child::{self, Network, weights};
use crate::classification::{ClassificationReport, MirroredAccuracy};
use crate::config::{DataConfig, DataSource, DeviceChoice, Normalization};
use crate::data::{self, DataError, Dataset, DeviceDataset, Images, Preparation, TestSet};
use crate::foundation::durable::write_as_named;
use crate::space::Architecture;
use crate::training::{self, Side};

/// Measure how well a trained network classifies the test images of a data set.
///
/// Reports accuracy, top-5 and per-class accuracy, the confusion matrix, the most confused classes
/// and the calibration error, with 95 % intervals: Wilson's for proportions; for the expected
/// calibration error (15 bins of equal width) a basic bootstrap of 1,000 resamples with a fixed
/// seed. On cifar10.1 each available version is evaluated, with the drop from the test images of
/// CIFAR-10 if these are found: the difference of the accuracies with Newcombe's interval. Only
/// this command, `data check` and the end of a training read test images.
///
/// --json prints one object: architecture, data, images, correct, accuracy, accuracy_ci95 [low,
/// high], loss, top5 {correct, accuracy, ci95} (null for five classes or fewer), per_class [{class,
/// images, correct, accuracy, ci95}] (null without images), confusion (a matrix of images; rows:
/// classes, columns: predictions), most_confused [{class, taken_for, images}], calibration {error,
/// ci95, bins [{from, to, images, accuracy, confidence}]}; with --mirror also mirrored {images,
/// correct, accuracy, accuracy_ci95, loss}. For cifar10.1 also version, drop {data,
/// images, correct, accuracy, accuracy_ci95, drop, ci95} (null if CIFAR-10 is not found), and
/// other_versions, a list of such objects: the object itself describes the first version (v6), the
/// list contains the other one (v4).
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    arch: ArchArgs,

    /// Weights: safetensors with PyTorch's names (README, "Files"), or the training that saved them
    /// [default: those saved by the training RUN, if ARCH is RUN:best]
    #[arg(long, value_name = "FILE|RUN")]
    weights: Option<PathBuf>,

    /// Test images: fashion-mnist-mini, fashion-mnist[:DIR], cifar10[:DIR], cifar10.1[:DIR],
    /// folder:DIR [default: the data of RUN, if ARCH is RUN:best or RUN:child-12; else
    /// fashion-mnist-mini]
    #[arg(long, value_name = "SPEC")]
    data: Option<String>,

    /// Data set that the accuracy on cifar10.1 is compared with: cifar10[:DIR] [default: cifar10,
    /// if it is found]
    #[arg(long, value_name = "SPEC")]
    against: Option<String>,

    /// Only the first N images of each set, in the order of the files
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,

    /// ZCA whitening, fitted to the training images, instead of normalisation by channel
    #[arg(long)]
    whitening: bool,

    /// Side in pixels to which images are enlarged before the middle is cropped to the network's
    /// input, for weights trained with data.crop = "upsample" (see data.crop_pixels) [default: as
    /// in RUN; else images are not enlarged]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(4..=2_048))]
    upsample: Option<u32>,

    /// Size to which images of a folder are resized: one number for height and width, or
    /// HEIGHTxWIDTH [default: the network's input size]
    #[arg(long, value_name = "PIXELS", value_parser = parse_size)]
    size: Option<[usize; 2]>,

    /// Number of training images that were set aside for validation, which are not used to fit the
    /// normalisation [default: as in RUN; else 1,000 for the mini set, else 5,000 or a tenth,
    /// whichever is less]
    #[arg(long, value_name = "N")]
    validation: Option<usize>,

    /// Also measure accuracy with each image's mirror image: the mean of the logits of both (Jordan
    /// 2024). A figure of its own, which cannot be compared with accuracies of a single look
    #[arg(long)]
    mirror: bool,

    /// Where to compute: auto (the first GPU that libtorch sees, else the CPU), cpu, cuda, or
    /// cuda:N
    #[arg(long, value_name = "DEVICE", default_value_t)]
    device: DeviceChoice,

    /// Write index, label, prediction and logits of each image as CSV (for cifar10.1: of the first
    /// version)
    #[arg(long, value_name = "CSV")]
    predictions: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Evaluate.
///
/// # Errors
/// If the network, weights or data are bad or do not match (exit status 2), or a CSV cannot be
/// written.
pub fn run(args: &Args) -> anyhow::Result<()> {
    if let Some(path) = &args.predictions {
        check_place(path).or_bad_input()?;
    }
    let origin = args.arch.run_settings().transpose()?;
    let EvaluationSettings {
        data: config,
        validation,
        architecture,
    } = EvaluationSettings::new(args, origin.as_ref())?;
    let weights = weights_file(args)?;
    let mut sets = data::load_tests(&config).or_bad_input()?;
    let against = reference(args, &config)?;
    let first = sets
        .first()
        .context("the data set disappeared while it was being read; run the command again")?;
    // The normalisation is fitted to the training images, so skipped files among them matter too.
    let unread = [
        data::unread_files(&config),
        data::unread_test_files(&config),
    ];
    unread
        .iter()
        .flatten()
        .for_each(|unread| say(&format!("nas-tui: warning: {unread}")));
    let prepare = || preparation(&training_config(args, &config)?, validation, first);
    let run = LoadedNetwork::new(args, &architecture, &weights, first, prepare)?;
    let mut unwanted = None;
    let against = against
        .map(|set| run.evaluate(set, &mut unwanted))
        .transpose()?;
    let mut predictions = args.predictions.as_ref().map(|_| String::new());
    let versions: Vec<Evaluated> = sets
        .drain(..)
        .map(|set| run.evaluate(set, &mut predictions))
        .collect::<anyhow::Result<_>>()?;
    let output = EvaluationOutput::new(&architecture.name, versions, against.as_ref())
        .context("there is nothing to report")?;
    if args.json {
        print_json_text(&output.json()?)?;
    } else {
        print(&output.text())?;
    }
    // After the results, which are not lost if it cannot be written.
    if let (Some(path), Some(predictions)) = (&args.predictions, predictions) {
        write_as_named(path, predictions.as_bytes())?;
    }
    Ok(())
}

/// Whether a file can be written here at all: to be known before minutes are spent on its content.
fn check_place(path: &Path) -> anyhow::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) || path.is_dir() {
        return Err(anyhow!(
            "--predictions {}: it must be a file in a folder that exists",
            path.display()
        ));
    }
    Ok(())
}

/// A network with its weights, and how images are prepared for it.
struct LoadedNetwork<'a> {
    architecture: &'a Architecture,
    network: Network,
    preparation: Preparation,
    device: Device,
    limit: usize,
    mirror: bool,
}

impl<'a> LoadedNetwork<'a> {
    /// For images like those of `set`. They are prepared once network and weights are known to be
    /// good.
    fn new(
        args: &Args,
        architecture: &'a Architecture,
        weights: &Path,
        set: &TestSet,
        prepare: impl FnOnce() -> anyhow::Result<Preparation>,
    ) -> anyhow::Result<Self> {
        check_fit(architecture, set).or_bad_input()?;
        let device = device(args)?;
        let plan = training::evaluation_plan(architecture, device)?;
        let network = Network::new(architecture, plan, device)?;
        weights::load(&network, weights).or_bad_input()?;
        let preparation = prepare()?;
        let limit = args.limit.map_or(usize::MAX, |limit| {
            usize::try_from(limit).unwrap_or(usize::MAX)
        });
        Ok(LoadedNetwork {
            architecture,
            network,
            preparation,
            device,
            limit,
            mirror: args.mirror,
        })
    }

    /// Logits and report; of the first set the predictions, as CSV, if they are wanted.
    fn evaluate(
        &self,
        mut set: TestSet,
        predictions: &mut Option<String>,
    ) -> anyhow::Result<Evaluated> {
        check_fit(self.architecture, &set).or_bad_input()?;
        set.images.truncate(self.limit);
        let labels: Vec<usize> = set
            .images
            .labels
            .iter()
            .map(|&label| usize::from(label))
            .collect();
        let images = DeviceDataset::new(
            set.images,
            &self.preparation,
            self.device,
            self.network.layout(),
        )?;
        let logits = self.logits(&images, Side::AsTheyAre)?;
        if let Some(predictions) = predictions.as_mut().filter(|earlier| earlier.is_empty()) {
            *predictions = table_of(&logits, &labels);
        }
        let plain = doubles(&logits);
        let report = ClassificationReport::new(&set.classes, &labels, &plain)
            .with_context(|| set.spec.clone())?;
        let mirrored = if self.mirror {
            let mirrored = doubles(&self.logits(&images, Side::Mirrored)?);
            Some(MirroredAccuracy::new(&labels, [&plain, &mirrored])?)
        } else {
            None
        };
        Ok(Evaluated {
            data: set.spec,
            version: set.version,
            report,
            mirrored,
        })
    }

    fn logits(&self, images: &DeviceDataset, side: Side) -> anyhow::Result<Vec<Vec<f32>>> {
        let logits = training::logits(&self.network, images, side, |_| Ok(()))?;
        Ok(Vec::try_from(&logits.f_to_kind(Kind::Float)?)?)
    }
}

fn doubles(rows: &[Vec<f32>]) -> Vec<Vec<f64>> {
    let row = |row: &Vec<f32>| row.iter().copied().map(f64::from).collect();
    rows.iter().map(row).collect()
}

/// The requested device; warns if a GPU stays idle.
fn device(args: &Args) -> anyhow::Result<Device> {
    let (device, warning) = child::device::chosen_one(args.device).or_bad_input()?;
    warning
        .iter()
        .for_each(|warning| say(&format!("nas-tui: {warning}")));
    child::device::open(device).or_bad_input()
}

fn check_fit(architecture: &Architecture, set: &TestSet) -> anyhow::Result<()> {
    if architecture.input == set.input && architecture.classes == set.classes.len() {
        return Ok(());
    }
    Err(anyhow!(
        "`{}` takes images {:?} of {} classes, but {} has {:?} of {}",
        architecture.name,
        architecture.input,
        architecture.classes,
        set.spec,
        set.input,
        set.classes.len()
    ))
}

/// The weights given, or those of the training that the network belongs to.
fn weights_file(args: &Args) -> anyhow::Result<PathBuf> {
    let missing = || {
        anyhow!(
            "--weights FILE is missing: only RUN:best of a training (`nas-tui train`) comes with weights"
        )
    };
    if let Some(given) = &args.weights {
        return super::weights::file(given);
    }
    args.arch.kept_weights().ok_or_else(missing).or_bad_input()
}

/// The test images of CIFAR-10, for an evaluation on CIFAR-10.1. Says so if they are not found and
/// were not requested explicitly.
fn reference(args: &Args, config: &DataConfig) -> anyhow::Result<Option<TestSet>> {
    if config.source != DataSource::Cifar10_1 {
        return Ok(None);
    }
    match data::load_test(&cifar10_config(args, config)?) {
        Err(error @ DataError::Missing { .. }) if args.against.is_none() => {
            say(&format!(
                "nas-tui: no drop against CIFAR-10's test images: {error}, and --against cifar10:DIR"
            ));
            Ok(None)
        }
        outcome => Ok(Some(outcome.or_bad_input()?)),
    }
}

/// The preparation that was used for training: fitted to training images, never to those under
/// test.
fn preparation(
    config: &DataConfig,
    validation: Option<usize>,
    test: &TestSet,
) -> anyhow::Result<Preparation> {
    let dataset = match (config.source, config.normalization) {
        // Its mean and deviation are published, so the training images are not needed.
        (DataSource::Cifar10, Normalization::Standard) => Dataset {
            source: config.source,
            spec: test.spec.clone(),
            input: test.input,
            classes: test.classes.clone(),
            train: Images::default(),
            validation: Images::default(),
            fingerprint: String::new(),
        },
        _ => data::load_with_validation(config, validation)
            .map_err(DataError::for_option)
            .or_bad_input()?,
    };
    Preparation::fit(config, &dataset).or_bad_input()
}

/// The class of the largest logit; the first one wins ties.
fn prediction(row: &[f32]) -> usize {
    (0..row.len())
        .reduce(|best, class| if row[class] > row[best] { class } else { best })
        .unwrap_or(0)
}

/// Index, label, prediction and logits of each image, as CSV.
fn table_of(logits: &[Vec<f32>], labels: &[usize]) -> String {
    let classes = logits.first().map_or(0, Vec::len);
    let names: String = (0..classes)
        .map(|class| format!(",logit_{class}"))
        .collect();
    let mut text = format!("index,label,prediction{names}\n");
    for (index, (row, label)) in logits.iter().zip(labels).enumerate() {
        let values: String = row.iter().map(|value| format!(",{value}")).collect();
        text += &format!("{index},{label},{}{values}\n", prediction(row));
    }
    text
}
