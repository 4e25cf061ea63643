//! `nas-tui bench`: how many children per hour this machine trains, and how well strategies search.

#[cfg(feature = "torch")]
mod children;
mod early_stopping;
mod search;

use clap::Subcommand;

/// Train a list of children in worker processes and print children per hour; or compare strategies
/// on a table (bench search).
///
/// The work is that of benches/pytorch_baseline.py, an ordinary PyTorch script for comparison: SGD
/// (learning rate 0.1, Nesterov momentum 0.9, weight decay 1e-4), random crop with 4 pixels of
/// padding, flip, normalisation, then accuracy on 1,000 other images. The clock runs from the
/// moment the workers are ready (the script's from the moment its images are in memory) until the
/// last child has finished.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[cfg_attr(not(feature = "torch"), command(subcommand_required = true))]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,

    #[cfg(feature = "torch")]
    #[command(flatten)]
    children: Option<children::Args>,
}

#[derive(Debug, Subcommand)]
enum What {
    Search(search::Args),
    EarlyStopping(early_stopping::Args),
}

/// Run the benchmark.
///
/// # Errors
///
/// Invalid children, table, settings or data (exit status 2); a child or a search that fails.
pub fn run(args: &Args) -> anyhow::Result<()> {
    match &args.what {
        Some(What::Search(args)) => search::run(args),
        Some(What::EarlyStopping(args)) => early_stopping::run(args),
        #[cfg(not(feature = "torch"))]
        None => Ok(()),
        #[cfg(feature = "torch")]
        None => args.children.as_ref().map_or(Ok(()), children::run),
    }
}
