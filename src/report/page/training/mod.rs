//! The report of a training: its result, its curves, the network, its mistakes, and its cost.

mod figures;
mod result;
mod test_result;

use maud::{Markup, html};

use self::figures::TrainingFigures;
use super::html::{PageHead, READING, Section, facts, figure};
use super::material::Material;
use super::tables::{self, CsvTable};
use super::{parts, recipe};
use crate::analysis::statistics::mean;
use crate::event::TrainingEpoch;
use crate::foundation::numbers::{count, duration};
use crate::report::figures::{Figure, network};
use crate::state::TrainingRun;

/// Head, sections, figures and tables of the report.
pub fn compose(
    material: &Material,
    run: &TrainingRun,
) -> (PageHead, Vec<Section>, Vec<Figure>, Vec<CsvTable>) {
    let figures = TrainingFigures::of(run);
    let (notices, settings) = (
        parts::notices(material),
        parts::settings(&material.settings),
    );
    let sections = [
        Some(result::section(material, run)),
        Some(curves(&figures)),
        Some(test_result::section(run, &figures)),
        Some(the_network(run, &figures)),
        notices.map(|notices| Section::new("troubles", "Warnings", notices)),
        Some(Section::new("costs", "What it took", costs(material, run))),
        Some(Section::new("reading", READING, reading(run))),
        Some(Section::new("recipe", "Recipe", facts(&recipe::facts(run)))),
        Some(Section::new("settings", "Settings", settings)),
        Some(Section::new(
            "environment",
            "Environment",
            environment(material, run),
        )),
    ];
    let sections = sections.into_iter().flatten().collect();
    let mut tables = vec![tables::epochs(run)];
    tables.extend(tables::layers(&run.started.architecture));
    if let Some(test) = &run.test {
        tables.extend([
            tables::per_class(&test.report),
            tables::confusion(&test.report),
        ]);
    }
    (head(material, run), sections, figures.into_list(), tables)
}

fn head(material: &Material, run: &TrainingRun) -> PageHead {
    let started = &run.started;
    let ended = if run.stopped_early(material.status()) {
        format!(
            " Early stopping ended it after epoch {} of at most {}: {} epochs without a better validation accuracy.",
            run.epochs.len(),
            started.settings.epochs,
            started.settings.early_stopping
        )
    } else {
        String::new()
    };
    let begun = parts::begun(material);
    let subtitle = format!(
        "{} · recipe {} · seed {} · {}{begun}",
        started.architecture.name, started.recipe, started.seed, started.data.spec
    );
    PageHead {
        kind: "Training report",
        title: material.name.clone(),
        subtitle,
        status: parts::status(material, &ended),
    }
}

fn curves(figures: &TrainingFigures) -> Section {
    let body = html! { (figure(&figures.loss)) (figure(&figures.accuracy)) (figure(&figures.learning_rate)) };
    Section::new("curves", "Learning curves", body)
}

fn the_network(run: &TrainingRun, figures: &TrainingFigures) -> Section {
    let architecture = &run.started.architecture;
    let body = html! {
        p {
            (architecture.name) ": " (architecture.layers.len()) " layers, " (network::skips_in_words(architecture)) ", "
            (count(run.started.params)) " parameters, " (count(run.started.macs)) " multiply-accumulates per image. Named as "
            code { (run.started.origin) } "."
        }
        (figure(&figures.network))
        (parts::layers(architecture))
    };
    Section::new("network", "The network", body)
}

fn costs(material: &Material, run: &TrainingRun) -> Markup {
    let seconds = |epoch: &TrainingEpoch| epoch.seconds;
    let speed = |epoch: &TrainingEpoch| epoch.images_per_second;
    let memory = parts::training_memory(&run.started.architecture, material);
    html! {
        (facts(&[
            ("working time", parts::working_time(material, material.state.clock.seconds())),
            ("sessions", parts::resumptions(material)),
            ("epochs", run.epochs.len().to_string()),
            ("an epoch, mean", means(run, seconds, duration)),
            ("training speed, mean", means(run, speed, |speed| format!("{speed:.0} images/s"))),
            ("test", of_test(run)),
            ("training memory", memory),
            ("energy", "not measured".to_owned()),
        ]))
        (parts::working_time_note(material))
    }
}

/// How long the test took.
fn of_test(run: &TrainingRun) -> String {
    match &run.test {
        Some(test) => duration(test.seconds),
        None if run.started.without_test => "test images not used".to_owned(),
        None => "not done".to_owned(),
    }
}

/// The mean of a value over the epochs, in a training in stages for each size of the images.
fn means(
    run: &TrainingRun,
    value: fn(&TrainingEpoch) -> f64,
    text: impl Fn(f64) -> String,
) -> String {
    let of_size = |epochs: &[TrainingEpoch]| {
        let values: Vec<f64> = epochs
            .iter()
            .map(value)
            .filter(|value| value.is_finite() && *value > 0.0)
            .collect();
        let first = epochs.first().filter(|_| !values.is_empty())?;
        let mean = text(mean(&values));
        Some(match run.started.settings.stage_at(first.epoch) {
            Some(span) => format!("{mean} ({0}×{0})", span.stage.size),
            None => mean,
        })
    };
    let sizes: Vec<String> = run
        .by_size(&run.epochs)
        .into_iter()
        .filter_map(of_size)
        .collect();
    if sizes.is_empty() {
        "not known".to_owned()
    } else {
        sizes.join(", ")
    }
}

fn environment(material: &Material, run: &TrainingRun) -> Markup {
    let started = &run.started;
    let mut list = vec![
        ("nas-tui", started.version.clone()),
        ("libtorch", started.libtorch.clone()),
        ("host", started.host.clone()),
        ("device", started.device.clone()),
        ("CPU threads", started.threads.to_string()),
        ("seed", started.seed.to_string()),
    ];
    list.extend(parts::data(&started.data));
    html! { (facts(&list)) (parts::sessions(material)) }
}

fn reading(run: &TrainingRun) -> Markup {
    let stages = &run.started.settings.stages;
    let first = run.started.settings.first_whole_epoch();
    html! {
        ul {
            @if stages.len() > 1 {
                li { "The training is in stages: epochs before number " (first) " train and validate on images that were made smaller. Only the epochs from there on, on whole images, can be the best." }
            }
            li {
                "The weights are those of the epoch with the highest validation accuracy, the earliest of equals. Because it was selected for, that validation accuracy is likely to be lower on other images"
                @if run.started.without_test { "." } @else { "; the test accuracy was not selected for." }
            }
            @if run.started.without_test {
                li { "Test images not used: the training was begun with train.test = false and did not read them." }
            } @else {
                li { "The training reads the test images once, after its last epoch; nothing before that depends on them." }
            }
            @if run.started.settings.averages() {
                li { "Validation and test figures, and the weights that are kept, are of averaged weights (see Recipe) with batch norm statistics of their own; training loss and accuracy are of the weights in training." }
            }
            @if run.started.settings.mixes() {
                li { "CutMix: " (run.started.settings.mixing()) " in training, each with both labels. Training loss is therefore higher and training accuracy lower than on whole images, and neither can be compared with validation. Accuracy counts the label that has more of the image." }
            }
            @if run.started.settings.smooths() {
                li { "Labels are smoothed in the training loss only; validation and test loss are those of the true classes." }
            }
            li { "Training loss and accuracy are means over an epoch's augmented batches, each measured before its step: at the end of the epoch the network does better on them." }
            li { "Intervals of accuracies are Wilson's, at 95 % confidence with respect to the choice of images: they do not cover the effect of another seed." }
            li { "The calibration error is the difference between confidence and accuracy over 15 bins, weighted by their numbers of images; its interval is computed by bootstrap." }
            li { "Only trainable parameters are counted. MACs are those of convolutions and classifier." }
        }
    }
}
