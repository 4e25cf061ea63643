//! The steps of the LSTM over many children, and their derivatives (backpropagation through time).
//!
//! Children with the same first choices share the steps up to there: the steps form a tree, and
//! each is computed once for all children of an episode, for sampling them as well as for learning
//! from them.

use super::linear::{add_derivatives, add_product, add_scaled};
use super::parameters::{Parameters, Part};

/// What a step reads.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Input {
    /// A vector of the parameters: the start token or an embedding.
    Embedding(Part),
    /// The mean of the top hidden states of these earlier steps.
    Mean(Vec<usize>),
}

/// The steps that were taken with the current parameters. Each is known by its number, from 0, which
/// is greater than those of the steps before it.
#[derive(Debug, Clone, Default)]
pub(super) struct Steps {
    steps: Vec<Step>,
    /// For each step and layer the values of [`LayerValues`].
    values: Vec<f64>,
}

#[derive(Debug, Clone)]
struct Step {
    before: Option<usize>,
    input: Input,
    /// Steps that follow this one in some child.
    next: Vec<usize>,
}

/// The values of one layer at one step.
struct LayerValues<'a> {
    /// After their activation functions, `[4 H]`: input, forget, cell, output.
    gates: &'a [f64],
    /// `[H]`
    cell: &'a [f64],
    /// The hyperbolic tangent of `cell`, `[H]`.
    tanh: &'a [f64],
    /// `[H]`
    hidden: &'a [f64],
}

/// Number of values per unit in [`LayerValues`].
const PER_UNIT: usize = 7;

impl<'a> LayerValues<'a> {
    fn of(block: &'a [f64]) -> LayerValues<'a> {
        let size = block.len() / PER_UNIT;
        LayerValues {
            gates: &block[..4 * size],
            cell: &block[4 * size..5 * size],
            tanh: &block[5 * size..6 * size],
            hidden: &block[6 * size..],
        }
    }
}

/// Derivatives with respect to the states of each step, `[steps, layers, 2, H]`: hidden, then cell.
pub(super) struct StateDerivatives {
    values: Vec<f64>,
    layers: usize,
    size: usize,
}

impl StateDerivatives {
    /// That with respect to the top hidden state of `step`, `[H]`.
    pub fn of_top(&mut self, step: usize) -> &mut [f64] {
        let first = (step * self.layers + self.layers - 1) * 2 * self.size;
        &mut self.values[first..first + self.size]
    }
}

impl Steps {
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// The step that reads `input` after the step `before`, or at the start.
    pub fn after(&mut self, before: Option<usize>, input: Input, parameters: &Parameters) -> usize {
        let known = match before {
            Some(before) => &self.steps[before].next[..],
            None if self.steps.is_empty() => &[],
            None => &[0],
        };
        let known = known.iter().find(|step| self.steps[**step].input == input);
        if let Some(step) = known {
            return *step;
        }
        self.compute(before, &input, parameters);
        let number = self.steps.len();
        if let Some(before) = before {
            self.steps[before].next.push(number);
        }
        self.steps.push(Step {
            before,
            input,
            next: Vec::new(),
        });
        number
    }

    /// The top hidden state of a step, `[H]`.
    pub fn hidden(&self, step: usize, parameters: &Parameters) -> &[f64] {
        self.layer(step, parameters.cells.len() - 1, parameters)
            .hidden
    }

    fn layer(&self, step: usize, layer: usize, parameters: &Parameters) -> LayerValues<'_> {
        let length = PER_UNIT * parameters.hidden_size;
        let first = (step * parameters.cells.len() + layer) * length;
        LayerValues::of(&self.values[first..first + length])
    }

    /// What a step with this input reads, `[H]`.
    fn read(&self, input: &Input, parameters: &Parameters) -> Vec<f64> {
        match input {
            Input::Embedding(part) => part.of(&parameters.values).to_vec(),
            Input::Mean(steps) => {
                let mut mean = vec![0.0; parameters.hidden_size];
                for step in steps {
                    let share = 1.0 / steps.len() as f64;
                    add_scaled(&mut mean, self.hidden(*step, parameters), share);
                }
                mean
            }
        }
    }

    /// Append the values of a new step.
    fn compute(&mut self, before: Option<usize>, input: &Input, parameters: &Parameters) {
        let (weights, size) = (&parameters.values[..], parameters.hidden_size);
        let length = PER_UNIT * size;
        let mut read = self.read(input, parameters);
        for (layer, cell) in parameters.cells.iter().enumerate() {
            let mut block = vec![0.0; length];
            let (gates, state) = block.split_at_mut(4 * size);
            add_scaled(gates, cell.bias_ih.of(weights), 1.0);
            add_scaled(gates, cell.bias_hh.of(weights), 1.0);
            add_product(gates, cell.weight_ih.of(weights), &read);
            let before = before.map(|before| self.layer(before, layer, parameters));
            if let Some(before) = &before {
                add_product(gates, cell.weight_hh.of(weights), before.hidden);
            }
            for (number, gate) in gates.iter_mut().enumerate() {
                *gate = match number / size {
                    2 => gate.tanh(),
                    _ => 1.0 / (1.0 + (-*gate).exp()),
                };
            }
            for unit in 0..size {
                let [input, forget, new, output] =
                    [0, 1, 2, 3].map(|gate| gates[gate * size + unit]);
                let kept = before
                    .as_ref()
                    .map_or(0.0, |before| forget * before.cell[unit]);
                let memory = kept + input * new;
                let tanh = memory.tanh();
                state[unit] = memory;
                state[size + unit] = tanh;
                state[2 * size + unit] = output * tanh;
            }
            read.copy_from_slice(&state[2 * size..]);
            self.values.extend(block);
        }
    }

    /// Derivatives of 0 with respect to every state.
    pub fn derivatives(&self, parameters: &Parameters) -> StateDerivatives {
        let (layers, size) = (parameters.cells.len(), parameters.hidden_size);
        StateDerivatives {
            values: vec![0.0; self.steps.len() * layers * 2 * size],
            layers,
            size,
        }
    }

    /// Add the derivatives with respect to the parameters to `gradient`, given those with respect to
    /// the top hidden states as far as they are read by heads.
    pub fn backward(
        &self,
        mut of_states: StateDerivatives,
        parameters: &Parameters,
        gradient: &mut [f64],
    ) {
        for (number, step) in self.steps.iter().enumerate().rev() {
            let of_input = self.step_backward(number, &mut of_states, parameters, gradient);
            match &step.input {
                Input::Embedding(part) => add_scaled(part.of_mut(gradient), &of_input, 1.0),
                Input::Mean(steps) => {
                    let share = 1.0 / steps.len() as f64;
                    for step in steps {
                        add_scaled(of_states.of_top(*step), &of_input, share);
                    }
                }
            }
        }
    }

    /// The derivatives of one step: those with respect to the parameters and to the states of the
    /// step before are added, that with respect to what it reads is returned.
    fn step_backward(
        &self,
        number: usize,
        of_states: &mut StateDerivatives,
        parameters: &Parameters,
        gradient: &mut [f64],
    ) -> Vec<f64> {
        let (weights, size) = (&parameters.values[..], parameters.hidden_size);
        let stride = 2 * size * parameters.cells.len();
        let (of_earlier, of_this) = of_states.values.split_at_mut(number * stride);
        let before = self.steps[number].before;
        let mut of_gates = vec![0.0; 4 * size];
        // The derivative with respect to what the layer above reads.
        let mut of_read = vec![0.0; size];
        for (layer, cell) in parameters.cells.iter().enumerate().rev() {
            let values = self.layer(number, layer, parameters);
            let states = before.map(|before| self.layer(before, layer, parameters));
            let of_this = &mut of_this[2 * size * layer..][..2 * size];
            let (of_hidden, of_cell) = of_this.split_at_mut(size);
            for unit in 0..size {
                let [input, forget, new, output] =
                    [0, 1, 2, 3].map(|gate| values.gates[gate * size + unit]);
                let tanh = values.tanh[unit];
                let of_hidden = of_hidden[unit] + of_read[unit];
                let of_memory = of_cell[unit] + of_hidden * output * (1.0 - tanh * tanh);
                let earlier = states.as_ref().map_or(0.0, |states| states.cell[unit]);
                of_gates[unit] = of_memory * new * input * (1.0 - input);
                of_gates[size + unit] = of_memory * earlier * forget * (1.0 - forget);
                of_gates[2 * size + unit] = of_memory * input * (1.0 - new * new);
                of_gates[3 * size + unit] = of_hidden * tanh * output * (1.0 - output);
                // From here on with respect to the cell of the step before.
                of_cell[unit] = of_memory * forget;
            }
            add_scaled(cell.bias_ih.of_mut(gradient), &of_gates, 1.0);
            add_scaled(cell.bias_hh.of_mut(gradient), &of_gates, 1.0);
            if let (Some(before), Some(states)) = (before, states) {
                let of_before = &mut of_earlier[before * stride + 2 * size * layer..][..2 * size];
                let (of_hidden_before, of_cell_before) = of_before.split_at_mut(size);
                add_scaled(of_cell_before, of_cell, 1.0);
                let matrix = cell.weight_hh;
                let matrix = (matrix.of(weights), matrix.of_mut(gradient));
                add_derivatives(&of_gates, matrix, (states.hidden, of_hidden_before));
            }
            let below = layer.checked_sub(1);
            let read = match below {
                Some(below) => self.layer(number, below, parameters).hidden.to_vec(),
                None => self.read(&self.steps[number].input, parameters),
            };
            of_read.fill(0.0);
            let matrix = cell.weight_ih;
            let matrix = (matrix.of(weights), matrix.of_mut(gradient));
            add_derivatives(&of_gates, matrix, (&read, &mut of_read));
        }
        of_read
    }
}
