//! The rules of a recipe's stages.

use super::{Checked, Violation, violation, whole};
use crate::config::Stage;
use crate::config::raw::RawStage;

/// The stages of a recipe with `epochs` epochs in all.
pub(super) fn stages(list: &[RawStage], epochs: i64) -> Checked<Vec<Stage>> {
    if list.is_empty() {
        return violation("stages", "[]", "must list at least one stage");
    }
    let stages = (1..)
        .zip(list)
        .map(|(number, raw)| stage(raw).map_err(|broken| of_stage(number, list, broken)))
        .collect::<Checked<Vec<_>>>()?;
    if let Some(pair) = stages.windows(2).find(|pair| pair[0].size >= pair[1].size) {
        let [small, large] = [pair[0].size, pair[1].size];
        let rule = format!("sizes must ascend, but {large} follows {small}");
        return violation("stages", written(list), rule);
    }
    let sum: usize = stages.iter().map(|stage| stage.epochs).sum();
    if sum as i64 != epochs {
        let rule = format!(
            "the recipe's stages have {sum} epochs in all: change one of the two, or leave epochs out"
        );
        return violation("epochs", epochs, rule);
    }
    Ok(stages)
}

fn stage(raw: &RawStage) -> Checked<Stage> {
    let size = whole("size", raw.size, 4, 1_024)?;
    Ok(Stage {
        epochs: whole("epochs", raw.epochs, 1, 100_000)?,
        size,
        crop_pixels: whole("crop_pixels", raw.crop_pixels, 0, size as i64)?,
        cutout_pixels: match raw.cutout_pixels {
            Some(pixels) => whole("cutout_pixels", pixels, 0, size as i64)?,
            None => 0,
        },
    })
}

/// A rule broken by one stage, as one broken by the list.
fn of_stage(number: usize, list: &[RawStage], broken: Violation) -> Violation {
    let Violation {
        key, value, rule, ..
    } = broken;
    let rule = format!("stage {number}: {key} = {value} {rule}");
    Violation::new("stages", written(list), rule)
}

/// The stages as a user would write them.
fn written(list: &[RawStage]) -> String {
    let stage = |stage: &RawStage| {
        let RawStage {
            epochs,
            size,
            crop_pixels,
            cutout_pixels,
        } = stage;
        let cutout =
            cutout_pixels.map_or(String::new(), |side| format!(", cutout_pixels = {side}"));
        format!("{{ epochs = {epochs}, size = {size}, crop_pixels = {crop_pixels}{cutout} }}")
    };
    let stages: Vec<String> = list.iter().map(stage).collect();
    format!("[{}]", stages.join(", "))
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Options, Stage, parse, resolve};

    const THREE: &str = "recipes.mine.stages = [{ epochs = 10, size = 16, crop_pixels = 2 }, \
        { epochs = 10, size = 24, crop_pixels = 3, cutout_pixels = 5 }, { epochs = 8, size = 32, crop_pixels = 4 }]";

    fn with(set: &[&str]) -> Result<Config, String> {
        let set = ["train.recipe=mine"].iter().chain(set);
        resolve(&Options {
            set: set.map(|text| (*text).to_owned()).collect(),
            ..Options::default()
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn the_epochs_of_a_recipe_are_the_sum_of_its_stages() {
        let config = with(&[THREE]).unwrap();
        let recipe = &config.train.recipe;
        assert_eq!(recipe.epochs, 28);
        assert_eq!(
            recipe.stages[1],
            Stage {
                epochs: 10,
                size: 24,
                crop_pixels: 3,
                cutout_pixels: 5,
            }
        );
        let spans: Vec<[usize; 3]> = recipe
            .stage_spans()
            .map(|span| [span.number, span.first, span.last])
            .collect();
        assert_eq!(spans, [[1, 1, 10], [2, 11, 20], [3, 21, 28]]);
        let at = |epoch| recipe.stage_at(epoch).map(|span| span.number);
        assert_eq!(
            [1, 10, 11, 28, 29].map(at),
            [1, 1, 2, 3, 3].map(Some),
            "after the last epoch only the test is left, on whole images"
        );
        assert_eq!(recipe.first_whole_epoch(), 21);
    }

    #[test]
    fn settings_with_stages_survive_being_written_to_a_file() {
        let config = with(&[THREE]).unwrap();
        assert_eq!(parse(&config.to_toml(), "written.toml").unwrap(), config);
    }

    #[test]
    fn stages_take_the_place_of_the_epochs_that_the_preset_has_set() {
        let of_cosine = THREE.replace("mine", "cosine");
        let config = with(&["train.recipe=cosine", &of_cosine]).unwrap();
        assert_eq!(config.train.recipe.epochs, 28);
    }

    #[test]
    fn stages_and_epochs_that_disagree_are_refused_with_both_numbers() {
        let message = with(&[THREE, "recipes.mine.epochs=30"]).unwrap_err();
        assert!(
            message.contains("recipes.mine.epochs = 30") && message.contains("28 epochs in all"),
            "{message}"
        );
        assert!(with(&[THREE, "recipes.mine.epochs=28"]).is_ok());
    }

    #[test]
    fn a_bad_stage_is_reported_with_its_recipe_and_number() {
        for (stages, expected) in [
            ("[]", "must list at least one stage"),
            (
                "[{ epochs = 0, size = 16, crop_pixels = 2 }]",
                "stage 1: epochs = 0 must be a whole number from 1",
            ),
            (
                "[{ epochs = 1, size = 16, crop_pixels = 17 }]",
                "stage 1: crop_pixels = 17 must be a whole number from 0 to 16",
            ),
            (
                "[{ epochs = 1, size = 16, crop_pixels = 2, cutout_pixels = 17 }]",
                "stage 1: cutout_pixels = 17 must be a whole number from 0 to 16",
            ),
            (
                "[{ epochs = 1, size = 24, crop_pixels = 0 }, { epochs = 1, size = 24, crop_pixels = 0 }]",
                "sizes must ascend, but 24 follows 24",
            ),
        ] {
            let message = with(&[&format!("recipes.mine.stages={stages}")]).unwrap_err();
            assert!(
                message.contains(expected) && message.contains("recipes.mine.stages"),
                "{message}"
            );
        }
    }
}
