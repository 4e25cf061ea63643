//! Cutout: a square of each training image is covered by the mean of the data (DeVries & Taylor,
//! arXiv 1708.04552).

use rand::Rng;
use tch::{Device, Kind, TchError, Tensor};

use super::augment::{Draw, RandomStream};

/// The squares that are cut out of an epoch's images, in the order of the epoch.
#[derive(Debug)]
pub(super) struct Squares {
    /// `[N, 2]`, int64, on the device of the batches: the first row and column of each square. A
    /// square that begins above or to the left of the image is partly outside.
    corners: Tensor,
    /// Height and width of a square.
    side: i64,
}

impl Squares {
    /// Squares for `count` images of `[_, height, width]`. Each has its middle at a pixel that is drawn
    /// at random, so that near the border only a part of it lies inside the image.
    pub(super) fn draw(
        side: usize,
        input: [usize; 3],
        draw: Draw,
        count: usize,
        device: Device,
    ) -> Result<Squares, TchError> {
        Ok(Squares {
            corners: Tensor::f_from_slice(&corners(side, input, draw, count))?
                .f_view([-1, 2])?
                .f_to_device(device)?,
            side: side as i64,
        })
    }

    /// Cut the squares number `start` and following out of `images`, f32 `[B, C, H, W]`, whose mean is
    /// zero. They keep their order in memory.
    pub(super) fn cut_out_of(&self, mut images: Tensor, start: usize) -> Result<Tensor, TchError> {
        let (count, _, height, width) = images.size4()?;
        let corners = self.corners.f_narrow(0, start as i64, count)?;
        // `[B, length]`: whether a row or column is one of the square's.
        let covered = |axis, length| {
            let places = Tensor::f_arange(length, (Kind::Int64, images.device()))?;
            let from_first = places.f_sub(&corners.f_narrow(1, axis, 1)?)?;
            let is_after = from_first.f_ge(0)?;
            is_after.f_logical_and(&from_first.f_lt(self.side)?)
        };
        let rows = covered(0, height)?.f_view([count, 1, height, 1])?;
        let columns = covered(1, width)?.f_view([count, 1, 1, width])?;
        images.f_masked_fill_(&rows.f_logical_and(&columns)?, 0.0)
    }
}

/// First row and column of each square, one after another.
fn corners(side: usize, [_, height, width]: [usize; 3], draw: Draw, count: usize) -> Vec<i64> {
    let mut rng = draw.rng(RandomStream::Cutout);
    let before = (side / 2) as i64;
    let mut first = |length: usize| rng.random_range(0..length as i64) - before;
    (0..count)
        .flat_map(|_| [first(height), first(width)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INPUT: [usize; 3] = [3, 8, 6];

    fn of_epoch(epoch: u64) -> Draw {
        Draw {
            seed: 5,
            epoch,
            batch: 0,
        }
    }

    #[test]
    fn exactly_the_part_of_each_square_inside_its_image_is_covered_in_every_channel() {
        let images = Tensor::ones([40, 3, 8, 6], (Kind::Float, Device::Cpu));
        let places = corners(4, INPUT, of_epoch(1), 50);
        let squares = Squares::draw(4, INPUT, of_epoch(1), 50, Device::Cpu).unwrap();
        let cut = squares.cut_out_of(images, 10).unwrap();
        for image in 0..40 {
            let [top, left] = [0, 1].map(|axis| places[2 * (image + 10) + axis]);
            for (channel, y, x) in (0..3)
                .flat_map(|channel| (0..8).flat_map(move |y| (0..6).map(move |x| (channel, y, x))))
            {
                let is_covered = (top..top + 4).contains(&y) && (left..left + 4).contains(&x);
                let value = cut.double_value(&[image as i64, channel, y, x]);
                assert_eq!(value, f64::from(!is_covered), "image {image}, {y}, {x}");
            }
        }
    }

    #[test]
    fn every_pixel_can_be_the_middle_and_no_two_epochs_have_the_same_squares() {
        let places = corners(4, INPUT, of_epoch(1), 3_000);
        let axis = |axis: usize| places.iter().skip(axis).step_by(2).copied();
        let range = |axis: &mut dyn Iterator<Item = i64>| {
            let all: Vec<i64> = axis.collect();
            (*all.iter().min().unwrap(), *all.iter().max().unwrap())
        };
        assert_eq!(range(&mut axis(0)), (-2, 5));
        assert_eq!(range(&mut axis(1)), (-2, 3));
        assert_eq!(places, corners(4, INPUT, of_epoch(1), 3_000));
        assert_ne!(places, corners(4, INPUT, of_epoch(2), 3_000));
    }

    #[test]
    fn the_order_in_memory_stays() {
        let images = Tensor::ones([2, 8, 6, 3], (Kind::Float, Device::Cpu)).permute([0, 3, 1, 2]);
        let squares = Squares::draw(2, INPUT, of_epoch(1), 2, Device::Cpu).unwrap();
        let strides = images.stride();
        assert_eq!(squares.cut_out_of(images, 0).unwrap().stride(), strides);
    }
}
