//! `nas-tui data`: lists and checks data sets, and downloads CIFAR-10 and CIFAR-10.1.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::arch::parse_size;
use super::{OrBadInput, print, print_path, print_pretty_json, say};
use crate::config::{Crop, DataConfig, DataSource, Flip, Normalization};
use crate::data::check::{Contents, check};
use crate::data::fetch::{Fetch, FetchProgress, Fetched};
use crate::data::fetch_cifar10_1::FetchCifar10_1;
use crate::data::source::{self, SOURCES};
use crate::data::{DataError, FetchError, parse_spec};
use crate::foundation::text;

/// List, check and fetch data sets.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: DataCommand,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    /// List every data set: where it was found, or how to get it.
    List {
        /// Print JSON: [{name, status, place, remedy}], status one of found, missing, needs_folder.
        #[arg(long)]
        json: bool,
    },
    /// Read a whole data set and print its shape, its images per class and split, and its
    /// fingerprint.
    Check(CheckArgs),
    /// Download a data set, verify and unpack it.
    Fetch(FetchArgs),
}

#[derive(Debug, ClapArgs)]
struct CheckArgs {
    /// fashion-mnist-mini, fashion-mnist[:DIR], cifar10[:DIR], cifar10.1[:DIR] or folder:DIR.
    spec: String,
    /// Number of images set aside for validation [default: 1,000 for the mini set; else 5,000 or a
    /// tenth, whichever is less].
    #[arg(long, value_name = "N")]
    validation: Option<usize>,
    /// Size to which images of `folder:DIR` are resized: one number for height and width, or
    /// HEIGHTxWIDTH.
    #[arg(long, value_name = "PIXELS", default_value = "32", value_parser = parse_size)]
    size: [usize; 2],
    /// Print JSON: {spec, input, classes, parts: [{name, images, per_class}], fingerprint}, or
    /// {spec, error}. If a folder contains files that are not read, also unread: [{files, folders,
    /// first}].
    #[arg(long)]
    json: bool,
}

#[derive(Debug, ClapArgs)]
struct FetchArgs {
    dataset: Fetchable,
    /// Get the data from here: the URL of the folder that contains them, or of CIFAR-10's archive
    /// itself (http, https, file, or a path).
    #[arg(long, value_name = "URL")]
    mirror: Option<String>,
    /// Put the data here [default: $XDG_DATA_HOME/nas-tui/NAME, where the data set NAME is searched
    /// for].
    #[arg(long)]
    dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Fetchable {
    /// The official archive, verified by its MD5
    Cifar10,
    /// Four .npy files: v6 and v4 of the test set. No checksums are published; type, shape and
    /// labels are verified
    #[value(name = "cifar10.1")]
    Cifar10_1,
}

pub(super) fn run(args: Args) -> anyhow::Result<()> {
    match args.action {
        DataCommand::List { json } => list(json),
        DataCommand::Check(args) => run_check(&args),
        DataCommand::Fetch(args) => run_fetch(&args),
    }
}

/// A data set and whether it is on this machine.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    pub(super) name: &'static str,
    pub(super) status: DataStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DataStatus {
    Found,
    Missing,
    /// The user's own images: only the user knows where they are.
    NeedsFolder,
}

/// Every data set with its default location.
pub(super) fn listed() -> Vec<Listed> {
    SOURCES.into_iter().map(list_one).collect()
}

fn list_one(source: DataSource) -> Listed {
    let name = source.name();
    if source == DataSource::Folder {
        return Listed {
            name,
            status: DataStatus::NeedsFolder,
            place: None,
            remedy: Some(source::remedy(source).to_owned()),
        };
    }
    match source::locate(source, None) {
        Ok(place) => {
            let place = place
                .path()
                .map_or("embedded".to_owned(), |path| path.display().to_string());
            Listed {
                name,
                status: DataStatus::Found,
                place: Some(place),
                remedy: None,
            }
        }
        Err(error) => Listed {
            name,
            status: DataStatus::Missing,
            place: None,
            remedy: Some(error.to_string()),
        },
    }
}

fn list(json: bool) -> anyhow::Result<()> {
    let listed = listed();
    if json {
        return print_pretty_json(&listed);
    }
    let mut text = String::new();
    for data in listed {
        let status = match data.status {
            DataStatus::Found => "found",
            DataStatus::Missing => "missing",
            DataStatus::NeedsFolder => "yours",
        };
        text.push_str(&format!(
            "{:<20} {status:<8} {}\n",
            data.name,
            data.place.or(data.remedy).unwrap_or_default()
        ));
    }
    print(&text)
}

fn run_check(args: &CheckArgs) -> anyhow::Result<()> {
    let outcome = check_spec(args);
    if args.json {
        match &outcome {
            Ok(contents) => print_pretty_json(contents)?,
            Err(error) => print_pretty_json(
                &serde_json::json!({ "spec": args.spec, "error": error.to_string() }),
            )?,
        }
    }
    let contents = outcome.or_bad_input()?;
    contents
        .unread
        .iter()
        .for_each(|unread| say(&format!("nas-tui: warning: {unread}")));
    if args.json {
        Ok(())
    } else {
        print(&table(&contents))
    }
}

fn check_spec(args: &CheckArgs) -> Result<Contents, DataError> {
    let (source, dir) = parse_spec(&args.spec)?;
    let config = DataConfig {
        source,
        dir,
        size: args.size,
        validation: 0,
        limit: None,
        normalization: Normalization::Standard,
        crop: Crop::None,
        flip: Flip::None,
        cutout: 0,
    };
    check(&config, args.validation).map_err(DataError::for_option)
}

fn table(contents: &Contents) -> String {
    let width = contents
        .classes
        .iter()
        .map(|class| class.width())
        .max()
        .unwrap_or(0)
        .max("classes".len());
    let [channels, height, rows] = contents.input;
    let mut text = format!(
        "{}\nimages of {channels}x{height}x{rows} (channels, height, width), fingerprint {}\n\n",
        text::line(&contents.spec),
        contents.fingerprint
    );
    let mut line = |name: &str, cells: Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!(" {cell:>10}")).collect();
        text.push_str(&format!("{}{cells}\n", text::left(name, width)));
    };
    let parts = &contents.parts;
    line(
        "classes",
        parts.iter().map(|part| part.name.to_owned()).collect(),
    );
    for (index, class) in contents.classes.iter().enumerate() {
        line(
            class,
            parts
                .iter()
                .map(|part| part.per_class[index].to_string())
                .collect(),
        );
    }
    line(
        "all",
        parts.iter().map(|part| part.images.to_string()).collect(),
    );
    text
}

fn run_fetch(args: &FetchArgs) -> anyhow::Result<()> {
    let source = match args.dataset {
        Fetchable::Cifar10 => DataSource::Cifar10,
        Fetchable::Cifar10_1 => DataSource::Cifar10_1,
    };
    let folder = match &args.dir {
        Some(dir) => dir.clone(),
        None => source::usual_places(source)
            .pop()
            .context("no home folder: set HOME or XDG_DATA_HOME, or choose a folder with --dir")
            .or_bad_input()?,
    };
    let bar = progress_bar();
    let outcome = match args.dataset {
        Fetchable::Cifar10 => {
            let fetch = Fetch::cifar10(args.mirror.as_deref(), folder);
            fetch.run(&mut |progress| show(&bar, &fetch.url, progress))
        }
        Fetchable::Cifar10_1 => FetchCifar10_1::new(args.mirror.as_deref(), folder)
            .run(&mut |file, progress| show(&bar, file, progress)),
    };
    bar.finish_and_clear();
    match outcome {
        Ok(Fetched::AlreadyThere(folder)) => {
            print(&format!("{}: already there and valid\n", folder.display()))
        }
        Ok(Fetched::New(folder)) => print_path(&folder),
        Err(error @ FetchError::WrongArchive { .. }) => Err(error).or_bad_input(),
        Err(error) => Err(error.into()),
    }
}

/// Only on a terminal: elsewhere the bar would fill a log.
fn progress_bar() -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(None, target);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn show(bar: &ProgressBar, url: &str, progress: FetchProgress) {
    match progress {
        FetchProgress::Downloading { done, total } => {
            let name = url.rsplit('/').next().unwrap_or(url);
            if total != bar.length() || bar.message() != name {
                let template = match total {
                    Some(_) => "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}",
                    None => "{msg} {spinner} {bytes} {bytes_per_sec}",
                };
                bar.set_style(
                    ProgressStyle::with_template(template)
                        .unwrap_or_else(|_| ProgressStyle::default_bar()),
                );
                bar.set_message(name.to_owned());
                total.map_or_else(|| bar.unset_length(), |total| bar.set_length(total));
                bar.set_position(done);
                // The part from an earlier download must not count towards the speed of this one.
                bar.reset_eta();
            }
            bar.set_position(done);
        }
        FetchProgress::Verifying => bar.set_message("verifying"),
        FetchProgress::Unpacking => bar.set_message("unpacking"),
    }
}
