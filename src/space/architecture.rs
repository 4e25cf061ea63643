//! A network as data: the layers of a child and how they are joined. Needs no libtorch.

mod error;

use serde::{Deserialize, Serialize};

pub use error::{ArchitectureError, OutputReader};

use super::feasibility::output_size;
use crate::config::LARGEST_SETTING;

/// Maximum image side, number of image channels and of classes.
pub const LARGEST_SIZE: usize = 65_536;
/// Maximum number of layers in a network.
pub const MOST_LAYERS: usize = 4096;

/// A convolutional network: the JSON architecture file (README, "Files").
///
/// Layer `i` (counted from 1) is Conv2d without bias, BatchNorm2d (eps 1e-5, momentum 0.1), ReLU.
/// Its inputs are concatenated over channels; smaller ones are zero-padded, centred, to the
/// largest. The classifier concatenates `output` in the same way, applies global average pooling
/// and one Linear.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Name for users and files, without effect on what the network computes.
    pub name: String,
    /// Shape of one image, `[C, H, W]`.
    pub input: [usize; 3],
    /// Number of classes: outputs of the classifier.
    pub classes: usize,
    /// The layers, layer 1 first.
    pub layers: Vec<Layer>,
    /// Numbers of the layers (0 = image) that the classifier reads.
    pub output: Vec<usize>,
}

/// What a layer computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Operation {
    /// Conv2d without bias, BatchNorm2d, ReLU.
    #[default]
    #[serde(rename = "conv")]
    Convolution,
    /// MaxPool2d: the largest value under the kernel, in each channel of its inputs. It has no
    /// weights.
    #[serde(rename = "pool")]
    MaxPooling,
}

impl Operation {
    /// Whether it is the kind that files leave out.
    pub fn is_convolution(&self) -> bool {
        *self == Operation::Convolution
    }
}

/// One layer of an [`Architecture`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// What it computes; a convolution if the file does not say.
    #[serde(default, skip_serializing_if = "Operation::is_convolution")]
    pub kind: Operation,
    /// Kernel `[height, width]`.
    pub kernel: [usize; 2],
    /// Output channels.
    pub filters: usize,
    /// Stride `[height, width]`.
    pub stride: [usize; 2],
    /// Zero padding on both sides, `[height, width]`.
    pub padding: [usize; 2],
    /// Numbers of the layers whose outputs are read; 0 is the image.
    pub inputs: Vec<usize>,
}

impl Layer {
    /// Its weights per pixel of its kernel: channels read times filters. `channels` are those of its
    /// [network](Architecture::channels).
    pub fn weights_per_pixel(&self, channels: &[usize]) -> usize {
        let read: usize = self.inputs.iter().map(|&input| channels[input]).sum();
        read * self.filters
    }

    /// Its kernel as text: `3x5`, or `max 3x5` for a pooling layer. `times` is the sign between the
    /// two numbers.
    pub fn kernel_text(&self, times: &str) -> String {
        let [height, width] = self.kernel;
        match self.kind {
            Operation::Convolution => format!("{height}{times}{width}"),
            Operation::MaxPooling => format!("max {height}{times}{width}"),
        }
    }
}

impl Architecture {
    /// Channels by layer number; 0 is the image.
    pub fn channels(&self) -> Vec<usize> {
        std::iter::once(self.input[0])
            .chain(self.layers.iter().map(|layer| layer.filters))
            .collect()
    }

    /// The same network for images of `size` by `size` pixels. Weights do not depend on the size:
    /// the classifier reads means over all pixels.
    pub fn for_size(&self, size: usize) -> Architecture {
        Architecture {
            input: [self.input[0], size, size],
            ..self.clone()
        }
    }

    /// Check that the network can be built.
    ///
    /// # Errors
    /// [`ArchitectureError`]: why the network cannot be built.
    pub fn check(&self) -> Result<(), ArchitectureError> {
        self.shapes().map(drop)
    }

    /// Output shapes `[C, H, W]` by layer number (0 is the image).
    ///
    /// # Errors
    /// If the network cannot be built.
    pub fn shapes(&self) -> Result<Vec<[usize; 3]>, ArchitectureError> {
        let Architecture {
            input,
            classes,
            layers,
            ..
        } = self;
        if input.iter().any(|&size| size == 0 || size > LARGEST_SIZE) {
            return Err(ArchitectureError::Input { input: *input });
        }
        if *classes == 0 || *classes > LARGEST_SIZE {
            return Err(ArchitectureError::Classes { classes: *classes });
        }
        if layers.is_empty() || layers.len() > MOST_LAYERS {
            return Err(ArchitectureError::Layers {
                layers: layers.len(),
            });
        }
        let mut shapes = vec![*input];
        let mut readers = Readers::of(layers.len());
        for (index, layer) in layers.iter().enumerate() {
            check_settings(index + 1, layer)?;
            readers.check(OutputReader::Layer(index + 1), &layer.inputs, shapes.len())?;
            shapes.push(layer_shape(
                index + 1,
                layer,
                joined_shape(&layer.inputs, &shapes),
            )?);
        }
        readers.check(OutputReader::Classifier, &self.output, shapes.len())?;
        Ok(shapes)
    }

    /// The network without its name, as one line of JSON with its fields in the order of the
    /// architecture file: equal for two children if and only if they are the same network, and
    /// stable across versions of Rust and of the program.
    pub fn key(&self) -> String {
        #[derive(Serialize)]
        struct Unnamed<'a> {
            input: &'a [usize; 3],
            classes: usize,
            layers: &'a [Layer],
            output: &'a [usize],
        }
        let Architecture {
            name: _,
            input,
            classes,
            layers,
            output,
        } = self;
        serde_json::to_string(&Unnamed {
            input,
            classes: *classes,
            layers,
            output,
        })
        .expect("numbers and lists are always JSON")
    }

    /// Whether two architectures are the same network, whatever their names.
    pub fn same_network(&self, other: &Architecture) -> bool {
        let Architecture {
            name: _,
            input,
            classes,
            layers,
            output,
        } = self;
        *input == other.input
            && *classes == other.classes
            && *layers == other.layers
            && *output == other.output
    }

    /// The architecture file: one line per layer.
    pub fn to_json(&self) -> String {
        super::file::to_json(self)
    }
}

/// Shape `[C, H, W]` of inputs joined over channels: smaller ones are zero-padded to the largest
/// height and width.
///
/// `inputs` are layer numbers, `shapes` the output shapes by layer number.
pub fn joined_shape(inputs: &[usize], shapes: &[[usize; 3]]) -> [usize; 3] {
    inputs
        .iter()
        .map(|&input| shapes[input])
        .fold([0, 0, 0], |[channels, height, width], shape| {
            [
                channels + shape[0],
                height.max(shape[1]),
                width.max(shape[2]),
            ]
        })
}

fn layer_shape(
    number: usize,
    layer: &Layer,
    input: [usize; 3],
) -> Result<[usize; 3], ArchitectureError> {
    check_pooling(number, layer, input[0])?;
    let input = [input[1], input[2]];
    let size = |axis: usize| {
        output_size(
            input[axis],
            layer.kernel[axis],
            layer.stride[axis],
            layer.padding[axis],
        )
    };
    match (size(0), size(1)) {
        (Some(height), Some(width)) => Ok([layer.filters, height, width]),
        _ => Err(ArchitectureError::KernelTooLarge {
            layer: number,
            kernel: layer.kernel,
            input,
            padded: [0, 1].map(|axis| input[axis] + 2 * layer.padding[axis]),
        }),
    }
}

/// The rules for a pooling layer that reads this number of channels.
fn check_pooling(number: usize, layer: &Layer, channels: usize) -> Result<(), ArchitectureError> {
    let &Layer {
        filters,
        kernel,
        padding,
        ..
    } = layer;
    if layer.kind.is_convolution() {
        return Ok(());
    }
    if filters != channels {
        return Err(ArchitectureError::PooledChannels {
            layer: number,
            filters,
            channels,
        });
    }
    if [0, 1]
        .into_iter()
        .any(|axis| 2 * padding[axis] > kernel[axis])
    {
        return Err(ArchitectureError::PooledPadding {
            layer: number,
            padding,
            kernel,
        });
    }
    Ok(())
}

fn check_settings(number: usize, layer: &Layer) -> Result<(), ArchitectureError> {
    let settings = [
        ("kernel height", layer.kernel[0], 1),
        ("kernel width", layer.kernel[1], 1),
        ("filters", layer.filters, 1),
        ("stride height", layer.stride[0], 1),
        ("stride width", layer.stride[1], 1),
        ("padding height", layer.padding[0], 0),
        ("padding width", layer.padding[1], 0),
    ];
    match settings
        .into_iter()
        .find(|&(_, value, least)| value < least || value > LARGEST_SETTING)
    {
        Some((setting, value, least)) => Err(ArchitectureError::Setting {
            layer: number,
            setting,
            value,
            least,
        }),
        None => Ok(()),
    }
}

/// The latest reader of each layer that has been checked, so that a network with millions of
/// connections is checked in one pass.
struct Readers(Vec<Option<OutputReader>>);

impl Readers {
    /// No reader yet of the image and of `layers` layers.
    fn of(layers: usize) -> Readers {
        Readers(vec![None; layers + 1])
    }

    /// Check what `reader` reads; there are `earlier` outputs, the image included.
    fn check(
        &mut self,
        reader: OutputReader,
        inputs: &[usize],
        earlier: usize,
    ) -> Result<(), ArchitectureError> {
        if inputs.is_empty() {
            return Err(ArchitectureError::NoInputs { reader });
        }
        for &input in inputs {
            if input >= earlier {
                return Err(ArchitectureError::LaterInput { reader, input });
            }
            if self.0[input].replace(reader) == Some(reader) {
                return Err(ArchitectureError::RepeatedInput { reader, input });
            }
        }
        Ok(())
    }
}
