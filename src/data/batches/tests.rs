use std::collections::HashMap;

use super::*;
use crate::data::preparation::{Normalizer, cifar10};
use crate::data::whiten::Whitening;

/// torchvision's output for five images (tests/fixtures/make_batches.py).
fn fixture() -> HashMap<String, Tensor> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/batches.safetensors"
    );
    Tensor::read_safetensors(file)
        .unwrap()
        .into_iter()
        .collect()
}

fn images(tensor: &Tensor) -> Images {
    let pixels = Vec::<u8>::try_from(tensor.flatten(0, -1)).unwrap();
    Images {
        pixels,
        labels: (0..tensor.size()[0] as u16).collect(),
    }
}

fn fixture_placements(fixture: &HashMap<String, Tensor>) -> Vec<CropPlace> {
    let rows = Vec::<Vec<i64>>::try_from(&fixture["placements"]).unwrap();
    rows.iter()
        .map(|row| CropPlace {
            top: row[0] as usize,
            left: row[1] as usize,
            flip: row[2] == 1,
        })
        .collect()
}

fn cifar_preparation(input: [usize; 3], crop: Crop) -> Preparation {
    Preparation {
        normalizer: cifar10(),
        input,
        crop,
        flip: Flip::Random,
        cutout: 0,
    }
}

/// Both ways of making a batch, in both layouts, on the CPU.
fn ways(images: &Images, preparation: &Preparation) -> Vec<DeviceDataset> {
    let mut ways = Vec::new();
    for layout in [Layout::Contiguous, Layout::ChannelsLast] {
        ways.push(
            DeviceDataset::on_host(images.clone(), preparation, Device::Cpu, layout).unwrap(),
        );
        ways.push(DeviceDataset::on_device(images, preparation, Device::Cpu, layout).unwrap());
    }
    ways
}

fn placed(data: &DeviceDataset, placements: &[CropPlace]) -> Tensor {
    let all: Vec<u32> = (0..data.len() as u32).collect();
    match &data.store {
        Store::Host(images) => images.batch(&all, Some(placements)).unwrap().0,
        Store::Resident(images) => {
            let sequence = images.sequence(&all, Some(placements), all.len()).unwrap();
            images
                .training_batch(&sequence, 0, all.len() as i64)
                .unwrap()
                .0
        }
    }
}

/// All images in the form used to measure accuracy.
fn evaluated(data: &DeviceDataset) -> (Tensor, Tensor) {
    data.evaluation_batches(data.len()).next().unwrap().unwrap()
}

fn difference(one: &Tensor, other: &Tensor) -> f64 {
    assert_eq!(one.size(), other.size());
    (one - other).abs().max().double_value(&[])
}

#[test]
fn whole_images_are_bit_identical_to_torchvisions() {
    let fixture = fixture();
    for data in ways(
        &images(&fixture["raw"]),
        &cifar_preparation([3, 8, 8], Crop::Pad(2)),
    ) {
        let (batch, labels) = evaluated(&data);
        assert_eq!(batch, fixture["whole"], "{:?}", batch.stride());
        assert_eq!(Vec::<i64>::try_from(labels).unwrap(), [0, 1, 2, 3, 4]);
    }
}

#[test]
fn padded_crops_and_flips_are_bit_identical_to_torchvisions() {
    let fixture = fixture();
    for data in ways(
        &images(&fixture["raw"]),
        &cifar_preparation([3, 8, 8], Crop::Pad(2)),
    ) {
        let batch = placed(&data, &fixture_placements(&fixture));
        assert_eq!(batch, fixture["padded"], "{:?}", batch.stride());
    }
}

#[test]
fn enlarged_crops_agree_with_pytorchs_interpolation() {
    let fixture = fixture();
    for data in ways(
        &images(&fixture["raw"]),
        &cifar_preparation([3, 8, 8], Crop::Upsample(12)),
    ) {
        let difference = difference(
            &placed(&data, &fixture_placements(&fixture)),
            &fixture["upsampled"],
        );
        assert!(difference < 1e-6, "{difference}");
    }
}

#[test]
fn whitening_agrees_with_double_precision() {
    let fixture = fixture();
    let train = images(&fixture["zca_train"]);
    let normalizer = Normalizer::Whitening(Whitening::fit(&train).unwrap());
    let preparation = Preparation {
        normalizer,
        input: [1, 4, 4],
        crop: Crop::None,
        flip: Flip::None,
        cutout: 0,
    };
    for data in ways(&train, &preparation) {
        let difference = difference(&evaluated(&data).0, &fixture["zca_whitened"]);
        assert!(difference < 2e-5, "{difference}");
    }
}

/// The third batch of four in an epoch with three copies of each image.
fn third_batch(data: &DeviceDataset) -> Tensor {
    let order = (0..15).map(|place| place * 7 % data.len() as u32).collect();
    data.epoch_of(Shuffle {
        seed: 3,
        epoch: 1,
        order,
        batch_size: 4,
    })
    .unwrap()
    .batch(2)
    .unwrap()
    .0
}

#[test]
fn both_ways_make_the_same_batches_for_every_setting() {
    let fixture = fixture();
    let raw = images(&fixture["raw"]);
    let whitening = || Normalizer::Whitening(Whitening::fit(&raw).unwrap());
    for crop in [Crop::None, Crop::Pad(3), Crop::Upsample(11)] {
        for preparation in [
            cifar_preparation([3, 8, 8], crop),
            Preparation {
                cutout: 3,
                ..cifar_preparation([3, 8, 8], crop)
            },
            Preparation {
                normalizer: whitening(),
                ..cifar_preparation([3, 8, 8], crop)
            },
        ] {
            let ways = ways(&raw, &preparation);
            let batches: Vec<Tensor> = ways.iter().map(third_batch).collect();
            for other in &batches[1..] {
                assert!(difference(&batches[0], other) < 2e-5, "{preparation:?}");
            }
        }
    }
}

#[test]
fn channels_last_is_the_order_in_memory() {
    let fixture = fixture();
    let mut seen = Vec::new();
    for data in ways(
        &images(&fixture["raw"]),
        &cifar_preparation([3, 8, 8], Crop::Pad(2)),
    ) {
        let training = data.training_epoch(2, 0, 0).unwrap().batch(0).unwrap().0;
        let strides = [training, evaluated(&data).0].map(|batch| batch.stride());
        assert!(
            strides == [[192, 1, 24, 3]; 2] || strides == [[192, 64, 8, 1]; 2],
            "{strides:?}"
        );
        seen.push(strides[0].clone());
    }
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[1], seen[2]);
}

#[test]
fn accuracy_is_measured_on_the_middle_of_enlarged_images_at_the_scale_of_training() {
    let fixture = fixture();
    // torchvision's version of the third image, cropped at (2, 2) from 12 by 12 and not mirrored,
    // is its middle; all images are checked with PyTorch's interpolation.
    let enlarged = fixture["whole"].upsample_bilinear2d([12, 12], false, None, None);
    let middle = enlarged.narrow(2, 2, 8).narrow(3, 2, 8);
    for data in ways(
        &images(&fixture["raw"]),
        &cifar_preparation([3, 8, 8], Crop::Upsample(12)),
    ) {
        let (batch, labels) = evaluated(&data);
        assert!(difference(&batch, &middle) < 1e-6);
        assert!(difference(&batch.get(2), &fixture["upsampled"].get(2)) < 1e-6);
        assert_eq!(Vec::<i64>::try_from(labels).unwrap(), [0, 1, 2, 3, 4]);
    }
}

#[test]
fn an_epoch_shows_every_image_once_in_its_own_order() {
    let first = epoch_order(1, 1, 1_000);
    let mut sorted = first.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..1_000).collect::<Vec<u32>>());
    assert_eq!(first, epoch_order(1, 1, 1_000));
    assert_ne!(first, epoch_order(1, 2, 1_000));
    assert_ne!(first, epoch_order(2, 1, 1_000));
}

#[test]
fn batches_of_an_epoch_cover_the_set_and_the_last_may_be_smaller() {
    let fixture = fixture();
    let data = &ways(
        &images(&fixture["raw"]),
        &cifar_preparation([3, 8, 8], Crop::Pad(2)),
    )[0];
    let labels = |batches: Vec<Result<(Tensor, Tensor), DataError>>| -> Vec<Vec<i64>> {
        batches
            .into_iter()
            .map(|batch| Vec::try_from(batch.unwrap().1).unwrap())
            .collect()
    };
    assert_eq!(
        labels(data.evaluation_batches(2).collect()),
        [vec![0, 1], vec![2, 3], vec![4]]
    );
    let epoch = data.training_epoch(2, 9, 1).unwrap();
    let mut all = labels(
        (0..epoch.batches())
            .map(|batch| epoch.batch(batch))
            .collect(),
    )
    .concat();
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 3, 4]);
}

/// `cargo test --release -- --ignored --nocapture cost_of` prints the figures quoted in
/// docs/PERFORMANCE.md.
#[test]
#[ignore = "a measurement, not a check"]
fn cost_of_a_batch_of_128_images_of_3x32x32() {
    let pixels: Vec<u8> = (0..2_000 * 3_072)
        .map(|index| (index * 31 % 251) as u8)
        .collect();
    let raw = Images {
        pixels,
        labels: vec![0; 2_000],
    };
    for crop in [Crop::None, Crop::Pad(4), Crop::Upsample(40)] {
        for data in ways(&raw, &cifar_preparation([3, 32, 32], crop)) {
            let epoch = data.training_epoch(125, 1, 1).unwrap();
            let batches =
                || (0..epoch.batches()).for_each(|batch| drop(epoch.batch(batch).unwrap()));
            batches();
            let start = std::time::Instant::now();
            (0..10).for_each(|_| batches());
            let way = if matches!(data.store, Store::Host(_)) {
                "one pass"
            } else {
                "tensor operations"
            };
            println!(
                "{crop:?} {:?} {way}: {:.3} ms",
                epoch.batch(0).unwrap().0.stride(),
                start.elapsed().as_secs_f64() * 1e3 / 160.0 * 128.0 / 125.0
            );
        }
    }
}
