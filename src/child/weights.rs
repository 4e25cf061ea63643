//! Weights of a child as a safetensors file, under PyTorch's names.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tch::{Device, Kind, TchError, Tensor};

use super::Network;
use crate::foundation::fault;
use crate::foundation::sealed::{Block, Blocks};
use crate::space::weights::{TensorValues, Weights, WeightsFileError};

/// Why weights could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file cannot be read or written, or contains different weights.
    #[error(transparent)]
    File(#[from] WeightsFileError),
    /// An error of libtorch.
    #[error("libtorch failed while copying weights: {0}")]
    Torch(String),
}

impl From<TchError> for WeightsError {
    fn from(error: TchError) -> WeightsError {
        WeightsError::Torch(fault::in_words(&error.to_string()))
    }
}

/// Write parameters and batch norm statistics as float32.
///
/// # Errors
/// If the values cannot be copied from the device, or the file cannot be written.
pub fn save(network: &Network, path: &Path) -> Result<(), WeightsError> {
    let bytes = serialized(&blocks(network)?, path)?;
    std::fs::write(path, bytes).map_err(|cause| {
        WeightsFileError::File {
            file: path.to_owned(),
            cause,
        }
        .into()
    })
}

/// The bytes of a safetensors file of `blocks`; `path` is for errors.
///
/// # Errors
/// If a block's length does not match its shape.
pub fn serialized(blocks: &Blocks, path: &Path) -> Result<Vec<u8>, WeightsError> {
    let views = blocks.iter().map(
        |(
            name,
            Block {
                dtype,
                shape,
                bytes,
            },
        )| {
            TensorView::new(*dtype, shape.clone(), bytes)
                .map(|view| (name.as_str(), view))
                .map_err(|cause| format_error(path, cause))
        },
    );
    safetensors::serialize(views.collect::<Result<Vec<_>, _>>()?, None)
        .map_err(|cause| format_error(path, cause))
}

/// Parameters and batch norm statistics as float32.
///
/// # Errors
/// Errors of libtorch while copying from the device.
pub fn blocks(network: &Network) -> Result<Blocks, WeightsError> {
    let buffers = network
        .buffers()
        .map(|(name, tensor)| Ok((name, block(&tensor)?)));
    let mut blocks = blocks_of(network, network.parameters().values())?;
    blocks.extend(buffers.collect::<Result<Vec<_>, WeightsError>>()?);
    Ok(blocks)
}

/// The part of `vector` (`[S]`, as [`Parameters::values`](super::Parameters::values)) that belongs
/// to each parameter, as float32.
///
/// # Errors
/// Errors of libtorch while copying from the device.
pub fn blocks_of(network: &Network, vector: &Tensor) -> Result<Blocks, WeightsError> {
    // One copy from the device.
    let vector = vector.f_to_device(Device::Cpu)?;
    let named = network.parameters().named(&vector)?;
    named
        .into_iter()
        .map(|(name, tensor)| Ok((name.to_owned(), block(&tensor)?)))
        .collect()
}

/// Restore the values from [`blocks`]. Names that the network does not have are ignored.
///
/// # Errors
/// Errors of libtorch, for example if a block has another shape.
pub fn restore(network: &Network, blocks: &Blocks) -> Result<(), WeightsError> {
    restore_into(network, network.parameters().values(), blocks)?;
    let _guard = tch::no_grad_guard();
    for (name, mut buffer) in network.buffers() {
        if let Some(block) = blocks.get(&name) {
            buffer.f_copy_(&tensor_of(block)?)?;
        }
    }
    Ok(())
}

/// Restore the values from [`blocks_of`] into `vector`.
///
/// # Errors
/// Errors of libtorch, for example if a block has another shape.
pub fn restore_into(
    network: &Network,
    vector: &Tensor,
    blocks: &Blocks,
) -> Result<(), WeightsError> {
    let _guard = tch::no_grad_guard();
    for (name, block) in blocks {
        network
            .parameters()
            .assign_in(vector, name, &tensor_of(block)?)?;
    }
    Ok(())
}

/// Read weights into `network`, which must match in names and shapes exactly. The network is
/// unchanged on error.
///
/// # Errors
/// If the file cannot be read, is not a safetensors file or does not match; errors of libtorch.
pub fn load(network: &Network, path: &Path) -> Result<(), WeightsError> {
    let weights = Weights::read(path, network.architecture())?;
    let tensors: BTreeMap<&str, Tensor> = weights
        .tensors()
        .iter()
        .map(|(name, values)| Ok((name.as_str(), tensor(values)?)))
        .collect::<Result<_, TchError>>()?;
    let _guard = tch::no_grad_guard();
    for (name, tensor) in &tensors {
        network.parameters().assign(name, tensor)?;
    }
    for (name, mut buffer) in network.buffers() {
        buffer.f_copy_(&tensors[name.as_str()])?;
    }
    Ok(())
}

fn tensor(TensorValues { shape, values }: &TensorValues) -> Result<Tensor, TchError> {
    let size: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
    Tensor::f_from_slice(values)?.f_view(&size[..])
}

fn tensor_of(block: &Block) -> Result<Tensor, TchError> {
    let size: Vec<i64> = block.shape.iter().map(|&size| size as i64).collect();
    Tensor::f_from_data_size(&block.bytes, &size, Kind::Float)
}

fn block(tensor: &Tensor) -> Result<Block, WeightsError> {
    let shape = tensor.size().iter().map(|&size| size as usize).collect();
    Ok(Block {
        dtype: Dtype::F32,
        shape,
        bytes: bytes_of(tensor)?,
    })
}

fn bytes_of(tensor: &Tensor) -> Result<Vec<u8>, WeightsError> {
    let tensor = tensor
        .f_to_device(Device::Cpu)?
        .f_to_kind(Kind::Float)?
        .f_contiguous()?;
    let mut values = vec![0f32; tensor.numel()];
    tensor.f_copy_data(&mut values, tensor.numel())?;
    Ok(values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect())
}

fn format_error(path: &Path, cause: safetensors::SafeTensorError) -> WeightsError {
    WeightsFileError::Format {
        file: path.to_owned(),
        cause,
    }
    .into()
}
