//! The state of a strategy as plain data, for the checkpoint.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::StrategyError;

/// The complete state of a strategy as plain data: a checkpoint writes the tensors to safetensors
/// (F64) and the rest to JSON, both without loss.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StrategyState {
    /// Name of the strategy that wrote it, as in `search.strategy`.
    pub strategy: String,
    /// Single values by name: counters, the baseline, a population.
    pub scalars: BTreeMap<String, Value>,
    /// Weights and moments by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tensors: BTreeMap<String, StateTensor>,
}

/// A dense tensor, row-major.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateTensor {
    /// Dimensions, outermost first.
    pub shape: Vec<usize>,
    /// The values: as many as the product of `shape`.
    pub values: Vec<f64>,
}

impl StrategyState {
    /// The state of a strategy that consists of single values.
    pub fn of<const N: usize>(strategy: &str, scalars: [(&str, Value); N]) -> StrategyState {
        StrategyState {
            strategy: strategy.to_owned(),
            scalars: scalars.map(|(name, value)| (name.to_owned(), value)).into(),
            tensors: BTreeMap::new(),
        }
    }

    /// Check that the state was written by the strategy called `name`.
    ///
    /// # Errors
    /// [`StrategyError::OtherStrategy`].
    pub fn expect_strategy(&self, name: &str) -> Result<(), StrategyError> {
        if self.strategy == name {
            return Ok(());
        }
        Err(StrategyError::OtherStrategy {
            expected: name.to_owned(),
            found: self.strategy.clone(),
        })
    }

    /// The scalar called `name`.
    ///
    /// # Errors
    /// If the scalar is missing or of another type; the message names it.
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

    /// The values of the tensor called `name`, which must have this shape and be finite.
    ///
    /// # Errors
    /// If the tensor is missing, has another shape, or is not finite; the message names it.
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
