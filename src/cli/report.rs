//! `report RUN`: a page to read, print and send, with its figures and tables as files.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args as ClapArgs;

use super::{OrBadInput, print_path, snapshots};
use crate::event::RunKind;
use crate::report::page::{Material, RunReport, write};
use crate::runs;
use crate::runs::directory::{kind_of, resume_command};

/// Write a report on a run: a self-contained HTML page, its figures as SVG and PNG, its tables as
/// CSV
///
/// Works at any time, whether the run is in progress, completed, stopped or dead. DIR is created if
/// necessary; an older report in it is replaced. It then contains report.html, summary.json,
/// figures/ and tables/. The path of the page is printed.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Run directory, or the name of one in the list of runs
    run: PathBuf,
    /// Folder for the report
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Run the subcommand.
///
/// # Errors
/// If the run cannot be read, or the folder is not for reports (exit status 2), or it cannot be
/// written to.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let run = runs::find(&args.run).or_bad_input()?;
    let material = Material::read(&run).or_bad_input()?;
    if kind_of(&run) == RunKind::Training && material.state.training_run().is_none() {
        let (run, resume) = (run.display(), resume_command(&run));
        return Err(bad_input!(
            "{run}: the training has not begun, there is nothing to report; {resume} begins it"
        ));
    }
    let report = RunReport::of(&material, jiff::Timestamp::now()).context("writing the summary")?;
    let page = match write(&report, &args.out) {
        Err(error) if error.is_bad_folder() => return Err(error).or_bad_input(),
        written => written?,
    };
    print_path(&page)?;
    snapshots::renew([run.as_path()].into_iter());
    Ok(())
}
