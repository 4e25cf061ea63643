use super::*;
use crate::config::{Recipe, Stage};
use crate::event::{DataDescription, ImageSet};
use crate::space::{Architecture, Cost, Layer};
use crate::state::{RunState, WorkState};

fn run(early_stopping: usize) -> TrainingRun {
    let layer = Layer {
        kind: Default::default(),
        kernel: [3, 3],
        filters: 8,
        stride: [1, 1],
        padding: [1, 1],
        inputs: vec![0],
    };
    let settings = Recipe {
        epochs: 10,
        batch_size: 2,
        learning_rate: 0.1,
        momentum: 0.9,
        nesterov: true,
        weight_decay: 0.0,
        schedule: Schedule::Constant,
        early_stopping,
        ..Recipe::default()
    };
    let data = DataDescription {
        spec: String::new(),
        images: Some(ImageSet {
            train: 100,
            ..ImageSet::default()
        }),
        fingerprint: String::new(),
    };
    TrainingRun::new(&TrainingStarted {
        run: String::new(),
        origin: String::new(),
        architecture: Architecture {
            name: String::new(),
            input: [1, 8, 8],
            classes: 2,
            layers: vec![layer],
            output: vec![1],
        },
        params: 1,
        macs: 1,
        recipe: String::new(),
        settings,
        precision: crate::config::Precision::Float32,
        micro_batch: 2,
        seed: 1,
        version: String::new(),
        host: String::new(),
        pid: 1,
        libtorch: String::new(),
        threads: 1,
        device: String::new(),
        data,
        without_test: false,
        found: None,
        initial: None,
    })
}

fn epoch(epoch: usize, valid_accuracy: f64) -> Event {
    Event::TrainingEpoch(TrainingEpoch {
        epoch,
        train_loss: 1.0,
        train_accuracy: 0.5,
        valid_loss: 1.0,
        valid_accuracy,
        learning_rate: 0.1,
        images_per_second: 10.0,
        seconds: 2.0,
        ..TrainingEpoch::default()
    })
}

/// A tick after some batches of an epoch that has so many.
fn tick(epoch: usize, [batch, batches]: [usize; 2], images_per_second: f64) -> Event {
    Event::TrainingProgress(TrainingProgress {
        epoch,
        batch,
        batches,
        loss: 1.0,
        accuracy: 0.5,
        learning_rate: 0.1,
        images_per_second,
    })
}

fn after(events: &[Event]) -> TrainingRun {
    let mut run = run(3);
    (1..)
        .zip(events)
        .for_each(|(seq, event)| run.apply(event, seq));
    run
}

#[test]
fn the_best_epoch_is_the_earliest_of_those_with_the_highest_validation_accuracy() {
    let run = after(&[epoch(1, 0.3), epoch(2, 0.6), epoch(3, 0.6), epoch(4, 0.5)]);
    assert_eq!(run.best().map(|best| best.epoch), Some(2));
}

#[test]
fn early_stopping_counts_down_from_the_best_epoch() {
    assert_eq!(after(&[]).epochs_until_stop(), Some(3));
    assert_eq!(
        after(&[epoch(1, 0.5), epoch(2, 0.4), epoch(3, 0.5)]).epochs_until_stop(),
        Some(1)
    );
    assert_eq!(run(0).epochs_until_stop(), None);
}

#[test]
fn a_plateaus_rate_falls_once_its_patience_is_exceeded_and_the_count_restarts() {
    let until = |accuracies: &[f64]| {
        let mut run = run(0);
        run.started.settings.schedule = Schedule::Plateau {
            patience: 1,
            factor: 0.1,
        };
        let epochs = (1..)
            .zip(accuracies)
            .map(|(number, accuracy)| epoch(number, *accuracy));
        epochs.for_each(|event| run.apply(&event, 0));
        run.epochs_until_rate_falls()
    };
    assert_eq!(
        [
            &[0.5][..],
            &[0.5, 0.5],
            &[0.5, 0.5, 0.4],
            &[0.5, 0.5, 0.4, 0.4]
        ]
        .map(until),
        [2, 1, 2, 1].map(Some)
    );
    assert_eq!(run(0).epochs_until_rate_falls(), None);
}

#[test]
fn a_plateau_reduces_the_rate_once_its_patience_is_exceeded_and_then_counts_afresh() {
    // The behaviour of torch.optim.lr_scheduler.ReduceLROnPlateau(mode="max", patience=2,
    // threshold=0) on this series: reductions after the 5th and the 10th epoch.
    let series = [0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.7, 0.6, 0.5, 0.4, 0.8];
    let mut run = run(0);
    run.started.settings.schedule = Schedule::Plateau {
        patience: 2,
        factor: 0.1,
    };
    let reductions: Vec<u32> = (1..)
        .zip(series)
        .map(|(number, accuracy)| {
            run.apply(&epoch(number, accuracy), 0);
            run.rate_reductions()
        })
        .collect();
    assert_eq!(reductions, [0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2]);
}

#[test]
fn a_resume_voids_what_came_after_its_checkpoint() {
    let resumed = Event::RunResumed {
        host: String::new(),
        pid: 1,
        version: String::new(),
        next_child: None,
        epoch: Some(2),
        micro_batch: None,
    };
    let run = after(&[epoch(1, 0.3), epoch(2, 0.9), resumed, epoch(2, 0.4)]);
    let accuracies: Vec<f64> = run
        .epochs
        .iter()
        .map(|epoch| epoch.valid_accuracy)
        .collect();
    assert_eq!(accuracies, [0.3, 0.4]);
    assert_eq!(run.epoch_seqs, [1, 4]);
}

#[test]
fn a_resume_goes_on_with_as_many_images_at_a_time_as_its_checkpoint() {
    let reduced = Event::MicroBatchReduced {
        micro_batch: 1,
        reason: String::new(),
    };
    let resumed = |micro_batch| Event::RunResumed {
        host: String::new(),
        pid: 1,
        version: String::new(),
        next_child: None,
        epoch: Some(1),
        micro_batch,
    };
    let at_a_time = |events: &[Event]| after(events).micro_batch;
    assert_eq!(at_a_time(&[reduced.clone(), resumed(Some(2))]), 2);
    assert_eq!(
        at_a_time(&[reduced, resumed(None)]),
        1,
        "older versions did not say"
    );
}

#[test]
fn the_time_left_is_that_of_the_epochs_to_come() {
    assert_eq!(
        after(&[epoch(1, 0.3), epoch(2, 0.6)]).time_left(),
        Some(crate::state::TimeLeft {
            seconds: 16.0,
            extrapolated_from: None
        })
    );
    assert_eq!(after(&[]).time_left(), None);
}

/// Two epochs on images of 4x4 pixels, two of 6x6, six of 8x8, by a network of one layer.
fn in_stages() -> TrainingRun {
    let mut started = run(2).started;
    let stage = |(epochs, size)| Stage {
        epochs,
        size,
        crop_pixels: 1,
        cutout_pixels: 0,
    };
    started.settings.stages = [(2, 4), (2, 6), (6, 8)].map(stage).to_vec();
    started.macs = Cost::of(&started.architecture).unwrap().macs;
    TrainingRun::new(&started)
}

/// In stages, after epochs with these validation accuracies.
fn in_stages_after(accuracies: &[f64]) -> TrainingRun {
    let mut run = in_stages();
    for (number, accuracy) in (1..).zip(accuracies) {
        run.apply(&epoch(number, *accuracy), 0);
    }
    run
}

#[test]
fn the_best_epoch_of_a_training_in_stages_is_one_on_whole_images() {
    let before = in_stages_after(&[0.9, 0.9, 0.9]);
    assert_eq!((before.best(), before.whole_images_from()), (None, Some(5)));
    let after = in_stages_after(&[0.9, 0.9, 0.9, 0.9, 0.3, 0.4]);
    assert_eq!(after.best().map(|best| best.epoch), Some(6));
    assert_eq!(after.whole_images_from(), None);
}

#[test]
fn early_stopping_counts_only_epochs_on_whole_images() {
    let until = |accuracies: &[f64]| in_stages_after(accuracies).epochs_until_stop();
    assert_eq!(until(&[0.9, 0.5, 0.4, 0.3]), Some(2), "none of them counts");
    assert_eq!(until(&[0.9, 0.5, 0.4]), None);
    assert_eq!(until(&[0.9, 0.9, 0.9, 0.9, 0.4, 0.3]), Some(1));
    assert!(in_stages_after(&[0.9, 0.9, 0.9, 0.9, 0.4, 0.3, 0.3]).is_out_of_patience());
}

#[test]
fn a_plateau_does_not_compare_epochs_on_images_of_different_sizes() {
    let reductions = |accuracies: &[f64]| {
        let mut run = in_stages_after(accuracies);
        run.started.settings.schedule = Schedule::Plateau {
            patience: 0,
            factor: 0.1,
        };
        run.rate_reductions()
    };
    assert_eq!(reductions(&[0.8, 0.9, 0.3, 0.4, 0.1, 0.2]), 0);
    assert_eq!(reductions(&[0.9, 0.8, 0.3, 0.2, 0.1, 0.0]), 3);
}

#[test]
fn the_time_left_is_extrapolated_to_sizes_that_were_not_measured_by_their_macs() {
    // Two seconds an epoch; the layer's MACs grow with the pixels (the classifier has 16).
    let macs = [4u64, 6, 8].map(|size| (size * size * 9 * 8 + 16) as f64);
    let left = in_stages_after(&[0.1]).time_left().unwrap();
    let expected = 2.0 * (1.0 + 2.0 * macs[1] / macs[0] + 6.0 * macs[2] / macs[0]);
    assert!((left.seconds - expected).abs() < 1e-9, "{left:?}");
    assert_eq!(left.extrapolated_from, Some(4));
    // The current epoch's speed is a measurement of its size.
    let mut run = in_stages_after(&[0.1, 0.2]);
    run.apply(&tick(3, [1, 2], 20.0), 0);
    let left = run.time_left().unwrap();
    let expected = 5.0 * (1.5 + 6.0 * macs[2] / macs[1]);
    assert!((left.seconds - expected).abs() < 1e-9, "{left:?}");
    assert_eq!(left.extrapolated_from, Some(6));
    let left = in_stages_after(&[0.1; 5]).time_left().unwrap();
    assert_eq!((left.seconds, left.extrapolated_from), (10.0, None));
}

#[test]
fn the_time_left_includes_validation_before_an_epoch_has_been_measured() {
    // 100 training images at 10 per second, and 30 validation images that take a third each.
    let left = |batch, epochs: &[Event]| {
        let mut run = run(0);
        run.started.data.images.as_mut().unwrap().validation = 30;
        let progress = tick(epochs.len() + 1, [batch, 50], 10.0);
        let events = epochs.iter().chain([&progress]);
        events.for_each(|event| run.apply(event, 0));
        run.time_left().unwrap().seconds
    };
    let is = |seconds: f64, expected: f64| assert!((seconds - expected).abs() < 1e-9, "{seconds}");
    is(left(25, &[]), 110.0 - 5.0);
    is(left(50, &[]), 110.0 - 10.0);
    // Measured: two seconds an epoch. The validation of the current one is still to come.
    is(left(50, &[epoch(1, 0.3)]), 18.0 - 2.0 / 1.1);
}

#[test]
fn the_time_left_falls_while_validation_images_are_classified() {
    let mut run = run(0);
    run.started.data.images.as_mut().unwrap().validation = 30;
    // Two seconds an epoch, of which its 100 training images take ten times as long as the others.
    run.apply(&epoch(1, 0.3), 0);
    let mut left = |images| {
        let (what, of) = (Measured::Validation, 30);
        run.apply(&Event::Measuring(Measuring { what, images, of }), 0);
        run.time_left().unwrap().seconds
    };
    let is = |seconds: f64, expected: f64| assert!((seconds - expected).abs() < 1e-9, "{seconds}");
    is(left(0), 18.0 - 2.0 / 1.1);
    is(left(15), 18.0 - 2.0 * 1.05 / 1.1);
    is(left(30), 16.0);
}

#[test]
fn what_is_measured_is_known_until_the_next_step_or_result() {
    let measuring = Event::Measuring(Measuring {
        what: Measured::Statistics,
        images: 128,
        of: 4_096,
    });
    let mut run = run(0);
    run.apply(&measuring, 0);
    assert_eq!(
        run.epoch_fraction(),
        0.0,
        "at the beginning of a stage no step is taken yet"
    );
    run.apply(&Event::PauseRequested, 1);
    assert!(run.measuring.is_some(), "a pause does not end it");
    run.apply(&epoch(1, 0.3), 2);
    assert_eq!(run.measuring, None);
}

#[test]
fn a_training_is_in_the_stage_of_its_current_epoch() {
    let stage = |done: usize| {
        in_stages_after(&vec![0.5; done])
            .stage()
            .map(|span| span.number)
    };
    assert_eq!([0, 1, 2, 4, 10].map(stage), [1, 1, 2, 3, 3].map(Some));
    assert_eq!(after(&[]).stage(), None);
}

#[test]
fn the_fraction_done_is_a_share_of_the_time_by_macs_where_none_is_measured() {
    let macs = [4u64, 6, 8].map(|size| (size * size * 9 * 8 + 16) as f64);
    // Two seconds an epoch, whatever the size.
    let run = in_stages_after(&[0.1, 0.2, 0.3]);
    let planned = 2.0 * 4.0 + 2.0 * 6.0 * macs[2] / macs[1];
    assert!((run.fraction() - 6.0 / planned).abs() < 1e-12);
    let left = run.time_left().unwrap().seconds;
    assert!((run.fraction() - 6.0 / (6.0 + left)).abs() < 1e-12);
    assert_eq!(in_stages_after(&[0.1; 10]).fraction(), 1.0);
    assert_eq!(in_stages_after(&[0.1; 7]).fraction(), 0.7);
    assert_eq!(after(&[epoch(1, 0.3), epoch(2, 0.6)]).fraction(), 0.2);
}

#[test]
fn a_training_is_done_once_its_test_images_are_classified() {
    let mut state = RunState {
        work: WorkState::Training(in_stages_after(&[0.1; 10])),
        ..RunState::default()
    };
    state.status = RunStatus::Running;
    assert_eq!(state.fraction_done(), Some(0.99));
    state.status = RunStatus::Completed;
    assert_eq!(state.fraction_done(), Some(1.0));
}

#[test]
fn a_tick_of_an_epoch_that_has_ended_is_ignored() {
    let in_epoch = |epoch| tick(epoch, [1, 2], 20.0);
    let mut run = run(0);
    for event in [in_epoch(1), epoch(1, 0.3), in_epoch(1)] {
        run.apply(&event, 0);
    }
    assert_eq!(run.progress, None);
    run.apply(&in_epoch(2), 0);
    assert_eq!(run.epoch_fraction(), 0.5);
}
