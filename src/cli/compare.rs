//! `nas-tui compare`: two networks on the same images.

use std::path::PathBuf;

use super::OrBadInput;
use crate::analysis::statistics::p_text;
use crate::classification::paired::PairedComparison;
use crate::classification::predictions::Predictions;
use crate::foundation::numbers;

/// Compare the accuracies of two networks on the same images
///
/// The files are those written by `nas-tui evaluate --predictions FILE` (of which the columns
/// index, label and prediction are read). The difference comes with a 95 % interval for matched
/// pairs (Bonett & Price 2012) and the p-value of McNemar's exact test, which asks whether each
/// network is right equally often where the other one is wrong. Both apply to these two sets of
/// weights: another training of the same architectures may differ by more.
///
/// --json prints one object: images, both_right, only_a_right, only_b_right, both_wrong (images),
/// accuracy_a, accuracy_a_ci95 [low, high], accuracy_b, accuracy_b_ci95, difference (A minus B),
/// difference_ci95, p_value.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Predictions of network A
    #[arg(value_name = "A.csv")]
    a: PathBuf,

    /// Predictions of network B
    #[arg(value_name = "B.csv")]
    b: PathBuf,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let [a, b] = [&args.a, &args.b].map(|path| Predictions::read(path));
    let answers = a.or_bad_input()?.pair(&b.or_bad_input()?).or_bad_input()?;
    let compared = answers.compare().ok_or_else(|| {
        let path = args.a.display();
        bad_input!("{path} contains no predictions: evaluate at least one image")
    })?;
    if args.json {
        return super::print_json(&compared);
    }
    super::print(&text(args, &compared))
}

fn text(args: &Args, compared: &PairedComparison) -> String {
    let answers = &compared.answers;
    let accuracy = |accuracy: f64, ci95: [f64; 2]| {
        format!(
            "accuracy {} (95 % {})",
            numbers::accuracy(accuracy),
            numbers::accuracies(ci95)
        )
    };
    [
        format!("A: {}", args.a.display()),
        format!(
            "   {}",
            accuracy(compared.accuracy_a, compared.accuracy_a_ci95)
        ),
        format!("B: {}", args.b.display()),
        format!(
            "   {}",
            accuracy(compared.accuracy_b, compared.accuracy_b_ci95)
        ),
        format!(
            "{} images: both right {}, only A {}, only B {}, both wrong {}",
            compared.images,
            answers.both_right,
            answers.only_a_right,
            answers.only_b_right,
            answers.both_wrong
        ),
        format!(
            "A minus B: {} (95 % {}; McNemar's exact test: {})\n",
            numbers::points(compared.difference),
            numbers::points_interval(compared.difference_ci95),
            p_text(compared.p_value)
        ),
    ]
    .join("\n")
}
