//! Muon: momentum whose matrices are made orthogonal, for the kernels of convolutions.
//!
//! A kernel `[O, C, kh, kw]` is a matrix `[O, C·kh·kw]`. Its momentum has a few large singular values and
//! many small ones; a step in which all of them are about 1 moves every direction of the kernel equally far
//! (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"). Each kernel keeps its
//! norm, as in the code of Jordan's airbench (arXiv 2404.00498), where that is √O: batch norm follows every
//! convolution, so only the kernel's direction matters. There is therefore nothing to decay.

use tch::{TchError, Tensor};

use crate::child::{KernelPlace, Network};
use crate::config::Optimizer;

/// The quintic of the Newton-Schulz iteration: `a x + b x³ + c x⁵`, steep at 0, and near 1 within a few
/// iterations for all x in 0..1 (Jordan et al. 2024).
const QUINTIC: [f64; 3] = [3.4445, -4.7750, 2.0315];
const ITERATIONS: usize = 5;
/// Keeps a gradient or a kernel of zeros from dividing by zero.
const TINY: f64 = 1e-12;

/// The part of an optimiser that moves the kernels of convolutions. A kernel of zeros stays as it is.
#[derive(Debug)]
pub struct Muon {
    kernels: Vec<KernelPlace>,
    /// Length of a step per unit of the learning rate, for a kernel with the norm √O.
    rate: f64,
    momentum: f64,
    is_nesterov: bool,
}

/// New kernels and their velocities, not yet in their places.
#[derive(Debug)]
pub struct Update<'muon> {
    kernels: &'muon [KernelPlace],
    /// Of each kernel: its values and its velocity, as matrices.
    moved: Vec<[Tensor; 2]>,
}

impl Muon {
    /// For the kernels of `network`, if that is what `optimizer` says; `peak` is the learning rate at
    /// which the kernels' is [`Optimizer::Muon::rate`].
    pub fn new(
        optimizer: Optimizer,
        peak: f64,
        is_nesterov: bool,
        network: &Network,
    ) -> Option<Muon> {
        let Optimizer::Muon { rate, momentum } = optimizer else {
            return None;
        };
        Some(Muon {
            kernels: network.parameters().kernels(),
            rate: rate / peak,
            momentum,
            is_nesterov,
        })
    }

    /// Where the kernels go with this `gradient` from `values`, with `velocity` (`[S]` each). Nothing is
    /// changed until the update is [applied](Update::apply).
    ///
    /// # Errors
    /// Errors of libtorch, for example if memory runs out.
    pub fn update(
        &self,
        [values, velocity, gradient]: [&Tensor; 3],
        learning_rate: f64,
    ) -> Result<Update<'_>, TchError> {
        let _guard = tch::no_grad_guard();
        let step = self.rate * learning_rate;
        let moved = |place: &KernelPlace| {
            let [kernel, velocity, gradient] =
                [values, velocity, gradient].map(|vector| place.matrix_in(vector));
            let (kernel, gradient) = (kernel?, gradient?);
            let velocity = velocity?.f_mul_scalar(self.momentum)?.f_add(&gradient)?;
            let direction = if self.is_nesterov {
                orthogonal(&velocity.f_mul_scalar(self.momentum)?.f_add(&gradient)?)?
            } else {
                orthogonal(&velocity)?
            };
            let norm = kernel.f_norm()?;
            let length = norm.f_mul_scalar(-step / (place.filters as f64).sqrt())?;
            let kernel = kernel.f_add(&direction.f_mul(&length)?)?;
            let scale = norm.f_div(&kernel.f_norm()?.f_clamp_min(TINY)?)?;
            Ok([kernel.f_mul(&scale)?, velocity])
        };
        Ok(Update {
            kernels: &self.kernels,
            moved: self
                .kernels
                .iter()
                .map(moved)
                .collect::<Result<_, TchError>>()?,
        })
    }
}

impl Update<'_> {
    /// Put kernels and velocities in their places in `values` and `velocity` (`[S]`).
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn apply(&self, values: &Tensor, velocity: &Tensor) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        for (place, [kernel, speed]) in self.kernels.iter().zip(&self.moved) {
            place.matrix_in(values)?.f_copy_(kernel)?;
            place.matrix_in(velocity)?.f_copy_(speed)?;
        }
        Ok(())
    }
}

/// The matrix with the singular vectors of `matrix` (`[m, n]`) whose singular values are about 1 (0.7 to
/// 1.2, except for those that are nearly 0 in it): an approximation of `U Vᵀ` that takes only matrix products.
fn orthogonal(matrix: &Tensor) -> Result<Tensor, TchError> {
    let is_tall = matrix.size()[0] > matrix.size()[1];
    let wide = if is_tall {
        matrix.f_tr()?
    } else {
        matrix.shallow_clone()
    };
    let [a, b, c] = QUINTIC;
    let mut sum = wide.f_div(&wide.f_norm()?.f_clamp_min(TINY)?)?;
    for _ in 0..ITERATIONS {
        let square = sum.f_matmul(&sum.f_tr()?)?;
        let factor = square
            .f_mul_scalar(b)?
            .f_add(&square.f_matmul(&square)?.f_mul_scalar(c)?)?;
        sum = sum.f_mul_scalar(a)?.f_add(&factor.f_matmul(&sum)?)?;
    }
    if is_tall { sum.f_tr() } else { Ok(sum) }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::child::Plan;
    use crate::config::{Recipe, WeightAverage};
    use crate::data::Layout;
    use crate::space::Architecture;
    use crate::train::fit::tests::{data, fit_planned, fit_with};
    use crate::train::{Fit, FitState, Metrics};

    fn random(size: [i64; 2]) -> Tensor {
        Tensor::randn(size, (Kind::Double, Device::Cpu))
    }

    fn largest(tensor: &Tensor) -> f64 {
        tensor.abs().max().double_value(&[])
    }

    #[test]
    fn a_matrix_keeps_its_singular_vectors_and_its_singular_values_become_about_1() {
        tch::manual_seed(1);
        for size in [[6, 40], [40, 6], [8, 8]] {
            let matrix = random(size);
            let result = orthogonal(&matrix).unwrap();
            assert!(
                largest(&(&result - by_singular_values(&matrix))) < 1e-10,
                "{size:?}"
            );
            let (_, values, _) = matrix.svd(true, true);
            let (_, changed, _) = result.svd(true, true);
            let is_large = values.ge(0.02 * matrix.norm().double_value(&[]));
            let large = is_large.sum(Kind::Int64).int64_value(&[]);
            assert!(large > 3, "{size:?}");
            let near_one = (&changed - 0.95).abs().lt(0.27).sum(Kind::Int64);
            assert!(near_one.int64_value(&[]) >= large, "{size:?}: {changed}");
        }
    }

    #[test]
    fn a_gradient_of_zeros_has_no_direction() {
        let zeros = Tensor::zeros([4, 9], (Kind::Float, Device::Cpu));
        assert_eq!(orthogonal(&zeros).unwrap(), zeros);
    }

    /// `U p(S) Vᵀ`, where `p` is what the iteration does to each singular value.
    fn by_singular_values(matrix: &Tensor) -> Tensor {
        let (left, values, right) = matrix.svd(true, true);
        let [a, b, c] = QUINTIC;
        let mut values = values / matrix.norm();
        for _ in 0..ITERATIONS {
            values =
                &values * a + values.pow_tensor_scalar(3) * b + values.pow_tensor_scalar(5) * c;
        }
        left.matmul(&values.diag(0)).matmul(&right.tr())
    }

    #[test]
    fn steps_are_those_of_the_definition() {
        let data = data();
        for is_nesterov in [false, true] {
            tch::manual_seed(5);
            let fit = fit_with(&data, &recipe(Optimizer::Sgd));
            let muon = Muon::new(MUON, 0.1, is_nesterov, fit.network()).unwrap();
            let values = fit.network().parameters().values();
            let velocity = values.zeros_like();
            let kernel = |vector: &Tensor| muon.kernels[1].matrix_in(vector).unwrap().copy();
            let (mut expected, mut speed) = (kernel(values), kernel(&velocity));
            for rate in [0.1, 0.05, 0.1] {
                let gradient = values.randn_like();
                let norm = expected.norm();
                speed = speed * 0.8 + kernel(&gradient);
                let momentum = if is_nesterov {
                    &speed * 0.8 + kernel(&gradient)
                } else {
                    speed.copy()
                };
                let step = &norm * (0.04 * rate / 0.1 / 6f64.sqrt());
                expected -= by_singular_values(&momentum) * step;
                expected = &expected * (norm / expected.norm());
                let update = muon.update([values, &velocity, &gradient], rate).unwrap();
                update.apply(values, &velocity).unwrap();
                assert!(largest(&(kernel(values) - &expected)) < 1e-5);
                assert!(largest(&(kernel(&velocity) - &speed)) < 1e-5);
            }
        }
    }

    #[test]
    fn filters_that_were_added_stay_zero_and_change_nothing() {
        let data = data();
        let trained = |plan: fn(&Architecture) -> Plan| {
            tch::manual_seed(6);
            let mut fit = fit_planned(&data, &recipe(MUON), plan);
            let mut epoch = fit.epoch(1, 0, Metrics::default()).unwrap();
            fit.step(&mut epoch, 0.1).unwrap();
            fit.step(&mut epoch, 0.1).unwrap();
            let parameters = fit.network().parameters();
            let named = parameters.named(parameters.values()).unwrap();
            let own: Vec<Tensor> = named.iter().map(|(_, tensor)| tensor.copy()).collect();
            let added = parameters.kernels().into_iter().map(|place| {
                let matrix = place.matrix_in(parameters.values()).unwrap();
                let filters = matrix.size()[0];
                matrix
                    .narrow(0, place.filters, filters - place.filters)
                    .copy()
            });
            (own, added.collect::<Vec<Tensor>>())
        };
        let (plain, none) = trained(|network| Plan::plain(network, Layout::Contiguous));
        let (filled, added) = trained(|network| Plan::filled(network, Layout::ChannelsLast));
        assert!(none.iter().all(|rows| rows.numel() == 0));
        assert!(
            added
                .iter()
                .all(|rows| rows.numel() > 0 && largest(rows) == 0.0)
        );
        for (plain, filled) in plain.iter().zip(&filled) {
            assert!(largest(&(plain - filled)) < 1e-4);
        }
    }

    fn recipe(optimizer: Optimizer) -> Recipe {
        Recipe {
            learning_rate: 0.1,
            momentum: 0.9,
            nesterov: true,
            weight_decay: 1e-2,
            optimizer,
            ..Recipe::default()
        }
    }

    const MUON: Optimizer = Optimizer::Muon {
        rate: 0.04,
        momentum: 0.8,
    };

    fn trained(
        optimizer: Optimizer,
        steps: usize,
        learning_rate: f64,
    ) -> [Vec<(String, Tensor)>; 2] {
        let data = data();
        tch::manual_seed(1);
        let mut fit = fit_with(&data, &recipe(optimizer));
        let named = |fit: &Fit| {
            let parameters = fit.network().parameters();
            let named = parameters.named(parameters.values()).unwrap();
            let own = |(name, tensor): (&str, Tensor)| (name.to_owned(), tensor.copy());
            named.into_iter().map(own).collect()
        };
        let before = named(&fit);
        let mut epoch = fit.epoch(1, 0, Metrics::default()).unwrap();
        for _ in 0..steps {
            fit.step(&mut epoch, learning_rate).unwrap();
        }
        [before, named(&fit)]
    }

    #[test]
    fn a_step_turns_each_kernel_by_the_rate_and_keeps_its_norm() {
        // At half of the highest learning rate, half of the kernels' rate.
        let [before, after] = trained(MUON, 1, 0.05);
        let mut kernels = 0;
        for ((name, before), (_, after)) in before.iter().zip(&after) {
            if before.dim() != 4 {
                continue;
            }
            kernels += 1;
            let norm = before.norm().double_value(&[]);
            let moved = (after - before).norm().double_value(&[]) / norm;
            let off = (after.norm().double_value(&[]) - norm).abs();
            assert!(off < 1e-5 * norm, "{name}");
            // All six singular values are about 1, so the direction's norm is about √6.
            assert!((0.6..1.3).contains(&(moved / 0.02)), "{name}: {moved}");
        }
        assert_eq!(kernels, 2);
    }

    #[test]
    fn the_first_step_of_everything_else_is_that_of_sgd() {
        let [_, muon] = trained(MUON, 1, 0.1);
        let [_, sgd] = trained(Optimizer::Sgd, 1, 0.1);
        for ((name, muon), (_, sgd)) in muon.iter().zip(&sgd) {
            assert_eq!(muon == sgd, muon.dim() != 4, "{name}");
        }
    }

    #[test]
    fn a_restored_state_goes_on_as_if_never_interrupted() {
        let data = data();
        let settings = Recipe {
            weight_average: WeightAverage::LastHalfEpoch,
            ..recipe(MUON)
        };
        let steps = |fit: &mut Fit, from: usize| {
            let mut epoch = fit.epoch(1, from, Metrics::default()).unwrap();
            fit.step(&mut epoch, 0.1).unwrap();
        };
        tch::manual_seed(1);
        let mut whole = fit_with(&data, &settings);
        steps(&mut whole, 0);
        let state = FitState::of(&whole).unwrap();
        steps(&mut whole, 1);
        tch::manual_seed(2);
        let mut resumed = fit_with(&data, &settings);
        state.restore(&resumed).unwrap();
        steps(&mut resumed, 1);
        assert_eq!(
            whole.network().parameters().values(),
            resumed.network().parameters().values()
        );
    }
}
