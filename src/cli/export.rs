//! `export ARCH`: write a network as files for other programs.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::{Args as ClapArgs, ValueEnum};

use super::arch::{ArchArgs, ImageArgs};
use super::{OrBadInput, print_path, say};
use crate::export::{self, dot, onnx, pytorch};
use crate::foundation::durable::write_atomically;
use crate::space::Architecture;
use crate::space::weights::Weights;

/// Write a network for other programs: PyTorch code, ONNX, a graph, or the files that this program
/// reads
///
/// The files have fixed names in DIR, which is created if necessary; older files of these names are
/// replaced. Each path written is printed on a separate line.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    arch: ArchArgs,

    /// What to write
    #[arg(long, value_enum)]
    format: Format,

    /// Folder for the files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Weights of the network: safetensors with PyTorch's names (README, "Files"), or the training
    /// that saved them. For pytorch and onnx [default: those saved by the training RUN, if ARCH is
    /// RUN:best]
    #[arg(long, value_name = "FILE|RUN")]
    weights: Option<PathBuf>,

    /// ONNX operator set, from 13 to 21 [default: 17]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(13..=21))]
    opset: Option<u8>,

    #[command(flatten)]
    images: ImageArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// model.py, plain torch.nn; with --weights also weights.safetensors, to be loaded into it
    Pytorch,
    /// model.onnx, including the weights (needs --weights); for any batch size
    Onnx,
    /// model.dot, a Graphviz graph
    Dot,
    /// model.json, the architecture file
    Json,
    /// model.dna.json, a DNA to be decoded literally; for networks that one describes: chains, and the
    /// paper's skip connections
    Dna,
}

/// Run the subcommand.
///
/// # Errors
/// If the network, weights or options are bad or do not match (exit status 2), or a folder cannot
/// be written to.
pub fn run(args: &Args) -> anyhow::Result<()> {
    check_options(args).or_bad_input()?;
    // Among its files are weights of this very name.
    if args.out.join("journal.jsonl").exists() {
        return Err(bad_input!(
            "{} is a run directory, which only its run may write to: choose another folder with --out, such as {}",
            args.out.display(),
            args.out.join("export").display()
        ));
    }
    let architecture = args.images.network(&args.arch)?;
    let weights = weights_file(args)?
        .map(|path| Weights::read(&path, &architecture))
        .transpose()
        .or_bad_input()?;
    let files = files(args, &architecture, weights.as_ref())?;
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot create the folder {}", args.out.display()))?;
    for (name, bytes) in &files {
        let path = args.out.join(name);
        write_atomically(&path, bytes)?;
        print_path(&path)?;
    }
    if args.format == Format::Pytorch && weights.is_none() {
        say(
            "nas-tui: no weights.safetensors was written beside model.py: specify the weights with --weights",
        );
    }
    Ok(())
}

/// The weights given or, if the format can contain weights, those of the training that the network
/// belongs to.
fn weights_file(args: &Args) -> anyhow::Result<Option<PathBuf>> {
    if let Some(given) = &args.weights {
        return super::weights::file(given).map(Some);
    }
    let has_place = matches!(args.format, Format::Pytorch | Format::Onnx);
    Ok(args.arch.kept_weights().filter(|_| has_place))
}

fn check_options(args: &Args) -> anyhow::Result<()> {
    let Args {
        format,
        weights,
        opset,
        ..
    } = args;
    let name = format
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default();
    if *format == Format::Onnx && weights_file(args)?.is_none() {
        return Err(anyhow!(
            "--format onnx needs weights, which are part of an ONNX file; specify them with --weights"
        ));
    }
    if weights.is_some() && !matches!(format, Format::Pytorch | Format::Onnx) {
        return Err(anyhow!(
            "--format {name} cannot contain weights; omit --weights"
        ));
    }
    if opset.is_some() && *format != Format::Onnx {
        return Err(anyhow!(
            "--opset can only be used with --format onnx, not {name}"
        ));
    }
    Ok(())
}

/// Names and contents of the files to write.
fn files(
    args: &Args,
    architecture: &Architecture,
    weights: Option<&Weights>,
) -> anyhow::Result<Vec<(&'static str, Vec<u8>)>> {
    let file = |name, text: String| (name, text.into_bytes());
    Ok(match (args.format, weights) {
        (Format::Pytorch, weights) => {
            let model = file("model.py", pytorch::module(architecture).or_bad_input()?);
            let weights = weights.map(|weights| ("weights.safetensors", weights.bytes().to_vec()));
            [Some(model), weights].into_iter().flatten().collect()
        }
        (Format::Onnx, Some(weights)) => {
            let opset = args.opset.unwrap_or(onnx::DEFAULT_OPSET);
            vec![(
                "model.onnx",
                onnx::model(architecture, weights, opset).or_bad_input()?,
            )]
        }
        (Format::Onnx, None) => {
            return Err(bad_input!(
                "--format onnx needs weights; specify them with --weights"
            ));
        }
        (Format::Dot, _) => vec![file("model.dot", dot::graph(architecture).or_bad_input()?)],
        (Format::Json, _) => vec![file("model.json", export::json(architecture))],
        (Format::Dna, _) => vec![file("model.dna.json", dna(architecture).or_bad_input()?)],
    })
}

fn dna(architecture: &Architecture) -> anyhow::Result<String> {
    let dna = export::dna_of(architecture).ok_or_else(|| {
        anyhow!(
            "`{}` has no DNA: a DNA describes a chain of layers with square kernels, strides and paddings or with \"same\" padding, or \
             one with skip connections as in the paper; export it with --format json",
            architecture.name
        )
    })?;
    Ok(export::dna(&dna))
}
