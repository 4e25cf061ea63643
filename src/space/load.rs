//! ARCH of the command line to a network: a built-in name, a file, or a child of a run.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::builtin::{BUILTINS, builtin};
use super::file::{DnaContext, FileError, read_architecture};
use super::{Architecture, ArchitectureError, Design, SpaceError};
use crate::config::Decode;
use crate::foundation::{input, text};

/// Why an ARCH does not yield a network.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// ARCH has none of the valid forms.
    #[error(
        "no architecture {arch:?}: it is neither a file, nor a built-in network ({}), nor a run's child (RUN:best, \
         RUN:child-12)",
        BUILTINS.map(|(name, _)| name).join(", ")
    )]
    Unknown {
        /// ARCH as given by the user.
        arch: String,
    },
    /// A built-in network cannot be built for these images.
    #[error("the built-in network {name} ({hint})")]
    Builtin {
        /// The built-in name.
        name: String,
        /// What it cannot be built for: `for these images`.
        hint: &'static str,
        /// Why it cannot be built.
        source: SpaceError,
    },
    /// ARCH is a file that does not contain a network.
    #[error(transparent)]
    File(#[from] FileError),
    /// RUN is not a folder.
    #[error("no run directory {run} (looked for the {wanted} of it)", run = run.display())]
    NoRun {
        /// RUN as given by the user.
        run: PathBuf,
        /// What was to be read there: `best` or `child-12`.
        wanted: String,
    },
    /// The part after RUN: is neither `best` nor `child-N`.
    #[error("{child:?} is not a child of a run: write RUN:best or RUN:child-12")]
    NotAChild {
        /// That part, as given by the user.
        child: String,
    },
    /// The run has not evaluated any child yet.
    #[error("there is no best.json in {run}: no child has been trained there yet, or the file is missing; {run}:child-12 is its child 12", run = run.display())]
    NoBest {
        /// Its directory.
        run: PathBuf,
    },
    /// The journal of the run cannot be read.
    #[error("cannot read {path}", path = path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The record about the child is damaged.
    #[error("{path}, line {line}: the child_sampled event cannot be read", path = path.display())]
    Event {
        /// The journal.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// The reason, with the column.
        source: serde_json::Error,
    },
    /// The journal does not contain the child.
    #[error("{path} has no child {child}{}", highest.map(|highest| format!("; the last one is child {highest}")).unwrap_or_default(), path = path.display())]
    NoChild {
        /// The journal.
        path: PathBuf,
        /// The requested number.
        child: u64,
        /// Largest number in the journal; absent if it contains no child.
        highest: Option<u64>,
    },
    /// The child is a row of a table.
    #[error("{path}: child {child} was looked up in a table: it has no network", path = path.display())]
    NoNetwork {
        /// The journal, or the best.json.
        path: PathBuf,
        /// Number of the child.
        child: u64,
    },
    /// The journal contains the child, but its network cannot be built.
    #[error("{path}: child {child}", path = path.display())]
    Child {
        /// The journal.
        path: PathBuf,
        /// Number of the child.
        child: u64,
        /// Why it cannot be built.
        source: ArchitectureError,
    },
}

/// The network that `arch` names: a built-in name; a file (architecture, DNA, or a list of exactly
/// one architecture); or `RUN:best`, `RUN:child-12`, where RUN is a run directory.
///
/// `decode` applies to DNA: a DNA file, or the built-in `monograph-demo`. `input` (`[C, H, W]`) and
/// `classes` apply to networks that do not specify them: a DNA file, or a built-in network. (A file
/// with the name of a built-in can be given as `./NAME`.)
///
/// # Errors
/// [`LoadError`]: ARCH is not valid, the file or run cannot be read, or the network cannot be
/// built.
pub fn resolve_architecture(
    arch: &str,
    decode: Decode,
    input: [usize; 3],
    classes: usize,
) -> Result<Architecture, LoadError> {
    if let Some(network) = builtin(arch, decode, input, classes) {
        let hint = if decode == Decode::Literal {
            "as its DNA is written; --decode clipped builds it"
        } else {
            "for these images"
        };
        let hint = if arch == "monograph-demo" {
            hint
        } else {
            "for these images"
        };
        return network.map_err(|source| LoadError::Builtin {
            name: arch.to_owned(),
            hint,
            source,
        });
    }
    let path = Path::new(arch);
    // A pipe or a device is refused where it is read, with the reason.
    if path.exists() && !path.is_dir() {
        return Ok(read_architecture(
            path,
            DnaContext {
                decode,
                input,
                classes,
            },
        )?);
    }
    match arch.rsplit_once(':') {
        Some((run, child)) if !run.is_empty() && !path.exists() => {
            resolve_child(Path::new(run), child)
        }
        _ => Err(LoadError::Unknown {
            arch: arch.to_owned(),
        }),
    }
}

fn resolve_child(run: &Path, child: &str) -> Result<Architecture, LoadError> {
    let number = child
        .strip_prefix("child-")
        .and_then(|number| number.parse::<u64>().ok());
    if child != "best" && number.is_none() {
        return Err(LoadError::NotAChild {
            child: child.to_owned(),
        });
    }
    if !run.is_dir() {
        return Err(LoadError::NoRun {
            run: run.to_owned(),
            wanted: child.to_owned(),
        });
    }
    if let Some(number) = number {
        return sampled_child(&run.join("journal.jsonl"), number);
    }
    let path = run.join("best.json");
    if !path.exists() {
        return Err(LoadError::NoBest {
            run: run.to_owned(),
        });
    }
    if let Some(child) = row_of_table(&path) {
        return Err(LoadError::NoNetwork { path, child });
    }
    // Literal, because best.json contains the network itself and nothing is decoded again.
    Ok(read_architecture(
        &path,
        DnaContext {
            decode: Decode::Literal,
            input: [3, 32, 32],
            classes: 10,
        },
    )?)
}

/// The number of the child in the best.json at `path`, if it was looked up in a table.
fn row_of_table(path: &Path) -> Option<u64> {
    let text = input::read(path, input::TEXT).ok()?;
    let best: Sampled = serde_json::from_slice(&text).ok()?;
    matches!(best.design, Design::Key(_)).then_some(best.child)
}

/// The parts of a journal's `child_sampled` event, or of a best.json, that are needed.
#[derive(Deserialize)]
struct Sampled {
    child: u64,
    #[serde(flatten)]
    design: Design,
}

/// The network of a child from the journal. (A child sampled again after a resume is the same
/// child.)
fn sampled_child(path: &Path, child: u64) -> Result<Architecture, LoadError> {
    let journal = |source| LoadError::Journal {
        path: path.to_owned(),
        source,
    };
    let mut highest = None;
    let mut reader = BufReader::new(input::open(path).map_err(journal)?);
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        reader.read_until(b'\n', &mut bytes).map_err(journal)?;
        // The end, or a line that is still being written.
        if bytes.last() != Some(&b'\n') {
            break;
        }
        if !is_child_sampled(&bytes) {
            continue;
        }
        let sampled: Sampled =
            serde_json::from_slice(&bytes).map_err(|source| LoadError::Event {
                path: path.to_owned(),
                line,
                source,
            })?;
        if sampled.child == child {
            let Design::Network(mut network) = sampled.design else {
                return Err(LoadError::NoNetwork {
                    path: path.to_owned(),
                    child,
                });
            };
            network.check().map_err(|source| LoadError::Child {
                path: path.to_owned(),
                child,
                source,
            })?;
            network.name = text::line(&network.name).into_owned();
            return Ok(network);
        }
        highest = highest.max(Some(sampled.child));
    }
    Err(LoadError::NoChild {
        path: path.to_owned(),
        child,
        highest,
    })
}

fn is_child_sampled(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct EventName<'a> {
        #[serde(borrow)]
        event: std::borrow::Cow<'a, str>,
    }
    serde_json::from_slice::<EventName>(line).is_ok_and(|kind| kind.event == "child_sampled")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_child_of_a_table_is_said_to_have_no_network() {
        let run = tempfile::tempdir().unwrap();
        let best = r#"{"child": 10, "accuracy": 0.8, "dna": [[4]], "key": "|none~0|"}"#;
        std::fs::write(run.path().join("best.json"), best).unwrap();
        let arch = format!("{}:best", run.path().display());
        let error = resolve_architecture(&arch, Decode::Literal, [3, 32, 32], 10).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("child 10 was looked up in a table"), "{text}");
    }
}
