//! The result of a training, in a few figures.

use maud::html;

use crate::analysis::selection::found_in_words;
use crate::event::{Found, InitialWeights, TestFinished};
use crate::foundation::numbers::{self, accuracy, compact, count};
use crate::report::page::html::{Section, Tile, tiles};
use crate::report::page::material::Material;
use crate::report::page::parts;
use crate::state::RunStatus;
use crate::state::TrainingRun;

/// The tiles.
pub fn section(material: &Material, run: &TrainingRun) -> Section {
    Section::new("result", "Result", html! { (tiles(&list(material, run))) })
}

fn list(material: &Material, run: &TrainingRun) -> Vec<Tile> {
    let started = &run.started;
    let mut list = vec![test_tile(material, run)];
    let images = started.data.validation_images();
    list.push(match run.best() {
        Some(best) => Tile::new(
            "best validation accuracy",
            accuracy(best.valid_accuracy),
            format!(
                "95 %: {} of {} images; epoch {}{}",
                parts::interval(best.valid_accuracy, images),
                count(images as u64),
                best.epoch,
                if best.averaged {
                    ", averaged weights"
                } else {
                    ""
                }
            ),
        ),
        None => Tile::new("best validation accuracy", "none", none_yet(run)),
    });
    list.extend(started.found.iter().map(in_the_search));
    list.extend(started.initial.iter().map(before));
    list.extend(run.test.as_deref().into_iter().flat_map(of_test));
    list.push(Tile::new(
        "parameters",
        count(started.params),
        format!("{} MACs per image", compact(started.macs)),
    ));
    let best = run.best().map_or_else(String::new, |best| {
        format!("at most; weights of epoch {} kept", best.epoch)
    });
    list.push(Tile::new(
        "epochs",
        format!("{} of {}", run.epochs.len(), started.settings.epochs),
        best,
    ));
    list.push(Tile::new(
        "working time",
        parts::working_time(material, material.state.clock.seconds()),
        format!("on {}; {}", started.device, parts::resumptions(material)),
    ));
    list
}

/// What the search said of the network.
fn in_the_search(found: &Found) -> Tile {
    Tile::new(
        "validation accuracy in the search",
        accuracy(found.accuracy),
        format!(
            "95 %: {} of {} images; {}",
            parts::interval(found.accuracy, found.validation_images),
            count(found.validation_images as u64),
            found_in_words(found),
        ),
    )
}

/// What the training began with.
fn before(initial: &InitialWeights) -> Tile {
    let given = |what| Tile::new("began with", what, initial.to_string());
    let earlier = match (&initial.training, initial.mean_with.as_slice()) {
        (Some(earlier), []) => earlier,
        (None, []) => return given("given weights"),
        _ => return given("averaged weights"),
    };
    let tested = initial
        .tested()
        .map_or_else(String::new, |(training, tested)| {
            format!(
                "; {} had classified the test images: {}",
                training.run,
                accuracy(tested)
            )
        });
    let least = if initial.is_known() { "" } else { "at least " };
    Tile::new(
        "epochs before",
        format!("{least}{}", count(initial.epochs() as u64)),
        format!(
            "the last by {}; validation accuracy {}{tested}",
            earlier.run,
            accuracy(earlier.valid_accuracy)
        ),
    )
}

/// The figures of the test besides its accuracy.
fn of_test(test: &TestFinished) -> Vec<Tile> {
    let mut list = Vec::new();
    let report = &test.report;
    list.extend(test.mirrored.as_ref().map(|both| {
        Tile::new(
            "test accuracy with mirror images",
            accuracy(both.accuracy),
            format!(
                "95 %: {}; mean of two looks at each image, not comparable with one",
                parts::bounds(both.accuracy_ci95)
            ),
        )
    }));
    list.extend(report.top5.as_ref().map(|top| {
        Tile::new(
            "top-5 test accuracy",
            accuracy(top.accuracy),
            format!("95 %: {}", parts::bounds(top.ci95)),
        )
    }));
    list.push(Tile::new(
        "test loss",
        numbers::loss(report.loss),
        "mean cross-entropy, nats",
    ));
    let [low, high] = report.calibration.ci95;
    list.push(Tile::new(
        "calibration error",
        format!("{:.4}", report.calibration.error),
        format!("expected, 15 bins; 95 %: {low:.4}–{high:.4}"),
    ));
    list
}

fn none_yet(run: &TrainingRun) -> String {
    run.whole_images_from().map_or_else(
        || "no epoch is done".to_owned(),
        |epoch| format!("chosen from epoch {epoch} on: the epochs before are on smaller images"),
    )
}

fn test_tile(material: &Material, run: &TrainingRun) -> Tile {
    match &run.test {
        Some(test) => Tile::new(
            "test accuracy",
            accuracy(test.report.accuracy),
            format!(
                "95 %: {} of {} images; {}weights of epoch {}",
                parts::bounds(test.report.accuracy_ci95),
                count(test.report.images as u64),
                if test.averaged { "averaged " } else { "" },
                test.epoch
            ),
        ),
        None => {
            let why = match material.status() {
                _ if run.started.without_test => "test images not used (train.test = false)",
                RunStatus::Completed => "the journal contains no test",
                _ => "test images are read once, after the last epoch",
            };
            Tile::new("test accuracy", "not measured", why)
        }
    }
}
