//! What the answers of a batch should be: a label for each image or, where images are mixed, two.

use tch::{TchError, Tensor};

use crate::data::Mixture;
use crate::train::trainer::smoothed_cross_entropy;

/// The labels of the images of a batch or of a part of one.
#[derive(Debug)]
pub(super) struct Targets {
    /// `[B]`, int64.
    labels: Tensor,
    /// For mixed images the labels of the other images (`[B]`, int64), and the part of the pixels that are the
    /// images' own.
    others: Option<(Tensor, f64)>,
}

impl Targets {
    /// The images of a batch as they are trained, and their targets.
    pub(super) fn mixed(
        images: Tensor,
        labels: Tensor,
        mixture: Option<&Mixture>,
    ) -> Result<(Tensor, Targets), TchError> {
        let Some(mixture) = mixture else {
            let others = None;
            return Ok((images, Targets { labels, others }));
        };
        let others = Some((Mixture::others(&labels)?, mixture.own()));
        Ok((mixture.of_images(&images)?, Targets { labels, others }))
    }

    /// Those of `length` images from number `start` on.
    pub(super) fn part(&self, start: i64, length: i64) -> Result<Targets, TchError> {
        let take = |labels: &Tensor| labels.f_narrow(0, start, length);
        let others = match &self.others {
            Some((labels, own)) => Some((take(labels)?, *own)),
            None => None,
        };
        Ok(Targets {
            labels: take(&self.labels)?,
            others,
        })
    }

    /// The mean loss of `logits` (`[B, classes]`): of mixed images those for both labels, each by its part of the
    /// pixels.
    pub(super) fn loss(&self, logits: &Tensor, label_smoothing: f64) -> Result<Tensor, TchError> {
        let loss = |labels: &Tensor| smoothed_cross_entropy(logits, labels, label_smoothing);
        match &self.others {
            None => loss(&self.labels),
            Some((others, own)) => {
                let of_others = loss(others)?.f_mul_scalar(1.0 - own)?;
                loss(&self.labels)?.f_mul_scalar(*own)?.f_add(&of_others)
            }
        }
    }

    /// The labels that have the larger part of each image: what the accuracy counts.
    pub(super) fn main(&self) -> &Tensor {
        match &self.others {
            Some((others, own)) if *own < 0.5 => others,
            _ => &self.labels,
        }
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    const INPUT: [i64; 3] = [1, 16, 16];

    #[test]
    fn the_loss_of_mixed_images_is_that_of_both_labels_by_their_parts_of_the_pixels() {
        let options = (Kind::Double, Device::Cpu);
        let (images, labels) = (
            Tensor::rand([4, 1, 16, 16], options),
            Tensor::from_slice(&[0_i64, 1, 2, 1]),
        );
        let logits = Tensor::rand([4, 3], options);
        let (mut rectangles_are_larger, mut smaller) = (0, 0);
        for mixture in (0..40).filter_map(|batch| Mixture::draw(1.0, 1, (1, batch), INPUT)) {
            let (_, targets) = Targets::mixed(
                images.shallow_clone(),
                labels.shallow_clone(),
                Some(&mixture),
            )
            .unwrap();
            let log = logits.log_softmax(-1, Kind::Double);
            let of = |image: i64, label: i64| -log.double_value(&[image, label]);
            let sum = |labels: [i64; 4]| {
                (0..4)
                    .zip(labels)
                    .map(|(image, label)| of(image, label))
                    .sum::<f64>()
            };
            let own = mixture.own();
            let expected = (own * sum([0, 1, 2, 1]) + (1.0 - own) * sum([1, 2, 1, 0])) / 4.0;
            let loss = targets.loss(&logits, 0.0).unwrap().double_value(&[]);
            assert!((loss - expected).abs() < 1e-12, "{loss} {expected}");
            let parts = [0, 2].map(|start| {
                let part = targets.part(start, 2).unwrap();
                let loss = part.loss(&logits.narrow(0, start, 2), 0.0).unwrap();
                loss.double_value(&[]) / 2.0
            });
            assert!(
                (parts[0] + parts[1] - expected).abs() < 1e-12,
                "{parts:?} {expected}"
            );
            let main: Vec<i64> = targets.main().try_into().unwrap();
            if own < 0.5 {
                rectangles_are_larger += 1;
                assert_eq!(main, [1, 2, 1, 0]);
            } else {
                smaller += 1;
                assert_eq!(main, [0, 1, 2, 1]);
            }
        }
        assert!(rectangles_are_larger > 2 && smaller > 2);
    }
}
