//! The network, its gradients and its optimiser against PyTorch 2.11 (values from tests/fixtures/make_numerics.py).

use std::path::{Path, PathBuf};

use nas_tui::child::{Mode, Network, Plan, weights};
use nas_tui::config::{ChildConfig, ChildSchedule};
use nas_tui::data::Layout;
use nas_tui::space::{Architecture, Cost};
use nas_tui::train::{Sgd, cross_entropy};
use safetensors::{Dtype, SafeTensors};
use tch::{Device, Tensor};

const TOLERANCE: f64 = 1e-5;

/// Every form in which a network can lie in memory.
fn plans(architecture: &Architecture) -> Vec<Plan> {
    let forms = |layout| [Plan::plain(architecture, layout), Plan::filled(architecture, layout)];
    [Layout::Contiguous, Layout::ChannelsLast].into_iter().flat_map(forms).collect()
}

struct Fixture {
    bytes: Vec<u8>,
    architecture: Architecture,
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

impl Fixture {
    fn read() -> Fixture {
        let bytes = std::fs::read(path("numerics.safetensors")).unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let architecture = serde_json::from_str(&metadata.metadata().as_ref().unwrap()["architecture"]).unwrap();
        Fixture { bytes, architecture }
    }

    fn get(&self, name: &str) -> Tensor {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let view = file.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        let shape: Vec<i64> = view.shape().iter().map(|&size| size as i64).collect();
        let kind = if view.dtype() == Dtype::I64 { tch::Kind::Int64 } else { tch::Kind::Float };
        Tensor::from_data_size(view.data(), &shape, kind)
    }

    /// The network with the fixture's weights.
    fn network(&self, plan: Plan) -> Network {
        let network = Network::new(&self.architecture, plan, Device::Cpu).unwrap();
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
    assert!(difference / scale <= TOLERANCE, "{what}: relative difference {:e}", difference / scale);
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
        let mut optimizer = Sgd::new(network.parameters().values(), &nesterov()).unwrap();
        for step in 0..2 {
            let logits = network.forward(&images.get(step), Mode::Train).unwrap();
            assert_close("logits", &logits, &fixture.get(&format!("step{step}.logits")));
            let loss = cross_entropy(&logits, &labels.get(step)).unwrap();
            assert_close("loss", &loss, &fixture.get(&format!("step{step}.loss")));
            let gradient = network.parameters().gradient(&loss).unwrap();
            for (name, gradient) in network.parameters().named(&gradient).unwrap() {
                assert_close(name, &gradient, &fixture.get(&format!("step{step}.gradient.{name}")));
            }
            optimizer.step(network.parameters().values(), gradient, 0.1).unwrap();
            for (name, parameter) in network.parameters().named(network.parameters().values()).unwrap() {
                assert_close(name, &parameter, &fixture.get(&format!("step{step}.after.{name}")));
            }
            for (name, buffer) in network.buffers() {
                assert_close(&name, &buffer, &fixture.get(&format!("step{step}.after.{name}")));
            }
        }
    }
}

#[test]
fn logits_in_evaluation_mode_agree_with_pytorch_and_leave_the_statistics_alone() {
    let fixture = Fixture::read();
    for plan in plans(&fixture.architecture) {
        let network = fixture.network(plan);
        let before: Vec<Tensor> = network.buffers().map(|(_, buffer)| buffer.copy()).collect();
        let logits = tch::no_grad(|| network.forward(&fixture.get("images").get(0), Mode::Evaluate)).unwrap();
        assert_close("logits", &logits, &fixture.get("eval.logits"));
        assert!(network.buffers().zip(&before).all(|((_, after), before)| after == *before));
    }
}

#[test]
fn a_seed_gives_pytorchs_initial_weights() {
    let fixture = Fixture::read();
    for plan in plans(&fixture.architecture) {
        tch::manual_seed(7);
        let network = Network::new(&fixture.architecture, plan, Device::Cpu).unwrap();
        for (name, parameter) in network.parameters().named(network.parameters().values()).unwrap() {
            assert_close(name, &parameter, &fixture.get(&format!("seed7.{name}")));
        }
    }
}

#[test]
fn a_network_has_as_many_parameters_as_its_cost_says() {
    let architecture = Fixture::read().architecture;
    let network = Network::new(&architecture, Plan::filled(&architecture, Layout::ChannelsLast), Device::Cpu).unwrap();
    assert_eq!(network.parameters().count(), Cost::of(&architecture).unwrap().params);
}
