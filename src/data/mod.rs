//! Images and labels: data sets by name, the validation split, and batches for training.
//!
//! Reading and checking need no libtorch; the modules that prepare images and make tensors are
//! behind the feature `torch`. Search and training call [`load`], which never opens a
//! test file; only [`load_test`] does.

pub mod archive;
#[cfg(feature = "torch")]
mod augment;
#[cfg(feature = "torch")]
pub mod batches;
pub mod check;
mod cifar10;
pub mod cifar10_1;
#[cfg(feature = "torch")]
mod cutmix;
#[cfg(feature = "torch")]
mod cutout;
mod download;
mod error;
mod fashion_mnist;
pub mod fetch;
pub mod fetch_cifar10_1;
mod fetch_folder;
mod folder;
#[cfg(feature = "torch")]
mod host_images;
mod idx;
mod npy;
#[cfg(feature = "torch")]
mod preparation;
#[cfg(feature = "torch")]
mod resident_images;
#[cfg(feature = "torch")]
mod resize;
mod sample;
pub mod source;
mod split;
#[cfg(feature = "torch")]
pub mod whiten;

use std::path::Path;

#[cfg(feature = "torch")]
pub use self::augment::Layout;
#[cfg(feature = "torch")]
pub use self::batches::{DeviceDataset, ShuffledImages};
pub use self::cifar10::ARCHIVE_MD5;
#[cfg(feature = "torch")]
pub use self::cutmix::Mixture;
pub use self::error::{DataError, FetchError, UnpackError};
pub use self::folder::Unread;
#[cfg(feature = "torch")]
pub use self::preparation::Preparation;
pub use self::sample::{load_first, noise};
pub use self::source::parse_spec;
pub use self::split::{SPLIT_SEED, default_validation};

use crate::config::{DataConfig, DataSource};
use crate::event::{DataDescription, ImageSet};

/// Images with their labels.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Images {
    /// `[N, C, H, W]`, uint8.
    pub pixels: Vec<u8>,
    /// `[N]`, indices into [`Dataset::classes`].
    pub labels: Vec<u16>,
}

impl Images {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Bytes of one image: C·H·W; 0 if there are no images.
    pub fn image_bytes(&self) -> usize {
        self.pixels
            .len()
            .checked_div(self.labels.len())
            .unwrap_or(0)
    }

    /// Number of images of each class.
    pub fn counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        self.labels
            .iter()
            .for_each(|&label| counts[usize::from(label)] += 1);
        counts
    }

    /// Keep only the first `count` images.
    pub fn truncate(&mut self, count: usize) {
        self.pixels
            .truncate(count.saturating_mul(self.image_bytes()));
        self.labels.truncate(count);
    }
}

impl std::fmt::Debug for Images {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Images({} of {} bytes)", self.len(), self.image_bytes())
    }
}

/// The data available to a search or training: training and validation images, but no test images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Which data set.
    pub source: DataSource,
    /// SPEC with the folder where the data were found.
    pub spec: String,
    /// `[C, H, W]`.
    pub input: [usize; 3],
    /// Names of the classes, in the order of their numbers.
    pub classes: Vec<String>,
    /// Training images, in the order of their files.
    pub train: Images,
    /// Validation images, which no network is trained on.
    pub validation: Images,
    /// CRC-32 (hex) of the training and validation images and labels.
    pub fingerprint: String,
}

impl Dataset {
    /// The description for the journal.
    pub fn description(&self) -> DataDescription {
        DataDescription {
            spec: self.spec.clone(),
            images: Some(ImageSet {
                input: self.input,
                classes: self.classes.clone(),
                train: self.train.len(),
                validation: self.validation.len(),
            }),
            fingerprint: self.fingerprint.clone(),
        }
    }
}

/// Images for the final evaluation, in the order of their files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestSet {
    /// SPEC with the folder where the data were found.
    pub spec: String,
    /// For data sets with several versions (CIFAR-10.1: v6, v4).
    pub version: Option<&'static str>,
    /// `[C, H, W]`.
    pub input: [usize; 3],
    /// Names of the classes, in the order of their numbers.
    pub classes: Vec<String>,
    /// The images with their labels.
    pub images: Images,
}

/// A part of a data set's official division.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Training,
    Test,
}

/// All images of one part, as read.
struct LabelledImages {
    input: [usize; 3],
    classes: Vec<String>,
    images: Images,
}

/// Read and check the training images and set the validation images aside, using [`SPLIT_SEED`].
///
/// # Errors
/// Missing, truncated, corrupt, empty or mislabelled data, or too few images for the split: see
/// [`DataError`].
pub fn load(config: &DataConfig) -> Result<Dataset, DataError> {
    load_with_seed(config, SPLIT_SEED)
}

/// [`load`] with the given number of validation images; `None` means [`default_validation`].
///
/// # Errors
/// See [`load`].
pub fn load_with_validation(
    config: &DataConfig,
    validation: Option<usize>,
) -> Result<Dataset, DataError> {
    let (spec, all) = read(config, Part::Training)?;
    let validation =
        validation.unwrap_or_else(|| default_validation(config.source, all.images.len()));
    split_off(
        &DataConfig {
            validation,
            ..config.clone()
        },
        spec,
        &all,
        SPLIT_SEED,
    )
}

/// [`load`] with another seed for the split.
///
/// # Errors
/// See [`load`].
pub fn load_with_seed(config: &DataConfig, seed: u64) -> Result<Dataset, DataError> {
    let (spec, all) = read(config, Part::Training)?;
    split_off(config, spec, &all, seed)
}

fn split_off(
    config: &DataConfig,
    spec: String,
    all: &LabelledImages,
    seed: u64,
) -> Result<Dataset, DataError> {
    let split = split::split(
        &all.images.labels,
        all.classes.len(),
        config.validation,
        config.limit,
        seed,
    )?;
    let train = split::select(&all.images, &split.train);
    let validation = split::select(&all.images, &split.validation);
    let fingerprint = fingerprint(all.input, &[&train, &validation]);
    let (source, input, classes) = (config.source, all.input, all.classes.clone());
    Ok(Dataset {
        source,
        spec,
        input,
        classes,
        train,
        validation,
        fingerprint,
    })
}

/// Read and check the test images; if there are several versions, those of the first. Nothing that
/// selects or trains networks may call this.
///
/// # Errors
/// Those of [`load`], and if a `folder:` has no `test` folder.
pub fn load_test(config: &DataConfig) -> Result<TestSet, DataError> {
    if config.source == DataSource::Cifar10_1 {
        let missing = || {
            DataError::Unusable(
                "CIFAR-10.1 disappeared while it was being read; run the command again".to_owned(),
            )
        };
        return load_tests(config)?.into_iter().next().ok_or_else(missing);
    }
    let (spec, all) = read(config, Part::Test)?;
    Ok(TestSet {
        spec,
        version: None,
        input: all.input,
        classes: all.classes,
        images: all.images,
    })
}

/// [`load_test`] for every version of the data found.
///
/// # Errors
/// See [`load_test`].
pub fn load_tests(config: &DataConfig) -> Result<Vec<TestSet>, DataError> {
    if config.source != DataSource::Cifar10_1 {
        return Ok(vec![load_test(config)?]);
    }
    let location = source::locate(config.source, config.dir.as_deref())?;
    cifar10_1::read_all(
        folder_of(&location),
        &source::spec_of(config.source, &location),
    )
}

fn read(config: &DataConfig, part: Part) -> Result<(String, LabelledImages), DataError> {
    let location = source::locate(config.source, config.dir.as_deref())?;
    let labelled = match config.source {
        DataSource::FashionMnistMini => fashion_mnist::read_mini(part)?,
        DataSource::FashionMnist => fashion_mnist::read(folder_of(&location), part)?,
        DataSource::Cifar10 => cifar10::read(&location, part)?,
        DataSource::Cifar10_1 => {
            let problem = "cifar10.1 is only a test set and has no training images; use `nas-tui evaluate --data cifar10.1`";
            return Err(DataError::Unusable(problem.to_owned()));
        }
        DataSource::Folder => folder::read(folder_of(&location), config.size, part)?,
    };
    Ok((source::spec_of(config.source, &location), labelled))
}

/// Files and folders of a `folder:` that [`load`] skips; other data sets have none. Anything
/// unreadable is reported by [`load`].
pub fn unread_files(config: &DataConfig) -> Option<Unread> {
    unread_of(config, Part::Training)
}

/// Files and folders of a `folder:` that [`load_test`] skips.
pub fn unread_test_files(config: &DataConfig) -> Option<Unread> {
    unread_of(config, Part::Test)
}

fn unread_of(config: &DataConfig, part: Part) -> Option<Unread> {
    match config.source {
        DataSource::Folder => {
            let location = source::locate(config.source, config.dir.as_deref()).ok()?;
            folder::unread(folder_of(&location), part).ok().flatten()
        }
        _ => None,
    }
}

/// Shape `[C, H, W]` of the images and number of classes, without reading the images. (Reading
/// verifies both.)
///
/// # Errors
/// Those of [`load`] for a `folder:` that is missing or has too few classes.
pub fn shape(config: &DataConfig) -> Result<([usize; 3], usize), DataError> {
    match config.source {
        DataSource::FashionMnistMini | DataSource::FashionMnist => Ok(([1, 28, 28], 10)),
        DataSource::Cifar10 | DataSource::Cifar10_1 => Ok(([3, 32, 32], 10)),
        DataSource::Folder => {
            let location = source::locate(config.source, config.dir.as_deref())?;
            let [height, width] = config.size;
            Ok((
                [3, height, width],
                folder::class_folders(&folder_of(&location).join("train"))?.len(),
            ))
        }
    }
}

fn folder_of(location: &source::Location) -> &Path {
    location.path().unwrap_or(Path::new(""))
}

fn fingerprint(input: [usize; 3], parts: &[&Images]) -> String {
    let mut hasher = crc32fast::Hasher::new();
    input
        .iter()
        .for_each(|&size| hasher.update(&(size as u64).to_le_bytes()));
    for images in parts {
        hasher.update(&(images.len() as u64).to_le_bytes());
        hasher.update(&images.pixels);
        images
            .labels
            .iter()
            .for_each(|label| hasher.update(&label.to_le_bytes()));
    }
    format!("{:08x}", hasher.finalize())
}
