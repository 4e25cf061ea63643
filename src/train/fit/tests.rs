use tch::Kind;

use super::*;
use crate::child::Plan;
use crate::config::{Options, resolve};
use crate::data::{self, Layout, Mixture};
use crate::space::{Architecture, Layer};
use crate::train::optimizer::SgdSettings;

pub fn data() -> TrainingData {
    let config = resolve(&Options::default()).unwrap().data;
    TrainingData::new(data::noise([1, 8, 8], 4, 32, 8), &config, Device::Cpu, true).unwrap()
}

fn fit(data: &TrainingData) -> Fit<'_> {
    let settings = SgdSettings {
        momentum: 0.9,
        nesterov: true,
        weight_decay: 1e-4,
    };
    fit_with(data, settings)
}

pub fn fit_with(data: &TrainingData, settings: impl Into<FitSettings>) -> Fit<'_> {
    fit_planned(data, settings, |network| {
        Plan::plain(network, Layout::Contiguous)
    })
}

pub fn fit_planned(
    data: &TrainingData,
    settings: impl Into<FitSettings>,
    plan: fn(&Architecture) -> Plan,
) -> Fit<'_> {
    let layer = |inputs| Layer {
        kind: Default::default(),
        kernel: [3, 3],
        filters: 6,
        stride: [1, 1],
        padding: [1, 1],
        inputs,
    };
    let layers = vec![layer(vec![0]), layer(vec![0, 1])];
    let architecture = Architecture {
        name: "two".to_owned(),
        input: [1, 8, 8],
        classes: 4,
        layers,
        output: vec![2],
    };
    let network = Network::new(&architecture, plan(&architecture), Device::Cpu).unwrap();
    Fit::new(network, settings, data, 16, 1).unwrap()
}

#[test]
fn gradients_of_parts_add_up_to_that_of_the_batch() {
    let data = data();
    let mut fit = fit(&data);
    let (images, labels) = data
        .validation
        .evaluation_batches(8)
        .next()
        .unwrap()
        .unwrap();
    // The same images twice, so that batch norm sees the same statistics in each half as in the
    // whole.
    let [images, labels] = [images, labels].map(|tensor| Tensor::cat(&[&tensor, &tensor], 0));
    let (_, channels, height, width) = images.size4().unwrap();
    let mixture = Mixture::draw(1.0, 3, (1, 0), [channels, height, width]);
    assert!(mixture.is_some());
    for mixture in [None, mixture] {
        let (images, targets) = Targets::mixed(
            images.shallow_clone(),
            labels.shallow_clone(),
            mixture.as_ref(),
        )
        .unwrap();
        let mut figures = Figures::new(32, 16, 0, Device::Cpu).unwrap();
        fit.set_micro_batch(16);
        let whole = fit
            .gradient_in_parts(&images, &targets, (&figures, 0))
            .unwrap();
        fit.set_micro_batch(8);
        let parts = fit
            .gradient_in_parts(&images, &targets, (&figures, 1))
            .unwrap();
        let largest = |tensor: &Tensor| tensor.abs().max().double_value(&[]);
        let off = largest(&(&whole - &parts)) / largest(&whole);
        assert!(off < 1e-4, "{off}");
        let (of_whole, of_parts) = (figures.read(1).unwrap(), figures.read(2).unwrap());
        assert!(
            (of_whole.losses[0].1 - of_parts.losses[0].1).abs() < 1e-6
                && of_whole.correct == of_parts.correct
        );
        assert!(largest(&whole) > 0.0);
    }
}

#[test]
fn running_out_of_memory_in_the_middle_of_a_step_changes_nothing() {
    let data = data();
    let layer = |padding: usize, inputs| Layer {
        kind: Default::default(),
        kernel: [1, 1],
        filters: 6,
        stride: [1, 1],
        padding: [padding; 2],
        inputs,
    };
    // The second layer's output would take a petabyte; by then the first one's batch norm has seen
    // the batch.
    let layers = vec![layer(0, vec![0]), layer(1 << 20, vec![1])];
    let architecture = Architecture {
        name: "vast".to_owned(),
        input: [1, 8, 8],
        classes: 4,
        layers,
        output: vec![2],
    };
    let network = Network::new(
        &architecture,
        Plan::plain(&architecture, Layout::Contiguous),
        Device::Cpu,
    )
    .unwrap();
    let settings = SgdSettings {
        momentum: 0.9,
        nesterov: true,
        weight_decay: 1e-4,
    };
    let mut fit = Fit::new(network, settings, &data, 16, 1).unwrap();
    let state = |fit: &Fit| -> Vec<Tensor> {
        let parameters = fit.network().parameters().values().shallow_clone();
        let buffers = fit.network().buffers().map(|(_, tensor)| tensor);
        buffers
            .chain([parameters, fit.optimizer().velocity().shallow_clone()])
            .map(|tensor| tensor.copy())
            .collect()
    };
    let before = state(&fit);
    let mut epoch = fit.epoch(1, 0, Metrics::default()).unwrap();
    let error = fit.step(&mut epoch, 0.1).unwrap_err();
    assert!(matches!(error, TrainError::OutOfMemory(_)), "{error}");
    assert!(
        !error.to_string().contains("frame #") && epoch.done() == 0,
        "{error}"
    );
    assert_eq!(state(&fit), before);
}

#[test]
fn a_step_takes_one_batch_whatever_its_parts() {
    let data = data();
    let mut fit = fit(&data);
    fit.set_micro_batch(5);
    let mut epoch = fit.epoch(1, 0, Metrics::default()).unwrap();
    while !epoch.is_done() {
        fit.step(&mut epoch, 0.01).unwrap();
    }
    epoch.settle().unwrap();
    assert_eq!((epoch.done(), epoch.metrics().images), (2, 32));
}

#[test]
fn the_first_batch_with_a_loss_that_is_not_finite_is_reported_whenever_and_however_often_one_looks()
{
    let data = data();
    let mut fit = fit(&data);
    let mut epoch = fit.epoch(3, 0, Metrics::default()).unwrap();
    fit.step(&mut epoch, 0.01).unwrap();
    let _ = tch::no_grad(|| {
        fit.network()
            .parameters()
            .values()
            .shallow_clone()
            .fill_(f64::NAN)
    });
    fit.step(&mut epoch, 0.01).unwrap();
    for _ in 0..2 {
        let error = epoch.settle().unwrap_err();
        assert!(
            matches!(error, TrainError::Diverged { epoch: 3, batch: 2, loss } if loss.is_nan()),
            "{error}"
        );
    }
}

#[test]
fn only_images_the_device_is_known_to_have_finished_count_in_images_per_second() {
    let data = data();
    let mut fit = fit(&data);
    let mut epoch = fit.epoch(1, 0, Metrics::default()).unwrap();
    fit.step(&mut epoch, 0.01).unwrap();
    assert_eq!(epoch.images_per_second(), 0.0);
    epoch.settle().unwrap();
    assert!(epoch.images_per_second() > 0.0);
}

#[test]
fn what_follows_the_last_step_does_not_change_the_speed_of_an_epoch() {
    let data = data();
    let mut fit = fit(&data);
    let mut epoch = fit.epoch(1, 0, Metrics::default()).unwrap();
    epoch.continue_at(12.5);
    assert_eq!(epoch.images_per_second(), 12.5, "of the session before");
    while !epoch.is_done() {
        fit.step(&mut epoch, 0.01).unwrap();
    }
    epoch.settle().unwrap();
    let speed = epoch.images_per_second();
    std::thread::sleep(Duration::from_millis(5));
    epoch.settle().unwrap();
    let figures = epoch.figures(&Metrics::default(), 0.01).unwrap();
    assert!(speed > 0.0 && speed != 12.5);
    assert_eq!(figures.images_per_second, speed);
}

#[test]
fn an_epoch_continued_from_its_middle_ends_with_the_figures_of_a_whole_one() {
    let data = data();
    let run = |settle_between: bool| {
        tch::manual_seed(1);
        let mut fit = fit(&data);
        let mut epoch = fit.epoch(1, 0, Metrics::default()).unwrap();
        fit.step(&mut epoch, 0.01).unwrap();
        if settle_between {
            epoch.settle().unwrap();
            epoch = fit.epoch(1, epoch.done(), *epoch.metrics()).unwrap();
        }
        fit.step(&mut epoch, 0.01).unwrap();
        epoch.settle().unwrap();
        *epoch.metrics()
    };
    assert_eq!(run(false), run(true));
    assert_eq!(run(false).images, 32);
}

#[test]
fn statistics_are_estimated_as_means_over_the_images_whatever_they_were_and_no_weight_changes() {
    let data = data();
    let mut fit = fit(&data);
    let epoch = fit.epoch(1, 0, Metrics::default()).unwrap();
    let weights = fit.network().parameters().values().copy();
    let statistics = |fit: &Fit| -> Vec<Tensor> {
        let mut images = 0;
        for batch in 0..epoch.batches() {
            images = fit.estimate_statistics(&epoch, batch, images).unwrap();
        }
        assert_eq!(images, 32);
        fit.network()
            .buffers()
            .map(|(_, tensor)| tensor.copy())
            .collect()
    };
    let first = statistics(&fit);
    // Not from training, but whatever the statistics were before.
    assert_eq!(statistics(&fit), first);
    assert_eq!(fit.network().parameters().values(), &weights);
    // The mean of the first layer's outputs does not depend on how they are divided.
    fit.set_micro_batch(5);
    let in_parts = statistics(&fit);
    assert!((&first[0] - &in_parts[0]).abs().max().double_value(&[]) < 1e-6);
    let mut images = Vec::new();
    for batch in 0..epoch.batches() {
        images.push(epoch.images.batch(batch).unwrap().0);
    }
    let named = fit.network().parameters().named(&weights).unwrap();
    let (_, kernel) = &named[0];
    let outputs = Tensor::cat(&images, 0).conv2d(kernel, None::<&Tensor>, 1, 1, 1, 1);
    let mean = outputs.mean_dim([0i64, 2, 3].as_slice(), false, Kind::Float);
    assert!((&first[0] - mean).abs().max().double_value(&[]) < 1e-5);
}
