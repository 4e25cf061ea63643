//! Whether the final policy of a search is better than chance: fresh children of it compared with
//! fresh uniform ones at one depth, each trained separately.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{StudyError, Trial};
use crate::analysis::statistics::{mean, p_text};
use crate::analysis::two_samples::Difference;
use crate::foundation::numbers;
use crate::foundation::seeds::derive;
use crate::space::Space;
use crate::strategy::{Random, Strategy};

/// The name of the policy's arm; trials are grouped by the names of the arms.
pub const POLICY: &str = "policy";
const UNIFORM: &str = "uniform";

/// The comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VerifyQuestion {
    /// Name of the run.
    pub run: String,
    /// Its strategy, as in `search.strategy`.
    pub strategy: String,
    /// Last episode that the strategy has learned from.
    pub episode: usize,
    /// Number of episodes planned for the run.
    pub episodes: usize,
    /// Number of layers of the children.
    pub depth: usize,
}

/// Children of both arms alternately, so that an incomplete set is balanced.
///
/// # Errors
/// If no child of that depth can be built, or the strategy was made for another space.
pub fn plan(
    strategy: &mut dyn Strategy,
    space: &Space,
    depth: usize,
    children: usize,
    seed: u64,
) -> Result<Vec<Trial>, StudyError> {
    // Its baseline has no effect: it draws uniformly.
    let mut uniform = Random::default();
    let mut trials = Vec::with_capacity(2 * children);
    for number in 1..=children as u64 {
        let arms: [(&str, &mut dyn Strategy); 2] =
            [(POLICY, &mut *strategy), (UNIFORM, &mut uniform)];
        for (arm, strategy) in arms {
            let drawn = derive(seed, &format!("verify {arm} sample"), number);
            let dna = strategy.propose(space, depth, drawn)?.dna;
            trials.push(Trial {
                group: arm.to_owned(),
                depth,
                design: space.decode(&dna, &format!("{arm}-{number}"))?,
                dna,
                seed: derive(seed, &format!("verify {arm} train"), number),
                end: None,
            });
        }
    }
    Ok(trials)
}

/// The result of the trainings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// The comparison.
    #[serde(flatten)]
    pub question: VerifyQuestion,
    /// Children of the policy.
    pub policy: Arm,
    /// Children drawn uniformly.
    pub uniform: Arm,
    /// Mean reward of the policy's children minus that of the uniform ones; null if either arm has
    /// fewer than two.
    pub lift: Option<Difference>,
    /// Number of trainings about which nothing is known because their workers failed.
    pub excluded: usize,
    /// Numbers of children in both arms together at earlier looks at the result, which the p-value
    /// does not account for.
    pub earlier_looks: Vec<usize>,
}

/// The children of one arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// Number of children that have a reward.
    pub children: usize,
    /// Number of different networks among them.
    pub networks: usize,
    /// Number of children without an accuracy, whose reward is 0.
    pub failed: usize,
    /// Mean over all of them.
    pub mean_reward: f64,
    /// Standard deviation of their rewards.
    pub deviation: f64,
    /// Mean over those that have an accuracy; null if none has.
    pub mean_accuracy: Option<f64>,
    /// The rewards, in order.
    pub rewards: Vec<f64>,
}

impl Verification {
    /// From the trainings that have ended.
    pub fn of(
        question: VerifyQuestion,
        trials: &[Trial],
        earlier_looks: Vec<usize>,
    ) -> Verification {
        let (policy, uniform) = (Arm::of(POLICY, trials), Arm::of(UNIFORM, trials));
        let broken = |trial: &&Trial| trial.end.is_some() && !trial.is_done();
        Verification {
            lift: Difference::of(&policy.rewards, &uniform.rewards),
            excluded: trials.iter().filter(broken).count(),
            question,
            policy,
            uniform,
            earlier_looks,
        }
    }

    /// Both arms with their names.
    pub fn arms(&self) -> [(&'static str, &Arm); 2] {
        [(POLICY, &self.policy), (UNIFORM, &self.uniform)]
    }

    /// `policy minus uniform at depth 15: +0.2100 (95 % +0.1500 to +0.2700; permutation test: p
    /// <0.001)`.
    pub fn lift_text(&self) -> String {
        let depth = self.question.depth;
        match &self.lift {
            None => "the difference is unknown: each arm needs at least two children".to_owned(),
            Some(Difference {
                difference,
                ci95: [low, high],
                p_value,
            }) => format!(
                "policy minus uniform at depth {depth}: reward {difference:+.4} (95 % {low:+.4} to {high:+.4}; permutation test: {})",
                p_text(*p_value)
            ),
        }
    }

    /// Caveats for the reader; empty if there are none.
    pub fn caveats(&self) -> Vec<String> {
        let VerifyQuestion {
            episode, episodes, ..
        } = self.question;
        let mut caveats = Vec::new();
        if episode < episodes {
            caveats.push(format!(
                "the policy is that of episode {episode} of {episodes}: the search is not completed"
            ));
        }
        if !self.earlier_looks.is_empty() {
            let looks: Vec<String> = self.earlier_looks.iter().map(usize::to_string).collect();
            caveats.push(format!(
                "the result was also looked at after {} trainings and children were added then: interval and p-value do not account for that",
                looks.join(" and ")
            ));
        }
        if self.excluded > 0 {
            caveats.push(format!(
                "{} excluded (a worker failed each time); run the same command again to make up for it",
                numbers::counted(self.excluded as u64, "training")
            ));
        }
        caveats
    }
}

impl Arm {
    fn of(arm: &str, trials: &[Trial]) -> Arm {
        let trials: Vec<&Trial> = trials
            .iter()
            .filter(|trial| trial.group == arm && trial.is_done())
            .collect();
        let rewards: Vec<f64> = trials.iter().filter_map(|trial| trial.reward()).collect();
        let accuracies: Vec<f64> = trials.iter().filter_map(|trial| trial.accuracy()).collect();
        let networks: HashSet<String> = trials.iter().map(|trial| trial.design.key()).collect();
        let mean_reward = mean(&rewards);
        let squares: f64 = rewards
            .iter()
            .map(|reward| (reward - mean_reward).powi(2))
            .sum();
        Arm {
            children: rewards.len(),
            networks: networks.len(),
            failed: rewards.len() - accuracies.len(),
            mean_reward,
            deviation: (squares / rewards.len().saturating_sub(1).max(1) as f64).sqrt(),
            mean_accuracy: (!accuracies.is_empty()).then(|| mean(&accuracies)),
            rewards,
        }
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let VerifyQuestion {
            run,
            strategy,
            episode,
            depth,
            ..
        } = &self.question;
        writeln!(
            out,
            "{run}: the policy of {strategy} after episode {episode} against uniform children at depth {depth}, all evaluated anew"
        )?;
        for (name, arm) in [(POLICY, &self.policy), (UNIFORM, &self.uniform)] {
            let accuracy = arm
                .mean_accuracy
                .map_or_else(|| "none".to_owned(), numbers::accuracy);
            writeln!(
                out,
                "{name:<7}  {} children, {} different, {} failed: mean reward {:.4} (standard deviation {:.4}), mean accuracy {accuracy}",
                arm.children, arm.networks, arm.failed, arm.mean_reward, arm.deviation
            )?;
        }
        writeln!(out, "{}", self.lift_text())?;
        self.caveats()
            .iter()
            .try_for_each(|caveat| writeln!(out, "{caveat}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Options, resolve};
    use crate::reward::Outcome;
    use crate::study::trials::End;

    fn trials(depth: usize, children: usize) -> Vec<Trial> {
        let config = resolve(&Options::default()).unwrap();
        let space = Space::new(&config.space, [1, 28, 28], 10).unwrap();
        plan(&mut Random::default(), &space, depth, children, 1).unwrap()
    }

    fn question() -> VerifyQuestion {
        VerifyQuestion {
            run: "run".to_owned(),
            strategy: "reinforce".to_owned(),
            episode: 10,
            episodes: 10,
            depth: 3,
        }
    }

    fn ended(
        mut trials: Vec<Trial>,
        accuracy: impl Fn(&Trial, usize) -> Option<f64>,
    ) -> Vec<Trial> {
        let config = resolve(&Options::default()).unwrap();
        for (place, trial) in trials.iter_mut().enumerate() {
            let outcome = match accuracy(trial, place) {
                Some(accuracy) => Outcome::Trained {
                    valid_accuracies: vec![accuracy],
                },
                None => Outcome::Failed {
                    reason: "why".to_owned(),
                },
            };
            trial.end = Some(End::new(outcome, 1, 1.0, &config.reward));
        }
        trials
    }

    #[test]
    fn both_arms_have_children_of_the_depth_and_no_seed_is_repeated() {
        let trials = trials(3, 8);
        let of_policy = trials.iter().filter(|trial| trial.group == POLICY).count();
        assert_eq!((trials.len(), of_policy), (16, 8));
        assert!(trials.iter().all(|trial| trial.dna.0.len() == 3));
        let seeds: HashSet<u64> = trials.iter().map(|trial| trial.seed).collect();
        assert_eq!(seeds.len(), 16);
        let dna = |arm: &str| -> Vec<_> {
            let of_arm = trials.iter().filter(|trial| trial.group == arm);
            of_arm.map(|trial| trial.dna.clone()).collect()
        };
        assert_ne!(dna(POLICY), dna(UNIFORM));
    }

    #[test]
    fn a_larger_set_begins_with_the_children_of_a_smaller_one() {
        assert_eq!(trials(3, 6)[..8], trials(3, 4)[..]);
    }

    #[test]
    fn a_better_arm_is_detected_and_a_failed_child_counts_with_reward_zero() {
        let trials = ended(trials(3, 8), |trial, place| {
            let of_policy = trial.group == POLICY;
            (place != 1).then_some(if of_policy { 0.75 } else { 0.5 } + place as f64 / 1000.0)
        });
        let found = Verification::of(question(), &trials, Vec::new());
        assert_eq!((found.policy.failed, found.uniform.failed), (0, 1));
        assert_eq!(found.uniform.children, 8);
        let lift = found.lift.unwrap();
        assert!(lift.difference > 0.2 && lift.ci95[0] > 0.0 && lift.p_value < 0.01);
        assert_eq!(found.caveats(), Vec::<String>::new());
    }

    #[test]
    fn an_unfinished_search_and_an_earlier_look_are_mentioned() {
        let question = VerifyQuestion {
            episode: 4,
            ..question()
        };
        let trials = ended(trials(3, 3), |_, place| Some(0.5 + place as f64 / 10.0));
        let text = Verification::of(question, &trials, vec![4]).to_string();
        assert!(
            text.contains("episode 4 of 10") && text.contains("after 4 trainings"),
            "{text}"
        );
    }
}
