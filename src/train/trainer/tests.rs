use std::time::Duration;

use anyhow::bail;

use super::*;
use crate::config::{Crop, Options, resolve};
use crate::data;
use crate::space::Layer;

/// Stops a training before a batch, and keeps its state.
#[derive(Default)]
struct Stopping {
    /// Number of the batch, of training or validation, from 0.
    at: Option<usize>,
    batches: usize,
    saved: Option<ChildState>,
    epochs: Vec<TrainingEpoch>,
}

impl Control for Stopping {
    fn between_batches(&mut self, state: StateOf<'_>) -> anyhow::Result<(Next, Duration)> {
        if self.at == Some(self.batches) {
            self.saved = Some(state()?);
            bail!("stopped");
        }
        self.batches += 1;
        Ok((Next::GoOn, Duration::ZERO))
    }

    fn progress(&mut self, _progress: TrainingProgress) -> anyhow::Result<()> {
        Ok(())
    }

    fn epoch(&mut self, epoch: TrainingEpoch) -> anyhow::Result<()> {
        self.epochs.push(TrainingEpoch {
            images_per_second: 0.0,
            seconds: 0.0,
            ..epoch
        });
        Ok(())
    }
}

fn network() -> Architecture {
    let layer = |inputs| Layer {
        kind: Default::default(),
        kernel: [3, 3],
        filters: 6,
        stride: [1, 1],
        padding: [1, 1],
        inputs,
    };
    Architecture {
        name: "two".to_owned(),
        input: [1, 8, 8],
        classes: 4,
        layers: vec![layer(vec![0]), layer(vec![0, 1])],
        output: vec![2],
    }
}

#[test]
fn a_child_stopped_before_any_batch_goes_on_to_the_figures_of_one_that_was_not_bit_for_bit() {
    let mut config = resolve(&Options::default()).unwrap();
    config.data.crop = Crop::Pad(1);
    (config.child.epochs, config.child.batch_size) = (3, 16);
    let images = data::noise([1, 8, 8], 4, 32, 8);
    let data = TrainingData::new(images, &config.data, Device::Cpu, true).unwrap();
    let network = network();
    let train = |saved: Option<ChildState>, control: &mut Stopping| {
        train_child(&network, 7, &data, &config.child, None, saved, control)
    };
    let mut whole = Stopping::default();
    let accuracies = train(None, &mut whole).unwrap();
    assert_eq!(
        (accuracies.len(), whole.batches),
        (3, 9),
        "2 batches and a validation each"
    );
    for at in 0..whole.batches {
        let mut first = Stopping {
            at: Some(at),
            ..Stopping::default()
        };
        let stopped = train(None, &mut first);
        assert!(matches!(stopped, Err(TrainError::Stopped(_))));
        let saved = first.saved.unwrap();
        assert!(saved.is_possible(&network, 3, 2) && !saved.is_possible(&network, at / 3, 2));
        assert_eq!((saved.place.epoch, saved.place.batch), (1 + at / 3, at % 3));
        let mut second = Stopping::default();
        assert_eq!(train(Some(saved), &mut second).unwrap(), accuracies);
        assert_eq!(
            second.epochs, whole.epochs,
            "also those before it was stopped"
        );
        assert_eq!(second.batches, whole.batches - at, "no batch is repeated");
    }
}
