//! Images to spectra and back.
//!
//! Positions are counted from the middle of the image. Sums of the values at n and -n then take only
//! cosines and their differences only sines, and frequencies t and -t share the products: a quarter of
//! the multiplications of a plain matrix along the width, half along the height.
//!
//! A few image planes ([`LANES`]) are transformed at a time, so that nothing between an image and its
//! spectrum leaves the processor's second-level cache.

use std::ops::Range;

use super::dense::{Matrix, Scalar, Shared, Store, in_parallel, multiply};
use super::matrices::{cosines_and_negative_sines, is_single, weight};
use crate::space::spectra::half;

/// Image planes that are transformed at a time.
pub(super) const LANES: usize = 64;

/// One axis of a transform.
#[derive(Debug)]
struct Axis<T> {
    size: usize,
    points: usize,
    /// The position from which the others are counted: as many before it as after, or one more.
    origin: usize,
    /// Cosines and negative sines, `[half, origin + 1]` each.
    forward: [Vec<T>; 2],
    /// The same with the weight of each frequency in the transform back.
    back: [Vec<T>; 2],
}

impl<T: Scalar> Axis<T> {
    fn new(size: usize, points: usize, weight: impl Fn(usize) -> f64) -> Axis<T> {
        let origin = size / 2;
        let matrices = cosines_and_negative_sines(points, origin);
        let weighted = |matrix: &Vec<f64>| {
            let value = |(at, value): (usize, &f64)| T::of(value * weight(at / (origin + 1)));
            matrix.iter().enumerate().map(value).collect()
        };
        Axis {
            size,
            points,
            origin,
            back: [weighted(&matrices[0]), weighted(&matrices[1])],
            forward: matrices.map(|matrix| matrix.into_iter().map(T::of).collect()),
        }
    }

    fn half(&self) -> usize {
        half(self.points)
    }

    /// Positions of even and odd parts.
    fn kept(&self) -> usize {
        self.origin + 1
    }

    /// The position `n` after the origin, if the image reaches so far (and it is not the origin).
    fn after(&self, n: usize) -> Option<usize> {
        (n > 0 && self.origin + n < self.size).then_some(self.origin + n)
    }

    /// Even and odd parts `[kept, columns]` to their products with cosines and with negative sines,
    /// `[half, columns]`.
    fn forward(&self, folded: &[T], sums: &mut [T], columns: usize) {
        let parts = sums.chunks_mut(self.half() * columns);
        let values = folded.chunks(self.kept() * columns);
        for ((sums, values), matrix) in parts.zip(values).zip(&self.forward) {
            let matrix = Matrix::new(matrix, [self.half(), self.kept()]);
            let values = Matrix::new(values, [self.kept(), columns]);
            multiply(sums, Store::Set, matrix, values);
        }
    }

    /// The transpose of [`forward`](Axis::forward), with the weights.
    fn back(&self, sums: &[T], folded: &mut [T], columns: usize) {
        let parts = folded.chunks_mut(self.kept() * columns);
        let sums = sums.chunks(self.half() * columns);
        for ((values, sums), matrix) in parts.zip(sums).zip(&self.back) {
            let matrix = Matrix::new(matrix, [self.half(), self.kept()]).transposed();
            let sums = Matrix::new(sums, [self.half(), columns]);
            multiply(values, Store::Set, matrix, sums);
        }
    }
}

/// The planes that a task transforms.
#[derive(Clone, Copy)]
struct Lanes {
    start: usize,
    number: usize,
    /// Of all tasks.
    planes: usize,
}

impl Lanes {
    fn of_task(task: usize, planes: usize) -> Lanes {
        let start = task * LANES;
        Lanes {
            start,
            number: LANES.min(planes - start),
            planes,
        }
    }

    /// These lanes of row `at` of a tensor `[rows, planes]`.
    fn of_all(&self, at: usize) -> Range<usize> {
        let start = at * self.planes + self.start;
        start..start + self.number
    }

    /// Row `at` of a tensor `[rows, lanes]`.
    fn row(&self, at: usize) -> Range<usize> {
        at * self.number..(at + 1) * self.number
    }
}

/// The transform of images of one size to half spectra and back.
#[derive(Debug)]
pub(super) struct Transform<T> {
    height: Axis<T>,
    width: Axis<T>,
}

impl<T: Scalar> Transform<T> {
    /// For images of a size `[H, W]`, with so many points along height and width.
    pub fn new([height, width]: [usize; 2], [rows, columns]: [usize; 2]) -> Transform<T> {
        let scale = 1.0 / (rows * columns) as f64;
        Transform {
            height: Axis::new(height, rows, |row| scale * weight(row, rows)),
            width: Axis::new(width, columns, |_| 1.0),
        }
    }

    /// Frequencies along height, K.
    pub fn rows(&self) -> usize {
        self.height.half()
    }

    /// Whether the half spectrum is real at this frequency along height: then half of the
    /// frequencies along width stand for all.
    pub fn is_real(&self, row: usize) -> bool {
        is_single(row, self.height.points)
    }

    /// Frequencies along width that are kept at this frequency along height.
    pub fn columns(&self, row: usize) -> usize {
        if self.is_real(row) {
            self.width.half()
        } else {
            self.width.points
        }
    }

    /// Numbers that each thread needs as scratch memory: for folded values and for sums.
    pub fn scratch(&self) -> [usize; 2] {
        let (height, width) = (&self.height, &self.width);
        let folded = (height.kept() * width.size).max(width.kept() * 2 * height.half());
        let sums = height.half() * width.size.max(2 * width.half());
        [2 * LANES * folded, 2 * LANES * sums]
    }

    /// Spectra `[K, T, 2, planes]` of `images` (`[H, W, planes]`).
    pub fn forward(&self, images: &[T], spectra: &mut [T], scratches: &mut [&mut [T]]) {
        let planes = images.len() / (self.height.size * self.width.size);
        let spectra = Shared::new(spectra);
        in_parallel(scratches, planes.div_ceil(LANES), |scratch, task| {
            let lanes = Lanes::of_task(task, planes);
            let [columns, rows] = [self.width.size, 2 * self.rows()].map(|n| n * lanes.number);
            let (folded, sums) = scratch.split_at_mut(self.scratch()[0]);
            self.fold_images(images, folded, lanes);
            self.height.forward(folded, sums, columns);
            self.fold_rows(sums, folded, lanes);
            self.width.forward(folded, sums, rows);
            self.store_spectra(sums, spectra, lanes);
        });
    }

    /// Images `[H, W, planes]` with the spectra `[K, T, 2, planes]`.
    pub fn back(&self, spectra: &[T], images: &mut [T], scratches: &mut [&mut [T]]) {
        let planes = images.len() / (self.height.size * self.width.size);
        let images = Shared::new(images);
        in_parallel(scratches, planes.div_ceil(LANES), |scratch, task| {
            let lanes = Lanes::of_task(task, planes);
            let [columns, rows] = [self.width.size, 2 * self.rows()].map(|n| n * lanes.number);
            let (folded, sums) = scratch.split_at_mut(self.scratch()[0]);
            self.load_spectra(spectra, sums, lanes);
            self.width.back(sums, folded, rows);
            self.unfold_rows(folded, sums, lanes);
            self.height.back(sums, folded, columns);
            self.store_images(folded, images, lanes);
        });
    }

    /// Even and odd parts along height: `[2, kept, W, lanes]`.
    fn fold_images(&self, images: &[T], folded: &mut [T], lanes: Lanes) {
        let (axis, width) = (&self.height, self.width.size);
        let (even, odd) = folded.split_at_mut(axis.kept() * width * lanes.number);
        for n in 0..axis.kept() {
            for column in 0..width {
                let image = |row: usize| &images[lanes.of_all(row * width + column)];
                let at = lanes.row(n * width + column);
                let (even, odd) = (&mut even[at.clone()], &mut odd[at]);
                fold(image(axis.origin - n), axis.after(n).map(image), even, odd);
            }
        }
    }

    /// Half spectra (`[2, K, W, lanes]`, real and imaginary parts) to even and odd parts along
    /// width: `[2, kept, K, 2, lanes]`, of the odd ones the imaginary part first.
    fn fold_rows(&self, halves: &[T], folded: &mut [T], lanes: Lanes) {
        let (axis, rows) = (&self.width, self.rows());
        let (even, odd) = folded.split_at_mut(axis.kept() * rows * 2 * lanes.number);
        for (n, row, part) in places([axis.kept(), rows, 2]) {
            let half = |column: usize| &halves[lanes.row((part * rows + row) * axis.size + column)];
            let even = &mut even[lanes.row((n * rows + row) * 2 + part)];
            let odd = &mut odd[lanes.row((n * rows + row) * 2 + 1 - part)];
            fold(half(axis.origin - n), axis.after(n).map(half), even, odd);
        }
    }

    /// The opposite of [`fold_rows`](Transform::fold_rows), with the real part first throughout,
    /// which was made of odd imaginary parts and the other way round.
    fn unfold_rows(&self, folded: &[T], halves: &mut [T], lanes: Lanes) {
        let (axis, rows) = (&self.width, self.rows());
        let (even, odd) = folded.split_at(axis.kept() * rows * 2 * lanes.number);
        for (n, row, part) in places([axis.kept(), rows, 2]) {
            let at = lanes.row((n * rows + row) * 2 + part);
            let (even, odd) = (&even[at.clone()], &odd[at]);
            let place = |column: usize| lanes.row((part * rows + row) * axis.size + column);
            let signs = if part == 0 { [-1, 1] } else { [1, -1] };
            combine(signs[0], even, odd, &mut halves[place(axis.origin - n)]);
            if let Some(column) = axis.after(n) {
                combine(signs[1], even, odd, &mut halves[place(column)]);
            }
        }
    }

    /// Spectra from products with cosines and negative sines, `[2, half, K, 2, lanes]`.
    fn store_spectra(&self, sums: &[T], spectra: Shared<'_, T>, lanes: Lanes) {
        let (rows, points, half) = (self.rows(), self.width.points, self.width.half());
        let (cosines, sines) = sums.split_at(half * rows * 2 * lanes.number);
        for (row, frequency, part) in places([rows, half, 2]) {
            let at = lanes.row((frequency * rows + row) * 2 + part);
            let (cosines, sines) = (&cosines[at.clone()], &sines[at]);
            let place = |frequency: usize| {
                let at = lanes.of_all((row * points + frequency) * 2 + part);
                // SAFETY: each task has lanes of its own, of which it uses a segment at a time.
                unsafe { spectra.part(at) }
            };
            let signs = if part == 0 { [-1, 1] } else { [1, -1] };
            combine(signs[0], cosines, sines, place(frequency));
            if !is_single(frequency, points) && !self.is_real(row) {
                combine(signs[1], cosines, sines, place(points - frequency));
            }
        }
    }

    /// Spectra to sums of opposite frequencies and to differences with the imaginary part first:
    /// `[2, half, K, 2, lanes]`.
    fn load_spectra(&self, spectra: &[T], sums: &mut [T], lanes: Lanes) {
        let (rows, points, half) = (self.rows(), self.width.points, self.width.half());
        let (cosines, sines) = sums.split_at_mut(half * rows * 2 * lanes.number);
        for (row, frequency, part) in places([rows, half, 2]) {
            let sum = &mut cosines[lanes.row((frequency * rows + row) * 2 + part)];
            let difference = &mut sines[lanes.row((frequency * rows + row) * 2 + 1 - part)];
            let spectrum =
                |frequency: usize| &spectra[lanes.of_all((row * points + frequency) * 2 + part)];
            let value = spectrum(frequency);
            if is_single(frequency, points) {
                sum.copy_from_slice(value);
                difference.fill(T::default());
            } else if !self.is_real(row) {
                let opposite = spectrum(points - frequency);
                combine(1, value, opposite, sum);
                combine(-1, value, opposite, difference);
            } else if part == 0 {
                // The opposite one is its conjugate.
                combine(1, value, value, sum);
                difference.fill(T::default());
            } else {
                sum.fill(T::default());
                combine(1, value, value, difference);
            }
        }
    }

    /// The opposite of [`fold_images`](Transform::fold_images).
    fn store_images(&self, folded: &[T], images: Shared<'_, T>, lanes: Lanes) {
        let (axis, width) = (&self.height, self.width.size);
        let (even, odd) = folded.split_at(axis.kept() * width * lanes.number);
        for (n, column, _) in places([axis.kept(), width, 1]) {
            let at = lanes.row(n * width + column);
            let (even, odd) = (&even[at.clone()], &odd[at]);
            // SAFETY: each task has lanes of its own, of which it uses a segment at a time.
            let place = |row: usize| unsafe { images.part(lanes.of_all(row * width + column)) };
            combine(-1, even, odd, place(axis.origin - n));
            if let Some(row) = axis.after(n) {
                combine(1, even, odd, place(row));
            }
        }
    }
}

/// All places of an array of this size, the last index fastest.
fn places([first, second, third]: [usize; 3]) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..first).flat_map(move |i| (0..second).flat_map(move |j| (0..third).map(move |k| (i, j, k))))
}

/// Even and odd part of the values at -n and n; without the latter it is zero.
fn fold<T: Scalar>(before: &[T], after: Option<&[T]>, even: &mut [T], odd: &mut [T]) {
    let Some(after) = after else {
        even.copy_from_slice(before);
        for (odd, &before) in odd.iter_mut().zip(before) {
            *odd = -before;
        }
        return;
    };
    let values = before.iter().zip(after);
    for ((even, odd), (&before, &after)) in even.iter_mut().zip(odd).zip(values) {
        *even = after + before;
        *odd = after - before;
    }
}

/// The sum (`sign` 1) or difference (-1) of two slices.
fn combine<T: Scalar>(sign: i32, left: &[T], right: &[T], target: &mut [T]) {
    let values = target.iter_mut().zip(left.iter().zip(right));
    if sign > 0 {
        values.for_each(|(target, (&left, &right))| *target = left + right);
    } else {
        values.for_each(|(target, (&left, &right))| *target = left - right);
    }
}
