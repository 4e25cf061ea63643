//! The constant matrices of the transforms.
//!
//! A complex number `a + ib` that is multiplied by others takes three places: `a`, `b` and `a + b`.
//! Products of equal places then give three numbers p, q and r, and the product is
//! `(p - q) + i (r - p - q)`: three multiplications in place of four (Gauss, Karatsuba).

use std::f64::consts::TAU;

use crate::space::spectra::half;

/// Real numbers that stand for one complex factor or product.
pub(super) const PLACES: usize = 3;

/// Whether frequency number `frequency` is its own conjugate.
pub(super) fn is_single(frequency: usize, points: usize) -> bool {
    frequency == 0 || 2 * frequency == points
}

/// Times that frequency number `frequency` of [`half`] counts: twice if its conjugate is omitted.
pub(super) fn weight(frequency: usize, points: usize) -> f64 {
    if is_single(frequency, points) {
        1.0
    } else {
        2.0
    }
}

/// Cosine and sine of the angle of `frequency` at the whole number `position`.
fn unit(points: usize, frequency: usize, position: isize) -> [f64; 2] {
    // (The remainder keeps the argument small and thus exact.)
    let steps = (frequency as isize * position).rem_euclid(points as isize);
    let (sin, cos) = (TAU * steps as f64 / points as f64).sin_cos();
    [cos, sin]
}

/// A matrix of `rows`×`columns` values, row by row.
fn matrix(rows: usize, columns: usize, value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let row = |row| (0..columns).map(move |column| (row, column));
    let places = (0..rows).flat_map(row);
    places.map(|(row, column)| value(row, column)).collect()
}

/// Cosines and negative sines of frequencies `0..half` (rows) at positions `0..=last`.
pub(super) fn cosines_and_negative_sines(points: usize, last: usize) -> [Vec<f64>; 2] {
    let of = |sign: f64, part: usize| {
        matrix(half(points), last + 1, |frequency, position| {
            sign * unit(points, frequency, position as isize)[part]
        })
    };
    [of(1.0, 0), of(-1.0, 1)]
}

/// Position relative to a kernel's centre.
fn offset(position: usize, size: usize) -> isize {
    position as isize - (size / 2) as isize
}

/// Kernel to half spectrum along height, conjugated (networks correlate): `[2K, kh]`, rows are
/// (frequency, real or imaginary part).
pub(super) fn kernel_rows(points: usize, size: usize) -> Vec<f64> {
    matrix(2 * half(points), size, |row, position| {
        unit(points, row / 2, offset(position, size))[row % 2]
    })
}

/// The gradient of a kernel, given that of its half spectrum along height: `[kh, 2K]`.
pub(super) fn kernel_gradient_rows([rows, columns]: [usize; 2], size: usize) -> Vec<f64> {
    let scale = 1.0 / (rows * columns) as f64;
    matrix(size, 2 * half(rows), |position, row| {
        let part = unit(rows, row / 2, offset(position, size))[row % 2];
        scale * weight(row / 2, rows) * part
    })
}

/// Then along width, as factors: `[3T, 2·kw]`, `e^(iθ) (a + ib)` or its conjugate; rows are
/// (frequency, place), columns (real or imaginary part, position).
pub(super) fn kernel_columns(points: usize, size: usize, is_conjugate: bool) -> Vec<f64> {
    let sign = if is_conjugate { -1.0 } else { 1.0 };
    matrix(PLACES * points, 2 * size, |row, column| {
        let [cos, sin] = unit(points, row / PLACES, offset(column % size, size));
        let (real, imaginary) = if column < size {
            (cos, sign * sin)
        } else {
            (-sin, sign * cos)
        };
        [real, imaginary, real + imaginary][row % PLACES]
    })
}

/// The gradient of a kernel's half spectrum along height, given that of its spectrum: `[2F, 2·kw]`,
/// `e^(-iθ) (a + ib)`; rows are (frequency, real or imaginary part), columns (the same, position).
/// If the kernel's half spectrum is real, half of the frequencies stand for all.
pub(super) fn kernel_gradient_columns(points: usize, size: usize, is_real: bool) -> Vec<f64> {
    let frequencies = if is_real { half(points) } else { points };
    matrix(2 * frequencies, 2 * size, |row, column| {
        let [cos, sin] = unit(points, row / 2, offset(column % size, size));
        let value = match (row % 2, column < size) {
            (0, true) | (1, false) => cos,
            (1, true) => sin,
            _ => -sin,
        };
        match (is_real, column < size) {
            (false, _) => value,
            (true, true) => weight(row / 2, points) * value,
            (true, false) => 0.0,
        }
    })
}
