//! The network, its gradients and its optimiser compared with PyTorch 2.11 (values from
//! tests/fixtures/make_numerics.py).

mod pooling;
mod spectral;

use std::path::{Path, PathBuf};

use nas_tui::child::{Mode, Network, Plan, weights};
use nas_tui::config::Decode;
use nas_tui::config::{ChildConfig, ChildSchedule};
use nas_tui::data::Layout;
use nas_tui::space::{Architecture, Cost, Layer, resolve_architecture};
use nas_tui::train::{Sgd, cross_entropy};
use safetensors::{Dtype, SafeTensors};
use tch::{Device, Tensor};

use crate::seeded_network;

const TOLERANCE: f64 = 1e-5;

/// Every memory form of a network.
fn plans(architecture: &Architecture) -> Vec<Plan> {
    let forms = |layout| {
        [
            Plan::plain(architecture, layout),
            Plan::filled(architecture, layout),
        ]
    };
    [Layout::Contiguous, Layout::ChannelsLast]
        .into_iter()
        .flat_map(forms)
        .collect()
}

struct Fixture {
    bytes: Vec<u8>,
    architecture: Architecture,
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

impl Fixture {
    fn read() -> Fixture {
        let bytes = std::fs::read(path("numerics.safetensors")).unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let architecture =
            serde_json::from_str(&metadata.metadata().as_ref().unwrap()["architecture"]).unwrap();
        Fixture {
            bytes,
            architecture,
        }
    }

    fn get(&self, name: &str) -> Tensor {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let view = file
            .tensor(name)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let shape: Vec<i64> = view.shape().iter().map(|&size| size as i64).collect();
        let kind = if view.dtype() == Dtype::I64 {
            tch::Kind::Int64
        } else {
            tch::Kind::Float
        };
        Tensor::from_data_size(view.data(), &shape, kind)
    }

    /// The network with the fixture's weights.
    fn network(&self, plan: Plan) -> Network {
        let network = seeded_network(&self.architecture, plan, 0);
        weights::load(&network, &path("numerics_weights.safetensors")).unwrap();
        network
    }
}

/// Largest difference relative to the largest value of `expected`.
#[track_caller]
fn assert_close(what: &str, actual: &Tensor, expected: &Tensor) {
    assert_eq!(actual.size(), expected.size(), "{what}");
    let difference = (actual - expected).abs().max().double_value(&[]);
    let scale = expected.abs().max().double_value(&[]).max(1e-12);
    assert!(
        difference / scale <= TOLERANCE,
        "{what}: relative difference {:e}",
        difference / scale
    );
}

fn nesterov() -> ChildConfig {
    ChildConfig {
        epochs: 1,
        batch_size: 6,
        learning_rate: 0.1,
        momentum: 0.9,
        nesterov: true,
        weight_decay: 1e-2,
        schedule: ChildSchedule::Constant,
    }
}

#[test]
fn logits_loss_gradients_and_two_nesterov_steps_agree_with_pytorch() {
    let fixture = Fixture::read();
    let (images, labels) = (fixture.get("images"), fixture.get("labels"));
    for plan in plans(&fixture.architecture) {
        let network = fixture.network(plan);
        let mut optimizer = Sgd::new(network.parameters().values(), (&nesterov()).into()).unwrap();
        for step in 0..2 {
            let logits = network.forward(&images.get(step), Mode::Train).unwrap();
            assert_close(
                "logits",
                &logits,
                &fixture.get(&format!("step{step}.logits")),
            );
            let loss = cross_entropy(&logits, &labels.get(step)).unwrap();
            assert_close("loss", &loss, &fixture.get(&format!("step{step}.loss")));
            let gradient = network.gradient(&loss).unwrap();
            for (name, gradient) in network.parameters().named(&gradient).unwrap() {
                assert_close(
                    name,
                    &gradient,
                    &fixture.get(&format!("step{step}.gradient.{name}")),
                );
            }
            optimizer
                .step(network.parameters().values(), gradient, 0.1)
                .unwrap();
            for (name, parameter) in network
                .parameters()
                .named(network.parameters().values())
                .unwrap()
            {
                assert_close(
                    name,
                    &parameter,
                    &fixture.get(&format!("step{step}.after.{name}")),
                );
            }
            for (name, buffer) in network.buffers() {
                assert_close(
                    &name,
                    &buffer,
                    &fixture.get(&format!("step{step}.after.{name}")),
                );
            }
        }
    }
}

#[test]
fn logits_in_evaluation_mode_agree_with_pytorch_and_leave_the_statistics_unchanged() {
    let fixture = Fixture::read();
    for plan in plans(&fixture.architecture) {
        let network = fixture.network(plan);
        let before: Vec<Tensor> = network.buffers().map(|(_, buffer)| buffer.copy()).collect();
        let logits =
            tch::no_grad(|| network.forward(&fixture.get("images").get(0), Mode::Evaluate))
                .unwrap();
        assert_close("logits", &logits, &fixture.get("eval.logits"));
        assert!(
            network
                .buffers()
                .zip(&before)
                .all(|((_, after), before)| after == *before)
        );
    }
}

#[test]
fn a_seed_gives_pytorchs_initial_weights() {
    let fixture = Fixture::read();
    for plan in plans(&fixture.architecture) {
        let network = seeded_network(&fixture.architecture, plan, 7);
        for (name, parameter) in network
            .parameters()
            .named(network.parameters().values())
            .unwrap()
        {
            assert_close(name, &parameter, &fixture.get(&format!("seed7.{name}")));
        }
    }
}

#[test]
fn a_network_has_as_many_parameters_as_its_cost_says() {
    let architecture = Fixture::read().architecture;
    let network = seeded_network(
        &architecture,
        Plan::filled(&architecture, Layout::ChannelsLast),
        0,
    );
    assert_eq!(
        network.parameters().count(),
        Cost::of(&architecture).unwrap().params
    );
}

/// A 1x1 kernel with a stride that reads `channels` channels of the image, which oneDNN's backward
/// pass for channels-last tensors gets wrong below 8 channels (it writes past its buffer: crashes,
/// wrong numbers).
fn strided_pointwise(channels: usize) -> Architecture {
    let layer = |kernel, filters, stride, inputs: &[usize]| Layer {
        kind: Default::default(),
        kernel: [kernel; 2],
        filters,
        stride: [stride; 2],
        padding: [0, 0],
        inputs: inputs.to_vec(),
    };
    Architecture {
        name: "strided-pointwise".to_owned(),
        input: [channels, 15, 15],
        classes: 3,
        layers: vec![
            layer(1, 8, 2, &[0]),
            layer(3, 4, 1, &[1]),
            layer(1, 5, 3, &[2]),
        ],
        output: vec![3],
    }
}

#[test]
fn a_strided_1x1_convolution_over_few_channels_computes_the_same_in_every_memory_form() {
    for channels in [1, 3, 4] {
        let architecture = strided_pointwise(channels);
        let images = Tensor::randn(
            [50, channels as i64, 15, 15],
            (tch::Kind::Float, Device::Cpu),
        );
        let labels = Tensor::randint(3, [50], (tch::Kind::Int64, Device::Cpu));
        let gradients = plans(&architecture).into_iter().map(|plan| {
            let network = seeded_network(&architecture, plan, 5);
            let loss =
                cross_entropy(&network.forward(&images, Mode::Train).unwrap(), &labels).unwrap();
            let gradient = network.gradient(&loss).unwrap();
            network
                .parameters()
                .named(&gradient)
                .unwrap()
                .into_iter()
                .map(|(_, tensor)| tensor.flatten(0, -1))
                .collect::<Vec<_>>()
        });
        let gradients: Vec<Tensor> = gradients.map(|parts| Tensor::cat(&parts, 0)).collect();
        for other in &gradients[1..] {
            assert_close("gradient", other, &gradients[0]);
        }
    }
}

#[test]
fn added_channels_stay_zero_through_training() {
    let fixture = Fixture::read();
    let network = fixture.network(Plan::filled(&fixture.architecture, Layout::ChannelsLast));
    let mut optimizer = Sgd::new(network.parameters().values(), (&nesterov()).into()).unwrap();
    for step in 0..2 {
        let logits = network
            .forward(&fixture.get("images").get(step), Mode::Train)
            .unwrap();
        let loss = cross_entropy(&logits, &fixture.get("labels").get(step)).unwrap();
        let gradient = network.gradient(&loss).unwrap();
        optimizer
            .step(network.parameters().values(), gradient, 0.1)
            .unwrap();
    }
    let values = network.parameters().values();
    let nonzero = |tensor: &Tensor| tensor.count_nonzero(None::<i64>).int64_value(&[]) as u64;
    let named: u64 = network
        .parameters()
        .named(values)
        .unwrap()
        .iter()
        .map(|(_, tensor)| nonzero(tensor))
        .sum();
    assert!(values.numel() as u64 > network.parameters().count());
    assert_eq!(
        (nonzero(values), named),
        (named, network.parameters().count())
    );
}

#[test]
fn small_children_fill_vectors_and_nascnn15_uses_the_fourier_transform() {
    let nascnn15 = resolve_architecture("nascnn15", Decode::Literal, [3, 32, 32], 10).unwrap();
    assert_eq!(
        Plan::fastest(&nascnn15, Device::Cpu, 128).unwrap(),
        Plan::spectral(&nascnn15).unwrap()
    );
    assert_eq!(
        Plan::direct(&nascnn15, Device::Cpu).unwrap(),
        Plan::plain(&nascnn15, Layout::Contiguous)
    );
    let small = Fixture::read().architecture;
    assert_eq!(
        Plan::fastest(&small, Device::Cpu, 128).unwrap(),
        Plan::filled(&small, Layout::ChannelsLast)
    );
    assert_eq!(Plan::spectral(&small), None);
}
