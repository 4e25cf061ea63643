//! The rules of `[train]` and `[recipes]`.

mod stages;

use std::collections::BTreeMap;

use super::{Checked, Violation, between, positive, together_with, violation, whole};
use crate::config::raw::{RawRecipe, RawSchedule, RawTrain};
use crate::config::{Recipe, Schedule, TrainConfig};

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
    Ok(Recipe {
        epochs,
        stages,
        batch_size: whole("batch_size", raw.batch_size, 2, 1_000_000)?,
        learning_rate: positive("learning_rate", raw.learning_rate, 100.0)?,
        momentum,
        nesterov: raw.nesterov,
        weight_decay: between("weight_decay", raw.weight_decay, 0.0, 10.0)?,
        schedule: schedule(raw, epochs)?,
        early_stopping: whole("early_stopping", raw.early_stopping, 0, 100_000)?,
    })
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
    use crate::config::{Options, Schedule, resolve};

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
                && message.contains("cosine, densenet, plateau"),
            "{message}"
        );
    }

    #[test]
    fn a_bad_value_is_reported_with_its_recipe() {
        for (set, expected) in [
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
                "recipes.plateau.factor=1.5",
                "recipes.plateau.factor = 1.5: must be at least",
            ),
        ] {
            let message = with(&[set]).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }
}
