//! Architecture and DNA files: reading them, with errors that give file and line, and writing them
//! with one line per layer.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use super::costed::{CostedArchitecture, CostedLayer};
use super::decode::{CHAIN, RECTANGULAR};
use super::family::{Family, families};
use super::{Architecture, Design, Dna, SpaceError};
use crate::config::Decode;
use crate::foundation::{input, text};

/// Why a network cannot be read from or written to a file. Every message names the file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("cannot read {path}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {path}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is not JSON of a known form.
    #[error("{path} is neither an architecture file nor a DNA file nor a list of architectures", path = path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// With line and column.
        source: serde_json::Error,
    },
    /// A list has no architecture, or several, where exactly one is needed.
    #[error("{path} lists {count} architectures, but exactly one is wanted here: copy it to a file of its own", path = path.display())]
    NotOne {
        /// The file.
        path: PathBuf,
        /// Number of architectures in the list.
        count: usize,
    },
    /// The file is valid, but its network cannot be built.
    #[error("{path}{}", place.map(|place| format!(", architecture {place} of the list")).unwrap_or_default(), path = path.display())]
    Network {
        /// The file.
        path: PathBuf,
        /// Position in the list, from 1; `None` if the file is not a list.
        place: Option<usize>,
        /// Why it cannot be built.
        source: SpaceError,
    },
}

/// How to read a DNA file, which does not contain the decoding or the shape of the images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DnaContext {
    /// How genes become layers.
    pub decode: Decode,
    /// Shape of one image, `[C, H, W]`.
    pub input: [usize; 3],
    /// Number of classes.
    pub classes: usize,
}

/// A DNA file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DnaFile {
    dna: Dna,
}

/// A file that contains a network among other facts: a run's best.json.
#[derive(Debug, Deserialize)]
struct Wrapped {
    architecture: Architecture,
}

/// The single network in a file: an architecture file, the output of `inspect --json`, a DNA file
/// (read according to `context`), a list of exactly one architecture, or a run's best.json.
///
/// # Errors
///
/// [`FileError`]: the file cannot be read, does not contain exactly one network, or the network
/// cannot be built.
pub fn read_architecture(path: &Path, context: DnaContext) -> Result<Architecture, FileError> {
    let mut networks = read(path, Some(context))?;
    match networks.len() {
        1 => Ok(networks.remove(0)),
        count => Err(FileError::NotOne {
            path: path.to_owned(),
            count,
        }),
    }
}

/// The networks in a file: a list of architectures, or anything that [`read_architecture`] reads
/// except a DNA file.
///
/// # Errors
///
/// [`FileError`]: the file cannot be read or parsed, or a network cannot be built.
pub fn read_architectures(path: &Path) -> Result<Vec<Architecture>, FileError> {
    read(path, None)
}

/// Write an architecture file: one line per layer.
///
/// # Errors
///
/// [`FileError::Write`] if the file cannot be written.
pub fn write_architecture(path: &Path, architecture: &Architecture) -> Result<(), FileError> {
    std::fs::write(path, architecture.to_json()).map_err(|source| FileError::Write {
        path: path.to_owned(),
        source,
    })
}

fn read(path: &Path, context: Option<DnaContext>) -> Result<Vec<Architecture>, FileError> {
    let contents = input::text(path, input::TEXT).map_err(|source| FileError::Read {
        path: path.to_owned(),
        source,
    })?;
    let syntax = |source| FileError::Syntax {
        path: path.to_owned(),
        source,
    };
    let network = |place, source| FileError::Network {
        path: path.to_owned(),
        place,
        source,
    };
    // Find out the kind of file first, then read the text again as that kind, so that errors have
    // line and column.
    let value: serde_json::Value = serde_json::from_str(&contents).map_err(syntax)?;
    // As summaries and reports print a DNA: without a name.
    let is_bare =
        |list: &Vec<serde_json::Value>| !list.is_empty() && list.iter().all(|gene| gene.is_array());
    let is_bare = value.as_array().is_some_and(is_bare);
    let is_dna = is_bare || (value.get("dna").is_some() && value.get("architecture").is_none());
    if let Some(context) = context.filter(|_| is_dna) {
        let dna = match is_bare {
            true => serde_json::from_str(&contents),
            false => serde_json::from_str(&contents).map(|file: DnaFile| file.dna),
        };
        let dna: Dna = dna.map_err(syntax)?;
        let name = path.file_stem().map_or_else(
            || "dna".into(),
            |stem| text::line(&stem.to_string_lossy()).into_owned(),
        );
        return Ok(vec![
            decode(&dna, &name, context).map_err(|source| network(None, source))?,
        ]);
    }
    let is_list = value.is_array();
    let mut networks: Vec<Architecture> = if is_list {
        serde_json::from_str(&contents).map_err(syntax)?
    } else if value.get("architecture").is_some() {
        vec![
            serde_json::from_str::<Wrapped>(&contents)
                .map_err(syntax)?
                .architecture,
        ]
    } else if value.get("params").is_some() {
        vec![
            serde_json::from_str::<CostedArchitecture>(&contents)
                .map_err(syntax)?
                .into(),
        ]
    } else {
        vec![serde_json::from_str(&contents).map_err(syntax)?]
    };
    for (index, architecture) in networks.iter_mut().enumerate() {
        architecture.name = text::line(&architecture.name).into_owned();
        architecture
            .check()
            .map_err(|source| network(is_list.then_some(index + 1), source.into()))?;
    }
    Ok(networks)
}

/// A DNA without a space belongs to the first family of networks whose genes have these lengths. If
/// there is none, the error is that of a chain or a rectangular layer.
fn decode(dna: &Dna, name: &str, context: DnaContext) -> Result<Architecture, SpaceError> {
    let DnaContext {
        decode,
        input,
        classes,
    } = context;
    let fits = |family: &&dyn Family| {
        let mut genes = dna.0.iter().enumerate();
        !family.is_tabular()
            && genes.all(|(index, gene)| family.heads(index + 1).len() == gene.len())
    };
    let is_short = dna.0.first().is_none_or(|gene| gene.len() <= 4);
    let usual: &dyn Family = if is_short { &CHAIN } else { RECTANGULAR };
    let family = families().into_iter().find(fits).unwrap_or(usual);
    match family.decode(decode, dna, name, input, classes)? {
        Design::Network(architecture) => Ok(architecture),
        Design::Key(key) => Err(SpaceError::NoNetwork { key }),
    }
}

/// The text of an architecture file.
pub(super) fn to_json(architecture: &Architecture) -> String {
    let Architecture {
        name,
        input,
        classes,
        layers,
        output,
    } = architecture;
    let layers = rows(layers.iter().map(json).collect());
    lines(&[
        ("name", json(name)),
        ("input", json(input)),
        ("classes", json(classes)),
        ("layers", layers),
        ("output", json(output)),
    ])
}

pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("text, numbers and lists are always JSON")
}

pub(super) fn rows(rows: Vec<String>) -> String {
    format!("[\n    {}\n  ]", rows.join(",\n    "))
}

pub(super) fn lines(fields: &[(&str, String)]) -> String {
    let lines: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("  \"{name}\": {value}"))
        .collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}
