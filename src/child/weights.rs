//! Weights of a child as a safetensors file, under PyTorch's names.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tch::{Device, Kind, TchError, Tensor};

use super::Network;
use crate::space::weights::{Values, Weights, WeightsFileError};

/// Why weights could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    #[error(transparent)]
    File(#[from] WeightsFileError),
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
    std::fs::write(path, serialized).map_err(|cause| WeightsFileError::File { file: path.to_owned(), cause }.into())
}

/// Read weights into `network`: every tensor must be there, with its shape, and no other. The network is unchanged on error.
pub fn load(network: &Network, path: &Path) -> Result<(), WeightsError> {
    let weights = Weights::read(path, network.architecture())?;
    let tensors: BTreeMap<&str, Tensor> =
        weights.tensors().iter().map(|(name, values)| Ok((name.as_str(), tensor(values)?))).collect::<Result<_, TchError>>()?;
    let _guard = tch::no_grad_guard();
    for (name, tensor) in &tensors {
        network.parameters().assign(name, tensor)?;
    }
    for (name, mut buffer) in network.buffers() {
        buffer.f_copy_(&tensors[name.as_str()])?;
    }
    Ok(())
}

fn tensor(Values { shape, values }: &Values) -> Result<Tensor, TchError> {
    let size: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
    Tensor::f_from_slice(values)?.f_view(&size[..])
}

fn named_tensors(network: &Network) -> Result<Vec<(String, Tensor)>, TchError> {
    let parameters = network.parameters().named(network.parameters().values())?;
    let parameters = parameters.into_iter().map(|(name, tensor)| (name.to_owned(), tensor));
    Ok(parameters.chain(network.buffers()).collect())
}

fn bytes_of(tensor: &Tensor) -> Result<Vec<u8>, TchError> {
    let tensor = tensor.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?;
    let mut values = vec![0f32; tensor.numel()];
    tensor.f_copy_data(&mut values, tensor.numel())?;
    Ok(values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

fn format_error(path: &Path, cause: safetensors::SafeTensorError) -> WeightsError {
    WeightsFileError::Format { file: path.to_owned(), cause }.into()
}
