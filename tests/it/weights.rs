//! Weights as safetensors: what is saved is read back, and anything that does not match the network
//! is refused.

use std::path::Path;

use nas_tui::child::{Mode, Network, Plan, weights};
use nas_tui::config::Decode;
use nas_tui::data::Layout;
use nas_tui::space::weights::Weights;
use nas_tui::space::{Architecture, Layer, resolve_architecture};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use tch::{Device, Kind, Tensor};

use crate::seeded_network;

fn architecture(filters: usize) -> Architecture {
    let layer = |inputs: &[usize]| Layer {
        kind: Default::default(),
        kernel: [3, 3],
        filters,
        stride: [1, 1],
        padding: [1, 1],
        inputs: inputs.to_vec(),
    };
    Architecture {
        name: "weights".to_owned(),
        input: [2, 6, 6],
        classes: 3,
        layers: vec![layer(&[0]), layer(&[0, 1])],
        output: vec![1, 2],
    }
}

fn network(filters: usize, seed: i64, layout: Layout) -> Network {
    let architecture = architecture(filters);
    seeded_network(&architecture, Plan::filled(&architecture, layout), seed)
}

#[test]
fn saved_weights_make_another_network_compute_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("w.safetensors");
    let (one, other) = (
        network(5, 1, Layout::Contiguous),
        network(5, 2, Layout::ChannelsLast),
    );
    let images = Tensor::randn([4, 2, 6, 6], (Kind::Float, Device::Cpu));
    let _ = tch::no_grad(|| one.forward(&images, Mode::Train)).unwrap(); // so that the running statistics have moved
    weights::save(&one, &file).unwrap();
    weights::load(&other, &file).unwrap();
    let [expected, actual] = [&one, &other]
        .map(|network| tch::no_grad(|| network.forward(&images, Mode::Evaluate)).unwrap());
    assert!((expected - actual).abs().max().double_value(&[]) < 1e-6);
}

#[test]
fn the_names_in_a_file_are_pytorchs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("w.safetensors");
    weights::save(&network(4, 1, Layout::Contiguous), &file).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let contents = SafeTensors::deserialize(&bytes).unwrap();
    let mut names: Vec<String> = contents.names().into_iter().map(str::to_owned).collect();
    names.sort();
    let layer = |index| {
        [
            "bn.bias",
            "bn.running_mean",
            "bn.running_var",
            "bn.weight",
            "conv.weight",
        ]
        .map(|name| format!("layers.{index}.{name}"))
    };
    let expected: Vec<String> = ["classifier.bias", "classifier.weight"]
        .map(str::to_owned)
        .into_iter()
        .chain(layer(0))
        .chain(layer(1))
        .collect();
    assert_eq!(names, expected);
    assert_eq!(
        contents.tensor("layers.1.conv.weight").unwrap().shape(),
        [4, 6, 3, 3]
    );
}

/// Save weights, change the file's tensors, and return the error of loading it.
fn error_after(change: impl Fn(&mut Vec<(String, Vec<usize>, Vec<u8>)>)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("w.safetensors");
    let network = network(4, 1, Layout::ChannelsLast);
    weights::save(&network, &file).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let contents = SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors: Vec<_> = contents
        .iter()
        .map(|(name, view)| (name.to_owned(), view.shape().to_vec(), view.data().to_vec()))
        .collect();
    change(&mut tensors);
    write(&file, &tensors);
    let before = network.parameters().values().copy();
    let error = weights::load(&network, &file)
        .expect_err("the file is not the network's")
        .to_string();
    assert_eq!(
        before,
        *network.parameters().values(),
        "an error must leave the network as it was"
    );
    assert!(error.contains("w.safetensors"), "{error}");
    error
}

fn write(file: &Path, tensors: &[(String, Vec<usize>, Vec<u8>)]) {
    let views = tensors.iter().map(|(name, shape, data)| {
        (
            name,
            TensorView::new(Dtype::F32, shape.clone(), data).unwrap(),
        )
    });
    std::fs::write(file, safetensors::serialize(views, None).unwrap()).unwrap();
}

#[test]
fn a_missing_tensor_is_named() {
    let error = error_after(|tensors| tensors.retain(|(name, ..)| name != "layers.1.bn.bias"));
    assert!(error.contains("`layers.1.bn.bias` is missing"), "{error}");
}

#[test]
fn an_extra_tensor_is_named() {
    let error =
        error_after(|tensors| tensors.push(("layers.2.bn.bias".to_owned(), vec![1], vec![0; 4])));
    assert!(error.contains("`layers.2.bn.bias` has no place"), "{error}");
}

#[test]
fn a_wrong_shape_is_reported_with_the_right_one() {
    let error = error_after(|tensors| {
        let classifier = tensors
            .iter_mut()
            .find(|(name, ..)| name == "classifier.weight")
            .unwrap();
        classifier.1 = vec![8, 3];
    });
    assert!(
        error.contains("`classifier.weight` has shape [8, 3], but the architecture needs [3, 8]"),
        "{error}"
    );
}

#[test]
fn a_value_that_is_not_finite_is_refused() {
    let error = error_after(|tensors| tensors[0].2[..4].copy_from_slice(&f32::NAN.to_le_bytes()));
    assert!(error.contains("not finite"), "{error}");
}

#[test]
fn a_torn_file_is_refused_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("w.safetensors");
    let network = network(4, 1, Layout::ChannelsLast);
    weights::save(&network, &file).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    for length in [0, 7, 100, bytes.len() - 1] {
        std::fs::write(&file, &bytes[..length]).unwrap();
        let error = weights::load(&network, &file)
            .expect_err("the file is torn")
            .to_string();
        assert!(
            error.contains("w.safetensors: not a valid safetensors file"),
            "{error}"
        );
    }
}

#[test]
fn the_weights_in_the_documents_are_those_of_the_network_in_their_report() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/nascnn15");
    let network = resolve_architecture("nascnn15", Decode::Literal, [3, 32, 32], 10).unwrap();
    let weights = Weights::read(&folder.join("weights.safetensors"), &network).unwrap();
    let values = weights.tensors().values().flat_map(|tensor| &tensor.values);
    assert!(values.clone().all(|value| value.is_finite()));
    let summary = std::fs::read(folder.join("summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
    assert_eq!(summary["architecture"], "nascnn15");
    let page = std::fs::read_to_string(folder.join("../REPRODUCTION.md")).unwrap();
    let correct = format!("{} of 10000 images)", summary["test"]["correct"]);
    assert!(page.contains(&correct), "{correct}");
}
