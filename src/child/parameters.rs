//! The trainable parameters of a network: slices of one vector, so that an optimiser's step is a handful of operations
//! whatever the network's depth.

use tch::{Device, Kind, TchError, Tensor};

use crate::data::Layout;

/// Named trainable tensors that share the storage of one vector.
#[derive(Debug)]
pub struct Parameters {
    /// `[P]`: every value, in the order of `tensors`.
    values: Tensor,
    names: Vec<String>,
    /// Leaves of the autograd graph, views into `values`.
    tensors: Vec<Tensor>,
    layout: Layout,
}

impl Parameters {
    /// Copy `initial` (name and value, any device) into one vector on `device`.
    pub(super) fn new(initial: Vec<(String, Tensor)>, layout: Layout, device: Device) -> Result<Parameters, TchError> {
        let total = initial.iter().map(|(_, tensor)| tensor.numel() as i64).sum::<i64>();
        let values = Tensor::f_zeros([total], (Kind::Float, device))?;
        let (mut names, mut tensors, mut start) = (Vec::new(), Vec::new(), 0);
        for (name, value) in initial {
            let length = value.numel() as i64;
            let mut view = layout.view(&values.f_narrow(0, start, length)?, &value.size())?;
            view.f_copy_(&value)?;
            tensors.push(view.f_detach()?.f_set_requires_grad(true)?);
            names.push(name);
            start += length;
        }
        Ok(Parameters { values, names, tensors, layout })
    }

    /// `[P]`: all values; writing to it (without recording gradients) changes the network.
    pub fn values(&self) -> &Tensor {
        &self.values
    }

    /// Name and tensor of each parameter, in PyTorch's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.names.iter().map(String::as_str).zip(&self.tensors)
    }

    /// Slices of `vector` (`[P]`, in the order of [`Parameters::values`]) under the names and in the shapes of the parameters.
    pub fn named(&self, vector: &Tensor) -> Result<Vec<(&str, Tensor)>, TchError> {
        let mut start = 0;
        let slice = |(name, tensor): (_, &Tensor)| {
            let length = tensor.numel() as i64;
            start += length;
            Ok((name, self.layout.view(&vector.f_narrow(0, start - length, length)?, &tensor.size())?))
        };
        self.iter().map(slice).collect()
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.values.numel() as u64
    }

    /// Gradient of `loss` (a scalar): `[P]`, in the order of [`Parameters::values`]. Frees the graph.
    pub fn gradient(&self, loss: &Tensor) -> Result<Tensor, TchError> {
        let gradients = Tensor::f_run_backward(&[loss], &self.tensors, false, false)?;
        let flat = gradients.iter().zip(&self.tensors).map(|(gradient, tensor)| match gradient.defined() {
            true => self.layout.flatten(gradient),
            // Of a layer that has no influence on the loss.
            false => tensor.f_detach()?.f_zeros_like()?.f_reshape([-1]),
        });
        Tensor::f_cat(&flat.collect::<Result<Vec<_>, _>>()?, 0)
    }

    pub(super) fn tensor(&self, index: usize) -> &Tensor {
        &self.tensors[index]
    }
}
