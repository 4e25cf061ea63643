//! The validation split: stratified and seeded.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::Images;
use super::error::DataError;
use crate::config::DataSource;

/// Seed of the validation split. It is fixed and independent of the search's seed, so that runs of
/// different seeds are compared on the same images.
pub const SPLIT_SEED: u64 = 161_101_578;

/// Number of validation images if not specified: 1,000 for the mini set, otherwise 5,000 or a
/// tenth, whichever is less.
pub fn default_validation(source: DataSource, training_images: usize) -> usize {
    match source {
        DataSource::FashionMnistMini => 1_000,
        DataSource::FashionMnist
        | DataSource::Cifar10
        | DataSource::Cifar10_1
        | DataSource::Folder => 5_000.min(training_images / 10),
    }
}

/// The assignment of training images to parts, as indices in file order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) train: Vec<usize>,
    pub(super) validation: Vec<usize>,
}

/// Set `validation` images aside, as evenly over the classes as possible (but never more than half
/// of a class), then keep at most `limit` of the others, chosen in the same way. The validation set
/// does not depend on `limit`.
///
/// # Errors
/// If the data cannot spare that many images.
pub(super) fn split(
    labels: &[u16],
    classes: usize,
    validation: usize,
    limit: Option<usize>,
    seed: u64,
) -> Result<Split, DataError> {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); classes];
    for (index, &label) in labels.iter().enumerate() {
        members[usize::from(label)].push(index);
    }
    for (class, indices) in members.iter_mut().enumerate() {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(class as u64);
        indices.shuffle(&mut rng);
    }
    let halves: Vec<usize> = members.iter().map(|indices| indices.len() / 2).collect();
    let most: usize = halves.iter().sum();
    let quotas = quotas(validation, &halves).ok_or_else(|| {
        let setting = "data.validation";
        DataError::ValidationTooLarge {
            setting,
            validation,
            images: labels.len(),
            most,
        }
    })?;
    let mut chosen = take(&mut members, &quotas);
    let left: Vec<usize> = members.iter().map(Vec::len).collect();
    let limit = limit.unwrap_or(usize::MAX).min(left.iter().sum());
    let quotas = self::quotas(limit, &left).unwrap_or(left);
    let mut train = take(&mut members, &quotas);
    chosen.sort_unstable();
    train.sort_unstable();
    if train.is_empty() {
        return Err(DataError::Unusable(
            "no training images are left; raise data.limit or add images".to_owned(),
        ));
    }
    Ok(Split {
        train,
        validation: chosen,
    })
}

/// How many images to take from each class: equally many as far as the classes are large enough,
/// with one more from the earlier classes if `total` is not divisible. `None` if there are fewer
/// than `total` images.
fn quotas(total: usize, available: &[usize]) -> Option<Vec<usize>> {
    if total > available.iter().sum() {
        return None;
    }
    let mut quotas = vec![0; available.len()];
    let mut left = total;
    while left > 0 {
        let open: Vec<usize> = (0..available.len())
            .filter(|&class| quotas[class] < available[class])
            .collect();
        let share = left / open.len();
        for (place, &class) in open.iter().enumerate() {
            let more = share
                .max(usize::from(share == 0 && place < left))
                .min(available[class] - quotas[class]);
            quotas[class] += more;
        }
        left = total - quotas.iter().sum::<usize>();
    }
    Some(quotas)
}

/// Remove the first `quotas[class]` of each class and return them.
fn take(members: &mut [Vec<usize>], quotas: &[usize]) -> Vec<usize> {
    members
        .iter_mut()
        .zip(quotas)
        .flat_map(|(indices, &quota)| indices.drain(..quota).collect::<Vec<_>>())
        .collect()
}

/// The images at `indices`, in their order.
pub(super) fn select(images: &Images, indices: &[usize]) -> Images {
    let size = images.image_bytes();
    let mut pixels = Vec::with_capacity(indices.len() * size);
    for &index in indices {
        pixels.extend_from_slice(&images.pixels[index * size..(index + 1) * size]);
    }
    Images {
        pixels,
        labels: indices.iter().map(|&index| images.labels[index]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(counts: &[usize]) -> Vec<u16> {
        let largest = counts.iter().copied().max().unwrap();
        // Interleaved, as in the real files.
        (0..largest)
            .flat_map(|round| {
                counts
                    .iter()
                    .enumerate()
                    .filter(move |&(_, &count)| round < count)
                    .map(|(class, _)| class as u16)
            })
            .collect()
    }

    fn per_class(labels: &[u16], indices: &[usize], classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        indices
            .iter()
            .for_each(|&index| counts[usize::from(labels[index])] += 1);
        counts
    }

    #[test]
    fn a_split_takes_equally_many_images_of_each_class() {
        let labels = labels(&[600; 10]);
        let split = split(&labels, 10, 1_000, None, SPLIT_SEED).unwrap();
        assert_eq!(per_class(&labels, &split.validation, 10), [100; 10]);
        assert_eq!(per_class(&labels, &split.train, 10), [500; 10]);
    }

    #[test]
    fn a_remainder_goes_to_the_first_classes() {
        let labels = labels(&[10, 10, 10]);
        let split = split(&labels, 3, 5, Some(10), 1).unwrap();
        assert_eq!(per_class(&labels, &split.validation, 3), [2, 2, 1]);
        assert_eq!(per_class(&labels, &split.train, 3), [4, 3, 3]);
    }

    #[test]
    fn a_small_class_keeps_half_of_its_images_for_training() {
        let labels = labels(&[4, 100, 100]);
        let split = split(&labels, 3, 30, None, 1).unwrap();
        assert_eq!(per_class(&labels, &split.validation, 3), [2, 14, 14]);
    }

    #[test]
    fn the_validation_set_does_not_depend_on_the_limit() {
        let labels = labels(&[60; 10]);
        let all = split(&labels, 10, 100, None, 7).unwrap();
        let few = split(&labels, 10, 100, Some(50), 7).unwrap();
        assert_eq!(all.validation, few.validation);
        assert!(few.train.len() == 50 && few.train.iter().all(|index| all.train.contains(index)));
    }

    #[test]
    fn seeds_decide_the_split() {
        let labels = labels(&[60; 10]);
        assert_eq!(
            split(&labels, 10, 100, None, 7).unwrap(),
            split(&labels, 10, 100, None, 7).unwrap()
        );
        assert_ne!(
            split(&labels, 10, 100, None, 7).unwrap(),
            split(&labels, 10, 100, None, 8).unwrap()
        );
    }

    #[test]
    fn too_large_a_validation_set_is_refused_with_the_largest_possible() {
        let message = split(&labels(&[10, 4]), 2, 8, None, 1)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("8 validation images")
                && message.contains("lower data.validation")
                && message.contains("at most 7"),
            "{message}"
        );
    }

    proptest::proptest! {
        #[test]
        fn no_image_is_in_both_parts_and_none_is_lost(
            counts in proptest::collection::vec(1usize..40, 1..6),
            fraction in 0.0f64..1.0,
            seed in 0u64..50,
        ) {
            let labels = labels(&counts);
            let most: usize = counts.iter().map(|count| count / 2).sum();
            let validation = (most as f64 * fraction) as usize;
            let split = split(&labels, counts.len(), validation, None, seed).unwrap();
            let mut all = [split.train, split.validation.clone()].concat();
            all.sort_unstable();
            proptest::prop_assert_eq!(split.validation.len(), validation);
            proptest::prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
        }

        #[test]
        fn quotas_are_level_and_complete(available in proptest::collection::vec(0usize..20, 1..8), total in 0usize..80) {
            let Some(quotas) = quotas(total, &available) else {
                proptest::prop_assert!(total > available.iter().sum::<usize>());
                return Ok(());
            };
            proptest::prop_assert_eq!(quotas.iter().sum::<usize>(), total);
            let highest = quotas.iter().max().copied().unwrap();
            for (quota, available) in quotas.iter().zip(&available) {
                proptest::prop_assert!(quota <= available && (quota == available || quota + 1 >= highest));
            }
        }
    }
}
