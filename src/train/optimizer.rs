//! Stochastic gradient descent with momentum, as torch.optim.SGD computes it.

use tch::{TchError, Tensor};

use crate::config::ChildConfig;

/// SGD with (Nesterov) momentum and weight decay over one vector of parameters.
#[derive(Debug)]
pub struct Sgd {
    /// Running sum of gradients, `[P]`; zero before the first step.
    velocity: Tensor,
    momentum: f64,
    nesterov: bool,
    weight_decay: f64,
}

impl Sgd {
    /// For the vector `values` (`[P]`).
    pub fn new(values: &Tensor, config: &ChildConfig) -> Result<Sgd, TchError> {
        let ChildConfig { momentum, nesterov, weight_decay, .. } = *config;
        Ok(Sgd { velocity: values.f_zeros_like()?, momentum, nesterov, weight_decay })
    }

    /// Move `values` against `gradient` (both `[P]`).
    pub fn step(&mut self, values: &Tensor, gradient: Tensor, learning_rate: f64) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        let (mut values, mut direction) = (values.shallow_clone(), gradient);
        if self.weight_decay != 0.0 {
            let _ = direction.f_add_(&values.f_mul_scalar(self.weight_decay)?)?;
        }
        let _ = self.velocity.f_mul_scalar_(self.momentum)?.f_add_(&direction)?;
        if self.nesterov {
            let _ = direction.f_add_(&self.velocity.f_mul_scalar(self.momentum)?)?;
        } else {
            direction.f_copy_(&self.velocity)?;
        }
        let _ = values.f_sub_(&direction.f_mul_scalar_(learning_rate)?)?;
        Ok(())
    }
}
