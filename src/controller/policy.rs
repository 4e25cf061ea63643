//! The policy network: a multi-layer LSTM that reads the previous choice and outputs the
//! distribution of the next.

use super::anchor::Anchor;
use super::evaluation::{EvaluatedDecision, Evaluation, Loss, Place};
use super::linear::{add_derivatives, add_product, add_scaled};
use super::lstm::{Input, Steps};
use super::parameters::{HeadOutput, Parameters, Part};
use crate::config::ControllerConfig;
use crate::event::Choice;
use crate::space::{Decision, Head};
use crate::strategy::Sample;
use crate::strategy::sample::{count, entropy_of, masked_log_softmax};

/// Steps of the LSTM that are kept at most between two children (about 4 kB each with 35 units).
const MOST_STEPS: usize = 20_000;

/// The network `pi_theta` (paper, section 3.1): the embedding of the previous choice (initially of
/// a start token) goes through the LSTM, and the head of the next decision turns the top hidden
/// state into logits. The LSTM's state is carried through all decisions of all layers.
///
/// In a space with skip connections each layer ends with an anchor point (section 3.3): a single
/// step of the LSTM at which all connections of the layer are decided, independently of one
/// another.
#[derive(Debug, Clone)]
pub struct Policy {
    parameters: Parameters,
    /// Steps with these parameters.
    steps: Steps,
}

/// The way of one child through the steps of the LSTM.
#[derive(Default)]
struct Walk {
    /// The latest step.
    step: Option<usize>,
    /// The steps at the anchors so far.
    anchors: Vec<usize>,
    /// Number of connections decided at the latest anchor.
    decided: usize,
    /// The steps at the anchors of the layers chosen there.
    taken: Vec<usize>,
}

impl Policy {
    /// A network with these heads. Every parameter, including biases and embeddings, is uniform in
    /// `±init_range` (paper, section 4.1: 0.08), drawn from `seed`.
    pub fn new(config: &ControllerConfig, heads: &[Head], seed: u64) -> Self {
        Policy {
            parameters: Parameters::new(config, heads, seed),
            steps: Steps::default(),
        }
    }

    pub(super) fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Change the values of the parameters.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut [f64])) {
        change(&mut self.parameters.values);
        self.steps = Steps::default();
    }

    /// Number of options of each head.
    pub fn options(&self) -> Vec<usize> {
        let options = |head: &HeadOutput| match head {
            HeadOutput::Options { bias, .. } => bias.of(&self.parameters.values).len(),
            HeadOutput::Anchor(_) => 2,
        };
        self.parameters.heads.iter().map(options).collect()
    }

    /// The head at an anchor point; `None` in a space without skip connections.
    fn anchor_head(&self) -> Option<usize> {
        (0..self.parameters.heads.len()).find(|head| self.anchor(*head).is_some())
    }

    /// A head that decides at an anchor point.
    fn anchor(&self, head: usize) -> Option<Anchor> {
        match self.parameters.heads[head] {
            HeadOutput::Options { .. } => None,
            HeadOutput::Anchor(anchor) => Some(anchor),
        }
    }

    /// A sampler for one child: given the next decision and the previous choice, it returns the log
    /// of the masked distribution (`-inf` for infeasible options). It must be called once for every
    /// decision, in order.
    pub fn sampler(&mut self) -> impl FnMut(&Decision, Option<&Choice>) -> Vec<f64> {
        if self.steps.len() > MOST_STEPS {
            self.steps = Steps::default();
        }
        let mut walk = Walk::default();
        move |next, previous| {
            let place = self.place(&mut walk, next.layer, next.head, previous);
            masked_log_softmax(&self.logits(next.head, place), &next.feasible)
        }
    }

    /// Log-probabilities and entropies of children sampled earlier.
    pub fn evaluate(&mut self, samples: &[&Sample]) -> Evaluation {
        let mut decisions = Vec::new();
        for (child, sample) in samples.iter().enumerate() {
            let open = sample
                .feasible
                .iter()
                .filter(|mask| count(mask) > 1)
                .count() as f64;
            let mut walk = Walk::default();
            let mut previous = None;
            let choices = sample.choices.iter().zip(&sample.feasible);
            for (position, (choice, feasible)) in choices.enumerate() {
                let place = self.place(&mut walk, choice.layer, choice.head, previous);
                let log_probs = masked_log_softmax(&self.logits(choice.head, place), feasible);
                decisions.push(EvaluatedDecision {
                    child,
                    position,
                    head: choice.head,
                    place,
                    chosen: choice.index,
                    entropy: entropy_of(&log_probs),
                    log_probs,
                    entropy_weight: match count(feasible) {
                        0 | 1 => 0.0,
                        options => 1.0 / ((options as f64).ln() * open),
                    },
                });
                previous = Some(choice);
            }
        }
        Evaluation {
            children: samples.len(),
            decisions,
        }
    }

    /// Derivatives of a loss of `evaluation`, the latest, with respect to the parameters.
    pub(super) fn gradient(&self, evaluation: &Evaluation, loss: &Loss) -> Vec<f64> {
        let parameters = &self.parameters;
        let mut gradient = vec![0.0; parameters.values.len()];
        let mut of_states = self.steps.derivatives(parameters);
        for (decision, derivatives) in evaluation.decisions.iter().zip(&loss.derivatives) {
            let of_logits = decision.of_logits(derivatives);
            let Place { step, earlier } = decision.place;
            let hidden = self.steps.hidden(step, parameters);
            match (parameters.heads[decision.head], earlier) {
                (HeadOutput::Options { weight, bias }, _) => {
                    add_scaled(bias.of_mut(&mut gradient), &of_logits, 1.0);
                    let matrix = (weight.of(&parameters.values), weight.of_mut(&mut gradient));
                    add_derivatives(&of_logits, matrix, (hidden, of_states.of_top(step)));
                }
                (HeadOutput::Anchor(anchor), earlier) => {
                    let earlier = earlier.unwrap_or(step);
                    let states = [self.steps.hidden(earlier, parameters), hidden];
                    let values = &parameters.values;
                    let [of_earlier, of_current] =
                        anchor.derivatives(values, of_logits[1], states, &mut gradient);
                    add_scaled(of_states.of_top(earlier), &of_earlier, 1.0);
                    add_scaled(of_states.of_top(step), &of_current, 1.0);
                }
            }
        }
        self.steps.backward(of_states, parameters, &mut gradient);
        gradient
    }

    /// Where the next decision of a child, made by `head` for `layer`, is read. Called once for each
    /// decision, with the choice before it.
    fn place(
        &mut self,
        walk: &mut Walk,
        layer: usize,
        head: usize,
        previous: Option<&Choice>,
    ) -> Place {
        let connection = previous.filter(|choice| self.anchor(choice.head).is_some());
        if connection.is_some_and(|choice| choice.index == 1) {
            walk.taken.push(walk.anchors[walk.decided - 1]);
        }
        let is_first = previous.is_none_or(|choice| choice.layer != layer);
        // All connections of a layer are decided in one step.
        if connection.is_none() || is_first {
            let mut input = previous.map_or(self.parameters.start, |choice| self.embedding(choice));
            let mut means = None;
            if let Some(anchor) = self
                .anchor_head()
                .filter(|_| is_first && previous.is_some())
            {
                if connection.is_none() {
                    // The anchor of layer 1 has nothing to decide.
                    let step = self.step(walk, Input::Embedding(input));
                    walk.anchors.push(step);
                }
                input = self.parameters.embeddings[anchor];
                means = Some(std::mem::take(&mut walk.taken)).filter(|taken| !taken.is_empty());
                walk.decided = 0;
            }
            let step = self.step(walk, means.map_or(Input::Embedding(input), Input::Mean));
            if self.anchor(head).is_some() {
                walk.anchors.push(step);
            }
        }
        let step = walk.step.unwrap_or_default();
        let earlier = self.anchor(head).map(|_| {
            walk.decided += 1;
            walk.anchors[walk.decided - 1]
        });
        Place { step, earlier }
    }

    fn step(&mut self, walk: &mut Walk, input: Input) -> usize {
        let step = self.steps.after(walk.step, input, &self.parameters);
        walk.step = Some(step);
        step
    }

    /// Embedding of a choice, `[H]`.
    fn embedding(&self, choice: &Choice) -> Part {
        let table = self.parameters.embeddings[choice.head];
        table.row(choice.index, self.parameters.hidden_size)
    }

    fn logits(&self, head: usize, place: Place) -> Vec<f64> {
        let values = &self.parameters.values;
        let hidden = |step| self.steps.hidden(step, &self.parameters);
        match self.parameters.heads[head] {
            HeadOutput::Options { weight, bias } => {
                let mut logits = bias.of(values).to_vec();
                add_product(&mut logits, weight.of(values), hidden(place.step));
                logits
            }
            HeadOutput::Anchor(anchor) => {
                let earlier = place.earlier.unwrap_or(place.step);
                anchor.logits(values, hidden(earlier), hidden(place.step))
            }
        }
    }
}
