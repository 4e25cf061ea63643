//! Adam (Kingma & Ba 2014) over a list of parameters, with moments that can be saved and restored
//! exactly.

use std::collections::BTreeSet;

use super::parameters::Parameters;
use crate::strategy::{StateTensor, StrategyError, StrategyState};

/// Decay of the first and of the second moment, and the epsilon of the denominator: PyTorch's
/// defaults.
const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Adam as in `torch.optim.Adam` (without weight decay or AMSGrad).
#[derive(Debug, Clone)]
pub(super) struct Adam {
    learning_rate: f64,
    steps: u64,
    /// Running means of the gradient and of its square, in the order of the parameters.
    mean: Vec<f64>,
    square: Vec<f64>,
}

impl Adam {
    /// An optimiser of this number of parameters.
    pub fn new(learning_rate: f64, parameters: usize) -> Self {
        Adam {
            learning_rate,
            steps: 0,
            mean: vec![0.0; parameters],
            square: vec![0.0; parameters],
        }
    }

    /// Move every parameter against its gradient.
    pub fn step(&mut self, parameters: &mut [f64], gradient: &[f64]) {
        self.steps += 1;
        let correction1 = 1.0 - BETA1.powi(self.steps as i32);
        let correction2 = (1.0 - BETA2.powi(self.steps as i32)).sqrt();
        let rate = self.learning_rate / correction1;
        let moments = self.mean.iter_mut().zip(&mut self.square);
        for ((parameter, slope), (mean, square)) in parameters.iter_mut().zip(gradient).zip(moments)
        {
            *mean = *mean * BETA1 + slope * (1.0 - BETA1);
            *square = *square * BETA2 + slope * slope * (1.0 - BETA2);
            *parameter -= rate * *mean / (square.sqrt() / correction2 + EPSILON);
        }
    }

    /// Add moments and step count to a strategy's state.
    pub fn save(&self, parameters: &Parameters, state: &mut StrategyState) {
        state
            .scalars
            .insert("adam.steps".to_owned(), serde_json::json!(self.steps));
        save(parameters, &self.mean, mean_name, state);
        save(parameters, &self.square, square_name, state);
    }

    /// The optimiser that [`Adam::save`] wrote; `learning_rate` is that of `self`.
    ///
    /// # Errors
    /// If a moment or the number of steps is missing in `state`, or a moment has another shape or
    /// is not finite.
    pub fn load(
        &self,
        parameters: &Parameters,
        state: &StrategyState,
    ) -> Result<Adam, StrategyError> {
        Ok(Adam {
            learning_rate: self.learning_rate,
            mean: load(parameters, mean_name, state)?,
            square: load(parameters, square_name, state)?,
            steps: state.scalar("adam.steps")?,
        })
    }
}

fn mean_name(parameter: &str) -> String {
    format!("adam.mean.{parameter}")
}

fn square_name(parameter: &str) -> String {
    format!("adam.square.{parameter}")
}

/// Add a tensor for each of the parameters' to a strategy's state. `values` are as many as the
/// parameters, and in their order.
pub(super) fn save(
    parameters: &Parameters,
    values: &[f64],
    name_of: impl Fn(&str) -> String,
    state: &mut StrategyState,
) {
    for (name, shape, part) in &parameters.tensors {
        let tensor = StateTensor {
            shape: shape.clone(),
            values: part.of(values).to_vec(),
        };
        state.tensors.insert(name_of(name), tensor);
    }
}

/// The values that [`save`] wrote.
pub(super) fn load(
    parameters: &Parameters,
    name_of: impl Fn(&str) -> String,
    state: &StrategyState,
) -> Result<Vec<f64>, StrategyError> {
    let mut values = Vec::with_capacity(parameters.values.len());
    for (name, shape, _) in &parameters.tensors {
        values.extend_from_slice(state.tensor(&name_of(name), shape)?);
    }
    Ok(values)
}

/// Names of all tensors in a state of these parameters.
pub(super) fn state_names(parameters: &Parameters) -> BTreeSet<String> {
    let names = parameters.tensors.iter().map(|(name, ..)| name);
    names
        .flat_map(|name| [name.clone(), mean_name(name), square_name(name)])
        .collect()
}
