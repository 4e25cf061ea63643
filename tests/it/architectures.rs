//! Architecture and DNA files: a corpus of good and bad ones, and costs compared with PyTorch's.

use std::path::{Path, PathBuf};

use nas_tui::config::Decode;
use nas_tui::space::builtin::builtin;
use nas_tui::space::file::{CostedArchitecture, DnaContext};
use nas_tui::space::memory::direct_memory;
use nas_tui::space::{
    Architecture, Cost, read_architecture, read_architectures, write_architecture,
};
use serde::Deserialize;

const CIFAR: DnaContext = DnaContext {
    decode: Decode::Literal,
    input: [3, 32, 32],
    classes: 10,
};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The JSON files of a corpus.
pub fn corpus(kind: &str) -> Vec<PathBuf> {
    let folder = fixtures().join("architectures").join(kind);
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    files.sort();
    assert!(files.len() >= 5, "{kind}: {files:?}");
    files
}

/// A file with the benchmark's networks.
fn bench(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("benches")
        .join(name)
}

#[test]
fn good_files_are_read_and_survive_writing() {
    let folder = tempfile::tempdir().unwrap();
    for path in corpus("good") {
        let network = read_architecture(&path, CIFAR).unwrap_or_else(|error| panic!("{error}"));
        let written = folder.path().join("written.json");
        write_architecture(&written, &network).unwrap();
        assert_eq!(read_architecture(&written, CIFAR).unwrap(), network);
    }
}

#[test]
fn the_output_of_inspect_is_an_architecture_file() {
    let folder = tempfile::tempdir().unwrap();
    for path in corpus("good") {
        let network = read_architecture(&path, CIFAR).unwrap();
        let costed = folder.path().join("costed.json");
        std::fs::write(
            &costed,
            CostedArchitecture::new(&network).unwrap().to_json(),
        )
        .unwrap();
        assert_eq!(read_architecture(&costed, CIFAR).unwrap(), network);
    }
}

#[test]
fn a_dna_file_is_named_after_its_file_and_a_gene_of_five_is_rectangular() {
    let network = read_architecture(
        &fixtures().join("architectures/good/dna_rectangular.json"),
        CIFAR,
    )
    .unwrap();
    assert_eq!(network.name, "dna_rectangular");
    assert_eq!(
        (network.layers[0].kernel, network.layers[1].stride),
        ([3, 7], [2, 1])
    );
}

#[test]
fn the_genes_alone_are_a_dna_too() {
    let read = |name: &str| {
        let path = fixtures().join("architectures/good").join(name);
        read_architecture(&path, CIFAR).unwrap()
    };
    let bare = read("dna_bare.json");
    assert_eq!(bare.name, "dna_bare");
    assert!(bare.same_network(&read("dna_chain.json")));
}

#[test]
fn nascnn15_equals_the_benchs_file() {
    let network = builtin("nascnn15", Decode::Literal, [3, 32, 32], 10)
        .unwrap()
        .unwrap();
    assert_eq!(
        read_architecture(&bench("nascnn15.json"), CIFAR).unwrap(),
        network
    );
}

#[test]
fn the_benchs_children_are_a_list() {
    let children = read_architectures(&bench("children_small.json")).unwrap();
    assert!(children.len() == 6 && children[0].name == "demo-a");
}

/// PyTorch's figures for a network: see tests/fixtures/make_costs.py.
#[derive(Deserialize)]
struct Measured {
    architecture: Architecture,
    params: u64,
    macs: u64,
    output_shapes: Vec<[usize; 3]>,
    receptive_field: Option<Vec<[u64; 2]>>,
    batch_size: usize,
    peak_bytes: u64,
}

fn measured() -> Vec<Measured> {
    serde_json::from_str(&std::fs::read_to_string(fixtures().join("costs.json")).unwrap()).unwrap()
}

#[test]
fn params_macs_and_shapes_agree_with_pytorchs_modules() {
    for Measured {
        architecture,
        params,
        macs,
        output_shapes,
        ..
    } in measured()
    {
        let cost = Cost::of(&architecture).unwrap();
        assert_eq!(
            (cost.params, cost.macs),
            (params, macs),
            "{}",
            architecture.name
        );
        assert_eq!(
            cost.layers
                .iter()
                .map(|layer| layer.output_shape)
                .collect::<Vec<_>>(),
            output_shapes,
            "{}",
            architecture.name
        );
    }
}

#[test]
fn receptive_fields_agree_with_the_extent_of_pytorchs_gradients() {
    let mut compared = 0;
    for Measured {
        architecture,
        receptive_field,
        ..
    } in measured()
    {
        let Some(expected) = receptive_field else {
            continue;
        };
        let cost = Cost::of(&architecture).unwrap();
        assert_eq!(
            cost.layers
                .iter()
                .map(|layer| layer.receptive_field)
                .collect::<Vec<_>>(),
            expected,
            "{}",
            architecture.name
        );
        compared += 1;
    }
    assert!(compared >= 8);
}

#[test]
fn estimated_memory_covers_pytorchs_peak_without_exaggerating() {
    for Measured {
        architecture,
        batch_size,
        peak_bytes,
        ..
    } in measured()
        .iter()
        .filter(|measured| measured.peak_bytes > 1 << 20)
    {
        let ratio = direct_memory(architecture, *batch_size).unwrap() as f64 / *peak_bytes as f64;
        assert!(
            (1.0..1.5).contains(&ratio),
            "{}: estimate is {ratio:.3} of the peak",
            architecture.name
        );
    }
}
