//! The rules of `[train]` and `[recipes]`.

mod stages;

use std::collections::BTreeMap;

use super::{Checked, Violation, between, positive, together_with, violation, whole};
use crate::config::raw::{
    RawCrop, RawOptimizer, RawRecipe, RawSchedule, RawTrain, RawWeightAverage,
};
use crate::config::{Optimizer, Recipe, Schedule, TrainConfig, WeightAverage};
use crate::foundation::text;

/// Longest name of a recipe.
const LONGEST_NAME: usize = 200;

/// Every recipe is checked, including those that are not chosen.
pub fn train(raw: &RawTrain, recipes: &BTreeMap<String, RawRecipe>) -> Checked<TrainConfig> {
    let checked: BTreeMap<&String, Recipe> = recipes
        .iter()
        .map(|(name, raw)| Ok((name, named_recipe(name, raw)?)))
        .collect::<Checked<_>>()?;
    let Some(recipe) = checked.get(&raw.recipe) else {
        let names: Vec<&str> = recipes.keys().map(String::as_str).collect();
        return violation(
            "train.recipe",
            &raw.recipe,
            format!("must be one of [recipes]: {}", names.join(", ")),
        );
    };
    Ok(TrainConfig {
        recipe_name: raw.recipe.clone(),
        recipe: recipe.clone(),
        precision: raw.precision,
        tf32: raw.tf32,
        channels_last: raw.channels_last,
        data_on_device: raw.data_on_device,
        checkpoint_minutes: positive("train.checkpoint_minutes", raw.checkpoint_minutes, 10_000.0)?,
        test: raw.test,
    })
}

fn named_recipe(name: &str, raw: &RawRecipe) -> Checked<Recipe> {
    let full = |Violation {
                    key,
                    related,
                    value,
                    rule,
                }| Violation {
        key: format!("recipes.{name}.{key}").into(),
        related,
        value,
        rule,
    };
    if name.chars().count() > LONGEST_NAME {
        let key = format!("recipes.{}", text::shortened(name, 40));
        let rule = format!("must have a name of at most {LONGEST_NAME} characters");
        return Err(Violation::new(key, "...", rule));
    }
    recipe(raw).map_err(full)
}

fn recipe(raw: &RawRecipe) -> Checked<Recipe> {
    let momentum = between("momentum", raw.momentum, 0.0, 1.0)?;
    if raw.nesterov && momentum == 0.0 {
        return violation("nesterov", true, "needs a momentum above 0");
    }
    let stages = raw
        .stages
        .as_deref()
        .map_or(Ok(Vec::new()), |list| stages::stages(list, raw.epochs))?;
    let epochs = whole("epochs", raw.epochs, 1, 100_000)?;
    preparation(raw)?;
    Ok(Recipe {
        epochs,
        stages,
        batch_size: whole("batch_size", raw.batch_size, 2, 1_000_000)?,
        learning_rate: positive("learning_rate", raw.learning_rate, 100.0)?,
        optimizer: optimizer(raw)?,
        momentum,
        nesterov: raw.nesterov,
        weight_decay: between("weight_decay", raw.weight_decay, 0.0, 10.0)?,
        weight_decay_on: raw.weight_decay_on.unwrap_or_default(),
        schedule: schedule(raw, epochs)?,
        early_stopping: whole("early_stopping", raw.early_stopping, 0, 100_000)?,
        label_smoothing: between(
            "label_smoothing",
            raw.label_smoothing.unwrap_or(0.0),
            0.0,
            1.0,
        )?,
        cutmix: share("cutmix", raw.cutmix.unwrap_or(0.0))?,
        weight_average: weight_average(raw)?,
        mirrored_test: raw.mirrored_test.unwrap_or(false),
    })
}

/// A part of something.
fn share(key: &'static str, value: f64) -> Checked<f64> {
    if !(0.0..=1.0).contains(&value) {
        return violation(key, value, "must be from 0 to 1");
    }
    Ok(value)
}

fn optimizer(raw: &RawRecipe) -> Checked<Optimizer> {
    Ok(match raw.optimizer {
        None | Some(RawOptimizer::Sgd) => Optimizer::Sgd,
        Some(RawOptimizer::Muon) => Optimizer::Muon {
            rate: positive("muon_rate", raw.muon_rate.unwrap_or(0.01), 10.0)?,
            momentum: between("muon_momentum", raw.muon_momentum.unwrap_or(0.95), 0.0, 1.0)?,
        },
    })
}

fn weight_average(raw: &RawRecipe) -> Checked<WeightAverage> {
    Ok(match raw.weight_average {
        None | Some(RawWeightAverage::None) => WeightAverage::None,
        Some(RawWeightAverage::LastHalfEpoch) => WeightAverage::LastHalfEpoch,
        Some(RawWeightAverage::Ema) => WeightAverage::Ema {
            decay: between("ema_decay", raw.ema_decay.unwrap_or(0.999), 0.0, 1.0)?,
        },
    })
}

/// What a recipe sets of `[data]` is checked there when it is used; a crop needs its own number of
/// pixels, because that of `[data]` may belong to another kind of crop.
fn preparation(raw: &RawRecipe) -> Checked<()> {
    let needs_pixels = matches!(raw.crop, Some(RawCrop::Pad | RawCrop::Upsample));
    match raw.crop_pixels {
        None if needs_pixels => violation(
            "crop_pixels",
            "nothing",
            "must be given together with crop in a recipe",
        ),
        Some(pixels) => whole("crop_pixels", pixels, 0, 2_048).map(drop),
        None => Ok(()),
    }
}

fn schedule(raw: &RawRecipe, epochs: usize) -> Checked<Schedule> {
    let factor = between("factor", raw.factor.unwrap_or(0.1), f64::MIN_POSITIVE, 1.0);
    Ok(match raw.schedule {
        RawSchedule::Constant => Schedule::Constant,
        RawSchedule::Steps => Schedule::Steps {
            at: milestones(raw.milestones.as_deref().unwrap_or(&[0.5, 0.75]))?,
            factor: factor?,
        },
        RawSchedule::Plateau => Schedule::Plateau {
            patience: whole("patience", raw.patience.unwrap_or(10), 0, 100_000)?,
            factor: factor?,
        },
        RawSchedule::Cosine => {
            let warmup_epochs = whole("warmup_epochs", raw.warmup_epochs.unwrap_or(0), 0, 100_000)?;
            if warmup_epochs >= epochs {
                let rule = format!("must be below the recipe's epochs ({epochs})");
                return together_with(
                    "train.recipe",
                    violation("warmup_epochs", warmup_epochs, rule),
                );
            }
            Schedule::Cosine { warmup_epochs }
        }
        RawSchedule::OneCycle => one_cycle(raw)?,
    })
}

/// By default the rise begins at a tenth of the peak and takes 15 % of the images, and the fall ends
/// at a hundredth.
fn one_cycle(raw: &RawRecipe) -> Checked<Schedule> {
    let peak = raw.learning_rate;
    let rate = |key, rate: Option<f64>, part: f64| {
        let rate = rate.unwrap_or(peak * part);
        if !rate.is_finite() || rate < 0.0 || rate > peak {
            let rule = format!("must be from 0 to the recipe's learning_rate ({peak})");
            return violation(key, rate, rule);
        }
        Ok(rate)
    };
    Ok(Schedule::OneCycle {
        initial_rate: rate("initial_rate", raw.initial_rate, 0.1)?,
        peak_at: between("peak_at", raw.peak_at.unwrap_or(0.15), 0.0, 1.0)?,
        final_rate: rate("final_rate", raw.final_rate, 0.01)?,
    })
}

fn milestones(at: &[f64]) -> Checked<Vec<f64>> {
    let inside = at
        .iter()
        .all(|part| part.is_finite() && *part > 0.0 && *part < 1.0);
    if !inside || !at.is_sorted() {
        return violation(
            "milestones",
            format!("{at:?}"),
            "must list fractions of the epochs, above 0 and below 1, in ascending order",
        );
    }
    Ok(at.to_vec())
}

#[cfg(test)]
mod tests {
    use crate::config::{DecayOn, Optimizer, Options, Schedule, WeightAverage, resolve};

    fn with(set: &[&str]) -> Result<crate::config::Config, String> {
        let set = set.iter().map(|text| (*text).to_owned()).collect();
        resolve(&Options {
            set,
            ..Options::default()
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn the_recipes_are_those_of_the_papers() {
        let densenet = with(&[]).unwrap().train;
        assert_eq!(
            (
                densenet.recipe_name.as_str(),
                densenet.recipe.epochs,
                densenet.recipe.learning_rate
            ),
            ("densenet", 300, 0.1)
        );
        assert_eq!(
            densenet.recipe.schedule,
            Schedule::Steps {
                at: vec![0.5, 0.75],
                factor: 0.1
            }
        );
        let plateau = with(&["train.recipe=plateau"]).unwrap().train.recipe;
        assert_eq!(
            (plateau.schedule, plateau.early_stopping),
            (
                Schedule::Plateau {
                    patience: 10,
                    factor: 0.1
                },
                20
            )
        );
        let cosine = with(&["train.recipe=cosine"]).unwrap().train.recipe;
        assert_eq!(cosine.schedule, Schedule::Cosine { warmup_epochs: 1 });
    }

    #[test]
    fn night_averages_weights_smooths_labels_and_decays_weights_only() {
        let night = with(&["train.recipe=night"]).unwrap().train.recipe;
        assert!(night.averages() && night.smooths() && night.mirrored_test);
        assert_eq!(night.weight_average, WeightAverage::LastHalfEpoch);
        assert_eq!(night.weight_decay_on, DecayOn::Weights);
        assert_eq!(night.optimizer, Optimizer::Sgd);
        assert_eq!(
            night.schedule,
            Schedule::OneCycle {
                initial_rate: 0.02,
                peak_at: 0.15,
                final_rate: 0.002
            }
        );
    }

    #[test]
    fn kernels_are_moved_by_sgd_unless_muon_is_asked_for() {
        let with = |set: &[&str]| with(set).unwrap().train.recipe.optimizer;
        assert_eq!(with(&["recipes.densenet.muon_rate=0.1"]), Optimizer::Sgd);
        let muon = |rate, momentum| Optimizer::Muon { rate, momentum };
        let chosen = "recipes.densenet.optimizer=muon";
        assert_eq!(with(&[chosen]), muon(0.01, 0.95));
        let figures = [
            "recipes.densenet.muon_rate=0.1",
            "recipes.densenet.muon_momentum=0.5",
        ];
        assert_eq!(with(&[chosen, figures[0], figures[1]]), muon(0.1, 0.5));
    }

    #[test]
    fn recipes_of_before_are_what_they_were() {
        for name in ["densenet", "plateau", "cosine"] {
            let recipe = with(&[&format!("train.recipe={name}")])
                .unwrap()
                .train
                .recipe;
            assert!(!recipe.averages() && !recipe.smooths() && !recipe.mirrored_test);
            assert!(!recipe.mixes());
            assert_eq!(recipe.weight_decay_on, DecayOn::All);
            assert_eq!(recipe.optimizer, Optimizer::Sgd);
        }
    }

    #[test]
    fn a_custom_recipe_needs_only_what_differs() {
        let own = with(&["train.recipe=mine", "recipes.mine.epochs=7"])
            .unwrap()
            .train
            .recipe;
        let densenet = with(&[]).unwrap().train.recipe;
        assert_eq!(
            own,
            crate::config::Recipe {
                epochs: 7,
                ..densenet
            }
        );
    }

    #[test]
    fn an_unknown_recipe_is_refused_with_the_known_ones() {
        let message = with(&["train.recipe=adam"]).unwrap_err();
        assert!(
            message.contains("train.recipe = adam")
                && message.contains("cosine, densenet, night, plateau"),
            "{message}"
        );
    }

    #[test]
    fn a_bad_value_is_reported_with_its_recipe() {
        for (set, expected) in [
            (
                "recipes.mine={ optimizer = \"muon\", muon_rate = 0 }",
                "recipes.mine.muon_rate = 0: must be greater than 0",
            ),
            (
                "recipes.mine={ optimizer = \"muon\", muon_momentum = 1.0 }",
                "recipes.mine.muon_momentum = 1: must be at least 0 and below 1",
            ),
            (
                "recipes.cosine.epochs=0",
                "recipes.cosine.epochs = 0: must be a whole number",
            ),
            (
                "recipes.cosine.warmup_epochs=30",
                "recipes.cosine.warmup_epochs = 30: must be below the recipe's epochs (30)",
            ),
            (
                "recipes.densenet.milestones=[0.75, 0.5]",
                "recipes.densenet.milestones = [0.75, 0.5]: must list",
            ),
            (
                "recipes.night.label_smoothing=1",
                "recipes.night.label_smoothing = 1: must be at least 0 and below 1",
            ),
            (
                "recipes.night.cutmix=1.5",
                "recipes.night.cutmix = 1.5: must be from 0 to 1",
            ),
            (
                "recipes.night.final_rate=0.3",
                "recipes.night.final_rate = 0.3: must be from 0 to the recipe's learning_rate (0.2)",
            ),
            (
                "recipes.mine.crop=pad",
                "recipes.mine.crop_pixels = nothing: must be given together with crop",
            ),
            (
                "recipes.plateau.factor=1.5",
                "recipes.plateau.factor = 1.5: must be at least",
            ),
        ] {
            let message = with(&[set]).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }
}
