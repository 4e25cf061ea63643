//! Adam (Kingma & Ba 2014) over named parameters, with moments that can be saved and restored
//! exactly.

use std::collections::BTreeSet;

use tch::{Tensor, no_grad};

use crate::strategy::{StateTensor, StrategyError, StrategyState};

/// Decay of the first and of the second moment, and the epsilon of the denominator: PyTorch's
/// defaults.
const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Adam as in `torch.optim.Adam` (without weight decay or AMSGrad).
#[derive(Debug)]
pub struct Adam {
    learning_rate: f64,
    steps: u64,
    /// Running means of the gradient and of its square, in the order of the parameters.
    moments: Vec<(Tensor, Tensor)>,
}

impl Adam {
    /// An optimiser for these parameters, which every later call must pass in the same order.
    pub fn new(learning_rate: f64, parameters: &[(String, &Tensor)]) -> Self {
        let moments = parameters
            .iter()
            .map(|(_, parameter)| (parameter.zeros_like(), parameter.zeros_like()))
            .collect();
        Adam {
            learning_rate,
            steps: 0,
            moments,
        }
    }

    /// Move every parameter against its gradient.
    pub fn step(&mut self, parameters: &[(String, &Tensor)], gradients: &[Tensor]) {
        self.steps += 1;
        let correction1 = 1.0 - BETA1.powi(self.steps as i32);
        let correction2 = 1.0 - BETA2.powi(self.steps as i32);
        no_grad(|| {
            for (((_, parameter), gradient), (mean, square)) in
                parameters.iter().zip(gradients).zip(&mut self.moments)
            {
                *mean = &*mean * BETA1 + gradient * (1.0 - BETA1);
                *square = &*square * BETA2 + gradient * gradient * (1.0 - BETA2);
                let denominator = square.sqrt() / correction2.sqrt() + EPSILON;
                let change = &*mean / denominator * (-self.learning_rate / correction1);
                let _ = parameter.shallow_clone().g_add_(&change);
            }
        });
    }

    /// Add moments and step count to a strategy's state.
    pub fn save(&self, parameters: &[(String, &Tensor)], state: &mut StrategyState) {
        state
            .scalars
            .insert("adam.steps".to_owned(), serde_json::json!(self.steps));
        for ((name, _), (mean, square)) in parameters.iter().zip(&self.moments) {
            state.tensors.insert(mean_name(name), to_state(mean));
            state.tensors.insert(square_name(name), to_state(square));
        }
    }

    /// The optimiser that [`Adam::save`] wrote; `learning_rate` is that of `self`.
    ///
    /// # Errors
    /// If a moment or the number of steps is missing in `state`, or a moment has another shape or
    /// is not finite.
    pub fn load(
        &self,
        parameters: &[(String, &Tensor)],
        state: &StrategyState,
    ) -> Result<Adam, StrategyError> {
        let moments = parameters
            .iter()
            .map(|(name, parameter)| {
                let mean = from_state(state, &mean_name(name), &parameter.size())?;
                Ok((
                    mean,
                    from_state(state, &square_name(name), &parameter.size())?,
                ))
            })
            .collect::<Result<_, StrategyError>>()?;
        Ok(Adam {
            learning_rate: self.learning_rate,
            steps: state.scalar("adam.steps")?,
            moments,
        })
    }
}

fn mean_name(parameter: &str) -> String {
    format!("adam.mean.{parameter}")
}

fn square_name(parameter: &str) -> String {
    format!("adam.square.{parameter}")
}

/// A double tensor as plain data.
pub(super) fn to_state(tensor: &Tensor) -> StateTensor {
    let mut values = vec![0.0; tensor.numel()];
    let count = values.len();
    tensor.copy_data(&mut values, count);
    StateTensor {
        shape: tensor.size().iter().map(|&size| size as usize).collect(),
        values,
    }
}

/// The tensor with this name and shape from plain data.
pub(super) fn from_state(
    state: &StrategyState,
    name: &str,
    shape: &[i64],
) -> Result<Tensor, StrategyError> {
    let sizes: Vec<usize> = shape.iter().map(|&size| size as usize).collect();
    Ok(Tensor::from_slice(state.tensor(name, &sizes)?).reshape(shape))
}

/// Names of all tensors in a state of these parameters.
pub(super) fn state_names(parameters: &[(String, &Tensor)]) -> BTreeSet<String> {
    parameters
        .iter()
        .flat_map(|(name, _)| [name.clone(), mean_name(name), square_name(name)])
        .collect()
}
