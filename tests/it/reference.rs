//! Weights and images given by a formula, and PyTorch's results for them
//! (tests/fixtures/make_nascnn15.py).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nas_tui::space::Architecture;
use nas_tui::space::weights::tensor_shapes;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

/// Number of images from [`cifar_images`].
const IMAGES: usize = 6;

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// Images with PyTorch's logits for them.
pub struct Case {
    /// `[N, C, H, W]`.
    pub shape: Vec<usize>,
    pub images: Vec<f32>,
    pub logits: Vec<Vec<f64>>,
}

impl Case {
    /// In the format read by scripts/check_logits.py.
    pub fn write(&self, path: &Path) {
        let Case {
            shape,
            images,
            logits,
        } = self;
        std::fs::write(
            path,
            serde_json::json!({ "shape": shape, "images": images, "logits": logits }).to_string(),
        )
        .unwrap();
    }
}

/// The next state of a linear congruential generator.
fn next(state: &mut u32) -> u32 {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    *state
}

/// Write the weights that the formula gives for `architecture`.
pub fn write_weights(architecture: &Architecture, path: &Path) {
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = tensor_shapes(architecture)
        .unwrap()
        .into_iter()
        .enumerate()
        .map(|(number, (name, shape))| {
            let bytes = values(number, &name, &shape)
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            (name, shape, bytes)
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        (
            name,
            TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap(),
        )
    });
    std::fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

fn values(number: usize, name: &str, shape: &[usize]) -> Vec<f32> {
    let mut state = (number as u32 + 1).wrapping_mul(2_654_435_761);
    let fan_in: usize = shape[1..].iter().product();
    let part = if name.starts_with("layers") {
        name.splitn(3, '.').last().unwrap()
    } else {
        name
    };
    let value = |uniform: f64| match part {
        "conv.weight" => (2.0 * uniform - 1.0) * (6.0 / fan_in as f64).sqrt(),
        "bn.weight" => 0.5 + uniform,
        "bn.bias" | "classifier.bias" => uniform - 0.5,
        "bn.running_mean" => 0.4 * uniform - 0.2,
        "bn.running_var" => 0.5 + 1.5 * uniform,
        "classifier.weight" => 2.0 * uniform - 1.0,
        other => panic!("no formula for {other}"),
    };
    (0..shape.iter().product())
        .map(|_| value(f64::from(next(&mut state) >> 8) / f64::from(1 << 24)) as f32)
        .collect()
}

/// `[6, 3, 32, 32]`: noise with a different strength and brightness in each image.
pub fn cifar_images() -> Vec<u8> {
    let mut state = 7;
    let mut pixel = |index: usize| {
        let number = index / 3_072;
        (((next(&mut state) >> 24) >> (number % 5)) as usize + 23 * number) as u8
    };
    (0..IMAGES * 3_072).map(&mut pixel).collect()
}

/// PyTorch's results for NASCNN15 (`name`) with the formula's weights and images.
pub fn nascnn15(name: &str) -> Case {
    let text = std::fs::read_to_string(fixture("nascnn15.json")).unwrap();
    let mut logits: BTreeMap<String, Vec<Vec<f64>>> = serde_json::from_str(&text).unwrap();
    const MEAN: [f32; 3] = [0.4914, 0.4822, 0.4465];
    const STD: [f32; 3] = [0.2470, 0.2435, 0.2616];
    let normalised = |(index, &pixel): (usize, &u8)| {
        let channel = index / 1_024 % 3;
        (f32::from(pixel) / 255.0 - MEAN[channel]) / STD[channel]
    };
    let images = cifar_images().iter().enumerate().map(normalised).collect();
    Case {
        shape: vec![IMAGES, 3, 32, 32],
        images,
        logits: logits.remove(name).unwrap(),
    }
}

/// A small network with unequal sizes, strides and paddings, and PyTorch's results for it; its
/// weights are in tests/fixtures/numerics_weights.safetensors.
pub fn numerics() -> (Architecture, Case) {
    let bytes = std::fs::read(fixture("numerics.safetensors")).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let architecture =
        serde_json::from_str(&metadata.metadata().as_ref().unwrap()["architecture"]).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let floats = |name: &str| -> Vec<f32> {
        let values = file
            .tensor(name)
            .unwrap()
            .data()
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        values.collect()
    };
    let shape = file.tensor("images").unwrap().shape()[1..].to_vec();
    // The logits are those of the first of two batches.
    let images = floats("images")[..shape.iter().product()].to_vec();
    let logits = floats("eval.logits")
        .chunks(3)
        .map(|row| row.iter().copied().map(f64::from).collect())
        .collect();
    (
        architecture,
        Case {
            shape,
            images,
            logits,
        },
    )
}
