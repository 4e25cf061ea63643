//! The contents of a recipe in words.

use crate::config::{
    DecayOn, Optimizer, Precision, Recipe, Schedule, Stage, StageSpan, WeightAverage,
};
use crate::foundation::numbers::learning_rate;
use crate::state::TrainingRun;

/// Names and values.
pub fn facts(run: &TrainingRun) -> Vec<(&'static str, String)> {
    let (started, settings) = (&run.started, &run.started.settings);
    let precision = match started.precision {
        Precision::Auto => "chosen for the device",
        Precision::Float32 => "float32",
        Precision::Bf16 => "bf16 in convolutions, float32 elsewhere",
    };
    let micro = match run.micro_batch {
        micro if micro < settings.batch_size => format!(", computed {micro} at a time"),
        _ => String::new(),
    };
    let mut facts = vec![
        ("recipe", started.recipe.clone()),
        ("epochs, at most", settings.epochs.to_string()),
        ("batch", format!("{} images{micro}", settings.batch_size)),
        ("optimiser", optimizer(settings)),
        (
            "learning rate, highest",
            learning_rate(settings.learning_rate),
        ),
        ("schedule", schedule(&settings.schedule, settings.epochs)),
        ("weight decay", weight_decay(settings)),
        ("label smoothing", label_smoothing(settings)),
        ("weights measured", weights(&settings.weight_average)),
        ("early stopping", early_stopping(settings.early_stopping)),
        ("precision", precision.to_owned()),
    ];
    if settings.mixes() {
        facts.insert(8, ("CutMix", settings.mixing()));
    }
    if !settings.stages.is_empty() {
        facts.insert(2, ("stages", stages(settings)));
    }
    facts
}

fn optimizer(settings: &Recipe) -> String {
    let nesterov = if settings.nesterov { ", Nesterov" } else { "" };
    let sgd = format!("SGD, momentum {}{nesterov}", settings.momentum);
    match settings.optimizer {
        Optimizer::Sgd => sgd,
        Optimizer::Muon { rate, momentum } => format!(
            "Muon for the kernels of convolutions, highest rate {}, momentum {momentum}{nesterov}; \
             otherwise {sgd}",
            learning_rate(rate)
        ),
    }
}

/// The epochs, the size of the images and their crop in each stage.
fn stages(settings: &Recipe) -> String {
    let stage = |span: StageSpan| {
        let Stage {
            size,
            crop_pixels,
            cutout_pixels,
            ..
        } = span.stage;
        let crop = match crop_pixels {
            0 => "not cropped".to_owned(),
            pixels => format!("padded by {pixels} and cropped"),
        };
        let cutout = match cutout_pixels {
            0 => String::new(),
            side => format!(", a square of {side}×{side} cut out"),
        };
        format!(
            "epochs {} to {} on {size}×{size} pixels ({crop}{cutout})",
            span.first, span.last
        )
    };
    let stages: Vec<String> = settings.stage_spans().map(stage).collect();
    let is_resized = settings.stages.len() > 1;
    let resized = if is_resized { "; resized by area" } else { "" };
    stages.join(", ") + resized
}

fn weight_decay(settings: &Recipe) -> String {
    let is_muon = matches!(settings.optimizer, Optimizer::Muon { .. });
    let on = match (settings.weight_decay_on, is_muon) {
        (DecayOn::All, false) => "every parameter",
        (DecayOn::All, true) => "every parameter but the kernels of convolutions",
        (DecayOn::Weights, false) => {
            "the weights of convolutions and classifier, not on batch norm and biases"
        }
        (DecayOn::Weights, true) => "the weights of the classifier alone",
    };
    format!("{} on {on}", settings.weight_decay)
}

fn label_smoothing(settings: &Recipe) -> String {
    if settings.smooths() {
        format!("{}, in the training loss only", settings.label_smoothing)
    } else {
        "none".to_owned()
    }
}

/// Which weights are validated, kept and tested.
fn weights(average: &WeightAverage) -> String {
    let mean = match average {
        WeightAverage::None => return "those of the last step".to_owned(),
        WeightAverage::LastHalfEpoch => {
            "averaged over the steps of the second half of the epoch".to_owned()
        }
        WeightAverage::Ema { decay } => format!("exponential moving average, decay {decay}"),
    };
    format!("{mean}; batch norm statistics re-estimated")
}

fn schedule(schedule: &Schedule, epochs: usize) -> String {
    match schedule {
        Schedule::Constant => "constant".to_owned(),
        Schedule::Steps { at, factor } => {
            let parts: Vec<String> = at
                .iter()
                .map(|part| format!("{} %", (part * 1e4).round() / 1e2))
                .collect();
            format!(
                "times {factor} at {} of {epochs} epochs",
                parts.join(" and ")
            )
        }
        Schedule::Plateau { patience, factor } => {
            format!("times {factor} after more than {patience} epochs without improvement")
        }
        Schedule::Cosine { warmup_epochs } => format!("cosine, {warmup_epochs} epochs of warm-up"),
        Schedule::OneCycle {
            initial_rate,
            peak_at,
            final_rate,
        } => format!(
            "one cycle: linear from {} to the highest at {} % of the images, then to {}",
            learning_rate(*initial_rate),
            (peak_at * 1e4).round() / 1e2,
            learning_rate(*final_rate)
        ),
    }
}

fn early_stopping(patience: usize) -> String {
    if patience == 0 {
        "never".to_owned()
    } else {
        format!("after {patience} epochs without improvement")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_kernels_and_what_decays_are_named() {
        let sgd = Recipe {
            momentum: 0.9,
            nesterov: true,
            weight_decay: 5e-4,
            weight_decay_on: DecayOn::Weights,
            ..Recipe::default()
        };
        assert_eq!(optimizer(&sgd), "SGD, momentum 0.9, Nesterov");
        assert!(weight_decay(&sgd).starts_with("0.0005 on the weights of convolutions and"));
        let muon = Recipe {
            optimizer: Optimizer::Muon {
                rate: 0.02,
                momentum: 0.95,
            },
            ..sgd
        };
        assert_eq!(
            optimizer(&muon),
            "Muon for the kernels of convolutions, highest rate 0.02, momentum 0.95, Nesterov; \
             otherwise SGD, momentum 0.9, Nesterov"
        );
        assert_eq!(
            weight_decay(&muon),
            "0.0005 on the weights of the classifier alone"
        );
    }
}
