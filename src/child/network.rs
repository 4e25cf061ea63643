//! Architecture to libtorch module: Conv2d, BatchNorm2d, ReLU layers joined by concatenation, and a
//! linear classifier.

mod by_spectra;
mod connections;

use std::cell::RefCell;

use tch::{Device, Kind, TchError, Tensor};

use self::by_spectra::Tape;
use self::connections::{Connections, last_readers};
use super::joining::{join, skip_unread_pixels};
use super::mode::Mode;
use super::parameters::{Initial, Parameters};
use super::plan::{Plan, Storage};
use super::spectral::Spectral;
use super::statistics::Statistics;
use crate::data::Layout;
use crate::space::{Architecture, Layer, Operation};

/// Setting of every BatchNorm2d (PyTorch's default).
const EPSILON: f64 = 1e-5;

/// Trainable tensors of one layer: convolution weight, batch norm weight, batch norm bias.
const TENSORS_PER_LAYER: usize = 3;

/// A child network with its parameters and batch norm statistics on one device.
#[derive(Debug)]
pub struct Network {
    architecture: Architecture,
    layout: Layout,
    parameters: Parameters,
    /// The precision of convolutions: f32 or bf16.
    precision: Kind,
    statistics: Vec<Statistics>,
    /// `[2, T]`: the tensor that `statistics` are views of, and the copy last kept of it.
    all_statistics: Tensor,
    kept_statistics: Tensor,
    /// Set if convolutions are computed by Fourier transform.
    spectral: Option<Spectral>,
    /// With `spectral`: the latest forward pass that recorded gradients.
    tape: RefCell<Option<Tape>>,
    /// By layer number: the last layer that reads it (the classifier counts as one more layer);
    /// `None` if no layer does.
    last_reader: Vec<Option<usize>>,
    connections: Connections,
    /// For each layer and the classifier: index of its first trainable tensor.
    first_tensors: Vec<usize>,
}

impl Network {
    /// Build `architecture`, which must be buildable, on `device`, with PyTorch's default
    /// initialisation (Kaiming-uniform with a = sqrt(5): uniform in ±1/sqrt(fan-in)), drawn from
    /// libtorch's CPU generator.
    ///
    /// After `torch.manual_seed(s)` and `tch::manual_seed(s)` respectively, the values equal those
    /// of the same module built in PyTorch.
    ///
    /// # Errors
    /// Errors of libtorch, for example if memory runs out.
    pub fn new(
        architecture: &Architecture,
        plan: Plan,
        device: Device,
    ) -> Result<Network, TchError> {
        Network::build(architecture, plan, (Kind::Float, device))
    }

    /// [`Network::new`] on the CPU in double precision, with which other forms can be compared: the
    /// initial values are the same.
    ///
    /// # Errors
    /// Errors of libtorch, for example if memory runs out.
    pub fn in_double_precision(
        architecture: &Architecture,
        plan: Plan,
    ) -> Result<Network, TchError> {
        Network::build(architecture, plan, (Kind::Double, Device::Cpu))
    }

    fn build(
        architecture: &Architecture,
        plan: Plan,
        options: (Kind, Device),
    ) -> Result<Network, TchError> {
        let _guard = tch::no_grad_guard();
        let channels = architecture.channels();
        let (mut initial, mut stored, mut first_tensors) = (Vec::new(), Vec::new(), Vec::new());
        for (index, layer) in architecture.layers.iter().enumerate() {
            first_tensors.push(initial.len());
            if layer.kind == Operation::MaxPooling {
                stored.push([0, 0]);
                continue;
            }
            let widths = [layer.filters, plan.stored[index + 1]];
            initial.extend(initial_layer(index, layer, widths, &channels, &plan)?);
            stored.push(widths.map(|width| width as i64));
        }
        first_tensors.push(initial.len());
        let (all_statistics, statistics) = Statistics::of_layers(&stored, options)?;
        let storage = Storage::weight(
            [architecture.classes; 2],
            &architecture.output,
            &channels,
            &plan,
            &[],
        );
        let features = storage.shape()[1];
        let weight = uniform(&storage.shape(), features)?;
        initial.push(("classifier.weight".to_owned(), storage, weight));
        let storage = Storage::vector(architecture.classes, architecture.classes);
        let bias = uniform(&storage.shape(), features)?;
        initial.push(("classifier.bias".to_owned(), storage, bias));
        Ok(Network {
            parameters: Parameters::new(initial, plan.layout, options)?,
            precision: options.0,
            statistics,
            kept_statistics: all_statistics.f_zeros_like()?,
            all_statistics,
            spectral: if plan.spectral {
                Some(Spectral::new(architecture, options.0)?)
            } else {
                None
            },
            tape: RefCell::new(None),
            last_reader: last_readers(architecture),
            connections: Connections::of(architecture),
            first_tensors,
            architecture: architecture.clone(),
            layout: plan.layout,
        })
    }

    /// The architecture it was built from.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Convolve in bf16 and keep activations in it, like PyTorch's autocast; parameters, batch norm
    /// statistics, pooling and the classifier stay f32. (Convolutions by Fourier transform are
    /// always f32.)
    pub fn compute_in_bf16(&mut self) {
        self.precision = Kind::BFloat16;
    }

    /// The device of its parameters.
    pub fn device(&self) -> Device {
        self.parameters.values().device()
    }

    /// Memory order of its activations and kernels.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The trainable tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Name and tensor of each batch norm statistic (`layers.0.bn.running_mean`, ...), as views:
    /// writing to them changes the network.
    pub fn buffers(&self) -> impl Iterator<Item = (String, Tensor)> {
        self.statistics
            .iter()
            .enumerate()
            // (Pooling layers have no batch norm.)
            .filter(|(_, statistics)| statistics.filters > 0)
            .flat_map(|(index, statistics)| {
                let Statistics {
                    mean,
                    variance,
                    filters,
                } = statistics;
                [
                    (
                        format!("layers.{index}.bn.running_mean"),
                        mean.narrow(0, 0, *filters),
                    ),
                    (
                        format!("layers.{index}.bn.running_var"),
                        variance.narrow(0, 0, *filters),
                    ),
                ]
            })
    }

    /// Keep a copy of the current batch norm statistics on the device for
    /// [`Network::restore_statistics`].
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn keep_statistics(&mut self) -> Result<(), TchError> {
        tch::no_grad(|| self.kept_statistics.f_copy_(&self.all_statistics))
    }

    /// Restore the batch norm statistics that were last kept.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn restore_statistics(&mut self) -> Result<(), TchError> {
        tch::no_grad(|| self.all_statistics.f_copy_(&self.kept_statistics))
    }

    /// Logits `[N, classes]` of `images` (float, `[N, C, H, W]`, any memory order). Unless libtorch
    /// records no gradients, what [`Network::gradient`] needs is kept.
    ///
    /// # Errors
    /// Errors of libtorch, for example if memory runs out or `images` have another shape.
    pub fn forward(&self, images: &Tensor, mode: Mode) -> Result<Tensor, TchError> {
        let features = match &self.spectral {
            Some(spectral) => self.spectral_features(spectral, images, mode)?,
            None => self.features(images, mode)?,
        };
        let first = self.first_tensors[self.architecture.layers.len()];
        features.f_linear(
            self.parameters.tensor(first),
            Some(self.parameters.tensor(first + 1)),
        )
    }

    /// Gradient of `loss` (a scalar), a function of the logits of the latest forward pass: `[S]`, in
    /// the order of [`Parameters::values`]. Forgets the pass.
    ///
    /// # Errors
    /// If no forward pass was recorded or `loss` does not depend on it; errors of libtorch, for
    /// example if memory runs out.
    pub fn gradient(&self, loss: &Tensor) -> Result<Tensor, TchError> {
        let Some(spectral) = &self.spectral else {
            return self.parameters.gradient(loss);
        };
        let tape = self.tape.take().ok_or_else(|| {
            TchError::Torch("there is no forward pass to differentiate".to_owned())
        })?;
        self.parameters
            .joined(&self.spectral_gradients(spectral, tape, loss)?)
    }

    /// Pooled features `[N, channels]`.
    fn features(&self, images: &Tensor, mode: Mode) -> Result<Tensor, TchError> {
        let mut outputs = vec![Some(
            self.layout.arrange(images)?.f_to_kind(self.precision)?,
        )];
        for (index, layer) in self.architecture.layers.iter().enumerate() {
            let output = match self.last_reader[index + 1] {
                Some(_) => Some(self.layer(index, layer, &join(&outputs, &layer.inputs)?, mode)?),
                // The layer's output is not used, so it has no influence on the logits.
                None => None,
            };
            outputs.push(output);
            self.release(&mut outputs, index + 1);
        }
        join(&outputs, &self.architecture.output)?.f_mean_dim(
            [2i64, 3].as_slice(),
            false,
            self.parameters.values().kind(),
        )
    }

    /// Output of the layer at `index` for its concatenated inputs.
    fn layer(
        &self,
        index: usize,
        layer: &Layer,
        joined: &Tensor,
        mode: Mode,
    ) -> Result<Tensor, TchError> {
        let pair = |sizes: [usize; 2]| sizes.map(|size| size as i64);
        let padding = pair(layer.padding);
        if layer.kind == Operation::MaxPooling {
            let (kernel, stride) = (pair(layer.kernel), pair(layer.stride));
            return joined.f_max_pool2d(kernel, stride, padding, [1, 1], false);
        }
        let weight = self.layer_tensor(index, 0).f_to_kind(self.precision)?;
        let (input, stride) = skip_unread_pixels(joined, layer)?;
        let convolved = input.f_conv2d(&weight, None::<&Tensor>, stride, padding, [1, 1], 1)?;
        self.normalise(index, &convolved, mode)
    }

    /// Batch norm and ReLU of layer number `index + 1`.
    fn normalise(&self, index: usize, convolved: &Tensor, mode: Mode) -> Result<Tensor, TchError> {
        let Statistics { mean, variance, .. } = &self.statistics[index];
        let mut normalised = convolved.f_batch_norm(
            Some(self.layer_tensor(index, 1)),
            Some(self.layer_tensor(index, 2)),
            Some(mean),
            Some(variance),
            mode.momentum().is_some(),
            mode.momentum().unwrap_or_default(),
            EPSILON,
            true,
        )?;
        normalised.f_relu_()
    }

    /// Convolution weight (0), batch norm weight (1) or bias (2) of a layer.
    fn layer_tensor(&self, index: usize, which: usize) -> &Tensor {
        self.parameters.tensor(self.first_tensors[index] + which)
    }

    /// Drop the outputs whose last reader is layer `number`: from then on only the autograd graph
    /// may keep them.
    fn release(&self, outputs: &mut [Option<Tensor>], number: usize) {
        for (output, &last) in outputs.iter_mut().zip(&self.last_reader) {
            if last.is_none_or(|last| last <= number) {
                *output = None;
            }
        }
    }
}

/// The parameters of one layer with their initial values. `widths` are its number of filters and
/// the number stored.
fn initial_layer(
    index: usize,
    layer: &Layer,
    widths: [usize; 2],
    channels: &[usize],
    plan: &Plan,
) -> Result<[Initial; TENSORS_PER_LAYER], TchError> {
    let convolution = Storage::weight(widths, &layer.inputs, channels, plan, &layer.kernel);
    let shape = convolution.shape();
    let weight = uniform(&shape, shape[1..].iter().product())?;
    let [scale, shift] = [1.0, 0.0]
        .map(|value| Tensor::f_full([widths[0] as i64], value, (Kind::Float, Device::Cpu)));
    let vector = || Storage::vector(widths[0], widths[1]);
    Ok([
        (format!("layers.{index}.conv.weight"), convolution, weight),
        (format!("layers.{index}.bn.weight"), vector(), scale?),
        (format!("layers.{index}.bn.bias"), vector(), shift?),
    ])
}

/// Uniform in ±1/sqrt(`fan_in`), on the CPU: Kaiming-uniform with a = sqrt(5), as in
/// torch.nn.Conv2d and Linear.
fn uniform(shape: &[i64], fan_in: i64) -> Result<Tensor, TchError> {
    let bound = 1.0 / (fan_in as f64).sqrt();
    Tensor::f_empty(shape, (Kind::Float, Device::Cpu))?.f_uniform_(-bound, bound)
}
