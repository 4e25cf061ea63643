//! Sampled children evaluated with the current policy, and the decisions that each head made.

use tch::Tensor;

use super::steps::Steps;
use crate::strategy::Sample;
use crate::strategy::sample::count;

/// An evaluation of sampled children with the current weights, differentiable.
#[derive(Debug)]
pub struct Evaluation {
    /// Sum of the masked log-probabilities of each child's choices, `[B]`, nats.
    pub log_prob: Tensor,
    /// Sum of the entropies of each child's masked distributions, `[B]`, nats.
    pub entropy: Tensor,
    /// Mean over each child's decisions of the entropy divided by that of the uniform distribution
    /// over the feasible options, `[B]`, 0 to 1. Decisions with only one option do not count.
    pub relative_entropy: Tensor,
    /// Log-probability of each decision of all children, `[D]`, nats.
    pub decisions: Tensor,
    /// For each of them the child and the position of the decision in it, both from 0.
    pub places: Vec<(usize, usize)>,
}

/// The decisions made by one head over a batch of children.
#[derive(Default)]
pub(super) struct Taken {
    /// Rows in the hidden states.
    pub(super) rows: Vec<i64>,
    /// For an anchor: the rows of the earlier layers' anchors.
    pub(super) earlier: Vec<i64>,
    pub(super) children: Vec<i64>,
    /// The child, and the position of the decision in it, both from 0.
    pub(super) places: Vec<(usize, usize)>,
    pub(super) chosen: Vec<i64>,
    /// One flag per decision and option.
    pub(super) infeasible: Vec<bool>,
    /// Factor that turns an entropy into its share of the child's mean relative entropy.
    pub(super) entropy_weights: Vec<f64>,
}

impl Taken {
    /// The decisions made by `head` over `samples`.
    pub(super) fn of_head(samples: &[&Sample], steps: &Steps, head: usize) -> Taken {
        let mut taken = Taken::default();
        for (child, sample) in samples.iter().enumerate() {
            let row = |step: usize| (step * samples.len() + child) as i64;
            let open = sample.feasible.iter().filter(|mask| count(mask) > 1);
            let open = open.count() as f64;
            for (place, (choice, feasible)) in
                sample.choices.iter().zip(&sample.feasible).enumerate()
            {
                if choice.head == head {
                    taken.rows.push(row(steps.of_choice(place)));
                    taken.earlier.extend(steps.earlier(place).map(row));
                    taken.children.push(child as i64);
                    taken.places.push((child, place));
                    taken.chosen.push(choice.index as i64);
                    taken
                        .infeasible
                        .extend(feasible.iter().map(|feasible| !feasible));
                    taken.entropy_weights.push(match count(feasible) {
                        0 | 1 => 0.0,
                        options => 1.0 / ((options as f64).ln() * open),
                    });
                }
            }
        }
        taken
    }
}
