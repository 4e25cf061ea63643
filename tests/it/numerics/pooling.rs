//! Pooling layers against libtorch's own operations on windows.

use std::collections::BTreeMap;

use nas_tui::child::{Mode, Network};
use nas_tui::space::{Architecture, Cost, Layer, Operation};
use tch::{Device, Tensor};

use super::{assert_close, plans};
use crate::seeded_network;

/// A convolution, max pooling of its output and the image, and a convolution of that.
fn pooled() -> Architecture {
    let layer = |kind, filters, stride, inputs: &[usize]| Layer {
        kind,
        kernel: [3, 5],
        filters,
        stride: [stride; 2],
        padding: [1, 2],
        inputs: inputs.to_vec(),
    };
    Architecture {
        name: "pooled".to_owned(),
        input: [2, 9, 8],
        classes: 3,
        layers: vec![
            layer(Operation::Convolution, 4, 1, &[0]),
            layer(Operation::MaxPooling, 6, 2, &[0, 1]),
            layer(Operation::Convolution, 5, 1, &[2]),
        ],
        output: vec![2, 3],
    }
}

#[test]
fn pooling_takes_the_largest_value_under_the_kernel_and_has_no_weights() {
    let architecture = pooled();
    let images = Tensor::randn([4, 2, 9, 8], (tch::Kind::Float, Device::Cpu));
    let plans = plans(&architecture).into_iter();
    let networks: Vec<Network> = plans
        .map(|plan| seeded_network(&architecture, plan, 3))
        .collect();
    let named = |network: &Network| {
        let vector = network.parameters().values().copy();
        let named = network.parameters().named(&vector).unwrap();
        named
            .into_iter()
            .map(|(name, tensor)| (name.to_owned(), tensor))
            .collect()
    };
    let weights: BTreeMap<String, Tensor> = named(&networks[0]);
    assert!(weights.keys().all(|name| !name.starts_with("layers.1.")));
    let normalised = |input: &Tensor, index: usize| {
        let weight = &weights[&format!("layers.{index}.conv.weight")];
        let convolved = input.conv2d(weight, None::<&Tensor>, [1, 1], [1, 2], [1, 1], 1);
        // Fresh statistics: mean 0, variance 1.
        (convolved / (1.0f64 + 1e-5).sqrt()).relu()
    };
    let first = Tensor::cat(&[&images, &normalised(&images, 0)], 1);
    // The largest value in each window, with minus infinity beyond the edges.
    let windows = first
        .pad([2, 2, 1, 1], "constant", f64::NEG_INFINITY)
        .unfold(2, 3, 2)
        .unfold(3, 5, 2);
    let largest = windows.amax([4, 5], false);
    let last = Tensor::cat(&[&largest, &normalised(&largest, 2)], 1);
    let features = last.mean_dim([2i64, 3].as_slice(), false, tch::Kind::Float);
    let expected = features.linear(
        &weights["classifier.weight"],
        Some(&weights["classifier.bias"]),
    );
    for network in &networks {
        let logits = network.forward(&images, Mode::Evaluate).unwrap();
        assert_close("logits", &logits, &expected);
    }
    assert_eq!(networks[0].buffers().count(), 4);
    assert_eq!(
        networks[0].parameters().count(),
        Cost::of(&architecture).unwrap().params
    );
}
