//! The same network in libtorch's operations, at the size of the paper: values and derivatives agree.

use std::collections::BTreeMap;

use tch::{Device, Kind, Tensor};

use super::*;
use crate::controller::parameters::{Parameters, Part};
use crate::controller::reinforce::loss;

#[test]
fn an_evaluation_and_its_gradient_agree_with_libtorch_at_the_size_of_the_paper() {
    let mut strategy = reinforce(
        &ControllerConfig {
            init_range: 0.3,
            ..config()
        },
        5,
    );
    let children = samples(&mut strategy, 4, 6, 0);
    let advantages = [0.7, -0.4, 0.1, -0.9, 0.2, 0.3];
    let evaluation = strategy.policy.evaluate(&all_drawn(&children));
    let loss = loss(&evaluation, &advantages, 0.05);
    let gradient = strategy.policy.gradient(&evaluation, &loss);
    let reference = LibtorchPolicy::of(strategy.policy.parameters());
    let (log_probs, of_loss) = reference.evaluate(&all_drawn(&children), &advantages, 0.05);
    for (found, expected) in evaluation.log_prob().iter().zip(log_probs) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
    assert!((loss.value - of_loss.double_value(&[])).abs() < 1e-12);
    of_loss.backward();
    for (name, _, part) in &strategy.policy.parameters().tensors {
        let expected = Vec::<f64>::try_from(reference.0[name].grad().view(-1)).unwrap();
        for (found, expected) in part.of(&gradient).iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-12,
                "{name}: {found} {expected}"
            );
        }
    }
}

/// The network of a chain as libtorch's operations, by PyTorch's names.
struct LibtorchPolicy(BTreeMap<String, Tensor>);

impl LibtorchPolicy {
    fn of(parameters: &Parameters) -> LibtorchPolicy {
        let tensor = |(name, shape, part): &(String, Vec<usize>, Part)| {
            let shape: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
            let tensor = Tensor::from_slice(part.of(&parameters.values)).reshape(shape);
            (name.clone(), tensor.set_requires_grad(true))
        };
        LibtorchPolicy(parameters.tensors.iter().map(tensor).collect())
    }

    /// The log-probability of each child, and the loss.
    fn evaluate(
        &self,
        samples: &[&Sample],
        advantages: &[f64],
        entropy_weight: f64,
    ) -> (Vec<f64>, Tensor) {
        let mut log_probs = Vec::new();
        let mut loss = Tensor::from(0.0);
        let children = samples.len() as f64;
        for (sample, advantage) in samples.iter().zip(advantages) {
            let (log_prob, relative_entropy) = self.child(sample);
            log_probs.push(log_prob.double_value(&[]));
            loss -=
                log_prob * (advantage / children) + relative_entropy * (entropy_weight / children);
        }
        (log_probs, loss)
    }

    /// Log-probability and mean relative entropy.
    fn child(&self, sample: &Sample) -> (Tensor, Tensor) {
        let weight = |name: String| &self.0[&name];
        let zeros = || Tensor::zeros([1, 35], (Kind::Double, Device::Cpu));
        let mut state = [(zeros(), zeros()), (zeros(), zeros())];
        let mut input = self.0["start"].shallow_clone();
        let (mut log_prob, mut entropies) = (Tensor::from(0.0), Vec::new());
        for (choice, feasible) in sample.choices.iter().zip(&sample.feasible) {
            for (layer, (hidden, cell)) in state.iter_mut().enumerate() {
                let of_layer = |name: &str| weight(format!("lstm.{name}_l{layer}"));
                (*hidden, *cell) = input.lstm_cell(
                    &[&*hidden, &*cell],
                    of_layer("weight_ih"),
                    of_layer("weight_hh"),
                    Some(of_layer("bias_ih")),
                    Some(of_layer("bias_hh")),
                );
                input = hidden.shallow_clone();
            }
            let head = choice.head;
            let bias = weight(format!("heads.{head}.bias"));
            let logits = input.linear(weight(format!("heads.{head}.weight")), Some(bias));
            let open: Vec<i64> = (0..)
                .zip(feasible)
                .filter_map(|(option, open)| open.then_some(option))
                .collect();
            let chosen = open
                .iter()
                .position(|option| *option == choice.index as i64)
                .unwrap();
            let distribution = logits
                .squeeze_dim(0)
                .index_select(0, &Tensor::from_slice(&open))
                .log_softmax(0, Kind::Double);
            log_prob += distribution.get(chosen as i64);
            if open.len() > 1 {
                let entropy = -(distribution.exp() * &distribution).sum(Kind::Double);
                entropies.push(entropy / (open.len() as f64).ln());
            }
            let table = weight(format!("embeddings.{head}.weight"));
            input = table.narrow(0, choice.index as i64, 1);
        }
        (log_prob, Tensor::stack(&entropies, 0).mean(Kind::Double))
    }
}
