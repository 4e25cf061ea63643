//! The policy network: a multi-layer LSTM that reads the previous choice and outputs the
//! distribution of the next.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use tch::{Device, Kind, Tensor, no_grad};

use super::anchor::{Anchor, after_anchor};
use super::evaluation::{Evaluation, Taken};
use super::steps::Steps;
use crate::config::ControllerConfig;
use crate::event::Choice;
use crate::space::{Decision, Head};
use crate::strategy::Sample;
use crate::strategy::sample::masked_log_softmax;

pub(super) const KIND: Kind = Kind::Double;

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

/// Computes the logits of one head from a hidden state.
#[derive(Debug)]
enum HeadOutput {
    /// A linear layer for `C` options.
    Options {
        /// `[C, H]`
        weight: Tensor,
        /// `[C]`
        bias: Tensor,
    },
    /// An anchor point (see [`anchor`](super::anchor)).
    Anchor(Anchor),
}

/// The network `pi_theta` (paper, section 3.1): the embedding of the previous choice (initially of
/// a start token) goes through the LSTM, and the head of the next decision turns the top hidden
/// state into logits. The LSTM's state is carried through all decisions of all layers.
///
/// In a space with skip connections each layer ends with an anchor point (section 3.3): a single
/// step of the LSTM at which all connections of the layer are decided, independently of one
/// another.
#[derive(Debug)]
pub struct Policy {
    hidden_size: i64,
    /// `[1, H]`
    start: Tensor,
    /// One table `[C, H]` per head; for an anchor `[1, H]`, read after an anchor that chose no
    /// layer.
    embeddings: Vec<Tensor>,
    cells: Vec<Cell>,
    heads: Vec<HeadOutput>,
}

/// Hidden and cell state of each LSTM layer, `[B, H]` each.
struct LstmState(Vec<(Tensor, Tensor)>);

impl Policy {
    /// A network with these heads. Every parameter, including biases and embeddings, is uniform in
    /// `±init_range` (paper, section 4.1: 0.08), drawn from `seed` in the order of
    /// [`Policy::parameters`].
    pub fn new(config: &ControllerConfig, heads: &[Head], seed: u64) -> Self {
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
            embeddings: heads
                .iter()
                .map(|head| match head.kind.is_connection() {
                    true => uniform(&[1, hidden]),
                    false => uniform(&[head.options.len() as i64, hidden]),
                })
                .collect(),
            cells: (0..config.layers)
                .map(|_| Cell {
                    weight_ih: uniform(&[4 * hidden, hidden]),
                    weight_hh: uniform(&[4 * hidden, hidden]),
                    bias_ih: uniform(&[4 * hidden]),
                    bias_hh: uniform(&[4 * hidden]),
                })
                .collect(),
            heads: heads
                .iter()
                .map(|head| match head.kind.is_connection() {
                    true => HeadOutput::Anchor(Anchor::new(hidden, &mut uniform)),
                    false => HeadOutput::Options {
                        weight: uniform(&[head.options.len() as i64, hidden]),
                        bias: uniform(&[head.options.len() as i64]),
                    },
                })
                .collect(),
        }
    }

    /// Every parameter with its name in the equivalent PyTorch network, in a fixed order.
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
            match head {
                HeadOutput::Options { weight, bias } => {
                    all.push((format!("heads.{number}.weight"), weight));
                    all.push((format!("heads.{number}.bias"), bias));
                }
                HeadOutput::Anchor(anchor) => all.extend(
                    anchor
                        .parameters()
                        .map(|(name, tensor)| (format!("heads.{number}.{name}"), tensor)),
                ),
            }
        }
        all
    }

    /// Number of options of each head.
    pub fn options(&self) -> Vec<usize> {
        let options = |head: &HeadOutput| match head {
            HeadOutput::Options { bias, .. } => bias.size()[0] as usize,
            HeadOutput::Anchor(_) => 2,
        };
        self.heads.iter().map(options).collect()
    }

    /// The head at an anchor point; `None` in a space without skip connections.
    fn anchor(&self) -> Option<(usize, &Anchor)> {
        let mut heads = self.heads.iter().enumerate();
        heads.find_map(|(number, head)| match head {
            HeadOutput::Options { .. } => None,
            HeadOutput::Anchor(anchor) => Some((number, anchor)),
        })
    }

    /// Whether a head decides at an anchor point.
    fn is_anchor(&self, head: usize) -> bool {
        matches!(self.heads[head], HeadOutput::Anchor(_))
    }

    /// A sampler for one child: given the next decision and the previous choice, it returns the log
    /// of the masked distribution (`-inf` for infeasible options), without gradient. It must be
    /// called once for every decision, in order.
    pub fn sampler(&self) -> impl FnMut(&Decision, Option<&Choice>) -> Vec<f64> {
        let table = no_grad(|| self.embedding_table());
        let mut state = self.initial_state(1);
        // Hidden states at the anchors so far, the number of connections decided at the last
        // anchor, and which of them were chosen.
        let (mut anchors, mut decided, mut taken) = (Vec::<Tensor>::new(), 0, Vec::<usize>::new());
        move |next, previous| {
            no_grad(|| {
                let connection = previous.filter(|choice| self.is_anchor(choice.head));
                taken
                    .extend(connection.and_then(|choice| (choice.index == 1).then(|| decided - 1)));
                let is_first = previous.is_none_or(|choice| choice.layer != next.layer);
                let hidden = match connection {
                    // All connections of a layer are decided in one step.
                    Some(_) if !is_first => None,
                    _ => {
                        let read = previous.map_or(0, |choice| self.row(choice));
                        let mut input = table.narrow(0, read, 1);
                        if let Some((head, _)) = self.anchor().filter(|_| is_first && read > 0) {
                            if connection.is_none() {
                                // The anchor of layer 1 has nothing to decide.
                                anchors.push(self.step(input, &mut state));
                            }
                            let chosen: Vec<&Tensor> =
                                taken.drain(..).map(|layer| &anchors[layer]).collect();
                            input = match chosen[..] {
                                [] => table.narrow(0, self.first_row(head), 1),
                                _ => Tensor::stack(&chosen, 0).mean_dim(0, false, KIND),
                            };
                            decided = 0;
                        }
                        Some(self.step(input, &mut state))
                    }
                };
                let logits = match (&self.heads[next.head], hidden) {
                    (HeadOutput::Options { weight, bias }, Some(hidden)) => {
                        hidden.linear(weight, Some(bias))
                    }
                    (HeadOutput::Options { .. }, None) => {
                        unreachable!("sizes come before connections")
                    }
                    (HeadOutput::Anchor(anchor), hidden) => {
                        anchors.extend(hidden);
                        decided += 1;
                        anchor.logits(&anchors[decided - 1], &anchors[anchors.len() - 1])
                    }
                };
                let mut values = vec![0.0; next.feasible.len()];
                logits.copy_data(&mut values, next.feasible.len());
                masked_log_softmax(&values, &next.feasible)
            })
        }
    }

    /// Log-probabilities and entropies of children sampled earlier, in one batch, under autograd.
    pub fn evaluate(&self, samples: &[&Sample]) -> Evaluation {
        let is_connection = |choice: &Choice| self.is_anchor(choice.head);
        let steps = Steps::new(samples, self.anchor().is_some(), is_connection);
        let hidden = self.hidden_states(samples, &steps);
        let zeros = Tensor::zeros([samples.len() as i64], (KIND, Device::Cpu));
        let mut evaluation = Evaluation {
            log_prob: zeros.shallow_clone(),
            entropy: zeros.shallow_clone(),
            relative_entropy: zeros,
            decisions: Tensor::zeros([0], (KIND, Device::Cpu)),
            places: Vec::new(),
        };
        let mut decisions = Vec::new();
        for (number, head) in self.heads.iter().enumerate() {
            let taken = Taken::of_head(samples, &steps, number);
            if taken.rows.is_empty() {
                continue;
            }
            let child = Tensor::from_slice(&taken.children);
            let chosen = Tensor::from_slice(&taken.chosen).unsqueeze(1);
            let infeasible =
                Tensor::from_slice(&taken.infeasible).reshape([taken.rows.len() as i64, -1]);
            let states = |rows: &[i64]| hidden.index_select(0, &Tensor::from_slice(rows));
            let logits = match head {
                HeadOutput::Options { weight, bias } => {
                    states(&taken.rows).linear(weight, Some(bias))
                }
                HeadOutput::Anchor(anchor) => {
                    anchor.logits(&states(&taken.earlier), &states(&taken.rows))
                }
            };
            let log_probs = logits
                .masked_fill(&infeasible, f64::NEG_INFINITY)
                .log_softmax(-1, None::<Kind>);
            // p log p is 0 if p is 0; computed as -inf * 0 it would be NaN.
            let finite = log_probs.masked_fill(&infeasible, 0.0);
            let entropy = -(log_probs.exp() * finite).sum_dim_intlist(-1, false, None::<Kind>);
            let log_prob = log_probs.gather(1, &chosen, false).squeeze_dim(1);
            evaluation.log_prob = evaluation.log_prob.index_add(0, &child, &log_prob);
            evaluation.entropy = evaluation.entropy.index_add(0, &child, &entropy);
            let relative = entropy * Tensor::from_slice(&taken.entropy_weights);
            evaluation.relative_entropy =
                evaluation.relative_entropy.index_add(0, &child, &relative);
            decisions.push(log_prob);
            evaluation.places.extend(taken.places);
        }
        if !decisions.is_empty() {
            evaluation.decisions = Tensor::cat(&decisions, 0);
        }
        evaluation
    }

    /// Top hidden state of every child at every step of the LSTM, `[T * B, H]`, in rows `t * B +
    /// child`. Shorter children read the start token after their end; those rows are not used.
    fn hidden_states(&self, samples: &[&Sample], steps: &Steps) -> Tensor {
        let input = |step: usize, sample: &Sample| match step
            .checked_sub(1)
            .and_then(|before| steps.choice_at(before, sample))
        {
            Some(choice) => self.row(choice),
            None => 0,
        };
        let rows: Vec<i64> = (0..steps.count())
            .flat_map(|step| samples.iter().map(move |sample| input(step, sample)))
            .collect();
        let table = self.embedding_table();
        let inputs = table.index_select(0, &Tensor::from_slice(&rows));
        let mut state = self.initial_state(samples.len() as i64);
        let mut hidden: Vec<Tensor> = Vec::with_capacity(steps.count());
        for (step, input) in inputs
            .chunk(steps.count() as i64, 0)
            .into_iter()
            .enumerate()
        {
            let input = match (self.anchor(), steps.anchor_before(step)) {
                (Some((head, _)), Some(anchor)) => {
                    let anchors: Vec<&Tensor> = (1..anchor.layer)
                        .map(|layer| &hidden[steps.of_anchor(layer)])
                        .collect();
                    let nothing = table.narrow(0, self.first_row(head), 1);
                    after_anchor(&steps.taken(anchor, samples), &anchors, &nothing)
                }
                _ => input,
            };
            hidden.push(self.step(input, &mut state));
        }
        Tensor::cat(&hidden, 0)
    }

    /// The start token and every head's embeddings, stacked: `[1 + sum of C, H]`.
    fn embedding_table(&self) -> Tensor {
        let tables: Vec<&Tensor> = std::iter::once(&self.start)
            .chain(&self.embeddings)
            .collect();
        Tensor::cat(&tables, 0)
    }

    /// Row of a choice in [`Policy::embedding_table`]; an anchor has only one row.
    fn row(&self, choice: &Choice) -> i64 {
        let place = if self.is_anchor(choice.head) {
            0
        } else {
            choice.index as i64
        };
        self.first_row(choice.head) + place
    }

    /// First row of a head in [`Policy::embedding_table`].
    fn first_row(&self, head: usize) -> i64 {
        let before = self.embeddings[..head].iter();
        1 + before.map(|table| table.size()[0]).sum::<i64>()
    }

    fn initial_state(&self, batch: i64) -> LstmState {
        let zeros = || Tensor::zeros([batch, self.hidden_size], (KIND, Device::Cpu));
        LstmState(self.cells.iter().map(|_| (zeros(), zeros())).collect())
    }

    /// One step of the LSTM: input `[B, H]` to top hidden state `[B, H]`.
    fn step(&self, input: Tensor, state: &mut LstmState) -> Tensor {
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
