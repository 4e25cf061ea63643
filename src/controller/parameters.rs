//! The parameters of the policy network: one list of numbers, and which part of it is what.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::anchor::Anchor;
use crate::config::ControllerConfig;
use crate::space::Head;

/// A part of the list of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    first: usize,
    length: usize,
}

impl Part {
    pub fn of(self, values: &[f64]) -> &[f64] {
        &values[self.first..self.first + self.length]
    }

    pub fn of_mut(self, values: &mut [f64]) -> &mut [f64] {
        &mut values[self.first..self.first + self.length]
    }

    /// Row `index` of a matrix with rows of this length.
    pub fn row(self, index: usize, length: usize) -> Part {
        Part {
            first: self.first + index * length,
            length,
        }
    }
}

/// One layer of the LSTM, in PyTorch's layout (gates: input, forget, cell, output).
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    /// `[4 H, H]`
    pub weight_ih: Part,
    /// `[4 H, H]`
    pub weight_hh: Part,
    /// `[4 H]`
    pub bias_ih: Part,
    /// `[4 H]`
    pub bias_hh: Part,
}

/// What computes the logits of one head from a hidden state.
#[derive(Debug, Clone, Copy)]
pub(super) enum HeadOutput {
    /// A linear layer for `C` options: `[C, H]` and `[C]`.
    Options { weight: Part, bias: Part },
    /// An anchor point (see [`anchor`](super::anchor)).
    Anchor(Anchor),
}

/// Every parameter of the network.
#[derive(Debug, Clone)]
pub(super) struct Parameters {
    pub values: Vec<f64>,
    /// Name in the equivalent PyTorch network, shape, and place of each tensor, in order.
    pub tensors: Vec<(String, Vec<usize>, Part)>,
    pub hidden_size: usize,
    /// `[1, H]`
    pub start: Part,
    /// One table `[C, H]` per head; for an anchor `[1, H]`, read after an anchor that chose no
    /// layer.
    pub embeddings: Vec<Part>,
    pub cells: Vec<Cell>,
    pub heads: Vec<HeadOutput>,
}

impl Parameters {
    /// Uniform in `±init_range`, drawn from `seed` in the order of the list.
    pub fn new(config: &ControllerConfig, heads: &[Head], seed: u64) -> Parameters {
        let hidden = config.hidden_size;
        let mut length = 0;
        let mut tensors: Vec<(String, Vec<usize>, Part)> = Vec::new();
        let mut tensor = |name: String, shape: &[usize]| {
            let part = Part {
                first: length,
                length: shape.iter().product(),
            };
            length += part.length;
            tensors.push((name, shape.to_vec(), part));
            part
        };
        let start = tensor("start".to_owned(), &[1, hidden]);
        let embeddings = heads.iter().enumerate().map(|(number, head)| {
            let rows = match head.kind.is_connection() {
                true => 1,
                false => head.options.len(),
            };
            tensor(format!("embeddings.{number}.weight"), &[rows, hidden])
        });
        let embeddings = embeddings.collect();
        let cells = (0..config.layers).map(|layer| Cell {
            weight_ih: tensor(format!("lstm.weight_ih_l{layer}"), &[4 * hidden, hidden]),
            weight_hh: tensor(format!("lstm.weight_hh_l{layer}"), &[4 * hidden, hidden]),
            bias_ih: tensor(format!("lstm.bias_ih_l{layer}"), &[4 * hidden]),
            bias_hh: tensor(format!("lstm.bias_hh_l{layer}"), &[4 * hidden]),
        });
        let cells = cells.collect();
        let heads = heads.iter().enumerate().map(|(number, head)| {
            let options = head.options.len();
            let mut of_head =
                |name: &str, shape: &[usize]| tensor(format!("heads.{number}.{name}"), shape);
            match head.kind.is_connection() {
                true => HeadOutput::Anchor(Anchor {
                    previous: of_head("w_prev.weight", &[hidden, hidden]),
                    current: of_head("w_curr.weight", &[hidden, hidden]),
                    vector: of_head("v.weight", &[1, hidden]),
                }),
                false => HeadOutput::Options {
                    weight: of_head("weight", &[options, hidden]),
                    bias: of_head("bias", &[options]),
                },
            }
        });
        let heads = heads.collect();
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let uniform = |_| config.init_range * (2.0 * random.random::<f64>() - 1.0);
        Parameters {
            values: (0..length).map(uniform).collect(),
            tensors,
            hidden_size: hidden,
            start,
            embeddings,
            cells,
            heads,
        }
    }
}
