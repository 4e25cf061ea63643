//! Dense matrix products on slices, and work shared between threads.

use std::marker::PhantomData;
use std::ops::{Add, Neg, Range, Sub};
use std::sync::atomic::{AtomicUsize, Ordering};

use gemm::{Parallelism, gemm};

/// A number that matrices consist of: `f32` or `f64`.
pub trait Scalar:
    Copy
    + Default
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Neg<Output = Self>
{
    /// One.
    const ONE: Self;
    /// The nearest to `value`.
    fn of(value: f64) -> Self;
}

impl Scalar for f32 {
    const ONE: f32 = 1.0;
    fn of(value: f64) -> f32 {
        value as f32
    }
}

impl Scalar for f64 {
    const ONE: f64 = 1.0;
    fn of(value: f64) -> f64 {
        value
    }
}

/// A matrix in a slice, by rows or (transposed) by columns.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'values, T> {
    values: &'values [T],
    /// Rows and columns.
    size: [usize; 2],
    is_transposed: bool,
}

impl<'values, T> Matrix<'values, T> {
    /// The first `rows * columns` of `values`, row by row.
    pub fn new(values: &'values [T], [rows, columns]: [usize; 2]) -> Self {
        Matrix {
            values: &values[..rows * columns],
            size: [rows, columns],
            is_transposed: false,
        }
    }

    /// Its transpose.
    pub fn transposed(self) -> Self {
        let [rows, columns] = self.size;
        Matrix {
            size: [columns, rows],
            is_transposed: !self.is_transposed,
            ..self
        }
    }

    /// Distances between neighbours in a column and in a row.
    fn strides(&self) -> [isize; 2] {
        let [rows, columns] = self.size.map(|size| size as isize);
        if self.is_transposed {
            [1, rows]
        } else {
            [columns, 1]
        }
    }
}

/// What to do with a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// It replaces the target's values.
    Set,
    /// It is added to them.
    Add,
}

/// Store the product of two matrices in `target`, row by row.
pub fn multiply<T: Scalar>(
    target: &mut [T],
    store: Store,
    left: Matrix<'_, T>,
    right: Matrix<'_, T>,
) {
    let ([rows, depth], [same, columns]) = (left.size, right.size);
    assert_eq!(depth, same, "the factors of a matrix product do not fit");
    let target = &mut target[..rows * columns];
    let ([left_down, left_along], [right_down, right_along]) = (left.strides(), right.strides());
    // SAFETY: a `Matrix` has as many values as its size says, and so has `target`; the strides reach
    // all of them and no others. `target` is borrowed mutably, so it overlaps neither factor.
    unsafe {
        gemm(
            rows,
            columns,
            depth,
            target.as_mut_ptr(),
            1,
            columns as isize,
            store == Store::Add,
            left.values.as_ptr(),
            left_along,
            left_down,
            right.values.as_ptr(),
            right_along,
            right_down,
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// A slice of which several threads write different parts.
#[derive(Debug, Clone, Copy)]
pub struct Shared<'values, T> {
    start: *mut T,
    length: usize,
    values: PhantomData<&'values mut [T]>,
}

// SAFETY: only `part` gives access, and its callers see to it that no part is used by two threads.
unsafe impl<T: Send> Send for Shared<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'values, T> Shared<'values, T> {
    /// All of `values`.
    pub fn new(values: &'values mut [T]) -> Self {
        Shared {
            start: values.as_mut_ptr(),
            length: values.len(),
            values: PhantomData,
        }
    }

    /// The values in `range`.
    ///
    /// # Safety
    /// While the result is in use, nothing else may use any of these values.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn part(&self, range: Range<usize>) -> &mut [T] {
        assert!(range.start <= range.end && range.end <= self.length);
        // SAFETY: the range lies in the slice; its exclusive use is the caller's duty.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}

/// Run `work` for each number below `tasks` on as many threads as there are `scratches`, each with
/// its own.
pub fn in_parallel<T: Send>(
    scratches: &mut [&mut [T]],
    tasks: usize,
    work: impl Fn(&mut [T], usize) + Sync,
) {
    let next = AtomicUsize::new(0);
    let run = |scratch: &mut [T]| {
        loop {
            let task = next.fetch_add(1, Ordering::Relaxed);
            if task >= tasks {
                break;
            }
            work(scratch, task);
        }
    };
    let [first, others @ ..] = scratches else {
        return;
    };
    std::thread::scope(|scope| {
        for scratch in others {
            scope.spawn(|| run(scratch));
        }
        run(first);
    });
}
