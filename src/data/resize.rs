//! Resizing by area: a new pixel is the mean of the part of the image that it covers.
//!
//! Raw pixels are resized, before they are normalised: normalising is linear, and the weights of a
//! mean add up to 1, so the order does not matter except for rounding, and one table still converts
//! pixels of every size. (Whitening mixes all pixels of an image, so it has no such order.)

use super::Images;

/// The source pixels that one new pixel covers along an axis, with the length that it covers of
/// each, in units of which a source pixel has as many as the new axis has pixels.
struct Cover {
    first: usize,
    lengths: Vec<u64>,
}

impl Images {
    /// These images, `[C, H, W]` each, with `size` by `size` pixels, rounded to whole values like
    /// those of an image file.
    pub fn resized(&self, [_, height, width]: [usize; 3], size: usize) -> Images {
        let (rows, columns) = (covers(height, size), covers(width, size));
        let planes = self.pixels.chunks_exact((height * width).max(1));
        let mut pixels = Vec::with_capacity(planes.len() * size * size);
        let mut narrow = vec![0; height * size];
        for plane in planes {
            let lines = plane.chunks_exact(width.max(1));
            for (line, sums) in lines.zip(narrow.chunks_exact_mut(size)) {
                for (sum, cover) in sums.iter_mut().zip(&columns) {
                    let covered = cover.lengths.iter().zip(&line[cover.first..]);
                    *sum = covered
                        .map(|(length, &pixel)| length * u64::from(pixel))
                        .sum();
                }
            }
            let area = (height * width) as u64;
            for cover in &rows {
                pixels.extend((0..size).map(|column| {
                    let below = narrow[cover.first * size + column..].iter().step_by(size);
                    let sum: u64 = cover.lengths.iter().zip(below).map(|(a, b)| a * b).sum();
                    ((sum + area / 2) / area) as u8
                }));
            }
        }
        Images {
            pixels,
            labels: self.labels.clone(),
        }
    }
}

/// For each of `to` new pixels along an axis of `from`.
fn covers(from: usize, to: usize) -> Vec<Cover> {
    let cover = |pixel: usize| {
        let (start, end) = (pixel * from, (pixel + 1) * from);
        let sources = start / to..end.div_ceil(to);
        let length = |source: usize| (end.min((source + 1) * to) - start.max(source * to)) as u64;
        Cover {
            first: sources.start,
            lengths: sources.map(length).collect(),
        }
    };
    (0..to).map(cover).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    /// An image and what NumPy makes of it (`tests/fixtures/resized.py`).
    #[derive(Deserialize)]
    struct Fixture {
        shape: [usize; 3],
        pixels: Vec<u8>,
        resized: Vec<Resized>,
    }

    #[derive(Deserialize)]
    struct Resized {
        size: usize,
        pixels: Vec<f64>,
    }

    fn image(pixels: Vec<u8>) -> Images {
        Images {
            pixels,
            labels: vec![3],
        }
    }

    #[test]
    fn a_pixel_is_the_mean_of_its_area_also_where_it_covers_parts_of_pixels() {
        let text = include_str!("../../tests/fixtures/resized.json");
        let fixture: Fixture = serde_json::from_str(text).unwrap();
        for expected in &fixture.resized {
            let actual = image(fixture.pixels.clone()).resized(fixture.shape, expected.size);
            assert_eq!(actual.pixels.len(), expected.pixels.len());
            for (actual, expected) in actual.pixels.iter().zip(&expected.pixels) {
                let off = (f64::from(*actual) - expected).abs();
                assert!(off <= 0.5 + 1e-5, "{actual} instead of {expected}");
            }
        }
    }

    #[test]
    fn an_image_of_the_same_size_stays_as_it_is() {
        let images = image((0..3 * 5 * 5).map(|value| value * 3).collect());
        assert_eq!(images.resized([3, 5, 5], 5), images);
    }

    proptest! {
        #[test]
        fn the_new_pixels_cover_the_axis_once(from in 1usize..70, to in 1usize..70) {
            let mut covered = vec![0; from];
            for cover in covers(from, to) {
                prop_assert_eq!(cover.lengths.iter().sum::<u64>(), from as u64);
                for (offset, length) in cover.lengths.iter().enumerate() {
                    covered[cover.first + offset] += length;
                }
            }
            prop_assert!(covered.iter().all(|&length| length == to as u64));
        }
    }
}
