//! CutMix: a rectangle of each image of a batch is replaced by that of another image, and each of the two labels counts by
//! its part of the pixels (Yun et al. 2019, arXiv 1905.04899).

use std::ops::Range;

use rand::Rng;
use tch::{TchError, Tensor};

use super::augment::{Draw, RandomStream};

/// How the images of a batch are mixed: each with the one that is as far from the end of the batch as it is from
/// the beginning.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    /// The rows and columns of the rectangle that is the other image's.
    rows: Range<i64>,
    columns: Range<i64>,
    /// The part of the pixels that are the image's own, in 0..1.
    own: f64,
}

impl Mixture {
    /// The mixture of batch number `batch` (from 0) of an epoch of images of `[_, height, width]`; `None` for a batch
    /// that is not mixed. The part `mixed` of all batches is, and the size of the rectangle is uniform (Beta(1, 1) in
    /// the paper). It depends on nothing else, so that a training that is resumed repeats it.
    pub fn draw(
        mixed: f64,
        seed: u64,
        (epoch, batch): (usize, usize),
        [_, height, width]: [i64; 3],
    ) -> Option<Mixture> {
        let draw = Draw {
            seed,
            epoch: epoch as u64,
            batch: batch as u64,
        };
        let mut rng = draw.rng(RandomStream::CutMix);
        if rng.random::<f64>() >= mixed {
            return None;
        }
        let side = (1.0 - rng.random::<f64>()).sqrt();
        // The middle is any pixel, so that near the border the rectangle is smaller.
        let mut range = |length: i64| {
            let half = (length as f64 * side) as i64 / 2;
            let middle = rng.random_range(0..length);
            (middle - half).max(0)..(middle + half).min(length)
        };
        let (rows, columns) = (range(height), range(width));
        let area = (rows.end - rows.start) * (columns.end - columns.start);
        (area > 0).then(|| Mixture {
            rows,
            columns,
            own: 1.0 - area as f64 / (height * width) as f64,
        })
    }

    /// The part of the pixels that are the image's own, in 0..1.
    pub fn own(&self) -> f64 {
        self.own
    }

    /// The mixed images, of `images` `[B, C, H, W]` and in the same order in memory.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn of_images(&self, images: &Tensor) -> Result<Tensor, TchError> {
        let rectangle = |images: &Tensor| {
            let rows = images.f_narrow(2, self.rows.start, self.rows.end - self.rows.start)?;
            rows.f_narrow(3, self.columns.start, self.columns.end - self.columns.start)
        };
        let mut mixed = images.f_empty_like()?;
        mixed.f_copy_(images)?;
        rectangle(&mixed)?.f_copy_(&rectangle(images)?.f_flip([0])?)?;
        Ok(mixed)
    }

    /// The labels of the images that the rectangles are from, of the `labels` `[B]` of a batch.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn others(labels: &Tensor) -> Result<Tensor, TchError> {
        labels.f_flip([0])
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    const INPUT: [i64; 3] = [3, 8, 6];

    fn of_batch(batch: usize) -> Option<Mixture> {
        Mixture::draw(0.5, 7, (3, batch), INPUT)
    }

    #[test]
    fn each_image_has_the_rectangle_of_the_one_at_the_other_end_and_otherwise_its_own_pixels() {
        let images = Tensor::arange(5, (Kind::Float, Device::Cpu)).view([5, 1, 1, 1]);
        let images = images.expand([5, 3, 8, 6], false).contiguous();
        for mixture in (0..40).filter_map(of_batch) {
            let mixed = mixture.of_images(&images).unwrap();
            let mut own = 0;
            for (image, y, x) in (0..5)
                .flat_map(|image| (0..8).flat_map(move |y| (0..6).map(move |x| (image, y, x))))
            {
                let is_other = mixture.rows.contains(&y) && mixture.columns.contains(&x);
                own += usize::from(!is_other && image == 0);
                let expected = if is_other { 4 - image } else { image } as f64;
                for channel in 0..3 {
                    assert_eq!(mixed.double_value(&[image, channel, y, x]), expected);
                }
            }
            assert!(
                (mixture.own() - own as f64 / 48.0).abs() < 1e-12,
                "{mixture:?}"
            );
        }
        let labels = Tensor::from_slice(&[4_i64, 5, 6]);
        let others: Vec<i64> = Mixture::others(&labels).unwrap().try_into().unwrap();
        assert_eq!(others, [6, 5, 4]);
    }

    #[test]
    fn as_many_batches_are_mixed_as_the_recipe_says_with_rectangles_of_all_sizes() {
        let drawn = (0..4_000).filter_map(|batch| Mixture::draw(0.5, 7, (3, batch), [3, 32, 32]));
        let mixtures: Vec<Mixture> = drawn.collect();
        let count = mixtures.len();
        assert!((1_850..2_130).contains(&count), "{count}");
        let below = |part: f64| {
            let larger = mixtures.iter().filter(|mixture| mixture.own < part);
            larger.count() as f64 / count as f64
        };
        assert!(below(0.25) > 0.0);
        // Less than a quarter, a half and three quarters, because near the border rectangles are cut.
        for (part, expected) in [(0.25, 0.0126), (0.5, 0.146), (0.75, 0.559)] {
            assert!(
                (below(part) - expected).abs() < 0.04,
                "{part}: {}",
                below(part)
            );
        }
        assert!(
            mixtures
                .iter()
                .all(|mixture| (0.0..1.0).contains(&mixture.own))
        );
    }

    #[test]
    fn none_are_mixed_or_all_and_another_epoch_is_mixed_in_another_way() {
        let all = |mixed, epoch| -> Vec<Option<Mixture>> {
            let batches = 0..100;
            batches
                .map(|batch| Mixture::draw(mixed, 7, (epoch, batch), [3, 32, 32]))
                .collect()
        };
        assert!(all(0.0, 1).iter().all(Option::is_none));
        assert!(all(1.0, 1).iter().flatten().count() > 95);
        assert_eq!(all(1.0, 1), all(1.0, 1));
        assert_ne!(all(1.0, 1), all(1.0, 2));
    }

    #[test]
    fn the_order_in_memory_stays() {
        let images = Tensor::ones([2, 8, 6, 3], (Kind::Float, Device::Cpu)).permute([0, 3, 1, 2]);
        let mixture = (0..9).find_map(of_batch).unwrap();
        assert_eq!(
            mixture.of_images(&images).unwrap().stride(),
            images.stride()
        );
    }
}
