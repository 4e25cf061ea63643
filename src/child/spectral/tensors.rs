//! libtorch's tensors as memory of plain numbers.

use tch::kind::Element;
use tch::{Device, TchError, Tensor};

use super::dense::Scalar;

/// A tensor of this size on the CPU, to be filled.
pub(super) fn empty<T: Element>(size: &[i64]) -> Result<Tensor, TchError> {
    Tensor::f_empty(size, (T::KIND, Device::Cpu))
}

/// Memory for `size` numbers per thread, of which so many `tasks` have use for no more than one
/// each. (Taken from libtorch's allocator, which keeps it for the next time.)
pub(super) fn scratch<T: Element>(tasks: usize, size: usize) -> Result<Tensor, TchError> {
    let threads = i64::from(tch::get_num_threads());
    empty::<T>(&[threads.min(tasks as i64).max(1), size as i64])
}

/// Each thread's part of its scratch memory.
pub(super) fn parts<T: Scalar + Element>(scratch: &mut Tensor) -> Vec<&mut [T]> {
    let size = scratch.size()[1].max(1) as usize;
    values_mut(scratch).chunks_mut(size).collect()
}

/// The numbers of a contiguous tensor on the CPU.
pub(super) fn values<T: Element>(tensor: &Tensor) -> &[T] {
    check::<T>(tensor);
    // SAFETY: the tensor has so many numbers of this kind in sequence, which live as long as it.
    unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast::<T>(), tensor.numel()) }
}

/// The same to be changed. (Whoever calls this has the tensor to itself: libtorch's tensors share
/// their memory.)
pub(super) fn values_mut<T: Element>(tensor: &mut Tensor) -> &mut [T] {
    check::<T>(tensor);
    // SAFETY: as above; `tensor` is borrowed mutably, and its memory has no other user.
    unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast::<T>(), tensor.numel()) }
}

fn check<T: Element>(tensor: &Tensor) {
    assert!(
        tensor.is_contiguous() && tensor.kind() == T::KIND && tensor.device() == Device::Cpu,
        "spectra need contiguous tensors of one kind on the CPU"
    );
}
