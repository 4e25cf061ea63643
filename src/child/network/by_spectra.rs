//! Forward pass with convolutions by Fourier transform, and its gradient. Autograd differentiates
//! batch norm, ReLU, pooling and the classifier; the transforms and products between them are
//! differentiated here.

use std::collections::HashMap;
use std::ops::Range;

use tch::{Kind, TchError, Tensor};

use super::{Mode, Network};
use crate::child::spectral::{Reader, Spectral};
use crate::space::Layer;

/// What the latest forward pass recorded for its gradient.
#[derive(Debug)]
pub(super) struct Tape {
    /// By layer number: the spectrum, if a layer reads it.
    spectra: Vec<Option<Tensor>>,
    /// By index; `None` for layers that have no influence on the logits.
    layers: Vec<Option<Recorded>>,
    /// Pooled features `[N, channels]`, a leaf.
    features: Tensor,
}

/// One layer: a graph from its convolved input to its output.
#[derive(Debug)]
struct Recorded {
    /// `[H·W·N, C]`, a leaf.
    convolved: Tensor,
    /// `[H, W, N, C]`.
    output: Tensor,
    /// `[N, C]`, if the classifier reads it.
    pooled: Option<Tensor>,
}

impl Recorded {
    /// Scalars whose gradient for this layer is together that of the loss, given that of the layer's
    /// output `[H, W, N, C]` by way of its readers, and that of its pooled output.
    fn stand_in(
        &self,
        of_output: Option<Tensor>,
        of_pooled: Option<&Tensor>,
    ) -> Result<Vec<Tensor>, TchError> {
        let mut parts = Vec::with_capacity(2);
        if let Some(gradient) = of_output {
            parts.push(self.output.f_view([-1])?.f_dot(&gradient.f_view([-1])?)?);
        }
        if let (Some(output), Some(gradient)) = (&self.pooled, of_pooled) {
            parts.push(output.f_mul(gradient)?.f_sum(output.kind())?);
        }
        Ok(parts)
    }
}

impl Network {
    /// Pooled features `[N, channels]`. If gradients are recorded, they are a leaf of the graph, and
    /// the rest is on the network's tape.
    pub(super) fn spectral_features(
        &self,
        spectral: &Spectral,
        images: &Tensor,
        mode: Mode,
    ) -> Result<Tensor, TchError> {
        let _ = self.tape.take();
        let outputs = &self.architecture.output;
        let (mut layers, mut pooled) = (Vec::new(), HashMap::new());
        if outputs.contains(&0) {
            pooled.insert(0, mean(images, [2, 3])?);
        }
        let planes = images.f_permute([2, 3, 0, 1])?.f_contiguous()?;
        let mut spectra = vec![Some(tch::no_grad(|| spectral.transform(&planes))?)];
        for (index, layer) in self.architecture.layers.iter().enumerate() {
            let number = index + 1;
            let (mut spectrum, mut recorded) = (None, None);
            if self.last_reader[number].is_some() {
                let layer = self.spectral_layer(index, layer, &spectra, spectral, mode)?;
                if let Some(output) = &layer.pooled {
                    pooled.insert(number, output.shallow_clone());
                }
                if self.is_read_by_a_layer(number) {
                    spectrum = Some(tch::no_grad(|| spectral.transform(&layer.output))?);
                }
                recorded = layer.output.requires_grad().then_some(layer);
            }
            let is_recorded = recorded.is_some();
            spectra.push(spectrum);
            layers.push(recorded);
            if !is_recorded && self.last_reader[number].is_some() {
                self.release(&mut spectra, number);
            }
        }
        let features: Vec<&Tensor> = outputs.iter().map(|output| &pooled[output]).collect();
        let features = Tensor::f_cat(&features, 1)?.f_detach()?;
        if layers.iter().all(Option::is_none) {
            return Ok(features);
        }
        let features = features.f_set_requires_grad(true)?;
        self.tape.replace(Some(Tape {
            spectra,
            layers,
            features: features.shallow_clone(),
        }));
        Ok(features)
    }

    /// The layer at `index`, which has an influence on the logits.
    fn spectral_layer(
        &self,
        index: usize,
        layer: &Layer,
        spectra: &[Option<Tensor>],
        spectral: &Spectral,
        mode: Mode,
    ) -> Result<Recorded, TchError> {
        let inputs = inputs(spectra, layer);
        let weight = self.layer_tensor(index, 0);
        let convolved = tch::no_grad(|| spectral.convolve(&inputs, weight))?;
        let size = convolved.size();
        // Batch norm sees one row per pixel.
        let convolved = convolved.f_view([-1, size[3]])?.f_set_requires_grad(true)?;
        let output = self.normalise(index, &convolved, mode)?.f_view(&size[..])?;
        let is_pooled = self.architecture.output.contains(&(index + 1));
        Ok(Recorded {
            convolved,
            pooled: is_pooled.then(|| mean(&output, [0, 1])).transpose()?,
            output,
        })
    }

    fn is_read_by_a_layer(&self, number: usize) -> bool {
        !self.connections.readers[number].is_empty()
    }

    /// Gradient of each parameter (`None` if it has no influence on `loss`), for a `loss` of the
    /// logits of the pass on `tape`.
    pub(super) fn spectral_gradients(
        &self,
        spectral: &Spectral,
        mut tape: Tape,
        loss: &Tensor,
    ) -> Result<Vec<Option<Tensor>>, TchError> {
        let classifier = self.first_tensors[self.architecture.layers.len()];
        let [weight, bias] = [classifier, classifier + 1].map(|at| self.parameters.tensor(at));
        let [features, of_weight, of_bias] = backward(&[loss], [&tape.features, weight, bias])?;
        if !features.defined() {
            return Err(TchError::Torch(
                "the loss does not depend on the network's latest forward pass".to_owned(),
            ));
        }
        let of_pooled = self.split(&features)?;
        let mut gradients: Vec<Option<Tensor>> = (0..classifier).map(|_| None).collect();
        gradients.extend([Some(of_weight), Some(of_bias)]);
        // By layer number: the spectrum of the gradient of its convolution's result.
        let mut results: Vec<Option<Tensor>> = tape.spectra.iter().map(|_| None).collect();
        for number in (0..=self.architecture.layers.len()).rev() {
            let spectrum = tape.spectra[number].take();
            let of_output = match spectrum {
                Some(spectrum) => tch::no_grad(|| {
                    self.gradient_of_read(spectral, (number, spectrum), &results, &mut gradients)
                })?,
                None => None,
            };
            self.release_results(&mut results, number);
            let recorded = number.checked_sub(1).and_then(|at| tape.layers[at].take());
            let Some(recorded) = recorded else { continue };
            let loss = recorded.stand_in(of_output, of_pooled.get(&number))?;
            let [scale, shift] = [1, 2].map(|which| self.layer_tensor(number - 1, which));
            let [of_convolved, of_scale, of_shift] = backward(
                &loss.iter().collect::<Vec<_>>(),
                [&recorded.convolved, scale, shift],
            )?;
            let size = recorded.output.size();
            drop((loss, recorded));
            let of_convolved = of_convolved.f_contiguous()?.f_view(&size[..])?;
            results[number] = Some(tch::no_grad(|| spectral.transform(&of_convolved))?);
            let first = self.first_tensors[number - 1];
            gradients[first] = Some(self.parameters.tensor(first).f_zeros_like()?);
            gradients[first + 1] = Some(of_scale);
            gradients[first + 2] = Some(of_shift);
        }
        Ok(gradients)
    }

    /// The gradient of the output `[H, W, N, C]` of layer `number` (unless it is the image), given the
    /// layer's `spectrum` and those of its readers' `results`; the gradients of their weights for its
    /// channels go to `gradients`.
    fn gradient_of_read(
        &self,
        spectral: &Spectral,
        (number, mut spectrum): (usize, Tensor),
        results: &[Option<Tensor>],
        gradients: &mut [Option<Tensor>],
    ) -> Result<Option<Tensor>, TchError> {
        let mut readers = Vec::new();
        for &(index, start) in &self.connections.readers[number] {
            let Some(gradient) = &results[index + 1] else {
                continue;
            };
            let reader = Reader {
                gradient,
                weight: self.layer_tensor(index, 0),
                channels: start..start + self.connections.channels[number],
            };
            readers.push((self.first_tensors[index], reader));
        }
        if readers.is_empty() {
            return Ok(None);
        }
        let (tensors, readers): (Vec<_>, Vec<_>) = readers.into_iter().unzip();
        let is_layer = number > 0;
        let of_weights = spectral.gradients(&mut spectrum, &readers, is_layer)?;
        for ((tensor, reader), of_weight) in tensors.into_iter().zip(&readers).zip(of_weights) {
            if let Some(gradient) = &gradients[tensor] {
                let Range { start, end } = reader.channels;
                gradient
                    .f_narrow(1, start, end - start)?
                    .f_copy_(&of_weight)?;
            }
        }
        is_layer
            .then(|| spectral.transform_back(&spectrum))
            .transpose()
    }

    /// Drop the gradients of results whose first input is layer `number`: no other is left.
    fn release_results(&self, results: &mut [Option<Tensor>], number: usize) {
        for &reader in &self.connections.first_of[number] {
            results[reader] = None;
        }
    }

    /// The gradient of each layer's pooled output, by layer number.
    fn split(&self, features: &Tensor) -> Result<HashMap<usize, Tensor>, TchError> {
        let (mut start, mut parts) = (0, HashMap::new());
        for &number in &self.architecture.output {
            let channels = self.connections.channels[number];
            parts.insert(number, features.f_narrow(1, start, channels)?);
            start += channels;
        }
        Ok(parts)
    }
}

/// Gradients of the sum of `losses` for `leaves`.
fn backward<const N: usize>(
    losses: &[&Tensor],
    leaves: [&Tensor; N],
) -> Result<[Tensor; N], TchError> {
    let gradients = Tensor::f_run_backward(losses, &leaves, false, false)?;
    gradients
        .try_into()
        .map_err(|_| TchError::Torch("libtorch returned another number of gradients".to_owned()))
}

/// The spectra that `layer` reads.
fn inputs<'spectra>(spectra: &'spectra [Option<Tensor>], layer: &Layer) -> Vec<&'spectra Tensor> {
    let spectrum = |&input: &usize| {
        spectra[input]
            .as_ref()
            .expect("a spectrum is kept until its last reader has run")
    };
    layer.inputs.iter().map(spectrum).collect()
}

/// Mean over height and width.
fn mean(tensor: &Tensor, dimensions: [i64; 2]) -> Result<Tensor, TchError> {
    tensor.f_mean_dim(dimensions.as_slice(), false, None::<Kind>)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::child::Plan;
    use crate::config::Decode;
    use crate::space::resolve_architecture;

    #[test]
    fn a_forward_pass_keeps_as_much_as_the_estimated_memory_of_training_says() {
        let nascnn15 = resolve_architecture("nascnn15", Decode::Literal, [3, 16, 16], 10).unwrap();
        let plan = Plan::spectral(&nascnn15).unwrap();
        let memory = |images| plan.training_memory(&nascnn15, images).unwrap() as f64;
        let network = Network::new(&nascnn15, plan.clone(), tch::Device::Cpu).unwrap();
        let images = Tensor::randn([3, 3, 16, 16], (Kind::Float, tch::Device::Cpu));
        let _ = network.forward(&images, Mode::Train).unwrap();
        let tape = network.tape.take().unwrap();
        let layers = tape.layers.iter().flatten();
        let kept = tape
            .spectra
            .iter()
            .flatten()
            .chain(layers.flat_map(|layer| [&layer.convolved, &layer.output]));
        let kept: usize = kept.map(|tensor| 4 * tensor.numel()).sum();
        // (The gradients of some spectra come on top before the others are freed, and half is added for
        // what else a process needs.)
        let ratio = kept as f64 / (memory(3) - memory(0));
        assert!((0.5..0.7).contains(&ratio), "{ratio}");
    }
}
