//! Convolutions by Fourier transform against direct ones.

use nas_tui::child::{Mode, Network, Plan};
use nas_tui::config::Decode;
use nas_tui::data::Layout;
use nas_tui::space::{Architecture, Layer, resolve_architecture, spectra};
use nas_tui::train::cross_entropy;
use tch::{Device, Kind, Tensor};

use super::{Fixture, assert_close};
use crate::seeded_network;

/// `nascnn15` for images of this size, with direct convolutions and with spectra.
fn nascnn15(size: usize) -> (Architecture, [Plan; 2]) {
    let architecture =
        resolve_architecture("nascnn15", Decode::Literal, [3, size, size], 10).unwrap();
    let plans = [
        Plan::plain(&architecture, Layout::Contiguous),
        Plan::spectral(&architecture).unwrap(),
    ];
    (architecture, plans)
}

fn share_weights([first, second]: &[Network; 2]) {
    let [first, second] = [first, second].map(|network| network.parameters().values());
    tch::no_grad(|| second.shallow_clone().copy_(first));
}

/// Layers that keep the size of the image, so that the Fourier transform applies; joined inputs,
/// rectangular kernels.
fn even_sized() -> Architecture {
    let layer = |kernel: [usize; 2], filters, inputs: &[usize]| Layer {
        kind: Default::default(),
        kernel,
        filters,
        stride: [1, 1],
        padding: kernel.map(|size| size / 2),
        inputs: inputs.to_vec(),
    };
    Architecture {
        name: "even-sized".to_owned(),
        input: [2, 9, 8],
        classes: 3,
        layers: vec![
            layer([3, 5], 4, &[0]),
            layer([7, 1], 5, &[0, 1]),
            layer([1, 3], 3, &[1, 2]),
            layer([3, 3], 2, &[3]), // not read
            layer([5, 5], 6, &[0, 2, 3]),
        ],
        output: vec![0, 2, 5],
    }
}

#[test]
fn convolutions_by_fourier_transform_equal_direct_ones() {
    let (architecture, fixture) = (even_sized(), Fixture::read());
    let (images, labels) = (fixture.get("images").get(0), fixture.get("labels").get(0));
    let [direct, spectral] = [
        Plan::plain(&architecture, Layout::Contiguous),
        Plan::spectral(&architecture).unwrap(),
    ]
    .map(|plan| seeded_network(&architecture, plan, 3));
    for mode in [Mode::Train, Mode::Evaluate] {
        let [expected, actual] =
            [&direct, &spectral].map(|network| network.forward(&images, mode).unwrap());
        assert_close("logits", &actual, &expected);
        let [expected, actual] =
            [(&direct, expected), (&spectral, actual)].map(|(network, logits)| {
                network
                    .gradient(&cross_entropy(&logits, &labels).unwrap())
                    .unwrap()
            });
        assert_close("gradient", &actual, &expected);
        for ((name, expected), (_, actual)) in direct.buffers().zip(spectral.buffers()) {
            assert_close(&name, &actual, &expected);
        }
    }
}

/// The gradient of the whole network, at each size of image that a training may use.
#[test]
fn nascnn15s_loss_and_gradients_by_fourier_transform_are_those_of_direct_convolutions() {
    let options = (Kind::Double, Device::Cpu);
    for size in [16, 24, 32] {
        let (architecture, plans) = nascnn15(size);
        let images = Tensor::randn([1, 3, size as i64, size as i64], options);
        let labels = Tensor::randint(10, [1], (Kind::Int64, Device::Cpu));
        let networks = plans.map(|plan| Network::in_double_precision(&architecture, plan).unwrap());
        share_weights(&networks);
        let [(expected_loss, expected), (loss, actual)] = networks.map(|network| {
            let logits = network.forward(&images, Mode::Train).unwrap();
            let loss = cross_entropy(&logits, &labels).unwrap();
            let gradient = network.gradient(&loss).unwrap();
            (loss, gradient)
        });
        assert_close("loss", &loss, &expected_loss);
        assert_close("gradient", &actual, &expected);
    }
}

#[test]
fn logits_by_fourier_transform_are_within_1e_4_of_the_largest_for_evaluation() {
    let (architecture, plans) = nascnn15(32);
    let networks = plans.map(|plan| Network::new(&architecture, plan, Device::Cpu).unwrap());
    share_weights(&networks);
    let images = Tensor::randn([6, 3, 32, 32], (Kind::Float, Device::Cpu));
    let _guard = tch::no_grad_guard();
    // (Statistics as after training.)
    let [expected, actual] = networks.map(|network| {
        let whole = Mode::Estimate { images: 6, seen: 6 };
        let _ = network.forward(&images, whole).unwrap();
        network.forward(&images, Mode::Evaluate).unwrap()
    });
    let largest = expected.abs().max().double_value(&[]);
    let difference = (actual - expected).abs().max().double_value(&[]);
    assert!(difference < 1e-4 * largest, "{difference:e} of {largest}");
}

#[test]
fn a_gradient_without_a_recorded_forward_pass_is_refused() {
    let (architecture, [_, spectral]) = nascnn15(8);
    let network = Network::new(&architecture, spectral, Device::Cpu).unwrap();
    let images = Tensor::randn([2, 3, 8, 8], (Kind::Float, Device::Cpu));
    let loss = |logits: Tensor| logits.sum(Kind::Float);
    let unrecorded = tch::no_grad(|| network.forward(&images, Mode::Train).unwrap());
    assert!(network.gradient(&loss(unrecorded)).is_err());
    let first = network.forward(&images, Mode::Train).unwrap();
    let second = network.forward(&images, Mode::Train).unwrap();
    assert!(
        network.gradient(&loss(first)).is_err(),
        "not the latest pass"
    );
    assert!(
        network.gradient(&loss(second)).is_err(),
        "the pass is forgotten"
    );
}

/// Milliseconds of one training step.
fn step(network: &Network, images: &Tensor, labels: &Tensor) -> f64 {
    let start = std::time::Instant::now();
    let logits = network.forward(images, Mode::Train).unwrap();
    let loss = cross_entropy(&logits, labels).unwrap();
    let _ = network.gradient(&loss).unwrap();
    start.elapsed().as_secs_f64() * 1e3
}

/// Where spectra pay (docs/PERFORMANCE.md): steps of chains of four equal layers on 32x32 images, one
/// thread, in the fastest direct form and with spectra, alternating, the best of three.
#[test]
#[ignore = "a measurement of minutes, on idle cores"]
fn what_chains_gain_by_fourier_transform() {
    tch::set_num_threads(1);
    for (kernel, filters) in [3, 5, 7]
        .into_iter()
        .flat_map(|k| [24, 48, 96].map(|f| (k, f)))
    {
        let layer = |number| Layer {
            kind: Default::default(),
            kernel: [kernel; 2],
            filters,
            stride: [1, 1],
            padding: [kernel / 2; 2],
            inputs: vec![number],
        };
        let architecture = Architecture {
            name: "chain".to_owned(),
            input: [3, 32, 32],
            classes: 10,
            layers: (0..4).map(layer).collect(),
            output: vec![4],
        };
        for batch in [32, 128] {
            let images = Tensor::randn([batch, 3, 32, 32], (Kind::Float, Device::Cpu));
            let labels = Tensor::randint(10, [batch], (Kind::Int64, Device::Cpu));
            let networks = [
                Plan::direct(&architecture, Device::Cpu).unwrap(),
                Plan::spectral(&architecture).unwrap(),
            ]
            .map(|plan| Network::new(&architecture, plan, Device::Cpu).unwrap());
            let mut best = [f64::INFINITY; 2];
            for _ in 0..3 {
                for (best, network) in best.iter_mut().zip(&networks) {
                    *best = best.min(step(network, &images, &labels));
                }
            }
            let [direct, spectral] = best;
            println!(
                "{kernel}x{kernel}, {filters} filters, batch of {batch}: saves {:.2}; {direct:.0} and {spectral:.0} ms, {:.2} times as fast",
                spectra::saving(&architecture, batch as usize).unwrap(),
                direct / spectral
            );
        }
    }
}
