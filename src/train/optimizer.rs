//! Stochastic gradient descent with momentum, as torch.optim.SGD computes it.

use tch::{Device, Kind, TchError, Tensor};

use crate::config::ChildConfig;

/// SGD with (Nesterov) momentum and weight decay over one vector of parameters: five kernels per
/// step on a GPU, eight operations on the CPU.
#[derive(Debug)]
pub struct Sgd {
    /// Running sum of gradients, `[P]`; zero before the first step.
    velocity: Tensor,
    settings: SgdSettings,
    momentum: Factor,
    weight_decay: Factor,
    /// The negative learning rate.
    stride: Factor,
}

/// Settings of stochastic gradient descent with momentum, as in PyTorch's `SGD`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SgdSettings {
    /// Fraction of the velocity that a step keeps.
    pub momentum: f64,
    /// Whether the momentum is Nesterov's.
    pub nesterov: bool,
    /// Weight decay (L2), applied to every parameter, see [`Sgd::decay_only`].
    pub weight_decay: f64,
}

impl From<&ChildConfig> for SgdSettings {
    fn from(
        &ChildConfig {
            momentum,
            nesterov,
            weight_decay,
            ..
        }: &ChildConfig,
    ) -> Self {
        SgdSettings {
            momentum,
            nesterov,
            weight_decay,
        }
    }
}

impl Sgd {
    /// For the vector `values` (`[P]`).
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn new(values: &Tensor, settings: SgdSettings) -> Result<Sgd, TchError> {
        let factor = |value| Factor::new(value, values.device());
        Ok(Sgd {
            velocity: values.f_zeros_like()?,
            settings,
            momentum: factor(settings.momentum)?,
            weight_decay: factor(settings.weight_decay)?,
            stride: factor(0.0)?,
        })
    }

    /// Let only the values decay whose place in `mask` (`[P]`) is 1; the others' is 0.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn decay_only(&mut self, mask: &Tensor) -> Result<(), TchError> {
        let each = mask.f_mul_scalar(self.weight_decay.value)?;
        self.weight_decay.tensor = Some(each);
        Ok(())
    }

    /// `[P]`: the state of the optimiser, which can be saved, or written to in order to restore it.
    pub fn velocity(&self) -> &Tensor {
        &self.velocity
    }

    /// Move `values` against `gradient` (both `[P]`). All memory is allocated before anything is
    /// changed: if it is not available, velocity and values are unchanged.
    ///
    /// # Errors
    /// Errors of libtorch, for example if memory runs out.
    pub fn step(
        &mut self,
        values: &Tensor,
        gradient: Tensor,
        learning_rate: f64,
    ) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        let SgdSettings {
            momentum,
            nesterov,
            weight_decay,
        } = self.settings;
        if self.stride.value != -learning_rate {
            self.stride = Factor::new(-learning_rate, values.device())?;
        }
        let (mut values, mut direction) = (values.shallow_clone(), gradient);
        let product = if self.stride.tensor.is_some() {
            None
        } else {
            Some(values.f_empty_like()?)
        };
        if weight_decay != 0.0 {
            self.weight_decay
                .add_times(&values, &mut direction, product.as_ref())?;
        }
        let _ = self.velocity.f_mul_scalar_(momentum)?.f_add_(&direction)?;
        if nesterov {
            self.momentum
                .add_times(&self.velocity, &mut direction, product.as_ref())?;
        }
        self.stride.add_times(
            if nesterov { &direction } else { &self.velocity },
            &mut values,
            product.as_ref(),
        )
    }
}

/// A number to multiply by.
#[derive(Debug)]
struct Factor {
    value: f64,
    /// The same as `[1]`, f32, for devices where one kernel multiplies and adds (on the CPU that
    /// would round once where PyTorch's optimiser rounds twice); or `[P]`, a factor for each value.
    tensor: Option<Tensor>,
}

impl Factor {
    fn new(value: f64, device: Device) -> Result<Factor, TchError> {
        let fused = || Tensor::f_full([1], value, (Kind::Float, device));
        Ok(Factor {
            value,
            tensor: (device != Device::Cpu).then(fused).transpose()?,
        })
    }

    /// Add `values` times this factor to `sum`. If that takes two operations, the products are
    /// first written to `product`.
    fn add_times(
        &self,
        values: &Tensor,
        sum: &mut Tensor,
        product: Option<&Tensor>,
    ) -> Result<(), TchError> {
        match (&self.tensor, product) {
            (Some(factor), None) => sum.f_addcmul_(values, factor).map(drop),
            (Some(factor), Some(product)) => {
                sum.f_add_(&values.f_mul_out(product, factor)?).map(drop)
            }
            (None, Some(product)) => sum
                .f_add_(&values.f_mul_scalar_out(product, self.value)?)
                .map(drop),
            (None, None) => sum.f_add_(&values.f_mul_scalar(self.value)?).map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same as separate operations, as torch.optim.SGD computes it.
    fn step_by_step(
        values: &Tensor,
        velocity: &Tensor,
        gradient: &Tensor,
        settings: SgdSettings,
        rate: f64,
    ) -> (Tensor, Tensor) {
        let gradient = gradient + values * settings.weight_decay;
        let velocity = velocity * settings.momentum + &gradient;
        let direction = if settings.nesterov {
            &velocity * settings.momentum + gradient
        } else {
            velocity.shallow_clone()
        };
        (values - direction * rate, velocity)
    }

    fn fuse(optimizer: &mut Sgd) {
        for factor in [
            &mut optimizer.momentum,
            &mut optimizer.weight_decay,
            &mut optimizer.stride,
        ] {
            factor.tensor = Some(Tensor::full([1], factor.value, (Kind::Float, Device::Cpu)));
        }
    }

    fn difference(one: &Tensor, other: &Tensor) -> f64 {
        (one - other).abs().max().double_value(&[])
    }

    #[test]
    fn a_step_is_bit_identical_to_separate_operations_and_fused_nearly_so() {
        tch::manual_seed(3);
        let random = || Tensor::randn([1_003], (Kind::Float, Device::Cpu));
        for (nesterov, fused) in [(false, false), (true, false), (false, true), (true, true)] {
            let settings = SgdSettings {
                momentum: 0.9,
                nesterov,
                weight_decay: 1e-4,
            };
            let values = random();
            let mut optimizer = Sgd::new(&values, settings).unwrap();
            for rate in [0.1, 0.1, 0.033] {
                let gradient = random();
                let expected =
                    step_by_step(&values, optimizer.velocity(), &gradient, settings, rate);
                optimizer.stride = Factor::new(-rate, Device::Cpu).unwrap();
                if fused {
                    fuse(&mut optimizer);
                }
                optimizer.step(&values, gradient, rate).unwrap();
                let off = difference(&values, &expected.0)
                    .max(difference(optimizer.velocity(), &expected.1));
                assert!(off <= if fused { 1e-6 } else { 0.0 }, "{off}");
            }
        }
    }

    #[test]
    fn only_the_values_of_the_mask_decay_and_those_as_without_one() {
        tch::manual_seed(4);
        let random = || Tensor::randn([64], (Kind::Float, Device::Cpu));
        let settings = SgdSettings {
            momentum: 0.9,
            nesterov: true,
            weight_decay: 0.05,
        };
        let without = SgdSettings {
            weight_decay: 0.0,
            ..settings
        };
        let mask = Tensor::from_slice(&[1f32, 0.0].repeat(32));
        let start = random();
        let steps: Vec<Tensor> = (0..3).map(|_| random()).collect();
        let trained = |settings, mask: Option<&Tensor>| {
            let values = start.copy();
            let mut optimizer = Sgd::new(&values, settings).unwrap();
            if let Some(mask) = mask {
                optimizer.decay_only(mask).unwrap();
            }
            for gradient in &steps {
                optimizer.step(&values, gradient.copy(), 0.1).unwrap();
            }
            values
        };
        let masked = trained(settings, Some(&mask));
        let expected = trained(settings, None).where_self(&mask.gt(0.0), &trained(without, None));
        assert_eq!(masked, expected);
    }
}
