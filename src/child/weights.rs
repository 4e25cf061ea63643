//! Weights of a child as a safetensors file, under PyTorch's names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use tch::{Device, Kind, TchError, Tensor};

use super::Network;

/// PyTorch's count of batches seen by a batch norm; nothing that we compute needs it.
const IGNORED: &str = ".bn.num_batches_tracked";

/// Why weights could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    #[error("{}: {cause}", file.display())]
    File { file: PathBuf, cause: std::io::Error },
    #[error("{}: not a sound safetensors file: {cause}", file.display())]
    Format { file: PathBuf, cause: safetensors::SafeTensorError },
    #[error("{}: tensor `{tensor}` is missing; the weights belong to another architecture", file.display())]
    Missing { file: PathBuf, tensor: String },
    #[error("{}: tensor `{tensor}` has no place in the architecture; the weights belong to another one", file.display())]
    Extra { file: PathBuf, tensor: String },
    #[error("{}: tensor `{tensor}` has shape {found:?}, but the architecture needs {needed:?}", file.display())]
    Shape { file: PathBuf, tensor: String, found: Vec<usize>, needed: Vec<usize> },
    #[error("{}: tensor `{tensor}` is of type {found}; only F32 can be read", file.display())]
    Type { file: PathBuf, tensor: String, found: Dtype },
    #[error("{}: tensor `{tensor}` holds a value that is not finite", file.display())]
    NotFinite { file: PathBuf, tensor: String },
    #[error("libtorch failed while copying weights: {0}")]
    Torch(#[from] TchError),
}

/// Write parameters and batch norm statistics, float32.
pub fn save(network: &Network, path: &Path) -> Result<(), WeightsError> {
    let mut contents = BTreeMap::new();
    for (name, tensor) in named_tensors(network)? {
        let shape: Vec<usize> = tensor.size().iter().map(|&size| size as usize).collect();
        contents.insert(name, (shape, bytes_of(&tensor)?));
    }
    let views = contents.iter().map(|(name, (shape, bytes))| {
        TensorView::new(Dtype::F32, shape.clone(), bytes)
            .map(|view| (name.as_str(), view))
            .map_err(|cause| format_error(path, cause))
    });
    let serialized =
        safetensors::serialize(views.collect::<Result<Vec<_>, _>>()?, None).map_err(|cause| format_error(path, cause))?;
    std::fs::write(path, serialized).map_err(|cause| WeightsError::File { file: path.to_owned(), cause })
}

/// Read weights into `network`: every tensor must be there, with its shape, and no other. The network is unchanged on error.
pub fn load(network: &Network, path: &Path) -> Result<(), WeightsError> {
    let contents = std::fs::read(path).map_err(|cause| WeightsError::File { file: path.to_owned(), cause })?;
    let file = SafeTensors::deserialize(&contents).map_err(|cause| format_error(path, cause))?;
    let shapes: BTreeMap<String, Vec<i64>> = shapes(network).collect();
    if let Some(extra) = file.names().into_iter().find(|name| !shapes.contains_key(*name) && !name.ends_with(IGNORED)) {
        return Err(WeightsError::Extra { file: path.to_owned(), tensor: extra.to_owned() });
    }
    let mut values = BTreeMap::new();
    for (name, shape) in &shapes {
        let view = file.tensor(name).map_err(|_| WeightsError::Missing { file: path.to_owned(), tensor: name.clone() })?;
        values.insert(name.as_str(), checked(path, name, &view, shape)?);
    }
    let _guard = tch::no_grad_guard();
    for (name, value) in &values {
        network.parameters().assign(name, value)?;
    }
    for (name, mut buffer) in network.buffers() {
        buffer.f_copy_(&values[name.as_str()])?;
    }
    Ok(())
}

fn shapes(network: &Network) -> impl Iterator<Item = (String, Vec<i64>)> {
    let parameters = network.parameters().shapes().map(|(name, shape)| (name.to_owned(), shape));
    parameters.chain(network.buffers().map(|(name, tensor)| (name, tensor.size())))
}

fn named_tensors(network: &Network) -> Result<Vec<(String, Tensor)>, TchError> {
    let parameters = network.parameters().named(network.parameters().values())?;
    let parameters = parameters.into_iter().map(|(name, tensor)| (name.to_owned(), tensor));
    Ok(parameters.chain(network.buffers()).collect())
}

fn checked(path: &Path, name: &str, view: &TensorView<'_>, size: &[i64]) -> Result<Tensor, WeightsError> {
    let (file, tensor) = (path.to_owned(), name.to_owned());
    if view.dtype() != Dtype::F32 {
        return Err(WeightsError::Type { file, tensor, found: view.dtype() });
    }
    let needed: Vec<usize> = size.iter().map(|&size| size as usize).collect();
    if view.shape() != needed {
        return Err(WeightsError::Shape { file, tensor, found: view.shape().to_vec(), needed });
    }
    // Safetensors are little-endian by definition.
    let values: Vec<f32> = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    if values.iter().any(|value| !value.is_finite()) {
        return Err(WeightsError::NotFinite { file, tensor });
    }
    Ok(Tensor::f_from_slice(&values)?.f_view(size)?)
}

fn bytes_of(tensor: &Tensor) -> Result<Vec<u8>, TchError> {
    let tensor = tensor.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?;
    let mut values = vec![0f32; tensor.numel()];
    tensor.f_copy_data(&mut values, tensor.numel())?;
    Ok(values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

fn format_error(path: &Path, cause: safetensors::SafeTensorError) -> WeightsError {
    WeightsError::Format { file: path.to_owned(), cause }
}
