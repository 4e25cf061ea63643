//! The policy network: a multi-layer LSTM that reads the previous choice and gives the distribution
//! of the next.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use tch::{Device, Kind, Tensor, no_grad};

use crate::config::ControllerConfig;
use crate::event::Choice;
use crate::space::Decision;
use crate::strategy::Sample;
use crate::strategy::sample::masked_log_softmax;

const KIND: Kind = Kind::Double;

/// One layer of the LSTM, in PyTorch's layout (gates: input, forget, cell, output).
#[derive(Debug)]
struct Cell {
    /// `[4 H, H]`
    weight_ih: Tensor,
    /// `[4 H, H]`
    weight_hh: Tensor,
    /// `[4 H]`
    bias_ih: Tensor,
    /// `[4 H]`
    bias_hh: Tensor,
}

/// Output layer of one head with `C` options.
#[derive(Debug)]
struct Head {
    /// `[C, H]`
    weight: Tensor,
    /// `[C]`
    bias: Tensor,
}

/// The network `pi_theta` (paper, section 3.1): the embedding of the previous choice (of a start
/// token at first) goes through the LSTM, and the head of the next decision turns the top hidden
/// state into logits. The LSTM runs on over all decisions of all layers.
#[derive(Debug)]
pub struct Policy {
    hidden_size: i64,
    /// `[1, H]`
    start: Tensor,
    /// One table `[C, H]` per head.
    embeddings: Vec<Tensor>,
    cells: Vec<Cell>,
    heads: Vec<Head>,
}

/// Hidden and cell state of each LSTM layer, `[B, H]` each.
struct State(Vec<(Tensor, Tensor)>);

/// Sampled children under the present weights, differentiable.
#[derive(Debug)]
pub struct Evaluation {
    /// Sum of the masked log-probabilities of each child's choices, `[B]`, nats.
    pub log_prob: Tensor,
    /// Sum of the entropies of each child's masked distributions, `[B]`, nats.
    pub entropy: Tensor,
}

impl Policy {
    /// A network with one head for each number in `options`. Every parameter, biases and embeddings
    /// too, is uniform in `±init_range` (paper, section 4.1: 0.08), drawn from `seed` in the order
    /// of [`Policy::parameters`].
    pub fn new(config: &ControllerConfig, options: &[usize], seed: u64) -> Self {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let range = config.init_range;
        let mut uniform = |shape: &[i64]| {
            let count = shape.iter().product::<i64>();
            let values: Vec<f64> = (0..count)
                .map(|_| range * (2.0 * random.random::<f64>() - 1.0))
                .collect();
            Tensor::from_slice(&values)
                .reshape(shape)
                .set_requires_grad(true)
        };
        let hidden = config.hidden_size as i64;
        Policy {
            hidden_size: hidden,
            start: uniform(&[1, hidden]),
            embeddings: options
                .iter()
                .map(|&options| uniform(&[options as i64, hidden]))
                .collect(),
            cells: (0..config.layers)
                .map(|_| Cell {
                    weight_ih: uniform(&[4 * hidden, hidden]),
                    weight_hh: uniform(&[4 * hidden, hidden]),
                    bias_ih: uniform(&[4 * hidden]),
                    bias_hh: uniform(&[4 * hidden]),
                })
                .collect(),
            heads: options
                .iter()
                .map(|&options| Head {
                    weight: uniform(&[options as i64, hidden]),
                    bias: uniform(&[options as i64]),
                })
                .collect(),
        }
    }

    /// Every parameter under the name that the same network has in PyTorch, in a fixed order.
    pub fn parameters(&self) -> Vec<(String, &Tensor)> {
        let mut all = vec![("start".to_owned(), &self.start)];
        all.extend(
            self.embeddings
                .iter()
                .enumerate()
                .map(|(head, table)| (format!("embeddings.{head}.weight"), table)),
        );
        for (layer, cell) in self.cells.iter().enumerate() {
            all.push((format!("lstm.weight_ih_l{layer}"), &cell.weight_ih));
            all.push((format!("lstm.weight_hh_l{layer}"), &cell.weight_hh));
            all.push((format!("lstm.bias_ih_l{layer}"), &cell.bias_ih));
            all.push((format!("lstm.bias_hh_l{layer}"), &cell.bias_hh));
        }
        for (number, head) in self.heads.iter().enumerate() {
            all.push((format!("heads.{number}.weight"), &head.weight));
            all.push((format!("heads.{number}.bias"), &head.bias));
        }
        all
    }

    /// Number of options of each head.
    pub fn options(&self) -> Vec<usize> {
        self.embeddings
            .iter()
            .map(|table| table.size()[0] as usize)
            .collect()
    }

    /// A fresh child: gives, for the next decision and the choice before it, the log of the masked
    /// distribution (`-inf` for what cannot be built). Without gradient. Must be called once for
    /// every decision, in order.
    pub fn sampler(&self) -> impl FnMut(&Decision, Option<&Choice>) -> Vec<f64> {
        let table = no_grad(|| self.embedding_table());
        let mut state = self.initial_state(1);
        move |next, previous| {
            no_grad(|| {
                let input = table.narrow(0, previous.map_or(0, |choice| self.row(choice)), 1);
                let hidden = self.step(input, &mut state);
                let head = &self.heads[next.head];
                let logits = hidden.linear(&head.weight, Some(&head.bias));
                let mut values = vec![0.0; next.feasible.len()];
                logits.copy_data(&mut values, next.feasible.len());
                masked_log_softmax(&values, &next.feasible)
            })
        }
    }

    /// Log-probabilities and entropies of children sampled before, in one batch, under autograd.
    pub fn evaluate(&self, samples: &[&Sample]) -> Evaluation {
        let hidden = self.hidden_states(samples);
        let zeros = Tensor::zeros([samples.len() as i64], (KIND, Device::Cpu));
        let mut evaluation = Evaluation {
            log_prob: zeros.shallow_clone(),
            entropy: zeros,
        };
        for (number, head) in self.heads.iter().enumerate() {
            let taken = Taken::of_head(samples, number);
            if taken.rows.is_empty() {
                continue;
            }
            let child = Tensor::from_slice(&taken.children);
            let chosen = Tensor::from_slice(&taken.chosen).unsqueeze(1);
            let infeasible =
                Tensor::from_slice(&taken.infeasible).reshape([taken.rows.len() as i64, -1]);
            let logits = hidden
                .index_select(0, &Tensor::from_slice(&taken.rows))
                .linear(&head.weight, Some(&head.bias));
            let log_probs = logits
                .masked_fill(&infeasible, f64::NEG_INFINITY)
                .log_softmax(-1, None::<Kind>);
            // p log p is 0 where p is 0; as -inf * 0 it would be NaN.
            let finite = log_probs.masked_fill(&infeasible, 0.0);
            let entropy = -(log_probs.exp() * finite).sum_dim_intlist(-1, false, None::<Kind>);
            let log_prob = log_probs.gather(1, &chosen, false).squeeze_dim(1);
            evaluation.log_prob = evaluation.log_prob.index_add(0, &child, &log_prob);
            evaluation.entropy = evaluation.entropy.index_add(0, &child, &entropy);
        }
        evaluation
    }

    /// Top hidden state of every child before every decision, `[T * B, H]` with row `t * B +
    /// child`. Shorter children read the start token after their end; nothing looks at those rows.
    fn hidden_states(&self, samples: &[&Sample]) -> Tensor {
        let steps = samples
            .iter()
            .map(|sample| sample.choices.len())
            .max()
            .unwrap_or(0);
        let input = |step: usize, sample: &Sample| match step
            .checked_sub(1)
            .and_then(|before| sample.choices.get(before))
        {
            Some(choice) => self.row(choice),
            None => 0,
        };
        let rows: Vec<i64> = (0..steps)
            .flat_map(|step| samples.iter().map(move |sample| input(step, sample)))
            .collect();
        let inputs = self
            .embedding_table()
            .index_select(0, &Tensor::from_slice(&rows));
        let mut state = self.initial_state(samples.len() as i64);
        let hidden: Vec<Tensor> = inputs
            .chunk(steps as i64, 0)
            .into_iter()
            .map(|input| self.step(input, &mut state))
            .collect();
        Tensor::cat(&hidden, 0)
    }

    /// Start token and every head's embeddings under each other, `[1 + sum of C, H]`.
    fn embedding_table(&self) -> Tensor {
        let tables: Vec<&Tensor> = std::iter::once(&self.start)
            .chain(&self.embeddings)
            .collect();
        Tensor::cat(&tables, 0)
    }

    /// Row of a choice in [`Policy::embedding_table`].
    fn row(&self, choice: &Choice) -> i64 {
        1 + self.embeddings[..choice.head]
            .iter()
            .map(|table| table.size()[0])
            .sum::<i64>()
            + choice.index as i64
    }

    fn initial_state(&self, batch: i64) -> State {
        let zeros = || Tensor::zeros([batch, self.hidden_size], (KIND, Device::Cpu));
        State(self.cells.iter().map(|_| (zeros(), zeros())).collect())
    }

    /// One step of the LSTM: input `[B, H]` to top hidden state `[B, H]`.
    fn step(&self, input: Tensor, state: &mut State) -> Tensor {
        let mut input = input;
        for (cell, (hidden, memory)) in self.cells.iter().zip(&mut state.0) {
            let before = [&*hidden, &*memory];
            let (h, c) = input.lstm_cell(
                &before,
                &cell.weight_ih,
                &cell.weight_hh,
                Some(&cell.bias_ih),
                Some(&cell.bias_hh),
            );
            input = h.shallow_clone();
            (*hidden, *memory) = (h, c);
        }
        input
    }
}

/// The decisions that one head took over a batch of children.
#[derive(Default)]
struct Taken {
    /// Row in the hidden states.
    rows: Vec<i64>,
    children: Vec<i64>,
    chosen: Vec<i64>,
    /// One flag per decision and option.
    infeasible: Vec<bool>,
}

impl Taken {
    fn of_head(samples: &[&Sample], head: usize) -> Taken {
        let mut taken = Taken::default();
        for (child, sample) in samples.iter().enumerate() {
            for (step, (choice, feasible)) in
                sample.choices.iter().zip(&sample.feasible).enumerate()
            {
                if choice.head == head {
                    taken.rows.push((step * samples.len() + child) as i64);
                    taken.children.push(child as i64);
                    taken.chosen.push(choice.index as i64);
                    taken
                        .infeasible
                        .extend(feasible.iter().map(|feasible| !feasible));
                }
            }
        }
        taken
    }
}
