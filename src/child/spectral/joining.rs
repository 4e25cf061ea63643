//! Parts of arrays: cut, joined over channels, and as the factors and products of complex numbers (see
//! [`matrices`](super::matrices)).

use super::dense::Scalar;

/// Parts of these sizes.
pub(super) fn split<T, const N: usize>(mut memory: &mut [T], sizes: [usize; N]) -> [&mut [T]; N] {
    sizes.map(|size| {
        let (first, rest) = std::mem::take(&mut memory).split_at_mut(size);
        memory = rest;
        first
    })
}

/// Part number `number` of parts of one size.
pub(super) fn nth<T>(values: &[T], number: usize, size: usize) -> &[T] {
    &values[number * size..][..size]
}

pub(super) fn nth_mut<T>(values: &mut [T], number: usize, size: usize) -> &mut [T] {
    &mut values[number * size..][..size]
}

/// Channels of all parts together.
pub(super) fn total<P>(parts: &[(P, usize)]) -> usize {
    parts.iter().map(|part| part.1).sum()
}

/// Each part with the place where it begins when they are joined; its size comes second.
pub(super) fn starts<P>(parts: &[(P, usize)]) -> impl Iterator<Item = (usize, &(P, usize))> {
    parts.iter().scan(0, |next, part| {
        let start = *next;
        *next += part.1;
        Some((start, part))
    })
}

/// Put complex numbers (`[2, rows, columns]`) as factors into columns `start..` of `[3, rows, all]`.
pub(super) fn join<T: Scalar>(
    values: &[T],
    joined: &mut [T],
    [rows, columns]: [usize; 2],
    [start, all]: [usize; 2],
    is_conjugate: bool,
) {
    let (real, imaginary) = values.split_at(rows * columns);
    let (first, others) = joined.split_at_mut(rows * all);
    let (second, third) = others.split_at_mut(rows * all);
    let sources = real
        .chunks_exact(columns)
        .zip(imaginary.chunks_exact(columns));
    let targets = first
        .chunks_exact_mut(all)
        .zip(second.chunks_exact_mut(all));
    for (((real, imaginary), (first, second)), third) in
        sources.zip(targets).zip(third.chunks_exact_mut(all))
    {
        let (first, second) = (
            &mut first[start..][..columns],
            &mut second[start..][..columns],
        );
        let third = &mut third[start..][..columns];
        first.copy_from_slice(real);
        if is_conjugate {
            for (((second, third), &a), &b) in second.iter_mut().zip(third).zip(real).zip(imaginary)
            {
                *second = -b;
                *third = a - b;
            }
        } else {
            for (((second, third), &a), &b) in second.iter_mut().zip(third).zip(real).zip(imaginary)
            {
                *second = b;
                *third = a + b;
            }
        }
    }
}

/// Put a matrix into columns `start..` of another with `all` columns.
pub(super) fn copy<T: Scalar>(
    values: &[T],
    target: &mut [T],
    [rows, columns]: [usize; 2],
    [start, all]: [usize; 2],
) {
    let rows = values[..rows * columns].chunks_exact(columns);
    for (values, target) in rows.zip(target.chunks_exact_mut(all)) {
        target[start..][..columns].copy_from_slice(values);
    }
}

/// Complex numbers (`[2, rows, columns]`) from columns `start..` of their three products (`[3, rows,
/// all]`).
pub(super) fn complex<T: Scalar>(
    products: &[T],
    target: &mut [T],
    [rows, columns]: [usize; 2],
    [start, all]: [usize; 2],
) {
    let (real, imaginary) = target.split_at_mut(rows * columns);
    let targets = real
        .chunks_exact_mut(columns)
        .zip(imaginary.chunks_exact_mut(columns));
    for (number, (real, imaginary)) in targets.enumerate() {
        let [p, q, r] =
            [0, 1, 2].map(|place| &products[(place * rows + number) * all + start..][..columns]);
        let products = p.iter().zip(q).zip(r);
        for ((real, imaginary), ((&p, &q), &r)) in real.iter_mut().zip(imaginary).zip(products) {
            *real = p - q;
            *imaginary = r - p - q;
        }
    }
}
