//! The interface between the search loop and whoever proposes children: sample, learn, save,
//! restore.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::Sample;
use crate::space::{Space, SpaceError};

/// Proposes children and may learn from their rewards. The search calls `sample` for every child of
/// an episode, then `learn` once with all of them; the strategy stays as it is between the two.
pub trait Strategy {
    /// Propose a child of `depth` layers, at least 1. The same state, space, depth and seed give
    /// the same child, bit for bit: all randomness comes from `seed`, so that no generator has to
    /// be saved.
    fn sample(&mut self, space: &Space, depth: usize, seed: u64) -> Result<Sample, StrategyError>;

    /// End an episode: take in the reward of each sample, in child order. On an error nothing has
    /// changed.
    fn learn(&mut self, samples: &[Sample], rewards: &[f64]) -> Result<Learned, StrategyError>;

    /// Baseline of the episode under way: an average of the rewards of previous episodes; none in
    /// the first.
    fn baseline(&self) -> Option<f64>;

    /// Everything that a later process needs to continue as if it had never stopped.
    fn state(&self) -> StrategyState;

    /// Continue from `state`. On an error nothing has changed.
    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError>;
}

/// What an episode taught.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    /// Baseline the advantages were taken against. In the first episode, which has no previous
    /// rewards, each child has its own ([`super::Baseline::advantages`]) and this is their mean.
    pub baseline: f64,
    /// Baseline of the next episode: this episode's rewards are in it.
    pub next_baseline: f64,
    /// Reward minus the baseline the child was held against, in child order.
    pub advantages: Vec<f64>,
    /// Loss that was minimised; none for a strategy that has none.
    pub loss: Option<f64>,
    /// L2 norm of the loss's gradient before clipping.
    pub gradient_norm: Option<f64>,
}

/// A strategy's whole memory as plain data: a checkpoint writes the tensors to safetensors (F64)
/// and the rest to JSON, both without loss.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StrategyState {
    /// Name of the strategy that wrote it, as in `search.strategy`.
    pub strategy: String,
    pub scalars: BTreeMap<String, serde_json::Value>,
    pub tensors: BTreeMap<String, StateTensor>,
}

/// A dense tensor, row-major.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateTensor {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

/// Why a strategy could not do what it was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StrategyError {
    #[error(transparent)]
    Space(#[from] SpaceError),
    #[error(
        "the checkpoint's strategy is `{found}`, this run's is `{expected}`: resume with the configuration of the run directory"
    )]
    OtherStrategy { expected: String, found: String },
    #[error(
        "the checkpoint has no tensor `{name}`: it was written for another controller or is damaged"
    )]
    MissingTensor { name: String },
    #[error(
        "the checkpoint has a tensor `{name}` that this controller does not: it was written for another search space or controller"
    )]
    UnknownTensor { name: String },
    #[error(
        "tensor `{name}` of the checkpoint is {found:?}, this controller needs {expected:?}: the search space, controller.hidden_size or controller.layers changed"
    )]
    Shape {
        name: String,
        expected: Vec<usize>,
        found: Vec<usize>,
    },
    #[error(
        "tensor `{name}` of the checkpoint has {found} values for a shape of {expected}: it is damaged"
    )]
    Length {
        name: String,
        expected: usize,
        found: usize,
    },
    #[error("tensor `{name}` of the checkpoint holds a number that is not finite: it is damaged")]
    NotFinite { name: String },
    #[error("`{name}` of the checkpoint: {reason}")]
    Scalar { name: String, reason: String },
    #[error(
        "the controller has heads of {expected:?} choices, the search space has {found:?}: they belong to different runs"
    )]
    OtherSpace {
        expected: Vec<usize>,
        found: Vec<usize>,
    },
    #[error(
        "{samples} samples and {rewards} rewards: a strategy learns from one finite reward per sample, and at least one"
    )]
    Rewards { samples: usize, rewards: usize },
    #[error(
        "the controller's probabilities for layer {layer}, head {head} are not numbers: lower controller.learning_rate"
    )]
    Diverged { layer: usize, head: usize },
    #[error("the controller's gradient is not finite: lower controller.learning_rate")]
    Gradient,
}

impl StrategyState {
    /// An error unless the state was written by the strategy of that name.
    pub fn expect_strategy(&self, name: &str) -> Result<(), StrategyError> {
        if self.strategy == name {
            return Ok(());
        }
        Err(StrategyError::OtherStrategy {
            expected: name.to_owned(),
            found: self.strategy.clone(),
        })
    }

    /// The scalar of that name; an error that names it where it is missing or of another type.
    pub fn scalar<T: DeserializeOwned>(&self, name: &str) -> Result<T, StrategyError> {
        let error = |reason: String| StrategyError::Scalar {
            name: name.to_owned(),
            reason,
        };
        let value = self
            .scalars
            .get(name)
            .ok_or_else(|| error("missing".to_owned()))?;
        T::deserialize(value).map_err(|cause| error(cause.to_string()))
    }

    /// The values of the tensor of that name; an error that names it unless it has this shape and
    /// is finite.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<&[f64], StrategyError> {
        let name = name.to_owned();
        let Some(tensor) = self.tensors.get(&name) else {
            return Err(StrategyError::MissingTensor { name });
        };
        if tensor.shape != shape {
            return Err(StrategyError::Shape {
                name,
                expected: shape.to_vec(),
                found: tensor.shape.clone(),
            });
        }
        let expected = shape.iter().product();
        if tensor.values.len() != expected {
            return Err(StrategyError::Length {
                name,
                expected,
                found: tensor.values.len(),
            });
        }
        if tensor.values.iter().any(|value| !value.is_finite()) {
            return Err(StrategyError::NotFinite { name });
        }
        Ok(&tensor.values)
    }
}

/// An error unless there is one finite reward per sample, and at least one.
pub fn check_rewards(samples: &[Sample], rewards: &[f64]) -> Result<(), StrategyError> {
    if samples.is_empty()
        || samples.len() != rewards.len()
        || rewards.iter().any(|reward| !reward.is_finite())
    {
        return Err(StrategyError::Rewards {
            samples: samples.len(),
            rewards: rewards.len(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> StrategyState {
        let tensors = BTreeMap::from([
            (
                "good".to_owned(),
                StateTensor {
                    shape: vec![2, 2],
                    values: vec![1.0, 2.0, 3.0, 4.0],
                },
            ),
            (
                "short".to_owned(),
                StateTensor {
                    shape: vec![3],
                    values: vec![1.0],
                },
            ),
            (
                "wild".to_owned(),
                StateTensor {
                    shape: vec![1],
                    values: vec![f64::NAN],
                },
            ),
        ]);
        let scalars = BTreeMap::from([
            ("step".to_owned(), serde_json::json!(3)),
            ("word".to_owned(), serde_json::json!("x")),
        ]);
        StrategyState {
            strategy: "random".to_owned(),
            scalars,
            tensors,
        }
    }

    #[test]
    fn an_error_about_a_state_names_what_does_not_fit() {
        let state = state();
        assert_eq!(state.tensor("good", &[2, 2]).unwrap(), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(
            state.tensor("none", &[1]).unwrap_err(),
            StrategyError::MissingTensor {
                name: "none".into()
            }
        );
        let shape = StrategyError::Shape {
            name: "good".into(),
            expected: vec![4],
            found: vec![2, 2],
        };
        assert_eq!(state.tensor("good", &[4]).unwrap_err(), shape);
        assert_eq!(
            state.tensor("short", &[3]).unwrap_err(),
            StrategyError::Length {
                name: "short".into(),
                expected: 3,
                found: 1
            }
        );
        assert_eq!(
            state.tensor("wild", &[1]).unwrap_err(),
            StrategyError::NotFinite {
                name: "wild".into()
            }
        );
        assert_eq!(state.scalar::<u64>("step"), Ok(3));
        assert!(
            state
                .scalar::<u64>("word")
                .unwrap_err()
                .to_string()
                .contains("`word`")
        );
        assert!(
            state
                .scalar::<u64>("none")
                .unwrap_err()
                .to_string()
                .contains("missing")
        );
        assert!(
            state
                .expect_strategy("reinforce")
                .unwrap_err()
                .to_string()
                .contains("`random`")
        );
    }

    #[test]
    fn a_state_survives_json_bit_for_bit() {
        let mut state = state();
        state.tensors.remove("wild");
        state.tensors.insert(
            "odd".to_owned(),
            StateTensor {
                shape: vec![2],
                values: vec![0.1 + 0.2, f64::MIN_POSITIVE / 3.0],
            },
        );
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<StrategyState>(&text).unwrap(), state);
    }
}
