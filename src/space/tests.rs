//! The promises of a space: buildable children, exact masks, clear errors.

use super::decode::{FILTERS, KERNEL, PADDING, STRIDE};
use super::lanes::Lanes;
use super::memory::{direct_memory, spectral_memory};
use super::*;
use crate::config::Decode;

fn config(kernels: &[u32], strides: &[u32], paddings: &[u32]) -> SpaceConfig {
    SpaceConfig {
        layer: "chain".to_owned(),
        kernels: kernels.to_vec(),
        filters: vec![8, 16],
        strides: strides.to_vec(),
        paddings: paddings.to_vec(),
        decode: Decode::Literal,
    }
}

fn rectangular(kernels: &[u32], strides: &[u32]) -> SpaceConfig {
    SpaceConfig {
        layer: "rectangular".to_owned(),
        paddings: Vec::new(),
        ..config(kernels, strides, &[])
    }
}

/// Take feasible options until the child is complete; `pick` maps the number of feasible options to
/// one of them.
fn complete(prefix: &mut Prefix<'_>, mut pick: impl FnMut(usize) -> usize) {
    while let Some(next) = prefix.next() {
        let feasible: Vec<usize> = (0..next.feasible.len())
            .filter(|&index| next.feasible[index])
            .collect();
        assert!(!feasible.is_empty(), "no choice left at {next:?}");
        prefix.choose(feasible[pick(feasible.len())]);
    }
}

#[test]
fn a_chain_decides_kernel_filters_stride_padding_layer_by_layer() {
    let space = Space::new(&config(&[1, 3], &[1, 2], &[0, 1]), [1, 28, 28], 10).unwrap();
    let kinds: Vec<HeadKind> = space.heads().iter().map(|head| head.kind).collect();
    assert_eq!(kinds, [KERNEL, FILTERS, STRIDE, PADDING]);
    let mut prefix = space.prefix(2);
    let mut places = Vec::new();
    while let Some(next) = prefix.next() {
        places.push((next.layer, next.head));
        prefix.choose(1);
    }
    assert_eq!(
        places,
        [
            (1, 0),
            (1, 1),
            (1, 2),
            (1, 3),
            (2, 0),
            (2, 1),
            (2, 2),
            (2, 3)
        ]
    );
    assert_eq!(prefix.dna().to_string(), "[[3,16,2,1],[3,16,2,1]]");
}

#[test]
fn a_rectangular_space_has_separate_heads_for_height_and_width_and_same_padding() {
    let space = Space::new(&rectangular(&[1, 3, 5, 7], &[1]), [3, 32, 32], 10).unwrap();
    let network = space
        .network(&Dna(vec![vec![3, 7, 48, 1, 1]]), "child")
        .unwrap();
    assert_eq!(
        (
            network.layers[0].kernel,
            network.layers[0].padding,
            network.layers[0].filters
        ),
        ([3, 7], [1, 3], 48)
    );
    assert_eq!(network.shapes().unwrap()[1], [48, 32, 32]);
}

#[test]
fn an_option_that_leaves_too_small_a_map_for_later_layers_is_masked() {
    // Without padding, three 3x3 kernels need 7 pixels: 7 -> 5 -> 3 -> 1. A stride of 2 leaves too
    // few.
    let space = Space::new(&config(&[3, 5], &[1, 2], &[0]), [1, 7, 7], 10).unwrap();
    let mut prefix = space.prefix(3);
    assert_eq!(prefix.next().unwrap().feasible, [true, false]);
    prefix.choose(0);
    prefix.choose(0);
    assert_eq!(prefix.next().unwrap().feasible, [true, false]);
}

#[test]
fn the_shorter_side_of_an_image_decides() {
    let space = Space::new(&config(&[3, 5], &[1], &[0]), [1, 64, 4], 10).unwrap();
    assert_eq!(space.prefix(1).next().unwrap().feasible, [true, false]);
}

#[test]
fn with_clipped_decoding_everything_is_feasible() {
    let clipped = SpaceConfig {
        decode: Decode::Clipped,
        ..config(&[19, 24], &[13], &[0])
    };
    let space = Space::new(&clipped, [3, 2, 2], 10).unwrap();
    let mut prefix = space.prefix(30);
    let mut decisions = 0;
    while let Some(next) = prefix.next() {
        assert!(next.feasible.iter().all(|&feasible| feasible));
        prefix.choose(next.feasible.len() - 1);
        decisions += 1;
    }
    assert_eq!(decisions, 120);
    let network = space.network(&prefix.dna(), "child").unwrap();
    assert_eq!(network.shapes().unwrap()[30], [24, 2, 2]);
}

#[test]
fn padding_beyond_the_kernels_need_enlarges_the_map_without_overflow() {
    let space = Space::new(&config(&[1], &[1], &[4096]), [1, 65_536, 1], 10).unwrap();
    let mut prefix = space.prefix(30);
    complete(&mut prefix, |_| 0);
    let network = space.network(&prefix.dna(), "child").unwrap();
    assert_eq!(
        network.shapes().unwrap()[30],
        [8, 65_536 + 30 * 8192, 1 + 30 * 8192]
    );
}

#[test]
fn a_space_in_which_nothing_can_be_built_is_an_error_with_the_sizes() {
    let error = Space::new(&config(&[9], &[2], &[2]), [1, 4, 4], 10)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("no child of 1 layers can be built on 4x4 images"),
        "{error}"
    );
    assert!(
        error.contains("smallest kernel (9x9)") && error.contains("at least 5x5"),
        "{error}"
    );
}

#[test]
fn a_depth_that_no_child_can_reach_is_an_error_with_the_required_size() {
    let space = Space::new(&config(&[3], &[2], &[0]), [1, 28, 28], 10).unwrap();
    assert!(space.check_depth(3).is_ok()); // 28 -> 13 -> 6 -> 2
    let error = space.check_depth(4).unwrap_err().to_string();
    assert!(
        error.contains("no child of 4 layers") && error.contains("at least 31x31"),
        "{error}"
    );
    // A need beyond any number saturates instead of overflowing.
    assert!(space.check_depth(4_000).is_err());
}

#[test]
fn bad_lists_are_named() {
    let good = config(&[1, 3], &[1, 2], &[0, 1]);
    let cases = [
        (
            SpaceConfig {
                kernels: vec![],
                ..good.clone()
            },
            "space.kernels = []: must list at least one value",
        ),
        (
            SpaceConfig {
                paddings: vec![],
                ..good.clone()
            },
            "space.paddings = []: must list",
        ),
        (
            SpaceConfig {
                strides: vec![1, 0],
                ..good.clone()
            },
            "space.strides = 0: must list whole numbers from 1 to 4096",
        ),
        (
            SpaceConfig {
                filters: vec![8, 16, 8],
                ..good.clone()
            },
            "space.filters = 8: must list each value once",
        ),
        (
            SpaceConfig {
                paddings: vec![5000],
                ..good.clone()
            },
            "space.paddings = 5000: must list whole numbers from 0 to 4096",
        ),
        (
            rectangular(&[3, 4], &[1]),
            "space.kernels = 4: must list odd numbers in the space rectangular",
        ),
    ];
    for (config, expected) in cases {
        let error = Space::new(&config, [1, 28, 28], 10)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(expected),
            "{error:?} does not contain {expected:?}"
        );
    }
}

#[test]
fn a_journals_decisions_obey_the_rules_of_the_settings() {
    let mut heads = Space::new(&config(&[1, 3], &[1, 2], &[0, 1]), [1, 28, 28], 10)
        .unwrap()
        .heads()
        .to_vec();
    heads[2].options.push(5000);
    let error = Space::restore(heads, Decode::Literal, [1, 28, 28], 10)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("space.strides = 5000: must list whole numbers from 1 to 4096"),
        "{error}"
    );
}

#[test]
fn settings_and_spaces_have_the_same_largest_option() {
    for (key, most) in [
        ("kernels", 4095),
        ("filters", 4096),
        ("strides", 4096),
        ("paddings", 4096),
    ] {
        let resolved = |value: u32| {
            let set = vec![format!("space.{key}=[1, {value}]")];
            crate::config::resolve(&crate::config::Options {
                set,
                ..Default::default()
            })
        };
        let space = resolved(most).unwrap().space;
        assert!(Space::new(&space, [1, 28, 28], 10).is_ok(), "{key}");
        assert!(
            resolved(4097).unwrap_err().to_string().contains("4096"),
            "{key}"
        );
    }
}

#[test]
fn images_without_pixels_and_no_classes_are_refused() {
    let good = config(&[1, 3], &[1, 2], &[0, 1]);
    assert!(
        Space::new(&good, [1, 0, 28], 10)
            .unwrap_err()
            .to_string()
            .contains("images of 1x0x28")
    );
    assert!(
        Space::new(&good, [1, 28, 28], 0)
            .unwrap_err()
            .to_string()
            .contains("in 0 classes")
    );
}

#[test]
fn a_space_restored_from_its_decisions_decodes_as_it_did() {
    for config in [
        config(&[1, 3], &[1, 2], &[0, 1]),
        rectangular(&[1, 3], &[1, 2]),
    ] {
        let space = Space::new(&config, [1, 28, 28], 10).unwrap();
        let mut prefix = space.prefix(3);
        complete(&mut prefix, |feasible| feasible - 1);
        let restored =
            Space::restore(space.heads().to_vec(), config.decode, [1, 28, 28], 10).unwrap();
        assert_eq!(
            restored.network(&prefix.dna(), "x"),
            space.network(&prefix.dna(), "x")
        );
    }
}

#[test]
fn decisions_of_an_unknown_space_are_refused_by_name() {
    let heads = vec![Head {
        kind: STRIDE,
        options: vec![1],
    }];
    let error = Space::restore(heads, Decode::Literal, [1, 28, 28], 10)
        .unwrap_err()
        .to_string();
    assert!(error.contains("[stride]"), "{error}");
}

#[test]
#[should_panic(expected = "option 5 of head 0 is infeasible")]
fn a_masked_option_cannot_be_taken() {
    let space = Space::new(&config(&[3, 5], &[1], &[0]), [1, 4, 4], 10).unwrap();
    space.prefix(1).choose(1);
}

#[test]
#[should_panic(expected = "no child of 2 layers can be built")]
fn a_child_of_a_depth_that_cannot_be_built_cannot_be_started() {
    let space = Space::new(&config(&[3], &[1], &[0]), [1, 4, 4], 10).unwrap();
    let _ = space.prefix(2);
}

/// Whether the settings in a file are valid.
fn settings_of(path: &std::path::Path) -> Result<(), String> {
    let config = crate::config::read(path).map_err(|error| error.to_string())?;
    check_settings(&config).map_err(|violation| violation.to_string())
}

#[test]
fn good_and_bad_files_are_told_apart() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/configs");
    for (folder, is_good) in [("good", true), ("bad", false)] {
        let mut count = 0;
        for entry in std::fs::read_dir(corpus.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let result = settings_of(&path);
            assert_eq!(
                result.is_ok(),
                is_good,
                "{}: {:?}",
                path.display(),
                result.err()
            );
            count += 1;
        }
        assert!(count >= 3, "{folder}");
    }
}

/// A network in which each layer reads all before it, and keeps the size of the image.
fn dense(layers: usize) -> Architecture {
    let layer = |number: usize| Layer {
        kind: Operation::Convolution,
        kernel: [3; 2],
        filters: 1,
        stride: [1; 2],
        padding: [1; 2],
        inputs: (0..number).collect(),
    };
    Architecture {
        name: "dense".to_owned(),
        input: [1, 8, 8],
        classes: 2,
        layers: (1..=layers).map(layer).collect(),
        output: vec![layers],
    }
}

fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

#[test]
fn a_network_with_millions_of_connections_is_checked_in_one_pass() {
    let network = dense(3_000);
    let begin = cpu_seconds();
    assert_eq!(Cost::of(&network).unwrap().layers.len(), 3_000);
    direct_memory(&network, 128).unwrap();
    assert!(spectra::are_faster(&network, 128).unwrap());
    spectral_memory(&network, 128).unwrap();
    // A pass over all earlier inputs for each input takes minutes without optimisation.
    let seconds = cpu_seconds() - begin;
    assert!(seconds < 10.0, "{seconds:.1} s");
}

#[test]
fn the_lanes_of_a_network_with_a_million_connections_are_found_in_one_pass() {
    let network = dense(1_500);
    let begin = cpu_seconds();
    let lanes = Lanes::of(&network).unwrap();
    assert_eq!(lanes.count, 1_500);
    let readers = (0..lanes.rows.len()).map(|source| lanes.readers(source).len());
    assert_eq!(readers.sum::<usize>(), 1_500 * 1_501 / 2 + 1);
    let seconds = cpu_seconds() - begin;
    assert!(seconds < 10.0, "{seconds:.1} s");
}
