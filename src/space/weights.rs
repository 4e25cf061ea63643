//! The tensors of a network under PyTorch's names, and reading safetensors files that must contain
//! exactly these.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::architecture::joined_shape;
use super::{Architecture, ArchitectureError, Operation};
use crate::foundation::input;

/// PyTorch's count of batches seen by a batch norm, which none of our computations need.
const IGNORED: &str = ".bn.num_batches_tracked";

/// Why a file does not contain the weights of a network. Each message names the file.
#[derive(Debug, thiserror::Error)]
pub enum WeightsFileError {
    /// The file cannot be read.
    #[error("{}: {cause}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The file is not in the safetensors format.
    #[error("{}: not a valid safetensors file: {cause}", file.display())]
    Format {
        /// The file.
        file: PathBuf,
        /// The reason, with the place of the damage.
        cause: safetensors::SafeTensorError,
    },
    /// A tensor of the architecture is not in the file.
    #[error("{}: tensor `{tensor}` is missing; the weights belong to another architecture", file.display())]
    Missing {
        /// The file.
        file: PathBuf,
        /// PyTorch's name of the tensor.
        tensor: String,
    },
    /// The file has a tensor that the architecture does not have.
    #[error("{}: tensor `{tensor}` has no place in the architecture; the weights belong to another one", file.display())]
    Extra {
        /// The file.
        file: PathBuf,
        /// PyTorch's name of the tensor.
        tensor: String,
    },
    /// The shape of a tensor differs from the architecture's.
    #[error("{}: tensor `{tensor}` has shape {found:?}, but the architecture needs {needed:?}", file.display())]
    Shape {
        /// The file.
        file: PathBuf,
        /// PyTorch's name of the tensor.
        tensor: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape that the architecture has.
        needed: Vec<usize>,
    },
    /// A tensor is not of 32-bit floats.
    #[error("{}: tensor `{tensor}` is of type {found}; only F32 can be read", file.display())]
    Type {
        /// The file.
        file: PathBuf,
        /// PyTorch's name of the tensor.
        tensor: String,
        /// Type in the file.
        found: Dtype,
    },
    /// A tensor holds NaN or an infinity.
    #[error("{}: tensor `{tensor}` holds a value that is not finite", file.display())]
    NotFinite {
        /// The file.
        file: PathBuf,
        /// PyTorch's name of the tensor.
        tensor: String,
    },
    /// The network itself cannot be built.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
}

/// One tensor: its values, the last dimension running fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorValues {
    /// As PyTorch has it: `[out, in, height, width]` for a convolution.
    pub shape: Vec<usize>,
    /// As many as the product of `shape`.
    pub values: Vec<f32>,
}

/// The weights of one network, all of them.
#[derive(Debug)]
pub struct Weights {
    bytes: Vec<u8>,
    tensors: BTreeMap<String, TensorValues>,
}

impl Weights {
    /// Read a safetensors file: every tensor of `architecture` must be there, with its shape, and
    /// no other.
    ///
    /// # Errors
    /// [`WeightsFileError`]: a file that cannot be read, is broken, or belongs to another network.
    pub fn read(path: &Path, architecture: &Architecture) -> Result<Weights, WeightsFileError> {
        let bytes = input::read(path, most_bytes(architecture)).map_err(|cause| {
            WeightsFileError::File {
                file: path.to_owned(),
                cause,
            }
        })?;
        let tensors = checked(path, &bytes, architecture)?;
        Ok(Weights { bytes, tensors })
    }

    /// The mean of these weights and `others` of the same network, tensor by tensor; of batch norm statistics as well.
    pub fn mean_with(&self, others: &[Weights]) -> Weights {
        let count = (others.len() + 1) as f64;
        let mean = |(name, tensor): (&String, &TensorValues)| {
            let others: Vec<&[f32]> = others
                .iter()
                .map(|other| &other.tensors[name].values[..])
                .collect();
            let values = tensor.values.iter().enumerate().map(|(index, value)| {
                let sum = others
                    .iter()
                    .map(|values| f64::from(values[index]))
                    .sum::<f64>();
                ((f64::from(*value) + sum) / count) as f32
            });
            let (shape, values) = (tensor.shape.clone(), values.collect());
            (name.clone(), TensorValues { shape, values })
        };
        let tensors: BTreeMap<String, TensorValues> = self.tensors.iter().map(mean).collect();
        Weights {
            bytes: serialized(&tensors),
            tensors,
        }
    }

    /// A safetensors file of them: as it was read, if they were.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Names and tensors, sorted by name.
    pub fn tensors(&self) -> &BTreeMap<String, TensorValues> {
        &self.tensors
    }
}

/// Most bytes of a file with the weights of `architecture`: values of up to 64 bits and a header.
fn most_bytes(architecture: &Architecture) -> u64 {
    let values = |shape: &[usize]| {
        shape
            .iter()
            .fold(8, |bytes: u64, &size| bytes.saturating_mul(size as u64))
    };
    let tensors = tensor_shapes(architecture).unwrap_or_default();
    let header = 1 << 26;
    tensors.iter().fold(header, |bytes, (_, shape)| {
        values(shape).saturating_add(bytes)
    })
}

/// Names and shapes of the tensors of `architecture`, in PyTorch's order.
///
/// # Errors
/// If the network cannot be built.
pub fn tensor_shapes(
    architecture: &Architecture,
) -> Result<Vec<(String, Vec<usize>)>, ArchitectureError> {
    let shapes = architecture.shapes()?;
    let mut tensors = Vec::with_capacity(architecture.layers.len() * 5 + 2);
    for (index, layer) in architecture.layers.iter().enumerate() {
        if layer.kind == Operation::MaxPooling {
            continue;
        }
        let [channels, ..] = joined_shape(&layer.inputs, &shapes);
        let [height, width] = layer.kernel;
        tensors.push((
            format!("layers.{index}.conv.weight"),
            vec![layer.filters, channels, height, width],
        ));
        let vectors = ["weight", "bias", "running_mean", "running_var"];
        tensors
            .extend(vectors.map(|name| (format!("layers.{index}.bn.{name}"), vec![layer.filters])));
    }
    let [features, ..] = joined_shape(&architecture.output, &shapes);
    tensors.push((
        "classifier.weight".to_owned(),
        vec![architecture.classes, features],
    ));
    tensors.push(("classifier.bias".to_owned(), vec![architecture.classes]));
    Ok(tensors)
}

fn checked(
    path: &Path,
    bytes: &[u8],
    architecture: &Architecture,
) -> Result<BTreeMap<String, TensorValues>, WeightsFileError> {
    let file = || path.to_owned();
    let contents = SafeTensors::deserialize(bytes).map_err(|cause| WeightsFileError::Format {
        file: file(),
        cause,
    })?;
    let shapes: BTreeMap<String, Vec<usize>> = tensor_shapes(architecture)?.into_iter().collect();
    if let Some(extra) = contents
        .names()
        .into_iter()
        .find(|name| !shapes.contains_key(*name) && !name.ends_with(IGNORED))
    {
        return Err(WeightsFileError::Extra {
            file: file(),
            tensor: extra.to_owned(),
        });
    }
    let read = |(name, shape): (String, Vec<usize>)| {
        let view = contents
            .tensor(&name)
            .map_err(|_| WeightsFileError::Missing {
                file: file(),
                tensor: name.clone(),
            })?;
        let values = values(path, &name, &view, &shape)?;
        Ok((name, TensorValues { shape, values }))
    };
    shapes.into_iter().map(read).collect()
}

/// A safetensors file of `tensors`.
fn serialized(tensors: &BTreeMap<String, TensorValues>) -> Vec<u8> {
    let bytes = |tensor: &TensorValues| -> Vec<u8> {
        let values = tensor.values.iter();
        values.flat_map(|value| value.to_le_bytes()).collect()
    };
    let bytes: Vec<Vec<u8>> = tensors.values().map(bytes).collect();
    let views = tensors.iter().zip(&bytes).map(|((name, tensor), bytes)| {
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes);
        (name, view.expect("four bytes a value"))
    });
    safetensors::serialize(views, None).expect("tensors that have been read")
}

fn values(
    path: &Path,
    name: &str,
    view: &TensorView<'_>,
    needed: &[usize],
) -> Result<Vec<f32>, WeightsFileError> {
    let (file, tensor) = (path.to_owned(), name.to_owned());
    if view.dtype() != Dtype::F32 {
        return Err(WeightsFileError::Type {
            file,
            tensor,
            found: view.dtype(),
        });
    }
    if view.shape() != needed {
        return Err(WeightsFileError::Shape {
            file,
            tensor,
            found: view.shape().to_vec(),
            needed: needed.to_vec(),
        });
    }
    // Safetensors are little-endian by definition.
    let values: Vec<f32> = view
        .data()
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    match values.iter().all(|value| value.is_finite()) {
        true => Ok(values),
        false => Err(WeightsFileError::NotFinite { file, tensor }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Decode;
    use crate::space::Cost;
    use crate::space::builtin::builtin;

    #[test]
    fn the_tensors_of_nascnn15_are_five_a_layer_and_two_of_the_classifier_and_hold_its_parameters()
    {
        let network = builtin("nascnn15", Decode::Literal, [3, 32, 32], 10)
            .unwrap()
            .unwrap();
        let tensors = tensor_shapes(&network).unwrap();
        assert_eq!(tensors.len(), 15 * 5 + 2);
        assert_eq!(
            tensors[14 * 5],
            (
                "layers.14.conv.weight".to_owned(),
                vec![48, 48 + 48 + 36 + 48 + 48 + 48, 7, 5]
            )
        );
        let trained = tensors.iter().filter(|(name, _)| !name.contains("running"));
        let params: usize = trained
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum();
        assert_eq!(
            (params as u64, params),
            (Cost::of(&network).unwrap().params, 4_201_630)
        );
    }
}
