//! Fashion-MNIST (Xiao, Rasul and Vollgraf, arXiv 1708.07747): all of it from its IDX files, or the
//! embedded part.

use std::path::{Path, PathBuf};

use super::error::DataError;
use super::idx::{IdxBytes, IdxFile};
use super::{Images, LabelledImages, Part, source};
use crate::config::DataSource;
use crate::foundation::input;

const CLASSES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// File names without `.gz`: training images and labels, test images and labels.
pub(super) const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

macro_rules! embedded {
    ($name:literal) => {
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/assets/fashion-mnist-mini/",
            $name,
            ".gz"
        ))
    };
}

/// 6,000 training and 1,000 test images, made by scripts/make_fashion_mnist_mini.py, in the order
/// of [`FILES`].
const EMBEDDED: [&[u8]; 4] = [
    embedded!("train-images-idx3-ubyte"),
    embedded!("train-labels-idx1-ubyte"),
    embedded!("t10k-images-idx3-ubyte"),
    embedded!("t10k-labels-idx1-ubyte"),
];

/// The embedded images of one part.
pub(super) fn read_mini(part: Part) -> Result<LabelledImages, DataError> {
    let [images, labels] = files_of(part);
    let remedy = source::remedy(DataSource::FashionMnistMini);
    let bytes = |index: usize| IdxBytes::of(EMBEDDED[index]);
    let paths = [images, labels].map(|index| PathBuf::from(format!("embedded {}", FILES[index])));
    join(&paths, [bytes(images), bytes(labels)], remedy)
}

/// One part of the full data set in `dir`.
pub(super) fn read(dir: &Path, part: Part) -> Result<LabelledImages, DataError> {
    let remedy = source::remedy(DataSource::FashionMnist);
    let [images, labels] = files_of(part).map(|index| FILES[index]);
    let (images, labels) = (path_of(dir, images)?, path_of(dir, labels)?);
    let content = |path: &Path| match input::read(path, input::DATA) {
        Ok(raw) => Ok(IdxBytes::of(&raw)),
        Err(cause) => Err(DataError::unreadable(path, cause, remedy)),
    };
    let contents = [content(&images)?, content(&labels)?];
    join(&[images, labels], contents, remedy)
}

/// Indices into [`FILES`]: images, labels.
fn files_of(part: Part) -> [usize; 2] {
    match part {
        Part::Training => [0, 1],
        Part::Test => [2, 3],
    }
}

/// The compressed or the plain file, whichever exists.
pub(super) fn existing(dir: &Path, name: &str) -> Option<PathBuf> {
    [dir.join(format!("{name}.gz")), dir.join(name)]
        .into_iter()
        .find(|path| source::is_no_folder(path))
}

fn path_of(dir: &Path, name: &str) -> Result<PathBuf, DataError> {
    existing(dir, name).ok_or_else(|| DataError::Missing {
        what: format!("{name}.gz"),
        looked: vec![dir.to_owned()],
        remedy: source::remedy(DataSource::FashionMnist).to_owned(),
    })
}

fn join(
    paths: &[PathBuf; 2],
    contents: [IdxBytes; 2],
    remedy: &str,
) -> Result<LabelledImages, DataError> {
    let images = IdxFile {
        path: &paths[0],
        remedy,
    }
    .images(&contents[0])?;
    let labels = IdxFile {
        path: &paths[1],
        remedy,
    }
    .labels(&contents[1], CLASSES.len())?;
    let count = images.pixels.len() / (images.height * images.width);
    if labels.len() != count {
        let problem = format!(
            "{} labels for the {count} images of {}",
            labels.len(),
            paths[0].display()
        );
        return Err(DataError::malformed(&paths[1], None, problem, remedy));
    }
    Ok(LabelledImages {
        input: [1, images.height, images.width],
        classes: CLASSES.map(str::to_owned).to_vec(),
        images: Images {
            pixels: images.pixels,
            labels,
        },
    })
}
