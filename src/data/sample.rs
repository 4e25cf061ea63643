//! Images for benchmarks: the first of the files, as a comparison script reads them, or noise.

use rand::{Rng, SeedableRng};

use super::{DataError, Dataset, Images, Part, fingerprint, read};
use crate::config::{DataConfig, DataSource};

/// Number of training images in CIFAR-10's first four files; its fifth is for validation.
const CIFAR10_TRAIN: usize = 40_000;

/// The first `train` training images and `validation` others, in the order of the files. CIFAR-10's
/// validation images are the first of its fifth file; those of other data follow the training
/// images.
///
/// # Errors
/// Those of [`super::load`], and if there are not enough images.
pub fn load_first(
    config: &DataConfig,
    train: usize,
    validation: usize,
) -> Result<Dataset, DataError> {
    let (spec, all) = read(config, Part::Training)?;
    let total = all.images.len();
    let (most, start) = match config.source {
        DataSource::Cifar10 => (CIFAR10_TRAIN.min(total), CIFAR10_TRAIN.min(total)),
        _ => (total.saturating_sub(validation), train),
    };
    if train == 0 || train > most || start + validation > total {
        return Err(DataError::Unusable(format!(
            "{spec}: {train} training and {validation} validation images were asked for; with {validation} for validation there are \
             {most} for training"
        )));
    }
    let part = |from: usize, count: usize| {
        let bytes = all.images.image_bytes();
        Images {
            pixels: all.images.pixels[from * bytes..(from + count) * bytes].to_vec(),
            labels: all.images.labels[from..from + count].to_vec(),
        }
    };
    let (train, validation) = (part(0, train), part(start, validation));
    let fingerprint = fingerprint(all.input, &[&train, &validation]);
    Ok(Dataset {
        source: config.source,
        spec,
        input: all.input,
        classes: all.classes,
        train,
        validation,
        fingerprint,
    })
}

/// Seeded noise with random labels: suitable for measuring time, never accuracy.
pub fn noise(input: [usize; 3], classes: usize, train: usize, validation: usize) -> Dataset {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
    let mut part = |count: usize| {
        let mut pixels = vec![0u8; count * input.iter().product::<usize>()];
        rng.fill(&mut pixels[..]);
        let labels = (0..count)
            .map(|_| rng.random_range(0..classes.max(1)) as u16)
            .collect();
        Images { pixels, labels }
    };
    let (train, validation) = (part(train), part(validation));
    Dataset {
        source: DataSource::Folder,
        spec: "noise".to_owned(),
        input,
        classes: (0..classes).map(|class| class.to_string()).collect(),
        fingerprint: fingerprint(input, &[&train, &validation]),
        train,
        validation,
    }
}
