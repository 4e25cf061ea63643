//! The constant matrices of the transforms: rows of `f64` that become tensors.
//!
//! A complex number `a + ib` that is multiplied by others takes three places: `a`, `b` and `a + b`.
//! Products of equal places then give three numbers p, q and r, and the product is
//! `(p - q) + i (r - p - q)`: three multiplications in place of four (Gauss, Karatsuba).

use std::f64::consts::TAU;

use tch::{Device, Kind, TchError, Tensor};

/// Real numbers that stand for one complex factor or product.
pub(super) const PLACES: usize = 3;

type Rows = Vec<Vec<f64>>;

/// Angle of each of `frequencies` frequencies (outer) at each of `size` positions (inner), counted
/// from `origin`.
fn angles(points: usize, frequencies: usize, size: usize, origin: usize) -> Rows {
    let angle = |frequency: usize, position: usize| {
        // (The remainder keeps the argument small and thus exact.)
        let steps = (frequency * (position + points - origin)) % points;
        TAU * steps as f64 / points as f64
    };
    (0..frequencies)
        .map(|frequency| {
            (0..size)
                .map(|position| angle(frequency, position))
                .collect()
        })
        .collect()
}

/// Frequencies of the transform of a real sequence: the others are conjugates of these.
pub(super) fn half(points: usize) -> usize {
    points / 2 + 1
}

/// Times that frequency number `frequency` of [`half`] counts: twice if its conjugate is omitted.
fn weight(frequency: usize, points: usize) -> f64 {
    if frequency == 0 || 2 * frequency == points {
        1.0
    } else {
        2.0
    }
}

/// Image to half spectrum along height: `[2K, H]`, `e^(-iθ) x` of a real x; rows are (frequency,
/// real or imaginary).
pub(super) fn forward_rows(points: usize, size: usize) -> Rows {
    let rows = |row: &Vec<f64>| {
        [
            row.iter().map(|a| a.cos()).collect(),
            row.iter().map(|a| -a.sin()).collect(),
        ]
    };
    angles(points, half(points), size, 0)
        .iter()
        .flat_map(rows)
        .collect()
}

/// Then along width, as factors: `[3T, 2W]`, `e^(-iθ) (a + ib)`; rows are (frequency, place),
/// columns (real or imaginary, position).
pub(super) fn forward_columns(points: usize, size: usize) -> Rows {
    angles(points, points, size, 0)
        .iter()
        .flat_map(|row| {
            places(
                row.iter()
                    .map(|a| a.cos())
                    .chain(row.iter().map(|a| a.sin())),
                row.iter()
                    .map(|a| -a.sin())
                    .chain(row.iter().map(|a| a.cos())),
            )
        })
        .collect()
}

/// Rows for the real and the imaginary part of a factor, and for their sum.
fn places(
    real: impl Iterator<Item = f64> + Clone,
    imaginary: impl Iterator<Item = f64> + Clone,
) -> [Vec<f64>; PLACES] {
    let sum = real.clone().zip(imaginary.clone()).map(|(a, b)| a + b);
    [
        real.clone().collect(),
        imaginary.clone().collect(),
        sum.collect(),
    ]
}

/// Products back along width: `[2W, 3T]`, `e^(iθ) (a + ib) / T`; rows are (real or imaginary,
/// position), columns (frequency, place).
pub(super) fn inverse_columns(points: usize, size: usize) -> Rows {
    let angles = angles(points, points, size, 0);
    let scale = 1.0 / points as f64;
    let row = |position: usize, real: fn(f64) -> f64, imaginary: fn(f64) -> f64| {
        let terms = angles.iter().map(|row| {
            [
                real(row[position]) * scale,
                imaginary(row[position]) * scale,
            ]
        });
        terms.flat_map(of_products).collect::<Vec<f64>>()
    };
    let real = (0..size).map(|position| row(position, f64::cos, |a| -a.sin()));
    real.chain((0..size).map(|position| row(position, f64::sin, f64::cos)))
        .collect()
}

/// The same where the sequence is real, from half of its frequencies: `[2W, 3·half(T)]`; the
/// imaginary rows are zero.
pub(super) fn inverse_columns_of_real(points: usize, size: usize) -> Rows {
    let angles = angles(points, half(points), size, 0);
    let row = |position: usize| {
        let terms = angles.iter().enumerate().map(|(frequency, row)| {
            let scale = weight(frequency, points) / points as f64;
            [row[position].cos() * scale, -row[position].sin() * scale]
        });
        terms.flat_map(of_products).collect::<Vec<f64>>()
    };
    let zeros = vec![0.0; PLACES * half(points)];
    (0..size)
        .map(row)
        .chain((0..size).map(|_| zeros.clone()))
        .collect()
}

/// Coefficients of the three products, given those of the real and imaginary part they stand for.
fn of_products([real, imaginary]: [f64; 2]) -> [f64; PLACES] {
    [real - imaginary, -real - imaginary, imaginary]
}

/// Half spectrum to image along height: `[H, 2K]`, real part of `e^(iθ) (a + ib) / S`.
pub(super) fn inverse_rows(points: usize, size: usize) -> Rows {
    let angles = angles(points, half(points), size, 0);
    let row = |position: usize| {
        let term = |(frequency, row): (usize, &Vec<f64>)| {
            let (sin, cos) = row[position].sin_cos();
            let scale = weight(frequency, points) / points as f64;
            [cos * scale, -sin * scale]
        };
        angles.iter().enumerate().flat_map(term).collect()
    };
    (0..size).map(row).collect()
}

/// Kernel whose centre is at position 0 to half spectrum along height, conjugated (networks
/// correlate): `[2K, kh]`, rows are (frequency, real or imaginary).
pub(super) fn kernel_rows(points: usize, size: usize) -> Rows {
    angles(points, half(points), size, size / 2)
        .iter()
        .flat_map(|row| {
            [
                row.iter().map(|a| a.cos()).collect(),
                row.iter().map(|a| a.sin()).collect(),
            ]
        })
        .collect()
}

/// Then along width, as factors: `[3T, 2·kw]`, `e^(iθ) (a + ib)`.
pub(super) fn kernel_columns(points: usize, size: usize) -> Rows {
    angles(points, points, size, size / 2)
        .iter()
        .flat_map(|row| {
            places(
                row.iter()
                    .map(|a| a.cos())
                    .chain(row.iter().map(|a| -a.sin())),
                row.iter()
                    .map(|a| a.sin())
                    .chain(row.iter().map(|a| a.cos())),
            )
        })
        .collect()
}

/// The tensor of `rows`.
pub(super) fn tensor(rows: &Rows, (kind, device): (Kind, Device)) -> Result<Tensor, TchError> {
    Tensor::f_from_slice(&rows.concat())?
        .f_view([rows.len() as i64, -1])?
        .f_to_kind(kind)?
        .f_to_device(device)
}
