//! Label smoothing, averaged weights, and decay on weights only.

use serde::Deserialize;
use tch::Kind;

use super::tests::{data, fit_with};
use super::*;
use crate::config::{Recipe, WeightAverage};
use crate::train::{evaluate, smoothed_cross_entropy};

/// A loss of PyTorch and its gradient (tests/fixtures/label_smoothing.py).
#[derive(Deserialize)]
struct Case {
    smoothing: f64,
    logits: Vec<Vec<f64>>,
    labels: Vec<i64>,
    loss: f64,
    gradient: Vec<Vec<f64>>,
}

#[test]
fn the_smoothed_loss_and_its_gradient_are_pytorchs() {
    let text = include_str!("../../../tests/fixtures/label_smoothing.json");
    let cases: Vec<Case> = serde_json::from_str(text).unwrap();
    assert!(cases.len() >= 4);
    for case in cases {
        let logits = Tensor::from_slice2(&case.logits).set_requires_grad(true);
        let labels = Tensor::from_slice(&case.labels);
        let loss = smoothed_cross_entropy(&logits, &labels, case.smoothing).unwrap();
        assert!((loss.double_value(&[]) - case.loss).abs() < 1e-12);
        let gradient = Tensor::run_backward(&[&loss], &[&logits], false, false);
        let off = (&gradient[0] - Tensor::from_slice2(&case.gradient)).abs();
        assert!(off.max().double_value(&[]) < 1e-12);
    }
}

fn recipe(label_smoothing: f64, weight_average: WeightAverage) -> Recipe {
    Recipe {
        momentum: 0.9,
        nesterov: true,
        weight_decay: 1e-2,
        label_smoothing,
        weight_average,
        ..Recipe::default()
    }
}

/// Everything that a step changes: parameters, statistics and velocity.
fn state(fit: &Fit) -> Vec<Tensor> {
    let buffers = fit.network().buffers().map(|(_, tensor)| tensor.copy());
    let values = fit.network().parameters().values().copy();
    buffers
        .chain([values, fit.optimizer().velocity().copy()])
        .collect()
}

fn epoch_of<'data>(fit: &mut Fit<'data>, number: usize) -> Epoch<'data> {
    let mut epoch = fit.epoch(number, 0, Metrics::default()).unwrap();
    while !epoch.is_done() {
        fit.step(&mut epoch, 0.05).unwrap();
    }
    epoch.settle().unwrap();
    epoch
}

#[test]
fn labels_are_smoothed_in_training_and_not_in_validation() {
    let data = data();
    let losses = |smoothing: f64| {
        tch::manual_seed(1);
        let mut fit = fit_with(&data, &recipe(smoothing, WeightAverage::None));
        let before = evaluate(fit.network(), fit.validation(), 8, |_| Ok(())).unwrap();
        let mut epoch = fit.epoch(1, 0, Metrics::default()).unwrap();
        fit.step(&mut epoch, 0.05).unwrap();
        epoch.settle().unwrap();
        (before.loss(), epoch.metrics().loss())
    };
    let ((valid, train), (valid_too, smoothed)) = (losses(0.0), losses(0.4));
    assert_eq!(valid, valid_too);
    assert!((train - smoothed).abs() > 1e-3, "{train} {smoothed}");
}

#[test]
fn images_are_mixed_in_training() {
    let data = data();
    let run = |cutmix: f64| {
        tch::manual_seed(1);
        let recipe = Recipe {
            cutmix,
            ..recipe(0.1, WeightAverage::None)
        };
        let mut fit = fit_with(&data, &recipe);
        // On so few pixels many rectangles are empty.
        let epochs = (1..=4).map(|number| epoch_of(&mut fit, number).metrics().loss());
        let losses: Vec<f64> = epochs.collect();
        (losses, state(&fit))
    };
    let (whole, mixed) = (run(0.0), run(1.0));
    let off = (whole.0[3] - mixed.0[3]).abs();
    assert!(off > 1e-3, "{:?} {:?}", whole.0, mixed.0);
    assert_eq!(run(1.0), mixed);
}

#[test]
fn measuring_the_average_leaves_no_trace_in_the_training() {
    let data = data();
    let run = |kind: WeightAverage| {
        tch::manual_seed(1);
        let mut fit = fit_with(&data, &recipe(0.1, kind));
        for number in 1..=2 {
            let epoch = epoch_of(&mut fit, number);
            fit.exchange_average(Place::InUse).unwrap();
            if fit.average().is_some() {
                fit.estimate_statistics(&epoch, 0, 0).unwrap();
            }
            fit.exchange_average(Place::Beside).unwrap();
        }
        state(&fit)
    };
    let plain = run(WeightAverage::None);
    assert_eq!(run(WeightAverage::LastHalfEpoch), plain);
    assert_eq!(run(WeightAverage::Ema { decay: 0.9 }), plain);
}

#[test]
fn the_average_in_use_is_the_mean_of_the_weights_with_statistics_of_its_own() {
    let data = data();
    tch::manual_seed(1);
    let mut fit = fit_with(&data, &recipe(0.0, WeightAverage::LastHalfEpoch));
    // Two steps: the second half is the second one alone.
    let epoch = epoch_of(&mut fit, 1);
    let trained = state(&fit);
    let values = fit.network().parameters().values().copy();
    assert_eq!(fit.average().unwrap(), &values);
    let mut moved = fit.average().unwrap().shallow_clone();
    let _ = tch::no_grad(|| moved.f_mul_scalar_(2.0).unwrap());
    fit.exchange_average(Place::InUse).unwrap();
    assert_eq!(fit.network().parameters().values(), &(&values * 2.0));
    fit.estimate_statistics(&epoch, 0, 0).unwrap();
    let mean = fit.network().buffers().next().unwrap().1;
    assert_ne!(mean, trained[0], "statistics of weights twice as large");
    fit.exchange_average(Place::Beside).unwrap();
    assert_eq!(state(&fit), trained);
}

#[test]
fn with_decay_on_weights_scales_shifts_and_biases_do_not_decay() {
    let data = data();
    let fit = fit_with(&data, &recipe(0.0, WeightAverage::None));
    let parameters = fit.network().parameters();
    let mask = parameters.weights_mask().unwrap();
    let decaying = |tensor: &Tensor| tensor.sum(Kind::Double).double_value(&[]) as usize;
    for (name, part) in parameters.named(&mask).unwrap() {
        let is_weight = name.ends_with("conv.weight") || name == "classifier.weight";
        let expected = if is_weight { part.numel() } else { 0 };
        assert_eq!(decaying(&part), expected, "{name}");
    }
}
