//! The memory order of a network's 4-dimensional tensors.

use tch::{TchError, Tensor};

use crate::data::Layout;

impl Layout {
    /// `tensor` (`[N, C, H, W]`) in this order; not copied if it already is.
    ///
    /// # Errors
    /// Errors of libtorch, for example if memory runs out.
    pub fn arrange(self, tensor: &Tensor) -> Result<Tensor, TchError> {
        match self {
            Layout::Contiguous => tensor.f_contiguous(),
            Layout::ChannelsLast => tensor
                .f_permute([0, 2, 3, 1])?
                .f_contiguous()?
                .f_permute([0, 3, 1, 2]),
        }
    }

    /// View `values` (a vector) as a tensor of `shape` in this order. Vectors and matrices have
    /// only one order.
    pub(super) fn view(self, values: &Tensor, shape: &[i64]) -> Result<Tensor, TchError> {
        match (self, shape) {
            (Layout::ChannelsLast, &[n, c, h, w]) => {
                values.f_view([n, h, w, c])?.f_permute([0, 3, 1, 2])
            }
            _ => values.f_view(shape),
        }
    }

    /// The inverse of [`Layout::view`]: the values of `tensor` as a vector in this order.
    pub(super) fn flatten(self, tensor: &Tensor) -> Result<Tensor, TchError> {
        match (self, tensor.dim()) {
            (Layout::ChannelsLast, 4) => tensor.f_permute([0, 2, 3, 1])?.f_reshape([-1]),
            _ => tensor.f_reshape([-1]),
        }
    }
}
