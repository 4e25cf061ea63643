//! The trainable parameters of a network: slices of one vector, so that a step of SGD takes
//! only a few operations whatever the network's depth.

use tch::{Device, Kind, TchError, Tensor};

use super::plan::Storage;
use crate::data::Layout;

/// Each parameter starts at a multiple of this many values, an address aligned to 256 bytes like
/// that of a separate tensor. cuDNN's fastest kernels and vectorised loads require an alignment of
/// 16 or more; otherwise slower ones are used.
const ALIGNMENT: i64 = 64;

/// Named trainable tensors that share the storage of one vector.
#[derive(Debug)]
pub struct Parameters {
    /// `[S]`: every stored value, in the order of `entries`. The gaps before aligned positions
    /// always hold zero, as do their gradients.
    values: Tensor,
    /// Zeros, used as the gradients of gaps.
    gap: Tensor,
    entries: Vec<ParameterEntry>,
    layout: Layout,
}

#[derive(Debug)]
struct ParameterEntry {
    name: String,
    storage: Storage,
    /// Offset of its values in the vector.
    start: i64,
    /// Leaf of the autograd graph, a view into `values`.
    tensor: Tensor,
}

/// Where the kernel of a convolution is in a vector of all parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelPlace {
    /// O, without those that a [`Plan`](super::Plan) added.
    pub filters: i64,
    /// Offset of its values in the vector.
    start: i64,
    /// Stored filters, and stored values of all filters.
    stored: [i64; 2],
}

impl KernelPlace {
    /// The kernel as a view into `vector` (`[S]`): a matrix with a row for each filter, which is zero for
    /// those that were added.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn matrix_in(&self, vector: &Tensor) -> Result<Tensor, TchError> {
        let [filters, values] = self.stored;
        vector
            .f_narrow(0, self.start, values)?
            .f_view([filters, values / filters])
    }
}

/// A parameter before it is stored: name, storage and value.
pub(super) type Initial = (String, Storage, Tensor);

impl Parameters {
    /// Store `initial` (values on the CPU) in one vector of this kind on this device, moved
    /// there in one copy.
    pub(super) fn new(
        initial: Vec<Initial>,
        layout: Layout,
        (kind, device): (Kind, Device),
    ) -> Result<Parameters, TchError> {
        let lengths = initial.iter().map(|(_, storage, _)| length(storage));
        let total = lengths
            .map(|length| length.next_multiple_of(ALIGNMENT as u64) as i64)
            .sum::<i64>();
        let values = Tensor::f_zeros([total], (Kind::Float, Device::Cpu))?;
        let (mut placed, mut start) = (Vec::with_capacity(initial.len()), 0);
        for (name, storage, value) in initial {
            storage.write(&stored(&values, start, &storage, layout)?, &value)?;
            let next = start + length(&storage).next_multiple_of(ALIGNMENT as u64) as i64;
            placed.push((name, storage, std::mem::replace(&mut start, next)));
        }
        let values = values.f_to_device(device)?.f_to_kind(kind)?;
        let entry = |(name, storage, start)| {
            let tensor = stored(&values, start, &storage, layout)?
                .f_detach()?
                .f_set_requires_grad(true)?;
            Ok(ParameterEntry {
                name,
                storage,
                start,
                tensor,
            })
        };
        let entries = placed
            .into_iter()
            .map(entry)
            .collect::<Result<Vec<_>, TchError>>()?;
        let gap = Tensor::f_zeros([ALIGNMENT], (kind, device))?;
        Ok(Parameters {
            values,
            gap,
            entries,
            layout,
        })
    }

    /// `[S]`: all stored values; writing to them (without recording gradients) changes the network.
    pub fn values(&self) -> &Tensor {
        &self.values
    }

    /// Number of parameters, not counting those that a [`Plan`](super::Plan) added.
    pub fn count(&self) -> u64 {
        self.entries
            .iter()
            .map(|entry| entry.storage.shape().iter().product::<i64>() as u64)
            .sum()
    }

    /// Name and shape of each parameter, in PyTorch's order.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, Vec<i64>)> {
        self.entries
            .iter()
            .map(|entry| (entry.name.as_str(), entry.storage.shape()))
    }

    /// Slices of `vector` (`[S]`, in the order of [`Parameters::values`]) with the names and shapes
    /// of the parameters.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn named(&self, vector: &Tensor) -> Result<Vec<(&str, Tensor)>, TchError> {
        let slice = |entry: &ParameterEntry| entry.storage.read(&self.stored_in(vector, entry)?);
        self.entries
            .iter()
            .map(|entry| Ok((entry.name.as_str(), slice(entry)?)))
            .collect()
    }

    /// `[S]`, in the order of [`Parameters::values`]: 1 for the weights of convolutions and
    /// classifier, 0 for biases and for scale and shift of batch norm, which are vectors.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn weights_mask(&self) -> Result<Tensor, TchError> {
        let mask = self.values.f_zeros_like()?;
        for entry in &self.entries {
            if entry.storage.shape().len() > 1 {
                let _ = self.stored_in(&mask, entry)?.f_fill_(1.0)?;
            }
        }
        Ok(mask)
    }

    /// Where the kernels of the convolutions are.
    pub fn kernels(&self) -> Vec<KernelPlace> {
        let place = |entry: &ParameterEntry| {
            let shape = entry.storage.shape();
            (shape.len() == 4).then(|| KernelPlace {
                filters: shape[0],
                start: entry.start,
                stored: [entry.storage.stored[0], length(&entry.storage) as i64],
            })
        };
        self.entries.iter().filter_map(place).collect()
    }

    /// Gradient of `loss` (a scalar) according to autograd: `[S]`, in the order of
    /// [`Parameters::values`]. Frees the graph.
    pub(super) fn gradient(&self, loss: &Tensor) -> Result<Tensor, TchError> {
        let leaves: Vec<&Tensor> = self.entries.iter().map(|entry| &entry.tensor).collect();
        let gradients = Tensor::f_run_backward(&[loss], &leaves, false, false)?;
        let gradients = gradients.into_iter();
        // (That of a layer that does not influence the loss is undefined.)
        self.joined(
            &gradients
                .map(|g| g.defined().then_some(g))
                .collect::<Vec<_>>(),
        )
    }

    /// One vector `[S]` of the gradients of all parameters, where `None` stands for zeros.
    pub(super) fn joined(&self, gradients: &[Option<Tensor>]) -> Result<Tensor, TchError> {
        let mut flat = Vec::with_capacity(2 * gradients.len());
        for (gradient, entry) in gradients.iter().zip(&self.entries) {
            let leaf = &entry.tensor;
            flat.push(match gradient {
                Some(gradient) => self.layout.flatten(gradient)?,
                None => leaf.f_detach()?.f_zeros_like()?.f_reshape([-1])?,
            });
            let past = leaf.numel() as i64 % ALIGNMENT;
            if past > 0 {
                flat.push(self.gap.f_narrow(0, 0, ALIGNMENT - past)?);
            }
        }
        Tensor::f_cat(&flat, 0)
    }

    /// The stored tensor of parameter number `index`.
    pub(super) fn tensor(&self, index: usize) -> &Tensor {
        &self.entries[index].tensor
    }

    /// Set the parameter `name` to new values; false if there is no such parameter.
    pub(super) fn assign(&self, name: &str, values: &Tensor) -> Result<bool, TchError> {
        self.assign_in(&self.values, name, values)
    }

    /// Write the values of the parameter `name` into `vector` (`[S]`, in the order of
    /// [`Parameters::values`]); false if there is no such parameter.
    ///
    /// # Errors
    /// Errors of libtorch, for example if `values` have another shape.
    pub fn assign_in(
        &self,
        vector: &Tensor,
        name: &str,
        values: &Tensor,
    ) -> Result<bool, TchError> {
        match self.entries.iter().find(|entry| entry.name == name) {
            Some(entry) => entry
                .storage
                .write(&self.stored_in(vector, entry)?, values)
                .map(|()| true),
            None => Ok(false),
        }
    }

    /// The stored tensor of a parameter as a view into `vector` (`[S]`).
    fn stored_in(&self, vector: &Tensor, entry: &ParameterEntry) -> Result<Tensor, TchError> {
        stored(vector, entry.start, &entry.storage, self.layout)
    }
}

/// Number of values that `storage` stores.
fn length(storage: &Storage) -> u64 {
    storage.stored.iter().map(|&size| size as u64).product()
}

/// View of the part of `vector` that starts at `start` and has the shape of `storage`.
fn stored(
    vector: &Tensor,
    start: i64,
    storage: &Storage,
    layout: Layout,
) -> Result<Tensor, TchError> {
    layout.view(
        &vector.f_narrow(0, start, length(storage) as i64)?,
        &storage.stored,
    )
}
