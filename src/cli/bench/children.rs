//! `nas-tui bench --children FILE`: how many children per hour this machine trains.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use anyhow::{Context, bail};
use serde::Serialize;

use crate::child::device;
use crate::cli::{OrBadInput, print, print_json, say};
use crate::config::{
    ChildConfig, ChildSchedule, Crop, DataConfig, DataSource, DeviceChoice, EvaluatorChoice, Flip,
    Normalization, WorkersConfig,
};
use crate::data::parse_spec;
use crate::data::source::locate;
use crate::evaluate::local::WorkerSettings;
use crate::evaluate::placement::Placement;
use crate::evaluate::protocol::ImageSample;
use crate::evaluate::throughput::Automatic;
use crate::evaluate::watch::Deadlines;
use crate::evaluate::{ChildJob, Evaluator, LocalWorkers, Ready, Report};
use crate::event::{Compute, Level};
use crate::foundation::host::cores;
use crate::foundation::numbers::{self, counted};
use crate::reward::Outcome;
use crate::space::memory::direct_memory;
use crate::space::{Architecture, Cost, read_architectures};

/// Number of images that accuracy is measured on.
const VALIDATION: usize = 1_000;

/// The children, how they are trained, and where.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File of architectures to train (one, or a list)
    #[arg(long, value_name = "FILE")]
    children: PathBuf,

    /// Images: cifar10[:DIR], fashion-mnist[:DIR], fashion-mnist-mini, folder:DIR. Default:
    /// CIFAR-10 if it is found and fits the children, else noise of their input shape
    #[arg(long, value_name = "SPEC")]
    data: Option<String>,

    /// Number of training images, the first in the order of the files (CIFAR-10: of batches 1 to 4;
    /// validation uses the first of batch 5)
    #[arg(long, value_name = "N", default_value_t = 5120, value_parser = at_least_one())]
    images: u64,

    /// Passes over the images per child
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one())]
    epochs: u64,

    /// Images per step
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = at_least_one())]
    batch_size: u64,

    /// CPU threads of each worker [default: the cores divided among the workers]
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    threads: Option<u64>,

    /// Worker processes [default: one per core, or as many per GPU as measured to be fastest; at
    /// most one per child]
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    workers: Option<u64>,

    #[arg(long, value_name = "DEVICE", default_value_t, help = WHERE)]
    device: DeviceChoice,

    /// Print JSON lines: one per child, then the summary
    #[arg(long)]
    json: bool,
}

const WHERE: &str = "Where to train: auto (every GPU that libtorch sees, else the CPU), cpu, cuda (every GPU) or cuda:N (one)";

fn at_least_one() -> clap::builder::RangedU64ValueParser<u64> {
    clap::value_parser!(u64).range(1..=1_000_000_000)
}

/// The line for one child, in the format of the comparison script.
#[derive(Debug, Serialize)]
struct ChildLine<'child> {
    child: usize,
    name: &'child str,
    seconds: f64,
    valid_accuracy: f64,
    parameters: u64,
}

/// The last line, in the format of the comparison script.
#[derive(Debug, Serialize)]
struct BenchmarkSummary {
    children: usize,
    wall_seconds: f64,
    children_per_hour: f64,
    train_images_per_second: f64,
    device: String,
    threads: usize,
    workers: usize,
}

/// Run the benchmark.
///
/// # Errors
/// Bad children or data (exit status 2); a child that fails.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let children = read_architectures(&args.children).or_bad_input()?;
    let Some(first) = children.first() else {
        return Err(bad_input!(
            "{}: the list of children is empty",
            args.children.display()
        ));
    };
    let (data, sample) = images(args, first)?;
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let placement = place(args, &children, &program)?;
    let settings = WorkerSettings {
        data,
        child: child_config(args),
        placement,
        sample: Some(sample),
        checkpoints: None,
        deadlines: Deadlines::default(),
    };
    let (sender, reports) = channel();
    // The receiver is gone only if the benchmark has already failed.
    let mut workers = LocalWorkers::start_placed(Ok(settings), program, move |report| {
        drop(sender.send(report))
    });
    let ready = wait_until_ready(&reports)?;
    let started = Instant::now();
    for (index, architecture) in children.iter().enumerate() {
        workers.submit(ChildJob {
            child: index as u64,
            seed: index as u64,
            architecture: architecture.clone(),
            stop: None,
        });
    }
    wait_for_children(args, &children, &reports)?;
    let wall = started.elapsed().as_secs_f64();
    workers.shutdown();
    let seen = children.len() as f64 * args.images as f64 * args.epochs as f64;
    print_summary(args, &ready, children.len(), wall, seen)
}

fn wait_until_ready(reports: &Receiver<Report>) -> anyhow::Result<Ready> {
    loop {
        match next(reports)? {
            Report::Ready(ready) => return Ok(ready),
            Report::Fatal { message } => return Err(anyhow::Error::msg(message)).or_bad_input(),
            _ => {}
        }
    }
}

/// Print each child's line as it ends, until all have.
fn wait_for_children(
    args: &Args,
    children: &[Architecture],
    reports: &Receiver<Report>,
) -> anyhow::Result<()> {
    let mut left = children.len();
    while left > 0 {
        match next(reports)? {
            Report::Finished {
                child,
                outcome: Outcome::Trained { valid_accuracies },
                seconds,
                ..
            } => {
                let accuracy = valid_accuracies.into_iter().fold(0.0, f64::max);
                print_child(
                    args,
                    child as usize,
                    &children[child as usize],
                    seconds,
                    accuracy,
                )?;
                left -= 1;
            }
            Report::Finished {
                child,
                outcome: Outcome::Failed { reason } | Outcome::Excluded { reason },
                ..
            } => {
                bail!("child {child} failed: {reason}")
            }
            Report::Fatal { message } => bail!("{message}"),
            _ => {}
        }
    }
    Ok(())
}

/// The next report; log messages go to standard error.
fn next(reports: &Receiver<Report>) -> anyhow::Result<Report> {
    let report = reports
        .recv()
        .context("the workers' thread has ended without a report")?;
    match &report {
        Report::Log {
            level: Level::Warning | Level::Error,
            message,
        } => say(&format!("nas-tui bench: {message}")),
        Report::WorkerDied { worker, reason } => {
            say(&format!("nas-tui bench: worker {worker} died: {reason}"));
        }
        _ => {}
    }
    Ok(report)
}

fn print_child(
    args: &Args,
    child: usize,
    architecture: &Architecture,
    seconds: f64,
    accuracy: f64,
) -> anyhow::Result<()> {
    let parameters = Cost::of(architecture)?.params;
    if args.json {
        let line = ChildLine {
            child,
            name: &architecture.name,
            seconds: round(seconds, 3),
            valid_accuracy: accuracy,
            parameters,
        };
        print_json(&line)
    } else {
        print(&format!(
            "{:<24} {seconds:8.2} s   accuracy {}   {parameters} parameters\n",
            architecture.name,
            numbers::accuracy(accuracy)
        ))
    }
}

fn print_summary(
    args: &Args,
    ready: &Ready,
    children: usize,
    wall: f64,
    seen: f64,
) -> anyhow::Result<()> {
    let Some(Compute {
        device, threads, ..
    }) = ready.compute.clone()
    else {
        bail!("the workers have not reported their device");
    };
    let (per_hour, per_second) = (3600.0 * children as f64 / wall, seen / wall);
    if args.json {
        let summary = BenchmarkSummary {
            children,
            wall_seconds: round(wall, 3),
            children_per_hour: round(per_hour, 2),
            train_images_per_second: round(per_second, 1),
            device,
            threads,
            workers: ready.workers,
        };
        print_json(&summary)
    } else {
        print(&format!(
            "{} in {wall:.2} s: {per_hour:.1} children per hour, {per_second:.0} training images per second \
             ({device}, {} x {})\n",
            counted(children as u64, "child"),
            counted(ready.workers as u64, "worker"),
            counted(threads as u64, "thread")
        ))
    }
}

fn round(value: f64, places: i32) -> f64 {
    let scale = 10f64.powi(places);
    (value * scale).round() / scale
}

/// The source of the images.
fn images(args: &Args, network: &Architecture) -> anyhow::Result<(DataConfig, ImageSample)> {
    let first = ImageSample::FirstOfFiles {
        train: args.images as usize,
        validation: VALIDATION,
    };
    if let Some(spec) = &args.data {
        let (source, dir) = parse_spec(spec).or_bad_input()?;
        return Ok((data_config(source, dir, network), first));
    }
    let at_hand = match (network.input, network.classes) {
        ([3, 32, 32], 10) => Some(DataSource::Cifar10),
        ([1, 28, 28], 10) => Some(DataSource::FashionMnistMini),
        _ => None,
    };
    if let Some(source) = at_hand.filter(|&source| locate(source, None).is_ok()) {
        return Ok((data_config(source, None, network), first));
    }
    let [channels, height, width] = network.input;
    say(&format!(
        "nas-tui bench: no --data and no data set of {channels}x{height}x{width} images in the usual places: training on noise (times are \
         as with real images, but accuracies are meaningless)"
    ));
    let noise = ImageSample::Noise {
        input: network.input,
        classes: network.classes,
        train: args.images as usize,
        validation: VALIDATION,
    };
    Ok((data_config(DataSource::Folder, None, network), noise))
}

fn data_config(source: DataSource, dir: Option<PathBuf>, network: &Architecture) -> DataConfig {
    let [_, height, width] = network.input;
    DataConfig {
        source,
        dir,
        size: [height, width],
        validation: VALIDATION,
        limit: None,
        normalization: Normalization::Standard,
        crop: Crop::Pad(4),
        flip: Flip::Random,
        cutout: 0,
    }
}

fn child_config(args: &Args) -> ChildConfig {
    ChildConfig {
        epochs: args.epochs as usize,
        batch_size: args.batch_size as usize,
        learning_rate: 0.1,
        momentum: 0.9,
        nesterov: true,
        weight_decay: 1e-4,
        schedule: ChildSchedule::Constant,
    }
}

/// The placement of a search, but with no more workers than children: the cores of workers that
/// would be idle go to the others.
fn place(args: &Args, children: &[Architecture], program: &Path) -> anyhow::Result<Placement> {
    let (count, threads) = (
        args.workers.map(|count| count as usize),
        args.threads.map(|threads| threads as usize),
    );
    let config = WorkersConfig {
        evaluator: EvaluatorChoice::Local,
        count,
        threads,
        device: args.device,
    };
    let chosen = device::chosen(args.device).or_bad_input()?;
    chosen
        .warning
        .iter()
        .for_each(|warning| say(&format!("nas-tui bench: {warning}")));
    let memory = |child: &Architecture| direct_memory(child, args.batch_size as usize).unwrap_or(0);
    let automatic = Automatic {
        program,
        child_bytes: children.iter().map(memory).max().unwrap_or(0),
        log: &|_, text| say(&format!("nas-tui bench: --workers auto: {text}")),
        interrupted: &|| false,
    };
    let placement = Placement::new(&config, &chosen.devices, cores(), |device| {
        automatic.workers(device)
    });
    if count.is_some() || placement.devices.len() <= children.len() {
        return Ok(placement);
    }
    let fewer = WorkersConfig {
        evaluator: EvaluatorChoice::Local,
        count: Some(children.len()),
        ..config
    };
    Ok(Placement::new(&fewer, &chosen.devices, cores(), |device| {
        automatic.workers(device)
    }))
}
