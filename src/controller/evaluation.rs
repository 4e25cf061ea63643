//! Sampled children evaluated with the current policy, and the losses that are computed from it.

/// One decision of a sampled child, evaluated with the current parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluatedDecision {
    /// The child, from 0.
    pub child: usize,
    /// The position of the decision in the child, from 0.
    pub position: usize,
    /// The head that decides.
    pub(super) head: usize,
    pub(super) place: Place,
    /// The option that was chosen.
    pub(super) chosen: usize,
    /// Logs of the masked distribution, `-inf` for infeasible options, nats.
    pub(super) log_probs: Vec<f64>,
    /// Entropy of the masked distribution, nats.
    pub entropy: f64,
    /// Factor that turns the entropy into its share of the child's mean relative entropy.
    pub(super) entropy_weight: f64,
}

/// The steps of the LSTM whose hidden states a head reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub step: usize,
    /// For a connection: the step at the anchor of the earlier layer.
    pub earlier: Option<usize>,
}

impl EvaluatedDecision {
    /// Log-probability of the choice, nats.
    pub fn log_prob(&self) -> f64 {
        self.log_probs[self.chosen]
    }

    /// Derivatives with respect to the logits, given those with respect to the log-probability of the
    /// choice and to the entropy.
    pub(super) fn of_logits(&self, derivatives: &Derivatives) -> Vec<f64> {
        let of_logit = |(option, &log_prob): (usize, &f64)| {
            if log_prob == f64::NEG_INFINITY {
                return 0.0;
            }
            let probability = log_prob.exp();
            let is_chosen = if option == self.chosen { 1.0 } else { 0.0 };
            derivatives.of_log_prob * (is_chosen - probability)
                - derivatives.of_entropy * probability * (log_prob + self.entropy)
        };
        self.log_probs.iter().enumerate().map(of_logit).collect()
    }
}

/// An evaluation of sampled children with the current parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Number of children.
    pub children: usize,
    /// Every decision of every child, in order.
    pub decisions: Vec<EvaluatedDecision>,
}

impl Evaluation {
    /// Sum of the masked log-probabilities of each child's choices, nats.
    pub fn log_prob(&self) -> Vec<f64> {
        self.sums(EvaluatedDecision::log_prob)
    }

    /// Sum of the entropies of each child's masked distributions, nats.
    pub fn entropy(&self) -> Vec<f64> {
        self.sums(|decision| decision.entropy)
    }

    /// Mean over each child's decisions of the entropy divided by that of the uniform distribution
    /// over the feasible options, 0 to 1. Decisions with only one option do not count.
    pub fn relative_entropy(&self) -> Vec<f64> {
        self.sums(|decision| decision.entropy * decision.entropy_weight)
    }

    /// Sums over the decisions of each child.
    fn sums(&self, value: impl Fn(&EvaluatedDecision) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.children];
        for decision in &self.decisions {
            sums[decision.child] += value(decision);
        }
        sums
    }

    /// The loss `-gain / m - entropy_weight * mean relative entropy` of the m children, where
    /// `gain` of each decision is summed and comes with its derivative with respect to the
    /// log-probability of the choice.
    pub(super) fn loss(
        &self,
        entropy_weight: f64,
        gain: impl Fn(&EvaluatedDecision) -> (f64, f64),
    ) -> Loss {
        let children = self.children as f64;
        let mut value = 0.0;
        let derivatives = self.decisions.iter().map(|decision| {
            let (gain, of_gain) = gain(decision);
            let weight = entropy_weight * decision.entropy_weight / children;
            value -= gain / children + weight * decision.entropy;
            Derivatives {
                of_log_prob: -of_gain / children,
                of_entropy: -weight,
            }
        });
        Loss {
            derivatives: derivatives.collect(),
            value,
        }
    }
}

/// A loss that is minimised, and its derivatives.
#[derive(Debug, Clone, PartialEq)]
pub struct Loss {
    /// The loss.
    pub value: f64,
    /// For each decision of the evaluation.
    pub(super) derivatives: Vec<Derivatives>,
}

/// Derivatives of a loss with respect to one decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Derivatives {
    /// With respect to the log-probability of the choice.
    pub of_log_prob: f64,
    /// With respect to the entropy.
    pub of_entropy: f64,
}
