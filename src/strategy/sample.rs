//! How a child was drawn: its choices, their masks, and their probabilities.

use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;
use serde::{Deserialize, Serialize};

use super::{Origin, Proposal, StrategyError};
use crate::event::Choice;
use crate::space::{Decision, Space};

/// How a child was drawn from a distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Every choice in the order it was made.
    pub choices: Vec<Choice>,
    /// For each choice, which of the head's options were feasible.
    pub feasible: Vec<Vec<bool>>,
    /// Sum of the choices' masked log-probabilities, nats.
    pub log_prob: f64,
    /// Sum of the entropies of the masked distributions, nats.
    pub entropy: f64,
    /// Sum of ln(number of feasible options): the entropy of the uniform strategy on the same path,
    /// nats.
    pub max_entropy: f64,
}

impl Sample {
    /// Draw a child of `depth` layers. `log_probs` returns, for the next choice and given the
    /// previous one, the log of the masked distribution (`-inf` for infeasible options). `seed` is
    /// the only source of randomness.
    ///
    /// # Errors
    /// If no child of that depth can be built, or a distribution is NaN.
    pub fn draw(
        space: &Space,
        depth: usize,
        seed: u64,
        mut log_probs: impl FnMut(&Decision, Option<&Choice>) -> Vec<f64>,
    ) -> Result<Proposal, StrategyError> {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        space.check_depth(depth)?;
        let mut prefix = space.prefix(depth);
        let mut choices: Vec<Choice> = Vec::new();
        let mut masks = Vec::new();
        while let Some(next) = prefix.next() {
            let choice = draw_choice(&next, &log_probs(&next, choices.last()), &mut random)?;
            prefix.choose(choice.index);
            choices.push(choice);
            masks.push(next.feasible);
        }
        Ok(Proposal {
            dna: prefix.dna(),
            origin: Origin::Sampled(Sample::of(choices, masks)),
        })
    }

    /// The sample of a child of `depth` layers whose choices were recorded; the masks follow from
    /// the space.
    ///
    /// # Errors
    /// If a choice cannot be made in this space.
    pub fn recorded(
        space: &Space,
        depth: usize,
        choices: &[Choice],
    ) -> Result<Sample, StrategyError> {
        space.check_depth(depth)?;
        let mut prefix = space.prefix(depth);
        let mut masks = Vec::with_capacity(choices.len());
        for choice in choices {
            let next = prefix.next();
            let next = next.filter(|next| next.feasible.get(choice.index) == Some(&true));
            let Some(Decision { feasible, .. }) = next else {
                let (layer, head) = (choice.layer, choice.head);
                return Err(StrategyError::Recorded { layer, head });
            };
            prefix.choose(choice.index);
            masks.push(feasible);
        }
        Ok(Sample::of(choices.to_vec(), masks))
    }

    fn of(choices: Vec<Choice>, feasible: Vec<Vec<bool>>) -> Sample {
        let options = feasible.iter().map(|mask| count(mask) as f64);
        Sample {
            log_prob: choices.iter().map(|choice| choice.log_prob).sum(),
            entropy: choices.iter().map(|choice| choice.entropy).sum(),
            max_entropy: options.map(f64::ln).sum(),
            choices,
            feasible,
        }
    }
}

/// Number of feasible options.
pub fn count(feasible: &[bool]) -> usize {
    feasible.iter().filter(|&&feasible| feasible).count()
}

/// Log of the softmax over the feasible options: the logits of the others are -inf, so their
/// probability is 0 and the rest sum to 1.
pub fn masked_log_softmax(logits: &[f64], feasible: &[bool]) -> Vec<f64> {
    let masked: Vec<f64> = logits
        .iter()
        .zip(feasible)
        .map(|(&logit, &feasible)| if feasible { logit } else { f64::NEG_INFINITY })
        .collect();
    let largest = masked.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = masked.iter().map(|logit| (logit - largest).exp()).sum();
    masked
        .iter()
        .map(|logit| logit - largest - total.ln())
        .collect()
}

/// Entropy of a distribution, nats, given the logs of its probabilities (`-inf` for 0).
pub fn entropy_of(log_probs: &[f64]) -> f64 {
    let entropy: f64 = log_probs
        .iter()
        .map(|log_prob| (log_prob.exp(), log_prob))
        .filter(|(probability, _)| *probability > 0.0)
        .map(|(probability, log_prob)| -probability * log_prob)
        .sum();
    // For a certain choice, -1 * 0 is -0. (`max` may keep a negative zero.)
    if entropy > 0.0 { entropy } else { 0.0 }
}

/// Draw one choice from a masked distribution: the inverse of its cumulative sum at a uniform
/// number.
fn draw_choice(
    next: &Decision,
    log_probs: &[f64],
    random: &mut impl Rng,
) -> Result<Choice, StrategyError> {
    let diverged = || StrategyError::Diverged {
        layer: next.layer,
        head: next.head,
    };
    if log_probs.iter().any(|log_prob| log_prob.is_nan()) {
        return Err(diverged());
    }
    let probabilities: Vec<f64> = log_probs.iter().map(|log_prob| log_prob.exp()).collect();
    let mut left = random.random::<f64>();
    let mut index = None;
    for (candidate, &probability) in probabilities
        .iter()
        .enumerate()
        .filter(|(_, probability)| **probability > 0.0)
    {
        // Rounding may leave a remainder after the last candidate, which is then taken.
        index = Some(candidate);
        if left < probability {
            break;
        }
        left -= probability;
    }
    let index = index.ok_or_else(diverged)?;
    Ok(Choice {
        layer: next.layer,
        head: next.head,
        index,
        log_prob: log_probs[index],
        entropy: entropy_of(log_probs),
        probabilities: probabilities
            .iter()
            .map(|probability| (probability * 1e4).round() / 1e4)
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(feasible: &[bool]) -> Decision {
        Decision {
            layer: 1,
            head: 0,
            feasible: feasible.to_vec(),
        }
    }

    fn draw_many(logits: &[f64], feasible: &[bool], draws: u64) -> Vec<u64> {
        let log_probs = masked_log_softmax(logits, feasible);
        let mut counts = vec![0; logits.len()];
        for seed in 0..draws {
            let choice = draw_choice(
                &next(feasible),
                &log_probs,
                &mut ChaCha12Rng::seed_from_u64(seed),
            )
            .unwrap();
            counts[choice.index] += 1;
        }
        counts
    }

    #[test]
    fn drawn_frequencies_follow_the_masked_probabilities() {
        let (logits, feasible) = ([0.3, -1.0, 5.0, 1.2, 0.0], [true, true, false, true, true]);
        let draws = 20_000;
        let counts = draw_many(&logits, &feasible, draws);
        let expected = masked_log_softmax(&logits, &feasible)
            .iter()
            .map(|log_prob| log_prob.exp() * draws as f64)
            .collect::<Vec<_>>();
        let chi_square: f64 = counts
            .iter()
            .zip(&expected)
            .filter(|(_, e)| **e > 0.0)
            .map(|(&c, e)| (c as f64 - e).powi(2) / e)
            .sum();
        // 3 degrees of freedom: 16.3 has a probability of 0.001.
        assert!(
            chi_square < 16.3,
            "{chi_square}: {counts:?} against {expected:?}"
        );
        assert_eq!(counts[2], 0);
    }

    #[test]
    fn the_most_likely_option_is_not_always_taken() {
        let counts = draw_many(&[2.0, 0.0, 0.0], &[true; 3], 500);
        assert!(counts.iter().all(|&count| count > 20), "{counts:?}");
    }

    #[test]
    fn an_infeasible_option_has_probability_0_and_the_rest_sum_to_1() {
        let log_probs = masked_log_softmax(&[9.0, 1.0, 2.0], &[false, true, true]);
        assert_eq!(log_probs[0], f64::NEG_INFINITY);
        assert!(
            (log_probs[1..]
                .iter()
                .map(|log_prob| log_prob.exp())
                .sum::<f64>()
                - 1.0)
                .abs()
                < 1e-12
        );
        let choice = draw_choice(
            &next(&[false, true, true]),
            &log_probs,
            &mut ChaCha12Rng::seed_from_u64(1),
        )
        .unwrap();
        assert_eq!(choice.probabilities[0], 0.0);
    }

    #[test]
    fn the_log_probability_is_that_of_the_option_taken() {
        let log_probs = masked_log_softmax(&[0.1, 0.9, -0.4], &[true; 3]);
        for seed in 0..50 {
            let choice = draw_choice(
                &next(&[true; 3]),
                &log_probs,
                &mut ChaCha12Rng::seed_from_u64(seed),
            )
            .unwrap();
            assert_eq!(choice.log_prob, log_probs[choice.index]);
        }
    }

    #[test]
    fn a_forced_choice_is_certain() {
        let log_probs = masked_log_softmax(&[-800.0, 800.0], &[true, false]);
        let choice = draw_choice(
            &next(&[true, false]),
            &log_probs,
            &mut ChaCha12Rng::seed_from_u64(3),
        )
        .unwrap();
        assert_eq!(
            (choice.index, choice.log_prob, choice.entropy),
            (0, 0.0, 0.0)
        );
        assert!(choice.entropy.is_sign_positive());
    }

    #[test]
    fn a_policy_that_yields_nan_is_an_error_with_its_place() {
        let error = draw_choice(
            &next(&[true, true]),
            &[f64::NAN, 0.0],
            &mut ChaCha12Rng::seed_from_u64(0),
        )
        .unwrap_err();
        assert_eq!(error, StrategyError::Diverged { layer: 1, head: 0 });
    }
}
