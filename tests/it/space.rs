//! What must be true in every space: sampled children can be built, and masks are exact.

use nas_tui::config::{Decode, SpaceConfig};
use nas_tui::space::memory::direct_memory;
use nas_tui::space::{Architecture, Cost, Dna, Layer, Space};
use proptest::prelude::*;
use proptest::sample::subsequence;

/// Spaces whose values are at most `largest`. Paddings are small and literal chains are frequent,
/// so that later layers often need more than a single pixel: otherwise there would be nothing to
/// mask.
fn space_config(largest: u32) -> impl Strategy<Value = SpaceConfig> {
    let some = |from: u32, to: u32| {
        subsequence(
            (from..=to).collect::<Vec<_>>(),
            1..=3usize.min((to - from + 1) as usize),
        )
    };
    let odd = subsequence((1..=largest).step_by(2).collect::<Vec<_>>(), 1..=2);
    let lists = (
        some(1, largest),
        odd,
        some(1, largest),
        some(1, largest),
        some(0, largest / 4),
    );
    (lists, prop::bool::weighted(0.8), prop::bool::weighted(0.8)).prop_map(
        |((kernels, odd, filters, strides, paddings), chain, literal)| SpaceConfig {
            layer: if chain {
                "chain".to_owned()
            } else {
                "rectangular".to_owned()
            },
            kernels: if chain { kernels } else { odd },
            filters,
            strides,
            paddings: if chain { paddings } else { Vec::new() },
            decode: if literal || !chain {
                Decode::Literal
            } else {
                Decode::Clipped
            },
        },
    )
}

/// Whether some completion of `genes` to `depth` layers can be built on images of `size`, by trying
/// every one. Masks are not consulted: `roomy` is the same space over images so large that
/// everything fits, and each network is checked.
fn has_completion(roomy: &Space, size: [usize; 2], genes: &[Vec<u32>], depth: usize) -> bool {
    let heads = roomy.heads();
    let mut genes = genes.to_vec();
    let head = match genes.last() {
        Some(gene) if gene.len() < heads.len() => gene.len(),
        _ if genes.len() == depth => {
            let network = roomy.network(&Dna(genes), "child").unwrap();
            return Architecture {
                input: [3, size[0], size[1]],
                ..network
            }
            .check()
            .is_ok();
        }
        _ => {
            genes.push(Vec::new());
            0
        }
    };
    heads[head].options.iter().any(|&option| {
        let mut longer = genes.clone();
        longer.last_mut().unwrap().push(option);
        has_completion(roomy, size, &longer, depth)
    })
}

/// Compare every mask on the path to one child of `depth` layers with brute force.
fn compare_masks(
    space: &Space,
    roomy: &Space,
    depth: usize,
    picks: &[usize],
) -> Result<(), TestCaseError> {
    let size = [space.input()[1], space.input()[2]];
    let mut prefix = space.prefix(depth);
    for pick in picks.iter().cycle() {
        let Some(next) = prefix.next() else { break };
        let options = &space.heads()[next.head].options;
        prop_assert_eq!(next.feasible.len(), options.len());
        for (&option, &feasible) in options.iter().zip(&next.feasible) {
            let mut genes = prefix.dna().0;
            if next.head == 0 {
                genes.push(Vec::new());
            }
            genes.last_mut().unwrap().push(option);
            prop_assert_eq!(
                feasible,
                has_completion(roomy, size, &genes, depth),
                "{:?} of depth {}",
                genes,
                depth
            );
        }
        let feasible: Vec<usize> = (0..options.len())
            .filter(|&index| next.feasible[index])
            .collect();
        prefix.choose(feasible[pick % feasible.len()]);
    }
    Ok(())
}

fn layers(count: usize) -> impl Strategy<Value = Vec<Layer>> {
    let layer = |number: usize| {
        let pair = |range: std::ops::RangeInclusive<usize>| [range.clone(), range];
        let inputs = subsequence((0..number).collect::<Vec<_>>(), 1..=number);
        // Padding of at least half the kernel, so that the kernel always fits.
        (pair(1..=5), 1..=9usize, pair(1..=3), pair(0..=2), inputs).prop_map(
            |(kernel, filters, stride, more, inputs)| Layer {
                kind: Default::default(),
                kernel,
                filters,
                stride,
                padding: [0, 1].map(|axis| kernel[axis] / 2 + more[axis]),
                inputs,
            },
        )
    };
    (1..=count).map(layer).collect::<Vec<_>>()
}

fn architecture() -> impl Strategy<Value = Architecture> {
    (1..=8usize).prop_flat_map(|count| {
        let output = subsequence((0..=count).collect::<Vec<_>>(), 1..=count);
        (
            [1..=4usize, 1..=20, 1..=20],
            1..=12usize,
            layers(count),
            output,
        )
            .prop_map(|(input, classes, layers, output)| Architecture {
                name: "random".into(),
                input,
                classes,
                layers,
                output,
            })
    })
}

proptest! {
    #[test]
    fn every_child_sampled_from_feasible_options_can_be_built(
        config in space_config(5),
        (height, width) in (1..=60usize, 1..=60usize),
        depth in prop_oneof![1..=4usize, 1..=30usize],
        picks in prop::collection::vec(any::<usize>(), 1..150),
    ) {
        let Ok(space) = Space::new(&config, [3, height, width], 10) else { return Ok(()) };
        // As deep as the space allows, where masks matter most.
        let depth = (1..=depth).rev().find(|&depth| space.check_depth(depth).is_ok()).unwrap();
        let mut prefix = space.prefix(depth);
        for pick in picks.iter().cycle() {
            let Some(next) = prefix.next() else { break };
            let feasible: Vec<usize> = (0..next.feasible.len()).filter(|&index| next.feasible[index]).collect();
            prop_assert!(!feasible.is_empty(), "nothing can be chosen at layer {}", next.layer);
            prefix.choose(feasible[pick % feasible.len()]);
        }
        let dna = prefix.dna();
        prop_assert_eq!(dna.depth(), depth);
        let network = space.network(&dna, "child").map_err(|error| TestCaseError::fail(format!("{dna}: {error}")))?;
        prop_assert_eq!(network.layers.len(), depth);
        prop_assert!(network.shapes().unwrap().iter().flatten().all(|&size| size >= 1));
    }

    #[test]
    fn an_option_is_masked_exactly_when_no_completion_can_be_built(
        config in space_config(4),
        (height, width) in (1..=12usize, 1..=12usize),
        depth in 1..=3usize,
        picks in prop::collection::vec(any::<usize>(), 10),
    ) {
        let config = SpaceConfig { filters: vec![1], ..config };
        let roomy = Space::new(&config, [3, 1000, 1000], 2).unwrap();
        match Space::new(&config, [3, height, width], 2) {
            Ok(space) if space.check_depth(depth).is_ok() => compare_masks(&space, &roomy, depth, &picks)?,
            // Refused as a whole: there is no child of this depth, or not even one of a single
            // layer.
            Ok(_) => prop_assert!(!has_completion(&roomy, [height, width], &[], depth)),
            Err(_) => prop_assert!(!has_completion(&roomy, [height, width], &[], 1)),
        }
    }

    #[test]
    fn the_cost_of_any_network_adds_up(network in architecture()) {
        let cost = Cost::of(&network).unwrap();
        let shapes = network.shapes().unwrap();
        let channels = |inputs: &[usize]| inputs.iter().map(|&input| shapes[input][0] as u64).sum::<u64>();
        let classifier = (channels(&network.output) + 1) * network.classes as u64;
        prop_assert_eq!(cost.params, cost.layers.iter().map(|layer| layer.params).sum::<u64>() + classifier);
        prop_assert_eq!(cost.macs, cost.layers.iter().map(|layer| layer.macs).sum::<u64>() + classifier - network.classes as u64);
        for (index, (layer, cost)) in network.layers.iter().zip(&cost.layers).enumerate() {
            let weights = channels(&layer.inputs) * (layer.filters * layer.kernel[0] * layer.kernel[1]) as u64;
            prop_assert_eq!(cost.output_shape, shapes[index + 1]);
            prop_assert_eq!(cost.params, weights + 2 * layer.filters as u64);
            prop_assert_eq!(cost.macs, weights * (cost.output_shape[1] * cost.output_shape[2]) as u64);
            prop_assert!((0..2).all(|axis| cost.receptive_field[axis] >= layer.kernel[axis] as u64));
        }
    }

    #[test]
    fn memory_grows_with_the_batch_by_the_same_amount_per_image(network in architecture(), images in 1..300usize) {
        let memory = |images| direct_memory(&network, images).unwrap();
        prop_assert_eq!(memory(images) - memory(0), images as u64 * (memory(1) - memory(0)));
        prop_assert_eq!(memory(0), 12 * Cost::of(&network).unwrap().params);
    }

    #[test]
    fn a_network_has_the_same_key_under_any_name_and_another_key_after_any_change(network in architecture()) {
        let renamed = Architecture { name: "other".into(), ..network.clone() };
        prop_assert_eq!(network.key(), renamed.key());
        prop_assert!(network.same_network(&renamed));
        let mut changed = network.clone();
        changed.layers.last_mut().unwrap().filters += 1;
        prop_assert_ne!(network.key(), changed.key());
        prop_assert!(!network.same_network(&changed));
    }
}
