//! The trainable parameters of a network: slices of one vector, so that an optimiser's step is a handful of operations
//! whatever the network's depth.

use tch::{Device, Kind, TchError, Tensor};

use super::plan::Place;
use crate::data::Layout;

/// Named trainable tensors that share the storage of one vector.
#[derive(Debug)]
pub struct Parameters {
    /// `[S]`: every stored value, in the order of `entries`.
    values: Tensor,
    entries: Vec<Entry>,
    layout: Layout,
}

#[derive(Debug)]
struct Entry {
    name: String,
    place: Place,
    /// Leaf of the autograd graph, a view into `values`.
    tensor: Tensor,
}

/// A parameter before it is stored: name, place and value.
pub(super) type Initial = (String, Place, Tensor);

impl Parameters {
    /// Store `initial` (values on any device) in one vector on `device`.
    pub(super) fn new(initial: Vec<Initial>, layout: Layout, device: Device) -> Result<Parameters, TchError> {
        let length = |place: &Place| place.stored.iter().product::<i64>();
        let total = initial.iter().map(|(_, place, _)| length(place)).sum::<i64>();
        let values = Tensor::f_zeros([total], (Kind::Float, device))?;
        let (mut entries, mut start) = (Vec::with_capacity(initial.len()), 0);
        for (name, place, value) in initial {
            let view = layout.view(&values.f_narrow(0, start, length(&place))?, &place.stored)?;
            place.write(&view, &value)?;
            start += length(&place);
            entries.push(Entry { name, place, tensor: view.f_detach()?.f_set_requires_grad(true)? });
        }
        Ok(Parameters { values, entries, layout })
    }

    /// `[S]`: all stored values; writing to it (without recording gradients) changes the network.
    pub fn values(&self) -> &Tensor {
        &self.values
    }

    /// Number of parameters; what a [`Plan`](super::Plan) added does not count.
    pub fn count(&self) -> u64 {
        self.entries.iter().map(|entry| entry.place.shape().iter().product::<i64>() as u64).sum()
    }

    /// Name and shape of each parameter, in PyTorch's order.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, Vec<i64>)> {
        self.entries.iter().map(|entry| (entry.name.as_str(), entry.place.shape()))
    }

    /// Slices of `vector` (`[S]`, in the order of [`Parameters::values`]) under the names and in the shapes of the parameters.
    pub fn named(&self, vector: &Tensor) -> Result<Vec<(&str, Tensor)>, TchError> {
        let mut start = 0;
        let slice = |entry: &Entry| {
            let length = entry.tensor.numel() as i64;
            let stored = self.layout.view(&vector.f_narrow(0, start, length)?, &entry.place.stored)?;
            start += length;
            entry.place.read(&stored)
        };
        let slices = self.entries.iter().map(slice).collect::<Result<Vec<_>, _>>()?;
        Ok(self.entries.iter().map(|entry| entry.name.as_str()).zip(slices).collect())
    }

    /// Gradient of `loss` (a scalar): `[S]`, in the order of [`Parameters::values`]. Frees the graph.
    pub fn gradient(&self, loss: &Tensor) -> Result<Tensor, TchError> {
        let leaves: Vec<&Tensor> = self.entries.iter().map(|entry| &entry.tensor).collect();
        let gradients = Tensor::f_run_backward(&[loss], &leaves, false, false)?;
        let flat = gradients.iter().zip(&leaves).map(|(gradient, leaf)| match gradient.defined() {
            true => self.layout.flatten(gradient),
            // Of a layer that has no influence on the loss.
            false => leaf.f_detach()?.f_zeros_like()?.f_reshape([-1]),
        });
        Tensor::f_cat(&flat.collect::<Result<Vec<_>, _>>()?, 0)
    }

    /// The stored tensor of parameter number `index`.
    pub(super) fn tensor(&self, index: usize) -> &Tensor {
        &self.entries[index].tensor
    }

    /// Give the parameter `name` new values, if there is one of that name.
    pub(super) fn assign(&self, name: &str, values: &Tensor) -> Result<bool, TchError> {
        self.assign_in(&self.values, name, values)
    }

    /// Write what belongs to the parameter `name` into `vector` (`[S]`, in the order of [`Parameters::values`]), if there is
    /// one of that name.
    pub fn assign_in(&self, vector: &Tensor, name: &str, values: &Tensor) -> Result<bool, TchError> {
        let mut start = 0;
        for entry in &self.entries {
            let length = entry.tensor.numel() as i64;
            if entry.name == name {
                let stored = self.layout.view(&vector.f_narrow(0, start, length)?, &entry.place.stored)?;
                entry.place.write(&stored, values)?;
                return Ok(true);
            }
            start += length;
        }
        Ok(false)
    }
}
