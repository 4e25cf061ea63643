//! Stochastic gradient descent with momentum, as torch.optim.SGD computes it.

use tch::{TchError, Tensor};

use crate::config::{ChildConfig, Recipe};

/// SGD with (Nesterov) momentum and weight decay over one vector of parameters.
#[derive(Debug)]
pub struct Sgd {
    /// Running sum of gradients, `[P]`; zero before the first step.
    velocity: Tensor,
    settings: SgdSettings,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SgdSettings {
    pub momentum: f64,
    pub nesterov: bool,
    pub weight_decay: f64,
}

impl From<&ChildConfig> for SgdSettings {
    fn from(&ChildConfig { momentum, nesterov, weight_decay, .. }: &ChildConfig) -> Self {
        SgdSettings { momentum, nesterov, weight_decay }
    }
}

impl From<&Recipe> for SgdSettings {
    fn from(&Recipe { momentum, nesterov, weight_decay, .. }: &Recipe) -> Self {
        SgdSettings { momentum, nesterov, weight_decay }
    }
}

impl Sgd {
    /// For the vector `values` (`[P]`).
    pub fn new(values: &Tensor, settings: SgdSettings) -> Result<Sgd, TchError> {
        Ok(Sgd { velocity: values.f_zeros_like()?, settings })
    }

    /// `[P]`: the state of the optimiser, to be saved, or written to when it is restored.
    pub fn velocity(&self) -> &Tensor {
        &self.velocity
    }

    /// Move `values` against `gradient` (both `[P]`). The only memory it takes, it takes before anything is changed: where that
    /// is not to be had, velocity and values are as they were.
    pub fn step(&mut self, values: &Tensor, gradient: Tensor, learning_rate: f64) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        let SgdSettings { momentum, nesterov, weight_decay } = self.settings;
        let (mut values, mut direction) = (values.shallow_clone(), gradient);
        let scratch = values.f_mul_scalar(weight_decay)?;
        if weight_decay != 0.0 {
            let _ = direction.f_add_(&scratch)?;
        }
        let _ = self.velocity.f_mul_scalar_(momentum)?.f_add_(&direction)?;
        if nesterov {
            let _ = direction.f_add_(&self.velocity.f_mul_scalar_out(&scratch, momentum)?)?;
        } else {
            direction.f_copy_(&self.velocity)?;
        }
        let _ = values.f_sub_(&direction.f_mul_scalar_(learning_rate)?)?;
        Ok(())
    }
}
