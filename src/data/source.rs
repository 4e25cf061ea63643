//! Data sets by name: the SPEC of the command line, and where each data set is on this machine.

use std::path::{Path, PathBuf};

use super::error::DataError;
use crate::config::DataSource;

/// The end of every error about a SPEC.
pub(super) const KNOWN_SPECS: &str = "the known data sets are fashion-mnist-mini, fashion-mnist[:DIR], cifar10[:DIR], cifar10.1[:DIR] and folder:DIR";

/// Every data set, in the order in which they are listed.
pub const SOURCES: [DataSource; 5] = [
    DataSource::FashionMnistMini,
    DataSource::FashionMnist,
    DataSource::Cifar10,
    DataSource::Cifar10_1,
    DataSource::Folder,
];

/// Where Debian's package `dataset-fashion-mnist` installs its files.
const DEBIAN_FASHION_MNIST: &str = "/usr/share/datasets/fashion-mnist";
/// Name of the official archive of CIFAR-10's binary version.
pub const CIFAR10_ARCHIVE: &str = "cifar-10-binary.tar.gz";
/// The folder inside that archive.
pub const CIFAR10_FOLDER: &str = "cifar-10-batches-bin";

/// Where a data set's bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// Inside this program.
    Embedded,
    /// Plain files.
    Folder(PathBuf),
    /// A compressed archive, read without unpacking it.
    Archive(PathBuf),
}

impl Location {
    /// The folder or archive; `None` for embedded data.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Location::Embedded => None,
            Location::Folder(path) | Location::Archive(path) => Some(path),
        }
    }
}

/// Parse a SPEC: `NAME` or `NAME:DIR`.
///
/// # Errors
/// An unknown name, or a folder that is missing or not allowed; the message lists the known SPECs.
pub fn parse_spec(spec: &str) -> Result<(DataSource, Option<PathBuf>), DataError> {
    let error = |problem: &str| DataError::Spec {
        spec: spec.to_owned(),
        problem: problem.to_owned(),
    };
    let (word, dir) = spec
        .split_once(':')
        .map_or((spec, None), |(word, dir)| (word, Some(dir)));
    let source = DataSource::from_name(word).ok_or_else(|| error("no such data set"))?;
    match (source, dir) {
        (_, Some("")) => Err(error("the folder after the colon is missing")),
        (DataSource::FashionMnistMini, Some(_)) => Err(error(
            "this data set is embedded and does not take a folder",
        )),
        (DataSource::Folder, None) => Err(error("this data set needs its folder")),
        (_, dir) => Ok((source, dir.map(PathBuf::from))),
    }
}

/// The SPEC of a data set, including the place where it was found.
pub(super) fn spec_of(source: DataSource, location: &Location) -> String {
    location.path().map_or(source.name().to_owned(), |path| {
        format!("{}:{}", source.name(), path.display())
    })
}

/// What to do if a data set is missing or broken.
pub fn remedy(source: DataSource) -> &'static str {
    match source {
        DataSource::FashionMnistMini => "this program is damaged, install it again",
        DataSource::FashionMnist => {
            "install Debian's package dataset-fashion-mnist, or put the four .gz files of Fashion-MNIST into a folder and \
             name it: fashion-mnist:DIR"
        }
        DataSource::Cifar10 => {
            "get CIFAR-10 with `nas-tui data fetch cifar10` (binary version), or name its folder: cifar10:DIR"
        }
        DataSource::Cifar10_1 => {
            "get CIFAR-10.1 with `nas-tui data fetch cifar10.1`, or name the folder of its .npy files: cifar10.1:DIR"
        }
        DataSource::Folder => {
            "put the images at DIR/train/CLASS/NAME.png (or .jpg, .webp, .bmp) and name DIR: folder:DIR"
        }
    }
}

/// Find a data set: in `dir` if given, otherwise in its usual places.
///
/// # Errors
/// [`DataError::Missing`] lists where it was searched for and how to get it.
pub fn locate(source: DataSource, dir: Option<&Path>) -> Result<Location, DataError> {
    let looked = dir.map_or_else(|| usual_places(source), |dir| vec![home_expanded(dir)]);
    let found = match source {
        DataSource::FashionMnistMini => Some(Location::Embedded),
        DataSource::FashionMnist => looked
            .iter()
            .find(|dir| has_fashion_mnist(dir))
            .cloned()
            .map(Location::Folder),
        DataSource::Cifar10 => looked.iter().find_map(|dir| cifar10_at(dir)),
        DataSource::Cifar10_1 => looked
            .iter()
            .find_map(|dir| super::cifar10_1::folder_at(dir))
            .map(Location::Folder),
        DataSource::Folder => looked
            .iter()
            .find(|dir| dir.join("train").is_dir())
            .cloned()
            .map(Location::Folder),
    };
    found.ok_or_else(|| missing(source, looked))
}

fn missing(source: DataSource, looked: Vec<PathBuf>) -> DataError {
    let what = match source {
        DataSource::Folder => "folder: a folder `train` with one folder per class was".to_owned(),
        _ => format!("data set {}", source.name()),
    };
    let python_version = source == DataSource::Cifar10
        && looked.iter().any(|dir| {
            dir.join("data_batch_1").is_file() || dir.join("cifar-10-batches-py").is_dir()
        });
    let remedy = match python_version {
        true => format!(
            "what is there is CIFAR-10's Python version, not the binary one; {}",
            remedy(source)
        ),
        false => remedy(source).to_owned(),
    };
    DataError::Missing {
        what,
        looked,
        remedy,
    }
}

/// The folders searched, in order, if the user names none.
pub fn usual_places(source: DataSource) -> Vec<PathBuf> {
    let own = data_home().map(|home| home.join(source.name()));
    match source {
        DataSource::FashionMnist => own
            .into_iter()
            .chain([PathBuf::from(DEBIAN_FASHION_MNIST)])
            .collect(),
        DataSource::Cifar10 | DataSource::Cifar10_1 => own.into_iter().collect(),
        DataSource::FashionMnistMini | DataSource::Folder => Vec::new(),
    }
}

fn has_fashion_mnist(dir: &Path) -> bool {
    super::fashion_mnist::FILES
        .iter()
        .any(|name| super::fashion_mnist::existing(dir, name).is_some())
}

/// CIFAR-10 as a folder of batches, in or below `path`, or as the archive.
fn cifar10_at(path: &Path) -> Option<Location> {
    let is_batches = |dir: &Path| {
        super::cifar10::FILES
            .iter()
            .any(|name| dir.join(name).is_file())
    };
    let inner = path.join(CIFAR10_FOLDER);
    let archive = path.join(CIFAR10_ARCHIVE);
    if is_no_folder(path) {
        Some(Location::Archive(path.to_owned()))
    } else if is_batches(path) {
        Some(Location::Folder(path.to_owned()))
    } else if is_batches(&inner) {
        Some(Location::Folder(inner))
    } else {
        is_no_folder(&archive).then_some(Location::Archive(archive))
    }
}

/// Whether there is a file at `path`, or something in its place that is refused when it is read.
pub(super) fn is_no_folder(path: &Path) -> bool {
    path.exists() && !path.is_dir()
}

/// `$XDG_DATA_HOME/nas-tui`, by default `~/.local/share/nas-tui`; `None` without a home folder.
pub fn data_home() -> Option<PathBuf> {
    xdg("XDG_DATA_HOME", ".local/share")
}

/// `$XDG_CACHE_HOME/nas-tui`, by default `~/.cache/nas-tui`; `None` without a home folder.
pub fn cache_home() -> Option<PathBuf> {
    xdg("XDG_CACHE_HOME", ".cache")
}

fn xdg(variable: &str, default: &str) -> Option<PathBuf> {
    // According to the XDG specification, relative paths in these variables are invalid and
    // ignored.
    let set = std::env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    set.or_else(|| home().map(|home| home.join(default)))
        .map(|folder| folder.join("nas-tui"))
}

fn home() -> Option<PathBuf> {
    std::env::var_os("HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

/// Replace a leading `~/` by the home folder: shells do not expand it after `cifar10:`.
fn home_expanded(dir: &Path) -> PathBuf {
    match (dir.strip_prefix("~"), home()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => dir.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_is_a_name_and_a_folder() {
        assert_eq!(parse_spec("cifar10").unwrap(), (DataSource::Cifar10, None));
        assert_eq!(
            parse_spec("cifar10:a b/c").unwrap(),
            (DataSource::Cifar10, Some("a b/c".into()))
        );
        assert_eq!(
            parse_spec("folder:C:/x").unwrap(),
            (DataSource::Folder, Some("C:/x".into()))
        );
        assert_eq!(
            parse_spec("cifar10.1:x").unwrap(),
            (DataSource::Cifar10_1, Some("x".into()))
        );
        assert_eq!(
            parse_spec("fashion-mnist-mini").unwrap(),
            (DataSource::FashionMnistMini, None)
        );
    }

    #[test]
    fn the_error_for_a_bad_spec_lists_the_known_ones() {
        for (spec, problem) in [
            ("imagenet", "no such data set"),
            ("", "no such data set"),
            ("cifar10:", "the folder after the colon is missing"),
            ("folder", "this data set needs its folder"),
            ("fashion-mnist-mini:/x", "does not take a folder"),
        ] {
            let message = parse_spec(spec).unwrap_err().to_string();
            assert!(
                message.contains(problem) && message.contains("cifar10[:DIR]"),
                "{spec}: {message}"
            );
        }
    }

    #[test]
    fn every_source_is_parsed_from_its_own_name() {
        for source in SOURCES {
            let spec = if source == DataSource::Folder {
                "folder:x"
            } else {
                source.name()
            };
            assert_eq!(parse_spec(spec).unwrap().0, source);
        }
    }

    #[test]
    fn a_missing_data_set_says_where_it_was_searched_for_and_how_to_get_it() {
        let message = locate(DataSource::Cifar10, Some(Path::new("/nowhere")))
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("in /nowhere") && message.contains("nas-tui data fetch cifar10"),
            "{message}"
        );
    }

    #[test]
    fn the_python_version_of_cifar10_is_recognised() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("data_batch_1"), [0]).unwrap();
        let message = locate(DataSource::Cifar10, Some(dir.path()))
            .unwrap_err()
            .to_string();
        assert!(message.contains("Python version"), "{message}");
    }
}
