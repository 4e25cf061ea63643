//! Products of small row-major matrices and vectors, and their derivatives.
//!
//! Plain Rust, because a call into libtorch takes longer than the arithmetic. Every sum is computed in
//! a fixed order, so the same numbers give the same result.

/// Partial sums of a dot product, which the compiler keeps in vector registers.
const LANES: usize = 8;

/// The sum of the products of two vectors of the same length.
pub fn dot(one: &[f64], other: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (ones, others) = (one.chunks_exact(LANES), other.chunks_exact(LANES));
    let rest = ones.remainder().iter().zip(others.remainder());
    let rest: f64 = rest.map(|(one, other)| one * other).sum();
    for (one, other) in ones.zip(others) {
        for (sum, (one, other)) in sums.iter_mut().zip(one.iter().zip(other)) {
            *sum += one * other;
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// `into += scale * values`
pub fn add_scaled(into: &mut [f64], values: &[f64], scale: f64) {
    for (into, value) in into.iter_mut().zip(values) {
        *into += scale * value;
    }
}

/// `into += matrix vector`, where `matrix` is `[into.len(), vector.len()]`.
pub fn add_product(into: &mut [f64], matrix: &[f64], vector: &[f64]) {
    for (into, row) in into.iter_mut().zip(matrix.chunks_exact(vector.len())) {
        *into += dot(row, vector);
    }
}

/// The derivatives of `matrix vector`: given those with respect to the product, add those with
/// respect to the matrix to `of_matrix`, and those with respect to the vector to `of_vector`.
pub fn add_derivatives(
    of_product: &[f64],
    (matrix, of_matrix): (&[f64], &mut [f64]),
    (vector, of_vector): (&[f64], &mut [f64]),
) {
    let columns = vector.len();
    let rows = matrix.chunks_exact(columns);
    let rows = rows.zip(of_matrix.chunks_exact_mut(columns));
    for (slope, (row, of_row)) in of_product.iter().zip(rows) {
        add_scaled(of_row, vector, *slope);
        add_scaled(of_vector, row, *slope);
    }
}
