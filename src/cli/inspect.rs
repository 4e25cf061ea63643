//! `inspect ARCH`: the layers of a network and their costs.

use anyhow::Context;
use clap::Args as ClapArgs;

use super::arch::{ArchArgs, ImageArgs};
use super::table::{TableColumn, table, terminal_width};
use super::{OrBadInput, print, print_json_text};
use crate::foundation::device::Device;
use crate::foundation::numbers;
use crate::space::file::CostedArchitecture;
use crate::space::{Architecture, ArchitectureError, Cost, training_memory};

/// Default batch size of the memory estimate: the one that the CIFAR-10 presets train with.
const BATCH_SIZE: usize = 128;

/// Print a network layer by layer: shapes, parameters, multiply-accumulates and receptive fields
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    arch: ArchArgs,

    #[command(flatten)]
    images: ImageArgs,

    /// Batch size of the memory estimate [default: that of RUN, if ARCH is RUN:best or RUN:child-12
    /// (no estimate if RUN does not record it); else 128]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    batch_size: Option<u32>,

    /// Print the architecture file as JSON with params, macs, and per layer output_shape, params,
    /// macs, receptive_field
    #[arg(long)]
    json: bool,
}

/// Run the subcommand.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let architecture = args.images.network(&args.arch)?;
    let mut text = text(&architecture, batch_size(args), args.json)
        .with_context(|| format!("the cost of {}", args.arch.arch))
        .or_bad_input()?;
    if args.json {
        return print_json_text(&text);
    }
    text += &args.arch.best_of_search().unwrap_or_default();
    print(&text)
}

/// Batch size for the memory estimate; `None` if the network's run does not record it.
fn batch_size(args: &Args) -> Option<usize> {
    match args.batch_size {
        Some(given) => Some(given as usize),
        None if args.arch.is_of_run() => Some(args.arch.run_settings()?.ok()?.batch_size()),
        None => Some(BATCH_SIZE),
    }
}

fn text(
    architecture: &Architecture,
    batch_size: Option<usize>,
    json: bool,
) -> Result<String, ArchitectureError> {
    match json {
        true => Ok(CostedArchitecture::new(architecture)?.to_json()),
        false => describe(architecture, batch_size, terminal_width().unwrap_or(80)),
    }
}

/// The table and the totals, in lines of at most `width` characters if possible.
fn describe(
    architecture: &Architecture,
    batch_size: Option<usize>,
    width: usize,
) -> Result<String, ArchitectureError> {
    let cost = Cost::of(architecture)?;
    let [channels, height, width_] = architecture.input;
    let mut text = format!(
        "{}: {}",
        architecture.name,
        numbers::counted(architecture.layers.len() as u64, "layer")
    );
    text += &format!(
        ", images {channels}x{height}x{width_} (layer 0), {} classes\n\n",
        architecture.classes
    );
    text += &table(&columns(), &rows(architecture, &cost), width);
    text += "\nSizes are HxW, output is CxHxW (class: the classifier), field: receptive field.\n";
    let batch_norm: u64 = architecture
        .layers
        .iter()
        .map(|layer| 2 * layer.filters as u64)
        .sum();
    let convolutions = cost.params - batch_norm - cost.classifier.params;
    let memory = match batch_size {
        Some(images) => memory(architecture, images)?,
        None => "not known".to_owned(),
    };
    text += &format!("\nparameters       {}\n", numbers::count(cost.params));
    text += &format!("  convolutions   {}\n", numbers::count(convolutions));
    text += &format!("  batch norm     {}\n", numbers::count(batch_norm));
    text += &format!(
        "  classifier     {}\n",
        numbers::count(cost.classifier.params)
    );
    text += &format!(
        "MACs per image   {} (convolutions and classifier)\n",
        numbers::count(cost.macs)
    );
    text += &format!("training memory  {memory}\n");
    Ok(text)
}

/// Memory of a training with this batch size: on a GPU and, if it differs, on the CPU.
fn memory(architecture: &Architecture, images: usize) -> Result<String, ArchitectureError> {
    let on = |device| training_memory(architecture, images, device).map(numbers::bytes);
    let (cpu, gpu) = (on(Device::Cpu)?, on(Device::Cuda(0))?);
    let memory = if cpu == gpu {
        format!("about {cpu}")
    } else {
        format!("{cpu} (CPU), {gpu} (GPU)")
    };
    Ok(format!("{memory} at batch size {images} (estimate)"))
}

fn columns() -> [TableColumn; 10] {
    let right = TableColumn::right;
    [
        right("layer"),
        right("kernel"),
        right("filters"),
        right("stride"),
        right("padding"),
        TableColumn {
            wraps: true,
            ..TableColumn::left("inputs")
        },
        right("output"),
        right("params"),
        right("MACs"),
        right("field"),
    ]
}

fn rows(architecture: &Architecture, cost: &Cost) -> Vec<[String; 10]> {
    let layers = architecture.layers.iter().zip(&cost.layers).enumerate();
    let mut rows: Vec<[String; 10]> = layers
        .map(|(index, (layer, cost))| {
            [
                (index + 1).to_string(),
                layer.kernel_text("x"),
                layer.filters.to_string(),
                by(&layer.stride),
                by(&layer.padding),
                ranges(&layer.inputs),
                by(&cost.output_shape),
                numbers::count(cost.params),
                short(cost.macs),
                by(&cost.receptive_field),
            ]
        })
        .collect();
    let mut classifier = [const { String::new() }; 10];
    classifier[0] = "class".into();
    classifier[5] = ranges(&architecture.output);
    classifier[6] = architecture.classes.to_string();
    classifier[7] = numbers::count(cost.classifier.params);
    classifier[8] = short(cost.classifier.macs);
    rows.push(classifier);
    rows
}

/// `3x7`.
fn by<T: ToString>(sizes: &[T]) -> String {
    sizes.iter().map(T::to_string).collect::<Vec<_>>().join("x")
}

/// `1,3-7,9`
fn ranges(layers: &[usize]) -> String {
    let layers: Vec<u64> = layers.iter().map(|&layer| layer as u64).collect();
    numbers::ranges(&layers, ",")
}

/// `451.6M`: four significant digits and a decimal prefix.
fn short(number: u64) -> String {
    const PREFIXES: [(f64, &str); 5] = [
        (1e18, "E"),
        (1e15, "P"),
        (1e12, "T"),
        (1e9, "G"),
        (1e6, "M"),
    ];
    match PREFIXES.iter().find(|(unit, _)| number as f64 >= *unit) {
        Some((unit, prefix)) => format!("{:.1}{prefix}", number as f64 / unit),
        None => numbers::count(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Decode;
    use crate::space::builtin::builtin;

    #[test]
    fn the_table_of_nascnn15_fits_80_columns() {
        let network = builtin("nascnn15", Decode::Literal, [3, 32, 32], 10)
            .unwrap()
            .unwrap();
        let text = describe(&network, Some(BATCH_SIZE), 80).unwrap();
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn numbers_are_grouped_by_thousands_and_shortened_from_a_million() {
        assert_eq!(
            (
                numbers::count(0),
                numbers::count(999),
                numbers::count(4_201_630)
            ),
            ("0".into(), "999".into(), "4,201,630".into())
        );
        assert_eq!(
            (short(999_999), short(1_000_000), short(4_300_665_312)),
            ("999,999".into(), "1.0M".into(), "4.3G".into())
        );
    }
}
