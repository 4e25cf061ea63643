//! ZCA whitening: decorrelates the pixels of an image with the symmetric matrix `U (Λ + ε)^(-1/2)
//! Uᵀ`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tch::{Device, Kind, Tensor};

use super::error::DataError;
use super::{Images, source};

/// Added to every eigenvalue of the covariance of pixels in 0..=1. Directions with less variance
/// than this are noise (rounding to 8 bits alone has 1.3e-6, JPEG far more) and are damped rather
/// than amplified. The paper gives no value.
pub const EPSILON: f64 = 1e-3;

/// Images with fewer values than this are fitted in well under a second and not cached.
const CACHED_FROM: usize = 1_024;
/// Number of images converted to f32 at a time while fitting, which limits memory use.
const CHUNK: usize = 2_048;

/// A fitted whitening: `whitened = (pixels - mean) · matrix`.
#[derive(Debug)]
pub struct Whitening {
    /// `[D]`, f32, D = C·H·W.
    mean: Tensor,
    /// `[D, D]`, f32, symmetric.
    matrix: Tensor,
}

impl Whitening {
    /// Fit to the training images only.
    ///
    /// # Errors
    /// Errors of libtorch, for example if memory is insufficient.
    pub fn fit(train: &Images) -> Result<Self, DataError> {
        let size = train.image_bytes() as i64;
        let mean = Tensor::f_from_slice(&mean_image(train))?;
        let mut covariance = Tensor::f_zeros([size, size], (Kind::Float, Device::Cpu))?;
        for chunk in train.pixels.chunks(CHUNK * train.image_bytes().max(1)) {
            let centred = Tensor::f_from_slice(chunk)?
                .f_view([-1, size])?
                .f_to_kind(Kind::Float)?
                .f_div_scalar(255.0)?
                .f_sub(&mean)?;
            covariance = covariance.f_addmm_(&centred.f_tr()?, &centred)?;
        }
        let covariance = covariance.f_div_scalar(train.len() as f64)?;
        let (values, vectors) = covariance.f_linalg_eigh("L")?;
        // Rounding can make an eigenvalue of a singular covariance slightly negative.
        let scale = values.f_clamp_min(0.0)?.f_add_scalar(EPSILON)?.f_rsqrt()?;
        let matrix = vectors.f_mul(&scale)?.f_mm(&vectors.f_tr()?)?;
        Ok(Whitening { mean, matrix })
    }

    /// [`Whitening::fit`], stored in the user's cache under the data's fingerprint if fitting takes
    /// long.
    ///
    /// # Errors
    /// See [`Whitening::fit`]. A cache that cannot be read or written is never an error: the fit is
    /// computed again.
    pub fn fit_cached(train: &Images, fingerprint: &str) -> Result<Self, DataError> {
        let size = train.image_bytes();
        match source::cache_home().filter(|_| size >= CACHED_FROM) {
            Some(cache) => Self::fit_cached_in(&cache, train, fingerprint),
            None => Self::fit(train),
        }
    }

    fn fit_cached_in(cache: &Path, train: &Images, fingerprint: &str) -> Result<Self, DataError> {
        let size = train.image_bytes();
        let file = cache.join(format!(
            "whitening-{fingerprint}-{size}-{EPSILON:e}.safetensors"
        ));
        // Workers start together: the first one fits, and the others wait for its file instead of
        // fitting too.
        let lock = lock(&file);
        if let Some(whitening) = Self::read(&file, size as i64) {
            return Ok(whitening);
        }
        let whitening = Self::fit(train)?;
        if lock.is_some() {
            whitening.write(&file);
        }
        Ok(whitening)
    }

    /// A cached fit, if the file is valid.
    fn read(file: &Path, size: i64) -> Option<Self> {
        let mut tensors: std::collections::HashMap<String, Tensor> =
            Tensor::read_safetensors(file).ok()?.into_iter().collect();
        let whitening = Whitening {
            mean: tensors.remove("mean")?,
            matrix: tensors.remove("matrix")?,
        };
        let fits = whitening.mean.size() == [size] && whitening.matrix.size() == [size, size];
        (fits && whitening.matrix.kind() == Kind::Float && whitening.mean.kind() == Kind::Float)
            .then_some(whitening)
    }

    /// Best effort: the file appears complete or not at all.
    fn write(&self, file: &Path) {
        let partial = file.with_extension("partial");
        let tensors = [("mean", &self.mean), ("matrix", &self.matrix)];
        if Tensor::write_safetensors(&tensors, &partial).is_ok() {
            let _ = fs::rename(&partial, file);
        }
    }

    /// Whiten pixels in 0..=1, `[N, D]`, f32.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn apply(&self, pixels: &Tensor) -> Result<Tensor, tch::TchError> {
        pixels.f_sub(&self.mean)?.f_mm(&self.matrix)
    }

    pub(super) fn to_device(&self, device: Device) -> Result<Self, tch::TchError> {
        Ok(Whitening {
            mean: self.mean.f_to_device(device)?,
            matrix: self.matrix.f_to_device(device)?,
        })
    }
}

fn mean_image(images: &Images) -> Vec<f32> {
    let mut sums = vec![0u64; images.image_bytes()];
    for image in images.pixels.chunks_exact(sums.len().max(1)) {
        sums.iter_mut()
            .zip(image)
            .for_each(|(sum, &pixel)| *sum += u64::from(pixel));
    }
    sums.iter()
        .map(|&sum| (sum as f64 / (255.0 * images.len() as f64)) as f32)
        .collect()
}

/// Lock the cache entry for this process until the file is dropped; `None` if the cache cannot be
/// written.
fn lock(file: &Path) -> Option<File> {
    fs::create_dir_all(file.parent()?).ok()?;
    let path: PathBuf = file.with_extension("lock");
    let lock = File::create(path).ok()?;
    lock.lock().ok()?;
    Some(lock)
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    /// Correlated pixels with far more variance than [`EPSILON`] in every direction.
    fn correlated(count: usize, size: usize) -> Images {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
        let mut pixels = Vec::new();
        for _ in 0..count {
            let base: u8 = rng.random_range(0..120);
            pixels.extend((0..size).map(|_| base + rng.random_range(0..136)));
        }
        Images {
            pixels,
            labels: vec![0; count],
        }
    }

    fn as_rows(images: &Images) -> Tensor {
        Tensor::from_slice(&images.pixels)
            .view([images.len() as i64, -1])
            .to_kind(Kind::Float)
            / 255.0
    }

    #[test]
    fn whitened_training_images_have_mean_0_and_covariance_1() {
        let images = correlated(6_000, 12);
        let whitened = Whitening::fit(&images)
            .unwrap()
            .apply(&as_rows(&images))
            .unwrap();
        let covariance = whitened.tr().mm(&whitened) / images.len() as f64;
        let error = (covariance - Tensor::eye(12, (Kind::Float, Device::Cpu)))
            .abs()
            .max()
            .double_value(&[]);
        let mean = whitened
            .mean_dim([0i64].as_slice(), false, Kind::Float)
            .abs()
            .max()
            .double_value(&[]);
        // The smallest variance here is 136²/12/255² = 0.024: epsilon reduces it by up to 4 %.
        assert!(
            error < 0.05,
            "covariance differs from the identity by {error}"
        );
        assert!(mean < 1e-3, "mean {mean}");
        let before = as_rows(&images);
        let before = &before - before.mean_dim([0i64].as_slice(), true, Kind::Float);
        let correlation = (before.tr().mm(&before) / images.len() as f64).double_value(&[0, 1]);
        assert!(
            correlation > 0.015,
            "the images were correlated before: {correlation}"
        );
    }

    #[test]
    fn a_direction_without_variance_stays_finite() {
        let images = Images {
            pixels: [10, 10, 200, 200, 90, 90].to_vec(),
            labels: vec![0; 3],
        };
        let whitened = Whitening::fit(&images)
            .unwrap()
            .apply(&as_rows(&images))
            .unwrap();
        assert!(whitened.isfinite().all().int64_value(&[]) == 1);
    }

    #[test]
    fn a_fit_is_cached_and_a_damaged_cache_is_fitted_again() {
        let cache = tempfile::tempdir().unwrap();
        let images = correlated(50, 6);
        let first = Whitening::fit_cached_in(cache.path(), &images, "abc").unwrap();
        let file = fs::read_dir(cache.path())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let file = file
            .into_iter()
            .find(|path| path.extension().is_some_and(|e| e == "safetensors"))
            .unwrap();
        let other = correlated(60, 6);
        let cached = Whitening::fit_cached_in(cache.path(), &other, "abc").unwrap();
        assert_eq!(
            cached.matrix, first.matrix,
            "the same fingerprint takes the file"
        );
        fs::write(&file, b"damaged").unwrap();
        let again = Whitening::fit_cached_in(cache.path(), &images, "abc").unwrap();
        assert!((again.matrix - &first.matrix).abs().max().double_value(&[]) < 1e-4);
        assert!(
            Whitening::read(&file, 6).is_some(),
            "the cache is whole again"
        );
    }

    #[test]
    #[ignore = "a measurement, not a check"]
    fn cost_of_a_fit_to_45_000_images_of_3x32x32() {
        let start = std::time::Instant::now();
        Whitening::fit(&correlated(45_000, 3_072)).unwrap();
        println!(
            "with making the images: {:.1} s",
            start.elapsed().as_secs_f64()
        );
    }
}
