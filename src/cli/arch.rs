//! The ARCH argument that several subcommands share.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::OrBadInput;
use super::config::SettingsArgs;
use crate::analysis::selection::Selection;
use crate::analysis::{RunSummary, Summary};
use crate::config::{self, Config, Decode};
use crate::event::RunKind;
use crate::foundation::numbers::accuracy;
use crate::runs;
use crate::runs::directory::{WEIGHTS, kind_of};
use crate::space::{Architecture, resolve_architecture};

/// Which network.
#[derive(Debug, Clone, Args)]
pub struct ArchArgs {
    /// A file (architecture or DNA), a built-in network (nascnn15, nascnn15-monograph,
    /// monograph-demo), or a child of a run (RUN:best, RUN:child-12)
    #[arg(value_name = "ARCH")]
    pub arch: String,

    /// How to decode a DNA: literally, or clipped as in the monograph's program (kernel to 1..7 and
    /// odd, filters to 24..64, stride 1, "same" padding) [default: space.decode of ./config.toml if
    /// it exists, else literal]
    #[arg(long, value_enum)]
    pub decode: Option<DecodeArg>,
}

/// The images of a network that does not specify them.
#[derive(Debug, Clone, Copy, Args)]
pub struct ImageArgs {
    /// Image shape for a DNA or a built-in network; an architecture file specifies its own [default:
    /// 3x32x32]
    #[arg(long, value_name = "CxHxW", value_parser = parse_shape)]
    input: Option<[usize; 3]>,

    /// Number of classes for a DNA or a built-in network [default: 10]
    #[arg(long, value_name = "N")]
    classes: Option<usize>,
}

impl ImageArgs {
    /// The network of `arch` for these images, by default those of CIFAR-10.
    ///
    /// # Errors
    /// If it cannot be read, or specifies other images than were given.
    pub fn network(&self, arch: &ArchArgs) -> anyhow::Result<Architecture> {
        let (input, classes) = (
            self.input.unwrap_or([3, 32, 32]),
            self.classes.unwrap_or(10),
        );
        let network = arch.resolve(input, classes)?;
        let [channels, height, width] = network.input;
        let refuse = |option: &str, of: String| {
            Err(bad_input!(
                "{option} is for a DNA or a built-in network: {} is for {of}; omit it",
                arch.arch
            ))
        };
        if self.input.is_some_and(|given| given != network.input) {
            return refuse("--input", format!("images of {channels}x{height}x{width}"));
        }
        if self.classes.is_some_and(|given| given != network.classes) {
            return refuse("--classes", format!("{} classes", network.classes));
        }
        Ok(network)
    }
}

fn parse_shape(text: &str) -> Result<[usize; 3], String> {
    let sizes: Option<Vec<usize>> = text.split('x').map(|size| size.parse().ok()).collect();
    sizes
        .and_then(|sizes| sizes.try_into().ok())
        .ok_or_else(|| "give channels x height x width, as in 3x32x32".to_owned())
}

/// `32`, or height and width as in `32x48`.
pub(super) fn parse_size(text: &str) -> Result<[usize; 2], String> {
    let (height, width) = text.split_once('x').unwrap_or((text, text));
    let side = |text: &str| text.parse().ok().filter(|side| (1..=1_024).contains(side));
    match (side(height), side(width)) {
        (Some(height), Some(width)) => Ok([height, width]),
        _ => Err(
            "give one number for height and width, or both as in 32x48, each from 1 to 1024"
                .to_owned(),
        ),
    }
}

/// [`Decode`] on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DecodeArg {
    Literal,
    Clipped,
}

impl From<DecodeArg> for Decode {
    fn from(decode: DecodeArg) -> Decode {
        match decode {
            DecodeArg::Literal => Decode::Literal,
            DecodeArg::Clipped => Decode::Clipped,
        }
    }
}

impl ArchArgs {
    /// The network. One that does not specify its images (a DNA, a built-in) is for `input` `[C, H,
    /// W]` and `classes` classes.
    pub fn resolve(&self, input: [usize; 3], classes: usize) -> anyhow::Result<Architecture> {
        check_decode(&self.arch, self.decode)?;
        resolve(&self.arch, self.decode()?, input, classes)
    }

    /// The weights saved by a training, if this is its RUN:best.
    pub fn kept_weights(&self) -> Option<PathBuf> {
        let (run, _) = child_of(&self.arch).filter(|(_, child)| *child == "best")?;
        Some(run.join(WEIGHTS)).filter(|file| file.is_file())
    }

    /// The validation accuracy of the network if this is the RUN:best of a search, and that it was
    /// chosen for it.
    pub fn best_of_search(&self) -> Option<String> {
        let (run, _) = child_of(&self.arch).filter(|(_, child)| *child == "best")?;
        let summary = match kind_of(&run) {
            RunKind::Search => Summary::of_journal(&run.join("journal.jsonl")).ok()?,
            RunKind::Training => return None,
        };
        let (best, children) = (summary.best?, summary.best_of as usize);
        let selection = Selection { children }.words();
        let selection = selection.map_or(String::new(), |words| format!("; {words}"));
        Some(format!(
            "validation       {} (child {}{selection})\n",
            accuracy(best.accuracy),
            best.child
        ))
    }

    /// Whether ARCH is a child of a run.
    pub fn is_of_run(&self) -> bool {
        is_of_run(&self.arch)
    }

    /// The settings of the run that ARCH is a child of; `None` if it is not a run's child, or the
    /// run has no settings.
    pub fn run_settings(&self) -> Option<anyhow::Result<RunSettings>> {
        let (run, _) = child_of(&self.arch)?;
        let file = run.join("config.toml");
        let read = || {
            Ok(RunSettings {
                kind: kind_of(&run),
                config: config::read(&file).or_bad_input()?,
            })
        };
        file.is_file().then(read)
    }

    fn decode(&self) -> anyhow::Result<Decode> {
        match self.decode {
            Some(decode) => Ok(decode.into()),
            None => Ok(SettingsArgs::default().resolve()?.space.decode),
        }
    }
}

fn is_of_run(arch: &str) -> bool {
    child_of(arch).is_some_and(|(run, _)| run.is_dir())
}

/// That `--decode` is not given with a child of a run.
///
/// # Errors
/// If it is.
pub(super) fn check_decode(arch: &str, decode: Option<DecodeArg>) -> anyhow::Result<()> {
    match decode {
        Some(_) if is_of_run(arch) => Err(bad_input!(
            "--decode is for a DNA: {arch} is built as in its run; omit it"
        )),
        _ => Ok(()),
    }
}

/// The network that `arch` names. One that does not specify its images (a DNA, a built-in) is for
/// `input` `[C, H, W]` and `classes` classes.
pub(super) fn resolve(
    arch: &str,
    decode: Decode,
    input: [usize; 3],
    classes: usize,
) -> anyhow::Result<Architecture> {
    match child_of(arch) {
        Some((run, child)) if !run.is_dir() && (child == "best" || child.starts_with("child-")) => {
            runs::journal_of(&run).or_bad_input()?;
        }
        Some((run, "best")) if run.is_dir() && !run.join("best.json").exists() => {
            runs::journal_of(&run).or_bad_input()?;
            if kind_of(&run) == RunKind::Training {
                return Err(bad_input!(
                    "there is no best.json in {}: this training has not yet completed an epoch on whole images, or the file is missing",
                    run.display()
                ));
            }
        }
        _ => {}
    }
    resolve_architecture(&placed(arch), decode, input, classes).or_bad_input()
}

/// `arch`, with the directory in place of the name if it is a child of a run in the list of runs.
pub(super) fn placed(arch: &str) -> String {
    match child_of(arch) {
        Some((run, child)) if run.is_dir() => format!("{}:{child}", run.display()),
        _ => arch.to_owned(),
    }
}

/// The directory of the run that `arch` names a child of, if there is one, and which child: `best` or
/// `child-12`. `None` if `arch` is a file or a built-in network.
pub(super) fn child_of(arch: &str) -> Option<(PathBuf, &str)> {
    let (run, child) = arch.rsplit_once(':')?;
    let is_one = !run.is_empty() && !Path::new(arch).exists();
    is_one.then(|| (runs::named(Path::new(run)), child))
}

/// The settings that a run was started with.
pub struct RunSettings {
    kind: RunKind,
    pub(super) config: Config,
}

impl RunSettings {
    /// Images per step of its trainings.
    pub fn batch_size(&self) -> usize {
        match self.kind {
            RunKind::Search => self.config.child.batch_size,
            RunKind::Training => self.config.train.recipe.batch_size,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_shapes_are_three_sizes() {
        assert_eq!(parse_shape("1x28x28"), Ok([1, 28, 28]));
        assert!(parse_shape("28x28").is_err() && parse_shape("3x32xa").is_err());
    }

    #[test]
    fn a_size_is_one_number_or_height_and_width() {
        assert_eq!(
            (parse_size("28"), parse_size("17x12")),
            (Ok([28, 28]), Ok([17, 12]))
        );
        for text in ["", "0", "17x", "x12", "17x12x3", "1025", "-4", "axb"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
