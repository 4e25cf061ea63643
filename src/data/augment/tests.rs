use super::*;

/// Values count up, so that every pixel is distinct; 0 is reserved for the padding.
fn image([channels, height, width]: [usize; 3]) -> Vec<u8> {
    (1..=(channels * height * width) as u8).collect()
}

fn identity(channels: usize) -> Normalized {
    Normalized::new(&vec![0.0; channels], &vec![1.0 / 255.0; channels])
}

/// The crop, read pixel by pixel according to its definition.
fn expected(
    source: &[u8],
    [channels, height, width]: [usize; 3],
    margin: usize,
    placement: CropPlace,
) -> Vec<f32> {
    let mut values = Vec::new();
    for channel in 0..channels {
        for y in 0..height {
            for x in 0..width {
                let x = if placement.flip { width - 1 - x } else { x };
                let (row, column) = (y + placement.top, x + placement.left);
                let inside = (margin..margin + height).contains(&row)
                    && (margin..margin + width).contains(&column);
                let index = |row: usize, column: usize| (channel * height + row) * width + column;
                values.push(if inside {
                    f32::from(source[index(row - margin, column - margin)])
                } else {
                    0.0
                });
            }
        }
    }
    values
}

fn written(
    source: &[u8],
    shape: [usize; 3],
    layout: Layout,
    crop: Crop,
    placement: CropPlace,
) -> Vec<f32> {
    let conversion = identity(shape[0]);
    let writer = Writer {
        conversion: &conversion,
        shape,
        layout,
        crop,
    };
    let mut out = vec![f32::NAN; source.len()];
    writer.write(source, Some(placement), &mut Scratch::default(), &mut out);
    out.iter().map(|value| value.round()).collect()
}

#[test]
fn every_placement_crops_and_flips_as_defined_in_both_layouts() {
    let shape = [3, 4, 5];
    let source = image(shape);
    for margin in [0, 2, 6] {
        for placement in all_placements(margin) {
            let expected = expected(&source, shape, margin, placement);
            let crop = Crop::Pad(margin);
            assert_eq!(
                written(&source, shape, Layout::Contiguous, crop, placement),
                expected,
                "{margin} {placement:?}"
            );
            let last = written(&source, shape, Layout::ChannelsLast, crop, placement);
            assert_eq!(
                channels_first(&last, shape),
                expected,
                "{margin} {placement:?}"
            );
        }
    }
}

fn all_placements(margin: usize) -> Vec<CropPlace> {
    let offsets = || 0..=2 * margin;
    let flips = |top, left| [false, true].map(|flip| CropPlace { top, left, flip });
    offsets()
        .flat_map(|top| offsets().flat_map(move |left| flips(top, left)))
        .collect()
}

fn channels_first(values: &[f32], [channels, height, width]: [usize; 3]) -> Vec<f32> {
    let at = |channel, y, x| values[(y * width + x) * channels + channel];
    (0..channels * height * width)
        .map(|i| at(i / (height * width), i / width % height, i % width))
        .collect()
}

#[test]
fn outside_the_image_is_black_before_normalisation() {
    let table = Normalized::new(&[0.5], &[0.25]);
    assert_eq!(table.padding(0), -2.0);
    assert_eq!(table.value(0, 255), 2.0);
}

#[test]
fn draws_are_reproducible_and_cover_the_whole_range() {
    let draw = Draw {
        seed: 1,
        epoch: 2,
        batch: 3,
    };
    let images: Vec<u32> = (0..2_000).collect();
    let drawn = |draw| placements(Crop::Pad(4), Flip::Random, [3, 32, 32], draw, &images);
    let all = drawn(draw);
    assert_eq!(all, drawn(draw));
    assert_ne!(all, drawn(Draw { batch: 4, ..draw }));
    for offset in 0..=8 {
        assert!(all.iter().any(|p| p.top == offset) && all.iter().any(|p| p.left == offset));
    }
    let flips = all.iter().filter(|p| p.flip).count();
    assert!(
        all.iter().all(|p| p.top <= 8 && p.left <= 8) && (900..1_100).contains(&flips),
        "{flips}"
    );
}

#[test]
fn alternating_flips_show_each_image_both_ways_in_any_two_epochs_in_a_row() {
    let flips = |seed: u64, epoch: u64, images: &[u32]| -> Vec<bool> {
        let draw = Draw {
            seed,
            epoch,
            batch: 0,
        };
        let all = placements(Crop::Pad(2), Flip::Alternating, [3, 8, 8], draw, images);
        all.iter().map(|place| place.flip).collect()
    };
    let images: Vec<u32> = (0..2_000).collect();
    let first = flips(1, 1, &images);
    let others: Vec<bool> = first.iter().map(|flip| !flip).collect();
    assert_eq!(flips(1, 2, &images), others);
    assert_eq!(flips(1, 3, &images), first);
    // Which way an image is seen first is random and its own, whatever batch it is in.
    let mirrored = first.iter().filter(|flip| **flip).count();
    assert!((900..1_100).contains(&mirrored), "{mirrored}");
    assert_eq!(flips(1, 1, &[7, 3]), [first[7], first[3]]);
    assert_ne!(flips(2, 1, &images), first);
}

#[test]
fn the_middle_of_an_enlarged_image_is_where_torchvision_crops_it() {
    let corner = |side| {
        centre(Crop::Upsample(side), [3, 32, 32]).map(|place| (place.top, place.left, place.flip))
    };
    // CenterCrop rounds half to even: with 9 surplus pixels 4 are above, with 11 there are 6.
    assert_eq!(
        [40, 41, 43, 32].map(corner),
        [(4, 4, false), (4, 4, false), (6, 6, false), (0, 0, false)].map(Some)
    );
    assert_eq!(
        [Crop::None, Crop::Pad(4)].map(|crop| centre(crop, [3, 32, 32])),
        [None, None]
    );
}

#[test]
fn enlarging_to_the_same_size_changes_nothing() {
    let shape = [2, 3, 4];
    let source = image(shape);
    let placement = CropPlace {
        top: 0,
        left: 0,
        flip: false,
    };
    // Not square, so only the width stays the same; the height is enlarged from 3 to 4.
    let square = image([1, 4, 4]);
    assert_eq!(
        written(
            &square,
            [1, 4, 4],
            Layout::Contiguous,
            Crop::Upsample(4),
            placement
        ),
        square.iter().map(|&v| f32::from(v)).collect::<Vec<_>>()
    );
    assert_eq!(
        written(
            &source,
            shape,
            Layout::Contiguous,
            Crop::Upsample(4),
            placement
        )[..4],
        [1.0, 2.0, 3.0, 4.0]
    );
}
